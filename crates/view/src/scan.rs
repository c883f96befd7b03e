//! Walking whole stretches of the view in the order resources were first recorded, for export.
//!
//! A row number comes from the ledger position of a resource's first version, so a stretch of row
//! numbers is the same resources for ever, also after the view is rebuilt.

use access::permit::ReadPermit;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::error::Error;
use crate::kinds;
use crate::project::{row_number, state};
use crate::sql::{Piece, marks};
use crate::store::{STORED, Stored, View, stored};

/// What to walk.
#[derive(Clone, Debug)]
pub struct Stretch<'a> {
    /// The resource type.
    pub kind: &'static str,
    /// Resources first recorded after this position,
    pub after: Position,
    /// and up to this one.
    pub until: Position,
    /// The position that the walk stands for: what was there then, though it may be gone by now.
    pub at: Position,
    /// Only those whose current version was recorded at or after this, milliseconds since 1970.
    pub since: Option<i64>,
    /// Those that were removed then, instead of those that were there.
    pub removed: bool,
    /// Whom they must be about.
    pub about: Whom<'a>,
}

/// Whom resources must be about.
#[derive(Clone, Copy, Debug)]
pub enum Whom<'a> {
    /// Anybody or nobody.
    All,
    /// Somebody.
    Somebody,
    /// One of these.
    These(&'a [PersonId]),
}

/// A resource met on the way.
pub struct Met {
    /// Row number, to go on after.
    pub row: i64,
    /// The current version.
    pub stored: Stored,
}

impl View {
    /// Whether the stretch has anything that the permit opens.
    pub fn has_any(&self, permit: &ReadPermit, stretch: &Stretch<'_>) -> Result<bool, Error> {
        self.with(|connection| {
            let sql = self.stretch(connection, permit, stretch, None)?;
            let text = format!("SELECT 1 FROM resource r WHERE {} LIMIT 1", sql.text);
            let mut select = connection.prepare_cached(&text)?;
            let any = select.query_row(params_from_iter(sql.values), |_| Ok(())).optional()?;
            Ok(any.is_some())
        })
    }

    /// At most `count` resources of the stretch, those after row `row`.
    pub fn walk(
        &self,
        permit: &ReadPermit,
        stretch: &Stretch<'_>,
        row: Option<i64>,
        count: usize,
    ) -> Result<Vec<Met>, Error> {
        self.with(|connection| {
            let sql = self.stretch(connection, permit, stretch, row)?;
            let text = STORED.replacen("r.kind", "r.kind, r.rid", 1);
            let text = format!("{text} WHERE {} ORDER BY r.rid LIMIT {count}", sql.text);
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(sql.values), |row| {
                Ok(Met { stored: stored(row)?, row: row.get(9)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn stretch(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
        stretch: &Stretch<'_>,
        row: Option<i64>,
    ) -> Result<Piece, Error> {
        // The rows of a stretch follow each other; the plus keeps SQLite from walking the whole type.
        let mut sql = Piece::new("+r.kind = ?", [Sql::from(kinds::number(stretch.kind))]);
        sql.and(self.limits(connection, permit)?.open("r"));
        let after = row.unwrap_or_else(|| row_number(stretch.after, state::DERIVED));
        let until = row_number(stretch.until, state::DERIVED);
        sql.and(Piece::new("r.rid > ? AND r.rid <= ?", [Sql::from(after), Sql::from(until)]));
        let states = if stretch.removed {
            "(r.state IN (?, ?) AND r.version <= ?)"
        } else {
            "(r.state NOT IN (?, ?) OR r.version > ?)"
        };
        let at = i64::try_from(stretch.at).unwrap_or(i64::MAX);
        let gone = [state::REMOVED, state::ERASED, at];
        sql.and(Piece::new(states, gone.map(Sql::from)));
        sql.and(Piece::new("r.state <> ?", [Sql::from(state::DERIVED)]));
        if let Some(since) = stretch.since {
            sql.and(Piece::new("r.updated >= ?", [Sql::from(since)]));
        }
        match stretch.about {
            Whom::All => {}
            Whom::Somebody => sql.and(Piece::new("r.person <> x''", [])),
            Whom::These(persons) => {
                let persons = persons.iter().map(|person| Sql::from(person.0.to_vec()));
                let text = format!("r.person IN ({})", marks(persons.len()));
                sql.and(Piece::new(text, persons));
            }
        }
        Ok(sql)
    }
}
