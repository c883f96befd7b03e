//! The projector: applies ledger entries to the view, in order, many in one transaction.
//!
//! Invariants: the view after entry n depends only on entries 1…n, not on how they were batched,
//! so that a rebuilt view equals the live one, row numbers and all, also after an erasure; the
//! position is written in the same transaction as what it covers, so that a crash resumes exactly;
//! an entry that cannot be read is put down as skipped and stops nobody else's.

use std::borrow::Cow;
use std::path::Path;

use fhir::instant::format_instant;
use fhir::json;
use fhir::resource::Resource;
use fhir::search::set::Parameters;
use fhir::value::Value;
use ledger::append::{Body, Committed, Record};
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::added::Walked;
use crate::addition::Additions;
use crate::current::{CURRENT, Current};
use crate::derived::{derived_patient, patient_identifier};
use crate::error::Error;
use crate::kinds;
use crate::ready::{By, Ready, Said, Version};
use crate::rows::{self, Pending};
use crate::schema;
use crate::scope::Scopes;
use crate::term::Terms;
use crate::trace::{self, Traces};

/// The state of a row of `resource`.
pub mod state {
    /// As the owner last recorded it.
    pub const LIVE: i64 = 0;
    /// Removed by the owner.
    pub const REMOVED: i64 = 1;
    /// A Patient that no source has sent, made from the identifier in another resource so that the
    /// person can be found.
    pub const DERIVED: i64 = 2;
    /// Erased for good: that there was one, and nothing of it.
    pub const ERASED: i64 = 3;
}

/// Category of a derived Patient.
pub(crate) const DERIVED_CATEGORY: &str = "demographics";

/// Most index rows that wait to be written in order.
const MAX_PENDING: usize = 200_000;

/// The one writer of a view.
pub struct Projector {
    pub(crate) connection: Connection,
    pub(crate) terms: Terms,
    pub(crate) parameters: Parameters,
    scopes: Scopes,
    additions: Additions,
    position: Position,
    /// Most index rows that wait.
    pub(crate) most_pending: usize,
}

impl Projector {
    /// Opens the view for writing.
    pub fn open(path: &Path, index_key: [u8; 16]) -> Result<Self, Error> {
        Self::open_with(path, index_key, Parameters::r4().clone())
    }

    /// Opens the view for writing, with other search parameters than the standard ones: for a server
    /// with an address ([`Parameters::at`]). The view must be opened with the same.
    pub fn open_with(
        path: &Path,
        index_key: [u8; 16],
        parameters: Parameters,
    ) -> Result<Self, Error> {
        Self::on(schema::open_writer(path)?, index_key, parameters)
    }

    /// The writer on a connection.
    pub(crate) fn on(
        connection: Connection,
        index_key: [u8; 16],
        parameters: Parameters,
    ) -> Result<Self, Error> {
        let position = connection
            .query_row("SELECT value FROM meta WHERE key = 'position'", [], |row| {
                row.get::<_, i64>(0)
            })
            .optional()?
            .unwrap_or(0)
            .unsigned_abs();
        let scopes = Scopes::read(&connection)?;
        let additions = Additions::read(&connection, &parameters)?;
        let terms = Terms::new(index_key);
        let most_pending = MAX_PENDING;
        Ok(Self { connection, terms, parameters, scopes, additions, position, most_pending })
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
        let (terms, parameters) = (self.terms, self.parameters.clone());
        let by = By { terms: &terms, parameters: &parameters };
        let new = committed.iter().filter(|committed| committed.entry.position > known);
        self.transact(new.map(|Committed { entry, body }| {
            by.ready(Cow::Borrowed(entry), Some(Cow::Borrowed(body)))
        }))
    }

    /// Applies entries read back from the ledger, as [`Projector::apply`]. An erased body projects
    /// to nothing.
    pub fn replay(&mut self, records: &[Record]) -> Result<Vec<Position>, Error> {
        let (terms, parameters) = (self.terms, self.parameters.clone());
        let by = By { terms: &terms, parameters: &parameters };
        self.transact(records.iter().map(|Record { entry, body }| {
            let body = match body {
                Body::Plain(body) => Some(Cow::Borrowed(body.as_slice())),
                Body::Erased => None,
            };
            by.ready(Cow::Borrowed(entry), body)
        }))
    }

