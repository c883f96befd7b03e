//! The decision. Order: party and agreement, purpose, care relation, role, narrowing.

use record::catalogue::{Catalogue, Category};
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::permit::{Basis, Reach, ReadPermit, WritePermit};
use crate::refusal::{Refusal, Rule};
use crate::register::{Register, Role};

/// Oldest attest that opens anything: 60 minutes (Tillitsrammeverk rule 58), in milliseconds.
pub const ATTEST_MAX_AGE: i64 = 60 * 60 * 1000;

/// How far ahead of our clock an attest may be, in milliseconds.
const CLOCK_SKEW: i64 = 60 * 1000;

/// Lowest login level for health information.
const SECURITY_LEVEL: u8 = 4;

/// What somebody asks to read.
#[derive(Clone, Debug)]
pub struct ReadRequest<'a> {
    /// Whom it is about.
    pub about: About,
    /// Keys of the categories asked for; the permit holds those of them that the role may read.
    pub categories: &'a [&'static str],
}

/// Whom a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One person.
    Person(PersonId),
    /// The patients of the caller's own unit.
    OwnUnit,
    /// Nobody in particular.
    Unnamed,
}

/// May the caller read this? `resident` is the person behind a resident's token.
pub fn decide_read(
    caller: &Caller,
    resident: Option<PersonId>,
    register: &Register,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<ReadPermit, Refusal> {
    match &caller.party {
        Party::Resident { .. } => resident_reads(resident, request),
        Party::System => {
            same_municipality(caller, register)?;
            system_reads(caller, register, request, now)
        }
        Party::Practitioner(practitioner) => {
            same_municipality(caller, register)?;
            practitioner_reads(caller, practitioner, register, request, now)
        }
    }
}

/// May the caller record something of this category? `existing` is the owner and source of the
/// record it would change.
pub fn decide_write(
    caller: &Caller,
    register: &Register,
    category: &'static Category,
    existing: Option<(&str, &str)>,
    now: i64,
) -> Result<WritePermit, Refusal> {
    if !matches!(caller.party, Party::System) {
        return Err(refuse(Rule::NotASystem));
    }
    same_municipality(caller, register)?;
    let agreement = register.agreement(&caller.client_id, now).ok_or(refuse(Rule::NoAgreement))?;
    if !register.has_purpose(Purpose::Delivery) {
        return Err(refuse(Rule::PurposeInactive));
    }
    if !agreement.categories.contains(&category.key) {
        return Err(refuse(Rule::CategoryNotAgreed));
    }
    if existing
        .is_some_and(|(owner, source)| owner != agreement.owner || source != agreement.source)
    {
        return Err(refuse(Rule::NotOwner));
    }
    Ok(WritePermit {
        source: agreement.source.clone(),
        owner: agreement.owner.clone(),
        category: &category.key,
    })
}

/// The role of a person at work, the first where several fit, for showing: what it opens is for
/// [`decide_read`] to say.
pub fn role_of<'a>(caller: &Caller, register: &'a Register) -> Option<&'a Role> {
    roles(caller.attest()?, register).ok()?.into_iter().next()
}

const fn refuse(rule: Rule) -> Refusal {
    Refusal { rule }
}

fn same_municipality(caller: &Caller, register: &Register) -> Result<(), Refusal> {
    if caller.organisation.as_deref() == Some(register.organisation.as_str()) {
        Ok(())
    } else {
        Err(refuse(Rule::OtherMunicipality))
    }
}

fn resident_reads(
    resident: Option<PersonId>,
    request: &ReadRequest<'_>,
) -> Result<ReadPermit, Refusal> {
    let person = match (request.about, resident) {
        (About::Person(asked), Some(own)) if asked == own => own,
        (About::Unnamed, Some(own)) => own,
        _ => return Err(refuse(Rule::NotSelf)),
    };
    // What is about nobody is not a resident's own: of that, only what is for everybody.
    let opened = |key: &&'static str| is_about_person(key) || is_shared(key);
    let categories: Vec<_> = request.categories.iter().copied().filter(opened).collect();
    if categories.is_empty() && !request.categories.is_empty() {
        return Err(refuse(Rule::NotShared));
    }
    Ok(ReadPermit {
        reach: Reach::Person(person),
        categories,
        owned_by: None,
        basis: basis(Purpose::PatientRequest, "resident", None),
        granted: None,
    })
}

