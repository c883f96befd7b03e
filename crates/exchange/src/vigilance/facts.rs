//! The facts about a day's looks, taken out of the view: names, addresses, deaths, and which units have to
//! do with whom. Nothing of what a resource says beyond that is read.

use std::collections::{BTreeMap, HashMap};

use access::vigilance::day::{Day, Looks};
use access::vigilance::facts::{Employee, Facts, Person, Relation, comparable};
use fhir::value::Value;
use record::identity::PersonId;
use record::system;

use super::people::People;
use crate::error::Failure;
use crate::read::parsed;
use crate::tenant::Tenant;

/// What stays the same for all days of a run.
pub struct Town {
    people: People,
    kinds: HashMap<String, String>,
    names: HashMap<String, u32>,
    /// The registered units that an organisation is or belongs to, by its logical id.
    units: HashMap<String, Vec<String>>,
}

/// Where a resource names the units that have to do with the person, and when: types of service, contact
/// and case. `None` for a time that a resource does not say: from when it was recorded.
const BONDS: [(&str, &[&str], &str); 3] = [
    ("EpisodeOfCare", &["managingOrganization"], "period"),
    ("Encounter", &["serviceProvider"], "period"),
    ("ServiceRequest", &["performer", "requester"], "occurrencePeriod"),
];

/// Most levels from an organisation up to the municipality.
const DEPTH: usize = 8;

impl Tenant {
    /// What a run needs to know of the municipality.
    pub(super) fn town(&self) -> Result<Town, Failure> {
        let register = self.register();
        let kinds = register.units.iter().map(|it| (it.organisation.clone(), it.kind.clone()));
        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut all = 0;
        for (name, count) in self.view.family_names()? {
            *counts.entry(comparable(&name)).or_default() += count;
            all += count;
        }
        let share = |count: u64| u32::try_from(count * 10_000 / all.max(1)).unwrap_or(u32::MAX);
        let names = counts.into_iter().map(|(name, count)| (name, share(count))).collect();
        let mut organisations = HashMap::new();
        for stored in self.view.bonds(None, "Organization")? {
            organisations.insert(stored.id.clone(), parsed(&stored)?);
        }
        let registered = |number: &str| register.unit(number).is_some();
        let units = organisations
            .keys()
            .map(|id| (id.clone(), units_of(id, &organisations, registered)))
            .collect();
        Ok(Town { people: self.people()?, kinds: kinds.collect(), names, units })
    }

    /// The facts about a day's looks.
    pub(super) fn facts(&self, town: &Town, looks: &Looks) -> Result<Facts, Failure> {
        let mut persons = BTreeMap::new();
        for person in looks.persons() {
            persons.insert(person, self.resident_as_known(town, person)?);
        }
        let mut staff = BTreeMap::new();
        for (who, known) in &town.people.staff {
            staff.insert(who.clone(), known.employee(looks.day));
        }
        for (who, name) in looks.employees() {
            let employee: &mut Employee = staff.entry(who.to_owned()).or_default();
            // Without a list from the personnel system the log's name is what there is.
            let last = name.split_whitespace().next_back().filter(|last| *last != name);
            employee.family = employee.family.take().or_else(|| last.map(str::to_owned));
            if let Some(person) = employee.person.filter(|_| employee.address.is_none()) {
                employee.address = self.resident_as_known(town, person)?.address;
            }
        }
        let (kinds, names) = (town.kinds.clone(), town.names.clone());
        Ok(Facts { persons, staff, kinds, names })
    }

    fn resident_as_known(&self, town: &Town, id: PersonId) -> Result<Person, Failure> {
        let mut person = Person { known: town.people.is_known(id), ..Person::default() };
        for stored in self.view.bonds(Some(id), "Patient")? {
            let patient = parsed(&stored)?;
            let name = patient.items("name").first();
            let family = name.and_then(|name| name.text("family")).map(str::to_owned);
            person.family = person.family.or(family);
            person.address = person.address.or_else(|| address(&patient));
            person.died = person.died.or_else(|| day_of(patient.text("deceasedDateTime")));
        }
        for (kind, members, period) in BONDS {
            for stored in self.view.bonds(Some(id), kind)? {
                let value = parsed(&stored)?;
                let recorded = super::local::moment(stored.updated).0;
                let when = value.get(period);
                let from = when.and_then(|it| day_of(it.text("start")));
                let from = from.or_else(|| day_of(value.text("authoredOn"))).unwrap_or(recorded);
                let to = when.and_then(|it| day_of(it.text("end")));
                for unit in members.iter().flat_map(|member| named(&value, member, town)) {
                    person.relations.push(Relation { unit, from, to });
                }
            }
        }
        Ok(person)
    }
}

/// The registered units that a member of a resource names.
fn named(value: &Value, member: &str, town: &Town) -> Vec<String> {
    let one = value.get(member).filter(|it| it.as_array().is_none());
    let all = one.into_iter().chain(value.items(member));
    let units = all.flat_map(|reference| {
        let number =
            reference.get("identifier").filter(|it| it.text("system") == Some(system::ENH));
        let number = number.and_then(|it| it.text("value")).map(str::to_owned);
        let id = reference.text("reference").and_then(|it| it.strip_prefix("Organization/"));
        let known = id.and_then(|id| town.units.get(id)).cloned().unwrap_or_default();
        known.into_iter().chain(number)
    });
    units.collect()
}

/// The registered units that an organisation is or belongs to.
fn units_of(
    id: &str,
    organisations: &HashMap<String, Value>,
    registered: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut units = Vec::new();
    let mut next = Some(id.to_owned());
    for _ in 0..DEPTH {
        let Some(organisation) = next.take().and_then(|id| organisations.get(&id)) else { break };
        let numbers = organisation.items("identifier").iter();
        let numbers = numbers.filter(|it| it.text("system") == Some(system::ENH));
        units.extend(
            numbers
                .filter_map(|it| it.text("value"))
                .filter(|it| registered(it))
                .map(str::to_owned),
        );
        let above = organisation.get("partOf").and_then(|it| it.text("reference"));
        next = above.and_then(|it| it.strip_prefix("Organization/")).map(str::to_owned);
    }
    units
}

fn address(patient: &Value) -> Option<String> {
    let address = patient.items("address").first()?;
    let lines: Vec<&str> = address.items("line").iter().filter_map(Value::as_str).collect();
    let line = lines.join(" ");
    (!line.is_empty()).then(|| format!("{line} {}", address.text("postalCode").unwrap_or_default()))
}

fn day_of(text: Option<&str>) -> Option<Day> {
    text?.get(..10).and_then(Day::parse)
}
