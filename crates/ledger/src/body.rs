//! The sealed body, format 1: `0x01`, a 12-byte nonce, and AES-256-GCM over a zstd frame.
//!
//! Invariants: bytes once written decode for ever. The first byte names both format and dictionary:
//! a better dictionary gets the next number and this one stays. The frame carries the plain size and
//! neither checksum nor dictionary id. Sealing binds the ledger's name and the person, so that a body
//! cannot be moved to another; the entry binds the body by the SHA-256 of the sealed bytes.
//!
//! A body of format 2 has a manifest before it ([`crate::manifest`]).

use crate::crypto::{self, DataKey, NONCE};
use crate::error::Error;
use crate::manifest;
use record::identity::PersonId;
use std::cell::RefCell;
use std::sync::LazyLock;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// The dictionary of format 1, trained on synthetic FHIR JSON by `examples/train.rs`.
pub const DICTIONARY_V1: &[u8] = include_bytes!("../data/body-v1.dict");
/// Format byte of format 1.
pub const FORMAT_V1: u8 = 1;
/// The most bytes the bodies of one group may have together.
pub const MAX_BYTES: usize = 64 << 20;

/// zstd's level: with a dictionary, small bodies gain little above this and cost much more.
const LEVEL: i32 = 3;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_V1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_V1));

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Whom a sealed body belongs to. Another owner cannot open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belonging<'a> {
    /// The ledger's name.
    pub ledger: &'a str,
    /// The person, if any.
    pub person: Option<PersonId>,
}

impl Belonging<'_> {
    fn context(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(40 + self.ledger.len());
        out.extend_from_slice(b"fkj body v1\0");
        out.extend_from_slice(self.ledger.as_bytes());
        out.push(0);
        if let Some(person) = &self.person {
            out.extend_from_slice(&person.0);
        }
        out
    }
}

/// Seals `plain` in format 1. The nonce must never be used twice with the same key.
///
/// # Errors
/// [`Error::Key`] when sealing fails.
pub fn seal(
    key: &DataKey,
    nonce: [u8; NONCE],
    belonging: Belonging<'_>,
    plain: &[u8],
) -> Result<Vec<u8>, Error> {
    let packed = compress(plain).map_err(Error::file("compressing a body"))?;
    let mut out = Vec::with_capacity(1 + NONCE + packed.len() + crypto::TAG);
    out.push(FORMAT_V1);
    crypto::seal(key.sealing(), nonce, &belonging.context(), &packed, &mut out)?;
    Ok(out)
}

/// Opens a sealed body of any known format, or `None` where key, belonging or a single bit is
/// another.
pub fn open(key: &DataKey, belonging: Belonging<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
    let sealed = manifest::parts(sealed).map_or(sealed, |(_, sealed)| sealed);
    decompress(&unsealed(key, belonging, sealed)?).ok()
}

/// The same content sealed with another key, in the format it has; `None` where it does not open with
/// the first.
///
/// # Errors
/// [`Error::Key`] when sealing fails.
pub(crate) fn reseal(
    from: &DataKey,
    to: &DataKey,
    nonce: [u8; NONCE],
    belonging: Belonging<'_>,
    sealed: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let Some(packed) = unsealed(from, belonging, sealed) else { return Ok(None) };
    let mut out = Vec::with_capacity(sealed.len());
    out.push(FORMAT_V1);
    crypto::seal(to.sealing(), nonce, &belonging.context(), &packed, &mut out)?;
    Ok(Some(out))
}

/// The zstd frame in a sealed body of format 1.
fn unsealed(key: &DataKey, belonging: Belonging<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
    let (FORMAT_V1, sealed) = sealed.split_first().map(|(format, rest)| (*format, rest))? else {
        return None;
    };
    crypto::open(key.sealing(), &belonging.context(), sealed)
}

/// Packs bytes as those of a body are, without sealing them: one zstd frame made with the dictionary of
/// format 1.
///
/// # Errors
/// When zstd fails.
pub fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        if let Some(compressor) = kept {
            return compressor.compress(plain);
        }
        let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
        compressor.set_parameter(CParameter::ChecksumFlag(false))?;
        compressor.set_parameter(CParameter::DictIdFlag(false))?;
        compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
        kept.insert(compressor).compress(plain)
    })
}

/// Unpacks what [`compress`] packed.
///
/// # Errors
/// When it is no such frame, or one of more than [`MAX_BYTES`].
pub fn decompress(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        if let Some(decompressor) = kept {
            return decompressor.decompress(packed, MAX_BYTES);
        }
        kept.insert(Decompressor::with_prepared_dictionary(&DECODER)?).decompress(packed, MAX_BYTES)
    })
}