    /// Whether added search parameters find all that they should by index, and none is left of those
    /// that are gone.
    pub fn is_indexed(&self) -> bool {
        self.additions.is_done()
    }

    /// Goes a step towards that, by at most so many resources (at least one), in a transaction of its
    /// own; nothing where there is none to go. The view is right before and after each.
    pub fn index_further(&mut self, most: usize) -> Result<Option<Walked>, Error> {
        let by = By { terms: &self.terms, parameters: &self.parameters };
        self.additions.walk(&mut self.connection, by, most.max(1))
    }

    /// Takes what erased persons may have left in the file: see [`crate::trace`]. `most` is the largest
    /// file, in bytes, that is written anew for it, during which nothing is projected.
    pub fn clear_traces(&mut self, most: u64) -> Result<Traces, Error> {
        trace::clear(&self.connection, most)
    }

    /// Writes entries in one transaction.
    pub(crate) fn transact<'a>(
        &mut self,
        entries: impl Iterator<Item = Result<Ready<'a>, Error>>,
    ) -> Result<Vec<Position>, Error> {
        let transaction = self.connection.transaction()?;
        let mut position = self.position;
        let mut skipped = Vec::new();
        let mut pending = Pending::default();
        for ready in entries {
            let Ready { entry, said } = ready?;
            let mut step = Step {
                transaction: &transaction,
                by: By { terms: &self.terms, parameters: &self.parameters },
                additions: &mut self.additions,
                scope: self.scopes.of(&transaction, &entry, &entry.category)?,
                derived: self.scopes.of(&transaction, &entry, DERIVED_CATEGORY)?,
                pending: &mut pending,
                entry: &entry,
            };
            if !step.take(&mut self.scopes, said)? {
                step.skip()?;
                skipped.push(entry.position);
            }
            position = entry.position;
            if pending.len() > self.most_pending {
                pending.write(&transaction)?;
            }
        }
        if position == self.position {
            return Ok(skipped);
        }
        pending.write(&transaction)?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('position', ?1)")?
            .execute([signed(position)])?;
        transaction.commit()?;
        self.position = position;
        Ok(skipped)
    }
}

/// One entry on its way into the view.
pub(crate) struct Step<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    by: By<'a>,
    additions: &'a mut Additions,
    /// The entry's own scope.
    pub(crate) scope: i64,
    /// The scope of a Patient derived from it.
    pub(crate) derived: i64,
    pending: &'a mut Pending,
    pub(crate) entry: &'a Entry,
}

/// What a row of `resource` says beside whose it is.
pub(crate) struct Stand {
    pub(crate) rid: i64,
    pub(crate) scope: i64,
    pub(crate) state: i64,
    pub(crate) moment: i64,
    pub(crate) shape: i64,
    pub(crate) labels: i64,
    /// Whether no such row is there yet.
    pub(crate) is_new: bool,
}

/// Columns of a row of `resource`, in the order [`Step::stand`] gives them.
macro_rules! row {
    ($verb:literal) => {
        concat!(
            $verb,
            " INTO resource (rid, kind, self, id, version, updated, person, scope, state, moment,
             shape, labels) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        )
    };
}

const NEW_ROW: &str = row!("INSERT");
const ROW: &str = row!("INSERT OR REPLACE");
const NEW_CONTENT: &str = "INSERT INTO content (rid, body) VALUES (?1, ?2)";
const CONTENT: &str = "INSERT OR REPLACE INTO content (rid, body) VALUES (?1, ?2)";

