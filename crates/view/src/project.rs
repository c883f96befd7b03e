//! The projector: applies ledger entries to the view, in order, many in one transaction.
//!
//! Invariants: the view after entry n depends only on entries 1…n, not on how they were batched,
//! so that a rebuilt view equals the live one, row numbers and all, also after an erasure; the
//! position is written in the same transaction as what it covers, so that a crash resumes exactly;
//! an entry that cannot be read is put down as skipped and stops nobody else's.

use std::path::Path;

use fhir::definitions::resource_kind;
use fhir::instant::format_instant;
use fhir::json;
use fhir::resource::Resource;
use fhir::search::{self, IndexEntry, IndexValue};
use fhir::value::Value;
use ledger::append::{Body, Committed, Record};
use record::about::{Elements, elements};
use record::entry::{Entry, Kind, Position};
use record::envelope::Envelope;
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::error::Error;
use crate::schema;
use crate::term::{Term, Terms};

/// The state of a row of `resource`.
pub mod state {
    /// As the owner last recorded it.
    pub const LIVE: i64 = 0;
    /// Removed by the owner.
    pub const REMOVED: i64 = 1;
    /// A Patient that no source has sent, made from the identifier in another resource so that the
    /// person can be found.
    pub const DERIVED: i64 = 2;
}

/// The one writer of a view.
pub struct Projector {
    connection: Connection,
    terms: Terms,
    position: Position,
}

/// A resource as it is now in the view.
struct Current {
    rid: i64,
    version: i64,
    state: i64,
    body: Vec<u8>,
}

impl Current {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { rid: row.get(0)?, version: row.get(1)?, state: row.get(2)?, body: row.get(3)? })
    }
}

impl Projector {
    /// Opens the view for writing.
    pub fn open(path: &Path, index_key: [u8; 16]) -> Result<Self, Error> {
        let connection = schema::open_writer(path)?;
        let position = connection
            .query_row("SELECT value FROM meta WHERE key = 'position'", [], |row| {
                row.get::<_, i64>(0)
            })
            .optional()?
            .unwrap_or(0)
            .unsigned_abs();
        Ok(Self { connection, terms: Terms::new(index_key), position })
    }

    /// The last entry that is applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Applies what was just committed; entries the view has already are passed over. Returns the
    /// positions of entries that could not be read: the view is incomplete without them, says so
    /// ([`crate::store::View::skipped`]) and goes on.
    pub fn apply(&mut self, committed: &[&Committed]) -> Result<Vec<Position>, Error> {
        let known = self.position;
        self.transact(
            committed
                .iter()
                .filter(|committed| committed.entry.position > known)
                .map(|committed| (&committed.entry, Some(committed.body.as_slice()))),
        )
    }

    /// Applies entries read back from the ledger, as [`Projector::apply`]. An erased body projects
    /// to nothing.
    pub fn replay(&mut self, records: &[Record]) -> Result<Vec<Position>, Error> {
        self.transact(records.iter().map(|record| {
            let body = match &record.body {
                Body::Plain(body) => Some(body.as_slice()),
                Body::Erased => None,
            };
            (&record.entry, body)
        }))
    }

    fn transact<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a Entry, Option<&'a [u8]>)>,
    ) -> Result<Vec<Position>, Error> {
        let transaction = self.connection.transaction()?;
        let mut position = self.position;
        let mut skipped = Vec::new();
        for (entry, body) in entries {
            let step = Step { transaction: &transaction, terms: &self.terms, entry };
            match (entry.kind, body) {
                (Kind::Version | Kind::Removal, Some(body)) => {
                    if !step.project(body)? {
                        step.skip()?;
                        skipped.push(entry.position);
                    }
                }
                (Kind::Erasure, _) => step.erase()?,
                // An erased body, or a kind that is not about resources.
                (Kind::Version | Kind::Removal, None) | (Kind::Audit, _) => {}
            }
            position = entry.position;
        }
        if position == self.position {
            return Ok(skipped);
        }
        transaction
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('position', ?1)")?
            .execute([signed(position)])?;
        transaction.commit()?;
        self.position = position;
        Ok(skipped)
    }
}

