//! A municipality's log of looks, made up: weeks of ordinary work, with what is innocent but looks odd, and
//! planted cases of what the log analysis is for. What its precision and recall are measured on.
//!
//! Invariants: a pure function of the seed. Everybody is made up, and has no identity number at all. What
//! is planted is known, so that what is found can be counted.

use std::collections::BTreeMap;

use access::vigilance::analysis::analyse;
use access::vigilance::day::{Day, Look, Looks};
use access::vigilance::facts::Facts;
use access::vigilance::finding::Finding;
use access::vigilance::memory::Memory;
use access::vigilance::settings::Settings;
use record::identity::PersonId;

mod ordinary;
mod planted;
mod town;

/// The first day: a Monday.
pub const FIRST: Day = Day(20_696);
/// Days before anything is planted, in which habits become known.
pub const QUIET: u16 = 28;
/// Days in all.
pub const DAYS: u16 = 56;

/// What was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plot {
    /// A colleague.
    Colleague,
    /// Somebody of the employee's household.
    Household,
    /// A relative with the same family name, of another household.
    Relative,
    /// Somebody well known.
    KnownPerson,
    /// Somebody the employee knows otherwise: one short look.
    StrangerBriefly,
    /// The same, in depth.
    StrangerInDepth,
    /// The same, again and again.
    StrangerRepeatedly,
    /// Many records taken in a day.
    Theft,
    /// At night, from home.
    OffShift,
    /// Somebody dead.
    AfterDeath,
    /// Trying many doors.
    Refusals,
    /// Emergency access to somebody nobody treated.
    Emergency,
    /// The employee's own record.
    OwnRecord,
}

/// A planted case.
#[derive(Clone, Debug)]
pub struct Planted {
    /// What it is.
    pub plot: Plot,
    /// The employee.
    pub who: String,
    /// Whom it is about.
    pub persons: Vec<PersonId>,
    /// When.
    pub days: Vec<Day>,
}

/// A log, and what there is to know beside it.
#[derive(Debug, Default)]
pub struct Log {
    /// Looks by day.
    days: BTreeMap<Day, Vec<Entry>>,
    /// Residents, employees and units.
    pub facts: Facts,
    /// What was planted.
    pub planted: Vec<Planted>,
}

/// A look that somebody made.
#[derive(Clone, Debug)]
struct Entry {
    minute: u16,
    who: String,
    role: &'static str,
    unit: String,
    person: Option<PersonId>,
    emergency: bool,
    refused: Option<&'static str>,
}

impl Log {
    /// The log under a seed.
    pub fn new(seed: u64) -> Self {
        let mut town = town::Town::new(seed);
        let mut log = Self::default();
        for day in (0..DAYS).map(|days| FIRST.plus(days)) {
            ordinary::work(&mut town, &mut log, day);
        }
        planted::plant(&mut town, &mut log);
        log.facts = town.facts();
        for looks in log.days.values_mut() {
            // Stable: equal minutes stay in the order in which they were made.
            looks.sort_by_key(|look| look.minute);
        }
        log
    }

    /// How many looks there are.
    pub fn len(&self) -> usize {
        self.days.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The findings of the days in which something is planted.
    pub fn findings(&self, settings: &Settings) -> Vec<Finding> {
        let (mut memory, mut found, mut position) = (Memory::default(), Vec::new(), 0);
        for (day, entries) in &self.days {
            let mut looks = Looks::new(*day);
            for entry in entries {
                position += 1;
                looks.take(&Look {
                    position,
                    minute: entry.minute,
                    who: &entry.who,
                    name: &entry.who,
                    role: entry.role,
                    unit: &entry.unit,
                    person: entry.person,
                    list: false,
                    emergency: entry.emergency,
                    refused: entry.refused,
                });
            }
            let of_day = analyse(settings, &mut memory, &looks, &self.facts);
            found.extend(of_day.into_iter().filter(|_| *day >= FIRST.plus(QUIET)));
        }
        found
    }

    fn add(&mut self, day: Day, entry: Entry) {
        self.days.entry(day).or_default().push(entry);
    }
}

impl Planted {
    /// Whether a finding is about this case.
    pub fn is(&self, finding: &Finding) -> bool {
        let about = finding.person.is_none_or(|person| self.persons.contains(&person));
        let whole_day = matches!(self.plot, Plot::Theft | Plot::Refusals);
        finding.who == self.who
            && self.days.contains(&finding.day)
            && about
            && (finding.person.is_some() || whole_day)
    }
}
