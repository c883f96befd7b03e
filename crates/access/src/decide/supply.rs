//! A system delivers, and reads back what it delivered itself, nothing else.

use std::sync::Arc;

use record::catalogue::Category;
use record::purpose::Purpose;

use super::{About, Judged, ReadRequest, forbids, keep, not_forbidden, refuse, weigh};
use crate::caller::{Caller, Party};
use crate::facts::Facts;
use crate::permit::{Basis, Labels, Reach, ReadPermit, WritePermit};
use crate::policy::{Act, Actor, Ask, Asked, Held};
use crate::refusal::{Refusal, Rule};
use crate::register::control::Assessed;
use crate::standing::Standing;

pub(super) fn judge<'a>(
    facts: &Facts<'_>,
    standing: &'a Arc<Standing>,
    request: &ReadRequest<'_>,
) -> Judged<'a> {
    let asked = match request.about {
        About::Person(_) => Asked::Patient,
        About::OwnUnit => Asked::List,
        About::Unnamed => Asked::Common,
    };
    let ask = Ask { actor: Actor::System, act: Act::Read(Purpose::Delivery), asked };
    match weigh(standing, ask, &facts.caller.client_id, "", &facts.supply(true)) {
        Ok(held) => {
            let outcome =
                not_forbidden(&held).and_then(|()| permit(facts, &held, standing, request));
            Judged { ask: Some(ask), held, outcome }
        }
        Err(refusal) => Judged { ask: Some(ask), held: Held::default(), outcome: Err(refusal) },
    }
}

fn permit(
    facts: &Facts<'_>,
    held: &Held<'_>,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
) -> Result<ReadPermit, Refusal> {
    let agreement = facts.agreement.ok_or(refuse(Rule::NoAgreement))?;
    if held.permits.is_empty() {
        return Err(refuse(Rule::NoAgreement));
    }
    let mut categories = request.categories.to_vec();
    keep(&mut categories, Rule::CategoryNotAgreed, |key| {
        agreement.categories.iter().any(|agreed| agreed == key)
            && held.permits.iter().any(|it| it.covers(key))
    })?;
    keep(&mut categories, Rule::PurposeInactive, |key| {
        facts.purpose_covers(Purpose::Delivery, Some(key))
    })?;
    keep(&mut categories, Rule::NotAssessed, |key| {
        facts.is_assessed(&Assessed::Category(key.to_owned()))
    })?;
    keep(&mut categories, Rule::NoProcessorAgreement, |key| facts.processes(Some(key)))?;
    keep(&mut categories, Rule::Policy, |key| !forbids(held, key))?;
    Ok(ReadPermit {
        reach: match request.about {
            About::Person(person) => Reach::Person(person),
            About::OwnUnit => return Err(refuse(Rule::PatientNotNamed)),
            About::Unnamed => Reach::Any,
        },
        categories,
        owned_by: Some((agreement.owner.clone(), agreement.source.clone())),
        basis: Basis::delivery(),
        labels: Labels::None,
        reader: None,
        at: facts.now,
        standing: standing.clone(),
        granted: None,
        unsaid: Vec::new(),
    })
}

/// Of several reasons against, the first in the order of the rules is told.
pub(super) fn write(
    caller: &Caller,
    standing: &Standing,
    category: &'static Category,
    existing: Option<(&str, &str)>,
    now: i64,
) -> Result<WritePermit, Refusal> {
    let facts = Facts::of(caller, standing, None, now);
    let (actor, who) = match &caller.party {
        Party::System => (Actor::System, caller.client_id.as_str()),
        Party::Practitioner(practitioner) => (Actor::Practitioner, practitioner.subject.as_str()),
        Party::Resident { .. } => (Actor::Resident, ""),
    };
    let owns = existing.is_none_or(|(owner, source)| {
        facts.agreement.is_some_and(|it| it.owner == owner && it.source == source)
    });
    let ask = Ask { actor, act: Act::Deliver, asked: Asked::Common };
    let held = weigh(standing, ask, who, "", &facts.supply(owns))?;
    let key = category.key.as_str();
    let against = held.forbids.iter().filter(|it| it.covers(key)).map(|it| it.rule).min();
    let agreed = facts.agreement.filter(|it| it.categories.contains(&category.key));
    let looked_up = [
        (Rule::CategoryNotAgreed, agreed.is_some()),
        (Rule::PurposeInactive, facts.purpose_covers(Purpose::Delivery, Some(key))),
        (Rule::NotAssessed, facts.is_assessed(&Assessed::Category(key.to_owned()))),
        (Rule::NoProcessorAgreement, facts.processes(Some(key))),
    ];
    let missing = looked_up.into_iter().filter(|(_, is)| !is).map(|(rule, _)| rule).min();
    if let Some(rule) = against.into_iter().chain(missing).min() {
        return Err(refuse(rule));
    }
    match agreed.filter(|_| held.permits.iter().any(|it| it.covers(key))) {
        None => Err(refuse(Rule::NoAgreement)),
        Some(agreement) => Ok(WritePermit {
            source: agreement.source.clone(),
            owner: agreement.owner.clone(),
            category: key,
        }),
    }
}
