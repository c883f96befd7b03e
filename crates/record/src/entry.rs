//! The frozen wire format of a ledger entry, version 1.
//!
//! An entry says that something was recorded, by whom and about whom, and binds the sealed body by
//! its hash. Entries form a chain: each carries the hash of the one before. The canonical bytes
//! below never change; golden files in `cases/formats/v1` guard that every format ever written
//! still decodes.

use crate::identity::PersonId;

/// A place in one ledger, from 1 upwards without gaps. 0 means "before the first".
pub type Position = u64;

/// What an entry is. The numbers are part of the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A resource got a new version.
    Version = 1,
    /// A resource was removed by its owner; earlier versions remain in history.
    Removal = 2,
    /// A person's content was erased.
    Erasure = 3,
    /// Somebody looked, wrote, or was refused.
    Audit = 4,
    /// The municipality decided something: its register, a representation, an emergency access. The
    /// body is a [`crate::decision::Decision`].
    Decision = 5,
    /// Some of what was recorded about a person was erased, and the rest sealed anew. The body is a
    /// [`crate::resealing::Resealing`].
    Resealing = 6,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] =
        [Kind::Version, Kind::Removal, Kind::Erasure, Kind::Audit, Kind::Decision, Kind::Resealing];

    /// The kind with this wire number.
    pub fn from_wire(number: u8) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// One entry of a ledger, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Place in the ledger.
    pub position: Position,
    /// When the ledger took it: milliseconds since 1970-01-01T00:00:00Z.
    pub recorded_at: i64,
    /// What it is.
    pub kind: Kind,
    /// The system that sent it, such as `plo-epj`.
    pub source: String,
    /// The source's own id of the event; unique within the source.
    pub source_event_id: Option<String>,
    /// Organisation number of the owner: only the owner may correct.
    pub owner: String,
    /// The person it is about, if any.
    pub person: Option<PersonId>,
    /// Category in the information catalogue.
    pub category: String,
    /// Keyed digest of what was received, so that a repeat can be told from a conflict.
    pub content_mac: [u8; 16],
    /// SHA-256 of the sealed body as it was first recorded. A later entry of kind
    /// [`Kind::Resealing`] may name another, or none.
    pub body_hash: [u8; 32],
    /// Hash of the entry before; zeros for the first.
    pub prev_hash: [u8; 32],
}

const MAGIC: &[u8; 4] = b"FKJ1";
const NONE: u32 = u32::MAX;

/// Bytes that are not an entry of any known format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a ledger entry of a known format")]
pub struct NotAnEntry;

impl Entry {
    /// The canonical bytes, whose SHA-256 is the entry's hash.
    ///
    /// `FKJ1`, then integers big-endian; text as a 32-bit length and UTF-8, `0xffffffff` for none.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.position.to_be_bytes());
        out.extend_from_slice(&self.recorded_at.to_be_bytes());
        out.push(self.kind as u8);
        put_text(&mut out, Some(&self.source));
        put_text(&mut out, self.source_event_id.as_deref());
        put_text(&mut out, Some(&self.owner));
        match &self.person {
            Some(person) => {
                out.push(1);
                out.extend_from_slice(&person.0);
            }
            None => out.push(0),
        }
        put_text(&mut out, Some(&self.category));
        out.extend_from_slice(&self.content_mac);
        out.extend_from_slice(&self.body_hash);
        out.extend_from_slice(&self.prev_hash);
        out
    }

    /// Reads canonical bytes back.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, NotAnEntry> {
        let mut reader = Reader(bytes);
        if &reader.array::<4>()? != MAGIC {
            return Err(NotAnEntry);
        }
        let entry = Self {
            position: u64::from_be_bytes(reader.array()?),
            recorded_at: i64::from_be_bytes(reader.array()?),
            kind: Kind::from_wire(reader.byte()?).ok_or(NotAnEntry)?,
            source: reader.text()?.ok_or(NotAnEntry)?,
            source_event_id: reader.text()?,
            owner: reader.text()?.ok_or(NotAnEntry)?,
            person: match reader.byte()? {
                0 => None,
                1 => Some(PersonId(reader.array()?)),
                _ => return Err(NotAnEntry),
            },
            category: reader.text()?.ok_or(NotAnEntry)?,
            content_mac: reader.array()?,
            body_hash: reader.array()?,
            prev_hash: reader.array()?,
        };
        if reader.0.is_empty() { Ok(entry) } else { Err(NotAnEntry) }
    }
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text.and_then(|text| u32::try_from(text.len()).ok().map(|len| (len, text))) {
        Some((len, text)) => {
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        None => out.extend_from_slice(&NONE.to_be_bytes()),
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAnEntry> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(NotAnEntry)?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, NotAnEntry> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Result<Option<String>, NotAnEntry> {
        let len = u32::from_be_bytes(self.array()?);
        if len == NONE {
            return Ok(None);
        }
        let len = usize::try_from(len).map_err(|_| NotAnEntry)?;
        let (head, rest) = self.0.split_at_checked(len).ok_or(NotAnEntry)?;
        self.0 = rest;
        String::from_utf8(head.to_vec()).map(Some).map_err(|_| NotAnEntry)
    }
}
