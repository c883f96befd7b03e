//! Reading the view: one resource, its versions, and what one person has.
//!
//! Readers share a pool of connections and never wait for the projector.

use std::path::{Path, PathBuf};

use access::permit::{ReadPermit, Withheld};
use fhir::search::set::Parameters;
use parking_lot::Mutex;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::project::state;
use crate::schema::{self, Budget};
use crate::seal::Seal;
use crate::sql::{Piece, marks};
use crate::term::Terms;

/// A view, open for reading.
pub struct View {
    path: PathBuf,
    idle: Mutex<Vec<(Connection, Budget)>>,
    pub(crate) terms: Terms,
    pub(crate) parameters: Parameters,
    pub(crate) seal: Seal,
    pub(crate) most: i64,
}

/// A stored resource.
#[derive(Clone)]
pub struct Stored {
    /// Resource type.
    pub kind: &'static str,
    /// Logical id.
    pub id: String,
    /// Version: the ledger position.
    pub version: Position,
    /// When it was recorded, milliseconds since 1970.
    pub updated: i64,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Category key.
    pub category: String,
    /// Owner's organisation number.
    pub owner: String,
    /// Source system.
    pub source: String,
    /// The resource as JSON, ready to send.
    pub body: Vec<u8>,
}

/// What the decision needs to know about a resource before it can be read. No content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Current version.
    pub version: Position,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Category key.
    pub category: String,
    /// Owner's organisation number.
    pub owner: String,
    /// Source system.
    pub source: String,
    /// Whether it is gone: its owner removed it, or it was erased.
    pub removed: bool,
    /// Whether it was erased for good.
    pub erased: bool,
    /// Whether the platform derived it and no source has sent it.
    pub derived: bool,
}

/// What a read finds.
pub enum Found {
    /// The current version.
    Current(Stored),
    /// It is gone: its owner removed it, or it was erased.
    Removed,
    /// Nothing that the permit opens.
    Nothing,
}

/// Columns of [`Stored`], in the order [`stored`] reads them, and where they come from.
pub(crate) const STORED: &str = "SELECT r.id, r.version, r.updated, r.person, s.category, s.owner,
    s.source, c.body, r.kind
    FROM resource r CROSS JOIN scope s ON s.scope = r.scope CROSS JOIN content c ON c.rid = r.rid";

/// Most instructions of SQLite for one type of one search, all attempts together: a second or two.
const MOST: i64 = 40_000_000;

/// So many times that for a whole search: of several types, counted, with what it includes.
pub(crate) const WHOLE: i64 = 4;

impl View {
    /// Opens a view that a projector has made.
    pub fn open(path: &Path, index_key: [u8; 16]) -> Result<Self, Error> {
        Self::open_with(path, index_key, Parameters::r4().clone())
    }

    /// Opens a view that a projector has made with these search parameters.
    pub fn open_with(
        path: &Path,
        index_key: [u8; 16],
        parameters: Parameters,
    ) -> Result<Self, Error> {
        let view = Self {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            terms: Terms::new(index_key),
            parameters,
            seal: Seal::new(index_key),
            most: MOST,
        };
        view.with(|_| Ok(()))?;
        Ok(view)
    }

    /// The same view with another limit to the work of one search, in instructions of SQLite.
    #[must_use]
    pub fn limited_to(self, instructions: i64) -> Self {
        Self { most: instructions, ..self }
    }

