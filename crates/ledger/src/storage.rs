//! What a ledger asks of the database that holds it, so that another database can.
//!
//! Three doors: [`Storage`] makes readers, [`Reading`] answers them, and [`Store`] is the writer's. All that a
//! ledger is, is computed on this side: a store keeps what it is given, in one transaction, and judges
//! nothing.
//!
//! Invariants: between [`Store::begin`] and the end of it nobody else can commit, so that a batch is judged
//! by, and chained to, what is there. A [`Write`] is kept whole or not at all. Each [`Rows`] is answered
//! from one consistent state.

use crate::chain::Head;
use crate::error::Error;
use crate::faults::Faults;
use crate::merkle::Hash;
use crate::reseal::Fate;
use crate::verify::{Report, Trust};
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

pub(crate) mod postgres;
pub(crate) mod sqlite;

/// What the unique index holds of a source's own event id.
pub(crate) type EventKey = [u8; 16];

/// A database that holds a ledger.
pub(crate) trait Storage: Send + Sync {
    /// One more reader, which never waits for the writer.
    fn reader(&self) -> Result<Box<dyn Reading + Send>, Error>;

    /// Recomputes everything, on one consistent state.
    fn verify(
        &self,
        trust: &Trust<'_>,
        progress: &mut dyn FnMut(Position, Position),
    ) -> Result<Report, Error>;

    /// Whether other servers may write to it.
    fn is_shared(&self) -> bool;

    /// What hears of entries that others append; nothing where nobody else does.
    fn listener(&self) -> Result<Option<Box<dyn Listening>>, Error>;

    /// Where it lies, if that is on a disk of this machine.
    fn path(&self) -> Option<&Path>;
}

/// Hears of new entries.
pub(crate) trait Listening: Send {
    /// What is there now, by the server that takes what is written; an error where that cannot be asked.
    fn reading(&mut self) -> Result<&dyn Reading, Error>;

    /// Waits until there may be something new, at most for `time`.
    fn pause(&mut self, time: Duration);
}

/// What can be asked of a ledger's tables.
pub(crate) trait Reading {
    /// Whether it can be asked any more.
    fn is_open(&self) -> bool;
    /// The head, if there is one.
    fn head(&self) -> Result<Option<Head>, Error>;
    /// Position of the last entry; 0 where there is none.
    fn last(&self) -> Result<Position, Error>;
    /// Entries with their bodies.
    fn rows(&self, which: Rows) -> Result<Vec<Stored>, Error>;
    /// Canonical bytes of the entries from `first` on, in order, at most `count`.
    fn entries(&self, first: Position, count: usize) -> Result<Vec<Vec<u8>>, Error>;
    /// Which of these events are kept, and where.
    fn events(&self, keys: &[EventKey]) -> Result<HashMap<EventKey, Kept>, Error>;
    /// How many subtrees of the lowest kept level there are.
    fn complete(&self) -> Result<u64, Error>;
    /// Kept subtrees of a level from number `first` on, in order, at most `count`.
    fn subtrees(&self, level: u32, first: u64, count: usize) -> Result<Vec<Hash>, Error>;
    /// The signed checkpoint of this size, or the latest.
    fn note(&self, size: Option<Position>) -> Result<Option<String>, Error>;
    /// Size of the latest signed checkpoint; 0 where there is none.
    fn noted(&self) -> Result<Position, Error>;
    /// Up to `limit` signed checkpoints of more than `size` entries, the smallest first.
    fn notes_after(&self, size: Position, limit: usize) -> Result<Vec<(Position, String)>, Error>;
    /// Positions and persons of the entries of kind `Erasure` or `Resealing` after a position, in order.
    fn ended(&self, kind: Ended, after: Position) -> Result<Vec<(Position, PersonId)>, Error>;
}

/// The writer's own access.
pub(crate) trait Store: Send {
    /// Whether other servers may write to it.
    fn is_shared(&self) -> bool;

    /// What is there, with what this writer has begun.
    fn reading(&self) -> &dyn Reading;

    /// Keeps the head of a ledger that is being made, and ends what was begun.
    fn found(&mut self, head: &Head) -> Result<(), Error>;

    /// Begins a batch, waiting for whoever else is at one; answers the head it is to be chained to,
    /// which only a ledger that is being made does not have.
    fn begin(&mut self) -> Result<Option<Head>, Error>;

    /// Keeps a batch for good and ends it, also where it fails. Passes the points of `faults` from
    /// [`Bodies`](crate::faults::Point::Bodies) to [`Checkpoint`](crate::faults::Point::Checkpoint).
    fn commit(&mut self, write: &Write, faults: &dyn Faults) -> Result<(), Failed>;

    /// Whether a batch is kept of which that was not known, where others may have gone on since.
    fn is_kept(&mut self, write: &Write) -> Result<bool, Error>;

    /// Ends a batch without keeping anything.
    fn abandon(&mut self);

    /// Takes what was replaced out of where it may still lie, as far as that can be done now.
    fn forget_replaced(&self);
}

