//! The search parameters that sources have added: `SearchParameter` resources as they are now.
//!
//! Each has an index under a number of its own (`addition.rs`). A search trusts it once all that
//! was recorded before the definition is in it too, by what its own snapshot says; until then a
//! condition or an order on the parameter is judged by reading the resources that the rest of the
//! search leads to, as other rare questions are (`verify`), and nothing is followed by it.

use fhir::query::Condition;
use fhir::search::SearchParameter;
use rusqlite::{Connection, params};

use crate::addition;
use crate::condition::Ask;
use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::View;

/// Numbers above this are those of no index, for a parameter that has none.
pub const LAST: u16 = addition::LAST;

/// What tells one state of the definitions from another: how many there are, and the latest version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    count: i64,
    latest: i64,
}

/// A stored definition.
pub struct Definition {
    /// Its logical id.
    pub id: String,
    /// The resource as JSON.
    pub body: Vec<u8>,
    /// The number that its values have in the index, if they are there or on their way. It is this
    /// definition's for ever.
    pub number: Option<u16>,
}

/// What a step through old data did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The number.
    pub number: u16,
    /// Whether its rows are taken out, and not written.
    pub leaving: bool,
    /// Whether old data began to be gone through with this step.
    pub first: bool,
    /// Whether nothing is left to do for the number.
    pub last: bool,
}

impl View {
    /// The definitions, in the order they were first recorded, with their mark; nothing if the mark
    /// is still `known`. They are about nobody and for everybody, so no permit is asked for.
    pub fn definitions(&self, known: Mark) -> Result<Option<(Mark, Vec<Definition>)>, Error> {
        self.with(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let of = params![kinds::number("SearchParameter"), state::REMOVED];
            let mark = snapshot
                .prepare_cached(
                    "SELECT count(*), coalesce(max(version), 0) FROM resource
                     WHERE kind = ?1 AND state <> ?2",
                )?
                .query_row(of, |row| Ok(Mark { count: row.get(0)?, latest: row.get(1)? }))?;
            if mark == known {
                return Ok(None);
            }
            let mut select = snapshot.prepare_cached(&format!(
                "SELECT r.id, c.body, a.number FROM resource r CROSS JOIN content c ON c.rid = r.rid
                 LEFT JOIN added a ON a.rid = r.rid AND a.state <> {}
                 WHERE r.kind = ?1 AND r.state <> ?2 ORDER BY r.rid",
                addition::state::LEAVING
            ))?;
            let rows = select.query_map(of, |row| {
                let Content(body) = row.get(1)?;
                Ok(Definition { id: row.get(0)?, body, number: row.get(2)? })
            })?;
            let definitions = rows.collect::<Result<_, _>>()?;
            Ok(Some((mark, definitions)))
        })
    }
}

impl Ask<'_> {
    /// Whether the index has all values of a parameter.
    pub(crate) fn has_index(&self, parameter: &SearchParameter) -> bool {
        !parameter.is_added() || self.complete.binary_search(&parameter.index_id).is_ok()
    }

    /// Whether an index says of a parameter what a condition asks: of an added one never whether there
    /// is a value at all, which shapes tell of the others.
    pub(crate) fn tells(&self, parameter: &SearchParameter, condition: &Condition) -> bool {
        let missing = matches!(condition, Condition::Missing(_));
        self.has_index(parameter) && !(missing && parameter.is_added())
    }

    /// Refuses to go from one resource to another by a parameter without an index.
    pub(crate) fn can_follow(&self, parameter: &SearchParameter) -> Result<(), Error> {
        if self.has_index(parameter) { Ok(()) } else { Err(Error::NoIndex) }
    }
}

/// The numbers whose index has everything, in order.
pub(crate) fn complete(connection: &Connection) -> Result<Vec<u16>, Error> {
    let mut select =
        connection.prepare_cached("SELECT number FROM added WHERE state = ?1 ORDER BY number")?;
    let numbers = select.query_map([addition::state::COMPLETE], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}
