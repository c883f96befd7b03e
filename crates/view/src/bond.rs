//! What the analysis of the log compares looks with: who somebody is, and which units have to do with them.
//!
//! These need no permit, as no reader is told any of it: the analysis takes dates, units, names and
//! addresses out, and what it then tells is only that they are alike. Nothing else may call them.

use record::identity::PersonId;
use rusqlite::params;

use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::store::{STORED, Stored, View, stored};
use crate::unit::param;

impl View {
    /// A person's current resources of a type; those about nobody where there is no person.
    pub fn bonds(&self, person: Option<PersonId>, kind: &str) -> Result<Vec<Stored>, Error> {
        self.with(|connection| {
            let text =
                format!("{STORED} WHERE r.person = ?1 AND r.kind = ?2 AND r.state = ?3 LIMIT ?4");
            let mut select = connection.prepare_cached(&text)?;
            let person = person.map(|person| person.0.to_vec()).unwrap_or_default();
            let values = params![person, kinds::number(kind), state::LIVE, MOST];
            let rows = select.query_map(values, stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Family names as written, and how many residents have each.
    pub fn family_names(&self) -> Result<Vec<(String, u64)>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT exact, count(*) FROM word WHERE param = ?1 GROUP BY exact",
            )?;
            let rows = select.query_map([param("Patient", "family")], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Most resources of a type that are looked at for one person.
const MOST: i64 = 2_000;
