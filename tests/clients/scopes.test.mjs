// What scopes leave open of what a system may otherwise see and do, at every door of the FHIR base: a backend
// service (SMART App Launch 2.2 §5) with openid-client.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "openid-client";
import { startDemo } from "../browser/demo.mjs";
import { configured, keys, register } from "./apps.mjs";
import { number, pulse } from "./material.mjs";

const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";
const LAB = `system/Observation.rs?category=${CATEGORY}|laboratory`;

let demo;
let config;
let patient;
let vital;
let lab;
before(async () => {
  demo = await startDemo({ patients: 0 });
  const pair = await keys("P-384");
  await register(demo, "smart", { client_id: "utvikler-9901", jwks: { keys: [pair.jwk] } });
  config = await configured(demo, "smart", "utvikler-9901", pair.privateKey);
  const all = await caller("system/*.cruds");
  patient = await all.made("Patient", {
    resourceType: "Patient",
    identifier: [{ system: "urn:oid:2.16.578.1.12.4.1.4.1", value: number(40) }],
    name: [{ family: "Omfang" }],
  });
  vital = await all.made("Observation", pulse(patient, "2026-01-01T08:00:00Z", 61));
  const measured = pulse(patient, "2026-01-02T08:00:00Z", 62);
  measured.category[0].coding[0].code = "laboratory";
  lab = await all.made("Observation", measured);
});
after(async () => {
  await demo?.stop();
});

