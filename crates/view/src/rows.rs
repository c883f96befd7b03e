//! What a resource is found by, as rows of the index tables.
//!
//! The rows of many resources are gathered and written in the order of their keys, which is several
//! times faster than writing them as they come: neighbours share a page.

use std::collections::BTreeMap;

use fhir::resource::Resource;
use fhir::search::number::Real;
use fhir::search::sort::alphabetical;
use fhir::search::{IndexEntry, IndexValue, QuantityValue, Span};
use fhir::value::Value;
use record::label::Label;
use rusqlite::{Statement, Transaction, params};

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
    /// An end of a range of numbers.
    Point { param: i64, key: i64, value: Real, rid: i64 },
}

/// What the index says of one resource.
pub struct Indexed {
    /// When it is about.
    pub moment: i64,
    /// The number of its row.
    rid: i64,
    /// What its shape says.
    common: Common,
    /// Class of its extent, if it has one.
    class: Option<i64>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// What the rows of a shape have in common.
#[derive(Default)]
struct Common {
    kind: i64,
    scope: i64,
    labels: i64,
    /// The parameters they have values under, each as [`mark`] writes it.
    params: String,
    /// Parameter, value and system of the codes that few are in use of, in order.
    traits: Vec<[i64; 3]>,
}

impl Indexed {
    /// Puts it into a row and a scope; the number of its shape there.
    pub fn place(&mut self, terms: &Terms, rid: i64, scope: i64) -> i64 {
        if self.rid != rid {
            self.rid = rid;
            self.rows.iter_mut().for_each(|row| *row.rid() = rid);
        }
        self.common.scope = scope;
        self.common.shape(terms)
    }
}

impl Row {
    fn rid(&mut self) -> &mut i64 {
        match self {
            Row::Term { rid, .. }
            | Row::Link { rid, .. }
            | Row::Span { rid, .. }
            | Row::Word { rid, .. }
            | Row::Measure { rid, .. }
            | Row::Point { rid, .. } => rid,
        }
    }
}

impl Common {
    fn shape(&self, terms: &Terms) -> i64 {
        let Self { kind, scope, labels, params, traits } = self;
        terms.shape(&format!("{kind} {scope} {labels} {params} {traits:?}"))
    }
}

/// The number of a parameter as it stands in `shape.params`.
pub fn mark(param: u16) -> String {
    format!(",{param},")
}

/// The security labels of a resource, as bits.
pub fn labels(resource: &Resource) -> i64 {
    let meta = resource.value().get("meta");
    let codings = meta.map(|meta| meta.items("security")).unwrap_or_default();
    let label =
        |coding: &Value| Label::of(coding.text("system")?, coding.text("code").unwrap_or_default());
    i64::from(Label::bits(codings.iter().filter_map(label)))
}

/// The index of a resource with its row number and labels.
pub fn index(
    terms: &Terms,
    kind: &str,
    (rid, labels): (i64, i64),
    entries: &[IndexEntry],
) -> Indexed {
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
    together(terms, kind, rid, entries, &mut rows);
    // One value may be written in several ways that are the same row.
    rows.sort_unstable();
    rows.dedup();
    leave_own(&mut rows);
    let (kind, traits) = (kinds::number(kind), traits(&rows));
    let common = Common { kind, scope: 0, labels, params, traits };
    Indexed { moment, rid, common, class, rows }
}

/// The codes among sorted rows that are part of a shape.
fn traits(rows: &[Row]) -> Vec<[i64; 3]> {
    let of = |row: &Row| match row {
        Row::Term { param, value, system, .. } => {
            let param = u16::try_from(*param).ok()?;
            kinds::trait_rank(param).map(|_| [i64::from(param), *value, *system])
        }
        _ => None,
    };
    rows.iter().filter_map(of).collect()
}

/// What is measured together with a code: each value of a type's code with each of its quantity, so
/// that conditions on both are found by both, and what composites say belongs together.
fn together(terms: &Terms, kind: &str, rid: i64, entries: &[IndexEntry], rows: &mut Vec<Row>) {
    let Some(pair) = kinds::measured(kind) else { return };
    let of = |param: u16| {
        entries.iter().filter(move |entry| entry.index_id == param).map(|entry| &entry.value)
    };
    let [codes, quantities] = pair.map(|param| of(param).collect::<Vec<_>>());
    let mut add = |codes: &[&IndexValue], quantities: &[&IndexValue]| {
        for code in codes {
            let IndexValue::Token { system, code } = code else { continue };
            let code = terms.token(system.as_deref(), code).value;
            for quantity in quantities {
                let IndexValue::Quantity(quantity) = quantity else { continue };
                for (unit, span) in measures(terms, quantity) {
                    let key = terms.measured(code, unit);
                    rows.extend(points(measured_in(kind), key, span, rid));
                }
            }
        }
    };
    add(&codes, &quantities);
    for entry in entries {
        if let IndexValue::Composite(parts) = &entry.value
            && let [codes, quantities] = parts.as_slice()
        {
            let (codes, quantities): (Vec<_>, Vec<_>) =
                (codes.iter().collect(), quantities.iter().collect());
            add(&codes, &quantities);
        }
    }
}

/// What stands for the parameter in `point` where a code of a type and what is measured under it are
/// one key.
pub fn measured_in(kind: &str) -> i64 {
    -kinds::number(kind)
}

/// A quantity as written, under unit 0, and in its canonical unit if it has one.
fn measures<'a>(
    terms: &Terms,
    quantity: &'a QuantityValue,
) -> impl Iterator<Item = (i64, &'a Span)> {
    let canonical = quantity.canonical.as_ref();
    let canonical = canonical.map(|canonical| (terms.unit(&canonical.unit), &canonical.span));
    [(0, &quantity.span)].into_iter().chain(canonical)
}

