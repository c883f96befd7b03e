//! What a search should find, by going through every resource with the definitions of R4 in hand.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use access::permit::ReadPermit;
use fhir::query::{
    Compartment, Condition, Filter, Include, NumberMatch, Prefix, Query, Sort, SystemMatch, Target,
    TextMatch, TokenMatch, UnitMatch,
};
use fhir::search::set::Parameters;
use fhir::search::sort::{SortKey, value_key};
use fhir::search::text::words;
use fhir::search::{self, IndexValue, ParamKind, QuantityValue, SearchParameter, Span};
use fhir::{compartment, definitions};
use record::{service, system};

use crate::model::{Key, Model, Row, State};

/// A question: who asks, and when.
#[derive(Clone, Copy)]
pub struct Naive<'a> {
    pub model: &'a Model,
    pub permit: &'a ReadPermit,
    pub now: i64,
}

impl Naive<'_> {
    fn visible(&self) -> impl Iterator<Item = &Row> {
        let current = self.model.rows.iter().filter(|row| row.state != State::Removed);
        current.filter(|row| self.model.permitted(self.permit, row))
    }

    /// Everything that a query finds, in its order.
    pub fn search(&self, query: &Query) -> Vec<&Row> {
        let mut found: Vec<&Row> = self
            .visible()
            .filter(|row| query.kinds.is_empty() || query.kinds.contains(&row.kind))
            .filter(|row| query.compartment.as_ref().is_none_or(|of| self.within(of, row)))
            .filter(|row| query.filters.iter().all(|filter| self.holds(filter, row)))
            .collect();
        found.sort_by(|one, other| order(&query.sort, one, other));
        found
    }

    fn within(&self, of: &Compartment, row: &Row) -> bool {
        let key = (of.kind, of.id.to_string());
        let parameters = compartment::parameters(of.kind, row.kind);
        let named = parameters.iter().any(|parameter| names(row, parameter, &key));
        // What is about the patient need not refer to this Patient.
        let person = self.model.find(of.kind, &of.id).and_then(|of| of.person);
        let own = of.kind == "Patient" && person.is_some() && row.person == person;
        row.key() == key || named || (own && !parameters.is_empty())
    }

    /// Whether a filter holds for a row.
    pub fn holds(&self, filter: &Filter, row: &Row) -> bool {
        filter.negated != filter.any.iter().any(|it| self.condition(&filter.on, it, row))
    }

    fn condition(&self, on: &Target, condition: &Condition, row: &Row) -> bool {
        match (on, condition) {
            (Target::Id, Condition::Id(id)) => **id == *row.id,
            (Target::LastUpdated, Condition::Date { prefix, low, high }) => {
                lies(*prefix, (row.updated, row.updated + 1), (*low, *high), self.now)
            }
            (Target::Parameter(parameter), Condition::Missing(missing)) => {
                values(row, parameter).is_empty() == *missing
            }
            (Target::Parameter(parameter), condition) => {
                let values = values(row, parameter);
                values.iter().any(|value| self.value(parameter, condition, value))
            }
            (Target::Resource, Condition::Has { kind, parameter, filter }) => {
                self.visible().any(|other| {
                    other.kind == *kind
                        && names(other, parameter, &row.key())
                        && self.holds(filter, other)
                })
            }
            (Target::Resource, Condition::OfKind { kind, filter }) => {
                row.kind == *kind && self.holds(filter, row)
            }
            (Target::Resource, Condition::All(filters)) => {
                filters.iter().all(|filter| self.holds(filter, row))
            }
            (Target::Resource, Condition::Words { part, words: wanted }) => {
                let found = words(&row.resource, *part);
                wanted.iter().all(|word| found.contains(word))
            }
            (Target::Resource, Condition::InList(_)) => false,
            // Nothing else is generated.
            _ => false,
        }
    }

    fn value(&self, on: &SearchParameter, condition: &Condition, value: &IndexValue) -> bool {
        match (condition, value) {
            (Condition::Token(wanted), IndexValue::Token { system, code }) => {
                token(wanted, system.as_deref(), code)
            }
            (Condition::OfType { of, value }, IndexValue::OfType { system, code, value: own }) => {
                value == own && token(of, system.as_deref(), code)
            }
            (Condition::Reference { kinds, id }, IndexValue::Reference { kind, id: own }) => {
                let targets = if kinds.is_empty() { &on.targets } else { kinds };
                id == own && (targets.is_empty() || targets.contains(kind))
            }
            (Condition::Chain { kind, filter }, IndexValue::Reference { kind: of, id }) => {
                let named = |row: &Row| row.kind == *of && *row.id == **id;
                kind == of
                    && (on.targets.is_empty() || on.targets.contains(of))
                    && self.visible().any(|row| named(row) && self.holds(filter, row))
            }
            (Condition::Logical { identifier, .. }, IndexValue::Logical { system, value }) => {
                is_system(&identifier.system, system.as_deref())
                    && identifier.code.as_ref().is_none_or(|wanted| wanted == value)
            }
            (Condition::Logical { identifier, chained }, IndexValue::Reference { kind, id }) => {
                chained.contains(kind)
                    && self.visible().any(|row| {
                        row.kind == *kind && *row.id == **id && identified(row, identifier)
                    })
            }
            (Condition::Uri { uri, below }, IndexValue::Uri(own)) => {
                uri == own || (*below && own.starts_with(&**uri))
            }
            (Condition::Date { prefix, low, high }, IndexValue::Date { low: from, high: to }) => {
                lies(*prefix, (*from, *to), (*low, *high), self.now)
            }
            (Condition::Text { text, how }, IndexValue::Text { folded, exact }) => match how {
                TextMatch::Starts => folded.starts_with(&**text),
                TextMatch::Contains => folded.contains(&**text),
                TextMatch::Ends => folded.ends_with(&**text),
                TextMatch::Exact => exact == text,
            },
            (Condition::Number(number), IndexValue::Number(span)) => measures(number, span),
            (Condition::Quantity { number, unit }, IndexValue::Quantity(of)) => {
                amounts(number, unit, of)
            }
            (Condition::Composite(wanted), IndexValue::Composite(parts)) => {
                wanted.iter().zip(parts).all(|(condition, values)| {
                    values.iter().any(|value| self.value(on, condition, value))
                })
            }
            _ => false,
        }
    }

    /// What a page's includes bring, in any order.
    pub fn included(&self, query: &Query, matches: &[Key]) -> BTreeSet<Key> {
        let mut brought = BTreeSet::new();
        let mut from: Vec<Key> = matches.to_vec();
        let mut first = true;
        while !from.is_empty() {
            let mut next = BTreeSet::new();
            for of in &from {
                let of = self.model.find(of.0, &of.1).unwrap();
                for other in self.visible() {
                    let forward = query.includes.iter().filter(|it| first || it.iterate);
                    let back = query.revincludes.iter().filter(|it| first || it.iterate);
                    if forward.into_iter().any(|it| follows(it, of, other))
                        || back.into_iter().any(|it| follows(it, other, of))
                    {
                        next.insert(other.key());
                    }
                }
            }
            first = false;
            next.retain(|key| !matches.contains(key) && !brought.contains(key));
            brought.extend(next.iter().cloned());
            from = next.into_iter().collect();
        }
        brought
    }
}

