// What is refused: other roles, another municipality, other sites' forms.
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

test("a page for another role says which rule refused, and the way on", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  await find(page, demo.people["Solveig Hagebø"]);
  await page.getByRole("link", { name: "Vis kurver" }).click();
  await page.getByRole("heading", { name: "Utvikling over tid" }).waitFor();
  const chart = new URL(page.url()).pathname;
  const refused = [
    ["legevaktslege", "/9901/tavle", "Du har ikke tilgang til dette"],
    ["legevaktslege", "/9901/tavle/hendelser", "Du har ikke tilgang til dette"],
    ["legevaktslege", "/9901/innbygger", "Siden er ikke for rollen din"],
    ["saksbehandler", "/9901/tavle", "Du har ikke tilgang til dette"],
    ["saksbehandler", chart, "Du har ikke tilgang til dette"],
  ];
  for (const [role, address, heading] of refused) {
    await signIn(page, "9901", role);
    const answer = await page.goto(address);
    assert.equal(answer.status(), 403, `${role} at ${address}`);
    assert.equal(await page.locator("h1").innerText(), heading);
    assert.equal(await page.getByText("Hagebø").count(), 0);
    await inspect(page, `${address} refused to ${role}`);
  }
  await page.getByText("Rollen din trenger ikke denne typen opplysninger").waitFor();
  await page.getByText("category-not-for-role").waitFor();
  await page.getByRole("link", { name: "Til forsiden" }).click();
  await page.waitForURL("**/9901/legevakt");
  await leave();
});

test("a session in one municipality is nothing in the other", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  await page.getByRole("link", { name: "Solveig Hagebø" }).click();
  const chart = new URL(page.url()).pathname;
  for (const address of ["/9902/tavle", "/9902/legevakt", chart.replace("9901", "9902")]) {
    await page.goto(address);
    assert.equal(new URL(page.url()).pathname, "/", address);
    await page.getByRole("heading", { name: "Velg hvem du vil være" }).waitFor();
  }
  assert.equal((await page.goto("/9901/tavle")).status(), 200, "the session itself is untouched");
  await leave();
});

test("what is not there is said, under the same policy", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  const answer = await page.goto(`/9901/tavle/rad/${"0".repeat(32)}`);
  assert.equal(answer.status(), 404);
  const headers = answer.headers();
  assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
  assert.equal(headers["cache-control"], "no-store");
  await inspect(page, "a patient that is not there");
  await leave();
});

test("a form from another site's page is not taken", async () => {
  const { page, context, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  const number = demo.people["Torvald Lianes"];
  const post = (origin) =>
    context.request.post("/9901/legevakt", { form: { number }, headers: origin && { origin } });
  for (const origin of ["https://example.org", "null", demo.base.replace(/\d+$/, "1")]) {
    const answer = await post(origin);
    assert.equal(answer.status(), 403, origin);
    assert.ok(!(await answer.text()).includes("Lianes"));
  }
  const own = await post(demo.base);
  assert.equal(own.status(), 200);
  assert.ok((await own.text()).includes("Lianes"));
  await leave();
});
