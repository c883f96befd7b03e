//! What is remembered from one day to the next: employees' habits, and whom they looked at without a
//! known relation. Can be made anew from the log at any time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::day::Day;

/// Habits of the last days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    pub(super) staff: BTreeMap<String, Habits>,
}

/// An employee's last days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Habits {
    pub unit: String,
    pub role: String,
    pub days: Vec<Mark>,
    /// Days with looks at a person without a known relation, by the person's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unexplained: BTreeMap<String, Vec<Day>>,
}

/// A day with looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    pub day: Day,
    /// Hours with a look, a bit each.
    pub hours: u32,
    /// Different persons looked at.
    pub persons: u32,
}

impl Memory {
    /// Forgets looks at a person, by the person's id; `true` where there were any.
    pub fn let_go(&mut self, person: &str) -> bool {
        let forget = |habits: &mut Habits| habits.unexplained.remove(person).is_some();
        self.staff.values_mut().map(forget).fold(false, |any, one| any | one)
    }

    /// Forgets what is before a day.
    pub(super) fn forget(&mut self, before: Day) {
        for habits in self.staff.values_mut() {
            habits.days.retain(|mark| mark.day >= before);
            habits.unexplained.retain(|_, days| {
                days.retain(|day| *day >= before);
                !days.is_empty()
            });
        }
        self.staff.retain(|_, habits| !habits.days.is_empty());
    }
}

impl Habits {
    /// Different persons of each day with looks at persons.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.days.iter().map(|mark| mark.persons).filter(|persons| *persons > 0)
    }

    /// The hours that are usual, a bit each: those in use on at least so many of a hundred days, an hour
    /// either way.
    pub fn usual(&self, share_percent: usize) -> u32 {
        let around = |hour: u32| (hour + 23..=hour + 25).map(|it| 1_u32 << (it % 24)).sum::<u32>();
        let used = |hour: &u32| {
            let days = self.days.iter().filter(|mark| mark.hours & around(*hour) != 0).count();
            days * 100 >= self.days.len() * share_percent.max(1)
        };
        (0..24).filter(used).map(|hour| 1 << hour).sum()
    }
}
