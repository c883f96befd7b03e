//! The analysis of a day.

use std::collections::{BTreeMap, HashMap};

use record::identity::PersonId;

use super::conduct::Conduct;
use super::day::{Day, Duty, Looks};
use super::facts::Facts;
use super::finding::Finding;
use super::memory::{Habits, Mark, Memory};
use super::settings::Settings;
use super::visit::{self, Visited};

/// A day as the rules see it.
pub(super) struct Of<'a> {
    pub day: Day,
    pub settings: &'a Settings,
    pub facts: &'a Facts,
    /// The employees as residents.
    pub colleagues: HashMap<PersonId, &'a str>,
}

/// Analyses a day's looks. Days are to come in their order; `memory` is brought to the end of this one.
/// Findings below the line are not told.
pub fn analyse(
    settings: &Settings,
    memory: &mut Memory,
    looks: &Looks,
    facts: &Facts,
) -> Vec<Finding> {
    memory.forget(looks.day.minus(settings.memory_days));
    let colleagues = facts.staff.iter().filter_map(|(who, it)| Some((it.person?, who.as_str())));
    let of = Of { day: looks.day, settings, facts, colleagues: colleagues.collect() };
    let conduct = Conduct::new(settings, memory, &looks.staff);
    let mut findings = Vec::new();
    let mut unexplained = BTreeMap::new();
    for (who, duty) in &looks.staff {
        let habits = memory.staff.get(who);
        let mut without = Vec::new();
        for (person, visit) in &duty.visits {
            let seen = Visited { who, duty, person: *person, visit, habits };
            let (found, explained) = visit::judge(&of, &seen);
            findings.extend(found);
            if !explained {
                without.push(*person);
            }
        }
        findings.extend(conduct.judge(&of, who, duty, without.len()));
        unexplained.insert(who, without);
    }
    findings.retain(|finding| finding.score() >= settings.line);
    for (who, duty) in &looks.staff {
        remember(memory.staff.entry(who.clone()).or_default(), looks.day, duty);
        let habits = memory.staff.entry(who.clone()).or_default();
        for person in unexplained.get(who).into_iter().flatten() {
            habits.unexplained.entry(person.to_string()).or_default().push(looks.day);
        }
    }
    findings
}

fn remember(habits: &mut Habits, day: Day, duty: &Duty) {
    if !duty.role.is_empty() {
        duty.role.clone_into(&mut habits.role);
    }
    duty.unit.clone_into(&mut habits.unit);
    let persons = u32::try_from(duty.visits.len()).unwrap_or(u32::MAX);
    habits.days.push(Mark { day, hours: duty.hours, persons });
}
