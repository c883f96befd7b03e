// A SMART app in a browser, on a server of its own, with SMART's own library: somebody logs in on the
// authorization page, and the app opens on the patient that was chosen there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { startDemo } from "./demo.mjs";

const LIBRARY = fileURLToPath(
  new URL("node_modules/fhirclient/build/fhir-client.min.js", import.meta.url),
);

let demo;
let browser;
let app;
before(async () => {
  [demo, browser] = await Promise.all([startDemo({ patients: 12 }), launch()]);
  app = await startApp();
});
after(async () => {
  await browser?.close();
  app?.server.close();
  await demo?.stop();
});

const html = (script) => `<!doctype html><title>app</title><link rel="icon" href="data:,">
<script src="/fhir-client.js"></script><script>${script}</script>`;

async function startApp() {
  const pages = { "/fhir-client.js": readFileSync(LIBRARY) };
  const server = createServer(({ url }, response) => {
    const path = url.split("?")[0];
    response.setHeader("content-type", path.endsWith(".js") ? "text/javascript" : "text/html");
    response.end(pages[path]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  const answer = await fetch(`${demo.base}/sandkasse/smart/clients`, {
    method: "POST",
    body: JSON.stringify({
      kommune: "9901",
      client_name: "Vendepunkt",
      token_endpoint_auth_method: "none",
      redirect_uris: [`${address}/index.html`],
    }),
  });
  const asked = {
    clientId: (await answer.json()).client_id,
    iss: `${demo.base}/9901/fhir`,
    scope: "launch/patient openid fhirUser patient/Patient.rs patient/Observation.rs",
    redirectUri: `${address}/index.html`,
    pkceMode: "required",
  };
  pages["/launch.html"] = html(`FHIR.oauth2.authorize(${JSON.stringify(asked)})`);
  pages["/index.html"] = html(`
    FHIR.oauth2.ready().then(async (client) => {
      const patient = await client.patient.read();
      const { total, entry } = await client.patient.request("Observation?_count=1&_total=accurate");
      window.opened = { id: client.patient.id, patient, total, shown: entry.length };
    }).catch((error) => { window.opened = { error: String(error) }; });`);
  return { server, address };
}

test("an app on another site opens on the patient that was chosen at log-in", async () => {
  const page = await (await browser.newContext({ locale: "nb-NO" })).newPage();
  const [name, number] = Object.entries(demo.people)[0];
  await page.goto(`${app.address}/launch.html`);
  await page.getByRole("radio", { name: /Maja Fjellstad/ }).check();
  await page.getByRole("textbox").fill(number);
  await page.getByRole("button", { name: "Logg inn og åpne appen" }).click();
  await page.waitForFunction(() => window.opened);
  const opened = await page.evaluate(() => window.opened);
  assert.equal(opened.error, undefined);
  assert.equal(opened.patient.id, opened.id);
  assert.ok(name.endsWith(opened.patient.name[0].family));
  assert.ok(opened.total > 1);
  assert.equal(opened.shown, 1);
});

test("pages, which know people by a cookie, are for no script of another site", async () => {
  for (const path of ["/", "/9901/legevakt", "/sandkasse/smart/authorize"]) {
    const answer = await fetch(`${demo.base}${path}`, { headers: { origin: app.address }, redirect: "manual" });
    assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
  }
});