    /// Runs `query` on an idle connection.
    pub(crate) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.within(|connection, _| query(connection))
    }

    /// Runs `query` on an idle connection, with its budget, which is lifted afterwards.
    pub(crate) fn within<T>(
        &self,
        query: impl FnOnce(&Connection, &Budget) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().pop();
        let (connection, budget) = match idle {
            Some(idle) => idle,
            None => schema::open_reader(&self.path)?,
        };
        let result = query(&connection, &budget);
        budget.lift();
        budget.begin(i64::MAX);
        self.idle.lock().push((connection, budget));
        result
    }

    /// Owner, person and category of a resource, for the decision.
    pub fn locate(&self, kind: &str, id: &str) -> Result<Option<Located>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT r.version, r.person, s.category, s.owner, s.source, r.state
                 FROM resource r CROSS JOIN scope s ON s.scope = r.scope
                 WHERE r.self = ?1 AND +r.kind = ?2 AND r.id = ?3",
            )?;
            let of = self.terms.reference(kind, id);
            let located = select
                .query_row(params![of, kinds::number(kind), id], |row| {
                    let state: i64 = row.get(5)?;
                    Ok(Located {
                        version: position(row, 0)?,
                        person: person(row, 1)?,
                        category: row.get(2)?,
                        owner: row.get(3)?,
                        source: row.get(4)?,
                        removed: matches!(state, state::REMOVED | state::ERASED),
                        erased: state == state::ERASED,
                        derived: state == state::DERIVED,
                    })
                })
                .optional()?;
            Ok(located)
        })
    }

    /// The current version of a resource.
    pub fn read(&self, permit: &ReadPermit, kind: &str, id: &str) -> Result<Found, Error> {
        self.with(|connection| {
            let mut sql = self.named(kind, id);
            sql.and(self.limits(connection, permit)?.open("r"));
            // The state comes after the columns of what is stored.
            let text = STORED.replacen("r.kind", "r.kind, r.state", 1);
            let text = format!("{text} WHERE {}", sql.text);
            let found = connection
                .prepare_cached(&text)?
                .query_row(params_from_iter(sql.values), |row| {
                    Ok((stored(row)?, row.get::<_, i64>(9)?))
                })
                .optional()?;
            Ok(match found {
                Some((_, state::REMOVED | state::ERASED)) => Found::Removed,
                Some((stored, _)) => Found::Current(stored),
                None => Found::Nothing,
            })
        })
    }

    /// Positions of all versions of a resource, the newest first; empty where the permit does not
    /// open it or it was derived.
    pub fn versions(
        &self,
        permit: &ReadPermit,
        kind: &str,
        id: &str,
    ) -> Result<Vec<Position>, Error> {
        self.with(|connection| {
            let mut sql = self.named(kind, id);
            sql.and(self.limits(connection, permit)?.open("r"));
            sql.and(Piece::new("r.state <> ?", [Sql::from(state::DERIVED)]));
            let text = format!("SELECT r.rid, r.version FROM resource r WHERE {}", sql.text);
            let found = connection
                .prepare_cached(&text)?
                .query_row(params_from_iter(sql.values), |row| {
                    Ok((row.get::<_, i64>(0)?, position(row, 1)?))
                })
                .optional()?;
            let Some((rid, current)) = found else { return Ok(Vec::new()) };
            let mut versions = vec![current];
            let mut select = connection.prepare_cached(
                "SELECT version FROM version WHERE rid = ?1 ORDER BY version DESC",
            )?;
            for version in select.query_map([rid], |row| position(row, 0))? {
                versions.push(version?);
            }
            Ok(versions)
        })
    }

    /// Every current resource of a type that the permit opens, in the order they were first
    /// recorded. For composing one person's information services.
    pub fn records(&self, permit: &ReadPermit, kind: &str) -> Result<Vec<Stored>, Error> {
        self.with(|connection| {
            let limits = self.limits(connection, permit)?;
            let mut sql = Piece::new("r.kind = ?", [Sql::from(kinds::number(kind))]);
            if let Some(persons) = &limits.persons {
                let text = format!("r.person IN ({})", marks(persons.len()));
                sql.and(Piece::new(text, persons.clone()));
            }
            sql.and(limits.visible("r"));
            let text = format!("{STORED} WHERE {} ORDER BY r.rid", sql.text);
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(sql.values), stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The persons a permit reaches, without those of whom it withholds everything; none where it
    /// reaches anybody.
    pub fn persons(&self, permit: &ReadPermit) -> Result<Vec<PersonId>, Error> {
        let mut persons = self.reached(permit)?;
        persons.retain(|person| permit.withheld(*person) != Withheld::Everything);
        Ok(persons)
    }

    /// The persons a permit reaches, whatever it withholds of them; none where it reaches anybody.
    pub fn reached(&self, permit: &ReadPermit) -> Result<Vec<PersonId>, Error> {
        let persons = self.with(|connection| self.reach(connection, permit))?;
        Ok(persons.unwrap_or_default())
    }

    /// Whether the reader is to be told that somebody within reach withholds something: only where the
    /// municipality has decided so. What owners' labels withhold is not told of.
    pub fn tells_withheld(&self, permit: &ReadPermit) -> Result<bool, Error> {
        if !permit.tells_withheld() {
            return Ok(false);
        }
        let reached = self.reached(permit)?;
        Ok(reached.iter().any(|person| permit.withheld(*person) != Withheld::Nothing))
    }

    /// Positions of entries that could not be read, among what the permit opens: an answer under
    /// this permit is incomplete without them.
    pub fn skipped(&self, permit: &ReadPermit) -> Result<Vec<Position>, Error> {
        self.with(|connection| self.skipped_in(connection, permit))
    }

    pub(crate) fn skipped_in(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
    ) -> Result<Vec<Position>, Error> {
        let sql = self.limits(connection, permit)?.told("r");
        let text =
            format!("SELECT r.position FROM skipped r WHERE {} ORDER BY r.position", sql.text);
        let mut select = connection.prepare_cached(&text)?;
        let rows = select.query_map(params_from_iter(sql.values), |row| position(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The condition that a row `r` of `resource` is this one. The plus keeps an index by type, which
    /// would walk the whole type, from seeming as good as the one by the row's own hash.
    pub(crate) fn named(&self, kind: &str, id: &str) -> Piece {
        let values = [
            Sql::from(self.terms.reference(kind, id)),
            Sql::from(kinds::number(kind)),
            Sql::from(id.to_owned()),
        ];
        Piece::new("r.self = ? AND +r.kind = ? AND r.id = ?", values)
    }
}

/// Reads [`STORED`].
pub(crate) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        kind: kinds::name(row.get(8)?),
        id: row.get(0)?,
        version: position(row, 1)?,
        updated: row.get(2)?,
        person: person(row, 3)?,
        category: row.get(4)?,
        owner: row.get(5)?,
        source: row.get(6)?,
        body: row.get::<_, Content>(7)?.0,
    })
}

pub(crate) fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<Position> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

pub(crate) fn person(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<PersonId>> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.first_chunk().copied().map(PersonId))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_is_found_by_its_hash_and_a_persons_by_the_person() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("view.db");
        let writer = schema::open_writer(&path).unwrap();
        let view = View::open(&path, [7; 16]).unwrap();
        let how = |text: &str, count: usize| {
            let mut explain = writer.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
            let values = vec![Sql::from(1); count];
            let told = explain.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
            told.unwrap().collect::<Result<Vec<_>, _>>().unwrap().join("; ")
        };
        let named = view.named("Patient", "p");
        let found = how(&format!("{STORED} WHERE {}", named.text), named.values.len());
        assert!(found.contains("resource_self (self=?)"), "{found}");
        let records = format!("{STORED} WHERE r.kind = ? AND r.person IN (?, ?) AND +r.person = ?");
        let found = how(&records, 4);
        assert!(found.contains("resource_person (person=? AND kind=?)"), "{found}");
    }
}