/// Whether an include follows a reference from one row to the other.
fn follows(include: &Include, from: &Row, to: &Row) -> bool {
    include.source.is_none_or(|source| source == from.kind)
        && include.target.is_none_or(|target| target == to.kind)
        && match &include.parameter {
            Some(parameter) => names(from, parameter, &to.key()),
            None => {
                let all = search::parameters(from.kind).iter();
                let mut references = all.filter(|it| it.kind == ParamKind::Reference);
                references.any(|parameter| names(from, parameter, &to.key()))
            }
        }
}

/// The values of a row under a search parameter.
fn values(row: &Row, parameter: &SearchParameter) -> Vec<IndexValue> {
    if parameter.is_added() {
        return Parameters::r4().values(parameter, &row.resource);
    }
    let entries = search::index(&row.resource).into_iter();
    let own = entries.filter(|entry| entry.index_id == parameter.index_id);
    own.map(|entry| entry.value).collect()
}

/// Whether a row refers to a resource by a parameter that may name its type.
fn names(row: &Row, parameter: &SearchParameter, (kind, id): &Key) -> bool {
    let reference = IndexValue::Reference { kind, id: id.as_str().into() };
    (parameter.targets.is_empty() || parameter.targets.contains(kind))
        && values(row, parameter).contains(&reference)
}

fn is_system(wanted: &SystemMatch, system: Option<&str>) -> bool {
    match wanted {
        SystemMatch::Any => true,
        SystemMatch::Absent => system.is_none(),
        SystemMatch::Is(wanted) => {
            system.is_some_and(|system| system::canonical(system) == system::canonical(wanted))
        }
    }
}

/// Kodeverk 9151's codes are the same with and without padding.
fn token(wanted: &TokenMatch, system: Option<&str>, code: &str) -> bool {
    let padded = system.map(system::canonical).as_deref() == Some(system::SERVICE_TYPE);
    is_system(&wanted.system, system)
        && wanted.code.as_deref().is_none_or(|wanted| {
            wanted == code || (padded && service::unpadded(wanted) == service::unpadded(code))
        })
}

