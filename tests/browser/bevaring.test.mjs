// The officers' page of preservation and disposal: without a script, and in order for everybody.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, signIn, visit } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

let demo;
let browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("one officer holds, lifts and proposes, and another erases, without a script", async () => {
  const number = Object.values(demo.people)[0];
  const as = async (role) => {
    const { page, leave } = await visit(browser, demo, { script: false });
    await signIn(page, "9901", role);
    await page.getByRole("link", { name: "Bevaring og sletting" }).click();
    assert.equal(await page.locator("h1").innerText(), "Bevaring og sletting");
    return { page, leave };
  };
  const first = await as("personvernombud");
  const hold = async (pid) => {
    await first.page.locator("#number-hold").fill(pid);
    await first.page.locator("#why-hold").fill("tilsynssak");
    await first.page.getByRole("button", { name: "Stans sletting" }).click();
  };
  const propose = async () => {
    const form = first.page.locator("form", { has: first.page.locator("#number-erase") });
    await form.locator("#number-erase").fill(number);
    await form.getByLabel("Ført på feil person").check();
    await form.locator("#why-erase").fill("sak 26/118");
    await form.getByRole("button", { name: "Foreslå å slette" }).click();
  };
  await hold("12345678901");
  await first.page.getByText("Det er ikke et gyldig fødselsnummer eller D-nummer.").waitFor();
  await hold(number);
  await first.page.getByText("Det er registrert.").waitFor();
  await propose();
  await first.page.getByText("Noen har stanset sletting for personen.").waitFor();
  const lift = first.page.locator("form", { has: first.page.getByRole("button", { name: "Opphev stansen" }) });
  await lift.locator("input[name=why]").fill("avgjort");
  await lift.getByRole("button").click();
  await first.page.getByText("Sletting er ikke stanset for noen.").waitFor();
  await propose();
  await first.page.getByText("sak 26/118").waitFor();
  assert.equal(await first.page.getByRole("button", { name: "Slett alt om personen" }).count(), 0);
  await first.leave();
  const second = await as("sikkerhetsleder");
  const agree = second.page.locator("form", { has: second.page.getByRole("button", { name: "Slett alt om personen" }) });
  await agree.locator("input[name=why]").fill("enig");
  await agree.getByRole("button", { name: "Slett alt om personen" }).click();
  await second.page.locator("#slettet ~ ol").getByText("Ført på feil person").waitFor();
  assert.equal(await second.page.getByText("sak 26/118").count(), 0);
  await second.leave();
});

test("one record is proposed by one officer and erased by another", async () => {
  const [record] = await observations(Object.values(demo.people)[1]);
  const act = async (role, work) => {
    const { page, leave } = await visit(browser, demo, { script: false });
    await signIn(page, "9901", role);
    await page.getByRole("link", { name: "Bevaring og sletting" }).click();
    await work(page);
    await leave();
  };
  await act("personvernombud", async (page) => {
    const form = page.locator("form", { has: page.locator("#record") });
    await form.locator("#record").fill(`Observation/${record}`);
    await form.getByLabel("Ført på feil person").check();
    await form.locator("#why-erase-record").fill("sak 26/119");
    await form.getByRole("button").click();
    await page.getByText("sak 26/119").waitFor();
  });
  assert.equal(await read(record), 200);
  await act("sikkerhetsleder", async (page) => {
    const form = page.locator("form", { has: page.getByRole("button", { name: "Slett opplysningen for godt" }) });
    await form.locator("input[name=why]").fill("enig");
    await form.getByRole("button", { name: "Slett opplysningen for godt" }).click();
    await page.locator("#slettet ~ ol").getByText(`Observation/${record}`).waitFor();
  });
  assert.equal(await read(record), 410);
});

// Ids of what was measured about a person.
async function observations(number) {
  const body = new URLSearchParams({ "patient.identifier": `urn:oid:2.16.578.1.12.4.1.4.1|${number}` });
  const headers = { authorization: `Bearer ${demo.token("sykepleier")}` };
  const answer = await fetch(`${demo.base}/9901/fhir/Observation/_search`, { method: "POST", headers, body });
  const bundle = await answer.json();
  return bundle.entry.filter((it) => it.search.mode === "match").map((it) => it.resource.id);
}

async function read(id) {
  const headers = { authorization: `Bearer ${demo.token("sykepleier")}` };
  return (await fetch(`${demo.base}/9901/fhir/Observation/${id}`, { headers })).status;
}

test("the page is in order on a phone and on a desktop", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "personvernombud");
  await page.getByRole("link", { name: "Bevaring og sletting" }).click();
  await inspect(page, "Bevaring og sletting");
  await leave();
});