/// What the body of an entry says. Nothing is written before all of it is understood.
enum Content {
    /// A resource as its owner recorded it.
    Version { id: String, resource: Resource },
    /// A resource removed by its owner.
    Removal { kind: &'static str, id: String },
}

/// Reads a body; `None` where it is no known format or not what its envelope says.
fn content(entry: &Entry, body: &[u8]) -> Option<Content> {
    let (Envelope { kind, id, .. }, json) = Envelope::open(body).ok()?;
    let kind = resource_kind(&kind)?;
    if entry.kind == Kind::Removal {
        return Some(Content::Removal { kind, id });
    }
    let mut resource = Resource::from_value(json::parse(json).ok()?).ok()?;
    resource.set_meta(&entry.position.to_string(), &format_instant(entry.recorded_at));
    (resource.kind() == kind).then_some(Content::Version { id, resource })
}

/// One entry on its way into the view.
struct Step<'a> {
    transaction: &'a Transaction<'a>,
    terms: &'a Terms,
    entry: &'a Entry,
}

impl Step<'_> {
    /// `false` where the entry cannot be understood; then nothing is changed.
    fn project(&self, body: &[u8]) -> Result<bool, Error> {
        match content(self.entry, body) {
            Some(Content::Version { id, resource }) => self.record(&id, &resource).map(|()| true),
            Some(Content::Removal { kind, id }) => self.remove(kind, &id),
            None => Ok(false),
        }
    }

    /// Puts the entry down as one that could not be read.
    fn skip(&self) -> Result<(), Error> {
        self.transaction
            .prepare_cached(
                "INSERT INTO skipped (position, person, category, owner, source)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                signed(self.entry.position),
                whose(self.entry),
                self.entry.category,
                self.entry.owner,
                self.entry.source,
            ])?;
        Ok(())
    }

    fn record(&self, id: &str, resource: &Resource) -> Result<(), Error> {
        if let Some(person) = self.entry.person {
            self.settle_patient(resource, person)?;
        }
        let mut current = self.current(resource.kind(), id)?;
        // What the platform derived makes way for what a source records.
        if let Some(derived) = current.take_if(|current| current.state == state::DERIVED) {
            self.delete(&derived)?;
        }
        let rid = self.put(resource, id, state::LIVE, current)?;
        self.index(rid, resource)
    }

    fn current(&self, kind: &str, id: &str) -> Result<Option<Current>, Error> {
        let mut select = self.transaction.prepare_cached(
            "SELECT rid, version, state, body FROM resource WHERE kind = ?1 AND id = ?2",
        )?;
        let current = select.query_row([kind, id], Current::read).optional()?;
        Ok(current)
    }

    /// Writes the row; what stood there becomes an earlier version.
    fn put(
        &self,
        resource: &Resource,
        id: &str,
        state: i64,
        current: Option<Current>,
    ) -> Result<i64, Error> {
        let mut body = Vec::with_capacity(2_048);
        json::print_to(resource.value(), &mut body);
        if let Some(current) = current {
            self.retire(&current)?;
            self.transaction
                .prepare_cached(
                    "UPDATE resource SET version = ?2, updated = ?3, person = ?4, category = ?5,
                     owner = ?6, source = ?7, state = ?8, body = ?9 WHERE rid = ?1",
                )?
                .execute(params![
                    current.rid,
                    signed(self.entry.position),
                    self.entry.recorded_at,
                    whose(self.entry),
                    self.entry.category,
                    self.entry.owner,
                    self.entry.source,
                    state,
                    body,
                ])?;
            return Ok(current.rid);
        }
        let rid = row_number(self.entry.position, state);
        self.transaction
            .prepare_cached(
                "INSERT INTO resource (rid, kind, id, version, updated, person, category, owner,
                 source, state, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                rid,
                resource.kind(),
                id,
                signed(self.entry.position),
                self.entry.recorded_at,
                whose(self.entry),
                self.entry.category,
                self.entry.owner,
                self.entry.source,
                state,
                body,
            ])?;
        Ok(rid)
    }

    /// Takes a resource out of the index and keeps its version number for history.
    fn retire(&self, current: &Current) -> Result<(), Error> {
        self.unindex(current)?;
        if current.state != state::DERIVED {
            self.transaction
                .prepare_cached("INSERT OR IGNORE INTO version (rid, version) VALUES (?1, ?2)")?
                .execute([current.rid, current.version])?;
        }
        Ok(())
    }

    /// `false` where there is nothing to remove.
    fn remove(&self, kind: &'static str, id: &str) -> Result<bool, Error> {
        let empty = Resource::from_value(fhir::json!({ "resourceType": kind }));
        let (Some(current), Ok(empty)) = (self.current(kind, id)?, empty) else {
            return Ok(false);
        };
        self.put(&empty, id, state::REMOVED, Some(current)).map(|_| true)
    }

    /// Everything about the person leaves the view.
    fn erase(&self) -> Result<(), Error> {
        let Some(person) = self.entry.person else { return Ok(()) };
        let rows: Vec<Current> = self
            .transaction
            .prepare_cached("SELECT rid, version, state, body FROM resource WHERE person = ?1")?
            .query_map([person.0], Current::read)?
            .collect::<Result<_, _>>()?;
        for row in rows {
            self.delete(&row)?;
        }
        self.transaction
            .prepare_cached("DELETE FROM skipped WHERE person = ?1")?
            .execute([person.0])?;
        Ok(())
    }

    fn delete(&self, row: &Current) -> Result<(), Error> {
        self.unindex(row)?;
        for sql in ["DELETE FROM version WHERE rid = ?1", "DELETE FROM resource WHERE rid = ?1"] {
            self.transaction.prepare_cached(sql)?.execute([row.rid])?;
        }
        Ok(())
    }

    /// Sees to it that every person can be found as a Patient: one is derived from the identifier
    /// in the first resource about the person, and makes way when a source sends its own.
    fn settle_patient(&self, resource: &Resource, person: PersonId) -> Result<(), Error> {
        let known: Option<i64> = self
            .transaction
            .prepare_cached(
                "SELECT state FROM resource WHERE person = ?1 AND kind = 'Patient' LIMIT 1",
            )?
            .query_row([person.0], |row| row.get(0))
            .optional()?;
        let id = person.to_string();
        if resource.kind() == "Patient" {
            if known == Some(state::DERIVED)
                && let Some(derived) = self.current("Patient", &id)?
            {
                self.delete(&derived)?;
            }
            return Ok(());
        }
        if known.is_some() {
            return Ok(());
        }
        let identifier = patient_identifier(resource);
        // An id that a source has taken for a Patient of its own is not ours to use.
        let (Some(identifier), None) = (identifier, self.current("Patient", &id)?) else {
            return Ok(());
        };
        let Ok(mut patient) = Resource::from_value(derived_patient(&id, identifier)) else {
            return Ok(());
        };
        patient.set_meta(&self.entry.position.to_string(), &format_instant(self.entry.recorded_at));
        let rid = self.put(&patient, &id, state::DERIVED, None)?;
        self.transaction
            .prepare_cached("UPDATE resource SET category = 'demographics' WHERE rid = ?1")?
            .execute([rid])?;
        self.index(rid, &patient)
    }

    fn index(&self, rid: i64, resource: &Resource) -> Result<(), Error> {
        for entry in search::index(resource) {
            self.change(Change::Add, rid, &entry)?;
        }
        Ok(())
    }

    fn unindex(&self, current: &Current) -> Result<(), Error> {
        if current.state == state::REMOVED {
            return Ok(());
        }
        let broken = || Error::Row(current.version.unsigned_abs());
        let value = json::parse(&current.body).map_err(|_| broken())?;
        let resource = Resource::from_value(value).map_err(|_| broken())?;
        for entry in search::index(&resource) {
            self.change(Change::Take, current.rid, &entry)?;
        }
        Ok(())
    }

    fn change(&self, change: Change, rid: i64, entry: &IndexEntry) -> Result<(), Error> {
        let param = i64::from(entry.index_id);
        let term = match &entry.value {
            IndexValue::Token { system, code } => self.terms.token(system.as_deref(), code),
            IndexValue::Reference { kind, id } => self.terms.reference(kind, id),
            IndexValue::Logical { system, value } => self.terms.logical(system.as_deref(), value),
            IndexValue::Uri(uri) => self.terms.uri(uri),
            IndexValue::Date { low, high } => {
                let values = params![rid, param, low, high];
                self.transaction.prepare_cached(change.span())?.execute(values)?;
                return Ok(());
            }
            IndexValue::Text { folded, exact } => {
                let values = params![param, folded, exact, rid];
                self.transaction.prepare_cached(change.word())?.execute(values)?;
                return Ok(());
            }
        };
        let Term { value, system } = term;
        self.transaction
            .prepare_cached(change.term())?
            .execute(params![param, value, system, rid])?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Change {
    Add,
    Take,
}

impl Change {
    fn term(self) -> &'static str {
        match self {
            Change::Add => {
                "INSERT OR IGNORE INTO term (param, value, system, rid) VALUES (?1, ?2, ?3, ?4)"
            }
            Change::Take => {
                "DELETE FROM term WHERE param = ?1 AND value = ?2 AND system = ?3 AND rid = ?4"
            }
        }
    }

    fn span(self) -> &'static str {
        match self {
            Change::Add => {
                "INSERT OR IGNORE INTO span (rid, param, low, high) VALUES (?1, ?2, ?3, ?4)"
            }
            Change::Take => {
                "DELETE FROM span WHERE rid = ?1 AND param = ?2 AND low = ?3 AND high = ?4"
            }
        }
    }

    fn word(self) -> &'static str {
        match self {
            Change::Add => {
                "INSERT OR IGNORE INTO word (param, value, exact, rid) VALUES (?1, ?2, ?3, ?4)"
            }
            Change::Take => {
                "DELETE FROM word WHERE param = ?1 AND value = ?2 AND exact = ?3 AND rid = ?4"
            }
        }
    }
}

