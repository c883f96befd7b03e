//! What comes out: a question about looks, with what it rests on.

use record::entry::Position;
use record::identity::PersonId;
use serde::{Deserialize, Serialize};

use super::day::Day;

/// A question about an employee's looks at one person on one day, or about the employee's whole day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Who looked, as in the log.
    pub who: String,
    /// The employee's name.
    pub name: String,
    /// Key of the role.
    pub role: String,
    /// Organisation number of the unit.
    pub unit: String,
    /// Whom it is about; nobody where it is about the whole day.
    #[serde(default, with = "written", skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// When.
    pub day: Day,
    /// What was observed, the heaviest first.
    pub signs: Vec<Sign>,
    /// Places in the log that it rests on, 50 at most.
    pub looks: Vec<Position>,
    /// How many looks there are.
    pub count: usize,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// How much it weighs.
    pub points: u32,
    /// What.
    pub of: Evidence,
}

/// What was observed, with the facts behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Evidence {
    /// The unit has nothing to do with the person from so many days before to so many days after.
    NoRelation {
        /// Days before.
        before: u16,
        /// Days after.
        after: u16,
    },
    /// So many requests about the person in the day.
    Thorough {
        /// How many.
        requests: u32,
    },
    /// On so many days, this one included.
    Repeated {
        /// How many.
        days: u32,
    },
    /// The person works here too.
    Colleague {
        /// Whether at the same unit.
        same_unit: bool,
    },
    /// The same address.
    SameAddress {
        /// Whether the unit does care for the person.
        relation: bool,
    },
    /// The same family name.
    SameName {
        /// Residents of 10 000 who have it.
        share: u32,
    },
    /// Somebody the municipality names as well known.
    KnownPerson,
    /// Many different persons in the day.
    Volume {
        /// How many.
        persons: u32,
        /// Of them without a known relation to the unit.
        without_relation: u32,
        /// What is usual for the employee.
        own: Option<u32>,
        /// What is usual for colleagues in the same role.
        peers: Option<u32>,
    },
    /// Outside the hours of work.
    OffShift {
        /// Minutes after midnight of the first look.
        minute: u16,
        /// Whether there is a duty roster; otherwise the hours are what is usual.
        roster: bool,
    },
    /// After the person's death.
    AfterDeath {
        /// When the person died.
        died: Day,
    },
    /// Attempts that were refused.
    Refusals {
        /// How many.
        attempts: u32,
        /// About how many persons.
        persons: u32,
    },
    /// Emergency access, and no contact within so many days.
    Emergency {
        /// Days.
        after: u16,
    },
    /// The employee's own record.
    OwnRecord,
}

/// A person's id as text.
mod written {
    use record::identity::PersonId;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(id: &Option<PersonId>, to: S) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => to.collect_str(id),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PersonId>, D::Error> {
        let text = String::deserialize(from)?;
        PersonId::parse(&text).map(Some).ok_or_else(|| D::Error::custom("no person's id"))
    }
}

/// A rule, by what it observes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// [`Evidence::NoRelation`].
    NoRelation,
    /// [`Evidence::Thorough`].
    Thorough,
    /// [`Evidence::Repeated`].
    Repeated,
    /// [`Evidence::Colleague`].
    Colleague,
    /// [`Evidence::SameAddress`].
    SameAddress,
    /// [`Evidence::SameName`].
    SameName,
    /// [`Evidence::KnownPerson`].
    KnownPerson,
    /// [`Evidence::Volume`].
    Volume,
    /// [`Evidence::OffShift`].
    OffShift,
    /// [`Evidence::AfterDeath`].
    AfterDeath,
    /// [`Evidence::Refusals`].
    Refusals,
    /// [`Evidence::Emergency`].
    Emergency,
    /// [`Evidence::OwnRecord`].
    OwnRecord,
}

/// Most points of a finding.
const MOST: u32 = 100;

impl Finding {
    /// The sum of the signs' points, 100 at most.
    pub fn score(&self) -> u32 {
        self.signs.iter().map(|sign| sign.points).sum::<u32>().min(MOST)
    }

    /// Whether a rule is part of it.
    pub fn has(&self, rule: Rule) -> bool {
        self.signs.iter().any(|sign| sign.of.rule() == rule)
    }

    /// What it is known by: the first look it rests on. There is one finding about an employee's looks at
    /// one person on one day, and one about the employee's whole day, which is marked.
    pub fn id(&self) -> String {
        let first = self.looks.first().copied().unwrap_or_default();
        let of = if self.person.is_some() { "" } else { "-d" };
        format!("{first}{of}")
    }
}

impl Evidence {
    /// The rule.
    pub fn rule(&self) -> Rule {
        match self {
            Evidence::NoRelation { .. } => Rule::NoRelation,
            Evidence::Thorough { .. } => Rule::Thorough,
            Evidence::Repeated { .. } => Rule::Repeated,
            Evidence::Colleague { .. } => Rule::Colleague,
            Evidence::SameAddress { .. } => Rule::SameAddress,
            Evidence::SameName { .. } => Rule::SameName,
            Evidence::KnownPerson => Rule::KnownPerson,
            Evidence::Volume { .. } => Rule::Volume,
            Evidence::OffShift { .. } => Rule::OffShift,
            Evidence::AfterDeath { .. } => Rule::AfterDeath,
            Evidence::Refusals { .. } => Rule::Refusals,
            Evidence::Emergency { .. } => Rule::Emergency,
            Evidence::OwnRecord => Rule::OwnRecord,
        }
    }
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 13] = [
        Rule::NoRelation,
        Rule::Thorough,
        Rule::Repeated,
        Rule::Colleague,
        Rule::SameAddress,
        Rule::SameName,
        Rule::KnownPerson,
        Rule::Volume,
        Rule::OffShift,
        Rule::AfterDeath,
        Rule::Refusals,
        Rule::Emergency,
        Rule::OwnRecord,
    ];

    /// Stable code, the same as the settings' section.
    pub fn code(self) -> &'static str {
        match self {
            Rule::NoRelation => "no-relation",
            Rule::Thorough => "thorough",
            Rule::Repeated => "repeated",
            Rule::Colleague => "colleague",
            Rule::SameAddress => "same-address",
            Rule::SameName => "same-name",
            Rule::KnownPerson => "known-person",
            Rule::Volume => "volume",
            Rule::OffShift => "off-shift",
            Rule::AfterDeath => "after-death",
            Rule::Refusals => "refusals",
            Rule::Emergency => "emergency",
            Rule::OwnRecord => "own-record",
        }
    }
}
