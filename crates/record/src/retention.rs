//! How long information about a person is kept, as data (`data/retention.json`), and whether its time has
//! run (DPIA 4.4; pasientjournalloven §25; arkivlova).
//!
//! Nothing is erased by this: it says whom a professional may be asked about. Invariants: whatever is
//! not known keeps. A date that is known in part counts as its last day, a service that stands in no class
//! counts as one that is preserved, and of several classes the strictest holds.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::service::unpadded;

/// A date on the local calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// The last day of what a FHIR `date` or `dateTime` says: a day, a month or a year.
    pub fn last_of(text: &str) -> Option<Self> {
        let date = text.split('T').next()?;
        let mut parts = date.split('-');
        let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
        let month = parts.next().map_or(Some(12), |month| month.parse().ok())?;
        let day = parts.next().map_or(Some(days(year, month)), |day| day.parse().ok())?;
        let is_date = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
        (is_date && parts.next().is_none()).then_some(Self { year, month, day })
    }

    /// The same day so many years later; 29 February becomes the day after.
    pub fn plus_years(self, years: u8) -> Self {
        let year = self.year + i32::from(years);
        if self.day > days(year, self.month) {
            return Self { year, month: self.month + 1, day: 1 };
        }
        Self { year, ..self }
    }
}

fn days(year: i32, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What is kept at least, whatever the class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Least {
    /// Years after the last entry.
    pub years: u8,
    /// The law.
    pub law: String,
    /// Lines of the steering document.
    pub source: String,
}

/// A class of services with one rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Stable key.
    pub key: String,
    /// Title in Bokmål.
    pub title: String,
    /// The law.
    pub law: String,
    /// Lines of the steering document.
    pub source: String,
    /// Whether it is handed to the municipality's depot before anything is erased.
    pub depot: bool,
    /// Years after death, at the earliest.
    pub after_death: u8,
    /// Years after birth, at the earliest, where no death is known.
    pub after_birth: u8,
    /// The services it is about.
    pub services: Vec<Services>,
}

/// Services of one code system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// The code system.
    pub system: String,
    /// Codes of it, without padding.
    pub codes: Vec<String>,
}

/// The rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// What holds for every class.
    pub least: Least,
    /// The classes, the strictest first; the last is of records that name no service.
    pub classes: Vec<Class>,
}

static RETENTION: LazyLock<Option<Retention>> =
    // The file is part of the binary and a test parses it.
    LazyLock::new(|| serde_json::from_str(include_str!("../data/retention.json")).ok());

/// Whether somebody has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Nothing says so.
    Unknown,
    /// Yes, and nothing says when.
    Undated,
    /// At this date, or before it.
    At(Date),
}

/// What is known of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// When the last entry was recorded; nothing where that cannot be told.
    pub last_entry: Option<Date>,
    /// Birth.
    pub born: Option<Date>,
    /// Death.
    pub died: Death,
    /// Services the person has had, each as code system and code.
    pub services: Vec<(String, String)>,
    /// Whether an officer has forbidden erasure.
    pub held: bool,
    /// Whether the depot has what is preserved.
    pub handed_over: bool,
}

/// What a time is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The last entry about the person.
    LastEntry,
    /// The person's death.
    Death,
    /// The person's birth.
    Birth,
}

/// What the rules say of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An officer has forbidden erasure.
    Held,
    /// Until this date at least, by this clock; for an unknown time where it has not begun.
    Kept {
        /// What runs.
        clock: Clock,
        /// Until when.
        until: Option<Date>,
    },
    /// The time has run, and it shall be handed to the depot first.
    Depot(Due),
    /// The time has run: a professional may be asked.
    Over(Due),
}

/// That the time has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Key of the class.
    pub class: String,
    /// What ran last.
    pub clock: Clock,
    /// When.
    pub since: Date,
}

impl Retention {
    /// The rules of this version of the platform; nothing where they cannot be read, and then nothing's
    /// time runs.
    pub fn get() -> Option<&'static Self> {
        RETENTION.as_ref()
    }

    /// What the rules say of a person today.
    pub fn judge(&self, known: &Known, today: Date) -> Verdict {
        if known.held {
            return Verdict::Held;
        }
        let kept = |clock, until| Verdict::Kept { clock, until };
        let Some(recorded) = known.last_entry else { return kept(Clock::LastEntry, None) };
        let least = recorded.plus_years(self.least.years);
        if least > today {
            return kept(Clock::LastEntry, Some(least));
        }
        let Some(class) = self.class(&known.services) else {
            return kept(Clock::LastEntry, None);
        };
        // Death rules where it is known: 120 years after birth is for those of whom it never will be.
        let (clock, end) = match known.died {
            Death::At(died) => (Clock::Death, Some(died.plus_years(class.after_death))),
            Death::Undated if class.after_death == 0 => (Clock::Death, Some(recorded)),
            _ => (Clock::Birth, known.born.map(|born| born.plus_years(class.after_birth))),
        };
        let Some(end) = end.filter(|end| *end <= today) else { return kept(clock, end) };
        let (clock, since) = if least > end { (Clock::LastEntry, least) } else { (clock, end) };
        let due = Due { class: class.key.clone(), clock, since };
        if class.depot && !known.handed_over { Verdict::Depot(due) } else { Verdict::Over(due) }
    }

    /// The class of this key.
    pub fn named(&self, key: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.key == key)
    }

    /// The strictest class that one of the services belongs to.
    fn class(&self, services: &[(String, String)]) -> Option<&Class> {
        let place = |(system, code): &(String, String)| {
            let code = unpadded(code);
            let has = |of: &Services| of.system == *system && of.codes.iter().any(|it| it == code);
            let found = self.classes.iter().position(|class| class.services.iter().any(has));
            // What stands nowhere is taken for what is preserved.
            found.unwrap_or(0)
        };
        match services.iter().map(place).min() {
            Some(strictest) => self.classes.get(strictest),
            None => self.classes.last(),
        }
    }
}
