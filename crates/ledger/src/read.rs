//! Reading: a small pool of read-only connections beside the writer.
//!
//! Invariants: a reader never waits for the writer nor the writer for a reader (WAL). Every answer
//! comes from one consistent state. Nothing is returned that does not fit its entry; within one
//! `read`, each entry is also checked against the one before.

use crate::append::{Body, Record, Sealer, event_key};
use crate::chain::{self, Head};
use crate::condition::Watch;
use crate::error::Error;
use crate::merkle::{self, Hash};
use crate::note::Proof;
use crate::store;
use crate::tree;
use crate::writer::stored_event;
use parking_lot::Mutex;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use std::path::PathBuf;
use std::sync::Arc;

/// More than this many idle connections are closed.
const IDLE: usize = 8;

pub(crate) struct Readers {
    pub(crate) path: PathBuf,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) idle: Mutex<Vec<Connection>>,
    pub(crate) watch: Arc<Watch>,
}

/// Columns of [`Stored`], and where they come from.
macro_rules! stored {
    ($which:literal) => {
        concat!(
            "SELECT e.position, e.bytes, b.bytes, s.position IS NOT NULL, s.hash FROM entry e
             LEFT JOIN body b ON b.position = e.position
             LEFT JOIN resealed s ON s.position = e.position ",
            $which
        )
    };
}

const BY_POSITION: &str = stored!("WHERE e.position >= ?1 ORDER BY e.position LIMIT ?2");
const BY_PERSON: &str =
    stored!("WHERE e.person = ?1 AND e.position < ?2 ORDER BY e.position DESC LIMIT ?3");
const OF_PERSON: &str = stored!("WHERE e.person = ?1 AND e.position > ?2 ORDER BY e.position");
const AT: &str = stored!("WHERE e.position = ?1");

/// So often a body that does not open is read again: a key may have been exchanged between reading the
/// body and asking for the key.
const ATTEMPTS: usize = 3;

impl Readers {
    pub(crate) fn head(&self) -> Result<Head, Error> {
        self.with(|connection| {
            chain::stored_head(connection)?
                .ok_or(Error::Corrupt { position: 0, what: "there is no head" })
        })
    }

    pub(crate) fn read(&self, from: Position, limit: usize) -> Result<Vec<Record>, Error> {
        let records = self.query(BY_POSITION, params![sql(from), sql_limit(limit)])?;
        for pair in records.windows(2) {
            if let [before, after] = pair
                && (after.entry.position != before.entry.position + 1
                    || after.entry.prev_hash != chain::entry_hash(&before.entry))
            {
                let position = before.entry.position;
                let what = "the chain is broken after the entry";
                let broken = Error::Corrupt { position, what };
                self.watch.met(&broken);
                return Err(broken);
            }
        }
        Ok(records)
    }

