//! Where a search may begin: the rows that fit one filter, as a SELECT of row numbers.
//!
//! It may give rows too many, never too few, and the same row several times: [`crate::condition`]
//! judges each of them. A chain is begun at its other end.

use fhir::query::{Condition, Filter, NumberMatch, Prefix, Target, TextMatch};
use fhir::search::fold::fold;
use fhir::search::sort::alphabetical;
use fhir::search::{ParamKind, SearchParameter};
use rusqlite::OptionalExtension;
use rusqlite::types::Value as Sql;

use crate::condition::{Ask, alias, identified, may_name, words};
use crate::error::Error;
use crate::kinds;
use crate::rows::{BACKWARDS, EXTENTS, measured_in};
use crate::sql::{Piece, marks, numbers};
use crate::term::Sought;

/// Bounds of the column `moment`: from the first, up to but not including the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The least.
    pub from: i64,
    /// The one after the greatest.
    pub to: i64,
}

impl Moments {
    /// Any.
    pub const ALL: Moments = Moments { from: i64::MIN, to: i64::MAX };

    /// The bounds as SQL on a table that has the column.
    pub fn piece(self, alias: &str) -> Piece {
        let from = (self.from > i64::MIN)
            .then(|| Piece::new(format!("{alias}.moment >= ?"), [Sql::from(self.from)]));
        let to = (self.to < i64::MAX)
            .then(|| Piece::new(format!("{alias}.moment < ?"), [Sql::from(self.to)]));
        Piece::all(from.into_iter().chain(to))
    }
}

