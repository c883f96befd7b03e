//! A person at work reads.

use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::purpose::Purpose;

use super::{
    About, Judged, ReadRequest, basis, forbids, is_about_person, is_shared, keep, not_forbidden,
    refuse, weigh,
};
use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::facts::Facts;
use crate::permit::{Labels, Reach, ReadPermit, Withheld};
use crate::policy::{AT_WORK, Act, Actor, Ask, Asked, Held, Meta, Origin};
use crate::refusal::{Refusal, Rule};
use crate::register::Role;
use crate::register::control::Assessed;
use crate::restriction::Reader;
use crate::standing::Standing;

pub(super) fn judge<'a>(
    facts: &Facts<'_>,
    practitioner: &Practitioner,
    standing: &'a Arc<Standing>,
    request: &ReadRequest<'_>,
) -> Judged<'a> {
    let purpose = practitioner.attest.as_ref().map(|attest| attest.purpose);
    let purpose = purpose.unwrap_or(Purpose::Treatment);
    if !AT_WORK.contains(&purpose) {
        // A system's and a resident's purposes are for no role.
        let in_use = facts.purpose_covers(purpose, None);
        let outcome = Err(refuse(if in_use { Rule::NoRole } else { Rule::PurposeInactive }));
        return Judged { ask: None, held: Held::default(), outcome };
    }
    let reader = reader(facts.caller, practitioner);
    let asked = match request.about {
        About::Person(_) => Asked::Patient,
        About::OwnUnit => Asked::List,
        About::Unnamed => Asked::Common,
    };
    let opened = match request.about {
        About::Person(person) => standing.is_opened(&reader, person, facts.now),
        About::OwnUnit | About::Unnamed => false,
    };
    let ask = Ask { actor: Actor::Practitioner, act: Act::Read(purpose), asked };
    let said = facts.work(practitioner, request, opened);
    match weigh(standing, ask, &practitioner.subject, facts.unit_kind(), &said) {
        Ok(held) => {
            let attest = practitioner.attest.as_ref().ok_or(refuse(Rule::NoAttest));
            let outcome = not_forbidden(&held)
                .and(attest)
                .and_then(|attest| permit(facts, attest, reader, &held, standing, request));
            Judged { ask: Some(ask), held, outcome }
        }
        Err(refusal) => Judged { ask: Some(ask), held: Held::default(), outcome: Err(refusal) },
    }
}

/// What the roles open, narrowed. What several roles open adds up, so that taking one away never
/// opens anything.
fn permit(
    facts: &Facts<'_>,
    attest: &Attest,
    reader: Reader,
    held: &Held<'_>,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
) -> Result<ReadPermit, Refusal> {
    let roles = roles(facts, held, request)?;
    let mut categories = request.categories.to_vec();
    keep(&mut categories, Rule::CategoryNotForRole, |key| roles.iter().any(|it| it.covers(key)))?;
    keep(&mut categories, Rule::NotShared, |key| request.elsewhere || is_shared(key))?;
    keep(&mut categories, Rule::NotInSharingAgreement, |key| {
        facts.sharing.is_none_or(|it| it.categories.iter().any(|covered| covered == key))
    })?;
    keep(&mut categories, Rule::PurposeInactive, |key| {
        facts.purpose_covers(attest.purpose, Some(key))
    })?;
    keep(&mut categories, Rule::NotAssessed, |key| {
        facts.is_assessed(&Assessed::Category(key.to_owned()))
    })?;
    keep(&mut categories, Rule::NoProcessorAgreement, |key| facts.processes(Some(key)))?;
    keep(&mut categories, Rule::Policy, |key| !forbids(held, key))?;
    let keys: Vec<&str> = roles.iter().map(|role| role.key.as_str()).collect();
    let permit = ReadPermit {
        reach: reach(attest, request.about, &categories, facts.now)?,
        categories,
        owned_by: None,
        basis: basis(attest.purpose, &keys.join("+"), Some(attest)),
        labels: Labels::Personnel,
        reader: Some(reader),
        at: facts.now,
        standing: standing.clone(),
        granted: None,
        unsaid: Vec::new(),
    };
    narrow(permit)
}

