//! The index of the search parameters that sources have added, as the projector keeps it.
//!
//! Each definition that a search can use gets a number when the entry with it is projected; a changed
//! one gets another, and no number is given twice, so that a number says which definition its rows are
//! of. What is recorded from then on is indexed under it as it comes. What was there before is walked
//! through in the order of row numbers, a little at a time between entries; and so are the rows that a
//! definition leaves behind when it goes, as many as there are.
//!
//! Invariants: when no step is left, the index depends only on the entries applied, not on when the
//! steps were taken; rows are written and taken out as if they might be there already or not at all, so
//! that steps and entries may come in any order.

use std::collections::HashMap;
use std::sync::Arc;

use fhir::json;
use fhir::resource::Resource;
use fhir::search::set::{FIRST_ADDED, Parameters};
use fhir::search::{IndexValue, ParamKind, SearchParameter};
use fhir::value::Value;
use rusqlite::{Connection, Transaction, params};

use crate::added::Walked;
use crate::content::Content;
use crate::error::Error;
use crate::kinds;
use crate::project::state::REMOVED;
use crate::ready::By;
use crate::rows::{self, Pending, Row};

/// How far the rows of a number are.
pub mod state {
    /// Those of what was there before are being written.
    pub const GROWING: i64 = 0;
    /// All are there.
    pub const COMPLETE: i64 = 1;
    /// The definition is gone, and they are being taken out.
    pub const LEAVING: i64 = 2;
}

/// The last number; a parameter that comes later has no index. Above are numbers for those.
pub const LAST: u16 = 0xefff;

/// So many rows may a step pass for each that it may read: to pass one takes that much less.
const PASSED: usize = 20;

/// What takes some rows of a number out: `?2` of those that an index by number leads to, and what stands
/// beside them.
const TAKE: [&str; 6] = [
    "DELETE FROM link WHERE (rid, param, target) IN (SELECT rid, param, value FROM term
     WHERE param = ?1 ORDER BY value, moment, rid, system LIMIT ?2)",
    "DELETE FROM term WHERE (param, value, moment, rid, system) IN (
     SELECT param, value, moment, rid, system FROM term
     WHERE param = ?1 ORDER BY value, moment, rid, system LIMIT ?2)",
    "DELETE FROM measure WHERE (rid, param) IN (SELECT rid, param FROM point
     WHERE param = ?1 ORDER BY key, value, rid LIMIT ?2)",
    "DELETE FROM point WHERE (param, key, value, rid) IN (SELECT param, key, value, rid FROM point
     WHERE param = ?1 ORDER BY key, value, rid LIMIT ?2)",
    "DELETE FROM span WHERE (rid, param, low, high) IN (SELECT rid, param, low, high FROM span
     WHERE param = ?1 ORDER BY high, low LIMIT ?2)",
    "DELETE FROM word WHERE (rid, param, value, exact) IN (SELECT rid, param, value, exact FROM word
     WHERE param = ?1 ORDER BY value LIMIT ?2)",
];

/// What of a definition searches go by.
const DEFINING: [&str; 6] = ["code", "base", "type", "expression", "target", "component"];

/// One number.
struct Addition {
    number: u16,
    /// The row of the SearchParameter.
    rid: i64,
    state: i64,
    /// The last row that the walk has passed.
    walked: i64,
    /// [`DEFINING`] as JSON.
    definition: Vec<u8>,
    /// The parameter of each base type.
    parameters: HashMap<&'static str, Arc<SearchParameter>>,
}

/// The numbers in use as of the projector's position.
pub struct Additions(Vec<Addition>);

