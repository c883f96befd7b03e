// SMART's fhirclient, as apps use it: requests with references resolved, all pages, create, update, patch.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import smart from "fhirclient";
import { startDemo } from "../browser/demo.mjs";
import { number, pulse } from "./material.mjs";

let demo;
let client;
before(async () => {
  demo = await startDemo({ patients: 0 });
  client = smart({ headers: {} }, {}, {}).client({
    serverUrl: `${demo.base}/9901/fhir`,
    tokenResponse: { access_token: demo.token("utvikler") },
  });
});
after(async () => {
  await demo?.stop();
});

const patient = (identity) => ({
  resourceType: "Patient",
  identifier: [{ system: "urn:oid:2.16.578.1.12.4.1.4.1", value: identity }],
  name: [{ family: "Smart", given: ["Ola"] }],
  gender: "male",
});

test("what an app creates it finds, changes and removes", async () => {
  const made = await client.create(patient(number(1)));
  assert.equal((await client.request(`Patient/${made.id}`)).gender, "male");
  const changed = await client.update({ ...made, gender: "other" });
  assert.equal(changed.gender, "other");
  const patch = [{ op: "add", path: "/active", value: true }];
  assert.equal((await client.patch(`Patient/${made.id}`, patch)).active, true);
  await client.delete(`Patient/${made.id}`);
  await assert.rejects(client.request(`Patient/${made.id}`), /410|Gone/);
});

test("all pages come as one list, references resolved", async () => {
  const { id } = await client.create(patient(number(2)));
  for (let day = 1; day <= 5; day++) {
    await client.create(pulse(id, `2026-01-0${day}T08:00:00Z`, 60 + day));
  }
  const observations = await client.request(`Observation?patient=${id}&_count=2&_sort=date`, {
    pageLimit: 0,
    flat: true,
    resolveReferences: ["subject"],
  });
  assert.deepEqual(
    observations.map((observation) => observation.valueQuantity.value),
    [61, 62, 63, 64, 65],
  );
  assert.equal(observations[0].subject.name[0].family, "Smart");
});

test("included resources are told apart from matches", async () => {
  const { id } = await client.create(patient(number(3)));
  await client.create(pulse(id, "2026-01-01T08:00:00Z", 66));
  const bundle = await client.request(
    `Observation?patient=${id}&_include=Observation:patient&_total=accurate`,
  );
  assert.equal(bundle.total, 1);
  const modes = bundle.entry.map(({ resource, search }) => `${resource.resourceType} ${search.mode}`);
  assert.deepEqual(modes.sort(), ["Observation match", "Patient include"]);
});

test("the app's helpers read what comes back", async () => {
  const { id } = await client.create(patient(number(4)));
  await client.create(pulse(id, "2026-01-01T08:00:00Z", 66));
  const bundle = await client.request(`Observation?patient=${id}`);
  const byCode = client.byCode(bundle.entry.map((entry) => entry.resource), "code");
  assert.equal(client.getPath(byCode["8867-4"][0], "valueQuantity.value"), 66);
});

test("a refusal comes with the server's own words", async () => {
  await assert.rejects(
    client.create({ resourceType: "Patient", colour: "red" }),
    (error) => /colour/.test(error.message),
  );
});
