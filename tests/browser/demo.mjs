// A demo of its own for each test file: two synthetic municipalities in a temporary folder, and the
// doors that source systems deliver through. Nothing moves in it unless a test sends something.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const program = process.env.FKJ ?? fileURLToPath(new URL("../../target/debug/fkj", import.meta.url));

// Longest time a demo may take to be made and filled.
const READY_WITHIN_MS = 120_000;

export async function startDemo({ patients = 60, options = [] } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "fkj-browser-"));
  const args = ["demo", "--dir", dir, "--listen", "127.0.0.1:0", "--patients", `${patients}`];
  const server = spawn(program, [...args, "--live", "0", ...options], { stdio: ["ignore", "ignore", "pipe"] });
  // Ends the server and leaves its folder.
  const halt = async () => {
    const ended = server.exitCode ?? new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await ended;
  };
  const stop = async () => {
    if (server.exitCode === null && server.signalCode === null) await halt();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const base = await address(server);
    const chooser = await (await fetch(base)).text();
    return { base, dir, halt, stop, people: people(chooser), token: tokens(dir) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function address(server) {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`no demo in time: ${said}`)), READY_WITHIN_MS);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the demo ended with ${code}: ${said}`)));
    server.stderr.on("data", (data) => {
      said += data;
      const found = said.match(/Open (http:\/\/[^/\s]+)\//);
      if (!found) return;
      clearTimeout(late);
      server.removeAllListeners("exit");
      resolve(found[1]);
    });
  });
}

// Name of each resident with a story → identity number, as the sign-in chooser has them.
function people(chooser) {
  const choices = chooser.matchAll(/name="resident" value="(\d{11})"[^>]*><span><b>([^(<]+) \(/g);
  return Object.fromEntries([...choices].map(([, number, name]) => [name, number]));
}

function tokens(dir) {
  return (role, municipality = "9901") =>
    execFileSync(program, ["token", "--dir", dir, "--kommune", municipality, "--as", role])
      .toString()
      .trim();
}

// Sends a Bundle and gives the answer's entries; every one of them must have been taken.
export async function send(demo, door, token, bundle) {
  const answer = await fetch(`${demo.base}${door}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/fhir+json" },
    body: JSON.stringify(bundle),
  });
  const body = await answer.json();
  const taken = (body.entry ?? []).every((entry) => entry.response.status.startsWith("20"));
  if (answer.status !== 200 || !taken) throw new Error(JSON.stringify(body));
  return body.entry;
}

const NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1";
const LOINC = "http://loinc.org";
const SNOMED = "http://snomed.info/sct";
const CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category";
const UNITS = "http://unitsofmeasure.org";

function batch(resources) {
  const entry = resources.map((resource) => ({
    fullUrl: `urn:uuid:${crypto.randomUUID()}`,
    resource,
    request: { method: "POST", url: resource.resourceType },
  }));
  return { resourceType: "Bundle", type: "batch", entry };
}

// A whole NEWS2 round, measured now, as the ward's own system sends it to PMD.
export function round(number, { respiration, saturation, supply, systolic, pulse, temperature }) {
  const effectiveDateTime = new Date().toISOString();
  const observation = (system, code, value) => ({
    resourceType: "Observation",
    identifier: [{ system: "https://tavle.example/id", value: crypto.randomUUID() }],
    status: "final",
    category: [{ coding: [{ system: CATEGORY, code: "vital-signs" }] }],
    subject: { identifier: { system: NUMBER, value: number } },
    effectiveDateTime,
    code: { coding: [{ system, code }] },
    ...value,
  });
  const quantity = (value, unit) => ({
    valueQuantity: { value, unit, system: UNITS, code: unit },
  });
  const concept = (code) => ({ valueCodeableConcept: { coding: [{ system: SNOMED, code }] } });
  const part = (code, value) => ({
    code: { coding: [{ system: LOINC, code }] },
    ...quantity(value, "mm[Hg]"),
  });
  const pressure = [part("8480-6", systolic), part("8462-4", 75)];
  return batch([
    observation(LOINC, "9279-1", quantity(respiration, "/min")),
    observation(LOINC, "2708-6", quantity(saturation, "%")),
    observation(SNOMED, "371825009", concept(SUPPLY[supply])),
    observation(LOINC, "85354-9", { component: pressure }),
    observation(LOINC, "8867-4", quantity(pulse, "/min")),
    observation(SNOMED, "1104441000000107", concept("248234008")),
    observation(LOINC, "8310-5", quantity(temperature, "Cel")),
  ]);
}

const SUPPLY = { oxygen: "371825009" };

// A stay at a unit that began today, as the municipality's record system sends it.
export function stay(number, organisation) {
  return batch([
    {
      resourceType: "EpisodeOfCare",
      identifier: [{ system: "https://plo-epj.example/id", value: crypto.randomUUID() }],
      status: "active",
      type: [{ coding: [{ system: SERVICES, code: "25" }] }],
      patient: { identifier: { system: NUMBER, value: number } },
      managingOrganization: { reference: `Organization/${organisation}` },
      period: { start: new Date().toISOString().slice(0, 10) },
    },
  ]);
}

const SERVICES = "https://finnkode.helsedirektoratet.no/adm/collections/9151";
