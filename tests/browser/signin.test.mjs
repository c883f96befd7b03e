// The chooser of the demonstration: who one can be, with and without a script, mouse or place.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { find, inspect, launch, PHONE, signIn, visit } from "./browser.mjs";
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

const HOMES = [
  ["9901", "legevaktslege", "Maja Fjellstad", "Legevaktslege", "Finn pasient"],
  ["9902", "legevaktslege", "Maja Fjellstad", "Legevaktslege", "Finn pasient"],
  ["9901", "sykepleier", "Jonas Hellebust", "Sykepleier eller helsefagarbeider", "NEWS2-tavle"],
  ["9902", "korttidssykepleier", "Amina Viken", "Sykepleier", "NEWS2-tavle"],
  ["9901", "hjemmesykepleier", "Turid Sletten", "Sykepleier", "NEWS2-tavle"],
  ["9902", "saksbehandler", "Henning Rosseland", "Saksbehandler", "Finn pasient"],
];

test("the chooser leads each role home, in either municipality", async () => {
  const { page, leave } = await visit(browser, demo);
  await page.goto("/");
  await inspect(page, "the chooser");
  for (const [municipality, role, name, title, heading] of HOMES) {
    await signIn(page, municipality, role);
    const place = municipality === "9901" ? "Dalfjord kommune" : "Granfjelldal kommune";
    const banner = page.getByRole("banner");
    for (const text of [name, title, place, "syntetiske personer"]) {
      await banner.getByText(text).first().waitFor();
    }
    assert.equal(await page.locator("h1").innerText(), heading);
    await inspect(page, `the first page of ${role}`);
  }
  await signIn(page, "9902", "innbygger", "Bergljot Aasen");
  await page.getByRole("banner").getByText("Bergljot Aasen").waitFor();
  await page.getByRole("banner").getByText("Innbygger", { exact: true }).waitFor();
  await leave();
});

test("what is missing in the chooser is said, and nobody is let in", async () => {
  const { page, context, leave } = await visit(browser, demo);
  await page.goto("/");
  await page.getByRole("radio", { name: "Innbygger" }).check();
  await page.getByRole("button", { name: "Logg inn" }).click();
  await page.getByRole("alert").getByText("Velg en innbygger").waitFor();
  await inspect(page, "the chooser without a resident");
  await page.getByRole("radio", { name: "Innbygger" }).check();
  await page.getByRole("textbox").fill("12853800189");
  await page.getByRole("button", { name: "Logg inn" }).click();
  await page.getByRole("alert").getByText("Ingen syntetisk person").waitFor();
  await inspect(page, "the chooser with an unknown number");
  assert.deepEqual(await context.cookies(), []);
  await leave();
});

test("the session is out of reach for scripts and other sites, and ends at sign-out", async () => {
  const { page, context, leave } = await visit(browser, demo);
  await page.goto("/9901/legevakt");
  assert.equal(new URL(page.url()).pathname, "/", "without a session one is sent to sign in");
  await signIn(page, "9901", "legevaktslege");
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual(others, []);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
  await page.getByRole("button", { name: "Logg ut" }).click();
  await page.waitForURL("**/");
  assert.deepEqual(await context.cookies(), []);
  await page.goto("/9901/legevakt");
  assert.equal(new URL(page.url()).pathname, "/");
  await leave();
});

test("the keyboard alone is enough, and one sees where one is", async () => {
  const { page, leave } = await visit(browser, demo);
  const press = (key) => page.keyboard.press(key);
  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement;
      const drawn = (element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        const outlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
        return outlined || boxShadow !== "none";
      };
      // A choice may draw its frame around the whole label.
      const seen = drawn(at) || (at.closest("label") !== null && drawn(at.closest("label")));
      return { at: at.value || at.innerText.trim() || at.id || at.getAttribute("href"), seen };
    });
  const tab = async (what) => {
    await press("Tab");
    const { at, seen } = await focused();
    assert.match(at, what);
    assert.ok(seen, `the focus on ${at} is not seen`);
  };
  await page.goto("/");
  await tab(/Hopp til hovedinnholdet/);
  const skip = await page.getByRole("link", { name: "Hopp til" }).boundingBox();
  assert.ok(skip.y >= 0 && skip.height > 20, "the skip link shows when it has the focus");
  await press("Enter");
  assert.equal((await focused()).at.startsWith("Velg hvem du vil være"), true);
  await tab(/^9901$/);
  await press("ArrowDown");
  assert.equal((await focused()).at, "9902");
  await press("ArrowUp");
  await tab(/^legevaktslege$/);
  await press("Space");
  await press("Enter");
  await page.waitForURL("**/9901/legevakt");
  for (const what of [/Hopp til/, /Felles kommunal journal/, /Logg ut/, /Tjenesteoversikt/]) {
    await tab(what);
  }
  await tab(/^number$/);
  await page.keyboard.type(demo.people["Torvald Lianes"]);
  await press("Enter");
  await page.getByRole("heading", { name: "Torvald Lianes", level: 1 }).waitFor();
  await leave();
});

test("everything is there without a script", async () => {
  const { page, leave } = await visit(browser, demo, { size: PHONE, script: false });
  await signIn(page, "9901", "legevaktslege");
  assert.equal(await find(page, demo.people["Torvald Lianes"]), 200);
  await page.getByRole("heading", { name: "Trygghetsalarm" }).waitFor();
  await page.getByText("Avsluttede tjenester").click();
  await page.getByRole("heading", { name: /Tidsbegrenset opphold/ }).waitFor();
  await page.getByRole("link", { name: "Vis kurver" }).click();
  await page.getByRole("heading", { name: "Utvikling over tid" }).waitFor();
  await signIn(page, "9901", "sykepleier");
  await page.getByText("Last siden på nytt for å oppdatere").waitFor();
  assert.ok((await page.locator("#tavle > li").count()) > 1);
  await leave();
});
