//! What is asked about how long information has been kept: when something was last recorded about a person,
//! and the dates and services of it; and, of a record that is to be erased, where its versions stand.
//!
//! These need no permit, as nobody is told any of it but whether a time has run, or whether a request is one
//! to erase something. Nothing else may call them.

use record::entry::Position;
use record::identity::PersonId;
use rusqlite::{params, params_from_iter};

use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::{STORED, Stored, View, person, position, stored};

/// What a source recorded: neither what was derived from it, nor that it was erased.
const RECORDED: &str = "r.state IN (0, 1)";

impl View {
    /// Persons about whom nothing was recorded at a time (milliseconds since 1970) or later, in the order of
    /// their ids. Whoever has an entry that cannot be read is not among them. Reads every row.
    pub fn at_rest(&self, since: i64) -> Result<Vec<PersonId>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT r.person FROM resource r WHERE r.person <> x'' AND {RECORDED}
                     AND r.person NOT IN (SELECT s.person FROM skipped s)
                     GROUP BY r.person HAVING max(r.updated) < ?1 ORDER BY r.person"
            ))?;
            let rows = select.query_map([since], |row| person(row, 0))?;
            let persons: Vec<Option<PersonId>> = rows.collect::<Result<_, _>>()?;
            Ok(persons.into_iter().flatten().collect())
        })
    }

    /// When something was last recorded about a person, milliseconds since 1970; removals count.
    pub fn last_recorded(&self, person: PersonId) -> Result<Option<i64>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT max(r.updated) FROM resource r WHERE r.person = ?1 AND {RECORDED}"
            ))?;
            Ok(select.query_row([person.0], |row| row.get(0))?)
        })
    }

    /// Whether there is anything about a person, were it only that it was erased.
    pub fn knows(&self, person: PersonId) -> Result<bool, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM resource r WHERE r.person = ?1)
                 OR EXISTS (SELECT 1 FROM skipped s WHERE s.person = ?1)",
            )?;
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

    /// Positions of all versions of a resource, in their order.
    pub fn all_versions(&self, kind: &str, id: &str) -> Result<Vec<Position>, Error> {
        let named = self.named(kind, id);
        self.with(|connection| {
            let text = format!(
                "WITH it AS (SELECT r.rid, r.version FROM resource r WHERE {})
                 SELECT version FROM it
                 UNION SELECT v.version FROM version v WHERE v.rid IN (SELECT rid FROM it)
                 ORDER BY 1",
                named.text
            );
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(named.values), |row| position(row, 0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// All current resources of a type about a person.
    pub fn everything_of(&self, person: PersonId, kind: &str) -> Result<Vec<Stored>, Error> {
        self.with(|connection| {
            let text =
                format!("{STORED} WHERE r.person = ?1 AND r.kind = ?2 AND r.state NOT IN (?3, ?4)");
            let mut select = connection.prepare_cached(&text)?;
            let values = params![person.0, kinds::number(kind), state::REMOVED, state::ERASED];
            let rows = select.query_map(values, stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
