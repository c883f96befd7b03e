// Debian's Chromium, and what must hold on every page whoever looks at it: no identity number in an
// address, nothing the content policy stops, room for everything on a phone and on a desktop, and
// no violation of WCAG 2.1 AA that axe-core can find.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 900 };

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

// Six digits and five, alone: not a part of a pseudonymous id, which is hexadecimal.
const IDENTITY_NUMBER = /(?<![0-9a-f])\d{6}[\s+]?\d{5}(?![0-9a-f])/i;

// Chromium writes this for every refusal; what was answered is for the test to judge.
const ANSWER = /^Failed to load resource: the server responded with a status of 4\d\d/;

export function launch() {
  const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update"];
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"]
      .concat(quiet),
  });
}

// A page of somebody's own, which writes down where it goes and what it complains about.
export async function visit(browser, demo, { size = DESKTOP, script = true } = {}) {
  const context = await browser.newContext({
    baseURL: demo.base,
    viewport: size,
    javaScriptEnabled: script,
    locale: "nb-NO",
    timezoneId: "Europe/Oslo",
    deviceScaleFactor: 1,
  });
  const page = await context.newPage();
  const addresses = [];
  const complaints = [];
  context.on("request", (request) => addresses.push(request.url()));
  context.on("console", (message) => {
    const bad = ["error", "warning"].includes(message.type()) && !ANSWER.test(message.text());
    if (bad) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  const leave = async () => {
    await context.close();
    assert.ok(addresses.length > 0);
    const telling = addresses.filter((each) => IDENTITY_NUMBER.test(decodeURIComponent(each)));
    assert.deepEqual(telling, [], "an identity number stands in an address");
    const away = addresses.filter((each) => !each.startsWith(`${demo.base}/`));
    assert.deepEqual(away, [], "something was asked of another server");
    assert.deepEqual(complaints, []);
  };
  return { page, context, leave };
}

// Signs in through the chooser, as anybody would.
export async function signIn(page, municipality, role, resident) {
  await page.goto("/");
  await page.locator(`input[name=municipality][value="${municipality}"]`).check();
  await page.locator(`input[name=role][value="${role}"]`).check();
  if (resident) await page.getByRole("radio", { name: resident }).check();
  await page.getByRole("button", { name: "Logg inn" }).click();
  await page.waitForURL(`**/${municipality}/**`);
}

// Looks a patient up at the emergency clinic's form.
export async function find(page, number) {
  await page.getByRole("textbox", { name: /Fødselsnummer/ }).fill(number);
  const answer = page.waitForResponse((each) => each.request().method() === "POST");
  await page.getByRole("button", { name: "Vis tjenester" }).click();
  const status = (await answer).status();
  await page.waitForLoadState();
  return status;
}

// Everything that must hold for a page in the state it is in, on a phone and on a desktop.
export async function inspect(page, what) {
  for (const size of [PHONE, DESKTOP]) {
    await page.setViewportSize(size);
    const wide = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    assert.equal(wide, 0, `${what} is ${wide} px too wide at ${size.width} px`);
    await page.evaluate(axe.source);
    const found = await page.evaluate(
      (values) => globalThis.axe.run({ runOnly: { type: "tag", values } }),
      RULES,
    );
    assert.ok(found.passes.length > 0, `${what}: axe-core found nothing to judge`);
    const broken = found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
    assert.deepEqual(broken, [], `${what} at ${size.width} px`);
  }
}
