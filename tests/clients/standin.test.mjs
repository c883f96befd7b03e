// A certified relying party (openid-client) against the demo's stand-ins: pushed requests, PKCE,
// private_key_jwt, DPoP with the server's nonce, refresh, client credentials and token exchange; and the
// tokens at the FHIR base, which asks for nonces too.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as oauth from "openid-client";
import { program, startDemo } from "../browser/demo.mjs";
import { configured, keys, logIn, register } from "./apps.mjs";

const BACK = "https://app.example/back";
const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const API = "fkj:9901/api";
const ATTEST = "nhn:tillitsrammeverk:parameters";

let demo;
let config;
before(async () => {
  demo = await startDemo({ patients: 0, options: ["--tokens", "dpop"] });
  await demo.halt();
  const path = join(demo.dir, "fkj.toml");
  const nonces = (text) => text.replace('audience = "fkj:9901"', '$&\ndpop_nonce = true');
  writeFileSync(path, nonces(readFileSync(path, "utf8")));
  const address = new URL(demo.base).host;
  const server = spawn(program, ["demo", "--dir", demo.dir, "--listen", address, "--live", "0"]);
  demo.again = server;
  await new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`the demo ended with ${code}`)));
    server.stderr.on("data", (data) => `${data}`.includes("Open http") && resolve());
  });
  const pair = await keys();
  await register(demo, "helseid", { client_id: "utvikler-9901", jwks: { keys: [pair.jwk] }, redirect_uris: [BACK] });
  config = await configured(demo, "helseid", "utvikler-9901", pair.privateKey);
});
after(async () => {
  demo?.again?.kill("SIGKILL");
  await demo?.stop();
});

const handle = async () => oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair("ES256"));
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const read = (token, DPoP, path) => {
  const address = new URL(`${demo.base}/9901/fhir/${path}`);
  return oauth.fetchProtectedResource(config, token, address, "GET", null, undefined, { DPoP });
};

// The organisation numbers of 9901 and its emergency clinic, as the demo's own tokens have them.
function organisations() {
  const told = claims(demo.token("legevaktslege"));
  const of = (name) => told[`helseid://claims/client/claims/${name}`];
  return { parent: of("orgnr_parent"), child: of("orgnr_child"), attest: told[ATTEST] };
}

// What a client says of organisation and care relation: without what HelseID fills in.
function details() {
  const { parent, child, attest } = organisations();
  const { attestation, ...said } = attest;
  const identifier = { system: "urn:oid:1.0.6523", type: "ENH", value: `NO:ORGNR:${parent}:${child}` };
  return [
    { type: "helseid_authorization", practitioner_role: { organization: { identifier } } },
    { type: ATTEST, ...said },
  ];
}

