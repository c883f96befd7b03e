//! `_include` and `_revinclude`: what the matches refer to, and what refers to them.
//!
//! Included resources pass the same permit as the matches.

use std::collections::HashSet;

use access::permit::ReadPermit;
use fhir::json;
use fhir::query::{Include, Query};
use fhir::resource::Resource;
use fhir::search::{self, IndexValue};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};

use crate::error::Error;
use crate::project::state;
use crate::store::{COLUMNS, Stored, View, stored};

/// Most resources that one page may include.
pub const MAX_INCLUDED: usize = 1_000;

type Key = (&'static str, String);

/// Everything the page includes, each resource once and no match twice.
pub fn follow(
    view: &View,
    connection: &Connection,
    permit: &ReadPermit,
    query: &Query,
    matches: &[Stored],
) -> Result<Vec<(&'static str, Stored)>, Error> {
    let mut seen: HashSet<Key> =
        matches.iter().map(|stored| (query.kind, stored.id.clone())).collect();
    let mut included = Vec::new();
    for stored in matches {
        for include in query.includes.iter().filter(|include| include.source == query.kind) {
            for key in referred(stored, include) {
                if included.len() < MAX_INCLUDED && seen.insert(key.clone()) {
                    let found = by_id(view, connection, permit, &key)?;
                    included.extend(found.map(|stored| (key.0, stored)));
                }
            }
        }
        for include in query.revincludes.iter().filter(|include| names(include, query.kind)) {
            for stored in referring(view, connection, permit, include, query.kind, &stored.id)? {
                let key = (include.source, stored.id.clone());
                if included.len() < MAX_INCLUDED && seen.insert(key) {
                    included.push((include.source, stored));
                }
            }
        }
    }
    Ok(included)
}

/// Whether a reference to this type counts. Parameters such as `subject` and `patient` share their
/// values and differ in the types they may name.
fn names(include: &Include, kind: &str) -> bool {
    let targets = &include.parameter.targets;
    include.target.is_none_or(|target| target == kind)
        && (targets.is_empty() || targets.contains(&kind))
}

/// What a resource refers to by a parameter.
fn referred(stored: &Stored, include: &Include) -> Vec<Key> {
    let resource =
        json::parse(&stored.body).ok().and_then(|value| Resource::from_value(value).ok());
    let Some(resource) = resource else { return Vec::new() };
    search::index(&resource)
        .into_iter()
        .filter(|entry| entry.index_id == include.parameter.index_id)
        .filter_map(|entry| match entry.value {
            IndexValue::Reference { kind, id } => Some((kind, id.into_string())),
            _ => None,
        })
        .filter(|(kind, _)| names(include, kind))
        .collect()
}

fn by_id(
    view: &View,
    connection: &Connection,
    permit: &ReadPermit,
    (kind, id): &Key,
) -> Result<Option<Stored>, Error> {
    let mut sql = view.permitted(connection, permit, kind)?;
    sql.and("r.id = ? AND r.state <> ?", [Sql::from(id.clone()), Sql::from(state::REMOVED)]);
    let text = format!("SELECT {COLUMNS} FROM resource r WHERE {}", sql.text());
    let mut select = connection.prepare_cached(&text)?;
    let mut rows = select.query(params_from_iter(sql.values()))?;
    match rows.next()? {
        Some(row) => Ok(Some(stored(row)?)),
        None => Ok(None),
    }
}

fn referring(
    view: &View,
    connection: &Connection,
    permit: &ReadPermit,
    include: &Include,
    kind: &str,
    id: &str,
) -> Result<Vec<Stored>, Error> {
    let mut sql = view.permitted(connection, permit, include.source)?;
    sql.and(
        "r.state <> ? AND r.rid IN (SELECT t.rid FROM term t WHERE t.param = ? AND t.value = ?)",
        [
            Sql::from(state::REMOVED),
            Sql::from(i64::from(include.parameter.index_id)),
            Sql::from(view.terms.reference(kind, id).value),
        ],
    );
    let text = format!(
        "SELECT {COLUMNS} FROM resource r WHERE {} ORDER BY r.rid LIMIT {MAX_INCLUDED}",
        sql.text()
    );
    let mut select = connection.prepare_cached(&text)?;
    let rows = select.query_map(params_from_iter(sql.values()), stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
