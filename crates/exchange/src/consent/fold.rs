//! The restrictions of persons, folded from their Consents as they are now.
//!
//! Invariant: a Consent that cannot be read, or says what was enforced once and no longer is, withholds
//! everything from everybody at work until it is corrected: what a person has restricted is never
//! opened by a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use access::restriction::{Against, Restriction, What};
use access::standing::{PersonStanding, Standing};
use fhir::json;
use ledger::append::Committed;
use record::catalogue::CONSENTS;
use record::entry::Kind;
use record::identity::PersonId;
use view::consents::Given;
use view::store::View;

use super::restriction;
use crate::error::Failure;
use crate::standing::Holder;

/// Keeps the restrictions in force up to what has been projected.
pub(crate) struct Restrictions {
    /// Connections of its own, so that it waits for no reader.
    view: View,
    standing: Arc<Holder>,
}

impl Restrictions {
    /// Puts the restrictions of everybody who has any in force, as a view has them.
    pub fn open(view: View, standing: Arc<Holder>) -> Result<Self, Failure> {
        let mut persons: BTreeMap<PersonId, Vec<Restriction>> = BTreeMap::new();
        for given in view.consents(None)? {
            let person = given.person;
            persons.entry(person).or_default().extend(folded(given));
        }
        let followed = Self { view, standing };
        followed.put(persons.into_iter().collect());
        Ok(followed)
    }

    /// Puts in force what entries that were just projected change.
    pub fn take(&self, committed: &[&Committed]) -> Result<(), Failure> {
        let of = |committed: &&Committed| {
            let entry = &committed.entry;
            entry.person.filter(|_| entry.category == CONSENTS || entry.kind == Kind::Erasure)
        };
        let changed: BTreeSet<PersonId> = committed.iter().filter_map(of).collect();
        let mut persons = Vec::with_capacity(changed.len());
        for person in changed {
            let given = self.view.consents(Some(person))?;
            persons.push((person, given.into_iter().filter_map(folded).collect()));
        }
        self.put(persons);
        Ok(())
    }

    fn put(&self, persons: Vec<(PersonId, Vec<Restriction>)>) {
        if persons.is_empty() {
            return;
        }
        let Ok(()) = self.standing.exchange(|standing| {
            Ok::<_, Infallible>(persons.into_iter().fold(standing.clone(), with_restrictions))
        });
    }
}

fn with_restrictions(
    standing: Standing,
    (person, restrictions): (PersonId, Vec<Restriction>),
) -> Standing {
    let before = standing.person(person).map(|it| PersonStanding::clone(it)).unwrap_or_default();
    standing.with_person(person, PersonStanding { restrictions, ..before })
}

fn folded(given: Given) -> Option<Restriction> {
    let Given { id, body, version, .. } = given;
    let read = body.and_then(|body| json::parse(&body).ok());
    let restriction = read.and_then(|consent| restriction(&id, &consent).ok());
    restriction.unwrap_or_else(|| {
        tracing::error!(
            position = version,
            "a Consent cannot be enforced as it stands; all of the person's information is withheld \
             from everybody at work until its owner sends it anew or removes it"
        );
        Some(Restriction {
            id,
            against: Against::Everyone,
            what: What::default(),
            valid_from: None,
            valid_to: None,
            in_emergency: false,
        })
    })
}
