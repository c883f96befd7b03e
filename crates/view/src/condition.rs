//! The conditions of a search as SQL over a row of `resource`: is it so for this row?
//!
//! Every look goes to an index by the row's own number, so that a row is judged in a few steps
//! however much there is. What no index says (the second part of a composite, words, distances) is
//! looked at in the resource itself afterwards ([`crate::verify`]); here such a condition is what must
//! hold at least. Whatever another resource has to say, in a chain or `_has`, counts only if the
//! permit opens that resource, too.

use fhir::query::{
    Condition, Filter, NumberMatch, Prefix, SystemMatch, Target, TextMatch, TokenMatch, UnitMatch,
};
use fhir::search::sort::alphabetical;
use fhir::search::{ParamKind, SearchParameter};
use fhir::{compartment, definitions};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use crate::error::Error;
use crate::kinds;
use crate::rows::mark;
use crate::schema::Budget;
use crate::scope::Limits;
use crate::sql::{Piece, marks, numbers};
use crate::store::View;
use crate::term::Sought;

/// `ap` widens a date by a tenth of its distance from now (R4 search, prefixes).
const APPROXIMATE: i64 = 10;

/// A search under way: what conditions need to become SQL.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The view.
    pub view: &'a View,
    /// The snapshot.
    pub connection: &'a Connection,
    /// How much work is left.
    pub budget: &'a Budget,
    /// What the permit opens.
    pub limits: &'a Limits,
    /// Numbers of the added parameters that the index is complete for, in order.
    pub complete: &'a [u16],
    /// Milliseconds since 1970.
    pub now: i64,
}

/// The name of the row of `resource` that conditions at this depth of chains are about.
pub fn alias(depth: usize) -> String {
    format!("r{depth}")
}

