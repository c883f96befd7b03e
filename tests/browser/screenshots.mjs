// Writes the pictures of the documentation: node screenshots.mjs
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DESKTOP, find, launch, PHONE, signIn, visit } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));

// Largest picture, in bytes: the repository is read over slow lines too.
const LARGEST = 150_000;

const demo = await startDemo();
const browser = await launch();

async function picture(name, size, work) {
  const { page, leave } = await visit(browser, demo, { size });
  await work(page);
  await page.mouse.move(0, 0);
  const path = `${folder}${name}.png`;
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  await leave();
  const { size: bytes } = statSync(path);
  console.log(`${name}.png ${bytes} bytes`);
  if (bytes > LARGEST) throw new Error(`${name}.png is larger than ${LARGEST} bytes`);
}

async function atLegevakt(page, name) {
  await signIn(page, "9901", "legevaktslege");
  await find(page, demo.people[name]);
}

try {
  mkdirSync(folder, { recursive: true });
  await picture("innlogging", DESKTOP, (page) => page.goto("/"));
  await picture("legevakt", DESKTOP, (page) => atLegevakt(page, "Torvald Lianes"));
  await picture("legevakt-mobil", PHONE, (page) => atLegevakt(page, "Torvald Lianes"));
  await picture("tavle", DESKTOP, async (page) => {
    await signIn(page, "9901", "sykepleier");
    await page.getByText("Oppdateres direkte").waitFor();
  });
  await picture("kurve", DESKTOP, async (page) => {
    await signIn(page, "9901", "sykepleier");
    await page.getByRole("link", { name: "Solveig Hagebø" }).click();
    await page.getByRole("heading", { name: "Utvikling over tid" }).waitFor();
  });
  await picture("innbygger-mobil", PHONE, async (page) => {
    await atLegevakt(page, "Solveig Hagebø");
    await signIn(page, "9901", "innbygger", "Solveig Hagebø");
    await page.getByRole("link", { name: "Hvem har sett" }).click();
  });
} finally {
  await browser.close();
  await demo.stop();
}
