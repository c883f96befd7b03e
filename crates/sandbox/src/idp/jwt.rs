//! What clients sign: assertions of who they are (RFC 7523 §3) and DPoP proofs (RFC 9449 §4.3).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use super::provider::ALGORITHMS;
use super::refused::Refused;

/// Longest JWT that is looked at, in bytes.
const LONGEST: usize = 16 * 1024;

/// Seconds that clocks may differ.
const SKEW: i64 = 5;

/// Greatest age of a proof, in seconds.
const PROOF_AGE: i64 = 60;

/// How long the same nonce is given, in seconds.
const WINDOW: i64 = 60;

/// Longest `jti`, in bytes.
const MAX_ID: usize = 256;

/// Members of a JWK that no public key has.
pub const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWT, read but not believed.
pub struct Jwt<'a> {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    signed: &'a str,
    signature: &'a str,
}

/// Reads a JWT; `None` where it is none.
pub fn read(text: &str) -> Option<Jwt<'_>> {
    if text.len() > LONGEST {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    Some(Jwt { header: object(header)?, claims: object(claims)?, signed, signature })
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

impl Jwt<'_> {
    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim that is a time, in seconds.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.claims.get(name)?.as_i64()
    }

    /// The id, where it can be one.
    pub fn id(&self) -> Option<&str> {
        self.text("jti").filter(|id| (1..=MAX_ID).contains(&id.len()))
    }

    /// Whether the signature is a key's, by an algorithm that is accepted and fits the key.
    pub fn is_signed_with(&self, jwk: &Value) -> bool {
        let algorithm = self.header.get("alg").and_then(Value::as_str);
        let algorithm = algorithm.filter(|name| ALGORITHMS.contains(name));
        let algorithm = algorithm.and_then(|name| name.parse::<Algorithm>().ok());
        let key = Jwk::deserialize(jwk).ok().and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
        let (Some(algorithm), Some(key)) = (algorithm, key) else { return false };
        crypto::verify(self.signature, self.signed.as_bytes(), &key, algorithm).unwrap_or(false)
    }
}

/// What an assertion must be like.
pub struct Expected<'a> {
    /// Its public keys.
    pub keys: &'a [Value],
    /// `typ`, where it is prescribed.
    pub kind: Option<&'static str>,
    /// Audiences, of which it must name one and no other.
    pub audiences: &'a [String],
    /// Longest time it may be good, in seconds.
    pub longest: i64,
}

/// Checks an assertion; gives its id and the second until which it must be remembered.
///
/// # Errors
/// What is wrong with it, in words.
pub fn assertion(
    jwt: &Jwt<'_>,
    expected: &Expected<'_>,
    now: i64,
) -> Result<(String, i64), &'static str> {
    if let Some(kind) = expected.kind
        && jwt.header.get("typ").and_then(Value::as_str) != Some(kind)
    {
        return Err("the assertion must have the `typ` client-authentication+jwt");
    }
    if expected.keys.is_empty() {
        return Err("the client has no keys; register its public keys first");
    }
    let id = jwt.header.get("kid").and_then(Value::as_str);
    let named =
        |key: &&Value| id.is_none_or(|id| key.get("kid").and_then(Value::as_str) == Some(id));
    if !expected.keys.iter().filter(named).any(|key| jwt.is_signed_with(key)) {
        return Err("the assertion is not signed with one of the client's registered keys");
    }
    if !is_for(jwt.claims.get("aud"), expected.audiences) {
        return Err("`aud` of the assertion must be this issuer");
    }
    let expires = jwt.seconds("exp").ok_or("the assertion has no `exp`")?;
    if expires <= now - SKEW {
        return Err("the assertion has expired");
    }
    let begins = ["iat", "nbf"].iter().filter_map(|name| jwt.seconds(name)).max();
    if begins.is_some_and(|begins| begins > now + SKEW) {
        return Err("the assertion is from the future; check the clocks");
    }
    if expires > now + expected.longest + SKEW {
        return Err("the assertion is good for too long; `exp` must be soon");
    }
    let id = jwt.id().ok_or("the assertion has no `jti`, or one longer than 256 characters")?;
    Ok((id.to_owned(), expires + SKEW + 1))
}

