// The resident's own page: my services, what the measurements mean, and who has looked.
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

test("services and measurements are told in everyday words", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9902", "innbygger", "Konrad Granmo");
  assert.equal(await page.locator("h1").innerText(), "Mine opplysninger");
  await page.getByRole("heading", { name: "Helsetjenester i hjemmet" }).waitFor();
  const measured = page.getByRole("region", { name: "Målingene mine" });
  await measured.getByText(/Det regnes som lav risiko/).waitFor();
  await measured.getByText(/Summen er .* for deg/).waitFor();
  await page.getByText("Ring 113 når det er akutt").waitFor();
  await inspect(page, "the resident's page");
  await page.getByText("Alle målinger i tidsrommet").click();
  await page.getByRole("link", { name: "30 dager" }).click();
  await page.waitForURL("**/innbygger?periode=30d#malinger");
  await leave();
});

test("the resident sees the doctor's look, and the attempt that was refused", async () => {
  const name = "Torvald Lianes";
  const staff = await visit(browser, demo);
  await signIn(staff.page, "9901", "legevaktslege");
  await find(staff.page, demo.people[name]);
  await staff.page.getByRole("link", { name: "Vis kurver" }).click();
  const chart = new URL(staff.page.url()).pathname;
  await signIn(staff.page, "9901", "saksbehandler");
  assert.equal((await staff.page.goto(chart)).status(), 403);
  await staff.leave();

  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "innbygger", name);
  const looks = page.getByRole("region", { name: "Hvem har sett" }).getByRole("listitem");
  const doctor = looks.filter({ has: page.getByRole("heading", { name: "Maja Fjellstad" }) });
  const look = doctor.filter({ hasText: "Så oversikten over tjenestene dine" });
  assert.equal(await look.count(), 1);
  for (const text of ["Lege på legevakten, Dalfjord legevakt", "For å gi deg helsehjelp"]) {
    await look.getByText(text).waitFor();
  }
  await look.getByText("Kommunale tjenester").waitFor();
  const time = await look.locator("time").first().getAttribute("datetime");
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 120_000, "it was made a moment before");
  const refused = looks.filter({ hasText: "Fikk ikke se" });
  assert.equal(await refused.count(), 1);
  for (const text of ["Henning Rosseland", "Rollen din trenger ikke"]) {
    await refused.getByText(text).waitFor();
  }
  assert.equal(await looks.filter({ hasText: "Registrerte målinger" }).count(), 0);
  assert.equal(await looks.filter({ hasText: "Deg selv" }).count(), 0);
  await page.getByText("Dine egne oppslag").waitFor();
  await inspect(page, "the resident's page with looks");
  await leave();
});

test("nobody else's page can be had", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "innbygger", "Ingvar Nesbø");
  assert.equal((await page.goto("/9901/legevakt")).status(), 403);
  await page.getByText("Siden er ikke for rollen din").waitFor();
  assert.equal((await page.goto("/9901/tavle")).status(), 403);
  await inspect(page, "a page refused to a resident");
  await leave();
});
