//! Verification: recomputes everything a ledger claims about itself, and places every fault.
//!
//! Needs the file and the public key only: no secrets, nothing decrypted, so anybody entrusted with a
//! copy can do it. Works beside a running writer, on one consistent state.
//!
//! What it can tell: any changed byte in entries, bodies, indexes, head, tree and checkpoints; missing,
//! moved or added rows; a cut end; damage to the file. A log rewritten consistently does not fit the
//! signatures. What no log can tell from itself: that it is a whole older copy, or was written anew by
//! somebody who had its keys. For that, give heads or checkpoints that were kept elsewhere.

use crate::chain::{Head, Seal};
use crate::error::Error;
use crate::keys::Keys;
use crate::note::{Checkpoint, VerifierKey};
use crate::store;
use evidence::Evidence;
use record::entry::Position;
use std::fmt;
use std::path::Path;
use tree::TreeWalk;
use walk::Walk;

mod bodies;
pub(crate) mod evidence;
mod tree;
mod walk;

/// What a ledger is measured against.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The ledger's name.
    pub ledger: &'a str,
    /// The public key of its head; without it, signatures of the chain are taken as they are.
    pub public_key: Option<&'a [u8; 32]>,
    /// The public key of its checkpoints.
    pub checkpoint_key: &'a VerifierKey,
    /// Heads that were kept elsewhere.
    pub heads: &'a [Head],
    /// Checkpoints that were kept elsewhere, their signatures verified.
    pub checkpoints: &'a [Checkpoint],
}

/// The public keys of a ledger, to make a [`Trust`] of.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    /// Of its head.
    pub head: [u8; 32],
    /// Of its checkpoints.
    pub checkpoints: VerifierKey,
}

impl PublicKeys {
    /// Those in `keys.db`.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Storage`].
    pub fn of(keys: &Keys, ledger: &str) -> Result<Self, Error> {
        Ok(Self { head: keys.public_key(ledger)?, checkpoints: keys.verifier_key(ledger)? })
    }

    /// Trust in the ledger itself, without anything kept elsewhere.
    pub fn trust<'a>(&'a self, ledger: &'a str) -> Trust<'a> {
        Trust {
            ledger,
            public_key: Some(&self.head),
            checkpoint_key: &self.checkpoints,
            heads: &[],
            checkpoints: &[],
        }
    }
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many entries were read.
    pub entries: Position,
    /// What is wrong, in order of position; empty for a sound ledger.
    pub faults: Vec<Fault>,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where; 0 where the damage has no place in the chain.
    pub position: Position,
    /// What.
    pub what: What,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The entry's bytes are not an entry.
    EntryUnreadable,
    /// The entry is another than the one the chain has here.
    EntryChanged,
    /// The entry says that it belongs at this other position.
    EntryMisplaced(Position),
    /// Entries from here through this position are gone.
    EntriesMissing(Position),
    /// Entries from here through this position stand after the signed head.
    EntriesAfterHead(Position),
    /// The chain up to here is not the one that was signed.
    Rewritten,
    /// The columns that indexes use differ from the entry.
    IndexColumns,
    /// The body is gone.
    BodyMissing,
    /// The body is not the one that its entry, or the last resealing of it, names.
    BodyChanged,
    /// The body was erased, and there is one again.
    BodyLeft,
    /// There is a body without an entry.
    BodyWithoutEntry,
    /// There is no head.
    HeadMissing,
    /// The head's position, hash or signature is another than was written.
    HeadChanged,
    /// The checkpoint that belongs here is gone.
    CheckpointMissing,
    /// The checkpoint's hash or signature is another than was written.
    CheckpointChanged,
    /// A hash of the Merkle tree is not that of the entries up to here.
    TreeChanged,
    /// The checkpoint of the tree is not the one that was signed, or of entries that are not there.
    NoteChanged,
    /// Tables or indexes are not those of this format.
    Schema,
    /// The database finds itself damaged, or does not read on; its own words.
    File(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            What::EntryUnreadable => "the entry's bytes are not an entry",
            What::EntryChanged => "the entry was changed after it was chained",
            What::EntryMisplaced(own) => {
                return write!(f, "the entry belongs at position {own}");
            }
            What::EntriesMissing(through) => {
                return write!(f, "entries are missing from here through position {through}");
            }
            What::EntriesAfterHead(through) => {
                return write!(
                    f,
                    "entries stand after the signed head, through position {through}"
                );
            }
            What::Rewritten => "the chain up to here is not the one that was signed",
            What::IndexColumns => "the index columns differ from the entry",
            What::BodyMissing => "the body is missing",
            What::BodyChanged => "the body is not the one the ledger names",
            What::BodyLeft => "the body was erased, and there is one again",
            What::BodyWithoutEntry => "there is a body without an entry",
            What::HeadMissing => "the signed head is missing",
            What::HeadChanged => "the head is not the one that was signed",
            What::CheckpointMissing => "the checkpoint is missing",
            What::CheckpointChanged => "the checkpoint is not the one that was signed",
            What::TreeChanged => "a kept hash of the tree is not that of the entries up to here",
            What::NoteChanged => "the checkpoint of the tree is not the one that was signed",
            What::Schema => "the tables and indexes are not those of this format",
            What::File(words) => return write!(f, "the file is damaged: {words}"),
        };
        f.write_str(text)
    }
}