/// A system reads back what it delivered itself, nothing else.
fn system_reads(
    caller: &Caller,
    register: &Register,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<ReadPermit, Refusal> {
    let agreement = register.agreement(&caller.client_id, now).ok_or(refuse(Rule::NoAgreement))?;
    if !register.has_purpose(Purpose::Delivery) {
        return Err(refuse(Rule::PurposeInactive));
    }
    let agreed = |key: &&'static str| agreement.categories.iter().any(|agreed| agreed == key);
    let categories: Vec<_> = request.categories.iter().copied().filter(agreed).collect();
    if categories.is_empty() {
        return Err(refuse(Rule::CategoryNotAgreed));
    }
    Ok(ReadPermit {
        reach: match request.about {
            About::Person(person) => Reach::Person(person),
            About::OwnUnit => return Err(refuse(Rule::PatientNotNamed)),
            About::Unnamed => Reach::Any,
        },
        categories,
        owned_by: Some((agreement.owner.clone(), agreement.source.clone())),
        basis: Basis::delivery(),
        granted: None,
    })
}

fn practitioner_reads(
    caller: &Caller,
    practitioner: &Practitioner,
    register: &Register,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<ReadPermit, Refusal> {
    if practitioner.security_level < SECURITY_LEVEL {
        return Err(refuse(Rule::WeakLogin));
    }
    let attest = practitioner.attest.as_ref().ok_or(refuse(Rule::NoAttest))?;
    care_relation(caller, attest, register, now)?;
    let mut roles = roles(attest, register)?;
    if request.about == About::OwnUnit {
        roles.retain(|role| role.unit_list);
        if roles.is_empty() {
            return Err(refuse(Rule::PatientNotNamed));
        }
    }
    roles.retain(|role| request.categories.iter().any(|key| opens(role, key)));
    if roles.is_empty() {
        return Err(refuse(Rule::CategoryNotForRole));
    }
    let opened = |key: &&'static str| roles.iter().any(|role| opens(role, key)) && is_shared(key);
    let categories: Vec<_> = request.categories.iter().copied().filter(opened).collect();
    if categories.is_empty() {
        return Err(refuse(Rule::NotShared));
    }
    let keys: Vec<&str> = roles.iter().map(|role| role.key.as_str()).collect();
    Ok(ReadPermit {
        reach: practitioner_reach(attest, request.about, &categories, now)?,
        categories,
        owned_by: None,
        basis: basis(attest.purpose, &keys.join("+"), Some(attest)),
        granted: None,
    })
}

/// The attest must be fresh, name the token's organisation and a unit we know, and state a purpose
/// in use (Tillitsrammeverk rules 4, 11 and 58).
fn care_relation(
    caller: &Caller,
    attest: &Attest,
    register: &Register,
    now: i64,
) -> Result<(), Refusal> {
    let age = now - attest.made_at;
    if !(-CLOCK_SKEW..=ATTEST_MAX_AGE).contains(&age) {
        return Err(refuse(Rule::AttestExpired));
    }
    if caller.organisation.as_deref() != Some(attest.legal_entity.as_str())
        || caller.unit.as_deref().is_some_and(|unit| unit != attest.point_of_care)
    {
        return Err(refuse(Rule::AttestContradicts));
    }
    if !register.has_purpose(attest.purpose) {
        return Err(refuse(Rule::PurposeInactive));
    }
    Ok(())
}

/// The roles that fit unit, profession and purpose, never none. What several roles open adds up, so
/// that taking one away never opens anything.
fn roles<'a>(attest: &Attest, register: &'a Register) -> Result<Vec<&'a Role>, Refusal> {
    let unit = register.unit(&attest.point_of_care).ok_or(refuse(Rule::UnknownUnit))?;
    let profession = |role: &Role| match &attest.authorization {
        _ if role.authorizations.is_empty() => true,
        Some(code) => role.authorizations.contains(code),
        None => false,
    };
    let fits = |role: &&Role| {
        role.unit_kinds.contains(&unit.kind)
            && role.purposes.iter().any(|code| code == attest.purpose.code())
            && profession(role)
    };
    let roles: Vec<&Role> = register.roles.iter().filter(fits).collect();
    if roles.is_empty() { Err(refuse(Rule::NoRole)) } else { Ok(roles) }
}

fn opens(role: &Role, category: &str) -> bool {
    role.categories.iter().any(|allowed| allowed == category)
}

fn practitioner_reach(
    attest: &Attest,
    about: About,
    categories: &[&'static str],
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

fn is_shared(key: &str) -> bool {
    Catalogue::get().category(key).is_some_and(|category| category.shareable)
}

fn is_about_person(key: &str) -> bool {
    Catalogue::get().category(key).is_none_or(|category| category.about_person)
}

fn basis(purpose: Purpose, role: &str, attest: Option<&Attest>) -> Basis {
    Basis {
        purpose,
        role: role.to_owned(),
        purpose_details: attest.and_then(|attest| attest.purpose_details.clone()),
        decision_ref: attest.map(|attest| attest.decision_ref.clone()),
        user_selected: attest.is_some_and(|attest| attest.user_selected),
    }
}
