// A patient comes to the emergency clinic: what help is there at home, and who can be called?
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

test("the doctor sees the services at a glance, those under way first", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  assert.equal(await find(page, demo.people["Torvald Lianes"]), 200);
  const patient = page.getByRole("region", { name: "Pasient" });
  for (const text of ["Torvald Lianes", "12. mai 1938", "Mann", "DALFJORD"]) {
    await patient.getByText(text).waitFor();
  }
  const services = page.locator("article.service");
  assert.deepEqual(await services.locator("h3:visible").allInnerTexts(), [
    "Helsetjenester i hjemmet",
    "Praktisk bistand – daglige gjøremål",
    "Matombringing",
    "Trygghetsalarm",
  ]);
  assert.deepEqual(new Set(await services.locator(".tag:visible").allInnerTexts()), new Set(["Pågår"]));
  const home = services.filter({ hasText: "Helsetjenester i hjemmet" });
  for (const text of ["4,5 timer per uke", "Sone Sentrum", "Hjemmetjenesten", "Gjelder"]) {
    await home.getByText(text).first().waitFor();
  }
  await home.getByText(/^Oppdatert .*\d{4} kl\. \d\d\.\d\d/).waitFor();
  await home.getByText("Kilde: Dalfjord kommune").waitFor();
  const call = home.getByRole("link", { name: /Ring Sone Sentrum/ });
  assert.match(await call.getAttribute("href"), /^tel:\+47\d{8}$/);
  await inspect(page, "the patient's page");
  const ended = page.getByRole("heading", { name: /Tidsbegrenset opphold/ });
  assert.equal(await ended.isVisible(), false);
  await page.getByText("Avsluttede tjenester").click();
  await ended.waitFor();
  await inspect(page, "the patient's page with what has ended");
  const news2 = page.getByRole("region", { name: "NEWS2" });
  await news2.getByText("Lav risiko").waitFor();
  await news2.getByText("Innenfor det normale").waitFor();
  await leave();
});

test("paused help and a normal of five are seen, in the other municipality as well", async () => {
  const { page, leave } = await visit(browser, demo);
  for (const [municipality, name] of [["9901", "Solveig Hagebø"], ["9902", "Bergljot Aasen"]]) {
    await signIn(page, municipality, "legevaktslege");
    assert.equal(await find(page, demo.people[name]), 200);
    const first = page.locator("article.service").first();
    await first.getByText("Kommunal øyeblikkelig hjelp").first().waitFor();
    const states = await page.locator("article.service .tag:visible").allInnerTexts();
    assert.ok(states.includes("Midlertidig stanset"), states.join());
    assert.deepEqual(states.toSorted().reverse(), states, "those under way stand first");
    const news2 = page.getByRole("region", { name: "NEWS2" });
    await news2.getByText(/^\d+ over det normale$/).waitFor();
  }
  await inspect(page, "the patient with COPD");
  await leave();
});

test("the case officer sees services and decisions, and no measurements", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "saksbehandler");
  assert.equal(await find(page, demo.people["Ingvar Nesbø"]), 200);
  await page.getByRole("heading", { name: "Ingvar Nesbø", level: 1 }).waitFor();
  assert.equal(await page.getByText("NEWS2").count(), 0);
  await inspect(page, "the case officer's view");
  await leave();
});

test("a number with a fault is told apart from a patient without services", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  const faults = [
    ["1285380018", "har 11 siffer"],
    ["12853800189", "kontrollsifrene stemmer ikke"],
    ["31994500093", "ikke en gyldig dato"],
    ["01010750160", "bare bruke syntetiske numre"],
  ];
  for (const [number, said] of faults) {
    assert.equal(await find(page, number), 422, number);
    const field = page.getByRole("textbox", { name: /Fødselsnummer/ });
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.match(await page.locator("#problem").innerText(), new RegExp(said));
    assert.equal(await field.inputValue(), "", "the number is not sent back");
  }
  await inspect(page, "the form with a fault");
  const elsewhere = demo.people["Konrad Granmo"];
  assert.equal(await find(page, elsewhere), 200);
  await page.getByText("Det betyr ikke at pasienten ikke får hjelp").waitFor();
  await page.getByText(`${elsewhere.slice(0, 6)} ${elsewhere.slice(6)}`).waitFor();
  await inspect(page, "a patient about whom nothing is known");
  await leave();
});

test("the number may be written in two groups", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "legevaktslege");
  const number = demo.people["Aslaug Tveitane"];
  assert.equal(await find(page, `${number.slice(0, 6)} ${number.slice(6)}`), 200);
  await page.getByRole("heading", { name: "Aslaug Tveitane", level: 1 }).waitFor();
  await leave();
});
