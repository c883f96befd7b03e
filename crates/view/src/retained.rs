//! What is asked about how long information has been kept: when something was last recorded about a person,
//! and the dates and services of it.
//!
//! These need no permit, as nobody is told any of it but whether a time has run. Nothing else may call them.

use record::identity::PersonId;
use rusqlite::params;

use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::{STORED, Stored, View, person, stored};

impl View {
    /// Persons about whom nothing was recorded at a time (milliseconds since 1970) or later, in the order of
    /// their ids. Whoever has an entry that cannot be read is not among them. Reads every row.
    pub fn at_rest(&self, since: i64) -> Result<Vec<PersonId>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT r.person FROM resource r WHERE r.person <> x''
                 AND r.person NOT IN (SELECT s.person FROM skipped s)
                 GROUP BY r.person HAVING max(r.updated) < ?1 ORDER BY r.person",
            )?;
            let rows = select.query_map([since], |row| person(row, 0))?;
            let persons: Vec<Option<PersonId>> = rows.collect::<Result<_, _>>()?;
            Ok(persons.into_iter().flatten().collect())
        })
    }

    /// When something was last recorded about a person, milliseconds since 1970; removals count.
    pub fn last_recorded(&self, person: PersonId) -> Result<Option<i64>, Error> {
        self.with(|connection| {
            let mut select = connection
                .prepare_cached("SELECT max(r.updated) FROM resource r WHERE r.person = ?1")?;
            Ok(select.query_row([person.0], |row| row.get(0))?)
        })
    }

    /// Whether there is an entry about a person that cannot be read.
    pub fn has_skipped(&self, person: PersonId) -> Result<bool, Error> {
        self.with(|connection| {
            let mut select = connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM skipped s WHERE s.person = ?1)")?;
            Ok(select.query_row([person.0], |row| row.get(0))?)
        })
    }

    /// All current resources of a type about a person.
    pub fn everything_of(&self, person: PersonId, kind: &str) -> Result<Vec<Stored>, Error> {
        self.with(|connection| {
            let text = format!("{STORED} WHERE r.person = ?1 AND r.kind = ?2 AND r.state <> ?3");
            let mut select = connection.prepare_cached(&text)?;
            let values = params![person.0, kinds::number(kind), state::REMOVED];
            let rows = select.query_map(values, stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
