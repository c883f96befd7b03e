//! Verification: recomputes everything a ledger claims about itself, and places every fault.
//!
//! Needs the file and the public key only: no secrets, nothing decrypted, so anybody entrusted with a
//! copy can do it. Works beside a running writer, on one consistent state.
//!
//! What it can tell: any changed byte in entries, bodies, indexes, head and checkpoints; missing, moved
//! or added rows; a cut end; damage to the file. A log rewritten consistently does not fit the
//! signatures. What no log can tell from itself: that it is a whole older copy. For that, give `known`
//! heads that were kept elsewhere.

use crate::chain::{Head, Seal};
use crate::error::Error;
use crate::store;
use record::entry::Position;
use rusqlite::Connection;
use std::fmt;
use std::path::Path;
use walk::Walk;

mod walk;

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
    /// The body is not the one the entry names.
    BodyChanged,
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
            What::BodyChanged => "the body is not the one the entry names",
            What::BodyWithoutEntry => "there is a body without an entry",
            What::HeadMissing => "the signed head is missing",
            What::HeadChanged => "the head is not the one that was signed",
            What::CheckpointMissing => "the checkpoint is missing",
            What::CheckpointChanged => "the checkpoint is not the one that was signed",
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
            What::BodyWithoutEntry => {
                "treat it as tampering until explained; nothing refers to the body"
            }
            What::CheckpointMissing | What::CheckpointChanged => {
                "restore the checkpoint from a backup; the entries around it are judged on their own"
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

/// Verifies the ledger `ledger` in the file `path` against its public key and against `known` heads
/// kept elsewhere. `progress` is told `(done, of)` entries.
///
/// # Errors
/// [`Error::File`] or [`Error::Storage`] when the file cannot be opened at all. Damage is no error but
/// in the report.
pub fn verify(
    path: &Path,
    ledger: &str,
    public_key: &[u8; 32],
    known: &[Head],
    progress: impl FnMut(Position, Position),
) -> Result<Report, Error> {
    std::fs::metadata(path).map_err(Error::file("opening a ledger"))?;
    let mut connection = store::open_readable(path)?;
    let mut report = Report { entries: 0, faults: Vec::new() };
    let tx = connection.transaction().map_err(Error::storage("beginning to verify"))?;
    let signed = Signed { ledger, public_key, known };
    if let Err(error) = check(&tx, &signed, &mut report, progress) {
        let next = report.entries + 1;
        report.add(next, What::File(error.to_string()));
    }
    report.faults.sort_by_key(|fault| fault.position);
    Ok(report)
}

/// What the chain must agree with.
pub(crate) struct Signed<'a> {
    ledger: &'a str,
    public_key: &'a [u8; 32],
    known: &'a [Head],
}

impl Signed<'_> {
    fn fits(&self, seal: Seal, position: Position, hash: &[u8; 32], signature: &[u8]) -> bool {
        let head = Head { position, hash: *hash, signature: signature.to_vec() };
        head.is_sealed(self.public_key, seal, self.ledger, hash)
    }
}

/// An error is SQLite's, and ends the verification where it stands.
fn check(
    connection: &Connection,
    signed: &Signed<'_>,
    report: &mut Report,
    mut progress: impl FnMut(Position, Position),
) -> rusqlite::Result<()> {
    check_schema(connection, report)?;
    check_file(connection, report)?;
    let of: Position =
        connection
            .query_row("SELECT coalesce(max(position), 0) FROM entry", [], |row| row.get(0))?;
    let mut walk = Walk::begin(connection, signed, report)?;
    let mut select = connection.prepare(
        "SELECT e.position, e.event, e.person, e.bytes, b.bytes FROM entry e
         LEFT JOIN body b ON b.position = e.position ORDER BY e.position",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let done = walk.entry(row)?;
        if done.is_multiple_of(1024) {
            progress(done, of);
        }
    }
    walk.end();
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
    let schema = [store::LEDGER_SCHEMA, store::PERSON_INDEX].concat();
    let all: Vec<&str> = schema.split(';').map(str::trim).filter(|sql| !sql.is_empty()).collect();
    let plain = all.split_last().map(|(_, plain)| plain).unwrap_or_default();
    if (found != all && found != plain)
        || number("application_id")? != store::LEDGER
        || number("user_version")? != 1
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