impl Ask<'_> {
    /// A filter on rows of a type.
    pub fn holds(&self, filter: &Filter, kind: &str, depth: usize) -> Result<Piece, Error> {
        if filter.negated && self.must_look(filter) {
            return Ok(Piece::always());
        }
        let mut any = Vec::with_capacity(filter.any.len());
        for condition in &filter.any {
            any.push(self.condition(&filter.on, condition, kind, depth)?);
        }
        let any = Piece::any(any);
        Ok(if filter.negated { any.not() } else { any })
    }

    /// One alternative of a filter on rows of a type.
    pub fn condition(
        &self,
        on: &Target,
        condition: &Condition,
        kind: &str,
        depth: usize,
    ) -> Result<Piece, Error> {
        let row = alias(depth);
        match (on, condition) {
            (Target::Id, Condition::Id(id)) => {
                let of = self.view.terms.reference(kind, id);
                let values = [Sql::from(of), Sql::from(id.to_string())];
                Ok(Piece::new(format!("({row}.self = ? AND {row}.id = ?)"), values))
            }
            (Target::LastUpdated, Condition::Date { prefix, low, high }) => {
                let (a, b) = (format!("{row}.updated"), format!("({row}.updated + 1)"));
                Ok(self.range(*prefix, (*low, *high), &a, &b))
            }
            (Target::Parameter(parameter), condition) => {
                self.parameter(parameter, condition, kind, depth)
            }
            (Target::Resource, condition) => self.resource(condition, kind, depth),
            (Target::Id | Target::LastUpdated, _) => Ok(Piece::never()),
        }
    }

    fn parameter(
        &self,
        parameter: &SearchParameter,
        condition: &Condition,
        kind: &str,
        depth: usize,
    ) -> Result<Piece, Error> {
        let row = alias(depth);
        if !self.tells(parameter, condition) {
            return match condition {
                Condition::Chain { .. } => Err(Error::NoIndex),
                Condition::Logical { chained, .. } if !chained.is_empty() => Err(Error::NoIndex),
                _ => Ok(Piece::always()),
            };
        }
        let index = parameter.index_id;
        Ok(match condition {
            Condition::Missing(missing) => missing_of(index, *missing, &row),
            Condition::Date { prefix, low, high } => {
                let range = self.range(*prefix, (*low, *high), "+s.low", "+s.high");
                has("span s", &row, Some(index), range)
            }
            Condition::Text { .. } if parameter.kind == ParamKind::Token => Piece::always(),
            Condition::Text { text, how } => has("word s", &row, Some(index), words(text, *how)),
            Condition::Number(number) => has("measure s", &row, Some(index), measured(0, number)),
            Condition::Quantity { number, unit } => {
                has("measure s", &row, Some(index), self.quantity(number, unit))
            }
            Condition::Chain { kind: of, filter } => self.chain(parameter, of, filter, depth)?,
            Condition::Logical { identifier, .. } if identifier.code.is_none() => Piece::always(),
            Condition::Logical { identifier, chained } if !chained.is_empty() => {
                let mut any = vec![has_term(index, &self.logical(identifier), &row)];
                for of in chained {
                    let filter = identified(of, identifier);
                    if let Some(filter) = filter {
                        any.push(self.chain(parameter, of, &filter, depth)?);
                    }
                }
                Piece::any(any)
            }
            Condition::Token(token) if token.code.is_none() => Piece::always(),
            Condition::Uri { below: true, .. } | Condition::Near(_) => Piece::always(),
            Condition::InValueSet(_) | Condition::Subsumed { .. } => {
                return Err(Error::UnknownCodes);
            }
            other => match self.terms_of(parameter, other) {
                Some(sought) => {
                    let mut piece = has_term(kinds::posted(index), &sought, &row);
                    // What is told before the resource is looked at.
                    if let (Condition::Composite(parts), Some(_)) = (other, kinds::measured(kind))
                        && !parameter.is_added()
                        && let [_, Condition::Quantity { number, unit }] = parts.as_slice()
                    {
                        let measured = self.quantity(number, unit);
                        piece.and(has("measure s", &row, None, measured));
                    }
                    piece
                }
                // A composite whose first part is no code.
                None if matches!(other, Condition::Composite(_)) => Piece::always(),
                None => Piece::never(),
            },
        })
    }

    /// The terms that a condition asks for, any of them; nothing for one about something else.
    pub fn terms_of(
        &self,
        parameter: &SearchParameter,
        condition: &Condition,
    ) -> Option<Vec<Sought>> {
        if !self.has_index(parameter) {
            return None;
        }
        let terms = &self.view.terms;
        let whole = |value: i64| Sought { value, system: None };
        match condition {
            Condition::Token(token) if token.code.is_some() => Some(terms.sought(token)),
            Condition::OfType { value, .. } => {
                let code = Some(value.clone());
                Some(terms.sought(&TokenMatch { system: SystemMatch::Any, code }))
            }
            Condition::Reference { kinds, id } => {
                let kinds = match (kinds.as_slice(), parameter.targets.as_slice()) {
                    ([], []) => definitions::resource_kinds(),
                    ([], targets) => targets.to_vec(),
                    (kinds, _) => kinds.to_vec(),
                };
                Some(kinds.iter().map(|kind| whole(terms.reference(kind, id))).collect())
            }
            Condition::Logical { identifier, chained } if chained.is_empty() => {
                identifier.code.as_ref().map(|_| self.logical(identifier))
            }
            Condition::Uri { uri, below: false } => Some(vec![whole(terms.uri(uri))]),
            Condition::Composite(parts) => match parts.first()? {
                first @ Condition::Token(token) if token.code.is_some() => {
                    self.terms_of(parameter, first)
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn logical(&self, identifier: &TokenMatch) -> Vec<Sought> {
        self.view.terms.sought_logical(identifier)
    }

    /// Leads to the rows of a type that have no value of a parameter.
    pub fn lacking(&self, index: u16, kind: &str, row: &str) -> Piece {
        Piece::new(
            format!(
                "{row}.shape IN (SELECT m.shape FROM shape m WHERE m.kind = {} \
                 AND instr(m.params, ?) = 0)",
                kinds::number(kind)
            ),
            [Sql::from(mark(index))],
        )
    }

    fn chain(
        &self,
        parameter: &SearchParameter,
        of: &'static str,
        filter: &Filter,
        depth: usize,
    ) -> Result<Piece, Error> {
        if !may_name(parameter, of) {
            return Ok(Piece::never());
        }
        let (row, named) = (alias(depth), alias(depth + 1));
        let mut piece = Piece::new(
            format!(
                "EXISTS (SELECT 1 FROM link l CROSS JOIN resource {named} \
                 ON {named}.self = l.target WHERE l.rid = {row}.rid AND l.param = {} AND ",
                parameter.index_id
            ),
            [],
        );
        piece.push(self.other(of, filter, depth + 1)?);
        piece.push(Piece::new(")", []));
        Ok(piece)
    }

    /// What must hold for the other resource of a chain.
    pub fn other(&self, of: &str, filter: &Filter, depth: usize) -> Result<Piece, Error> {
        let other = alias(depth);
        let mut piece = Piece::new(format!("+{other}.kind = {}", kinds::number(of)), []);
        piece.and(self.limits.visible(&other));
        if self.must_look(filter) {
            let rids = self.looked_at(of, filter)?;
            piece.and(Piece::new(format!("{other}.rid IN ({})", numbers(&rids)), []));
        } else {
            piece.and(self.holds(filter, of, depth)?);
        }
        Ok(piece)
    }

    fn resource(&self, condition: &Condition, kind: &str, depth: usize) -> Result<Piece, Error> {
        let row = alias(depth);
        Ok(match condition {
            Condition::Has { kind: of, parameter, filter } => {
                if !may_name(parameter, kind) {
                    return Ok(Piece::never());
                }
                self.can_follow(parameter)?;
                let other = alias(depth + 1);
                let mut piece = Piece::new(
                    format!(
                        "EXISTS (SELECT 1 FROM term l CROSS JOIN resource {other} \
                         ON {other}.rid = l.rid WHERE l.param = {} AND l.value = {row}.self AND ",
                        parameter.index_id
                    ),
                    [],
                );
                piece.push(self.other(of, filter, depth + 1)?);
                piece.push(Piece::new(")", []));
                piece
            }
            Condition::InList(id) => {
                let mut piece = Piece::new(format!("{row}.self IN ("), []);
                piece.push(self.listed(id));
                piece.push(Piece::new(")", []));
                piece
            }
            Condition::OfKind { kind: of, filter } if *of == kind => {
                self.holds(filter, kind, depth)?
            }
            Condition::All(filters) => {
                let all: Result<Vec<Piece>, Error> =
                    filters.iter().map(|filter| self.holds(filter, kind, depth)).collect();
                Piece::all(all?)
            }
            Condition::Words { .. } => Piece::always(),
            _ => Piece::never(),
        })
    }

    /// The resources that a List names, as a SELECT of their hashes.
    pub fn listed(&self, id: &str) -> Piece {
        let item = fhir::search::parameter("List", "item").map_or(0, |item| item.index_id);
        let mut piece = Piece::new(
            format!(
                "SELECT l.target FROM resource n CROSS JOIN link l ON l.rid = n.rid \
                 AND l.param = {item} WHERE n.self = ? AND "
            ),
            [Sql::from(self.view.terms.reference("List", id))],
        );
        piece.push(self.limits.visible("n"));
        piece
    }

    /// A compartment: references by any of its parameters, the resource itself, and for a patient
    /// whatever is about the person.
    pub fn within(&self, of: &fhir::query::Compartment, kind: &str) -> Piece {
        let row = alias(0);
        let target = self.view.terms.reference(of.kind, &of.id);
        let look = Sought { value: target, system: None };
        let parameters = compartment::parameters(of.kind, kind);
        let mut any: Vec<Piece> = parameters
            .iter()
            .map(|parameter| has_term(parameter.index_id, &[look], &row))
            .collect();
        if of.kind == kind {
            any.push(Piece::new(format!("{row}.self = ?"), [Sql::from(target)]));
        }
        if of.kind == "Patient" && !parameters.is_empty() {
            let person = format!(
                "{row}.person IN (SELECT p.person FROM resource p WHERE p.self = ? \
                 AND p.person <> x'')"
            );
            any.push(Piece::new(person, [Sql::from(target)]));
        }
        Piece::any(any)
    }

    /// The rows of a type in a compartment, as a SELECT of row numbers.
    pub fn begin_within(&self, of: &fhir::query::Compartment, kind: &str) -> Piece {
        let target = self.view.terms.reference(of.kind, &of.id);
        let parameters = compartment::parameters(of.kind, kind);
        let mut union: Vec<Piece> = parameters
            .iter()
            .map(|parameter| {
                let text = format!(
                    "SELECT t.rid FROM term t WHERE t.param = {} AND t.value = ?",
                    parameter.index_id
                );
                Piece::new(text, [Sql::from(target)])
            })
            .collect();
        let itself = "SELECT x.rid FROM resource x WHERE x.self = ?";
        union.push(Piece::new(itself, [Sql::from(target)]));
        if of.kind == "Patient" {
            let text = format!(
                "SELECT x.rid FROM resource p CROSS JOIN resource x INDEXED BY resource_person \
                 ON x.person = p.person AND x.kind = {} WHERE p.self = ? AND p.person <> x''",
                kinds::number(kind)
            );
            union.push(Piece::new(text, [Sql::from(target)]));
        }
        Piece::union(union)
    }

    fn quantity(&self, number: &NumberMatch, unit: &UnitMatch) -> Piece {
        let (number, unit) = self.in_unit(number, unit);
        measured(unit, number)
    }

    /// The number asked for and the unit that it is compared in, as the index has them: as written,
    /// under 0, where the unit is none that can be converted.
    pub fn in_unit<'n>(
        &self,
        number: &'n NumberMatch,
        unit: &'n UnitMatch,
    ) -> (&'n NumberMatch, i64) {
        match unit {
            UnitMatch::Canonical { number, unit } => (number, self.view.terms.unit(unit)),
            UnitMatch::Any | UnitMatch::Written(_) | UnitMatch::Coded { .. } => (number, 0),
        }
    }

    /// A stored range `[a, b)` against the range `[low, high)` asked for.
    pub fn range(&self, prefix: Prefix, (low, high): (i64, i64), a: &str, b: &str) -> Piece {
        let contains = format!("({a} >= ? AND {b} <= ?)");
        let (text, values) = match prefix {
            Prefix::Equal => (contains, vec![low, high]),
            Prefix::NotEqual => (format!("NOT {contains}"), vec![low, high]),
            Prefix::Greater => (format!("{b} > ?"), vec![high]),
            Prefix::Less => (format!("{a} < ?"), vec![low]),
            Prefix::GreaterOrEqual => (format!("({b} > ? OR {contains})"), vec![high, low, high]),
            Prefix::LessOrEqual => (format!("({a} < ? OR {contains})"), vec![low, low, high]),
            Prefix::StartsAfter => (format!("{a} >= ?"), vec![high]),
            Prefix::EndsBefore => (format!("{b} <= ?"), vec![low]),
            Prefix::Approximate => {
                let (from, to) = self.widened(low, high);
                (format!("({a} < ? AND {b} > ?)"), vec![to, from])
            }
        };
        Piece::new(text, values.into_iter().map(Sql::from))
    }

    /// A range under `ap`.
    pub fn widened(&self, low: i64, high: i64) -> (i64, i64) {
        let margin = self.now.saturating_sub(low).saturating_abs() / APPROXIMATE;
        (low.saturating_sub(margin), high.saturating_add(margin))
    }
}

/// Whether a reference under this parameter may name the type. Parameters such as `subject` and
/// `patient` share their values and differ in the types they may name.
pub fn may_name(parameter: &SearchParameter, kind: &str) -> bool {
    parameter.targets.is_empty() || parameter.targets.contains(&kind)
}

/// The filter that a resource of a type has an identifier.
pub fn identified(kind: &str, identifier: &TokenMatch) -> Option<Filter> {
    let parameter = fhir::search::parameter(kind, "identifier")?;
    Some(Filter {
        on: Target::Parameter(parameter.clone()),
        negated: false,
        any: vec![Condition::Token(identifier.clone())],
    })
}

/// Whether a row has a value of a parameter or lacks one; `row` has a shape.
fn missing_of(index: u16, missing: bool, row: &str) -> Piece {
    let compared = if missing { "= 0" } else { "> 0" };
    let text =
        format!("(SELECT instr(m.params, ?) FROM shape m WHERE m.shape = {row}.shape) {compared}");
    Piece::new(text, [Sql::from(mark(index))])
}

/// The condition that a row of `resource` has one of the terms under a parameter.
pub fn has_term(index: u16, sought: &[Sought], row: &str) -> Piece {
    let (pieces, plain): (Vec<&Sought>, Vec<&Sought>) =
        sought.iter().partition(|sought| sought.system.is_some());
    // Codes that few are in use of are told by the row's shape, without looking for the row.
    let (table, its) = match kinds::trait_rank(index) {
        Some(_) => ("trait", format!("t.shape = {row}.shape")),
        None => ("term", format!("t.moment = {row}.moment AND t.rid = {row}.rid")),
    };
    let look = |condition: Piece| {
        let mut piece =
            Piece::new(format!("EXISTS (SELECT 1 FROM {table} t WHERE t.param = {index} AND "), []);
        piece.push(condition);
        piece.push(Piece::new(format!(" AND {its})"), []));
        piece
    };
    let narrow = pieces.into_iter().map(|sought| {
        let values = [Sql::from(sought.value), Sql::from(sought.system)];
        look(Piece::new("t.value = ? AND t.system = ?", values))
    });
    let plain: Vec<Sql> = plain.iter().map(|sought| Sql::from(sought.value)).collect();
    let plain = (!plain.is_empty())
        .then(|| look(Piece::new(format!("t.value IN ({})", marks(plain.len())), plain)));
    Piece::any(narrow.chain(plain))
}

/// A look into a table of what a row has, under one parameter or any. A plus before a column keeps the look to the row's own
/// entries, where an index by value would seem as good and is not.
fn has(table: &str, row: &str, index: Option<u16>, condition: Piece) -> Piece {
    let under = index.map(|index| format!("s.param {} AND ", kinds::under(index)));
    let under = under.unwrap_or_default();
    let mut piece = Piece::new(
        format!("EXISTS (SELECT 1 FROM {table} WHERE s.rid = {row}.rid AND {under}"),
        [],
    );
    piece.push(condition);
    piece.push(Piece::new(")", []));
    piece
}

/// A string, as [`crate::rows`] keeps it.
pub fn words(text: &str, how: TextMatch) -> Piece {
    let sorted = || String::from(alphabetical(text));
    match how {
        TextMatch::Starts => Piece::new("s.value >= ? AND s.value < ?", {
            [Sql::from(sorted()), Sql::from(format!("{}\u{10ffff}", sorted()))]
        }),
        TextMatch::Contains => Piece::new("instr(s.value, ?) > 0", [Sql::from(sorted())]),
        TextMatch::Ends => Piece::new("substr(s.value, -length(?)) = ?", {
            [Sql::from(sorted()), Sql::from(sorted())]
        }),
        TextMatch::Exact => Piece::new("s.exact = ?", [Sql::from(text.to_owned())]),
    }
}

/// A stored range of numbers against the number asked for.
pub fn measured(unit: i64, number: &NumberMatch) -> Piece {
    let NumberMatch { prefix, value, low, high } = number;
    let (value, low, high) = (value.get(), low.get(), high.get());
    let (text, values) = match prefix {
        Prefix::Equal => ("+s.low >= ? AND +s.high < ?", vec![low, high]),
        Prefix::NotEqual => ("NOT (+s.low >= ? AND +s.high < ?)", vec![low, high]),
        Prefix::Approximate => ("+s.high >= ? AND +s.low <= ?", vec![low, high]),
        Prefix::Greater => ("+s.high > ?", vec![value]),
        Prefix::Less => ("+s.low < ?", vec![value]),
        Prefix::GreaterOrEqual => ("+s.high >= ?", vec![value]),
        Prefix::LessOrEqual => ("+s.low <= ?", vec![value]),
        Prefix::StartsAfter => ("+s.low > ?", vec![value]),
        Prefix::EndsBefore => ("+s.high < ?", vec![value]),
    };
    let mut piece = Piece::new("+s.unit = ?", [Sql::from(unit)]);
    piece.and(Piece::new(format!("({text})"), values.into_iter().map(Sql::from)));
    piece
}
