//! Everything about one person, walked in the order it was first recorded.
//!
//! A row number comes from the ledger position of a resource's first version, so that a walk that
//! goes on later meets what it has not met, whatever has changed in between.

use access::permit::ReadPermit;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use crate::error::Error;
use crate::kinds;
use crate::project::{row_number, state};
use crate::sql::Piece;
use crate::store::{STORED, Stored, View, stored};

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
            let sql = self.walked(connection, permit, walk)?;
            // Only what is on the page is fetched, not what was looked at.
            let rows = format!(
                "SELECT r.rid FROM resource r WHERE {} ORDER BY r.rid LIMIT {count}",
                sql.text
            );
            let text = STORED.replacen("r.kind", "r.kind, r.rid", 1);
            let text = format!("{text} WHERE r.rid IN ({rows}) ORDER BY r.rid");
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(sql.values), |row| {
                Ok(Step { stored: stored(row)?, row: row.get(9)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many resources a walk meets that the permit opens.
    pub fn everything_counted(&self, permit: &ReadPermit, walk: &Walk) -> Result<usize, Error> {
        self.with(|connection| {
            let sql = self.walked(connection, permit, walk)?;
            let text = format!("SELECT count(*) FROM resource r WHERE {}", sql.text);
            let mut select = connection.prepare_cached(&text)?;
            let count: i64 = select.query_row(params_from_iter(sql.values), |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }

    /// What a resource met on a walk must be.
    fn walked(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
        walk: &Walk,
    ) -> Result<Piece, Error> {
        let person = Sql::from(walk.person.0.to_vec());
        let mut sql = Piece::new("r.person = ?", [person]);
        sql.and(self.limits(connection, permit)?.visible("r"));
        let sign = if walk.patients { "=" } else { "<>" };
        let patient = Sql::from(kinds::number("Patient"));
        sql.and(Piece::new(format!("r.kind {sign} ?"), [patient]));
        let until = Sql::from(row_number(walk.until, state::DERIVED));
        let rows = [Sql::from(walk.after), until];
        // The plus keeps SQLite from walking everybody's rows instead of the person's.
        sql.and(Piece::new("+r.rid > ? AND +r.rid <= ?", rows));
        if let Some(since) = walk.since {
            sql.and(Piece::new("+r.updated >= ?", [Sql::from(since)]));
        }
        Ok(sql)
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
