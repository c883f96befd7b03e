//! Who is at a unit: the narrow list that a ward's board may show without naming a patient.

use std::collections::BTreeSet;

use fhir::search::parameter;
use record::identity::PersonId;
use record::system;
use rusqlite::Connection;

use crate::error::Error;
use crate::project::state;
use crate::store::{View, person};
use crate::term::Term;

/// Most levels followed from a unit down to its departments.
const DEPTH: usize = 6;

impl View {
    /// Persons with an active service at this unit or below it, in a stable order. A service whose
    /// period had ended `at` that time (milliseconds since 1970) is over, whatever its source last
    /// said: sources often leave it `active`.
    pub(crate) fn persons_at(
        &self,
        connection: &Connection,
        unit: &str,
        at: i64,
    ) -> Result<Vec<PersonId>, Error> {
        let mut persons = BTreeSet::new();
        let sites = self.sites_of(connection, unit)?;
        let literal =
            sites.iter().map(|site| reference(self.terms.reference("Organization", site)));
        // A service may name the unit by its number instead of by a resource.
        let logical = self.terms.logical(Some(system::ENH), unit);
        for term in literal.chain([logical]) {
            for rid in rids(connection, "EpisodeOfCare", "organization", term)? {
                let row = connection
                    .prepare_cached(
                        "SELECT r.person FROM resource r WHERE r.rid = ?1 AND r.state = ?2
                         AND EXISTS (SELECT 1 FROM term t WHERE t.param = ?3 AND t.value = ?4
                         AND t.moment = r.moment AND t.rid = r.rid)
                         AND NOT EXISTS (SELECT 1 FROM span s WHERE s.rid = r.rid AND s.param = ?5
                         AND s.high <= ?6)",
                    )?
                    .query_map(
                        rusqlite::params![
                            rid,
                            state::LIVE,
                            param("EpisodeOfCare", "status"),
                            self.terms.token(None, "active").value,
                            param("EpisodeOfCare", "date"),
                            at,
                        ],
                        |row| person(row, 0),
                    )?
                    .collect::<Result<Vec<_>, _>>()?;
                persons.extend(row.into_iter().flatten());
            }
        }
        Ok(persons.into_iter().collect())
    }

    /// Ids of the unit's Organization and of everything below it.
    fn sites_of(&self, connection: &Connection, unit: &str) -> Result<BTreeSet<String>, Error> {
        let term = self.terms.token(Some(system::ENH), unit);
        let mut found = BTreeSet::new();
        let mut level = self.ids(connection, "identifier", term)?;
        for _ in 0..DEPTH {
            let mut below = Vec::new();
            for id in level {
                if found.insert(id.clone()) {
                    let term = reference(self.terms.reference("Organization", &id));
                    below.extend(self.ids(connection, "partof", term)?);
                }
            }
            level = below;
        }
        Ok(found)
    }

    fn ids(&self, connection: &Connection, code: &str, term: Term) -> Result<Vec<String>, Error> {
        let mut ids = Vec::new();
        for rid in rids(connection, "Organization", code, term)? {
            let mut select = connection.prepare_cached("SELECT id FROM resource WHERE rid = ?1")?;
            ids.push(select.query_row([rid], |row| row.get(0))?);
        }
        Ok(ids)
    }
}

/// The index number of a search parameter; -1, which no row has, for one that does not exist.
pub(crate) fn param(kind: &str, code: &str) -> i64 {
    parameter(kind, code).map_or(-1, |parameter| i64::from(parameter.index_id))
}

fn rids(connection: &Connection, kind: &str, code: &str, term: Term) -> Result<Vec<i64>, Error> {
    let mut select = connection
        .prepare_cached("SELECT rid FROM term WHERE param = ?1 AND value = ?2 AND system = ?3")?;
    let rows = select.query_map([param(kind, code), term.value, term.system], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn reference(value: i64) -> Term {
    Term { value, system: 0 }
}