    pub(crate) fn by_person(
        &self,
        person: PersonId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Record>, Error> {
        let before = before.map_or(i64::MAX, sql);
        self.query(BY_PERSON, params![person.0, before, sql_limit(limit)])
    }

    pub(crate) fn find_event(&self, source: &str, id: &str) -> Result<Option<Entry>, Error> {
        self.with(|connection| stored_event(connection, event_key(source, id)))
    }

    pub(crate) fn proof(
        &self,
        position: Position,
        size: Option<Position>,
    ) -> Result<Option<Proof>, Error> {
        self.with(|connection| {
            let Some(checkpoint) = tree::stored_note(connection, size)? else { return Ok(None) };
            let mut lines = checkpoint.lines().skip(1);
            let size = lines.next().and_then(|size| size.parse().ok()).unwrap_or(0);
            if position == 0 || position > size {
                return Ok(None);
            }
            let entry = entry_at(connection, position)?;
            let path = merkle::inclusion(position - 1, size, &mut |place| {
                tree::subtree(connection, place)
            })?;
            Ok(Some(Proof { entry, path, checkpoint }))
        })
    }

    pub(crate) fn consistency(
        &self,
        from: Position,
        to: Position,
    ) -> Result<Option<Vec<Hash>>, Error> {
        self.with(|connection| {
            if from > to || to > last_position(connection)? {
                return Ok(None);
            }
            merkle::consistency(from, to, &mut |place| tree::subtree(connection, place)).map(Some)
        })
    }

    pub(crate) fn first_recorded(&self, ms: i64) -> Result<Position, Error> {
        self.with(|connection| {
            let (mut from, mut to) = (1, last_position(connection)? + 1);
            while from < to {
                let middle = from + (to - from) / 2;
                if entry_at(connection, middle)?.recorded_at < ms {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            Ok(from)
        })
    }

    fn query(&self, sql: &str, params: impl Params) -> Result<Vec<Record>, Error> {
        let failed = "reading entries";
        let rows: Vec<_> = self.with(|connection| {
            let mut select = connection.prepare_cached(sql).map_err(Error::storage(failed))?;
            let rows = select.query_map(params, stored).map_err(Error::storage(failed))?;
            rows.collect::<Result<_, _>>().map_err(Error::storage(failed))
        })?;
        let records: Result<_, Error> = rows.into_iter().map(|stored| self.open(stored)).collect();
        records.inspect_err(|error| self.watch.met(error))
    }

    fn open(&self, mut stored: Stored) -> Result<Record, Error> {
        let position = stored.position;
        for _ in 0..ATTEMPTS {
            let entry = stored.entry()?;
            let body = match stored.body(&entry)? {
                None => Some(Body::Erased),
                Some((sealed, hash)) => self.sealer.open(&entry, (sealed, &hash))?,
            };
            if let Some(body) = body {
                return Ok(Record { entry, body });
            }
            let Some(again) = self.with(|connection| at(connection, position))? else { break };
            stored = again;
        }
        Err(Error::Corrupt { position, what: "the body does not open with its key" })
    }

    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => store::open_readable(&self.path)?,
        };
        let result = work(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        result.inspect_err(|error| self.watch.met(error))
    }
}

/// The entry at a position that there is.
fn entry_at(connection: &Connection, position: Position) -> Result<Entry, Error> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT bytes FROM entry WHERE position = ?1")
        .and_then(|mut select| select.query_row([position], |row| row.get(0)).optional())
        .map_err(Error::storage("reading an entry"))?;
    let bytes = bytes.ok_or(Error::Corrupt { position, what: "the entry is missing" })?;
    Entry::from_canonical(&bytes)
        .map_err(|_| Error::Corrupt { position, what: "the entry does not decode" })
}

pub(crate) fn last_position(connection: &Connection) -> Result<Position, Error> {
    connection
        .prepare_cached("SELECT coalesce(max(position), 0) FROM entry")
        .and_then(|mut select| select.query_row([], |row| row.get(0)))
        .map_err(Error::storage("reading the last entry"))
}

/// Sealed bytes, and what they must hash to.
pub(crate) type Sealed<'a> = (&'a [u8], Hash);

/// An entry with its body, as they lie in the file.
pub(crate) struct Stored {
    position: Position,
    entry: Vec<u8>,
    body: Option<Vec<u8>>,
    /// Where a resealing names the body: its hash since, or nothing where it was erased.
    resealed: Option<Option<Vec<u8>>>,
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

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let resealed = row.get::<_, bool>(3)?.then(|| row.get(4)).transpose()?;
    Ok(Stored { position: row.get(0)?, entry: row.get(1)?, body: row.get(2)?, resealed })
}

/// The entry at a position, if there is one.
pub(crate) fn at(connection: &Connection, position: Position) -> Result<Option<Stored>, Error> {
    connection
        .prepare_cached(AT)
        .and_then(|mut select| select.query_row([sql(position)], stored).optional())
        .map_err(Error::storage("reading an entry"))
}

/// Everything about a person after a position, in order.
pub(crate) fn of_person(
    connection: &Connection,
    person: PersonId,
    after: Position,
) -> Result<Vec<Stored>, Error> {
    let failed = "reading what there is about a person";
    let mut select = connection.prepare_cached(OF_PERSON).map_err(Error::storage(failed))?;
    let rows =
        select.query_map(params![person.0, sql(after)], stored).map_err(Error::storage(failed))?;
    rows.collect::<Result<_, _>>().map_err(Error::storage(failed))
}

/// Whether the body at a position was erased.
pub(crate) fn is_erased(connection: &Connection, position: Position) -> Result<bool, Error> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM resealed WHERE position = ?1 AND hash IS NULL)",
        )
        .and_then(|mut select| select.query_row([sql(position)], |row| row.get(0)))
        .map_err(Error::storage("looking for an erased body"))
}

/// A position as SQLite's signed integer; no ledger grows past that.
fn sql(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
