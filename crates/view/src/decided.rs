//! What the municipality has decided, as the ledger has it: read when it is opened, so that nobody walks
//! the ledger for it, and when its history is asked for.
//!
//! These are for the decision itself, and so need no permit: they say who may, not what is known.

use record::entry::Position;
use record::identity::PersonId;
use rusqlite::{Row, params};

use crate::error::Error;
use crate::store::{View, person, position};

/// A decision as it was recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its place in the ledger.
    pub position: Position,
    /// When: milliseconds since 1970.
    pub recorded: i64,
    /// Whom it is about; nobody where it is about the register.
    pub person: Option<PersonId>,
    /// The body: a [`record::decision::Decision`] as it was sealed.
    pub body: Vec<u8>,
}

// What is decided may be about a person.
impl std::fmt::Debug for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decided({}, {} bytes)", self.position, self.body.len())
    }
}

impl View {
    /// The decisions after a position, in their order, at most so many.
    pub fn decisions(&self, after: Position, most: usize) -> Result<Vec<Decided>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT position, recorded, person, body FROM decision
                 WHERE position > ?1 ORDER BY position LIMIT ?2",
            )?;
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = select.query_map(params![after, most], decided)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The decisions about nobody before a position, the newest first, at most so many.
    pub fn last_decisions(&self, before: Position, most: usize) -> Result<Vec<Decided>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT position, recorded, person, body FROM decision
                 WHERE person = x'' AND position < ?1 ORDER BY position DESC LIMIT ?2",
            )?;
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = select.query_map(params![before, most], decided)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Whether a source has delivered something since a time, milliseconds since 1970. Where the newest
    /// records that are looked at do not say, it is taken to have.
    pub fn delivers(&self, source: &str, since: i64) -> Result<bool, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT count(*), min(updated), max(updated >= ?2 AND scope IN
                   (SELECT s.scope FROM scope s WHERE s.source = ?1))
                 FROM (SELECT r.updated, r.scope FROM resource r WHERE r.state IN (0, 1)
                   ORDER BY r.version DESC LIMIT ?3)",
            )?;
            let found = select.query_row(params![source, since, LOOKED_AT], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, Option<i64>>(1)?,
                    row.get::<_, Option<bool>>(2)?,
                ))
            })?;
            let (count, oldest, does) = found;
            let unsaid = count >= LOOKED_AT && oldest.is_some_and(|oldest| oldest >= since);
            Ok(does == Some(true) || unsaid)
        })
    }
}

/// Most records that are looked at for the newest delivery of a source.
const LOOKED_AT: i64 = 100_000;

fn decided(row: &Row<'_>) -> rusqlite::Result<Decided> {
    Ok(Decided {
        position: position(row, 0)?,
        recorded: row.get(1)?,
        person: person(row, 2)?,
        body: row.get(3)?,
    })
}
