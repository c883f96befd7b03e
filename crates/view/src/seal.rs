//! Paging links: where a search goes on, sealed so that a client can neither read nor change it.
//!
//! AES-256-GCM under a key of the municipality's index. The nonce is a digest of the content under a
//! key of its own, so that sealing needs no randomness and the same place always gives the same text
//! (as in RFC 8452, whose cipher the library does not have).

use std::fmt::Write;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use crate::error::Error;

/// Keys for sealing.
pub struct Seal {
    content: [u8; 32],
    nonce: hmac::Key,
}

impl Seal {
    /// The keys that belong to the key of the index.
    pub fn new(index_key: [u8; 16]) -> Self {
        let index = hmac::Key::new(hmac::HMAC_SHA256, &index_key);
        let derived = |what: &[u8]| {
            let tag = hmac::sign(&index, what);
            tag.as_ref().first_chunk::<32>().copied().unwrap_or_default()
        };
        Self {
            content: derived(b"fkj paging seal v1"),
            nonce: hmac::Key::new(hmac::HMAC_SHA256, &derived(b"fkj paging nonce v1")),
        }
    }

    /// Seals bytes that belong to `of`, which must be the same when they are opened.
    pub fn seal(&self, of: &[u8], content: &[u8]) -> Result<String, Error> {
        let length = u64::try_from(of.len()).unwrap_or_default().to_be_bytes();
        let tag = hmac::sign(&self.nonce, &[&length, of, content].concat());
        let nonce: [u8; NONCE_LEN] = tag.as_ref().first_chunk().copied().unwrap_or_default();
        let mut sealed = content.to_vec();
        self.key()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(of),
                &mut sealed,
            )
            .map_err(|_| Error::Cursor)?;
        let mut text = String::with_capacity(2 * (NONCE_LEN + sealed.len()));
        for byte in nonce.iter().chain(&sealed) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    /// Opens what [`Seal::seal`] made.
    pub fn open(&self, of: &[u8], text: &str) -> Result<Vec<u8>, Error> {
        let bytes = bytes(text).ok_or(Error::Cursor)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Error::Cursor)?;
        let mut content = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key()?
            .open_in_place(nonce, Aad::from(of), &mut content)
            .map_err(|_| Error::Cursor)?;
        Ok(opened.to_vec())
    }

    fn key(&self) -> Result<LessSafeKey, Error> {
        let key = UnboundKey::new(&AES_256_GCM, &self.content).map_err(|_| Error::Cursor)?;
        Ok(LessSafeKey::new(key))
    }
}

/// The bytes that hexadecimal digits stand for.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}
