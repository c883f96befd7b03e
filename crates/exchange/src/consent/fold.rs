//! The restrictions of persons, folded from their Consents as they are now.
//!
//! Invariant: a Consent that cannot be read, or says what was enforced once and no longer is, withholds
//! everything from everybody at work until it is corrected: what a person has restricted is never
//! opened by a fault.

use std::collections::HashMap;

use access::restriction::{Against, Restriction, What};
use fhir::json;
use record::identity::PersonId;
use view::consents::Given;
use view::store::View;

use super::restriction;
use crate::error::Failure;

/// Of everybody who has any.
pub(crate) fn all(view: &View) -> Result<HashMap<PersonId, Vec<Restriction>>, Failure> {
    let mut persons: HashMap<PersonId, Vec<Restriction>> = HashMap::new();
    for given in view.consents(None)? {
        let person = given.person;
        persons.entry(person).or_default().extend(folded(given));
    }
    persons.retain(|_, restrictions| !restrictions.is_empty());
    Ok(persons)
}

/// Of one person.
pub(crate) fn of(view: &View, person: PersonId) -> Result<Vec<Restriction>, Failure> {
    Ok(view.consents(Some(person))?.into_iter().filter_map(folded).collect())
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
