//! `_include` and `_revinclude`: what the matches refer to, and what refers to them, with `:iterate`
//! also of what was included.
//!
//! Included resources pass the same permit as the matches. One statement follows a parameter from all
//! resources at once.

use std::collections::HashSet;

use fhir::query::{Include, Query};
use fhir::search::{ParamKind, SearchParameter};
use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;

use crate::condition::{Ask, may_name};
use crate::error::Error;
use crate::kinds;
use crate::sql::Piece;

/// Most resources that one page may include.
pub const MAX_INCLUDED: usize = 1_000;

/// Most rounds of `:iterate`.
const ROUNDS: usize = 10;

/// A row of some type.
type Row = (&'static str, i64);

/// What the includes of a page bring.
#[derive(Default)]
pub struct Brought {
    /// Row numbers, each once and none of a match.
    pub rids: Vec<i64>,
    /// Whether there was more than [`MAX_INCLUDED`].
    pub cut: bool,
}

/// Everything the page includes.
pub fn follow(ask: &Ask<'_>, query: &Query, matches: Vec<Row>) -> Result<Brought, Error> {
    let mut brought = Brought::default();
    let mut seen: HashSet<i64> = matches.iter().map(|(_, rid)| *rid).collect();
    let mut from = matches;
    for round in 0..ROUNDS {
        let mut next = Vec::new();
        let asked = |include: &&Include| round == 0 || include.iterate;
        for include in query.includes.iter().filter(asked) {
            forwards(ask, include, &from, &mut next)?;
        }
        for include in query.revincludes.iter().filter(asked) {
            backwards(ask, include, &from, &mut next)?;
        }
        next.retain(|(_, rid)| seen.insert(*rid));
        let room = MAX_INCLUDED - brought.rids.len();
        brought.cut |= next.len() > room;
        next.truncate(room);
        brought.rids.extend(next.iter().map(|(_, rid)| *rid));
        if next.is_empty() {
            break;
        }
        from = next;
    }
    Ok(brought)
}

/// The parameters that an include follows from resources of a type.
fn followed<'a>(
    ask: &'a Ask<'_>,
    include: &'a Include,
    kind: &'static str,
) -> Result<Vec<&'a SearchParameter>, Error> {
    if include.source.is_some_and(|source| source != kind) {
        return Ok(Vec::new());
    }
    Ok(match &include.parameter {
        Some(parameter) => {
            ask.can_follow(parameter)?;
            vec![parameter]
        }
        None => {
            let all = ask.view.parameters.of(kind).iter();
            let references = all.filter(|parameter| parameter.kind == ParamKind::Reference);
            references.map(std::convert::AsRef::as_ref).collect()
        }
    })
}

/// What the rows refer to.
fn forwards(
    ask: &Ask<'_>,
    include: &Include,
    from: &[Row],
    next: &mut Vec<Row>,
) -> Result<(), Error> {
    let kinds: HashSet<&'static str> = from.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        let rids = from.iter().filter(|(of, _)| *of == kind).map(|(_, rid)| *rid);
        let rids = list(rids);
        for parameter in followed(ask, include, kind)? {
            let mut sql = Piece::new(
                format!(
                    "SELECT r0.kind, r0.rid FROM json_each(?) j CROSS JOIN link l \
                     ON l.rid = j.value AND l.param = {} CROSS JOIN resource r0 \
                     ON r0.self = l.target WHERE ",
                    parameter.index_id
                ),
                [Sql::from(rids.clone())],
            );
            sql.push(ask.limits.visible("r0"));
            let named = |kind: &str| {
                may_name(parameter, kind) && include.target.is_none_or(|target| target == kind)
            };
            collect(ask, sql, named, next)?;
        }
    }
    Ok(())
}

/// What refers to the rows.
fn backwards(
    ask: &Ask<'_>,
    include: &Include,
    from: &[Row],
    next: &mut Vec<Row>,
) -> Result<(), Error> {
    let kinds: HashSet<&'static str> = from.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        if include.target.is_some_and(|target| target != kind) {
            continue;
        }
        let rids = list(from.iter().filter(|(of, _)| *of == kind).map(|(_, rid)| *rid));
        let sources = match include.source {
            Some(source) => vec![source],
            None => ask.present()?,
        };
        for source in sources {
            for parameter in followed(ask, include, source)? {
                if !may_name(parameter, kind) {
                    continue;
                }
                let mut sql = Piece::new(
                    format!(
                        "SELECT r0.kind, r0.rid FROM json_each(?) j CROSS JOIN resource m \
                         ON m.rid = j.value CROSS JOIN term t ON t.param = {} \
                         AND t.value = m.self CROSS JOIN resource r0 ON r0.rid = t.rid WHERE ",
                        parameter.index_id
                    ),
                    [Sql::from(rids.clone())],
                );
                sql.push(ask.limits.visible("r0"));
                collect(ask, sql, |_| true, next)?;
            }
        }
    }
    Ok(())
}

/// Adds what a statement gives, up to what a page may hold and one more.
fn collect(
    ask: &Ask<'_>,
    mut sql: Piece,
    wanted: impl Fn(&str) -> bool,
    next: &mut Vec<Row>,
) -> Result<(), Error> {
    // The same resource may come from several rows, hence a limit well above what is kept.
    sql.push(Piece::new(format!(" LIMIT {}", 20 * MAX_INCLUDED), []));
    let mut select = ask.connection.prepare_cached(&sql.text)?;
    let mut rows = select.query(params_from_iter(sql.values))?;
    while let Some(row) = rows.next()? {
        let kind = kinds::name(row.get(0)?);
        if wanted(kind) {
            next.push((kind, row.get(1)?));
        }
    }
    Ok(())
}

/// Numbers as a JSON array, which `json_each` reads.
fn list(numbers: impl Iterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}
