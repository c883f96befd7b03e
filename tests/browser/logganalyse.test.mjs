// The pages about how access was used, for who has the duty, without a script and in order for everybody.
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

test("the work list and the review of accesses are in the menu and in order", async () => {
  const { page, leave } = await visit(browser, demo, { script: false });
  await signIn(page, "9901", "sikkerhetsleder");
  await page.getByRole("link", { name: "Logganalyse" }).click();
  assert.equal(await page.locator("h1").innerText(), "Logganalyse");
  await page.getByRole("link", { name: "Vis også det som er konkludert" }).click();
  await page.getByRole("link", { name: "Vis bare det som ikke er konkludert" }).waitFor();
  await page.getByRole("link", { name: "Tilganger" }).click();
  assert.equal(await page.locator("h1").innerText(), "Gjennomgang av tilganger");
  await leave();
});

test("the pages are in order on a phone and on a desktop", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sikkerhetsleder");
  for (const name of ["Logganalyse", "Tilganger"]) {
    await page.getByRole("link", { name }).click();
    await inspect(page, name);
  }
  await leave();
});
