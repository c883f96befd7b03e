// The stand-ins' authorization page, as somebody meets it whom an app has sent: on a phone and on a desktop,
// by keyboard, without a script, and with what can go wrong.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, PHONE, visit } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

let demo;
let browser;
let client;
before(async () => {
  [demo, browser] = await Promise.all([startDemo({ patients: 12 }), launch()]);
  const answer = await fetch(`${demo.base}/sandkasse/smart/clients`, {
    method: "POST",
    body: JSON.stringify({
      kommune: "9901",
      client_name: "Vendepunkt",
      token_endpoint_auth_method: "none",
      redirect_uris: [`${demo.base}/assets/fkj.svg`],
    }),
  });
  client = await answer.json();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

// The address an app sends people to. What it is sent back to is ours, so that nothing else is asked.
function asking(changes = {}) {
  const query = {
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: client.redirect_uris[0],
    scope: "launch/patient patient/Observation.rs",
    aud: `${demo.base}/9901/fhir`,
    state: "tilstand",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    ...changes,
  };
  return `/sandkasse/smart/authorize?${new URLSearchParams(query)}`;
}

const back = (page) => new URL(page.url());

test("somebody at work chooses by keyboard alone, finds the patient, and is sent back with a code", async () => {
  const { page, leave } = await visit(browser, demo, { script: true });
  await page.goto(asking());
  await inspect(page, "the authorization page");
  assert.match(await page.locator(".lead").innerText(), /^Vendepunkt .*Dalfjord kommune/);
  await page.keyboard.press("Tab");
  await page.getByRole("radio", { name: /Maja Fjellstad/ }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.type(Object.values(demo.people)[0]);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/assets/fkj.svg?**");
  assert.ok(back(page).searchParams.get("code"));
  assert.equal(back(page).searchParams.get("state"), "tilstand");
  await leave();
});

test("without a script, what is missing is said, and nobody is sent back", async () => {
  const { page, leave } = await visit(browser, demo, { size: PHONE, script: false });
  await page.goto(asking());
  const open = page.getByRole("button", { name: "Logg inn og åpne appen" });
  await open.click();
  await page.getByRole("alert").getByText("Velg en person").waitFor();
  await page.getByRole("radio", { name: /Maja Fjellstad/ }).check();
  await open.click();
  await page.getByRole("alert").getByText("identitetsnummeret til pasienten").waitFor();
  await page.getByRole("radio", { name: /Maja Fjellstad/ }).check();
  await page.getByRole("textbox").fill("12853800189");
  await open.click();
  await page.getByRole("alert").getByText("Ingen syntetisk person").waitFor();
  await leave();
});

test("the page with a problem holds for everybody too", async () => {
  const { page, leave } = await visit(browser, demo);
  await page.goto(asking());
  await page.getByRole("button", { name: "Logg inn og åpne appen" }).click();
  await inspect(page, "the authorization page with a problem");
  await leave();
});

test("who declines is sent back with that", async () => {
  const { page, leave } = await visit(browser, demo);
  await page.goto(asking());
  await page.getByRole("button", { name: "Avbryt" }).click();
  await page.waitForURL("**/assets/fkj.svg?**");
  assert.equal(back(page).searchParams.get("error"), "access_denied");
  await leave();
});

test("an app that is not known, or asks for another address, sends nobody anywhere", async () => {
  const { page, leave } = await visit(browser, demo);
  for (const changes of [{ client_id: "ukjent" }, { redirect_uri: `${demo.base}/assets/fkj.svg?x=1` }]) {
    const answer = await page.goto(asking(changes));
    assert.equal(answer.status(), 400);
    assert.equal(await page.locator("h1").innerText(), "Appen kan ikke åpnes");
    assert.equal(back(page).pathname, "/sandkasse/smart/authorize");
  }
  await inspect(page, "the page where it ends");
  await leave();
});
