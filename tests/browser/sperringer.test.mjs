// What the resident withholds: said on the resident's own page, in force at once, and lifted there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { find, inspect, launch, signIn, visit } from "./browser.mjs";
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

const NAME = "Torvald Lianes";

// What the doctor on call sees of the patient: how many services.
async function services() {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  const status = await find(page, demo.people[NAME]);
  const count = status === 200 ? await page.locator(".side-main .service").count() : 0;
  await leave();
  return { status, count };
}

test("without scripts, a person seen in the log is blocked with one button and let in again", async () => {
  const before = await services();
  assert.equal(before.status, 200);
  const { page, leave } = await visit(browser, demo, { script: false });
  await signIn(page, "9901", "innbygger", NAME);
  await page.getByRole("button", { name: /^Sperr for Maja Fjellstad/ }).first().click();
  await page.waitForURL("**/innbygger?melding=sperret#sperringer");
  const own = page.getByRole("region", { name: "Hvem som ikke skal se opplysningene mine" });
  await own.getByText("Opplysningene er sperret. Det gjelder fra nå.").waitFor();
  await own.getByRole("heading", { name: "Maja Fjellstad" }).waitFor();
  await own.getByText("Alle opplysninger", { exact: true }).first().waitFor();
  const blocked = await services();
  assert.ok(blocked.status === 403 || blocked.count < before.count || blocked.count === 0);

  await page.reload();
  await own.getByRole("button", { name: "Opphev sperringen: Maja Fjellstad" }).click();
  await page.waitForURL("**/innbygger?melding=opphevet#sperringer");
  await own.getByText("Du har ikke sperret noe.").waitFor();
  assert.deepEqual(await services(), before);
  await leave();
});

test("the form is filled in by keyboard, and the page is well made", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "innbygger", NAME);
  await page.getByText("Sperr opplysninger", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Hvem skal ikke se opplysningene?").selectOption({ label: "Sykepleiere" });
  await page.getByLabel("Hvilke opplysninger?").selectOption({ label: "Målinger" });
  await page.getByLabel("Første dag").fill("2025-01-01");
  await page.getByLabel("Også i en nødsituasjon").focus();
  await page.keyboard.press("Space");
  await inspect(page, "the form to withhold");
  await page.getByRole("button", { name: "Sperr", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/innbygger?melding=sperret#sperringer");
  const own = page.getByRole("region", { name: "Hvem som ikke skal se opplysningene mine" });
  await own.getByRole("heading", { name: "Sykepleiere" }).waitFor();
  for (const text of ["Målinger", "Fra 1. januar 2025", "Gjelder også da. Ingen kan åpne sperringen."]) {
    await own.getByText(text, { exact: true }).first().waitFor();
  }
  await inspect(page, "the resident's page with something withheld");
  await leave();
});
