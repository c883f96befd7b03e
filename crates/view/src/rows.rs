//! What a resource is found by, as rows of the index tables.
//!
//! The rows of many resources are gathered and written in the order of their keys, which is several
//! times faster than writing them as they come: neighbours share a page.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use fhir::search::number::Real;
use fhir::search::sort::alphabetical;
use fhir::search::{IndexEntry, IndexValue, Span};
use rusqlite::{Transaction, params};

use crate::error::Error;
use crate::kinds;
use crate::schema::NO_MOMENT;
use crate::term::{Term, Terms};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Longest extents of the classes in `extent` but the last, which has no end, in milliseconds.
pub const EXTENTS: [i64; 3] = [DAY, 32 * DAY, 367 * DAY];

/// The class of what ends before it begins.
pub const BACKWARDS: i64 = 9;

/// A row of an index table. The order is that of the tables and their keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// A token, reference or URI.
    Term { param: i64, value: i64, moment: i64, rid: i64, system: i64 },
    /// A reference to a resource.
    Link { rid: i64, param: i64, target: i64 },
    /// A date.
    Span { rid: i64, param: i64, low: i64, high: i64 },
    /// A string.
    Word { rid: i64, param: i64, value: Box<str>, exact: Box<str> },
    /// A number or quantity.
    Measure { rid: i64, param: i64, unit: i64, low: Real, high: Real },
}

