// The page where a vendor tries calls: whose token, what is sent, what comes back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, PHONE, visit } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

let demo;
let browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo({ patients: 5 }), launch()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const outcome = (page, call) => page.locator(`#call-${call} .outcome b`);
const body = (page, call) => page.locator(`#call-${call} .answer > pre`);

test("one chooses a municipality, and all its calls are there", async () => {
  const { page, leave } = await visit(browser, demo);
  await page.goto("/");
  await page.getByRole("link", { name: "For leverandører: prøv API-et" }).click();
  await page.getByRole("heading", { name: "Hvilken kommunes API?", level: 1 }).waitFor();
  await inspect(page, "the choice of a municipality");
  await page.getByRole("link", { name: "9902 Granfjelldal kommune" }).click();
  await page.getByRole("heading", { name: "API for Granfjelldal kommune", level: 1 }).waitFor();
  const document = await (await fetch(`${demo.base}/9902/openapi.json`)).json();
  const told = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((each) => each.operationId?.replace(/-(get|post)$/, "")),
  );
  const shown = await page.locator("details.call").evaluateAll((all) => all.map((each) => each.id));
  assert.deepEqual(new Set(shown), new Set(told.filter(Boolean).map((id) => `call-${id}`)));
  await inspect(page, "the page of calls");
  await leave();
});

test("the keyboard alone chooses a role, searches, and is told what is wrong", async () => {
  const { page, context, leave } = await visit(browser, demo);
  const press = (key) => page.keyboard.press(key);
  // Goes on by Tab until something has the focus; gives up where the page has no such thing.
  const tab = async (selector) => {
    for (let step = 0; step < 80; step += 1) {
      await press("Tab");
      if (await page.evaluate((it) => document.activeElement.matches(it), selector)) return;
    }
    assert.fail(`the keyboard does not reach ${selector}`);
  };
  await page.goto("/9901/docs");
  await tab("#role");
  await page.keyboard.type("Kommunens");
  await tab("#rolle button");
  await press("Enter");
  await page.getByText("Token for plo-epj-9901").waitFor();
  await tab("#call-search > summary");
  await press("Enter");
  await tab("#call-search select[name=kind]");
  await page.keyboard.type("Organization");
  await tab("#call-search button[type=submit]");
  await press("Enter");
  await outcome(page, "search").getByText("200").waitFor();
  const found = JSON.parse(await body(page, "search").innerText());
  assert.equal(found.type, "searchset");
  assert.equal(found.entry[0].resource.resourceType, "Organization");
  await tab("#call-create > summary");
  await press("Enter");
  await tab("#call-create textarea");
  await press("Control+End");
  await page.keyboard.type(" {");
  await tab("#call-create button[type=submit]");
  await press("Enter");
  await outcome(page, "create").getByText("400").waitFor();
  const refusal = JSON.parse(await body(page, "create").innerText());
  assert.equal(refusal.resourceType, "OperationOutcome");
  assert.match(refusal.issue[0].details.text, /line \d+, column \d+/);
  await inspect(page, "a page with answers");
  assert.deepEqual(await context.cookies(), [], "the token is kept on the page alone");
  await leave();
});

test("what is sent is what curl would send, in the form that is asked for", async () => {
  const { page, leave } = await visit(browser, demo, { size: PHONE });
  await page.goto("/9901/docs#call-update");
  const call = page.locator("#call-update");
  await call.getByRole("button", { name: "Send" }).click();
  await outcome(page, "update").getByText("401").waitFor();
  await call.getByText("Hent et token først").waitFor();
  await page.getByLabel("Token", { exact: true }).fill(demo.token("utvikler"));
  await call.getByText("Flere valg").click();
  await call.getByLabel("Accept").selectOption("application/fhir+xml");
  await call.getByRole("button", { name: "Send" }).click();
  await outcome(page, "update").getByText("201").waitFor();
  assert.match(await body(page, "update").innerText(), /^<Observation xmlns="http:\/\/hl7.org\/fhir">/);
  await call.getByText("Svarets hoder").click();
  assert.match(await call.locator(".heads").innerText(), /etag: W\/"\d+"/);
  await call.getByText("Som curl").click();
  const curl = await call.locator(".curl pre").innerText();
  for (const part of ["curl -X PUT", "/9901/fhir/Observation/example-pulse'", "Bearer $TOKEN"]) {
    assert.ok(curl.includes(part), `${part} in ${curl}`);
  }
  await page.locator("#call-patch > summary").click();
  const patch = page.locator("#call-patch");
  await patch.getByLabel("Content-Type").selectOption("application/fhir+json");
  assert.match(await patch.getByLabel("Innhold").inputValue(), /"resourceType": "Parameters"/);
  await patch.getByRole("button", { name: "Send" }).click();
  await outcome(page, "patch").getByText("200").waitFor();
  assert.equal(JSON.parse(await body(page, "patch").innerText()).status, "amended");
  await inspect(page, "a page with answers in XML");
  await leave();
});