async function loggedIn(DPoP, scope = `openid offline_access ${API}`) {
  const verifier = oauth.randomPKCECodeVerifier();
  const expectedNonce = oauth.randomNonce();
  const expectedState = oauth.randomState();
  const asked = {
    redirect_uri: BACK,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    resource: "fkj:9901",
    authorization_details: JSON.stringify(details()),
  };
  const address = await oauth.buildAuthorizationUrlWithPAR(config, asked, { DPoP });
  assert.deepEqual([...address.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const back = new URL(await logIn(address, { person: "legevaktslege" }));
  const checks = { pkceCodeVerifier: verifier, expectedNonce, expectedState, idTokenExpected: true };
  return oauth.authorizationCodeGrant(config, back, checks, undefined, { DPoP });
}

test("somebody at work logs in, opens records with proofs, and is let in again by refresh", async () => {
  const DPoP = await handle();
  const tokens = await loggedIn(DPoP);
  assert.equal(tokens.token_type, "dpop");
  assert.equal(tokens.claims().sub, "9901-legevaktslege");
  const told = claims(tokens.access_token);
  assert.equal(told.iss, `${demo.base}/sandkasse/helseid`);
  assert.equal(told[ATTEST].practitioner.hpr_nr.id, "222900011");
  const answer = await read(tokens.access_token, DPoP, "Organization");
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.ok(answer.headers.get("dpop-nonce"));
  const next = await oauth.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  assert.equal((await read(next.access_token, DPoP, "Organization")).status, 200);
  // A refresh token that comes again ends the session of both.
  for (const token of [tokens.refresh_token, next.refresh_token]) {
    await assert.rejects(oauth.refreshTokenGrant(config, token, undefined, { DPoP }), { error: "invalid_grant" });
  }
});

test("a system asks on its own behalf and reads", async () => {
  const DPoP = await handle();
  const tokens = await oauth.clientCredentialsGrant(config, { scope: API, resource: "fkj:9901" }, { DPoP });
  assert.equal(claims(tokens.access_token).client_id, "utvikler-9901");
  assert.equal((await read(tokens.access_token, DPoP, "Observation")).status, 200);
});

test("a system that was called asks for a token of its own for the same person", async () => {
  const DPoP = await handle();
  const first = await loggedIn(DPoP);
  const own = await handle();
  const asked = { subject_token: first.access_token, subject_token_type: ACCESS_TOKEN, scope: API };
  const tokens = await oauth.genericGrantRequest(config, EXCHANGE, asked, { DPoP: own });
  const told = claims(tokens.access_token);
  assert.deepEqual(told.act, { sub: "utvikler-9901" });
  assert.equal(told.name, "Maja Fjellstad");
  assert.equal((await read(tokens.access_token, own, "Organization")).status, 200);
});

test("a proof without the API's nonce is refused, with the nonce to use", async () => {
  const path = `${demo.base}/9901/fhir/Observation`;
  const answer = await fetch(path, { headers: proven("GET", path) });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get("www-authenticate"), /^DPoP .*error="use_dpop_nonce"/);
  assert.ok(answer.headers.get("dpop-nonce"));
});

test("a person who declines is sent back with that", async () => {
  const asked = {
    redirect_uri: BACK,
    scope: `openid ${API}`,
    state: "tilbake",
    code_challenge: await oauth.calculatePKCECodeChallenge(oauth.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  };
  const address = await oauth.buildAuthorizationUrlWithPAR(config, asked);
  const back = new URL(await logIn(address, { decline: "1" }));
  assert.equal(back.searchParams.get("error"), "access_denied");
  assert.equal(back.searchParams.get("state"), "tilbake");
});

test("a resident logs in with ID-porten and sees what is their own", async () => {
  const pair = await keys();
  const client = { client_id: "utvikler-9901", jwks: { keys: [pair.jwk] }, redirect_uris: [BACK] };
  await register(demo, "idporten", client);
  const resident = await configured(demo, "idporten", "utvikler-9901", pair.privateKey);
  const verifier = oauth.randomPKCECodeVerifier();
  const DPoP = oauth.getDPoPHandle(resident, await oauth.randomDPoPKeyPair("ES256"));
  const address = oauth.buildAuthorizationUrl(resident, {
    redirect_uri: BACK,
    scope: `openid ${API}`,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const number = Object.values(demo.people)[0];
  const back = new URL(await logIn(address, { person: number }));
  const checks = { pkceCodeVerifier: verifier, idTokenExpected: true };
  const tokens = await oauth.authorizationCodeGrant(resident, back, checks, undefined, { DPoP });
  assert.equal(tokens.claims().pid, number);
  const path = new URL(`${demo.base}/9901/fhir/Patient`);
  const asked = [resident, tokens.access_token, path, "GET", null, undefined, { DPoP }];
  assert.equal((await oauth.fetchProtectedResource(...asked)).status, 200);
});

// The headers of a request as `fkj token --dpop` prints them.
function proven(method, address) {
  const command = ["token", "--dir", demo.dir, "--as", "utvikler", "--dpop", method, address];
  const lines = execFileSync(program, command).toString().trim().split("\n");
  return lines.map((line) => line.split(/: (.*)/s).slice(0, 2));
}
