//! What a resident has withheld, and from whom (sperring: pbrl. § 5-3, pasientjournalloven § 17).
//!
//! A restriction only ever takes away. It binds people at work, never the resident or who represents
//! the resident, and never the source that reads back what it delivered itself.

use record::catalogue::{Catalogue, CategoryKey};

use crate::permit::Part;

/// One restriction of one resident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// Id of the `Consent` it was given by.
    pub id: String,
    /// From whom.
    pub against: Against,
    /// What.
    pub what: What,
    /// In force from here, milliseconds since 1970; absent means since ever.
    pub valid_from: Option<i64>,
    /// In force until here; absent means until it is taken back.
    pub valid_to: Option<i64>,
    /// Whether it holds in an emergency too.
    pub in_emergency: bool,
}

/// From whom something is withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Everybody at work.
    Everyone,
    /// One person at work, by HPR number or by the login's subject.
    Practitioner(String),
    /// A profession, kodeverk 9060. Who has an HPR number and states no profession counts as any.
    Profession(String),
    /// An organisation, by the number of the legal entity or of the unit.
    Organisation(String),
    /// A municipal service, kodeverk 9151. Who does not state for which service they work counts as
    /// working for any: an attest must let restrictions be enforced (Tillitsrammeverk rule 5).
    Service(String),
}

/// What is withheld. The parts that are filled hold together; none filled means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// Keys of categories; empty means all.
    pub categories: Vec<String>,
    /// Single resources, as type and id; empty means all.
    pub items: Vec<(String, String)>,
    /// Organisation number of the owner who documented it.
    pub owner: Option<String>,
    /// Clinical time from here, milliseconds since 1970.
    pub from: Option<i64>,
    /// Clinical time until here.
    pub to: Option<i64>,
}

/// The reader, as restrictions see one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reader {
    /// Subject of the login.
    pub subject: String,
    /// HPR number.
    pub hpr: Option<String>,
    /// Professions: the one attested and those HPR tells of.
    pub professions: Vec<String>,
    /// Legal entity and units, of the token and of the attest.
    pub organisations: Vec<String>,
    /// Service, kodeverk 9151.
    pub service: Option<String>,
    /// Whether the stated purpose is an emergency.
    pub emergency: bool,
}

impl Against {
    /// Whether the reader is meant.
    pub(crate) fn meets(&self, reader: &Reader) -> bool {
        match self {
            Against::Everyone => true,
            Against::Practitioner(who) => {
                reader.subject == *who || reader.hpr.as_ref() == Some(who)
            }
            Against::Profession(code) => match reader.professions.as_slice() {
                [] => reader.hpr.is_some(),
                professions => professions.contains(code),
            },
            Against::Organisation(number) => reader.organisations.contains(number),
            Against::Service(code) => reader.service.as_ref().is_none_or(|service| service == code),
        }
    }
}

impl Restriction {
    /// Whether it is in force now, beginning included and end not.
    pub fn is_in_force(&self, now: i64) -> bool {
        self.valid_from.is_none_or(|from| from <= now) && self.valid_to.is_none_or(|to| now < to)
    }

    /// Whether it takes something from this reader now. `opened` is whether an emergency access of
    /// the reader to this resident runs.
    pub(crate) fn binds(&self, reader: &Reader, opened: bool, now: i64) -> bool {
        self.is_in_force(now) && (self.in_emergency || !opened) && self.against.meets(reader)
    }
}

impl What {
    /// Whether nothing narrows it.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// As a permit tells it; `None` where it names only categories that no information has.
    pub(crate) fn part(&self) -> Option<Part> {
        let catalogue = Catalogue::get();
        let known = |key: &String| catalogue.category(key).map(|it| it.key.as_str());
        let categories: Vec<CategoryKey> = self.categories.iter().filter_map(known).collect();
        if categories.is_empty() && !self.categories.is_empty() {
            return None;
        }
        Some(Part {
            categories,
            items: self.items.clone(),
            owner: self.owner.clone(),
            from: self.from,
            to: self.to,
        })
    }
}