/// The roles that open something of what is asked, never none.
fn roles<'a>(
    facts: &Facts<'_>,
    held: &Held<'a>,
    request: &ReadRequest<'_>,
) -> Result<Vec<&'a Meta>, Refusal> {
    let mut roles = held.permits.clone();
    if roles.is_empty() {
        return Err(refuse(Rule::NoRole));
    }
    let mut fits = |rule, fit: &dyn Fn(&Meta) -> bool| {
        roles.retain(|role| fit(role));
        if roles.is_empty() { Err(refuse(rule)) } else { Ok(()) }
    };
    if request.about == About::OwnUnit {
        fits(Rule::PatientNotNamed, &|role| role.list)?;
    }
    if let (Some(key), Some(services)) = (request.service, &facts.register.services) {
        let consumes = |role: &Meta| {
            services.iter().any(|it| {
                it.key == key
                    && it.is_adopted(facts.now)
                    && (it.roles.is_empty() || it.roles.contains(&role.key))
            })
        };
        fits(Rule::ServiceNotAdopted, &consumes)?;
    }
    fits(Rule::CategoryNotForRole, &|role| request.categories.iter().any(|key| role.covers(key)))?;
    Ok(roles)
}

fn reach(
    attest: &Attest,
    about: About,
    categories: &[CategoryKey],
    now: i64,
) -> Result<Reach, Refusal> {
    match about {
        About::Person(person) => Ok(Reach::Person(person)),
        About::OwnUnit => Ok(Reach::Unit { unit: attest.point_of_care.clone(), at: now }),
        // What is about no person, such as where to call, needs no patient.
        About::Unnamed if categories.iter().all(|key| !is_about_person(key)) => Ok(Reach::Any),
        About::Unnamed => Err(refuse(Rule::PatientNotNamed)),
    }
}

/// The first role that holds for a person at work, whatever is asked.
pub(super) fn role_of<'a>(caller: &Caller, standing: &'a Standing, now: i64) -> Option<&'a Role> {
    let Party::Practitioner(practitioner) = &caller.party else { return None };
    let attest = practitioner.attest.as_ref()?;
    let facts = Facts::of(caller, standing, None, now);
    let request = ReadRequest::new(About::Unnamed, &[]);
    let act = Act::Read(attest.purpose);
    let ask = Ask { actor: Actor::Practitioner, act, asked: Asked::Common };
    let said = facts.work(practitioner, &request, false);
    let held = weigh(standing, ask, &practitioner.subject, facts.unit_kind(), &said).ok()?;
    let role = held.permits.into_iter().find(|it| it.origin == Origin::Role)?;
    standing.register().roles.iter().find(|it| it.key == role.key)
}

/// The person at work as restrictions see one.
pub(crate) fn reader(caller: &Caller, practitioner: &Practitioner) -> Reader {
    let attest = practitioner.attest.as_ref();
    let professions = practitioner.hpr_professions.iter().flatten();
    let attested = attest.and_then(|attest| attest.authorization.as_ref());
    let places = attest.map(|attest| [&attest.legal_entity, &attest.point_of_care]);
    let organisations = caller.organisation.iter().chain(&caller.unit);
    Reader {
        subject: practitioner.subject.clone(),
        hpr: practitioner.hpr.clone(),
        professions: attested.into_iter().chain(professions).cloned().collect(),
        organisations: organisations.chain(places.into_iter().flatten()).cloned().collect(),
        service: attest.and_then(|attest| attest.purpose_details.clone()),
        emergency: attest.is_some_and(|attest| {
            matches!(attest.purpose, Purpose::EmergencyTreatment | Purpose::BreakTheGlass)
        }),
    }
}

/// Takes out whole categories that the one person asked about withholds. Where the municipality
/// does not tell that something is withheld, what is left may be nothing, and is then as if there
/// were nothing.
fn narrow(mut permit: ReadPermit) -> Result<ReadPermit, Refusal> {
    let Reach::Person(person) = permit.reach else { return Ok(permit) };
    let before = permit.categories.clone();
    match permit.withheld(person) {
        Withheld::Nothing => return Ok(permit),
        Withheld::Everything => permit.categories.retain(|key| !is_about_person(key)),
        Withheld::Parts(parts) => {
            for part in parts.iter().filter(|part| part.is_of_whole_categories()) {
                let all = part.categories.is_empty();
                permit.categories.retain(|key| !all && !part.categories.contains(key));
            }
        }
    }
    if !permit.tells_withheld() {
        permit.unsaid = before.into_iter().filter(|it| !permit.categories.contains(it)).collect();
    } else if permit.categories.is_empty() {
        return Err(refuse(Rule::Restricted));
    }
    Ok(permit)
}
