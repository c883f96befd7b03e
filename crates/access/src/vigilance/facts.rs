//! What is known beside the log: about residents, employees and units. Only what the day's looks ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use record::identity::PersonId;

use super::day::Day;

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of those looked at.
    pub persons: BTreeMap<PersonId, Person>,
    /// Of those who looked, by the key of [`super::day::Look::who`], and of their colleagues.
    pub staff: BTreeMap<String, Employee>,
    /// Kind of each unit, by organisation number.
    pub kinds: HashMap<String, String>,
    /// How many residents of 10 000 have a family name, in lower case; a name that is not here, none.
    pub names: HashMap<String, u32>,
}

/// Somebody who was looked at.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Family name.
    pub family: Option<String>,
    /// Address, as written.
    pub address: Option<String>,
    /// When the person died.
    pub died: Option<Day>,
    /// Whether the municipality names them as well known.
    pub known: bool,
    /// Services, cases and contacts.
    pub relations: Vec<Relation>,
}

/// A unit had to do with a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Organisation number of the unit.
    pub unit: String,
    /// The first day.
    pub from: Day,
    /// The last day; none where it goes on.
    pub to: Option<Day>,
}

/// Somebody at work.
#[derive(Clone, Debug, Default)]
pub struct Employee {
    /// The employee as a resident.
    pub person: Option<PersonId>,
    /// Family name.
    pub family: Option<String>,
    /// Address, as written.
    pub address: Option<String>,
    /// Organisation number of the unit where the employee works.
    pub unit: Option<String>,
    /// The duty roster, near in time; empty where there is none.
    pub shifts: BTreeSet<Shift>,
}

/// A turn of duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// Minutes since 1970-01-01T00:00 on the local clock.
    pub from: i64,
    /// The minute after the last.
    pub to: i64,
}

impl Person {
    /// Whether a unit has to do with the person between two days.
    pub(super) fn has_relation(&self, unit: &str, from: Day, to: Day) -> bool {
        let overlaps =
            |it: &Relation| it.from <= to && it.to.is_none_or(|last| from <= last.max(it.from));
        self.relations.iter().any(|it| it.unit == unit && overlaps(it))
    }
}

/// An address or a name as it is compared: letters and digits, in lower case.
pub fn comparable(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
