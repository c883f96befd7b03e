//! The manifest of a backup: what belongs to it, with hashes. JSON, so that anybody can read it.

use super::place::Place;
use crate::chain::Head;
use crate::crypto::{sha256, sha256_of};
use crate::error::Error;
use crate::note::VerifierKey;
use crate::verify::PublicKeys;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use record::entry::Position;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io::{Read, Write};

/// Format version that is written.
pub(super) const VERSION: u32 = 1;
/// Largest manifest that is read, in bytes.
const MOST: u64 = 1 << 30;
/// Kinds of ledgers in the order in which they are copied, which are folders here.
pub const LEDGERS: [&str; 2] = ["ledger", "audit"];

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name in the place: its time and the beginning of its own hash.
    #[serde(skip)]
    pub name: String,
    /// Format version.
    pub version: u32,
    /// When it was taken, in milliseconds since 1970; later than the one before.
    pub at: i64,
    /// The one before, if any.
    pub before: Option<Piece>,
    /// The municipality's number.
    pub municipality: String,
    /// The clinical ledger and the audit ledger, as [`LEDGERS`] orders them.
    pub ledgers: Vec<Part>,
    /// The copy of `keys.db`.
    pub keys: KeysCopy,
    /// The municipality's other files, by their names in its folder.
    pub files: Vec<(String, Piece)>,
}

/// A piece, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: Bytes,
}

/// What a backup adds of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The ledger's name, such as `9901/ledger`.
    pub ledger: String,
    /// Public key of its head.
    pub head_key: Bytes,
    /// Public key of its checkpoints, as C2SP writes it.
    pub checkpoint_key: String,
    /// The signed end of the chain, up to which this and the earlier backups reach.
    pub head: Signed,
    /// New segments.
    pub segments: Vec<Segment>,
    /// Positions of new entries that erase single records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resealings: Vec<Position>,
    /// What bodies of earlier segments were replaced by since, by such entries; an empty one is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Piece>,
    /// New checkpoints of the chain.
    pub checkpoints: Vec<Signed>,
    /// New checkpoints of the tree, each with its size.
    pub notes: Vec<(Position, String)>,
}

/// A signed position of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Position of the entry.
    pub position: Position,
    /// Its hash.
    pub hash: Bytes,
    /// Ed25519.
    pub signature: Bytes,
}

/// Entries and bodies of a range of positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// First position.
    pub first: Position,
    /// Last position.
    pub last: Position,
    /// Canonical entries.
    pub entries: Piece,
    /// Sealed bodies.
    pub bodies: Piece,
}

/// A copy of `keys.db`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysCopy {
    /// The copy.
    pub piece: Piece,
    /// When it was first made, in milliseconds since 1970.
    pub at: i64,
    /// Whoever was erased up to this position of the clinical ledger has no key in it.
    pub erased_through: Position,
}

/// Bytes, written as base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Signed {
    pub(super) fn of(head: &Head) -> Self {
        let (hash, signature) = (Bytes(head.hash.to_vec()), Bytes(head.signature.clone()));
        Self { position: head.position, hash, signature }
    }

    pub(super) fn head(&self) -> Option<Head> {
        let hash = self.hash.0.as_slice().try_into().ok()?;
        Some(Head { position: self.position, hash, signature: self.signature.0.clone() })
    }
}

impl Part {
    /// The public keys it names.
    pub fn keys(&self) -> Option<PublicKeys> {
        let head = self.head_key.0.as_slice().try_into().ok()?;
        Some(PublicKeys { head, checkpoints: VerifierKey::parse(&self.checkpoint_key).ok()? })
    }
}

impl Manifest {
    /// What it says of a kind of ledger.
    pub fn part(&self, kind: &str) -> Option<&Part> {
        LEDGERS.iter().position(|it| *it == kind).and_then(|index| self.ledgers.get(index))
    }

    /// Every piece it names; of keys only those that are there for good are not.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let segments = self.ledgers.iter().flat_map(|part| &part.segments);
        let segments = segments.flat_map(|segment| [&segment.entries, &segment.bodies]);
        let replaced = self.ledgers.iter().filter_map(|part| part.replaced.as_ref());
        segments
            .chain(replaced)
            .chain(self.files.iter().map(|(_, piece)| piece))
            .chain([&self.keys.piece])
    }

    /// Keeps it, and gives it its name.
    pub(super) fn keep(&mut self, place: &dyn Place) -> Result<(), Error> {
        let failed = "writing a backup's manifest";
        let text =
            serde_json::to_vec_pretty(self).map_err(|error| Error::file(failed)(error.into()))?;
        self.name = name(self.at, &sha256(&[&text]));
        place.keep(&self.name, &mut |path| {
            let file = std::fs::File::create(path).and_then(|mut file| file.write_all(&text));
            file.map_err(Error::file(failed))
        })?;
        Ok(())
    }
}

fn name(at: i64, hash: &[u8; 32]) -> String {
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("backup-{at:015}-{hash}.json")
}

/// All backups of a place, the oldest first, each bound by the next.
///
/// # Errors
/// [`Error::Backup`] at the first manifest that is missing, unreadable or another than it was.
pub fn read_all(place: &dyn Place) -> Result<Vec<Manifest>, Error> {
    let names: Vec<String> =
        place.list()?.into_iter().filter(|it| it.starts_with("backup-")).collect();
    let mut all: Vec<Manifest> = Vec::with_capacity(names.len());
    let mut last: Option<Piece> = None;
    for name in names {
        let wrong = |what| Error::Backup { piece: name.clone(), what };
        let mut text = Vec::new();
        place
            .open(&name)?
            .take(MOST)
            .read_to_end(&mut text)
            .map_err(Error::file("reading a backup's manifest"))?;
        let hash = sha256(&[&text]);
        let mut manifest: Manifest = serde_json::from_slice(&text)
            .map_err(|_| wrong("the manifest cannot be read; use a copy of the backup"))?;
        if manifest.version != VERSION {
            return Err(wrong("the manifest is of a newer version; use that version of fkj"));
        }
        if name != self::name(manifest.at, &hash) || manifest.ledgers.len() != LEDGERS.len() {
            return Err(wrong("the manifest was changed; use a copy of the backup"));
        }
        if manifest.before != last {
            return Err(wrong("the manifest before it is missing or was changed"));
        }
        manifest.name.clone_from(&name);
        last = Some(Piece { name, bytes: text.len() as u64, sha256: Bytes(hash.to_vec()) });
        all.push(manifest);
    }
    Ok(all)
}

/// The time of a backup that is taken `now`, and how it names the one before.
pub(super) fn following(
    place: &dyn Place,
    before: Option<&Manifest>,
    now: i64,
) -> Result<(i64, Option<Piece>), Error> {
    let Some(before) = before else { return Ok((now.max(1), None)) };
    let read = sha256_of(&mut place.open(&before.name)?);
    let (bytes, hash) = read.map_err(Error::file("reading a backup's manifest"))?;
    let piece = Piece { name: before.name.clone(), bytes, sha256: Bytes(hash.to_vec()) };
    Ok((now.max(before.at.saturating_add(1)), Some(piece)))
}
