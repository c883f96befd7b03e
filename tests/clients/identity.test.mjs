// An independent, certified provider (oidc-provider) and a client with DPoP (openid-client): fkj finds the
// provider's keys by discovery, takes its tokens with their proofs, and nothing less.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import Provider from "oidc-provider";
import * as oauth from "openid-client";
import { program, startDemo } from "../browser/demo.mjs";

const AUDIENCE = "fkj:9901";
const RESOURCE = "urn:fkj:9901";
const READY_WITHIN_MS = 60_000;

let demo;
let issuer;
let server;
let base;
let config;

before(async () => {
  demo = await startDemo({ patients: 0, options: ["--tokens", "dpop"] });
  await demo.halt();
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const clientId = "utvikler-9901";
  issuer = await provide(clientId, await crypto.subtle.exportKey("jwk", keys.publicKey));
  const path = join(demo.dir, "fkj.toml");
  const trusted = `\n[[issuers]]\nname = "${issuer.name}"\nkind = "helseid"\n`;
  const address = new URL(demo.base).host;
  const told = readFileSync(path, "utf8").replaceAll("127.0.0.1:0", address);
  writeFileSync(path, told + trusted);
  server = spawn(program, ["serve", "--config", path], { stdio: ["ignore", "ignore", "pipe"] });
  await ready(server);
  base = demo.base;
  const discovered = [new URL(issuer.name), clientId, undefined, oauth.PrivateKeyJwt(keys.privateKey)];
  config = await oauth.discovery(...discovered, { execute: [oauth.allowInsecureRequests] });
});

after(async () => {
  server?.kill("SIGKILL");
  issuer?.http.close();
  await demo?.stop();
});

// An OpenID provider on the loopback address that gives the client JWTs for the municipality's API.
async function provide(clientId, publicKey) {
  const register = readFileSync(join(demo.dir, "9901", "register.toml"), "utf8");
  const organisation = register.match(/^organisation = "(\d{9})"/m)[1];
  const http = createServer();
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const name = `http://127.0.0.1:${http.address().port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(name, {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        jwks: { keys: [{ ...publicKey, key_ops: ["verify"] }] },
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
        dpop_bound_access_tokens: true,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" }] },
    scopes: [`${AUDIENCE}/api`],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: `${AUDIENCE}/api`,
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    extraTokenClaims: () => ({
      "helseid://claims/client/claims/orgnr_parent": organisation,
    }),
  });
  http.on("request", provider.callback());
  return { name, http };
}

function ready(server) {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`not served in time: ${said}`)), READY_WITHIN_MS);
    server.once("exit", (code) => reject(new Error(`fkj ended with ${code}: ${said}`)));
    server.stderr.on("data", (data) => {
      said += data;
      if (!said.includes("fkj serves on")) return;
      clearTimeout(late);
      server.removeAllListeners("exit");
      resolve();
    });
  });
}

const pair = () => oauth.randomDPoPKeyPair("ES256");
const grant = (handle) => {
  const asked = { resource: RESOURCE, scope: `${AUDIENCE}/api` };
  return oauth.clientCredentialsGrant(config, asked, { DPoP: handle });
};
const read = (token, handle) => {
  const address = new URL(`${base}/9901/fhir/Observation?_count=1`);
  return oauth.fetchProtectedResource(config, token, address, "GET", null, undefined, { DPoP: handle });
};
const refusal = async (answer, error) => {
  assert.equal(answer.status, 401);
  const challenge = answer.headers.get("www-authenticate");
  assert.match(challenge, /^DPoP /);
  assert.ok(challenge.includes(`error="${error}"`), challenge);
  assert.equal((await answer.json()).resourceType, "OperationOutcome");
};

test("a token of an independent provider opens, with a proof for each request", async () => {
  const handle = oauth.getDPoPHandle(config, await pair());
  const token = await grant(handle);
  assert.equal(token.token_type, "dpop");
  for (const _ of [1, 2]) {
    const answer = await read(token.access_token, handle);
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.equal((await answer.json()).resourceType, "Bundle");
  }
});

test("the same token is refused without a proof, as Bearer, and with a proof of another key", async () => {
  const token = (await grant(oauth.getDPoPHandle(config, await pair()))).access_token;
  const address = `${base}/9901/fhir/Observation`;
  const send = (scheme) => fetch(address, { headers: { authorization: `${scheme} ${token}` } });
  await refusal(await send("DPoP"), "invalid_dpop_proof");
  await refusal(await send("Bearer"), "invalid_token");
  // The client library throws what the challenge says.
  const other = oauth.getDPoPHandle(config, await pair());
  await assert.rejects(read(token, other), (error) => {
    const [challenge] = error.cause;
    assert.equal(challenge.scheme, "dpop");
    assert.equal(challenge.parameters.error, "invalid_dpop_proof");
    return true;
  });
});

test("a token for another municipality is refused", async () => {
  const handle = oauth.getDPoPHandle(config, await pair());
  const token = (await grant(handle)).access_token;
  const address = new URL(`${base}/9902/fhir/Observation`);
  const asked = [config, token, address, "GET", null, undefined, { DPoP: handle }];
  await assert.rejects(oauth.fetchProtectedResource(...asked), (error) => {
    assert.equal(error.cause[0].parameters.error, "invalid_token");
    return true;
  });
});
