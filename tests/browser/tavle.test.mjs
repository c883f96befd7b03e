// The ward's board and the chart behind each line. New measurements show by themselves, within a
// second of the answer to the system that sent them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, launch, signIn, visit } from "./browser.mjs";
import { round, send, startDemo, stay } from "./demo.mjs";

// Longest time from the sender's answer until the nurse can see it.
const SEEN_WITHIN_MS = 1000;

// Sixteen points, on the scale for COPD as well.
const WORSE = {
  respiration: 30,
  saturation: 82,
  supply: "oxygen",
  systolic: 88,
  pulse: 135,
  temperature: 39.4,
};

let demo;
let browser;
before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

// When a patient stands on the board with a total, or with any: noted in the page, so that looking
// costs no time.
function whenSeen(page, name, total) {
  return page.evaluate(
    ([name, total]) =>
      new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error(`${name} was not seen`)), 10_000);
        const board = document.getElementById("tavle");
        const look = () => {
          const row = [...board.children].find((each) => each.innerText.includes(name));
          const score = row?.querySelector(".score b").innerText;
          if (row && (total === null || score === total)) resolve(Date.now());
        };
        new MutationObserver(look).observe(board, { childList: true, subtree: true });
        look();
      }),
    [name, total],
  );
}

test("the board has the ward's patients, the highest risk first and in words", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  await page.getByText("KAD/ØHD-avdelingen").waitFor();
  const totals = (await page.locator(".row .score b").allInnerTexts()).map(Number);
  assert.ok(totals.length > 1);
  assert.deepEqual(totals.toSorted((a, b) => b - a), totals);
  const line = page.locator(".row", { hasText: "Solveig Hagebø" });
  for (const text of [/^\d\d år$/, "Høy risiko", "Stigende", /over det normale/, /siden$/]) {
    await line.getByText(text).first().waitFor();
  }
  assert.match(await line.getByRole("img").getAttribute("aria-label"), /NEWS2-summer.*\d/);
  assert.equal(await page.getByText("Torvald Lianes").count(), 0, "he is at home");
  await inspect(page, "the board");
  await leave();
});

test("a new round shows within a second, and is read aloud", async (t) => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  await page.getByText("Oppdateres direkte").waitFor();
  const name = "Solveig Hagebø";
  const line = page.locator(".row", { hasText: name });
  const asked = [];
  page.on("request", (each) => each.url().includes("/tavle/rad/") && asked.push(each.url()));
  const before = await line.locator(".score b").innerText();
  const token = demo.token("tavle");
  const seen = whenSeen(page, name, "16");
  await send(demo, "/9901/pmd", token, round(demo.people[name], WORSE));
  const answered = Date.now();
  const took = (await seen) - answered;
  t.diagnostic(`NEWS2 ${before} → 16 seen ${took} ms after the answer`);
  assert.ok(took <= SEEN_WITHIN_MS, `it took ${took} ms`);
  assert.equal(await page.locator(".row .score b").first().innerText(), "16", "the line moves up");
  assert.match(await page.getByRole("status").innerText(), /Solveig Hagebø: NEWS2 16, Høy risiko/);
  assert.equal(asked.length, 1, "one look is logged for the round, not one for each measurement");
  await inspect(page, "the board after a change");
  await leave();
});

test("a patient who comes to the ward shows on the board within a second", async (t) => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  await page.getByText("Oppdateres direkte").waitFor();
  const name = "Torvald Lianes";
  const seen = whenSeen(page, name, null);
  const token = demo.token("plo-epj");
  const came = stay(demo.people[name], "9901-kad");
  await send(demo, "/9901/fhir", token, came);
  const answered = Date.now();
  const took = (await seen) - answered;
  t.diagnostic(`a new patient seen ${took} ms after the answer`);
  assert.ok(took <= SEEN_WITHIN_MS, `it took ${took} ms`);
  await leave();
});

test("a lost line is said in red letters, and mended when it is back", async () => {
  const { page, context, leave } = await visit(browser, demo);
  await page.route("**/tavle/hendelser", (route) => route.abort());
  await signIn(page, "9901", "sykepleier");
  await page.getByText("Ingen forbindelse").waitFor();
  await inspect(page, "the board without a line");
  await page.unroute("**/tavle/hendelser");
  await page.getByText("Oppdateres direkte").waitFor();
  await context.clearCookies();
  await leave().catch((error) => assert.match(error.message, /ERR_FAILED/));
});

test("each line leads to the chart, with every number in a table", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "korttidssykepleier");
  await page.getByRole("link", { name: "Aslaug Tveitane" }).click();
  await page.getByRole("heading", { name: "Aslaug Tveitane", level: 1 }).waitFor();
  const charts = page.locator("figure").getByRole("img");
  assert.equal(await charts.count(), 8, "the total and the seven parameters");
  assert.match(await charts.first().getAttribute("aria-label"), /NEWS2-sum\. Siste verdi 0/);
  await page.getByText(/Bygger på \d+ dager/).first().waitFor();
  const table = page.getByRole("region", { name: "Alle målinger" }).getByRole("table");
  const head = await table.getByRole("columnheader").allInnerTexts();
  assert.equal(head.length, 10);
  const rows = {};
  for (const period of ["24 timer", "7 dager", "30 dager", "Alt"]) {
    await page.getByRole("link", { name: period }).click();
    await page.locator(".periods [aria-current]", { hasText: period }).waitFor();
    rows[period] = await table.locator("tbody tr").count();
    await inspect(page, `the chart of ${period}`);
  }
  assert.ok(rows["24 timer"] < rows["7 dager"] && rows["7 dager"] <= rows["30 dager"]);
  await leave();
});

test("the chart can be printed, and the menu stays on the screen", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "sykepleier");
  await page.getByRole("link", { name: "Solveig Hagebø" }).click();
  await page.getByRole("heading", { name: "Utvikling over tid" }).waitFor();
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByRole("navigation", { name: "Hovedmeny" }).isVisible(), false);
  assert.ok(await page.getByRole("table").isVisible());
  const pdf = await page.pdf({ format: "A4", printBackground: true });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  assert.ok(pdf.length > 20_000 && pages >= 1 && pages <= 8, `${pdf.length} bytes, ${pages} pages`);
  await leave();
});
