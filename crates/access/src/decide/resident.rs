//! A resident reads about themself, or about somebody they represent.

use std::sync::Arc;

use record::identity::PersonId;
use record::purpose::Purpose;

use super::{About, Judged, ReadRequest, basis, is_about_person, is_shared, keep, not_forbidden};
use super::{refuse, weigh};
use crate::facts::Facts;
use crate::permit::{Labels, Reach, ReadPermit};
use crate::policy::{Act, Actor, Ask, Asked, Held};
use crate::refusal::{Refusal, Rule};
use crate::representation::{Kind, Representation};
use crate::standing::Standing;

pub(super) fn judge<'a>(
    facts: &Facts<'_>,
    resident: Option<PersonId>,
    standing: &'a Arc<Standing>,
    request: &ReadRequest<'_>,
) -> Judged<'a> {
    let asked = match request.about {
        About::OwnUnit => Asked::List,
        About::Person(_) | About::Unnamed => Asked::Patient,
    };
    let ask = Ask { actor: Actor::Resident, act: Act::Read(Purpose::PatientRequest), asked };
    // Who names nobody asks about themself.
    let person = match request.about {
        About::Person(person) => Some(person),
        About::OwnUnit | About::Unnamed => resident,
    };
    let about = person.map_or(request.about, About::Person);
    let named = ReadRequest { about, ..request.clone() };
    let is_self = resident.is_some() && person == resident;
    let represents = representations(standing, resident, person, facts.now);
    let said = facts.own(is_self, !represents.is_empty(), &named);
    match weigh(standing, ask, "it", "", &said) {
        Ok(held) => {
            let outcome = not_forbidden(&held)
                .and_then(|()| person.ok_or(refuse(Rule::NotSelf)))
                .and_then(|person| {
                    permit(facts, &held, standing, (person, is_self), &represents, request)
                });
            Judged { ask: Some(ask), held, outcome }
        }
        Err(refusal) => Judged { ask: Some(ask), held: Held::default(), outcome: Err(refusal) },
    }
}

/// By what the resident represents a person now.
fn representations(
    standing: &Standing,
    resident: Option<PersonId>,
    person: Option<PersonId>,
    now: i64,
) -> Vec<&Representation> {
    let (Some(resident), Some(of_person)) = (resident, person.and_then(|it| standing.person(it)))
    else {
        return Vec::new();
    };
    let by_resident = |it: &&Representation| it.representative == resident;
    let all = of_person.representatives.iter().filter(by_resident);
    all.filter(|it| it.is_valid(of_person.born, now)).collect()
}

fn permit(
    facts: &Facts<'_>,
    held: &Held<'_>,
    standing: &Arc<Standing>,
    (person, is_self): (PersonId, bool),
    represents: &[&Representation],
    request: &ReadRequest<'_>,
) -> Result<ReadPermit, Refusal> {
    if held.permits.is_empty() {
        return Err(refuse(Rule::NotSelf));
    }
    let mut categories = request.categories.to_vec();
    if !categories.is_empty() {
        // What is about nobody is not a resident's own: of that, only what is for everybody.
        keep(&mut categories, Rule::NotShared, |key| is_about_person(key) || is_shared(key))?;
        keep(&mut categories, Rule::NotRepresented, |key| {
            is_self || represents.iter().any(|it| it.covers(key))
        })?;
    }
    let parent = represents.iter().all(|it| it.kind == Kind::Parent);
    let (role, labels) = match represents.first() {
        Some(it) if !is_self && parent => (it.kind.key(), Labels::Parent),
        Some(it) if !is_self => (it.kind.key(), Labels::Patient),
        _ => ("resident", Labels::Patient),
    };
    Ok(ReadPermit {
        reach: Reach::Person(person),
        categories,
        owned_by: None,
        basis: basis(Purpose::PatientRequest, role, None),
        labels,
        reader: None,
        at: facts.now,
        standing: standing.clone(),
        granted: None,
        unsaid: Vec::new(),
    })
}
