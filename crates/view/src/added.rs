//! The search parameters that sources have added: `SearchParameter` resources as they are now.
//!
//! The view keeps no index of them. A condition or an order on one is judged by reading the resources
//! that the rest of a search leads to, as other rare questions are (`verify`).

use rusqlite::params;

use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::View;

/// What tells one state of the definitions from another: how many there are, and the latest version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    count: i64,
    latest: i64,
}

/// A stored definition: its logical id, and the resource as JSON.
pub type Definition = (String, Vec<u8>);

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
            let mut select = snapshot.prepare_cached(
                "SELECT r.id, c.body FROM resource r CROSS JOIN content c ON c.rid = r.rid
                 WHERE r.kind = ?1 AND r.state <> ?2 ORDER BY r.rid",
            )?;
            let rows = select.query_map(of, |row| Ok((row.get(0)?, row.get(1)?)))?;
            let definitions = rows.collect::<Result<_, _>>()?;
            Ok(Some((mark, definitions)))
        })
    }
}
