//! A client's own key, and the DPoP proofs made with it (RFC 9449 §4.2): what a vendor's system does at
//! each request, for trying the API and for tests.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::issuer::IssuerError;

/// The key of a client; lives no longer than this value.
pub struct Holder {
    key: EncodingKey,
    public: Jwk,
}

/// What a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct ProofOf<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The address; its query is left out of the proof.
    pub address: &'a str,
    /// The access token it goes with.
    pub token: &'a str,
    /// Now, in seconds since 1970 UTC.
    pub now_s: i64,
    /// The proof's own id.
    pub jti: &'a str,
}

impl Holder {
    /// With a new key (P-256).
    ///
    /// # Errors
    /// Where the signature library has none to give.
    pub fn new() -> Result<Self, IssuerError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| IssuerError::Key)?;
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let public =
            Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| IssuerError::Key)?;
        Ok(Self { key, public })
    }

    /// The thumbprint that a token is bound to (RFC 7638).
    ///
    /// # Errors
    /// Never in practice: the key is a plain value.
    pub fn thumbprint(&self) -> Result<String, IssuerError> {
        self.public.thumbprint(ThumbprintHash::SHA256).map_err(|_| IssuerError::Key)
    }

    /// The claims of a proof.
    pub fn claims(proof: &ProofOf<'_>) -> Value {
        let address = proof.address.split(['?', '#']).next().unwrap_or_default();
        let token = digest(&SHA256, proof.token.as_bytes());
        json!({
            "jti": proof.jti,
            "htm": proof.method,
            "htu": address,
            "iat": proof.now_s,
            "ath": URL_SAFE_NO_PAD.encode(token),
        })
    }

    /// A proof, signed.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn proof(&self, proof: &ProofOf<'_>) -> Result<String, IssuerError> {
        let header = Header {
            typ: Some("dpop+jwt".to_owned()),
            jwk: Some(self.public.clone()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, &Self::claims(proof), &self.key).map_err(|_| IssuerError::Key)
    }
}
