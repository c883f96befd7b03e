//! Reading the view: one resource, its versions, and what one person has.
//!
//! Readers share a pool of connections and never wait for the projector.

use std::path::{Path, PathBuf};

use access::permit::{Reach, ReadPermit};
use parking_lot::Mutex;
use record::catalogue::Catalogue;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use crate::error::Error;
use crate::project::state;
use crate::schema;
use crate::seal::Seal;
use crate::sql::Builder;
use crate::term::Terms;

/// A view, open for reading.
pub struct View {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    pub(crate) terms: Terms,
    pub(crate) seal: Seal,
}

/// A stored resource.
#[derive(Clone)]
pub struct Stored {
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
    /// Whether its owner removed it.
    pub removed: bool,
    /// Whether the platform derived it and no source has sent it.
    pub derived: bool,
}

/// What a read finds.
pub enum Found {
    /// The current version.
    Current(Stored),
    /// Its owner removed it.
    Removed,
    /// Nothing that the permit opens.
    Nothing,
}

/// Columns of [`Stored`], in the order [`stored`] reads them.
pub(crate) const COLUMNS: &str =
    "r.id, r.version, r.updated, r.person, r.category, r.owner, r.source, r.body";

impl View {
    /// Opens a view that a projector has made.
    pub fn open(path: &Path, index_key: [u8; 16]) -> Result<Self, Error> {
        let view = Self {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
            terms: Terms::new(index_key),
            seal: Seal::new(index_key),
        };
        view.with(|_| Ok(()))?;
        Ok(view)
    }

    /// Runs `query` on an idle connection.
    pub(crate) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let result = query(&connection);
        self.idle.lock().push(connection);
        result
    }

    /// Owner, person and category of a resource, for the decision.
    pub fn locate(&self, kind: &str, id: &str) -> Result<Option<Located>, Error> {
        self.with(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT version, person, category, owner, source, state FROM resource
                 WHERE kind = ?1 AND id = ?2",
            )?;
            let located = select
                .query_row([kind, id], |row| {
                    let state: i64 = row.get(5)?;
                    Ok(Located {
                        version: position(row, 0)?,
                        person: person(row, 1)?,
                        category: row.get(2)?,
                        owner: row.get(3)?,
                        source: row.get(4)?,
                        removed: state == state::REMOVED,
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
            let mut sql = self.permitted(connection, permit, kind)?;
            sql.and("r.id = ?", [Sql::from(id.to_owned())]);
            let text = format!("SELECT {COLUMNS}, r.state FROM resource r WHERE {}", sql.text());
            let found = connection
                .prepare_cached(&text)?
                .query_row(params_from_iter(sql.values()), |row| {
                    Ok((stored(row)?, row.get::<_, i64>(8)?))
                })
                .optional()?;
            Ok(match found {
                Some((_, state::REMOVED)) => Found::Removed,
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
            let mut sql = self.permitted(connection, permit, kind)?;
            sql.and("r.id = ?", [Sql::from(id.to_owned())]);
            sql.and("r.state <> ?", [Sql::from(state::DERIVED)]);
            let text = format!("SELECT r.rid, r.version FROM resource r WHERE {}", sql.text());
            let found = connection
                .prepare_cached(&text)?
                .query_row(params_from_iter(sql.values()), |row| {
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
            let mut sql = self.permitted(connection, permit, kind)?;
            sql.and("r.state <> ?", [Sql::from(state::REMOVED)]);
            let text =
                format!("SELECT {COLUMNS} FROM resource r WHERE {} ORDER BY r.rid", sql.text());
            let mut select = connection.prepare_cached(&text)?;
            let rows = select.query_map(params_from_iter(sql.values()), stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The persons a permit reaches, where it reaches those of a unit.
    pub fn persons(&self, permit: &ReadPermit) -> Result<Vec<PersonId>, Error> {
        match permit.reach() {
            Reach::Person(person) => Ok(vec![*person]),
            Reach::Unit { unit, at } => {
                self.with(|connection| self.persons_at(connection, unit, *at))
            }
            Reach::Any => Ok(Vec::new()),
        }
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
        let sql = self.limited(connection, permit, Builder::new("1", []))?;
        let text =
            format!("SELECT r.position FROM skipped r WHERE {} ORDER BY r.position", sql.text());
        let mut select = connection.prepare_cached(&text)?;
        let rows = select.query_map(params_from_iter(sql.values()), |row| position(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The limits of a permit as SQL over `resource r`.
    pub(crate) fn permitted(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
        kind: &str,
    ) -> Result<Builder, Error> {
        let sql = Builder::new("r.kind = ?", [Sql::from(kind.to_owned())]);
        self.limited(connection, permit, sql)
    }

    /// Adds the limits of a permit on a table `r` with person, category, owner and source.
    pub(crate) fn limited(
        &self,
        connection: &Connection,
        permit: &ReadPermit,
        mut sql: Builder,
    ) -> Result<Builder, Error> {
        match permit.reach() {
            Reach::Person(person) => only(&mut sql, permit, &[*person]),
            Reach::Unit { unit, at } => {
                only(&mut sql, permit, &self.persons_at(connection, unit, *at)?);
            }
            Reach::Any => {}
        }
        let categories = permit.categories().iter().map(|key| Sql::from((*key).to_owned()));
        sql.and_one_of("r.category", categories.collect());
        if let Some((owner, source)) = permit.owned_by() {
            sql.and(
                "r.owner = ? AND r.source = ?",
                [Sql::from(owner.to_owned()), Sql::from(source.to_owned())],
            );
        }
        Ok(sql)
    }
}

/// Reads [`COLUMNS`].
pub(crate) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        version: position(row, 1)?,
        updated: row.get(2)?,
        person: person(row, 3)?,
        category: row.get(4)?,
        owner: row.get(5)?,
        source: row.get(6)?,
        body: row.get(7)?,
    })
}

pub(crate) fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<Position> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

pub(crate) fn person(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<PersonId>> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.first_chunk().copied().map(PersonId))
}

/// Limits to these persons. What is about no person, such as where to call, belongs to nobody's
/// reach; what is about nobody in a category about persons, such as a device that is not said to be
/// anybody's, is within no person's.
fn only(sql: &mut Builder, permit: &ReadPermit, persons: &[PersonId]) {
    let mut reached: Vec<Sql> = persons.iter().map(|it| Sql::from(it.0.to_vec())).collect();
    let is_about_nobody =
        |key: &&&str| Catalogue::get().category(key).is_some_and(|category| !category.about_person);
    let open: Vec<&&str> = permit.categories().iter().filter(is_about_nobody).collect();
    if !open.is_empty() {
        reached.push(Sql::from(Vec::new()));
    }
    sql.and_one_of("r.person", reached);
    if !open.is_empty() && open.len() < permit.categories().len() {
        let marks = vec!["?"; open.len()].join(", ");
        let keys = open.iter().map(|key| Sql::from((**key).to_owned()));
        sql.and(&format!("(r.person <> x'' OR r.category IN ({marks}))"), keys);
    }
}