impl Ask<'_> {
    /// When the rows of a type that fit all filters are about, as narrow as the filters on its date
    /// say. A range that ends after a time may have begun before it: by how much, `extent` tells.
    pub fn moments(&self, filters: &[Filter], kind: &str) -> Result<Moments, Error> {
        let mut moments = Moments::ALL;
        let mut longest: Option<i64> = None;
        for filter in filters.iter().filter(|filter| !filter.negated) {
            let Target::Parameter(parameter) = &filter.on else { continue };
            if !kinds::is_when(kind, parameter) {
                continue;
            }
            if longest.is_none() {
                longest = self.longest(kind)?;
            }
            let Some(longest) = longest else { return Ok(Moments::ALL) };
            let bounds = filter.any.iter().map(|condition| self.moment(condition, longest));
            let whole = bounds.reduce(|one, other| Moments {
                from: one.from.min(other.from),
                to: one.to.max(other.to),
            });
            let whole = whole.unwrap_or(Moments::ALL);
            moments.from = moments.from.max(whole.from);
            moments.to = moments.to.min(whole.to);
        }
        Ok(moments)
    }

    fn moment(&self, condition: &Condition, longest: i64) -> Moments {
        let Condition::Date { prefix, low, high } = condition else { return Moments::ALL };
        let (low, high) = (*low, *high);
        let ending_after = |time: i64| time.saturating_sub(longest);
        let (from, to) = match prefix {
            Prefix::Equal => (low, high),
            Prefix::NotEqual => (i64::MIN, i64::MAX),
            Prefix::Greater => (ending_after(high), i64::MAX),
            Prefix::GreaterOrEqual => (low.min(ending_after(high)), i64::MAX),
            Prefix::StartsAfter => (high, i64::MAX),
            Prefix::Less | Prefix::EndsBefore => (i64::MIN, low),
            Prefix::LessOrEqual => (i64::MIN, high),
            Prefix::Approximate => {
                let (from, to) = self.widened(low, high);
                (ending_after(from), to)
            }
        };
        Moments { from, to }
    }

    /// How long rows of a type last at most, in milliseconds; nothing where some of them end before
    /// they begin, so that neither end says anything about the other.
    fn longest(&self, kind: &str) -> Result<Option<i64>, Error> {
        let mut select =
            self.connection.prepare_cached("SELECT max(class) FROM extent WHERE kind = ?1")?;
        let class: Option<i64> =
            select.query_row([kinds::number(kind)], |row| row.get(0)).optional()?.flatten();
        if class == Some(BACKWARDS) {
            return Ok(None);
        }
        let class = class.and_then(|class| usize::try_from(class).ok()).unwrap_or(0);
        Ok(Some(EXTENTS.get(class).copied().unwrap_or(i64::MAX)))
    }

    /// The rows that fit a filter; nothing where no index leads to them.
    pub fn drive(
        &self,
        filter: &Filter,
        kind: &str,
        depth: usize,
        moments: Moments,
    ) -> Result<Option<Piece>, Error> {
        if filter.negated {
            return self.others(filter, kind);
        }
        let mut union = Vec::with_capacity(filter.any.len());
        for condition in &filter.any {
            match self.begin(&filter.on, condition, kind, depth, moments)? {
                Some(piece) => union.push(piece),
                None => return Ok(None),
            }
        }
        Ok(Some(Piece::union(union)))
    }

    fn begin(
        &self,
        on: &Target,
        condition: &Condition,
        kind: &str,
        depth: usize,
        moments: Moments,
    ) -> Result<Option<Piece>, Error> {
        match (on, condition) {
            (Target::Id, Condition::Id(id)) => {
                let of = Sql::from(self.view.terms.reference(kind, id));
                Ok(Some(Piece::new("SELECT x.rid FROM resource x WHERE x.self = ?", [of])))
            }
            (Target::Parameter(parameter), condition) => {
                self.begin_parameter(parameter, condition, kind, depth, moments)
            }
            (Target::Resource, condition) => self.begin_resource(condition, kind, depth, moments),
            _ => Ok(None),
        }
    }

    fn begin_parameter(
        &self,
        parameter: &SearchParameter,
        condition: &Condition,
        kind: &str,
        depth: usize,
        moments: Moments,
    ) -> Result<Option<Piece>, Error> {
        if !self.tells(parameter, condition) {
            return Ok(None);
        }
        let index = parameter.index_id;
        Ok(match condition {
            Condition::Missing(true) => {
                let mut piece = Piece::new("SELECT x.rid FROM resource x WHERE ", []);
                piece.push(self.lacking(index, kind, "x"));
                Some(piece)
            }
            Condition::Missing(false) => None,
            Condition::Date { .. } if kinds::is_when(kind, parameter) => {
                (moments != Moments::ALL).then(|| in_time(kind, moments))
            }
            Condition::Date { prefix, low, high } => {
                let (low, high) = match prefix {
                    Prefix::Approximate => self.widened(*low, *high),
                    _ => (*low, *high),
                };
                dated(*prefix, low, high).map(|(text, values)| {
                    let text =
                        format!("SELECT s.rid FROM span s WHERE s.param = {index} AND {text}");
                    Piece::new(text, values.into_iter().map(Sql::from))
                })
            }
            Condition::Text { .. } if parameter.kind == ParamKind::Token => None,
            Condition::Text { text, how } => Some(texts(index, text, *how)),
            Condition::Number(number) => begin_number(&kinds::under(index), 0, number),
            Condition::Quantity { number, unit } => {
                let (number, unit) = self.in_unit(number, unit);
                begin_number(&kinds::under(index), unit, number)
            }
            Condition::Composite(parts) => {
                let measured = match parts.as_slice() {
                    [code, quantity] if !parameter.is_added() => {
                        self.begin_measured(kind, code, quantity)
                    }
                    _ => None,
                };
                let first = || self.terms_of(parameter, condition);
                measured.or_else(|| Some(posting(kinds::posted(index), &first()?, moments)))
            }
            Condition::Chain { kind: of, filter } => {
                self.begin_chain(parameter, of, filter, depth)?
            }
            Condition::Logical { identifier, chained } if !chained.is_empty() => {
                if identifier.code.is_none() {
                    return Ok(None);
                }
                let terms = self.view.terms.sought_logical(identifier);
                let mut union = vec![posting(index, &terms, moments)];
                for of in chained {
                    if let Some(filter) = identified(of, identifier) {
                        union.extend(self.begin_chain(parameter, of, &filter, depth)?);
                    }
                }
                Some(Piece::union(union))
            }
            other => self.terms_of(parameter, other).map(|it| posting(index, &it, moments)),
        })
    }

    /// The rows where this is measured under this code; nothing where the index does not say.
    pub fn begin_measured(
        &self,
        kind: &str,
        code: &Condition,
        quantity: &Condition,
    ) -> Option<Piece> {
        let (Condition::Token(token), Condition::Quantity { number, unit }) = (code, quantity)
        else {
            return None;
        };
        kinds::measured(kind)?;
        let (number, unit) = self.in_unit(number, unit);
        let under = format!("= {}", measured_in(kind));
        let sought = self.view.terms.sought(token);
        let keys = sought.iter().map(|sought| self.view.terms.measured(sought.value, unit));
        let union: Option<Vec<Piece>> = keys.map(|key| begin_number(&under, key, number)).collect();
        union.filter(|union| !union.is_empty()).map(Piece::union)
    }

    fn begin_chain(
        &self,
        parameter: &SearchParameter,
        of: &'static str,
        filter: &Filter,
        depth: usize,
    ) -> Result<Option<Piece>, Error> {
        if !may_name(parameter, of) {
            return Ok(Some(nothing()));
        }
        let named = alias(depth + 1);
        let Some(begin) = self.begin_other(of, filter, depth + 1)? else { return Ok(None) };
        let mut piece = Piece::new(
            format!(
                "SELECT t.rid FROM term t WHERE t.param = {} AND t.value IN \
                 (SELECT {named}.self FROM resource {named} WHERE {named}.rid IN (",
                parameter.index_id
            ),
            [],
        );
        piece.push(begin);
        piece.push(Piece::new(") AND ", []));
        piece.push(self.other(of, filter, depth + 1)?);
        piece.push(Piece::new(")", []));
        Ok(Some(piece))
    }

    /// Where to begin with the other resource of a chain.
    fn begin_other(&self, of: &str, filter: &Filter, depth: usize) -> Result<Option<Piece>, Error> {
        if self.must_look(filter) {
            let rids = self.looked_at(of, filter)?;
            let text = format!("SELECT x.rid FROM resource x WHERE x.rid IN ({})", numbers(&rids));
            return Ok(Some(Piece::new(text, [])));
        }
        let moments = self.moments(std::slice::from_ref(filter), of)?;
        self.drive(filter, of, depth, moments)
    }

    fn begin_resource(
        &self,
        condition: &Condition,
        kind: &str,
        depth: usize,
        moments: Moments,
    ) -> Result<Option<Piece>, Error> {
        match condition {
            Condition::Has { kind: of, parameter, filter } => {
                if !may_name(parameter, kind) {
                    return Ok(Some(nothing()));
                }
                let other = alias(depth + 1);
                let Some(begin) = self.begin_other(of, filter, depth + 1)? else {
                    return Ok(None);
                };
                let mut piece = Piece::new(
                    format!(
                        "SELECT x.rid FROM resource x WHERE x.self IN (SELECT l.target \
                         FROM resource {other} CROSS JOIN link l ON l.rid = {other}.rid \
                         AND l.param = {} WHERE {other}.rid IN (",
                        parameter.index_id
                    ),
                    [],
                );
                piece.push(begin);
                piece.push(Piece::new(") AND ", []));
                piece.push(self.other(of, filter, depth + 1)?);
                piece.push(Piece::new(")", []));
                Ok(Some(piece))
            }
            Condition::InList(id) => {
                let mut piece = Piece::new("SELECT x.rid FROM resource x WHERE x.self IN (", []);
                piece.push(self.listed(id));
                piece.push(Piece::new(")", []));
                Ok(Some(piece))
            }
            Condition::OfKind { kind: of, filter } if *of == kind => {
                self.drive(filter, kind, depth, moments)
            }
            Condition::OfKind { .. } => Ok(Some(nothing())),
            Condition::All(filters) => {
                for filter in filters.iter().filter(|filter| !filter.negated) {
                    if let Some(piece) = self.drive(filter, kind, depth, moments)? {
                        return Ok(Some(piece));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// `:not`: rows with any other value the parameter has, and rows without one. Few values are in
    /// use of a status, and the rows of those that are left out are never walked.
    fn others(&self, filter: &Filter, kind: &str) -> Result<Option<Piece>, Error> {
        let Target::Parameter(parameter) = &filter.on else { return Ok(None) };
        // Rows without a value of an added parameter are found by no index.
        if parameter.is_added() {
            return Ok(None);
        }
        let index = parameter.index_id;
        let mut out = Vec::new();
        for condition in &filter.any {
            match condition {
                Condition::Token(token) if token.code.is_some() => {
                    out.extend(self.view.terms.sought(token));
                }
                _ => return Ok(None),
            }
        }
        let whole: Vec<Sql> = out
            .iter()
            .filter(|sought| sought.system.is_none())
            .map(|sought| Sql::from(sought.value))
            .collect();
        let mut piece = Piece::new(
            format!(
                "SELECT t.rid FROM (WITH RECURSIVE v (value) AS (\
                 SELECT min(y.value) FROM term y WHERE y.param = {index} UNION ALL \
                 SELECT (SELECT min(y.value) FROM term y WHERE y.param = {index} \
                 AND y.value > v.value) FROM v WHERE v.value IS NOT NULL) SELECT value FROM v) w \
                 CROSS JOIN term t ON t.param = {index} AND t.value = w.value \
                 WHERE w.value NOT IN ({})",
                marks(whole.len())
            ),
            whole,
        );
        for sought in out.iter().filter(|sought| sought.system.is_some()) {
            let values = [Sql::from(sought.value), Sql::from(sought.system)];
            piece.and(Piece::new("NOT (t.value = ? AND t.system = ?)", values));
        }
        let missing = Condition::Missing(true);
        let without = self.begin_parameter(parameter, &missing, kind, 0, Moments::ALL)?;
        Ok(Some(Piece::union([piece].into_iter().chain(without))))
    }
}

/// The rows of a type in a stretch of time.
fn in_time(kind: &str, moments: Moments) -> Piece {
    let text = format!(
        "SELECT x.rid FROM resource x INDEXED BY resource_moment WHERE x.kind = {} AND ",
        kinds::number(kind)
    );
    let mut piece = Piece::new(text, []);
    piece.push(moments.piece("x"));
    piece
}

fn nothing() -> Piece {
    Piece::new("SELECT x.rid FROM resource x WHERE 0", [])
}

/// The rows that have any of these terms.
fn posting(index: u16, sought: &[Sought], moments: Moments) -> Piece {
    let values: Vec<Sql> = sought.iter().map(|sought| Sql::from(sought.value)).collect();
    let text = format!(
        "SELECT t.rid FROM term t WHERE t.param = {index} AND t.value IN ({}) AND ",
        marks(values.len())
    );
    let mut piece = Piece::new(text, values);
    piece.push(moments.piece("t"));
    piece
}

/// What a range that fits must have, by its end where that says something.
fn dated(prefix: Prefix, low: i64, high: i64) -> Option<(&'static str, Vec<i64>)> {
    Some(match prefix {
        Prefix::Equal => ("s.high > ? AND s.high <= ?", vec![low, high]),
        Prefix::Greater | Prefix::StartsAfter => ("s.high > ?", vec![high]),
        Prefix::GreaterOrEqual => ("s.high > ?", vec![low]),
        Prefix::EndsBefore => ("s.high <= ?", vec![low]),
        Prefix::Less => ("s.low < ?", vec![low]),
        Prefix::LessOrEqual => ("s.low < ?", vec![high]),
        Prefix::Approximate => ("s.high > ? AND s.low < ?", vec![low, high]),
        Prefix::NotEqual => return None,
    })
}

/// The rows with a number under a parameter, as SQL says it, and a key: an end of every range that fits lies in the stretch looked
/// through.
fn begin_number(under: &str, key: i64, number: &NumberMatch) -> Option<Piece> {
    let NumberMatch { prefix, value, low, high } = number;
    let (value, low, high) = (value.get(), low.get(), high.get());
    let (text, values) = match prefix {
        Prefix::Equal => ("s.value >= ? AND s.value < ?", vec![low, high]),
        Prefix::Greater | Prefix::StartsAfter => ("s.value > ?", vec![value]),
        Prefix::GreaterOrEqual => ("s.value >= ?", vec![value]),
        Prefix::Less | Prefix::EndsBefore => ("s.value < ?", vec![value]),
        Prefix::LessOrEqual => ("s.value <= ?", vec![value]),
        // What reaches over all of it ends after its beginning.
        Prefix::Approximate => ("s.value >= ?", vec![low]),
        Prefix::NotEqual => return None,
    };
    let text = format!("SELECT s.rid FROM point s WHERE s.param {under} AND s.key = ? AND {text}");
    let values = [Sql::from(key)].into_iter().chain(values.into_iter().map(Sql::from));
    Some(Piece::new(text, values))
}

/// The rows with a string. What it contains or ends with is looked for among the different strings
/// there are, not among the rows.
fn texts(index: u16, text: &str, how: TextMatch) -> Piece {
    match how {
        TextMatch::Starts => {
            let mut piece =
                Piece::new(format!("SELECT s.rid FROM word s WHERE s.param = {index} AND "), []);
            piece.push(words(text, how));
            piece
        }
        TextMatch::Exact => {
            let value = String::from(alphabetical(&fold(text)));
            let text = format!("SELECT s.rid FROM word s WHERE s.param = {index} AND s.value = ?");
            Piece::new(text, [Sql::from(value)])
        }
        TextMatch::Contains | TextMatch::Ends => {
            let mut piece = Piece::new(
                format!(
                    "SELECT w.rid FROM (WITH RECURSIVE v (value) AS (\
                     SELECT min(y.value) FROM word y WHERE y.param = {index} UNION ALL \
                     SELECT (SELECT min(y.value) FROM word y WHERE y.param = {index} \
                     AND y.value > v.value) FROM v WHERE v.value IS NOT NULL) \
                     SELECT value FROM v) s CROSS JOIN word w ON w.param = {index} \
                     AND w.value = s.value WHERE "
                ),
                [],
            );
            piece.push(words(text, how));
            piece
        }
    }
}
