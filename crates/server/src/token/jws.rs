//! A signed JWT in compact form, read but not believed (RFC 7515 §3.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::Value;

/// Longest that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// Algorithms that are accepted: asymmetric only, so `none` and HMAC can never verify.
const ALGORITHMS: [(&str, Algorithm); 8] = [
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
];

/// Header, claims and signature of a JWT.
pub struct Jws<'a> {
    /// The protected header.
    pub header: Value,
    /// The claims, an object.
    pub claims: Value,
    /// What is signed.
    pub signed: &'a str,
    /// The signature, base64url.
    pub signature: &'a str,
}

/// Reads a JWT; `None` where it is none, or has extensions that must be understood (`crit`).
pub fn read(text: &str) -> Option<Jws<'_>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let (header, claims) = (object(header)?, object(claims)?);
    if header.get("crit").is_some() {
        return None;
    }
    Some(Jws { header, claims, signed, signature })
}

impl Jws<'_> {
    /// The algorithm, where it is accepted.
    pub fn algorithm(&self) -> Option<Algorithm> {
        algorithm(self.head("alg")?)
    }

    /// A member of the header, where it is text.
    pub fn head(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    /// A claim, where it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }

    /// A claim that is a time, in whole seconds since 1970 (RFC 7519 §2, `NumericDate`).
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.claims.get(name)?;
        // Far beyond any date the conversion stops at the largest number.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
    }
}

/// The accepted algorithm with this name.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
}

/// The accepted algorithms by name, as a challenge lists them.
pub fn algorithms() -> String {
    ALGORITHMS.map(|(name, _)| name).join(" ")
}

/// Bytes as base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}
