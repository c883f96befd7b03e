//! What the personnel system tells of employees, and whom the municipality names as well known: a list that
//! the municipality brings, since the log knows employees by their logins only. Numbers are turned into
//! pseudonymous ids when it is taken in, and are not kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use access::vigilance::day::Day;
use access::vigilance::facts::{Employee, Shift};
use fhir::issue::IssueCode;
use ledger::keys::PersonKey;
use record::identity::{PersonId, accept_number};
use serde::{Deserialize, Serialize};

use super::kept::write;
use super::local;
use crate::error::Failure;
use crate::tenant::Tenant;
use crate::whom::NATIONAL;

/// Name of the file.
const FILE: &str = "people";

/// A list as it is brought.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Brought {
    #[serde(default)]
    staff: Vec<BroughtEmployee>,
    #[serde(default)]
    known: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BroughtEmployee {
    /// HPR number; for who has none, the name as the login tells it.
    who: String,
    #[serde(default)]
    number: Option<String>,
    #[serde(default)]
    family: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    /// The last day of work.
    #[serde(default)]
    ended: Option<String>,
    /// Turns of duty, `YYYY-MM-DDThh:mm` from and to.
    #[serde(default)]
    shifts: Vec<(String, String)>,
}

/// A list as it is kept.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    pub staff: BTreeMap<String, Known>,
    known: BTreeSet<String>,
}

/// What is known of an employee.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    person: Option<String>,
    family: Option<String>,
    address: Option<String>,
    unit: Option<String>,
    pub ended: Option<Day>,
    shifts: Vec<(i64, i64)>,
}

impl People {
    /// Whether the municipality names somebody as well known.
    pub fn is_known(&self, person: PersonId) -> bool {
        self.known.contains(&person.to_string())
    }
}

impl Known {
    /// As the analysis takes it, with the turns of duty around a day.
    pub fn employee(&self, day: Day) -> Employee {
        let midnight = i64::from(day.0) * 24 * 60;
        let near = |(from, to): &&(i64, i64)| *from < midnight + 2 * 1440 && midnight - 1440 < *to;
        Employee {
            person: self.person.as_deref().and_then(PersonId::parse),
            family: self.family.clone(),
            address: self.address.clone(),
            unit: self.unit.clone(),
            shifts: self
                .shifts
                .iter()
                .filter(near)
                .map(|(from, to)| Shift { from: *from, to: *to })
                .collect(),
        }
    }
}

impl Tenant {
    /// Takes a list in, in place of the one before; how many employees it has.
    ///
    /// # Errors
    /// A list that is not of the shape, or with a number, date or time that is none.
    pub fn bring_people(&self, json: &str) -> Result<usize, Failure> {
        let wrong = |place: &str, what: &str| Failure::malformed(IssueCode::Value, place, what);
        let brought: Brought = serde_json::from_str(json).map_err(|error| {
            // Its message may quote what stands there.
            let place = format!("line {}, column {}", error.line(), error.column());
            wrong(&place, "not a list of people as docs/operation.md tells it")
        })?;
        let mut people = People::default();
        for (place, it) in brought.staff.into_iter().enumerate() {
            let at = |part: &str| format!("staff[{place}].{part}");
            let number = it.number.map(|number| self.pseudonym(&number, &at("number")));
            let day = |text: String| {
                Day::parse(&text).ok_or_else(|| wrong(&at("ended"), "a date, `YYYY-MM-DD`"))
            };
            let shift = |(from, to): &(String, String)| local::read(from).zip(local::read(to));
            let shifts: Option<Vec<_>> = it.shifts.iter().map(shift).collect();
            let known = Known {
                person: number.transpose()?.map(|id| id.to_string()),
                family: it.family,
                address: it.address,
                unit: it.unit,
                ended: it.ended.map(day).transpose()?,
                shifts: shifts
                    .ok_or_else(|| wrong(&at("shifts"), "from and to, `YYYY-MM-DDThh:mm`"))?,
            };
            people.staff.insert(it.who, known);
        }
        for (place, number) in brought.known.iter().enumerate() {
            let id = self.pseudonym(number, &format!("known[{place}]"))?;
            people.known.insert(id.to_string());
        }
        let json = serde_json::to_string(&people)
            .map_err(|error| Failure::Unavailable(error.to_string()))?;
        let sealed = self.view.seal_place(FILE, &json)?;
        let directory = self.directory();
        write(&directory.join(FILE), &sealed).map_err(|error| {
            Failure::Unavailable(format!("cannot write in `{}`: {error}", directory.display()))
        })?;
        Ok(people.staff.len())
    }

    /// The list that was brought last; an empty one where there is none.
    pub(super) fn people(&self) -> Result<People, Failure> {
        let Ok(sealed) = fs::read_to_string(self.directory().join(FILE)) else {
            return Ok(People::default());
        };
        let unreadable =
            || Failure::Unavailable("the list of people cannot be read; bring it again".to_owned());
        let json = self.view.open_place(FILE, &sealed).map_err(|_| unreadable())?;
        serde_json::from_str(&json).map_err(|_| unreadable())
    }

    fn pseudonym(&self, number: &str, place: &str) -> Result<PersonId, Failure> {
        accept_number(number, self.register().identity_numbers.into())
            .map_err(|error| Failure::malformed(IssueCode::Value, place, error.to_string()))?;
        Ok(self.keys.expected(&PersonKey { system: NATIONAL, value: number })?)
    }
}
