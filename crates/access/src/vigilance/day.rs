//! A day's looks, gathered by employee and person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use record::entry::Position;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};

/// A date, as days since 1970-01-01 on the local calendar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub i32);

/// Most looks that a finding names.
const NAMED: usize = 50;

/// One look, or one attempt, of an employee.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// Place in the log.
    pub position: Position,
    /// Minutes after the local midnight.
    pub minute: u16,
    /// Who, pseudonymous: the subject of the login.
    pub who: &'a str,
    /// The employee's name, as the log has it.
    pub name: &'a str,
    /// Key of the role.
    pub role: &'a str,
    /// Organisation number of the unit.
    pub unit: &'a str,
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Whether it showed the unit's own list, on which the unit's patients stand by themselves.
    pub list: bool,
    /// Whether it was made with emergency access.
    pub emergency: bool,
    /// Code of the rule that refused it.
    pub refused: Option<&'a str>,
}

/// The looks of one day.
#[derive(Clone, Debug)]
pub struct Looks {
    /// The day.
    pub day: Day,
    pub(super) staff: BTreeMap<String, Duty>,
}

/// An employee's day.
#[derive(Clone, Debug, Default)]
pub(super) struct Duty {
    pub name: String,
    pub role: String,
    pub unit: String,
    /// Hours with a look, a bit each.
    pub hours: u32,
    pub visits: BTreeMap<PersonId, Visit>,
    pub refused: Vec<Refused>,
}

/// What an employee looked at about one person.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub unit: String,
    pub looks: Vec<Position>,
    pub count: usize,
    /// Minutes after midnight of the first and the last.
    pub minutes: (u16, u16),
    pub emergency: bool,
}

/// A refused attempt.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub rule: String,
    pub person: Option<PersonId>,
    pub position: Position,
}

impl Looks {
    /// A day without looks yet.
    pub fn new(day: Day) -> Self {
        Self { day, staff: BTreeMap::new() }
    }

    /// Takes one in, in the order of the log.
    pub fn take(&mut self, look: &Look<'_>) {
        let duty = self.staff.entry(look.who.to_owned()).or_insert_with(|| Duty {
            name: look.name.to_owned(),
            role: look.role.to_owned(),
            unit: look.unit.to_owned(),
            ..Duty::default()
        });
        // An attempt that is refused has no role.
        if duty.role.is_empty() {
            look.role.clone_into(&mut duty.role);
        }
        if let Some(rule) = look.refused {
            let (person, position) = (look.person, look.position);
            duty.refused.push(Refused { rule: rule.to_owned(), person, position });
            return;
        }
        duty.hours |= 1_u32.checked_shl(u32::from(look.minute / 60)).unwrap_or_default();
        let Some(person) = look.person.filter(|_| !look.list) else { return };
        let visit = duty.visits.entry(person).or_insert_with(|| Visit {
            unit: look.unit.to_owned(),
            looks: Vec::new(),
            count: 0,
            minutes: (look.minute, look.minute),
            emergency: false,
        });
        visit.count += 1;
        visit.minutes.1 = look.minute;
        visit.emergency |= look.emergency;
        if visit.looks.len() < NAMED {
            visit.looks.push(look.position);
        }
    }

    /// Whom the looks are about.
    pub fn persons(&self) -> BTreeSet<PersonId> {
        self.staff.values().flat_map(|duty| duty.visits.keys().copied()).collect()
    }

    /// Who looked, and their names.
    pub fn employees(&self) -> impl Iterator<Item = (&str, &str)> {
        self.staff.iter().map(|(who, duty)| (who.as_str(), duty.name.as_str()))
    }
}

impl Day {
    /// The day so many days later.
    #[must_use]
    pub fn plus(self, days: u16) -> Self {
        Self(self.0.saturating_add(i32::from(days)))
    }

    /// The day so many days earlier.
    #[must_use]
    pub fn minus(self, days: u16) -> Self {
        Self(self.0.saturating_sub(i32::from(days)))
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-');
        let mut number = || parts.next()?.parse::<i32>().ok();
        let (year, month, day) = (number()?, number()?, number()?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=9999).contains(&year) {
            return None;
        }
        let found = Self(days_from_civil(year, month, day));
        (found.to_string() == text).then_some(found)
    }

    /// Year, month and day of the month.
    pub fn civil(self) -> (i32, i32, i32) {
        // Howard Hinnant, "chrono-compatible low-level date algorithms": eras of 400 years from 1 March.
        let z = i64::from(self.0) + 719_468;
        let (era, day) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let date = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let small = |number: i64| i32::try_from(number).unwrap_or_default();
        (small(year), small(month), small(date))
    }
}

fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::Day;

    #[test]
    fn days_are_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_780, "2026-11-23"), (-1, "1969-12-31")]
        {
            assert_eq!((Day(day).to_string().as_str(), Day::parse(text)), (text, Some(Day(day))));
        }
        for wrong in ["2026-02-29", "2026-11-31", "2026-1-01", "i dag", ""] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }
}
