//! Everything a decision rests on, as one immutable value: what the municipality has decided, and
//! what each resident has.
//!
//! Copies share what did not change, so that a change costs the change. Whoever decides holds one
//! standing from beginning to end: nothing changes in the middle of a decision or of an answer.

use std::collections::HashMap;
use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::opening::Opening;
use crate::permit::Withheld;
use crate::policy::{Policies, Unfit};
use crate::register::Register;
use crate::representation::Representation;
use crate::restriction::{Reader, Restriction};

/// What decisions rest on at one moment.
#[derive(Clone, Debug)]
pub struct Standing {
    rules: Arc<Rules>,
    persons: Arc<HashMap<PersonId, Arc<PersonStanding>>>,
}

/// What the municipality has decided.
#[derive(Debug)]
pub struct Rules {
    /// The register.
    pub register: Arc<Register>,
    /// Ledger position of the last administrative decision; 0 before the first.
    pub version: u64,
    policies: Arc<Policies>,
}

/// What one resident has decided, and what has been decided about access to that resident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonStanding {
    /// What is withheld, and from whom.
    pub restrictions: Vec<Restriction>,
    /// Who may act for the resident.
    pub representatives: Vec<Representation>,
    /// Emergency accesses.
    pub openings: Vec<Opening>,
    /// The beginning in Norway of the day of birth, milliseconds since 1970.
    pub born: Option<i64>,
}

impl Standing {
    /// The standing of a municipality that has decided this and knows no resident yet.
    ///
    /// # Errors
    /// A register that says two things at once, or with a policy that cannot be used.
    pub fn new(register: Register) -> Result<Self, Unfit> {
        register.check()?;
        let policies = Arc::new(Policies::of(&register)?);
        let rules = Arc::new(Rules { register: Arc::new(register), version: 0, policies });
        Ok(Self { rules, persons: Arc::default() })
    }

    /// With another register, decided at this ledger position.
    ///
    /// # Errors
    /// As [`Standing::new`]; the standing before stays in force.
    pub fn with_rules(&self, register: Register, version: u64) -> Result<Self, Unfit> {
        register.check()?;
        let held = self.register();
        let policies = if held.roles == register.roles && held.policies == register.policies {
            self.rules.policies.clone()
        } else {
            Arc::new(Policies::of(&register)?)
        };
        let rules = Arc::new(Rules { register: Arc::new(register), version, policies });
        Ok(Self { rules, persons: self.persons.clone() })
    }

    /// With another standing of one resident. Where nobody else holds this value, nothing is copied.
    #[must_use]
    pub fn with_person(mut self, person: PersonId, standing: PersonStanding) -> Self {
        let persons = Arc::make_mut(&mut self.persons);
        if standing == PersonStanding::default() {
            persons.remove(&person);
        } else {
            persons.insert(person, Arc::new(standing));
        }
        self
    }

    /// What the municipality has decided.
    pub fn register(&self) -> &Arc<Register> {
        &self.rules.register
    }

    /// The municipality's decisions and their version, to hold on to.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Ledger position of the municipality's last decision.
    pub fn version(&self) -> u64 {
        self.rules.version
    }

    /// What one resident has.
    pub fn person(&self, person: PersonId) -> Option<&Arc<PersonStanding>> {
        self.persons.get(&person)
    }

    /// Whether a resident speaks for a person about a category: for themself, and for whom they represent.
    pub(crate) fn speaks_for(
        &self,
        resident: PersonId,
        about: PersonId,
        category: CategoryKey,
        now: i64,
    ) -> bool {
        let of_person = self.person(about);
        let born = of_person.and_then(|it| it.born);
        let mut representatives = of_person.iter().flat_map(|it| &it.representatives);
        about == resident
            || representatives.any(|it| {
                it.representative == resident && it.is_valid(born, now) && it.covers(category)
            })
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.rules.policies
    }

    /// Whether an emergency access of the reader to a person runs.
    pub(crate) fn is_opened(&self, reader: &Reader, person: PersonId, now: i64) -> bool {
        self.persons.get(&person).is_some_and(|standing| standing.is_opened(reader, now))
    }

    /// What a person withholds from a reader; nothing from whom restrictions do not bind.
    pub(crate) fn withheld(&self, reader: Option<&Reader>, person: PersonId, now: i64) -> Withheld {
        let (Some(reader), Some(standing)) = (reader, self.persons.get(&person)) else {
            return Withheld::Nothing;
        };
        let opened = standing.is_opened(reader, now);
        let mut parts = Vec::new();
        for restriction in &standing.restrictions {
            if !restriction.binds(reader, opened, now) {
                continue;
            }
            if restriction.what.is_everything() {
                return Withheld::Everything;
            }
            parts.extend(restriction.what.part());
        }
        if parts.is_empty() { Withheld::Nothing } else { Withheld::Parts(parts) }
    }
}

impl PersonStanding {
    /// Whether an emergency access of the reader runs, who states an emergency.
    pub(crate) fn is_opened(&self, reader: &Reader, now: i64) -> bool {
        reader.emergency && self.openings.iter().any(|it| it.runs(&reader.subject, now))
    }
}
