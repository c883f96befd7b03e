//! The few cryptographic operations in use, and the key that seals content.
//!
//! Invariants: SHA-256 for hashes, HMAC-SHA256 for keyed digests, AES-256-GCM with a fresh 96-bit
//! random nonce for sealing. A secret is never printed, and is overwritten when dropped as far as
//! safe Rust allows. One key may seal at most 2^32 bodies (NIST SP 800-38D §8.3): far above what
//! one person has, and above forty years of a large municipality's audit.

use crate::error::Error;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

/// Bytes of an AES-256-GCM nonce.
pub const NONCE: usize = 12;
/// Bytes of an AES-256-GCM tag.
pub const TAG: usize = 16;

/// SHA-256 of the parts put together.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    fixed(context.finish().as_ref())
}

/// SHA-256 of what comes piece by piece.
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes the next piece.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The hash of all pieces.
    pub fn end(self) -> [u8; 32] {
        fixed(self.0.finish().as_ref())
    }
}

/// Size in bytes and SHA-256 of all that is read.
pub fn sha256_of(from: &mut impl Read) -> std::io::Result<(u64, [u8; 32])> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 18]);
    loop {
        let count = from.read(&mut buffer)?;
        match buffer.get(..count) {
            None | Some([]) => return Ok((size, hash.end())),
            Some(read) => hash.update(read),
        }
        size += count as u64;
    }
}

/// HMAC-SHA256 of the parts put together.
pub(crate) fn mac(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key.0));
    for part in parts {
        context.update(part);
    }
    fixed(context.sign().as_ref())
}

fn fixed(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// Appends nonce, ciphertext and tag of `plain` to `out`.
pub(crate) fn seal(
    key: &Secret,
    nonce: [u8; NONCE],
    context: &[u8],
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let failed = |_| Error::Key { what: "sealing failed" };
    out.reserve(NONCE + plain.len() + TAG);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(plain);
    let sealed = out.get_mut(start..).unwrap_or_default();
    let tag = cipher(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), sealed)
        .map_err(failed)?;
    out.extend_from_slice(tag.as_ref());
    Ok(())
}

/// Opens what [`seal`] appended, or `None` where key, context or a single bit is another.
pub(crate) fn open(key: &Secret, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let mut buffer = rest.to_vec();
    let plain = cipher(key)
        .ok()?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut buffer)
        .ok()?
        .len();
    buffer.truncate(plain);
    Some(buffer)
}

fn cipher(key: &Secret) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, &key.0)
        .map(LessSafeKey::new)
        .map_err(|_| Error::Key { what: "not an AES-256 key" })
}

/// 256 secret bits.
pub struct Secret(pub(crate) [u8; 32]);

impl Secret {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever wraps them.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads 32 bytes as they are, or as base64 on one line.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if let Some(secret) = Self::from_slice(bytes) {
            return Some(secret);
        }
        let mut decoded = STANDARD.decode(bytes.trim_ascii()).ok()?;
        let secret = Self::from_slice(&decoded);
        decoded.fill(0);
        secret
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Keeps the compiler from leaving out a write that nobody reads.
        std::hint::black_box(&mut self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The key of one person's content, or of the ledger's own.
///
/// Two keys: one seals, one makes the digest by which a repeat is told from a conflict. Both are derived
/// from one stored secret, until the person's content is sealed anew: then the one that seals is the new
/// secret's, and the digests of entries, which never change, go on by the old. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DataKey(Arc<DerivedKeys>);

#[derive(Debug)]
struct DerivedKeys {
    seal: Secret,
    mac: Secret,
}

impl DataKey {
    /// The key that belongs to the stored secret.
    pub fn new(secret: &Secret) -> Self {
        Self(Arc::new(DerivedKeys {
            seal: Secret(mac(secret, &[b"fkj seal v1"])),
            mac: Secret(mac(secret, &[b"fkj mac v1"])),
        }))
    }

    /// The key that belongs to a secret which took the place of another, and makes digests with `digest`.
    pub(crate) fn after(secret: &Secret, digest: Secret) -> Self {
        let seal = Secret(mac(secret, &[b"fkj seal v1"]));
        Self(Arc::new(DerivedKeys { seal, mac: digest }))
    }

    /// The key of digests.
    pub(crate) fn digest(&self) -> Secret {
        Secret(self.0.mac.0)
    }

    pub(crate) fn sealing(&self) -> &Secret {
        &self.0.seal
    }

    /// Keyed digest of a fingerprint: the first 16 bytes of HMAC-SHA256.
    pub fn content_mac(&self, fingerprint: &[u8; 32]) -> [u8; 16] {
        first16(&mac(&self.0.mac, &[fingerprint]))
    }
}

/// The first 16 of 32 bytes.
pub(crate) fn first16(bytes: &[u8; 32]) -> [u8; 16] {
    bytes.first_chunk().copied().unwrap_or_default()
}