impl Additions {
    /// As the view has them.
    pub fn read(connection: &Connection, parameters: &Parameters) -> Result<Self, Error> {
        let mut select = connection
            .prepare("SELECT number, rid, state, walked, definition FROM added ORDER BY number")?;
        let additions = select.query_map([], |row| {
            let (number, definition): (u16, Vec<u8>) = (row.get(0)?, row.get(4)?);
            let parameters = compiled(parameters, number, &definition).unwrap_or_default();
            let (rid, state, walked) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Addition { number, rid, state, walked, definition, parameters })
        })?;
        Ok(Self(additions.collect::<Result<_, _>>()?))
    }

    /// The SearchParameter in a row is this from now on, or is gone.
    pub fn define(
        &mut self,
        transaction: &Transaction<'_>,
        parameters: &Parameters,
        rid: i64,
        resource: Option<&Resource>,
    ) -> Result<(), Error> {
        let active = resource.filter(|it| it.value().text("status") == Some("active"));
        let definition = active.map(|resource| defining(resource.value()));
        let current = self.0.iter_mut().find(|it| it.rid == rid && it.state != state::LEAVING);
        if let Some(current) = current {
            if Some(&current.definition) == definition.as_ref() {
                return Ok(());
            }
            (current.state, current.walked) = (state::LEAVING, 0);
            current.save(transaction)?;
        }
        let Some(definition) = definition else { return Ok(()) };
        let Some(number) = next(transaction)? else { return Ok(()) };
        let Some(parameters) = compiled(parameters, number, &definition) else { return Ok(()) };
        give(transaction, number)?;
        let (state, walked) = (state::GROWING, 0);
        let addition = Addition { number, rid, state, walked, definition, parameters };
        addition.save(transaction)?;
        self.0.push(addition);
        Ok(())
    }

    /// The rows of a resource under the numbers in use; also under those that are leaving, where they
    /// are to be taken out.
    pub fn rows(
        &self,
        by: By<'_>,
        (rid, moment): (i64, i64),
        resource: &Resource,
        leaving: bool,
    ) -> Vec<Row> {
        let mut found = Vec::new();
        for addition in self.0.iter().filter(|it| leaving || it.state != state::LEAVING) {
            addition.rows(by, (rid, moment), resource, &mut found);
        }
        found
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether there is nothing left to walk through.
    pub fn is_done(&self) -> bool {
        self.0.iter().all(|addition| addition.state == state::COMPLETE)
    }

    /// Goes one step on, by at most so many resources or rows; nothing where there is nothing left.
    pub fn walk(
        &mut self,
        connection: &mut Connection,
        by: By<'_>,
        most: usize,
    ) -> Result<Option<Walked>, Error> {
        // What grows is waited for, what leaves is not.
        let open = self.0.iter_mut().filter(|addition| addition.state != state::COMPLETE);
        let Some(addition) = open.min_by_key(|addition| addition.state) else { return Ok(None) };
        let transaction = connection.transaction()?;
        let number = addition.number;
        if addition.state == state::GROWING {
            let first = addition.walked == 0;
            let end = addition.grow(&transaction, by, most)?;
            let last = end.is_none();
            addition.walked = end.unwrap_or(0);
            addition.state = if last { state::COMPLETE } else { state::GROWING };
            addition.save(&transaction)?;
            transaction.commit()?;
            return Ok(Some(Walked { number, leaving: false, first, last }));
        }
        let last = take(&transaction, number, most)?;
        transaction.commit()?;
        if last {
            self.0.retain(|addition| addition.number != number);
        }
        Ok(Some(Walked { number, leaving: true, first: false, last }))
    }
}

