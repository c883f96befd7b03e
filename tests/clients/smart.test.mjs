// SMART's own client library (fhirclient) as a vendor's app: launched from the record system on the patient
// that is open there, and alone with a patient chosen at log-in. What it may see ends with its scopes.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import smart from "fhirclient";
import * as oauth from "openid-client";
import { startDemo } from "../browser/demo.mjs";
import { configured, keys, logIn, register } from "./apps.mjs";

let demo;
let base;
let app;
let system;
let patients;
before(async () => {
  demo = await startDemo({ patients: 12 });
  base = `${demo.base}/9901/fhir`;
  patients = [];
  for (const number of Object.values(demo.people)) {
    const id = await patientOf(number);
    if (id) patients.push({ id, number });
  }
  app = await startApp();
  const pair = await keys();
  await register(demo, "smart", { client_id: "plo-epj-9901", jwks: { keys: [pair.jwk] } });
  const config = await configured(demo, "smart", "plo-epj-9901", pair.privateKey);
  system = { config, key: pair.privateKey };
});
after(async () => {
  app?.close();
  await demo?.stop();
});

// The Patient with a number, as the record system knows it.
async function patientOf(number) {
  const answer = await fetch(`${base}/Patient/_search`, {
    method: "POST",
    headers: { authorization: `Bearer ${demo.token("plo-epj")}` },
    body: new URLSearchParams({ identifier: `urn:oid:2.16.578.1.12.4.1.4.1|${number}` }),
  });
  return (await answer.json()).entry?.[0]?.resource.id;
}

// An app on a server of its own: `/launch` and `/back`, as fhirclient has them in Node.
async function startApp() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  const kept = {};
  const storage = {
    get: async (key) => kept[key],
    set: async (key, value) => (kept[key] = value),
    unset: async (key) => delete kept[key],
  };
  const registered = await register(demo, "smart", {
    kommune: "9901",
    client_name: "Vendepunkt",
    token_endpoint_auth_method: "none",
    redirect_uris: [`${address}/back`],
  });
  const started = { address, clientId: registered.client_id, options: {}, close: () => server.close() };
  server.on("request", (request, response) => {
    const library = smart(request, response, storage);
    if (request.url.startsWith("/launch")) {
      const asked = { clientId: started.clientId, redirectUri: `${address}/back`, pkceMode: "required" };
      library.authorize({ ...asked, ...started.options }).catch((error) => started.ended(error));
    } else {
      library.ready().then(started.opened, started.ended).finally(() => response.end());
    }
  });
  return started;
}

// Opens the app as somebody at work; gives fhirclient's client.
async function open(scope, query, fields) {
  app.options = { scope };
  const opened = new Promise((resolve, reject) => Object.assign(app, { opened: resolve, ended: reject }));
  const first = await fetch(`${app.address}/launch?${new URLSearchParams(query)}`, { redirect: "manual" });
  const back = await logIn(first.headers.get("location"), fields);
  await fetch(back);
  return opened;
}

// The record system begins a launch: it says who it is as at the token endpoint.
async function launch(patient) {
  const address = `${demo.base}/sandkasse/smart/launch`;
  const body = new URLSearchParams({ patient, need_patient_banner: "false" });
  const headers = new Headers();
  await oauth.PrivateKeyJwt(system.key)(system.config.serverMetadata(), system.config.clientMetadata(), body, headers);
  const answer = await fetch(address, { method: "POST", body });
  const told = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(told));
  return told.launch;
}

const refusedBy = (told) => (error) => {
  assert.equal(error.statusCode ?? error.status, 403, error.message);
  assert.match(error.message, told);
  return true;
};
const refused = refusedBy(/insufficient_scope|scopes do not open/);
const another = refusedBy(/another-patient|for another patient/);

test("where apps log people in is told, in both places", async () => {
  const told = await (await fetch(`${base}/.well-known/smart-configuration`)).json();
  for (const can of ["launch-ehr", "launch-standalone", "permission-v2", "context-ehr-patient"]) {
    assert.ok(told.capabilities.includes(can), can);
  }
  assert.deepEqual(told.code_challenge_methods_supported, ["S256"]);
  const { rest } = await (await fetch(`${base}/metadata`)).json();
  const uris = rest[0].security.extension[0].extension.map(({ url, valueUri }) => [url, valueUri]);
  assert.deepEqual(Object.fromEntries(uris), {
    authorize: told.authorization_endpoint,
    token: told.token_endpoint,
  });
});

test("an app opens on the patient that is open in the record system, and sees no other", async () => {
  const [own, other] = patients;
  const scope = "launch openid fhirUser patient/Patient.rs patient/Observation.rs";
  const query = { iss: base, launch: await launch(own.id) };
  const client = await open(scope, query, { person: "legevaktslege" });
  assert.equal(client.patient.id, own.id);
  assert.equal(client.state.tokenResponse.need_patient_banner, false);
  assert.equal(client.user.resourceType, "Practitioner");
  const patient = await client.patient.read();
  assert.ok(patient.identifier.some(({ value }) => value === own.number));
  const bundle = await client.patient.request("Observation?_count=5");
  assert.equal(bundle.entry.length, 5);
  // Without naming the patient it is the same one.
  const all = await client.request("Patient");
  assert.deepEqual(all.entry.map(({ resource }) => resource.id), [own.id]);
  await assert.rejects(client.request(`Patient/${other.id}`), another);
  await assert.rejects(client.request(`Observation?patient=${other.id}`), another);
  await assert.rejects(client.patient.request("EpisodeOfCare"), refused);
  await assert.rejects(client.request(`Patient/${own.id}/$kommunale-tjenester`), refused);
  // The launch was good once.
  const again = await fetch(`${app.address}/launch?${new URLSearchParams(query)}`, { redirect: "manual" });
  const back = new URL(await logIn(again.headers.get("location"), {}));
  assert.equal(back.searchParams.get("error"), "invalid_request");
});

test("an app alone opens on the patient that is chosen, with granular scopes", async () => {
  const [, own] = patients;
  const vital = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs";
  const scope = `launch/patient patient/Patient.r patient/Observation.rs?category=${vital}`;
  const fields = { person: "legevaktslege", number: own.number };
  const client = await open(scope, { iss: base }, fields);
  assert.equal(client.patient.id, own.id);
  assert.equal((await client.patient.read()).id, own.id);
  const bundle = await client.patient.request("Observation");
  assert.ok(bundle.entry.length > 0);
  const codes = bundle.entry.flatMap(({ resource }) =>
    resource.category.flatMap(({ coding }) => coding.map(({ code }) => code)),
  );
  assert.ok(codes.includes("vital-signs"));
  // A read is not a search.
  await assert.rejects(client.request("Patient"), refused);
});
