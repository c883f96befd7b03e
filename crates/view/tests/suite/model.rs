//! What the view should hold and answer, said in the plainest way: a list of resources that is
//! gone through from end to end for every question.

use std::collections::BTreeSet;

use access::permit::{Part, Reach, ReadPermit, Withheld};
use fhir::json;
use fhir::resource::Resource;
use record::catalogue::Catalogue;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use record::system;
use view::decided::Decided;

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
    pub decisions: Vec<Decided>,
}

pub type Key = (&'static str, String);

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
        self.decisions.retain(|decided| decided.person != Some(person));
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
            && !is_labelled(permit, row)
            && !is_withheld(permit, row.person, |part| part_holds(part, row))
    }

    /// Positions that a permit is told are missing. Of what cannot be read, only category and owner
    /// are known.
    pub fn missing(&self, permit: &ReadPermit) -> Vec<Position> {
        let told = self.skipped.iter().filter(|entry| {
            let holds = |part: &Part| {
                part.items.is_empty()
                    && (part.from, part.to) == (None, None)
                    && scope_holds(part, &entry.category, &entry.owner)
            };
            self.opens(permit, entry.person, &entry.category, (&entry.owner, &entry.source))
                && !is_withheld(permit, entry.person, holds)
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
}

fn is_labelled(permit: &ReadPermit, row: &Row) -> bool {
    let meta = row.resource.value().get("meta");
    let codings = meta.map(|meta| meta.items("security")).unwrap_or_default();
    codings.iter().any(|coding| {
        coding.text("system").is_some_and(|system| system.ends_with("9603"))
            && permit.labels().hidden().contains(&coding.text("code").unwrap_or_default())
    })
}

fn is_withheld(
    permit: &ReadPermit,
    person: Option<PersonId>,
    holds: impl Fn(&Part) -> bool,
) -> bool {
    match person.map(|person| permit.withheld(person)) {
        None | Some(Withheld::Nothing) => false,
        Some(Withheld::Everything) => true,
        Some(Withheld::Parts(parts)) => parts.iter().any(holds),
    }
}

fn scope_holds(part: &Part, category: &str, owner: &str) -> bool {
    (part.categories.is_empty() || part.categories.contains(&category))
        && part.owner.as_deref().is_none_or(|of| of == owner)
}

fn part_holds(part: &Part, row: &Row) -> bool {
    scope_holds(part, row.category, &row.owner)
        && (part.items.is_empty() || part.items.contains(&(row.kind.to_owned(), row.id.clone())))
        && ((part.from, part.to) == (None, None) || time_holds(part, row))
}

/// What may have a time and has none may be of any; what never has one is of none.
fn time_holds(part: &Part, row: &Row) -> bool {
    let path = match row.kind {
        "Observation" => "effectiveDateTime",
        "EpisodeOfCare" => "period.start",
        "RiskAssessment" => "occurrenceDateTime",
        _ => return false,
    };
    let Some(text) = row.resource.value().at(path).and_then(|value| value.as_str()) else {
        return true;
    };
    let (begins, _) = fhir::instant::range(text).unwrap();
    part.from.is_none_or(|from| from <= begins) && part.to.is_none_or(|to| begins < to)
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
