//! What the view should hold and answer, said in the plainest way: a list of resources that is
//! gone through from end to end for every question.

use std::collections::BTreeSet;

use access::permit::{Reach, ReadPermit};
use fhir::json;
use fhir::query::{
    Condition, Filter, Prefix, Query, Sort, SystemMatch, Target, TextMatch, TokenMatch,
};
use fhir::resource::Resource;
use fhir::search::{self, IndexValue};
use record::catalogue::Catalogue;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use record::{service, system};

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Live,
    Removed,
    Derived,
}

/// One resource.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: &'static str,
    pub id: String,
    pub person: Option<PersonId>,
    pub category: &'static str,
    pub source: &'static str,
    pub owner: String,
    /// The entry that first made it; a derived one comes after the resource it is derived from.
    pub order: (Position, bool),
    /// Positions of all versions, the newest last.
    pub versions: Vec<Position>,
    pub updated: i64,
    pub state: State,
    pub resource: Resource,
}

/// Everything.
#[derive(Default)]
pub struct Model {
    pub rows: Vec<Row>,
    pub erased: BTreeSet<PersonId>,
    pub skipped: Vec<Entry>,
}

type Key = (&'static str, String);

impl Row {
    pub fn key(&self) -> Key {
        (self.kind, self.id.clone())
    }
}

impl Model {
    pub fn put(&mut self, entry: &Entry, kind: &'static str, id: &str, text: &str) {
        let resource = Resource::from_value(json::parse(text.as_bytes()).unwrap()).unwrap();
        if let Some(person) = entry.person {
            self.settle_patient(entry, kind, person, &resource);
        }
        let mut row = row(entry, kind, id, State::Live, resource);
        let at = self.rows.iter().position(|row| row.kind == kind && row.id == id);
        if let Some(at) = at {
            let before = self.rows.remove(at);
            row.order = before.order;
            row.versions = [before.versions, row.versions].concat();
        }
        self.rows.push(row);
        self.rows.sort_by_key(|row| row.order);
    }

    /// Each person has a Patient: the first resource gives one, until a source sends its own.
    fn settle_patient(&mut self, entry: &Entry, kind: &str, person: PersonId, resource: &Resource) {
        let is_patient = |row: &Row| row.kind == "Patient" && row.person == Some(person);
        if kind == "Patient" {
            self.rows.retain(|row| !is_patient(row) || row.state != State::Derived);
            return;
        }
        let subject = ["subject", "patient"].iter().find_map(|name| resource.value().get(name));
        let identifier = subject.and_then(|subject| subject.get("identifier"));
        if let Some(identifier) = identifier
            && !self.rows.iter().any(is_patient)
        {
            let id = person.to_string();
            let value = fhir::json!({
                "resourceType": "Patient",
                "id": id.as_str(),
                "identifier": [identifier],
            });
            let patient = Resource::from_value(value).unwrap();
            let mut row = row(entry, "Patient", &id, State::Derived, patient);
            row.category = "demographics";
            row.order = (entry.position, true);
            self.rows.push(row);
        }
    }

    pub fn remove(&mut self, entry: &Entry, kind: &str, id: &str) {
        let row = self.rows.iter_mut().find(|row| row.kind == kind && row.id == id).unwrap();
        row.state = State::Removed;
        row.versions.push(entry.position);
        row.updated = entry.recorded_at;
    }

    pub fn erase(&mut self, person: PersonId) {
        self.rows.retain(|row| row.person != Some(person));
        self.skipped.retain(|entry| entry.person != Some(person));
        self.erased.insert(person);
    }

    /// The nth resource that its owner can remove.
    pub fn removable(&self, n: usize) -> Option<&Row> {
        let live: Vec<&Row> = self.rows.iter().filter(|row| row.state == State::Live).collect();
        live.get(n % live.len().max(1)).copied()
    }

    pub fn find(&self, kind: &str, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.kind == kind && row.id == id)
    }

    /// Whether a permit opens what is this person's, category's and source's.
    fn opens(
        &self,
        permit: &ReadPermit,
        person: Option<PersonId>,
        category: &str,
        (owner, source): (&str, &str),
    ) -> bool {
        let reached = match (permit.reach(), person) {
            (Reach::Any, _) => true,
            // What is about nobody among what is about persons is nobody's to reach.
            (_, None) => Catalogue::get().category(category).is_none_or(|it| !it.about_person),
            (Reach::Person(reached), Some(person)) => *reached == person,
            (Reach::Unit { unit, at }, Some(person)) => self.at_unit(unit, *at).contains(&person),
        };
        reached
            && permit.categories().contains(&category)
            && permit.owned_by().is_none_or(|limits| limits == (owner, source))
    }

    pub fn permitted(&self, permit: &ReadPermit, row: &Row) -> bool {
        self.opens(permit, row.person, row.category, (&row.owner, row.source))
    }

    /// Positions that a permit is told are missing.
    pub fn missing(&self, permit: &ReadPermit) -> Vec<Position> {
        let told = self.skipped.iter().filter(|entry| {
            self.opens(permit, entry.person, &entry.category, (&entry.owner, &entry.source))
        });
        told.map(|entry| entry.position).collect()
    }

    /// Persons with a service at a unit or below it that is active and has not ended.
    pub fn at_unit(&self, unit: &str, at: i64) -> BTreeSet<PersonId> {
        let live = || self.rows.iter().filter(|row| row.state == State::Live);
        let organisations = || live().filter(|row| row.kind == "Organization");
        let is_unit = |row: &&Row| {
            row.resource.value().items("identifier").iter().any(|identifier| {
                identifier.text("value") == Some(unit)
                    && identifier.text("system").map(system::canonical).as_deref()
                        == Some(system::ENH)
            })
        };
        let mut sites: BTreeSet<String> =
            organisations().filter(is_unit).map(|row| row.id.clone()).collect();
        loop {
            let below = organisations().filter(|row| {
                let parent = row.resource.value().at("partOf.reference");
                let parent = parent.and_then(|value| value.as_str()).unwrap_or_default();
                sites.iter().any(|site| parent == format!("Organization/{site}"))
            });
            let more: BTreeSet<String> = below.map(|row| row.id.clone()).collect();
            if more.is_subset(&sites) {
                break;
            }
            sites.extend(more);
        }
        let active = live().filter(|row| {
            let value = row.resource.value();
            let site = value.at("managingOrganization.reference").and_then(|it| it.as_str());
            let end = value.at("period.end").and_then(|end| end.as_str());
            row.kind == "EpisodeOfCare"
                && value.text("status") == Some("active")
                && sites.iter().any(|id| site == Some(&format!("Organization/{id}")))
                && end.is_none_or(|end| fhir::instant::range(end).unwrap().1 > at)
        });
        active.filter_map(|row| row.person).collect()
    }

    /// Everything that a query finds, in its order.
    pub fn search(&self, permit: &ReadPermit, query: &Query, now: i64) -> Vec<&Row> {
        let mut found: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| row.kind == query.kind && row.state != State::Removed)
            .filter(|row| self.permitted(permit, row))
            .filter(|row| query.filters.iter().all(|filter| self.holds(filter, row, now)))
            .collect();
        found.sort_by_key(|row| {
            let keys: Vec<i64> = query.sort.iter().map(|sort| sort_key(sort, row)).collect();
            (keys, row.order)
        });
        found
    }

    /// What a page's includes bring, in any order.
    pub fn included(&self, permit: &ReadPermit, query: &Query, matches: &[Key]) -> BTreeSet<Key> {
        let mut brought = BTreeSet::new();
        let others = || {
            let current = self.rows.iter().filter(|row| row.state != State::Removed);
            current.filter(|row| self.permitted(permit, row) && !matches.contains(&row.key()))
        };
        for (kind, id) in matches {
            let of = self.find(kind, id).unwrap();
            for include in query.includes.iter().filter(|include| include.source == *kind) {
                let code = include.parameter.code;
                brought.extend(others().map(Row::key).filter(|other| {
                    include.target.is_none_or(|target| target == other.0) && names(of, code, other)
                }));
            }
            for include in &query.revincludes {
                let wanted = include.target.is_none_or(|target| target == *kind);
                let from = others().filter(|other| {
                    other.kind == include.source
                        && wanted
                        && names(other, include.parameter.code, &(kind, id.clone()))
                });
                brought.extend(from.map(Row::key));
            }
        }
        brought
    }

    fn holds(&self, filter: &Filter, row: &Row, now: i64) -> bool {
        filter.negated
            != filter.any.iter().any(|condition| match filter.on {
                Target::Id => *condition == Condition::Id(row.id.as_str().into()),
                Target::LastUpdated => match condition {
                    Condition::Date { prefix, low, high } => {
                        lies(*prefix, (row.updated, row.updated + 1), (*low, *high), now)
                    }
                    _ => false,
                },
                Target::Parameter(parameter) => {
                    let values = values(row, parameter.code);
                    if let Condition::Missing(missing) = condition {
                        return values.is_empty() == *missing;
                    }
                    values.iter().any(|value| self.value_holds(condition, value, now))
                }
            })
    }

    fn value_holds(&self, condition: &Condition, value: &IndexValue, now: i64) -> bool {
        match (condition, value) {
            (Condition::Token(wanted), IndexValue::Token { system, code }) => {
                token(wanted, system.as_deref(), code)
            }
            (Condition::Reference { kinds, id }, IndexValue::Reference { kind, id: own }) => {
                id == own && (kinds.is_empty() || kinds.contains(kind))
            }
            (Condition::Logical { identifier, .. }, IndexValue::Logical { system, value }) => {
                is_system(&identifier.system, system.as_deref())
                    && identifier.code.as_ref().is_none_or(|wanted| wanted == value)
            }
            (
                Condition::Logical { identifier, chained: true },
                IndexValue::Reference { kind, id },
            ) => self.find(kind, id).is_some_and(|named| {
                named.state != State::Removed
                    && values(named, "identifier").iter().any(|value| match value {
                        IndexValue::Token { system, code } => {
                            token(identifier, system.as_deref(), code)
                        }
                        _ => false,
                    })
            }),
            (Condition::Uri(wanted), IndexValue::Uri(uri)) => wanted == uri,
            (Condition::Date { prefix, low, high }, IndexValue::Date { low: from, high: to }) => {
                lies(*prefix, (*from, *to), (*low, *high), now)
            }
            (Condition::Text { text, how }, IndexValue::Text { folded, exact }) => match how {
                TextMatch::Starts => folded.starts_with(&**text),
                TextMatch::Contains => folded.contains(&**text),
                TextMatch::Exact => exact == text,
            },
            _ => false,
        }
    }
}

