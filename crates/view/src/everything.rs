//! Everything about one person, walked in the order it was first recorded.
//!
//! A row number comes from the ledger position of a resource's first version, so that a walk that
//! goes on later meets what it has not met, whatever has changed in between.

use access::permit::ReadPermit;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;

use crate::error::Error;
use crate::project::{row_number, state};
use crate::store::{COLUMNS, Stored, View, stored};

/// What to walk.
#[derive(Clone, Debug)]
pub struct Walk {
    /// Whose.
    pub person: PersonId,
    /// The Patients, instead of everything else.
    pub patients: bool,
    /// Only what was first recorded up to this position.
    pub until: Position,
    /// Only those whose current version was recorded at or after this, milliseconds since 1970.
    pub since: Option<i64>,
    /// Go on after this row; 0 from the start.
    pub after: i64,
}

/// A resource met on the way.
pub struct Step {
    /// Row number, to go on after.
    pub row: i64,
    /// Resource type.
    pub kind: String,
    /// The current version.
    pub stored: Stored,
}

impl View {
    /// At most `count` resources of a walk that the permit opens.
    pub fn everything(
        &self,
        permit: &ReadPermit,
        walk: &Walk,
        count: usize,
    ) -> Result<Vec<Step>, Error> {
        self.with(|connection| {
            let person = [Sql::from(walk.person.0.to_vec())];
            let whose = crate::sql::Builder::new("r.person = ?", person);
            let mut sql = self.limited(connection, permit, whose)?;
            let sign = if walk.patients { "=" } else { "<>" };
            sql.and(&format!("r.kind {sign} 'Patient'"), []);
            sql.and("r.state <> ?", [Sql::from(state::REMOVED)]);
            let until = row_number(walk.until, state::DERIVED);
            sql.and("r.rid > ? AND r.rid <= ?", [Sql::from(walk.after), Sql::from(until)]);
            if let Some(since) = walk.since {
                sql.and("r.updated >= ?", [Sql::from(since)]);
            }
            let text = format!(
                "SELECT {COLUMNS}, r.rid, r.kind FROM resource r WHERE {} ORDER BY r.rid
                 LIMIT {count}",
                sql.text()
            );
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(sql.values()), |row| {
                Ok(Step { stored: stored(row)?, row: row.get(8)?, kind: row.get(9)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Seals where a walk goes on. `of` is what is walked, and must be the same when it is opened.
    pub fn seal_place(&self, of: &str, place: &str) -> Result<String, Error> {
        self.seal.seal(of.as_bytes(), place.as_bytes())
    }

    /// Opens what [`View::seal_place`] made.
    pub fn open_place(&self, of: &str, sealed: &str) -> Result<String, Error> {
        let place = self.seal.open(of.as_bytes(), sealed)?;
        String::from_utf8(place).map_err(|_| Error::Cursor)
    }
}