/// The identifier by which a resource names its patient: of a participant only where it says that
/// it is one.
fn patient_identifier(resource: &Resource) -> Option<&Value> {
    let Elements { subjects, participants, .. } = elements(resource.kind());
    let of = |path: &str, is_patient: fn(Option<&str>) -> bool| {
        let references = resource.value().all_at(path).into_iter();
        let mut patients = references.filter(|it| is_patient(it.text("type")));
        patients.find_map(|reference| reference.get("identifier"))
    };
    let subject = |kind: Option<&str>| kind.is_none_or(|kind| kind == "Patient");
    let subject = subjects.iter().find_map(|path| of(path, subject));
    subject.or_else(|| participants.iter().find_map(|path| of(path, |it| it == Some("Patient"))))
}

fn derived_patient(id: &str, identifier: &Value) -> Value {
    fhir::json!({
        "resourceType": "Patient",
        "id": id,
        "identifier": [identifier],
    })
}

/// What the column `person` holds.
fn whose(entry: &Entry) -> &[u8] {
    entry.person.as_ref().map_or(&[], |person| &person.0)
}

/// The number of a row is the place of the entry that made it, so that it is the same in every
/// rebuild, whatever was erased in between. A derived Patient comes of the same entry as another
/// resource, hence two numbers for each place.
pub(crate) fn row_number(position: Position, state: i64) -> i64 {
    signed(position) * 2 + i64::from(state == state::DERIVED)
}

/// SQLite's integers are signed; positions never come near the limit.
fn signed(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
