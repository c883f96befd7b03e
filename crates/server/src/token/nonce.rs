//! Nonces for DPoP proofs (RFC 9449 §8 and §9): proof that a proof was made lately, and not beforehand.
//!
//! A nonce is a keyed hash of the minute it was given in, so that nothing is remembered of those given, and
//! servers with one key take each other's. Invariant: a nonce is good for one to two minutes.

use aws_lc_rs::hmac;

use crate::token::jws::base64url;

/// How long the same nonce is given, in seconds.
const WINDOW: i64 = 60;

/// Gives nonces, and knows them again.
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// With a secret that all servers of a municipality share.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// The nonce to use from now. `now` is in seconds since 1970.
    pub fn current(&self, now: i64) -> String {
        base64url(self.tag(now.div_euclid(WINDOW)).as_ref())
    }

    /// Whether a nonce was given in this window or the one before.
    pub fn knows(&self, nonce: &str, now: i64) -> bool {
        let window = now.div_euclid(WINDOW);
        [window, window - 1].iter().any(|window| {
            let tag = base64url(self.tag(*window).as_ref());
            aws_lc_rs::constant_time::verify_slices_are_equal(tag.as_bytes(), nonce.as_bytes())
                .is_ok()
        })
    }

    fn tag(&self, window: i64) -> hmac::Tag {
        hmac::sign(&self.key, &window.to_be_bytes())
    }
}
