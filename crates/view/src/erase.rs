//! What leaves the view when it is erased: everything about a person, or one record.
//!
//! Invariant: a view made anew, which never saw what was erased, comes to the same. So what had been
//! derived from it is derived anew from what is left, in both.

use fhir::definitions::resource_kind;
use fhir::json;
use fhir::resource::Resource;
use record::identity::PersonId;
use record::resealing::Resealing;
use rusqlite::params;

use crate::content;
use crate::current::{CURRENT, Current};
use crate::derived::patient_identifier;
use crate::error::Error;
use crate::kinds;
use crate::project::{DERIVED_CATEGORY, Stand, Step, row_number, state};
use crate::scope::Scopes;
use crate::trace;

impl Step<'_> {
    /// Everything about the person leaves the view; that it was decided stays, where the entry tells.
    pub(crate) fn erase(&mut self, body: Option<&[u8]>) -> Result<(), Error> {
        let Some(person) = self.entry.person else { return Ok(()) };
        for row in self.rows_of(person, None)? {
            self.delete(&row)?;
        }
        for sql in
            ["DELETE FROM skipped WHERE person = ?1", "DELETE FROM decision WHERE person = ?1"]
        {
            self.transaction.prepare_cached(sql)?.execute([person.0])?;
        }
        trace::leave(self.transaction)?;
        match body.filter(|body| !body.is_empty()) {
            Some(body) => self.decide(body),
            None => Ok(()),
        }
    }

    /// One record leaves the view with its history; that there was one stays. `false` where the entry
    /// cannot be understood; then nothing is changed.
    pub(crate) fn erase_record(&mut self, scopes: &mut Scopes, body: &[u8]) -> Result<bool, Error> {
        let Ok((told, decision)) = Resealing::open(body) else { return Ok(false) };
        let (Some(kind), Some(first)) = (resource_kind(&told.kind), told.erased.first()) else {
            return Ok(false);
        };
        let empty =
            content::pack(&json::print(&fhir::json!({ "resourceType": kind })).into_bytes())?;
        if let Some(row) = self.current(kind, &told.id)? {
            self.delete(&row)?;
        }
        let scope = scopes.named(self.transaction, &told.category, &told.owner, &told.source)?;
        let rid = row_number(*first, state::LIVE);
        // When it was about, and which labels it had, is gone with it.
        let (moment, shape, labels) = (0, 0, 0);
        let (state, is_new) = (state::ERASED, false);
        let stand = Stand { rid, scope, state, moment, shape, labels, is_new };
        self.stand(kind, &told.id, &stand, &empty)?;
        if let Some(person) = self.entry.person {
            self.derive_anew(scopes, person)?;
        }
        trace::leave(self.transaction)?;
        self.decide(decision)?;
        Ok(true)
    }

    /// The derived Patient may come of what was erased: it is made anew from the first of the person's
    /// resources, as they are now, that names the patient.
    fn derive_anew(&mut self, scopes: &mut Scopes, person: PersonId) -> Result<(), Error> {
        for row in self.rows_of(person, Some(state::DERIVED))? {
            self.delete(&row)?;
        }
        let known = "SELECT EXISTS (SELECT 1 FROM resource WHERE person = ?1 AND kind = ?2)";
        let of = params![person.0, kinds::number("Patient")];
        let id = person.to_string();
        if self.transaction.prepare_cached(known)?.query_row(of, |row| row.get(0))?
            || self.current("Patient", &id)?.is_some()
        {
            return Ok(());
        }
        for row in self.rows_of(person, Some(state::LIVE))? {
            let Some(resource) =
                json::parse(&row.body).ok().and_then(|it| Resource::from_value(it).ok())
            else {
                continue;
            };
            let Some(identifier) = patient_identifier(&resource) else { continue };
            let (owner, source): (String, String) = self
                .transaction
                .prepare_cached("SELECT owner, source FROM scope WHERE scope = ?1")?
                .query_row([row.scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
            self.derived = scopes.named(self.transaction, DERIVED_CATEGORY, &owner, &source)?;
            return self.derive(&id, identifier);
        }
        Ok(())
    }

    /// A person's rows, or those in one state, in the order they were first recorded.
    fn rows_of(&self, person: PersonId, state: Option<i64>) -> Result<Vec<Current>, Error> {
        let text = format!(
            "{CURRENT} WHERE r.person = ?1 AND r.state = coalesce(?2, r.state) ORDER BY r.rid"
        );
        let mut select = self.transaction.prepare_cached(&text)?;
        let rows = select.query_map(params![person.0, state], Current::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