impl What {
    /// What an operator should do about it.
    pub fn what_to_do(&self) -> &'static str {
        match self {
            What::EntryUnreadable
            | What::EntryChanged
            | What::EntryMisplaced(_)
            | What::EntriesMissing(_)
            | What::BodyMissing
            | What::BodyChanged => {
                "stop writing, restore from a backup that verifies, and compare what came after it"
            }
            What::EntriesAfterHead(_) | What::Rewritten | What::HeadChanged | What::HeadMissing => {
                "stop writing, treat it as tampering until explained, and compare with a backup and \
                 with heads kept elsewhere"
            }
            What::BodyWithoutEntry | What::BodyLeft => {
                "treat it as tampering until explained; nothing refers to the body"
            }
            What::CheckpointMissing | What::CheckpointChanged => {
                "restore the checkpoint from a backup; the entries around it are judged on their own"
            }
            What::TreeChanged => {
                "entries are whole but cannot be proven: restore the tree from a backup"
            }
            What::NoteChanged => {
                "compare with the checkpoints kept outside; entries are judged on their own"
            }
            What::IndexColumns | What::Schema => {
                "entries are whole but cannot be looked up rightly: restore from a backup"
            }
            What::File(_) => {
                "copy the file away, check disk and memory, and restore from a backup that verifies"
            }
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds a fault once; of several tails missing from one place, the longest.
    fn add(&mut self, position: Position, what: What) {
        let fault = Fault { position, what };
        let known = self.faults.iter_mut().filter(|known| known.position == position);
        for known in known {
            if let (What::EntriesMissing(known), What::EntriesMissing(new)) =
                (&mut known.what, &fault.what)
            {
                *known = (*known).max(*new);
                return;
            }
        }
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// Verifies the ledger in the file `path` against its public keys and what was kept elsewhere.
/// `progress` is told `(done, of)` entries.
///
/// # Errors
/// [`Error::File`] or [`Error::Storage`] when the file cannot be opened at all. Damage is no error but
/// in the report.
pub fn verify(
    path: &Path,
    trust: &Trust<'_>,
    mut progress: impl FnMut(Position, Position),
) -> Result<Report, Error> {
    std::fs::metadata(path).map_err(Error::file("opening a ledger"))?;
    let mut connection = store::open_readable(path)?;
    let tx = connection.transaction().map_err(Error::storage("beginning to verify"))?;
    Ok(verify_state(&*tx, trust, &mut progress))
}

/// As [`verify`], of one consistent state of whatever holds the ledger.
pub(crate) fn verify_state(
    evidence: &dyn Evidence,
    trust: &Trust<'_>,
    progress: &mut dyn FnMut(Position, Position),
) -> Report {
    let mut report = Report { entries: 0, faults: Vec::new() };
    if let Err(error) = check(evidence, trust, &mut report, progress) {
        let next = report.entries + 1;
        report.add(next, What::File(error.to_string()));
    }
    report.faults.sort_by_key(|fault| fault.position);
    report
}

impl Trust<'_> {
    fn fits(&self, seal: Seal, position: Position, hash: &[u8; 32], signature: &[u8]) -> bool {
        let head = Head { position, hash: *hash, signature: signature.to_vec() };
        self.public_key.is_none_or(|key| head.is_sealed(key, seal, self.ledger, hash))
    }
}

/// An error is the database's, and ends the verification where it stands.
fn check(
    evidence: &dyn Evidence,
    trust: &Trust<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<(), Error> {
    evidence.form(report)?;
    let of = evidence.last()?;
    let mut walk = Walk::begin(evidence, trust, report)?;
    let mut tree = TreeWalk::begin(evidence, trust)?;
    evidence.rows(&mut |row| {
        let done = walk.entry(&row);
        if let Some(tree) = &mut tree {
            tree.entry(u64::try_from(row.position).unwrap_or(0), &row.bytes);
        }
        if done.is_multiple_of(1024) {
            progress(done, of);
        }
    })?;
    walk.end(evidence)?;
    if let Some(tree) = tree {
        tree.end(report);
    }
    progress(report.entries, of);
    for position in evidence.strays()? {
        report.add(u64::try_from(position).unwrap_or(0), What::BodyWithoutEntry);
    }
    Ok(())
}
