//! Inbound access tokens: signature, issuer, audience and time, by HelseID's rules for APIs
//! (conventions §5.2). A token that has been verified is remembered until it expires.

use std::collections::HashMap;
use std::sync::Arc;

use access::caller::Caller;
use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use ledger::clock::Clock;
use parking_lot::RwLock;
use serde_json::Value;

use crate::claims;

/// Most tokens remembered; when it is full, it is emptied.
const REMEMBERED: usize = 50_000;

/// Seconds that clocks may differ.
const LEEWAY: i64 = 5;

/// Asymmetric algorithms only: `none` and HMAC can never verify.
const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// Why a token was not accepted. Never carries the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("send an access token in the header Authorization, as Bearer")]
    Missing,
    /// It cannot be read as a JWT.
    #[error("the access token is not a signed JWT of type at+jwt or JWT")]
    Malformed,
    /// The algorithm is not allowed.
    #[error("the access token must be signed with RS, PS or ES")]
    Algorithm,
    /// No issuer with this name is configured.
    #[error("the issuer of the access token is not trusted here")]
    Issuer,
    /// No such key.
    #[error("the access token is signed with a key the issuer has not published")]
    Key,
    /// The signature does not verify.
    #[error("the signature of the access token is not valid")]
    Signature,
    /// For another API.
    #[error("the access token is for another API or municipality")]
    Audience,
    /// No longer valid.
    #[error("the access token has expired")]
    Expired,
    /// Not yet valid.
    #[error("the access token is not valid yet")]
    NotYet,
    /// A token bound to a key may not be used as a plain bearer token.
    #[error("the access token is bound to a key and cannot be used as Bearer")]
    Bound,
    /// A claim that is needed is missing.
    #[error("the access token lacks a claim that says who the caller is")]
    Claims,
}

/// An issuer whose tokens are accepted.
pub struct TrustedIssuer {
    /// `iss`, exactly.
    pub name: String,
    /// Its public keys.
    pub keys: JwkSet,
}

struct Remembered {
    caller: Arc<Caller>,
    audience: String,
    expires: i64,
}

/// Verifies tokens.
pub struct Verifier {
    issuers: Vec<TrustedIssuer>,
    clock: Arc<dyn Clock>,
    verified: RwLock<HashMap<[u8; 32], Remembered>>,
}

impl Verifier {
    /// With these issuers.
    pub fn new(issuers: Vec<TrustedIssuer>, clock: Arc<dyn Clock>) -> Self {
        Self { issuers, clock, verified: RwLock::new(HashMap::new()) }
    }

    /// The caller behind a token for `audience`.
    pub fn verify(&self, token: &str, audience: &str) -> Result<Arc<Caller>, TokenError> {
        let now = self.clock.now_ms() / 1000;
        let key = hash(token);
        if let Some(known) = self.verified.read().get(&key) {
            if known.expires + LEEWAY <= now {
                return Err(TokenError::Expired);
            }
            if known.audience != audience {
                return Err(TokenError::Audience);
            }
            return Ok(known.caller.clone());
        }
        let claims = self.claims(token)?;
        let expires = check(&claims, audience, now)?;
        let caller = Arc::new(claims::caller(&claims).ok_or(TokenError::Claims)?);
        let mut verified = self.verified.write();
        if verified.len() >= REMEMBERED {
            verified.clear();
        }
        let remembered =
            Remembered { caller: caller.clone(), audience: audience.to_owned(), expires };
        verified.insert(key, remembered);
        Ok(caller)
    }

    /// The claims of a token whose signature verifies.
    fn claims(&self, token: &str) -> Result<Value, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(TokenError::Algorithm);
        }
        let kind = header.typ.as_deref().unwrap_or("JWT");
        if !kind.eq_ignore_ascii_case("at+jwt") && !kind.eq_ignore_ascii_case("JWT") {
            return Err(TokenError::Malformed);
        }
        let issuer = self.issuer(token)?;
        let kid = header.kid.as_deref().ok_or(TokenError::Key)?;
        let jwk = issuer.keys.find(kid).ok_or(TokenError::Key)?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| TokenError::Key)?;
        let mut validation = Validation::new(header.alg);
        // Time and audience are checked below, against our own clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded =
            decode::<Value>(token, &key, &validation).map_err(|_| TokenError::Signature)?;
        Ok(decoded.claims)
    }

    /// The issuer a token names, before its signature is known to be right.
    fn issuer(&self, token: &str) -> Result<&TrustedIssuer, TokenError> {
        let unverified = jsonwebtoken::dangerous::insecure_decode::<Value>(token)
            .map_err(|_| TokenError::Malformed)?;
        let name = unverified.claims.get("iss").and_then(Value::as_str);
        self.issuers
            .iter()
            .find(|issuer| Some(issuer.name.as_str()) == name)
            .ok_or(TokenError::Issuer)
    }
}

/// Audience and time; returns when the token expires, in seconds since 1970.
fn check(claims: &Value, audience: &str, now: i64) -> Result<i64, TokenError> {
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let right = match claims.get("aud") {
        Some(Value::String(aud)) => aud == audience,
        Some(Value::Array(all)) => {
            matches!(all.as_slice(), [one] if one.as_str() == Some(audience))
        }
        _ => false,
    };
    if !right {
        return Err(TokenError::Audience);
    }
    if claims.get("cnf").is_some() {
        return Err(TokenError::Bound);
    }
    let expires = number("exp").ok_or(TokenError::Claims)?;
    if expires + LEEWAY <= now {
        return Err(TokenError::Expired);
    }
    if number("nbf").is_some_and(|nbf| nbf > now + LEEWAY) {
        return Err(TokenError::NotYet);
    }
    Ok(expires)
}

fn hash(token: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    out
}