/// The ends of a range, one where they are the same.
fn points(param: i64, key: i64, span: &Span, rid: i64) -> impl Iterator<Item = Row> {
    let high = (span.high != span.low).then_some(span.high);
    let ends = [span.low].into_iter().chain(high);
    ends.map(move |value| Row::Point { param, key, value, rid })
}

/// The rows of one value of a row that is about a moment, under the number of a parameter.
pub fn add(
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
        IndexValue::Number(span) => measure(rid, param, 0, span, rows),
        IndexValue::Quantity(quantity) => {
            for (unit, span) in measures(terms, quantity) {
                measure(rid, param, unit, span, rows);
            }
        }
        // A composite is found by its first part, or by what is measured under it, and then looked
        // at in the resource.
        IndexValue::Composite(_) if numbered(param).is_some_and(|it| kinds::posted(it) != it) => {}
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

/// The number of a standard parameter or an added one; nothing for what stands for one ([`measured_in`]).
fn numbered(param: i64) -> Option<u16> {
    u16::try_from(param).ok()
}

/// Takes out of sorted rows the numbers that stand under a resource's own parameter ([`kinds::own`]) too.
fn leave_own(rows: &mut Vec<Row>) {
    let repeated = |row: &Row| {
        let own = |param: i64| numbered(param).and_then(kinds::own).map(i64::from);
        let other = match *row {
            Row::Measure { rid, param, unit, low, high } => {
                Row::Measure { rid, param: own(param)?, unit, low, high }
            }
            Row::Point { param, key, value, rid } => {
                Row::Point { param: own(param)?, key, value, rid }
            }
            _ => return None,
        };
        rows.binary_search(&other).ok()
    };
    let kept: Vec<bool> = rows.iter().map(|row| repeated(row).is_none()).collect();
    let mut kept = kept.into_iter();
    rows.retain(|_| kept.next().unwrap_or(true));
}

fn measure(rid: i64, param: i64, unit: i64, span: &Span, rows: &mut Vec<Row>) {
    rows.push(Row::Measure { rid, param, unit, low: span.low, high: span.high });
    rows.extend(points(param, unit, span, rid));
}

/// What is to become of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is written, and was not there; or taken out, and was.
    Change(bool),
    /// It is there, or not, whatever was before.
    Settle(bool),
}

/// Changes to the index that are not written yet.
#[derive(Default)]
pub struct Pending {
    /// In the order in which they were told.
    rows: Vec<(Row, Fate)>,
    shapes: BTreeMap<i64, (Common, i64)>,
    extents: BTreeMap<(i64, i64), i64>,
}

impl Pending {
    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Puts what is to be written or taken out, of a row of this shape, beside the rest.
    pub fn change(&mut self, indexed: Indexed, shape: i64, add: bool) {
        self.rows.extend(indexed.rows.into_iter().map(|row| (row, Fate::Change(add))));
        let (kind, by) = (indexed.common.kind, if add { 1 } else { -1 });
        self.shapes.entry(shape).or_insert((indexed.common, 0)).1 += by;
        if let Some(class) = indexed.class {
            *self.extents.entry((kind, class)).or_default() += by;
        }
    }

    /// Puts rows that may be there already, or not at all, beside the rest: what is said of a row last
    /// counts.
    pub fn settle(&mut self, rows: Vec<Row>, add: bool) {
        self.rows.extend(rows.into_iter().map(|row| (row, Fate::Settle(add))));
    }

    /// Writes everything.
    pub fn write(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        // Stable, so that what was told of one row stays in its order.
        self.rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        for table in self.rows.chunk_by(|(one, _), (other, _)| one.is_beside(other)) {
            write_table(transaction, table)?;
        }
        self.rows.clear();
        for (shape, (common, by)) in std::mem::take(&mut self.shapes) {
            count(transaction, shape, &common, by)?;
        }
        for ((kind, class), by) in std::mem::take(&mut self.extents) {
            transaction
                .prepare_cached(
                    "INSERT INTO extent (kind, class, rows) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET rows = rows + ?3",
                )?
                .execute([kind, class, by])?;
        }
        transaction.prepare_cached("DELETE FROM extent WHERE rows = 0")?.execute([])?;
        Ok(())
    }
}

