//! How far each subscriber of a municipality is, and the number of each event it was told of: a small database in
//! the municipality's folder, on disk before anything is sent.
//!
//! Invariants: numbers of a subscription are dense from 1; an event that has a number keeps it, across restarts;
//! nothing of what happened is here, only positions in the ledger.

use std::path::Path;

use record::entry::Position;
use rusqlite::{Connection, OptionalExtension, params};

/// Where a subscription is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The version of the Subscription that shook hands; 0 before the first did.
    pub shaken: Position,
    /// How far the ledger has been looked through.
    pub position: Position,
    /// Number of the last event.
    pub number: u64,
    /// Number of the last event that the subscriber has acknowledged.
    pub delivered: u64,
    /// Why the last attempt failed; empty where it did not.
    pub error: String,
}

/// The places of all.
pub struct Places(Connection);

impl Places {
    /// Opens the file of a municipality, or makes it.
    ///
    /// # Errors
    /// Where it cannot be.
    pub fn open(directory: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(directory.join("subscriptions.db"))?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS place (id TEXT PRIMARY KEY, shaken INTEGER NOT NULL,
                 position INTEGER NOT NULL, number INTEGER NOT NULL, delivered INTEGER NOT NULL,
                 error TEXT NOT NULL) STRICT;
             CREATE TABLE IF NOT EXISTS event (id TEXT NOT NULL, number INTEGER NOT NULL,
                 position INTEGER NOT NULL, PRIMARY KEY (id, number)) STRICT, WITHOUT ROWID;",
        )?;
        Ok(Self(connection))
    }

    /// Where a subscription is; nothing before it began.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn of(&self, id: &str) -> rusqlite::Result<Option<Place>> {
        let text = "SELECT shaken, position, number, delivered, error FROM place WHERE id = ?1";
        let mut select = self.0.prepare_cached(text)?;
        select
            .query_row([id], |row| {
                Ok(Place {
                    shaken: unsigned(row.get(0)?),
                    position: unsigned(row.get(1)?),
                    number: unsigned(row.get(2)?),
                    delivered: unsigned(row.get(3)?),
                    error: row.get(4)?,
                })
            })
            .optional()
    }

    /// Keeps where a subscription is; with the position of the event that has the last number, where it is new.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep(&mut self, id: &str, place: &Place, new: Option<Position>) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        if let Some(position) = new {
            transaction.execute(
                "INSERT INTO event VALUES (?1, ?2, ?3)",
                params![id, signed(place.number), signed(position)],
            )?;
        }
        transaction.execute(
            "INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id,
                signed(place.shaken),
                signed(place.position),
                signed(place.number),
                signed(place.delivered),
                place.error
            ],
        )?;
        transaction.commit()
    }

    /// Positions of the events of a subscription with these numbers, at most `limit`, with their numbers.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn events(
        &self,
        id: &str,
        (from, to): (u64, u64),
        limit: u32,
    ) -> rusqlite::Result<Vec<(u64, Position)>> {
        let mut select = self.0.prepare_cached(
            "SELECT number, position FROM event WHERE id = ?1 AND number BETWEEN ?2 AND ?3
             ORDER BY number LIMIT ?4",
        )?;
        let of = params![id, signed(from), signed(to), limit];
        let rows =
            select.query_map(of, |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))?;
        rows.collect()
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