/// A failed batch.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) kept: Outcome,
}

/// What is kept of a failed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing.
    Nothing,
    /// Nobody knows; the database can be asked once it answers ([`Store::is_kept`]).
    Askable,
    /// Nobody knows, and the writer must stop.
    Unknown,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed { error, kept: Outcome::Nothing }
    }
}

/// Everything that one batch adds or replaces.
pub(crate) struct Write {
    pub(crate) rows: Vec<Row>,
    /// Level, number and hash of the subtrees that it completed, of those that are kept.
    pub(crate) subtrees: Vec<(u32, u64, Hash)>,
    /// Signed ends of the chain at positions on the way.
    pub(crate) checkpoints: Vec<Head>,
    /// The signed checkpoint of the tree, with its size.
    pub(crate) note: Option<(Position, String)>,
    /// What became of earlier bodies, and by which entry.
    pub(crate) replaced: Option<(Position, Vec<(Position, Fate)>)>,
    pub(crate) head: Head,
}

/// A new entry, with what the indexes need of it.
pub(crate) struct Row {
    pub(crate) position: Position,
    pub(crate) kind: Kind,
    pub(crate) event: Option<EventKey>,
    pub(crate) person: Option<PersonId>,
    /// Its canonical bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its sealed body.
    pub(crate) body: Vec<u8>,
}

/// Which entries.
#[derive(Clone, Copy)]
pub(crate) enum Rows {
    /// Those from a position on, in order.
    From { first: Position, limit: usize },
    /// The latest about a person before a position, the newest first.
    Latest { person: PersonId, before: Position, limit: usize },
    /// All about a person after one position and through another, in order.
    Of { person: PersonId, after: Position, through: Position },
}

/// Entries that end content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Erasures,
    Resealings,
}

/// An event that is there.
pub(crate) struct Kept {
    /// Canonical bytes of its entry.
    pub(crate) bytes: Vec<u8>,
    /// Whether its body was erased alone.
    pub(crate) erased: bool,
}

impl Kept {
    /// Its entry.
    pub(crate) fn entry(&self) -> Result<Entry, Error> {
        let what = "an entry does not decode";
        Entry::from_canonical(&self.bytes).map_err(|_| Error::Corrupt { position: 0, what })
    }
}

/// Sealed bytes, and what they must hash to.
pub(crate) type Sealed<'a> = (&'a [u8], Hash);

/// An entry with its body, as they are stored.
pub(crate) struct Stored {
    pub(crate) position: Position,
    pub(crate) entry: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
    /// Where a resealing names the body: its hash since, or nothing where it was erased.
    pub(crate) resealed: Option<Option<Vec<u8>>>,
}

impl Stored {
    /// The entry.
    pub(crate) fn entry(&self) -> Result<Entry, Error> {
        let damaged = |what| Error::Corrupt { position: self.position, what };
        let entry =
            Entry::from_canonical(&self.entry).map_err(|_| damaged("the entry does not decode"))?;
        if entry.position != self.position {
            return Err(damaged("the entry belongs at another position"));
        }
        Ok(entry)
    }

    /// The sealed body and what it must hash to; nothing where it was erased.
    pub(crate) fn body(&self, entry: &Entry) -> Result<Option<Sealed<'_>>, Error> {
        let damaged = |what| Error::Corrupt { position: self.position, what };
        let hash = match &self.resealed {
            None => entry.body_hash,
            Some(None) => return Ok(None),
            Some(Some(hash)) => hash
                .as_slice()
                .try_into()
                .map_err(|_| damaged("what the body must hash to cannot be read"))?,
        };
        let body = self.body.as_deref().ok_or_else(|| damaged("the body is missing"))?;
        Ok(Some((body, hash)))
    }
}

/// The entry at a position with its body, if there is one.
pub(crate) fn at(reading: &dyn Reading, position: Position) -> Result<Option<Stored>, Error> {
    let found = reading.rows(Rows::From { first: position, limit: 1 })?.pop();
    Ok(found.filter(|stored| stored.position == position))
}

/// The entry at a position that there is.
pub(crate) fn entry_at(reading: &dyn Reading, position: Position) -> Result<Entry, Error> {
    let bytes = reading.entries(position, 1)?.pop();
    let bytes = bytes.ok_or(Error::Corrupt { position, what: "the entry is missing" })?;
    let entry = Entry::from_canonical(&bytes)
        .map_err(|_| Error::Corrupt { position, what: "the entry does not decode" })?;
    match entry.position == position {
        true => Ok(entry),
        false => Err(Error::Corrupt { position, what: "the entry is missing" }),
    }
}

/// A signed checkpoint as text.
fn readable(bytes: Vec<u8>) -> Result<String, Error> {
    let what = "a checkpoint is not text";
    String::from_utf8(bytes).map_err(|_| Error::Corrupt { position: 0, what })
}

/// A position as a database's signed integer; no ledger grows past that.
fn sql(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
