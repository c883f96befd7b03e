//! Conditions that no index answers, judged by the resource itself: parameters added a moment ago, and
//! whether an added one has a value at all; parts of a composite that stand together, the words beside a code, units that are not UCUM's, distances, free text.

use fhir::query::{
    Condition, Filter, Near, NumberMatch, Prefix, SystemMatch, Target, TextMatch, TokenMatch,
    UnitMatch,
};
use fhir::resource::Resource;
use fhir::search::number::Real;
use fhir::search::text;
use fhir::search::{IndexValue, ParamKind, QuantityValue, SearchParameter, Span};

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;

use crate::condition::{Ask, identified};
use crate::error::Error;
use crate::sql::Piece;
use crate::term::{Sought, Term};

/// Mean radius of the earth in metres.
const EARTH: f64 = 6_371_008.8;

/// Whether a condition can only be judged by looking at the resource.
fn look(ask: &Ask<'_>, on: &Target, condition: &Condition) -> bool {
    if let Target::Parameter(parameter) = on
        && !ask.tells(parameter, condition)
    {
        return true;
    }
    match condition {
        Condition::OfType { .. }
        | Condition::Words { .. }
        | Condition::Near(_)
        | Condition::Composite(_)
        | Condition::Uri { below: true, .. } => true,
        Condition::Text { .. } => {
            matches!(on, Target::Parameter(parameter) if parameter.kind == ParamKind::Token)
        }
        Condition::Token(token) => token.code.is_none(),
        Condition::Logical { identifier, .. } => identifier.code.is_none(),
        Condition::Quantity { unit, .. } => {
            matches!(unit, UnitMatch::Written(_) | UnitMatch::Coded { .. })
        }
        Condition::OfKind { filter, .. } => ask.must_look(filter),
        Condition::All(filters) => filters.iter().any(|filter| ask.must_look(filter)),
        _ => false,
    }
}

/// A resource that is looked at.
pub struct Looked<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// Its row.
    pub rid: i64,
}

