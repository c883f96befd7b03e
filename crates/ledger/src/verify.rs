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
use record::entry::Position;
use rusqlite::Connection;
use std::fmt;
use std::path::Path;
use tree::TreeWalk;
use walk::Walk;

mod bodies;
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
    /// SQLite finds the file damaged; its own words.
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
    progress: impl FnMut(Position, Position),
) -> Result<Report, Error> {
    std::fs::metadata(path).map_err(Error::file("opening a ledger"))?;
    let mut connection = store::open_readable(path)?;
    let mut report = Report { entries: 0, faults: Vec::new() };
    let tx = connection.transaction().map_err(Error::storage("beginning to verify"))?;
    if let Err(error) = check(&tx, trust, &mut report, progress) {
        let next = report.entries + 1;
        report.add(next, What::File(error.to_string()));
    }
    report.faults.sort_by_key(|fault| fault.position);
    Ok(report)
}

impl Trust<'_> {
    fn fits(&self, seal: Seal, position: Position, hash: &[u8; 32], signature: &[u8]) -> bool {
        let head = Head { position, hash: *hash, signature: signature.to_vec() };
        self.public_key.is_none_or(|key| head.is_sealed(key, seal, self.ledger, hash))
    }
}

/// An error is SQLite's, and ends the verification where it stands.
fn check(
    connection: &Connection,
    trust: &Trust<'_>,
    report: &mut Report,
    mut progress: impl FnMut(Position, Position),
) -> rusqlite::Result<()> {
    check_schema(connection, report)?;
    check_file(connection, report)?;
    let of: Position =
        connection
            .query_row("SELECT coalesce(max(position), 0) FROM entry", [], |row| row.get(0))?;
    let mut walk = Walk::begin(connection, trust, report)?;
    // Before its first opening by this version, a ledger has no tree.
    let has_tree = connection.table_exists(None, "tree")?;
    let mut tree = has_tree.then(|| TreeWalk::begin(connection, trust)).transpose()?;
    let mut select = connection.prepare(
        "SELECT e.position, e.event, e.person, e.bytes, b.bytes FROM entry e
         LEFT JOIN body b ON b.position = e.position ORDER BY e.position",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let done = walk.entry(row)?;
        if let Some(tree) = &mut tree {
            let position = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
            tree.entry(position, row.get_ref(3)?.as_blob()?);
        }
        if done.is_multiple_of(1024) {
            progress(done, of);
        }
    }
    walk.end(connection)?;
    if let Some(tree) = tree {
        tree.end(report);
    }
    progress(report.entries, of);
    let mut orphans = connection
        .prepare("SELECT position FROM body WHERE position NOT IN (SELECT position FROM entry)")?;
    for position in orphans.query_map([], |row| row.get::<_, i64>(0))? {
        report.add(u64::try_from(position?).unwrap_or(0), What::BodyWithoutEntry);
    }
    Ok(())
}

fn check_schema(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let found: Vec<String> = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let version = number("user_version")?;
    let tree = if version == 1 { "" } else { store::TREE_SCHEMA };
    let erasure = if version < 3 { "" } else { store::ERASURE_SCHEMA };
    let resealing = if version < 4 { "" } else { store::RESEALING_SCHEMA };
    let is = |index: &str| {
        let schema = [store::LEDGER_SCHEMA, index, tree, erasure, resealing].concat();
        let all: Vec<&str> =
            schema.split(';').map(str::trim).filter(|sql| !sql.is_empty()).collect();
        found == all
    };
    if !(is("") || is(store::PERSON_INDEX))
        || number("application_id")? != store::LEDGER
        || !(1..=4).contains(&version)
    {
        report.add(0, What::Schema);
    }
    Ok(())
}

fn check_file(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
    for words in check.query_map([], |row| row.get::<_, String>(0))? {
        let words = words?;
        if words != "ok" {
            report.add(0, What::File(words));
        }
    }
    Ok(())
}