impl Addition {
    fn save(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let Self { number, rid, state, walked, definition, .. } = self;
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO added (number, rid, state, walked, definition)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![number, rid, state, walked, definition])?;
        Ok(())
    }

    fn rows(&self, by: By<'_>, row: (i64, i64), resource: &Resource, found: &mut Vec<Row>) {
        let Some(parameter) = self.parameters.get(resource.kind()) else { return };
        for value in by.parameters.values(parameter, resource) {
            // The words beside a token are looked at in the resource.
            let beside =
                parameter.kind == ParamKind::Token && matches!(value, IndexValue::Text { .. });
            if !beside {
                rows::add(by.terms, row, i64::from(self.number), &value, found);
            }
        }
    }

    /// Writes the rows of some resources more. The last row passed; nothing at the end.
    fn grow(
        &self,
        transaction: &Transaction<'_>,
        by: By<'_>,
        most: usize,
    ) -> Result<Option<i64>, Error> {
        let passes = most.saturating_mul(PASSED);
        let mut pending = Pending::default();
        let mut select = transaction.prepare_cached(
            "SELECT rid, kind, moment, state FROM resource WHERE rid > ?1 ORDER BY rid LIMIT ?2",
        )?;
        let mut content = transaction.prepare_cached("SELECT body FROM content WHERE rid = ?1")?;
        let mut passed = select.query(params![self.walked, passes])?;
        let (mut last, mut count, mut read) = (self.walked, 0, 0);
        while let Some(row) = passed.next()? {
            let kind = kinds::name(row.get(1)?);
            last = row.get(0)?;
            count += 1;
            if self.parameters.contains_key(kind) && row.get::<_, i64>(3)? != REMOVED {
                let Content(body) = content.query_row([last], |row| row.get(0))?;
                let mut found = Vec::new();
                self.rows(by, (last, row.get(2)?), &resource(last, &body)?, &mut found);
                pending.settle(found, true);
                read += 1;
            }
            if read == most {
                break;
            }
        }
        pending.write(transaction)?;
        Ok((count == passes || read == most).then_some(last))
    }
}

/// Takes out some of the rows of a number, and at last the number; `true` where that was all.
fn take(transaction: &Transaction<'_>, number: u16, most: usize) -> Result<bool, Error> {
    let mut taken = 0;
    for sql in TAKE {
        taken += transaction.prepare_cached(sql)?.execute(params![number, most])?;
    }
    if taken == 0 {
        transaction.prepare_cached("DELETE FROM added WHERE number = ?1")?.execute([number])?;
    }
    Ok(taken == 0)
}

/// The resource in a row.
fn resource(rid: i64, body: &[u8]) -> Result<Resource, Error> {
    // Two row numbers for each position.
    let broken = || Error::Row(rid.unsigned_abs() / 2);
    let value = json::parse(body).map_err(|_| broken())?;
    Resource::from_value(value).map_err(|_| broken())
}

/// What counts of a definition.
fn defining(value: &Value) -> Vec<u8> {
    let mut defining = json!({ "resourceType": "SearchParameter" });
    if let Some(object) = defining.as_object_mut() {
        for name in DEFINING {
            if let Some(value) = value.get(name) {
                object.set(name, value.clone());
            }
        }
    }
    json::print(&defining).into_bytes()
}

/// The parameters of a definition; nothing if it has none that stand on R4's alone.
fn compiled(
    parameters: &Parameters,
    number: u16,
    definition: &[u8],
) -> Option<HashMap<&'static str, Arc<SearchParameter>>> {
    let resource = Resource::from_value(json::parse(definition).ok()?).ok()?;
    parameters.compile(&resource, number).ok().map(HashMap::from_iter)
}

/// The number to give next, if there is one.
fn next(transaction: &Transaction<'_>) -> Result<Option<u16>, Error> {
    let given: i64 = transaction
        .prepare_cached("SELECT coalesce(max(value), 0) FROM meta WHERE key = 'added'")?
        .query_row([], |row| row.get(0))?;
    let number = given.checked_add(i64::from(FIRST_ADDED)).and_then(|it| u16::try_from(it).ok());
    Ok(number.filter(|number| *number <= LAST))
}

/// Keeps a number from being given again.
fn give(transaction: &Transaction<'_>, number: u16) -> Result<(), Error> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('added', ?1)")?
        .execute([i64::from(number) - i64::from(FIRST_ADDED) + 1])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn what_a_definition_leaves_is_taken_out_by_index() {
        let folder = tempfile::tempdir().unwrap();
        let writer = schema::open_writer(&folder.path().join("view.db")).unwrap();
        for sql in TAKE {
            let mut explain = writer.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let told = explain.query_map([1, 2], |row| row.get::<_, String>(3)).unwrap();
            let told = told.collect::<Result<Vec<_>, _>>().unwrap().join("; ");
            assert!(told.contains("SEARCH") && !told.contains("SCAN"), "{sql}: {told}");
        }
    }
}
