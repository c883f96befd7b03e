//! One public key of an issuer or a client, from a JWK (RFC 7517), and what it may verify.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use crate::token::jws::{self, Jws};

/// Members of a JWK that no public key has (RFC 7518 §6.2.2, 6.3.2, 6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Longest modulus of an RSA key, in base64url: 4,096 bits. It bounds the cost of a signature.
const MAX_MODULUS: usize = 684;

/// A public key.
pub struct Key {
    /// Its id, where it has one.
    pub id: Option<String>,
    jwk: Jwk,
    decoding: DecodingKey,
    kind: Kind,
    /// The only algorithm it is published for, where it says so.
    only: Option<Algorithm>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

impl Key {
    /// The key in a JWK; `None` where it is of a kind that signs nothing here.
    pub fn read(jwk: &Value) -> Option<Self> {
        let only = match jwk.get("alg") {
            Some(name) => Some(jws::algorithm(name.as_str()?)?),
            None => None,
        };
        let jwk = Jwk::deserialize(jwk).ok()?;
        let kind = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if rsa.n.len() <= MAX_MODULUS => Kind::Rsa,
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => Kind::P256,
                EllipticCurve::P384 => Kind::P384,
                _ => return None,
            },
            _ => return None,
        };
        let for_signatures =
            matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let decoding = DecodingKey::from_jwk(&jwk).ok().filter(|_| for_signatures)?;
        Some(Self { id: jwk.common.key_id.clone(), jwk, decoding, kind, only })
    }

    /// Whether the key is of the kind an algorithm needs.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::ES256 => Kind::P256,
            Algorithm::ES384 => Kind::P384,
            _ => Kind::Rsa,
        };
        kind == self.kind && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether the signature of `jws` is this key's, by an algorithm that [`Key::fits`].
    pub fn verifies(&self, jws: &Jws<'_>, algorithm: Algorithm) -> bool {
        self.fits(algorithm)
            && crypto::verify(jws.signature, jws.signed.as_bytes(), &self.decoding, algorithm)
                .unwrap_or(false)
    }

    /// The thumbprint (RFC 7638) with SHA-256, base64url.
    pub fn thumbprint(&self) -> Option<String> {
        self.jwk.thumbprint(ThumbprintHash::SHA256).ok()
    }
}

/// Whether a JWK tells more than a public key.
pub fn is_private(jwk: &Value) -> bool {
    PRIVATE.iter().any(|member| jwk.get(member).is_some())
}