/// Writes sorted rows of one table.
fn write_table(transaction: &Transaction<'_>, rows: &[(Row, Fate)]) -> Result<(), Error> {
    let Some((first, _)) = rows.first() else { return Ok(()) };
    let (insert, delete) = first.statements();
    let mut insert = transaction.prepare_cached(insert)?;
    let mut delete = transaction.prepare_cached(delete)?;
    for same in rows.chunk_by(|(one, _), (other, _)| one == other) {
        let fate = same.iter().fold(None, |before, (_, fate)| match (before, fate) {
            // Taken out and put back, or the other way round: what stood there stands.
            (Some(before), Fate::Change(add)) => (before == *add).then_some(before),
            (_, Fate::Change(add) | Fate::Settle(add)) => Some(*add),
        });
        let (Some((row, _)), Some(add)) = (same.first(), fate) else { continue };
        row.execute(if add { &mut insert } else { &mut delete })?;
    }
    Ok(())
}

/// So many more rows of a shape, or fewer. One that no row has any more is forgotten.
fn count(transaction: &Transaction<'_>, shape: i64, common: &Common, by: i64) -> Result<(), Error> {
    let rows: i64 = transaction
        .prepare_cached(
            "INSERT INTO shape (shape, kind, scope, labels, params, rows)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET rows = rows + ?6 RETURNING rows",
        )?
        .query_row(
            params![shape, common.kind, common.scope, common.labels, common.params, by],
            |row| row.get(0),
        )?;
    let text = if rows == 0 {
        transaction.prepare_cached("DELETE FROM shape WHERE shape = ?1")?.execute([shape])?;
        "DELETE FROM trait WHERE param = ?1 AND value = ?2 AND shape = ?3 AND system = ?4"
    } else if rows == by {
        "INSERT OR IGNORE INTO trait (param, value, shape, system) VALUES (?1, ?2, ?3, ?4)"
    } else {
        return Ok(());
    };
    for [param, value, system] in &common.traits {
        transaction.prepare_cached(text)?.execute([param, value, &shape, system])?;
    }
    Ok(())
}

impl Row {
    /// Whether it is of the same table.
    fn is_beside(&self, other: &Row) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// What writes a row of its table, and what takes one out.
    fn statements(&self) -> (&'static str, &'static str) {
        match self {
            Row::Term { .. } => (
                "INSERT OR IGNORE INTO term VALUES (?1, ?2, ?3, ?4, ?5)",
                "DELETE FROM term WHERE param = ?1 AND value = ?2 AND moment = ?3 AND rid = ?4
                 AND system = ?5",
            ),
            Row::Link { .. } => (
                "INSERT OR IGNORE INTO link VALUES (?1, ?2, ?3)",
                "DELETE FROM link WHERE rid = ?1 AND param = ?2 AND target = ?3",
            ),
            Row::Span { .. } => (
                "INSERT OR IGNORE INTO span VALUES (?1, ?2, ?3, ?4)",
                "DELETE FROM span WHERE rid = ?1 AND param = ?2 AND low = ?3 AND high = ?4",
            ),
            Row::Word { .. } => (
                "INSERT OR IGNORE INTO word VALUES (?1, ?2, ?3, ?4)",
                "DELETE FROM word WHERE rid = ?1 AND param = ?2 AND value = ?3 AND exact = ?4",
            ),
            Row::Measure { .. } => (
                "INSERT OR IGNORE INTO measure VALUES (?1, ?2, ?3, ?4, ?5)",
                "DELETE FROM measure WHERE rid = ?1 AND param = ?2 AND unit = ?3 AND low = ?4
                 AND high = ?5",
            ),
            Row::Point { .. } => (
                "INSERT OR IGNORE INTO point VALUES (?1, ?2, ?3, ?4)",
                "DELETE FROM point WHERE param = ?1 AND key = ?2 AND value = ?3 AND rid = ?4",
            ),
        }
    }

    /// Runs one of its [`Row::statements`].
    fn execute(&self, statement: &mut Statement<'_>) -> Result<(), Error> {
        match self {
            Row::Term { param, value, moment, rid, system } => {
                statement.execute([param, value, moment, rid, system])?
            }
            Row::Link { rid, param, target } => statement.execute([rid, param, target])?,
            Row::Span { rid, param, low, high } => statement.execute([rid, param, low, high])?,
            Row::Word { rid, param, value, exact } => {
                statement.execute(params![rid, param, value, exact])?
            }
            Row::Measure { rid, param, unit, low, high } => {
                statement.execute(params![rid, param, unit, low.get(), high.get()])?
            }
            Row::Point { param, key, value, rid } => {
                statement.execute(params![param, key, value.get(), rid])?
            }
        };
        Ok(())
    }
}
