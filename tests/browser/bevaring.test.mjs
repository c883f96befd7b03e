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
    await first.page.locator("#number-erase").fill(number);
    await first.page.getByLabel("Ført på feil person").check();
    await first.page.locator("#why-erase").fill("sak 26/118");
    await first.page.getByRole("button", { name: "Foreslå å slette" }).click();
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

test("the page is in order on a phone and on a desktop", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "personvernombud");
  await page.getByRole("link", { name: "Bevaring og sletting" }).click();
  await inspect(page, "Bevaring og sletting");
  await leave();
});
