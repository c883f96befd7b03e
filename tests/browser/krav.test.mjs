// What residents have a right to: a copy to read, and to ask for more, which the privacy officer answers.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

const NAME = "Torvald Lianes";

test("a copy is taken along, to read and for other systems", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "innbygger", NAME);
  const taken = async (name) => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name }).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
  };
  const document = await taken("Last ned som PDF");
  assert.equal(document.name, "mine-helseopplysninger.pdf");
  assert.equal(document.bytes.subarray(0, 5).toString(), "%PDF-");
  const file = await taken("Last ned for andre systemer");
  const bundle = JSON.parse(file.bytes.toString());
  assert.equal(bundle.type, "collection");
  assert.equal(bundle.entry[0].resource.resourceType, "Patient");
  assert.ok(bundle.entry.some((it) => it.resource.resourceType === "AuditEvent"));
  await leave();
});

test("without scripts, something is asked for, refused with a reason, and asked for anew and taken back", async () => {
  const { page, leave } = await visit(browser, demo, { script: false });
  const ask = async (right, words) => {
    await page.getByText("Be om noe nytt", { exact: true }).click();
    await page.getByLabel(right).check();
    await page.getByLabel("Beskriv hva du ønsker").fill(words);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.waitForURL("**/innbygger?melding=sendt#krav");
  };
  await signIn(page, "9901", "innbygger", NAME);
  await ask("At noe blir slettet", "Notatet om rullator");
  const own = page.getByRole("region", { name: "Krav om opplysningene mine" });
  await own.getByText("Kravet er sendt. Du ser her hva som skjer med det.").waitFor();
  await own.getByText("Notatet om rullator").waitFor();

  const officer = await visit(browser, demo, { script: false });
  await signIn(officer.page, "9901", "sikkerhetsleder");
  await officer.page.getByRole("link", { name: "Krav fra innbyggere" }).click();
  const reject = officer.page.getByRole("button", { name: /^Avslå: At noe blir slettet/ });
  await reject.click();
  await officer.page.getByRole("alert").getByText("Skriv en begrunnelse.").waitFor();
  await officer.page.getByLabel(/Begrunnelse/).fill("Notatet trengs for videre hjelp");
  await reject.click();
  await officer.page.getByRole("status").waitFor();
  await officer.page.getByText("Ingen krav venter på svar.").waitFor();
  await officer.leave();

  await page.reload();
  await own.getByText("Notatet trengs for videre hjelp").first().waitFor();
  await own.getByText(/klage til Statsforvalteren/).waitFor();
  // From an address without the message, so that the one that comes is awaited.
  await page.goto(new URL("innbygger", page.url()).href);
  await ask("Mer om hvordan opplysningene blir brukt", "Hvem får dem?");
  await own.getByRole("button", { name: /^Trekk kravet/ }).click();
  await page.waitForURL("**/innbygger?melding=trukket#krav");
  await own.getByText("Trukket", { exact: true }).waitFor();
  await leave();
});

test("the pages are in order on a phone and on a desktop, and work by keyboard", async () => {
  const { page, leave } = await visit(browser, demo);
  await signIn(page, "9901", "innbygger", NAME);
  await page.getByText("Be om noe nytt", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("At noe blir rettet").focus();
  await page.keyboard.press("Space");
  await page.getByLabel("Beskriv hva du ønsker").fill("Jeg bruker ikke rullator");
  await inspect(page, "the form to ask");
  await page.getByRole("button", { name: "Send", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/innbygger?melding=sendt#krav");
  await inspect(page, "the resident's page with a request");
  const officer = await visit(browser, demo);
  await signIn(officer.page, "9901", "sikkerhetsleder");
  await officer.page.getByRole("link", { name: "Krav fra innbyggere" }).click();
  await officer.page.getByRole("button", { name: /^Bekreft mottatt: At noe blir rettet/ }).click();
  await officer.page.getByRole("status").waitFor();
  for (const summary of await officer.page.locator("main summary").all()) await summary.click();
  await inspect(officer.page, "the privacy officer's list of requests");
  await officer.leave();
  await leave();
});
