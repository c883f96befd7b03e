// fhir-kit-client: create, read, versions, search, paging, transaction, patch, operations and export.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Client from "fhir-kit-client";
import { startDemo } from "../browser/demo.mjs";
import { number, pulse } from "./material.mjs";

let demo;
let client;
before(async () => {
  demo = await startDemo({ patients: 0 });
  client = new Client({ baseUrl: `${demo.base}/9901/fhir`, bearerToken: demo.token("utvikler") });
});
after(async () => {
  await demo?.stop();
});

const patient = (identity) => ({
  resourceType: "Patient",
  identifier: [{ system: "urn:oid:2.16.578.1.12.4.1.4.1", value: identity }],
  name: [{ family: "Klient", given: ["Kari"] }],
});

const create = (resource, options) =>
  client.create({ resourceType: resource.resourceType, body: resource, options });

test("the capability statement says what is asked of it", async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.fhirVersion, "4.0.1");
  const kinds = statement.rest[0].resource.map((resource) => resource.type);
  assert.ok(kinds.includes("Patient") && kinds.includes("Observation") && kinds.length > 100);
});

test("a resource lives: create, read, update, versions, patch, delete", async () => {
  const made = await create(patient(number(1)));
  const { resourceType, id } = made;
  assert.equal((await client.read({ resourceType, id })).name[0].family, "Klient");
  const changed = await client.update({
    resourceType,
    id,
    body: { ...patient(number(1)), id, gender: "female" },
  });
  assert.equal(changed.gender, "female");
  const version = made.meta.versionId;
  assert.equal((await client.vread({ resourceType, id, version })).gender, undefined);
  const jsonPatch = [{ op: "replace", path: "/gender", value: "other" }];
  assert.equal((await client.patch({ resourceType, id, jsonPatch })).gender, "other");
  assert.equal((await client.history({ resourceType, id })).total, 3);
  await client.delete({ resourceType, id });
  await assert.rejects(client.read({ resourceType, id }), (error) => error.response.status === 410);
});

test("a search goes through its pages, each match once", async () => {
  const { id } = await create(patient(number(2)));
  for (let day = 1; day <= 7; day++) await create(pulse(id, `2026-01-0${day}T08:00:00Z`, 60 + day));
  let page = await client.search({
    resourceType: "Observation",
    searchParams: { patient: id, code: "http://loinc.org|8867-4", _sort: "-date", _count: 3 },
  });
  const values = [];
  while (page) {
    for (const { resource } of page.entry) values.push(resource.valueQuantity.value);
    page = await client.nextPage({ bundle: page });
  }
  assert.deepEqual(values, [67, 66, 65, 64, 63, 62, 61]);
  const found = await client.search({
    resourceType: "Patient",
    searchParams: { "_has:Observation:patient:value-quantity": "gt66.5" },
    options: { postSearch: true },
  });
  assert.deepEqual(found.entry.map((entry) => entry.resource.id), [id]);
});

test("a transaction links what it makes", async () => {
  const transaction = {
    resourceType: "Bundle",
    type: "transaction",
    entry: [
      {
        fullUrl: "urn:uuid:0b6e4f3c-7c1f-4f57-9a2d-1f1f6c1f9a01",
        resource: patient(number(3)),
        request: { method: "POST", url: "Patient" },
      },
      {
        resource: pulse("x", "2026-02-01T08:00:00Z", 72, "urn:uuid:0b6e4f3c-7c1f-4f57-9a2d-1f1f6c1f9a01"),
        request: { method: "POST", url: "Observation" },
      },
    ],
  };
  const answer = await client.transaction({ body: transaction });
  assert.equal(answer.type, "transaction-response");
  const [who, what] = answer.entry.map((entry) => entry.response.location.split("/_history")[0]);
  const id = what.split("/").at(-1);
  const observation = await client.read({ resourceType: "Observation", id });
  const patientId = who.split("/").at(-1);
  assert.equal(observation.subject.reference, `Patient/${patientId}`);
  const context = observation;
  const subject = await client.resolve({ reference: observation.subject.reference, context });
  assert.equal(subject.name[0].family, "Klient");
});

test("a batch answers each entry for itself", async () => {
  const answer = await client.batch({
    body: {
      resourceType: "Bundle",
      type: "batch",
      entry: [
        { request: { method: "GET", url: "Patient/no-such-patient" } },
        { request: { method: "GET", url: "Observation?code=8867-4&_count=1" } },
      ],
    },
  });
  assert.match(answer.entry[0].response.status, /^404/);
  assert.equal(answer.entry[1].resource.type, "searchset");
});

test("operations: $validate, $everything", async () => {
  const input = { resourceType: "Patient", colour: "red" };
  const outcome = await client.operation({ name: "$validate", resourceType: "Patient", input });
  assert.equal(outcome.resourceType, "OperationOutcome");
  assert.deepEqual(outcome.issue[0].expression, ["Patient.colour"]);
  const { id } = await create(patient(number(4)));
  await create(pulse(id, "2026-03-01T08:00:00Z", 80));
  const everything = await client.operation({
    name: "$everything",
    resourceType: "Patient",
    id,
    method: "GET",
  });
  const kinds = everything.entry.map((entry) => entry.resource.resourceType).sort();
  assert.deepEqual(kinds, ["Observation", "Patient"]);
});

test("an export is asked for, waited for and fetched", async () => {
  const headers = { accept: "application/fhir+json", prefer: "respond-async" };
  const asked = await fetch(`${client.baseUrl}/$export?_type=Patient`, {
    headers: { ...headers, authorization: `Bearer ${demo.token("utvikler")}` },
  });
  assert.equal(asked.status, 202, await asked.text());
  const authorization = `Bearer ${demo.token("utvikler")}`;
  const status = asked.headers.get("content-location");
  let answer;
  for (let tries = 0; tries < 100; tries++) {
    answer = await fetch(status, { headers: { authorization } });
    if (answer.status !== 202) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(answer.status, 200);
  const manifest = await answer.json();
  const lines = [];
  for (const { type, url } of manifest.output) {
    assert.equal(type, "Patient");
    const file = await fetch(url, { headers: { authorization } });
    assert.match(file.headers.get("content-type"), /^application\/fhir\+ndjson/);
    lines.push(...(await file.text()).trim().split("\n"));
  }
  assert.ok(lines.length >= 3);
  for (const line of lines) assert.equal(JSON.parse(line).resourceType, "Patient");
});