/// R4's prefixes, from their definitions: `r` is the resource's range, `v` the one asked for.
fn lies(prefix: Prefix, r: (i64, i64), v: (i64, i64), now: i64) -> bool {
    let within = v.0 <= r.0 && r.1 <= v.1;
    let (after, before) = (r.1 > v.1, r.0 < v.0);
    match prefix {
        Prefix::Equal => within,
        Prefix::NotEqual => !within,
        Prefix::Greater => after,
        Prefix::Less => before,
        Prefix::GreaterOrEqual => after || within,
        Prefix::LessOrEqual => before || within,
        Prefix::StartsAfter => r.0 >= v.1,
        Prefix::EndsBefore => r.1 <= v.0,
        Prefix::Approximate => {
            let margin = (now - v.0).abs() / 10;
            r.0 < v.1 + margin && r.1 > v.0 - margin
        }
    }
}

/// Whether a row has an identifier.
fn identified(row: &Row, identifier: &TokenMatch) -> bool {
    let parameter = search::parameter(row.kind, "identifier").unwrap();
    values(row, parameter).iter().any(|value| match value {
        IndexValue::Token { system, code } => token(identifier, system.as_deref(), code),
        _ => false,
    })
}

fn amounts(number: &NumberMatch, unit: &UnitMatch, of: &QuantityValue) -> bool {
    match unit {
        UnitMatch::Any => measures(number, &of.span),
        UnitMatch::Written(text) => {
            [&of.code, &of.unit].contains(&&Some(text.clone())) && measures(number, &of.span)
        }
        UnitMatch::Coded { system, code } => {
            (&of.system, &of.code) == (&Some(system.clone()), &Some(code.clone()))
                && measures(number, &of.span)
        }
        UnitMatch::Canonical { number, unit } => {
            of.canonical.as_ref().is_some_and(|of| of.unit == *unit && measures(number, &of.span))
        }
    }
}

/// The same for numbers, whose ranges are closed.
fn measures(number: &NumberMatch, span: &Span) -> bool {
    let NumberMatch { prefix, value, low, high } = *number;
    let equal = span.low >= low && span.high < high;
    match prefix {
        Prefix::Equal => equal,
        Prefix::NotEqual => !equal,
        Prefix::Approximate => span.high >= low && span.low <= high,
        Prefix::Greater => span.high > value,
        Prefix::Less => span.low < value,
        Prefix::GreaterOrEqual => span.high >= value,
        Prefix::LessOrEqual => span.low <= value,
        Prefix::StartsAfter => span.low > value,
        Prefix::EndsBefore => span.high < value,
    }
}

/// By the keys, the missing last, both ways round; then as recorded, in the direction of the first
/// key. What is about the latest time comes first where nothing is asked for.
fn order(sort: &[Sort], one: &Row, other: &Row) -> Ordering {
    let newest = |kind| {
        let date = search::parameter(kind, "date").cloned();
        date.map(|date| Sort { by: Target::Parameter(date), descending: true })
    };
    let descending = sort.first().is_none_or(|sort| sort.descending);
    let keys = if sort.is_empty() { 1 } else { sort.len() };
    let mut whole = Ordering::Equal;
    for key in 0..keys {
        let key_of = |row: &Row| match sort.get(key) {
            Some(sort) => sort_key(sort, row),
            // Types without a date are all of one time.
            None => {
                newest(row.kind).map_or(Some(SortKey::Time(0)), |newest| sort_key(&newest, row))
            }
        };
        let descending = sort.get(key).is_none_or(|sort| sort.descending);
        whole = whole.then(match (key_of(one), key_of(other)) {
            (Some(one), Some(other)) if descending => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        });
    }
    let kinds = definitions::resource_kinds();
    let number = |row: &Row| kinds.iter().position(|kind| *kind == row.kind);
    let rows = one.order.cmp(&other.order);
    whole.then(number(one).cmp(&number(other))).then(if descending { rows.reverse() } else { rows })
}

fn sort_key(sort: &Sort, row: &Row) -> Option<SortKey> {
    match &sort.by {
        Target::Parameter(parameter) => {
            let values = values(row, parameter).into_iter();
            let keys = values.filter_map(|value| match value {
                // A date orders by its beginning; one that began nobody knows when, not at all.
                IndexValue::Date { low, .. } => (low > i64::MIN).then_some(SortKey::Time(low)),
                // The words beside a code do not order it.
                IndexValue::Text { .. } if parameter.kind != ParamKind::String => None,
                other => value_key(&other, sort.descending),
            });
            if sort.descending { keys.max() } else { keys.min() }
        }
        Target::Id => Some(SortKey::Text(row.id.as_str().into())),
        Target::LastUpdated => {
            Some(SortKey::Time(i64::try_from(*row.versions.last().unwrap()).unwrap()))
        }
        Target::Resource => None,
    }
}
