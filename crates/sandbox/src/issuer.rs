//! A stand-in for HelseID and ID-porten: signs tokens with the claims that those would, so that the
//! platform validates real and sandbox tokens on one path.
//!
//! It logs nobody in: whoever can call it can be anybody in the sandbox. Production never trusts it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::claims::{self, TokenRequest};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// A file could not be read or written.
    #[error("the stand-in issuer cannot use `{}`: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Key material that is not what this issuer writes, or a failure of the signature library.
    #[error("the stand-in issuer's key cannot be used; remove `issuer.key` to have a new one made")]
    Key,
    /// A municipality that the sandbox does not have.
    #[error("`{0}` is no municipality of the sandbox; use `9901` or `9902`")]
    Municipality(String),
    /// A resident's token needs to say whose it is.
    #[error("a token for the role `innbygger` needs the identity number of the resident")]
    NoResident,
}

/// The issuer, with its key.
pub struct Issuer {
    key: EncodingKey,
    public: Jwk,
}

/// Name of the file with the private key: PKCS#8, readable by its owner only.
const KEY_FILE: &str = "issuer.key";
/// Name of the file with the public key as a JWK set.
const JWKS_FILE: &str = "jwks.json";

impl Issuer {
    /// Makes a new key in `dir`, which must exist and hold no key.
    ///
    /// # Errors
    /// Where the files cannot be written, or there is a key already.
    pub fn create(dir: &Path) -> Result<Self, IssuerError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| IssuerError::Key)?;
        let issuer = Self::from_pkcs8(pkcs8.as_ref())?;
        let path = dir.join(KEY_FILE);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(pkcs8.as_ref()))
            .map_err(|source| IssuerError::File { path, source })?;
        let path = dir.join(JWKS_FILE);
        fs::write(&path, issuer.jwks()?).map_err(|source| IssuerError::File { path, source })?;
        Ok(issuer)
    }

    /// Reads the key that [`Issuer::create`] made in `dir`.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn open(dir: &Path) -> Result<Self, IssuerError> {
        let path = dir.join(KEY_FILE);
        let pkcs8 = fs::read(&path).map_err(|source| IssuerError::File { path, source })?;
        Self::from_pkcs8(&pkcs8)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, IssuerError> {
        let key = EncodingKey::from_ec_der(pkcs8);
        let mut public =
            Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(|_| IssuerError::Key)?;
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| IssuerError::Key)?;
        public.common.key_id = Some(kid);
        Ok(Self { key, public })
    }

    /// The public key as a JWK set, as `jwks.json` holds it.
    ///
    /// # Errors
    /// Never in practice: the key is a plain value.
    pub fn jwks(&self) -> Result<String, IssuerError> {
        let set = JwkSet { keys: vec![self.public.clone()] };
        serde_json::to_string_pretty(&set).map_err(|_| IssuerError::Key)
    }

    /// A signed access token (`at+jwt`, ES256), valid for an hour, for whoever holds it.
    ///
    /// # Errors
    /// Where the municipality is unknown, or a resident is not named.
    pub fn token(&self, request: &TokenRequest) -> Result<String, IssuerError> {
        self.sign("at+jwt", &claims::of(request)?)
    }

    /// The same, bound to a client's key by its thumbprint (RFC 9449 §6.1).
    ///
    /// # Errors
    /// As [`Issuer::token`].
    pub fn bound_token(
        &self,
        request: &TokenRequest,
        thumbprint: &str,
    ) -> Result<String, IssuerError> {
        let mut claims = claims::of(request)?;
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("cnf".to_owned(), json!({ "jkt": thumbprint }));
            claims.remove("token_type");
        }
        self.sign("at+jwt", &claims)
    }

    /// The same, for another municipality's audience: one that was founded with this one's register.
    ///
    /// # Errors
    /// As [`Issuer::token`].
    pub fn token_for(&self, request: &TokenRequest, audience: &str) -> Result<String, IssuerError> {
        let mut claims = claims::of(request)?;
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("aud".to_owned(), json!(audience));
            claims.insert("scope".to_owned(), json!([format!("{audience}/api")]));
        }
        self.sign("at+jwt", &claims)
    }

    /// The public key as a JWK.
    pub(crate) fn public(&self) -> Option<Value> {
        serde_json::to_value(&self.public).ok()
    }

    /// A JWT of a type.
    pub(crate) fn sign(&self, kind: &str, claims: &Value) -> Result<String, IssuerError> {
        let header = Header {
            typ: Some(kind.to_owned()),
            kid: self.public.common.key_id.clone(),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, claims, &self.key).map_err(|_| IssuerError::Key)
    }
}