impl Ask<'_> {
    /// Whether a filter can only be judged by looking at the resource.
    pub fn must_look(&self, filter: &Filter) -> bool {
        filter.any.iter().any(|condition| look(self, &filter.on, condition))
    }

    /// Whether a filter holds for a resource. What the index answers is asked of the index.
    pub fn is_so(&self, filter: &Filter, looked: &Looked<'_>) -> Result<bool, Error> {
        for condition in &filter.any {
            if self.condition_is_so(&filter.on, condition, looked)? {
                return Ok(!filter.negated);
            }
        }
        Ok(filter.negated)
    }

    fn condition_is_so(
        &self,
        on: &Target,
        condition: &Condition,
        looked: &Looked<'_>,
    ) -> Result<bool, Error> {
        if !look(self, on, condition) {
            return self.indexed(on, condition, looked);
        }
        match (on, condition) {
            (Target::Parameter(parameter), condition) => {
                let values = self.view.parameters.values(parameter, looked.resource);
                if let Condition::Missing(missing) = condition {
                    return Ok(values.is_empty() == *missing);
                }
                if values.iter().any(|value| self.value_is_so(parameter, condition, value)) {
                    return Ok(true);
                }
                let Condition::Logical { identifier, chained } = condition else {
                    return Ok(false);
                };
                for kind in chained {
                    let Some(filter) = identified(kind, identifier) else { continue };
                    let chain = Condition::Chain { kind, filter: Box::new(filter) };
                    if self.indexed(on, &chain, looked)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Target::Resource, Condition::Words { part, words }) => {
                let found = text::words(looked.resource, *part);
                Ok(words.iter().all(|word| found.binary_search(word).is_ok()))
            }
            (Target::Resource, Condition::OfKind { kind, filter }) => {
                Ok(*kind == looked.resource.kind() && self.is_so(filter, looked)?)
            }
            (Target::Resource, Condition::All(filters)) => {
                for filter in filters {
                    if !self.is_so(filter, looked)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether the index says that a condition holds for a row.
    fn indexed(
        &self,
        on: &Target,
        condition: &Condition,
        looked: &Looked<'_>,
    ) -> Result<bool, Error> {
        let mut sql = Piece::new(
            "SELECT EXISTS (SELECT 1 FROM resource r0 WHERE r0.rid = ? AND ",
            [Sql::from(looked.rid)],
        );
        sql.push(self.condition(on, condition, looked.resource.kind(), 0)?);
        sql.push(Piece::new(")", []));
        let mut select = self.connection.prepare_cached(&sql.text)?;
        Ok(select.query_row(params_from_iter(sql.values), |row| row.get(0))?)
    }

    fn value_is_so(
        &self,
        parameter: &SearchParameter,
        condition: &Condition,
        value: &IndexValue,
    ) -> bool {
        match (condition, value) {
            (Condition::Token(token), IndexValue::Token { system, code }) => {
                self.token(token, system.as_deref(), code)
            }
            (
                Condition::OfType { of, value: wanted },
                IndexValue::OfType { system, code, value },
            ) => wanted == value && self.token(of, system.as_deref(), code),
            (Condition::Logical { identifier, .. }, IndexValue::Logical { system, value }) => {
                self.system(&identifier.system, system.as_deref())
                    && identifier.code.as_ref().is_none_or(|code| code == value)
            }
            (Condition::Reference { kinds, id }, IndexValue::Reference { kind, id: own }) => {
                let targets = if kinds.is_empty() { &parameter.targets } else { kinds };
                id == own && (targets.is_empty() || targets.contains(kind))
            }
            (Condition::Uri { uri, below }, IndexValue::Uri(own)) => {
                if *below {
                    own.starts_with(&**uri)
                } else {
                    uri == own
                }
            }
            (Condition::Date { prefix, low, high }, IndexValue::Date { low: a, high: b }) => {
                self.lies(*prefix, (*a, *b), (*low, *high))
            }
            (Condition::Text { text, how }, IndexValue::Text { folded, exact }) => match how {
                TextMatch::Starts => folded.starts_with(&**text),
                TextMatch::Contains => folded.contains(&**text),
                TextMatch::Ends => folded.ends_with(&**text),
                TextMatch::Exact => exact == text,
            },
            (Condition::Number(number), IndexValue::Number(span)) => within(number, span),
            (Condition::Quantity { number, unit }, IndexValue::Quantity(quantity)) => {
                has_unit(number, unit, quantity)
            }
            (Condition::Near(near), IndexValue::Position { latitude, longitude }) => {
                distance(near, *latitude, *longitude) <= near.distance.get()
            }
            (Condition::Composite(wanted), IndexValue::Composite(parts)) => {
                let together = |(condition, values): (&Condition, &Vec<IndexValue>)| {
                    values.iter().any(|value| self.value_is_so(parameter, condition, value))
                };
                wanted.len() == parts.len() && wanted.iter().zip(parts).all(together)
            }
            _ => false,
        }
    }

    fn token(&self, wanted: &TokenMatch, system: Option<&str>, code: &str) -> bool {
        if wanted.code.is_none() {
            return self.system(&wanted.system, system);
        }
        let Term { value, system } = self.view.terms.token(system, code);
        let fits = |sought: Sought| {
            sought.value == value && sought.system.is_none_or(|wanted| wanted == system)
        };
        self.view.terms.sought(wanted).into_iter().any(fits)
    }

    fn system(&self, wanted: &SystemMatch, system: Option<&str>) -> bool {
        let of = |system| self.view.terms.system(system);
        match wanted {
            SystemMatch::Any => true,
            SystemMatch::Absent => of(system) == 0,
            SystemMatch::Is(wanted) => of(system) == of(Some(wanted)),
        }
    }

    /// A range `[a, b)` against the range `[low, high)` asked for, as
    /// [`crate::condition::Ask::range`] says it in SQL.
    fn lies(&self, prefix: Prefix, (a, b): (i64, i64), (low, high): (i64, i64)) -> bool {
        let contains = a >= low && b <= high;
        match prefix {
            Prefix::Equal => contains,
            Prefix::NotEqual => !contains,
            Prefix::Greater => b > high,
            Prefix::Less => a < low,
            Prefix::GreaterOrEqual => b > high || contains,
            Prefix::LessOrEqual => a < low || contains,
            Prefix::StartsAfter => a >= high,
            Prefix::EndsBefore => b <= low,
            Prefix::Approximate => {
                let (from, to) = self.widened(low, high);
                a < to && b > from
            }
        }
    }
}

fn within(number: &NumberMatch, Span { low: a, high: b }: &Span) -> bool {
    let NumberMatch { prefix, value, low, high } = number;
    let equal = low <= a && b < high;
    match prefix {
        Prefix::Equal => equal,
        Prefix::NotEqual => !equal,
        Prefix::Approximate => low <= b && a <= high,
        Prefix::Greater => b > value,
        Prefix::Less => a < value,
        Prefix::GreaterOrEqual => b >= value,
        Prefix::LessOrEqual => a <= value,
        Prefix::StartsAfter => a > value,
        Prefix::EndsBefore => b < value,
    }
}

fn has_unit(number: &NumberMatch, unit: &UnitMatch, quantity: &QuantityValue) -> bool {
    match unit {
        UnitMatch::Any => within(number, &quantity.span),
        UnitMatch::Written(text) => {
            (quantity.code.as_ref() == Some(text) || quantity.unit.as_ref() == Some(text))
                && within(number, &quantity.span)
        }
        UnitMatch::Coded { system, code } => {
            quantity.system.as_ref() == Some(system)
                && quantity.code.as_ref() == Some(code)
                && within(number, &quantity.span)
        }
        UnitMatch::Canonical { number, unit } => quantity
            .canonical
            .as_ref()
            .is_some_and(|canonical| canonical.unit == *unit && within(number, &canonical.span)),
    }
}

/// Metres between two places on a sphere (the haversine formula).
fn distance(near: &Near, latitude: Real, longitude: Real) -> f64 {
    let (from, to) = (near.latitude.get().to_radians(), latitude.get().to_radians());
    let across = (longitude.get() - near.longitude.get()).to_radians();
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(to - from) + from.cos() * to.cos() * half(across);
    2.0 * EARTH * chord.sqrt().min(1.0).asin()
}