impl Step<'_> {
    /// `false` where the entry cannot be understood; then nothing is changed.
    fn take(&mut self, scopes: &mut Scopes, said: Said<'_>) -> Result<bool, Error> {
        match (self.entry.kind, said) {
            (_, Said::Version(version)) => self.record(*version).map(|()| true),
            (_, Said::Removal { kind, id }) => self.remove(kind, id),
            (_, Said::Unknown) => Ok(false),
            (Kind::Decision, Said::Body(Some(body))) => self.decide(&body).map(|()| true),
            (Kind::Erasure, Said::Body(body)) => self.erase(body.as_deref()).map(|()| true),
            (Kind::Resealing, Said::Body(Some(body))) => self.erase_record(scopes, &body),
            // An erased body, or a kind that is not about resources.
            (Kind::Version | Kind::Removal | Kind::Decision | Kind::Resealing, Said::Body(_))
            | (Kind::Audit, _) => Ok(true),
        }
    }

    /// Puts the entry down as one that could not be read.
    fn skip(&self) -> Result<(), Error> {
        self.transaction
            .prepare_cached("INSERT INTO skipped (position, person, scope) VALUES (?1, ?2, ?3)")?
            .execute(params![signed(self.entry.position), whose(self.entry), self.scope])?;
        Ok(())
    }

    /// Keeps a decision as it is: what it means is not the view's to know.
    pub(crate) fn decide(&self, body: &[u8]) -> Result<(), Error> {
        self.transaction
            .prepare_cached(
                "INSERT INTO decision (position, recorded, person, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                signed(self.entry.position),
                self.entry.recorded_at,
                whose(self.entry),
                body,
            ])?;
        Ok(())
    }

    fn record(&mut self, version: Version) -> Result<(), Error> {
        if let Some(person) = self.entry.person {
            self.settle_patient(&version, person)?;
        }
        let mut current = self.current(version.kind, &version.id)?;
        // What the platform derived makes way for what a source records.
        if let Some(derived) = current.take_if(|current| current.state == state::DERIVED) {
            self.delete(&derived)?;
        }
        self.put(version, state::LIVE, current)
    }

    pub(crate) fn current(&self, kind: &str, id: &str) -> Result<Option<Current>, Error> {
        let text = format!("{CURRENT} WHERE r.self = ?1 AND +r.kind = ?2 AND r.id = ?3");
        let of = self.by.terms.reference(kind, id);
        let mut select = self.transaction.prepare_cached(&text)?;
        Ok(select.query_row(params![of, kinds::number(kind), id], Current::read).optional()?)
    }

    /// Writes the row and its index; what stood there becomes an earlier version.
    fn put(&mut self, version: Version, state: i64, current: Option<Current>) -> Result<(), Error> {
        if let Some(current) = &current {
            self.retire(current)?;
        }
        // Read again only where somebody goes by it.
        let defines = version.kind == "SearchParameter" && state == state::LIVE;
        let resource = (defines || self.additions.any())
            .then(|| version.resource(self.entry.position))
            .transpose()?;
        let Version { kind, id, labels: new_labels, mut indexed, content } = version;
        let is_new = current.is_none();
        // What is removed keeps its time and labels, by which its earlier versions are judged.
        let before = current.map(|it| (it.rid, it.moment, it.labels));
        let new = || (row_number(self.entry.position, state), 0, 0);
        let (rid, mut moment, mut labels) = before.unwrap_or_else(new);
        let scope = if state == state::DERIVED { self.derived } else { self.scope };
        let mut shape = 0;
        if state != state::REMOVED {
            labels = new_labels;
            shape = indexed.place(self.by.terms, rid, scope);
            moment = indexed.moment;
            self.pending.change(indexed, shape, true);
            if let Some(resource) = &resource {
                let added = self.additions.rows(self.by, (rid, moment), resource, false);
                self.pending.settle(added, true);
            }
        }
        let stand = Stand { rid, scope, state, moment, shape, labels, is_new };
        self.stand(kind, &id, &stand, &content)?;
        self.define(kind, rid, resource.as_ref().filter(|_| state == state::LIVE))
    }

    /// Writes the row and what is sent of it.
    pub(crate) fn stand(
        &self,
        kind: &str,
        id: &str,
        stand: &Stand,
        content: &[u8],
    ) -> Result<(), Error> {
        let Stand { rid, scope, state, moment, shape, labels, is_new } = *stand;
        // To replace what cannot be there costs a journal of each statement.
        let [row, body] = if is_new { [NEW_ROW, NEW_CONTENT] } else { [ROW, CONTENT] };
        self.transaction.prepare_cached(row)?.execute(params![
            rid,
            kinds::number(kind),
            self.by.terms.reference(kind, id),
            id,
            signed(self.entry.position),
            self.entry.recorded_at,
            whose(self.entry),
            scope,
            state,
            moment,
            shape,
            labels,
        ])?;
        self.transaction.prepare_cached(body)?.execute(params![rid, content])?;
        Ok(())
    }

    /// What is recorded of a SearchParameter changes what is indexed from now on.
    fn define(&mut self, kind: &str, rid: i64, resource: Option<&Resource>) -> Result<(), Error> {
        if kind != "SearchParameter" {
            return Ok(());
        }
        self.additions.define(self.transaction, self.by.parameters, rid, resource)
    }

    /// Takes a resource out of the index and keeps its version number for history.
    fn retire(&mut self, current: &Current) -> Result<(), Error> {
        self.unindex(current)?;
        if current.state != state::DERIVED {
            self.transaction
                .prepare_cached("INSERT OR IGNORE INTO version (rid, version) VALUES (?1, ?2)")?
                .execute([current.rid, current.version])?;
        }
        Ok(())
    }

    /// `false` where there is nothing to remove.
    fn remove(&mut self, kind: &'static str, id: String) -> Result<bool, Error> {
        let empty = Resource::from_value(fhir::json!({ "resourceType": kind }));
        let (Some(current), Ok(empty)) = (self.current(kind, &id)?, empty) else {
            return Ok(false);
        };
        let version = self.by.version(self.entry.position, id, &empty)?;
        self.put(version, state::REMOVED, Some(current)).map(|()| true)
    }

    pub(crate) fn delete(&mut self, row: &Current) -> Result<(), Error> {
        self.unindex(row)?;
        for sql in [
            "DELETE FROM version WHERE rid = ?1",
            "DELETE FROM content WHERE rid = ?1",
            "DELETE FROM resource WHERE rid = ?1",
        ] {
            self.transaction.prepare_cached(sql)?.execute([row.rid])?;
        }
        self.define(kinds::name(row.kind), row.rid, None)
    }

    /// Sees to it that every person can be found as a Patient: one is derived from the identifier
    /// in the first resource about the person, and makes way when a source sends its own.
    fn settle_patient(&mut self, version: &Version, person: PersonId) -> Result<(), Error> {
        let known: Option<i64> = self
            .transaction
            .prepare_cached("SELECT state FROM resource WHERE person = ?1 AND kind = ?2 LIMIT 1")?
            .query_row(params![person.0, kinds::number("Patient")], |row| row.get(0))
            .optional()?;
        let id = person.to_string();
        if version.kind == "Patient" {
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
        let resource = version.resource(self.entry.position)?;
        let identifier = patient_identifier(&resource);
        // An id that a source has taken for a Patient of its own is not ours to use.
        let (Some(identifier), None) = (identifier, self.current("Patient", &id)?) else {
            return Ok(());
        };
        self.derive(&id, identifier)
    }

    /// Makes the Patient that no source has sent.
    pub(crate) fn derive(&mut self, id: &str, identifier: &Value) -> Result<(), Error> {
        let Ok(mut patient) = Resource::from_value(derived_patient(id, identifier)) else {
            return Ok(());
        };
        patient.set_meta(&self.entry.position.to_string(), &format_instant(self.entry.recorded_at));
        let version = self.by.version(self.entry.position, id.to_owned(), &patient)?;
        self.put(version, state::DERIVED, None)
    }

    fn unindex(&mut self, current: &Current) -> Result<(), Error> {
        if matches!(current.state, state::REMOVED | state::ERASED) {
            return Ok(());
        }
        let broken = || Error::Row(current.version.unsigned_abs());
        let value = json::parse(&current.body).map_err(|_| broken())?;
        let resource = Resource::from_value(value).map_err(|_| broken())?;
        let entries = self.by.parameters.index(&resource);
        let of = (current.rid, rows::labels(&resource));
        let mut indexed = rows::index(self.by.terms, resource.kind(), of, &entries);
        let shape = indexed.place(self.by.terms, current.rid, current.scope);
        let row = (current.rid, indexed.moment);
        self.pending.change(indexed, shape, false);
        let added = self.additions.rows(self.by, row, &resource, true);
        self.pending.settle(added, false);
        Ok(())
    }
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