fn is_for(audience: Option<&Value>, audiences: &[String]) -> bool {
    let known = |it: &Value| it.as_str().is_some_and(|it| audiences.iter().any(|own| own == it));
    match audience {
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(known),
        Some(one) => known(one),
        None => false,
    }
}

/// A DPoP proof that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Thumbprint of its key.
    pub thumbprint: String,
    /// What it is known by.
    pub id: String,
    /// The second until which it must be remembered.
    pub until: i64,
}

/// Checks a proof for a POST to an address; whether it was used before is for the desk to say.
///
/// # Errors
/// `invalid_dpop_proof`, or `use_dpop_nonce` where all is right but the nonce.
pub fn proof(text: &str, address: &str, nonces: &hmac::Key, now: i64) -> Result<Proof, Refused> {
    let jwt = read(text).ok_or(Refused::proof("the DPoP proof is not a signed JWT"))?;
    if jwt.header.get("typ").and_then(Value::as_str) != Some("dpop+jwt") {
        return Err(Refused::proof("the DPoP proof must have the type dpop+jwt"));
    }
    let jwk =
        jwt.header.get("jwk").ok_or(Refused::proof("the DPoP proof must hold its key in `jwk`"))?;
    if PRIVATE.iter().any(|member| jwk.get(member).is_some()) {
        return Err(Refused::proof("the DPoP proof holds a private key; make a new one"));
    }
    if !jwt.is_signed_with(jwk) {
        return Err(Refused::proof("the signature of the DPoP proof is not valid"));
    }
    if jwt.text("htm") != Some("POST") {
        return Err(Refused::proof("`htm` must be POST"));
    }
    if jwt.text("htu") != Some(address) {
        return Err(Refused::proof("`htu` must be the address of the endpoint"));
    }
    let made = jwt.seconds("iat").filter(|made| (now - PROOF_AGE..=now + SKEW).contains(made));
    let made = made.ok_or(Refused::proof("`iat` must be now; check the clocks"))?;
    let id = jwt.id().ok_or(Refused::proof("the DPoP proof must have an id of its own, `jti`"))?;
    let thumbprint =
        Jwk::deserialize(jwk).ok().and_then(|jwk| jwk.thumbprint(ThumbprintHash::SHA256).ok());
    let thumbprint =
        thumbprint.ok_or(Refused::proof("the key of the DPoP proof cannot be used"))?;
    if !jwt.text("nonce").is_some_and(|nonce| knows(nonces, nonce, now)) {
        let told = "make a proof with the `nonce` that the header DPoP-Nonce gives";
        return Err(Refused::new("use_dpop_nonce", told));
    }
    let id = format!("{thumbprint} {id}");
    Ok(Proof { thumbprint, id, until: made + PROOF_AGE + SKEW + 1 })
}

/// The nonce that is given now.
pub fn nonce(key: &hmac::Key, now: i64) -> String {
    in_window(key, now.div_euclid(WINDOW))
}

fn knows(key: &hmac::Key, nonce: &str, now: i64) -> bool {
    let window = now.div_euclid(WINDOW);
    nonce == in_window(key, window) || nonce == in_window(key, window - 1)
}

fn in_window(key: &hmac::Key, window: i64) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, &window.to_be_bytes()))
}

/// The challenge of a verifier (RFC 7636 §4.2); nothing where it cannot be one.
pub fn challenge(verifier: &str) -> Option<String> {
    let fits = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._~".contains(&it));
    fits.then(|| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())))
}

/// Whether a text can be a challenge or a thumbprint: SHA-256 in base64url.
pub fn is_hash(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}