/// What the index says of one resource.
pub struct Indexed {
    /// When it is about.
    pub moment: i64,
    /// Its shape.
    pub shape: i64,
    /// The parameters it has values under, as `Shapes` keeps them.
    params: String,
    /// Class of its extent, if it has one.
    class: Option<i64>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// The number of a parameter as it stands in `shape.params`.
pub fn mark(param: u16) -> String {
    format!(",{param},")
}

/// The index of a resource under a row number.
pub fn index(terms: &Terms, kind: &str, rid: i64, entries: &[IndexEntry]) -> Indexed {
    let mut params = String::new();
    let mut last = None;
    for entry in entries {
        if last.replace(entry.index_id) != Some(entry.index_id) {
            params.push_str(&mark(entry.index_id));
        }
    }
    let when = kinds::when(kind).map(|parameter| parameter.index_id);
    let dates = |entry: &IndexEntry| match entry.value {
        IndexValue::Date { low, high } if Some(entry.index_id) == when => Some((low, high)),
        _ => None,
    };
    let date = entries.iter().find_map(dates);
    let moment = match (when, date) {
        (None, _) => 0,
        (_, Some((low, _))) => low,
        (_, None) => NO_MOMENT,
    };
    let class = date.map(|(low, high)| {
        let length = high.saturating_sub(low);
        let class = EXTENTS.iter().position(|most| length <= *most).unwrap_or(EXTENTS.len());
        if length < 0 { BACKWARDS } else { i64::try_from(class).unwrap_or_default() }
    });
    let mut rows = Vec::with_capacity(entries.len() + 4);
    for entry in entries {
        add(terms, (rid, moment), i64::from(entry.index_id), &entry.value, &mut rows);
    }
    // One value may be written in several ways that are the same row.
    rows.sort_unstable();
    rows.dedup();
    let shape = terms.unit(&params) & 0xffff_ffff_ffff;
    Indexed { moment, shape, params, class, rows }
}

fn add(
    terms: &Terms,
    (rid, moment): (i64, i64),
    param: i64,
    value: &IndexValue,
    rows: &mut Vec<Row>,
) {
    let mut term = |term: Term| {
        rows.push(Row::Term { param, value: term.value, moment, rid, system: term.system });
    };
    match value {
        IndexValue::Token { system, code } => term(terms.token(system.as_deref(), code)),
        IndexValue::Logical { system, value } => term(terms.logical(system.as_deref(), value)),
        IndexValue::Uri(uri) => term(Term { value: terms.uri(uri), system: 0 }),
        IndexValue::Reference { kind, id } => {
            let target = terms.reference(kind, id);
            term(Term { value: target, system: 0 });
            rows.push(Row::Link { rid, param, target });
        }
        IndexValue::Date { low, high } => {
            rows.push(Row::Span { rid, param, low: *low, high: *high });
        }
        // The words beside a token are looked at in the resource.
        IndexValue::Text { .. } if kinds::is_token(param) => {}
        IndexValue::Text { folded, exact } => {
            let value = alphabetical(folded);
            rows.push(Row::Word { rid, param, value, exact: exact.clone() });
        }
        IndexValue::Number(span) => rows.push(measure(rid, param, 0, span)),
        IndexValue::Quantity(quantity) => {
            rows.push(measure(rid, param, 0, &quantity.span));
            if let Some(canonical) = &quantity.canonical {
                rows.push(measure(rid, param, terms.unit(&canonical.unit), &canonical.span));
            }
        }
        // A composite is found by its first part and then looked at in the resource.
        IndexValue::Composite(parts) => {
            for first in parts.first().into_iter().flatten() {
                if let IndexValue::Token { system, code } = first {
                    term(terms.token(system.as_deref(), code));
                }
            }
        }
        // Looked at in the resource, where another condition has found it.
        IndexValue::OfType { .. } | IndexValue::Position { .. } => {}
    }
}

fn measure(rid: i64, param: i64, unit: i64, span: &Span) -> Row {
    Row::Measure { rid, param, unit, low: span.low, high: span.high }
}

/// Changes to the index that are not written yet.
#[derive(Default)]
pub struct Pending {
    /// `true` for a row to write, `false` for one to take out.
    rows: BTreeMap<Row, bool>,
    shapes: BTreeMap<(i64, i64), (String, i64)>,
    extents: BTreeMap<(i64, i64), i64>,
}

impl Pending {
    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Puts what is to be written or taken out beside the rest.
    pub fn change(&mut self, kind: &str, indexed: Indexed, add: bool) {
        for row in indexed.rows {
            match self.rows.entry(row) {
                // Taken out and put back, or the other way round: what stood there stands.
                Entry::Occupied(waiting) if *waiting.get() != add => {
                    waiting.remove();
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(place) => {
                    place.insert(add);
                }
            }
        }
        let (kind, by) = (kinds::number(kind), if add { 1 } else { -1 });
        self.shapes.entry((kind, indexed.shape)).or_insert((indexed.params, 0)).1 += by;
        if let Some(class) = indexed.class {
            *self.extents.entry((kind, class)).or_default() += by;
        }
    }

    /// Writes everything.
    pub fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        for (row, add) in std::mem::take(&mut self.rows) {
            if add {
                insert(transaction, &row)?;
            } else {
                delete(transaction, &row)?;
            }
        }
        for ((kind, shape), (params, by)) in std::mem::take(&mut self.shapes) {
            transaction
                .prepare_cached(
                    "INSERT INTO shape (kind, shape, params, rows) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET rows = rows + ?4",
                )?
                .execute(params![kind, shape, params, by])?;
        }
        for ((kind, class), by) in std::mem::take(&mut self.extents) {
            transaction
                .prepare_cached(
                    "INSERT INTO extent (kind, class, rows) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET rows = rows + ?3",
                )?
                .execute([kind, class, by])?;
        }
        for text in ["DELETE FROM shape WHERE rows = 0", "DELETE FROM extent WHERE rows = 0"] {
            transaction.prepare_cached(text)?.execute([])?;
        }
        Ok(())
    }
}

fn insert(transaction: &Transaction<'_>, row: &Row) -> Result<(), Error> {
    match row {
        Row::Term { param, value, moment, rid, system } => transaction
            .prepare_cached("INSERT OR IGNORE INTO term VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute([param, value, moment, rid, system])?,
        Row::Link { rid, param, target } => transaction
            .prepare_cached("INSERT OR IGNORE INTO link VALUES (?1, ?2, ?3)")?
            .execute([rid, param, target])?,
        Row::Span { rid, param, low, high } => transaction
            .prepare_cached("INSERT OR IGNORE INTO span VALUES (?1, ?2, ?3, ?4)")?
            .execute([rid, param, low, high])?,
        Row::Word { rid, param, value, exact } => transaction
            .prepare_cached("INSERT OR IGNORE INTO word VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![rid, param, value, exact])?,
        Row::Measure { rid, param, unit, low, high } => transaction
            .prepare_cached("INSERT OR IGNORE INTO measure VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![rid, param, unit, low.get(), high.get()])?,
    };
    Ok(())
}

fn delete(transaction: &Transaction<'_>, row: &Row) -> Result<(), Error> {
    match row {
        Row::Term { param, value, moment, rid, system } => transaction
            .prepare_cached(
                "DELETE FROM term WHERE param = ?1 AND value = ?2 AND moment = ?3 AND rid = ?4
                 AND system = ?5",
            )?
            .execute([param, value, moment, rid, system])?,
        Row::Link { rid, param, target } => transaction
            .prepare_cached("DELETE FROM link WHERE rid = ?1 AND param = ?2 AND target = ?3")?
            .execute([rid, param, target])?,
        Row::Span { rid, param, low, high } => transaction
            .prepare_cached(
                "DELETE FROM span WHERE rid = ?1 AND param = ?2 AND low = ?3 AND high = ?4",
            )?
            .execute([rid, param, low, high])?,
        Row::Word { rid, param, value, exact } => transaction
            .prepare_cached(
                "DELETE FROM word WHERE rid = ?1 AND param = ?2 AND value = ?3 AND exact = ?4",
            )?
            .execute(params![rid, param, value, exact])?,
        Row::Measure { rid, param, unit, low, high } => transaction
            .prepare_cached(
                "DELETE FROM measure WHERE rid = ?1 AND param = ?2 AND unit = ?3 AND low = ?4
                 AND high = ?5",
            )?
            .execute(params![rid, param, unit, low.get(), high.get()])?,
    };
    Ok(())
}
