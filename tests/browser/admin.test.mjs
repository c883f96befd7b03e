// The municipality's own page: a kill switch by keyboard and without a script, and what takes two persons.
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

test("something is stopped and goes on again, without a script", async () => {
  const { page, leave } = await visit(browser, demo, { script: false });
  await signIn(page, "9901", "forvalter");
  assert.equal(await page.locator("h1").innerText(), "Forvaltning");
  await page.getByLabel("Hva skal stoppes?").selectOption("client-vkp-9901");
  await page.getByLabel(/Hvorfor/).last().fill("feil i målinger");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("gjelder fra nå").waitFor();
  await page.getByText("feil i målinger").first().waitFor();
  await page.getByLabel(/Hvorfor/).first().fill("rettet");
  await page.getByRole("button", { name: "Åpne igjen" }).click();
  await page.getByText("Ingenting er stoppet.").waitFor();
  await leave();
});

test("everything on the page is in order on a phone and on a desktop", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sikkerhetsleder");
  await page.getByLabel("Hva skal stoppes?").selectOption("purpose-BTG");
  await page.getByLabel(/Hvorfor/).last().fill("ikke i bruk");
  await page.getByRole("button", { name: "Stopp", exact: true }).click();
  for (const summary of await page.locator("summary").all()) await summary.click();
  await inspect(page, "the municipality's own page");
  await leave();
});
