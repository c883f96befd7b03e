//! The numbers by which persons are found, gathered from what was recorded: the ledger's keys hold their
//! digests alone.
//!
//! Invariant: a number is told of a person only where its digest says that it is that person's.

use std::collections::{BTreeMap, BTreeSet};

use fhir::value::Value;
use ledger::keys::{Keys, PersonKey};
use record::entry::Entry;
use record::identity::PersonId;
use record::system;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::whom::NATIONAL;

/// A line of [`super::PERSONS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// The pseudonymous id: `Patient/{person}` is the person.
    pub(super) person: String,
    /// The person's numbers; none where none stands in what is left.
    pub(super) identifiers: Vec<Identifier>,
}

/// A number, as persons are keyed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identifier {
    /// The identifier system; `national` for all Norwegian identity numbers.
    pub(super) system: String,
    /// The number.
    pub(super) value: String,
}

/// The persons of a municipality, as they are met. Grows with their number alone.
#[derive(Default)]
pub(super) struct Persons(pub(super) BTreeMap<PersonId, BTreeSet<Identifier>>);

impl Persons {
    /// Whom an entry is about.
    pub(super) fn about(&mut self, entry: &Entry) {
        self.0.extend(
            entry.person.filter(|it| !self.0.contains_key(it)).map(|it| (it, BTreeSet::new())),
        );
    }

    /// Whom a decision lets act for somebody.
    pub(super) fn decided(&mut self, body: &[serde_json::Value]) {
        let representative = body.last().and_then(|it| it.pointer("/change/value/representative"));
        let person = representative.and_then(serde_json::Value::as_str).and_then(PersonId::parse);
        if let Some(person) = person {
            self.0.entry(person).or_default();
        }
    }

    /// Whoever's number stands anywhere in a resource.
    pub(super) fn named(&mut self, value: &Value, keys: &Keys) -> Result<(), Failure> {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            open.extend(value.as_array().unwrap_or_default());
            let Some(object) = value.as_object() else { continue };
            open.extend(object.iter().map(|(_, value)| value));
            let Some(number) = value.text("value") else { continue };
            let given = value.text("system").unwrap_or_default();
            let system = if system::is_national_number(given) { NATIONAL } else { given };
            let found = keys.find(&PersonKey { system, value: number })?;
            // Whose pseudonym is all that is left has no number, though others' records may name it.
            if let Some(person) = found.filter(|it| !keys.is_erased(*it)) {
                let identifier = Identifier { system: system.to_owned(), value: number.to_owned() };
                self.0.entry(person).or_default().insert(identifier);
            }
        }
        Ok(())
    }
}
