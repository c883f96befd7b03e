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
}

fn decided(row: &Row<'_>) -> rusqlite::Result<Decided> {
    Ok(Decided {
        position: position(row, 0)?,
        recorded: row.get(1)?,
        person: person(row, 2)?,
        body: row.get(3)?,
    })
}