fn row(entry: &Entry, kind: &'static str, id: &str, state: State, resource: Resource) -> Row {
    let known = |text: &str| {
        let all = crate::permits::keys().into_iter().chain(crate::permits::SOURCES);
        all.into_iter().find(|known| *known == text).unwrap()
    };
    Row {
        kind,
        id: id.to_owned(),
        person: entry.person,
        category: known(&entry.category),
        source: known(&entry.source),
        owner: entry.owner.clone(),
        order: (entry.position, false),
        versions: vec![entry.position],
        updated: entry.recorded_at,
        state,
        resource,
    }
}

/// The values of a row under a search parameter.
fn values(row: &Row, code: &str) -> Vec<IndexValue> {
    let index = search::parameter(row.kind, code).map(|parameter| parameter.index_id);
    let entries = search::index(&row.resource).into_iter();
    entries.filter(|entry| Some(entry.index_id) == index).map(|entry| entry.value).collect()
}

/// Whether a row refers to a resource by a parameter that may name its type.
fn names(row: &Row, code: &str, (kind, id): &(&'static str, String)) -> bool {
    let targets = &search::parameter(row.kind, code).unwrap().targets;
    let reference = IndexValue::Reference { kind, id: id.as_str().into() };
    (targets.is_empty() || targets.contains(kind)) && values(row, code).contains(&reference)
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

/// Smallest first; the missing come last, both ways round.
fn sort_key(sort: &Sort, row: &Row) -> i64 {
    match sort.by {
        Target::Parameter(parameter) => {
            let ranges = values(row, parameter.code).into_iter().filter_map(|value| match value {
                IndexValue::Date { low, high } => Some((low, high)),
                _ => None,
            });
            if sort.descending {
                ranges.map(|(_, high)| high).max().map_or(i64::MAX, |high| -high)
            } else {
                ranges.map(|(low, _)| low).min().unwrap_or(i64::MAX)
            }
        }
        Target::LastUpdated | Target::Id => {
            let at = i64::try_from(*row.versions.last().unwrap()).unwrap();
            if sort.descending { -at } else { at }
        }
    }
}