// A caller with a token of these scopes.
async function caller(scope) {
  const { access_token } = await oauth.clientCredentialsGrant(config, { scope });
  const send = async (method, path, body, headers = {}) => {
    const answer = await fetch(new URL(path, `${demo.base}/9901/fhir/`), {
      method,
      headers: { authorization: `Bearer ${access_token}`, "content-type": "application/fhir+json", ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
  };
  const get = (path) => send("GET", path);
  const ids = async (path) => {
    const { status, body } = await get(path);
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    return (body.entry ?? []).map(({ resource }) => resource.id).sort();
  };
  const made = async (kind, resource) => {
    const { status, body } = await send("POST", kind, resource, { prefer: "return=representation" });
    assert.equal(status, 201, JSON.stringify(body));
    return body.id;
  };
  const refuses = async (method, path, body) => {
    const answer = await send(method, path, body);
    assert.equal(answer.status, 403, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.equal(answer.body.issue[0].details.coding[0].code, "insufficient_scope");
    assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="insufficient_scope"/);
  };
  return { send, get, ids, made, refuses };
}

test("types and interactions outside the scopes are refused by name", async () => {
  const reads = await caller("system/Observation.r");
  assert.equal((await reads.get(`Observation/${vital}`)).status, 200);
  assert.equal((await reads.get(`Observation/${vital}/_history`)).status, 200);
  for (const path of ["Observation", "Observation/_history", `Patient/${patient}`, "_history", "$meta"]) {
    await reads.refuses("GET", path);
  }
  await reads.refuses("POST", "Observation", pulse(patient, "2026-01-03T08:00:00Z", 63));
  await reads.refuses("PUT", `Observation/${vital}`, { ...pulse(patient, "2026-01-03T08:00:00Z", 64), id: vital });
  await reads.refuses("DELETE", `Observation/${vital}`);
  const finds = await caller("system/Observation.s");
  assert.deepEqual(await finds.ids(`Observation?patient=${patient}`), [lab, vital].sort());
  await finds.refuses("GET", `Observation/${vital}`);
});

test("writing takes the letter for it", async () => {
  const creates = await caller("system/Observation.c");
  const made = await creates.send("POST", "Observation", pulse(patient, "2026-01-04T08:00:00Z", 65));
  assert.equal(made.status, 201);
  const place = made.headers.get("location").match(/Observation\/[^/]+/)[0];
  await creates.refuses("DELETE", place);
  await creates.refuses("PUT", place, { ...pulse(patient, "2026-01-04T08:00:00Z", 66), id: place.split("/")[1] });
  const patch = [{ op: "replace", path: "/valueQuantity/value", value: 67 }];
  const json = { "content-type": "application/json-patch+json" };
  assert.equal((await creates.send("PATCH", place, patch, json)).status, 403);
  const removes = await caller("system/Observation.ud");
  assert.equal((await removes.send("PATCH", place, patch, json)).status, 200);
  assert.ok([200, 204].includes((await removes.send("DELETE", place)).status));
  const bundle = {
    resourceType: "Bundle",
    type: "transaction",
    entry: [{ resource: pulse(patient, "2026-01-05T08:00:00Z", 68), request: { method: "POST", url: "Observation" } }],
  };
  await removes.refuses("POST", "", bundle);
});

test("a condition narrows every way to read, and lets nothing be written", async () => {
  const some = await caller(`${LAB} system/Patient.rs`);
  assert.deepEqual(await some.ids(`Observation?patient=${patient}`), [lab]);
  const counted = await some.get(`Observation?patient=${patient}&_summary=count`);
  assert.equal(counted.body.total, 1);
  const anybody = await some.get("Observation?_total=accurate");
  assert.equal(anybody.body.total, 1);
  const missing = await some.get("Observation?code:missing=false&_summary=count");
  assert.equal(missing.body.total, 1);
  assert.equal((await some.get(`Observation/${lab}`)).status, 200);
  const version = (await (await caller("system/*.r")).get(`Observation/${vital}`)).body.meta.versionId;
  for (const path of ["", "/_history", `/_history/${version}`]) {
    assert.equal((await some.get(`Observation/${vital}${path}`)).status, 404, path);
  }
  assert.deepEqual(await some.ids("Observation/_history"), [lab]);
  assert.deepEqual(await some.ids(`Patient?_id=${patient}&_revinclude=Observation:patient`), [lab, patient].sort());
  assert.deepEqual(await some.ids(`Patient?_has:Observation:patient:value-quantity=61`), []);
  assert.deepEqual(await some.ids(`Patient?_has:Observation:patient:value-quantity=62`), [patient]);
  assert.deepEqual(await some.ids(`Patient/${patient}/$everything`), [lab, patient].sort());
  assert.deepEqual(await some.ids(`Observation/$lastn?patient=${patient}`), [lab]);
  await some.refuses("GET", `Patient/${patient}/$news2`);
  await some.refuses("PUT", `Observation/${lab}`, { ...pulse(patient, "2026-01-02T08:00:00Z", 62), id: lab });
  await some.refuses("DELETE", `Observation/${lab}`);
  const plain = await caller("system/Observation.rs?category=laboratory");
  assert.deepEqual(await plain.ids(`Observation?patient=${patient}`), [lab]);
});

test("a version that was not within the condition stays closed, though the current one is", async () => {
  const all = await caller("system/*.cruds");
  const id = await all.made("Observation", pulse(patient, "2026-01-06T08:00:00Z", 70));
  const first = (await all.get(`Observation/${id}`)).body.meta.versionId;
  const changed = { ...pulse(patient, "2026-01-06T08:00:00Z", 71), id };
  changed.category[0].coding[0].code = "laboratory";
  assert.equal((await all.send("PUT", `Observation/${id}`, changed)).status, 200);
  const some = await caller(LAB);
  assert.equal((await some.get(`Observation/${id}`)).status, 200);
  assert.equal((await some.get(`Observation/${id}/_history/${first}`)).status, 404);
  const { body } = await some.get(`Observation/${id}/_history`);
  assert.equal(body.entry.length, 1);
  assert.equal((await all.send("DELETE", `Observation/${id}`)).status < 300, true);
});

test("an export holds what the scopes leave open", async () => {
  const some = await caller(LAB);
  const asked = await some.send("GET", "$export", undefined, { prefer: "respond-async" });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const place = asked.headers.get("content-location");
  let manifest;
  for (manifest = await some.get(place); manifest.status === 202; manifest = await some.get(place));
  assert.deepEqual(manifest.body.output.map(({ type }) => type), ["Observation"]);
  const { body } = await some.get(manifest.body.output[0].url);
  assert.equal(body.id, lab);
  await some.refuses("GET", "$export?_type=Patient");
});

test("an answer made in the background is for a token with the same scopes alone", async () => {
  const all = await caller("system/*.rs");
  const asked = await all.send("GET", `Observation?patient=${patient}`, undefined, { prefer: "respond-async" });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const place = asked.headers.get("content-location");
  const some = await caller(LAB);
  assert.equal((await some.get(place)).status, 404);
  assert.ok([200, 202].includes((await all.get(place)).status));
});

test("a condition that the index cannot follow whole opens nothing", async () => {
  for (const condition of ["code:text=pulse", "date=gt2020-01-01", "category:not=laboratory", "colour=red"]) {
    const none = await caller(`system/Observation.rs?${condition}`);
    assert.deepEqual(await none.ids(`Observation?patient=${patient}`), [], condition);
  }
});
