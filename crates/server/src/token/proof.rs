//! DPoP proofs: that whoever sends a token holds the key it is bound to (RFC 9449 §4.3, conventions
//! §5.2.5). Whether a proof was used before is for [`super::replay`] to say, after all else is right.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use axum::http::{HeaderMap, Method};

use crate::token::address;
use crate::token::error::ProofError;
use crate::token::jws::{self, base64url};
use crate::token::key::{Key, is_private};
use crate::token::nonce::Nonces;
use crate::token::replay::Proof;

/// Name of the header.
pub const HEADER: &str = "dpop";

/// Name of the header that gives a nonce.
pub const NONCE_HEADER: &str = "dpop-nonce";

/// Greatest age of a proof, in seconds.
const MAX_AGE: i64 = 10;

/// Seconds that clocks may differ.
const SKEW: i64 = 5;

/// Longest `jti`, in bytes.
const MAX_ID: usize = 256;

/// What a proof must be made for.
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The public address, [`address::normal`].
    pub address: &'a str,
    /// SHA-256 of the access token.
    pub token: &'a [u8; 32],
    /// Thumbprint of the key that the token is bound to.
    pub thumbprint: &'a str,
    /// Seconds since 1970.
    pub now: i64,
    /// The nonces of which the proof must hold one, where the API asks for that.
    pub nonces: Option<&'a Nonces>,
}

/// The only proof of a request.
pub fn only(headers: &HeaderMap) -> Result<&str, ProofError> {
    let mut all = headers.get_all(HEADER).iter();
    let (Some(proof), None) = (all.next(), all.next()) else { return Err(ProofError::Count) };
    proof.to_str().map_err(|_| ProofError::Malformed)
}

/// Checks a proof; what is returned must be new to the replay cache.
pub fn check(proof: &str, asked: &Asked<'_>) -> Result<Proof, ProofError> {
    let jws = jws::read(proof).ok_or(ProofError::Malformed)?;
    if jws.head("typ") != Some("dpop+jwt") {
        return Err(ProofError::Type);
    }
    let algorithm = jws.algorithm().ok_or(ProofError::Algorithm)?;
    let jwk = jws.header.get("jwk").ok_or(ProofError::Key)?;
    if is_private(jwk) {
        return Err(ProofError::PrivateKey);
    }
    let key = Key::read(jwk).ok_or(ProofError::Key)?;
    if !key.fits(algorithm) {
        return Err(ProofError::Algorithm);
    }
    // What costs little comes before the signature.
    if jws.text("htm") != Some(asked.method.as_str()) {
        return Err(ProofError::Method);
    }
    if jws.text("htu").and_then(address::normal).as_deref() != Some(asked.address) {
        return Err(ProofError::Address);
    }
    let made = jws.seconds("iat").ok_or(ProofError::Time)?;
    if made < asked.now - MAX_AGE - SKEW || made > asked.now + SKEW {
        return Err(ProofError::Time);
    }
    let token = jws.text("ath").unwrap_or_default();
    if !equal(token, &base64url(asked.token)) {
        return Err(ProofError::Token);
    }
    let id = jws.text("jti").filter(|id| (1..=MAX_ID).contains(&id.len())).ok_or(ProofError::Id)?;
    if !equal(&key.thumbprint().ok_or(ProofError::Key)?, asked.thumbprint) {
        return Err(ProofError::OtherKey);
    }
    if !key.verifies(&jws, algorithm) {
        return Err(ProofError::Signature);
    }
    let nonce = jws.text("nonce").unwrap_or_default();
    if asked.nonces.is_some_and(|nonces| !nonces.knows(nonce, asked.now)) {
        return Err(ProofError::Nonce);
    }
    Ok(Proof { id: name(asked.thumbprint, id), until: made + MAX_AGE + SKEW })
}

/// What a proof is known by: its key and its id, hashed, so that all are of one length.
fn name(thumbprint: &str, id: &str) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(thumbprint.as_bytes());
    context.update(&[0]);
    context.update(id.as_bytes());
    let mut name = [0; 32];
    name.copy_from_slice(context.finish().as_ref());
    name
}

fn equal(one: &str, other: &str) -> bool {
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
