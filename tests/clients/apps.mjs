// What a vendor's app does before its first request: a client registered with the demo's stand-ins, and a
// person who logs in on their page.
import assert from "node:assert/strict";
import * as oauth from "openid-client";

// A new key pair, and its public part as a vendor registers it.
export async function keys(namedCurve = "P-256") {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { ...pair, jwk: { kty, crv, x, y } };
}

export async function register(demo, issuer, client) {
  const answer = await fetch(`${demo.base}/sandkasse/${issuer}/clients`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(client),
  });
  const body = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(body));
  return body;
}

// openid-client for a registered client, which finds the stand-in by discovery.
export async function configured(demo, issuer, id, key) {
  const method = oauth.PrivateKeyJwt(key, {
    // HelseID's type of assertion.
    [oauth.modifyAssertion]: (header) => {
      header.typ = "client-authentication+jwt";
    },
  });
  const address = new URL(`${demo.base}/sandkasse/${issuer}`);
  return oauth.discovery(address, id, undefined, method, { execute: [oauth.allowInsecureRequests] });
}

// Chooses who to be on the stand-in's page, without a script, and gives where that leads.
export async function logIn(address, fields) {
  const page = await fetch(address, { redirect: "manual" });
  if (page.status === 303) return page.headers.get("location");
  const html = await page.text();
  assert.equal(page.status, 200, html);
  const request = html.match(/name="request" value="([^"]+)"/)[1];
  const answer = await fetch(new URL(page.url).origin + html.match(/action="([^"]+)"/)[1], {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ request, ...fields }),
  });
  assert.equal(answer.status, 303, await answer.clone().text());
  return answer.headers.get("location");
}
