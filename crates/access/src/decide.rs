//! The decision. Order: party and agreement, purpose, care relation, role, narrowing, and what the
//! resident has withheld.

use std::sync::Arc;

use record::catalogue::{Catalogue, Category, CategoryKey};
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::permit::{Basis, Labels, Reach, ReadPermit, Withheld, WritePermit};
use crate::refusal::{Refusal, Rule};
use crate::register::sharing::Sharing;
use crate::register::{Register, Role, Unit};
use crate::representation::Kind;
use crate::restriction::Reader;
use crate::standing::Standing;

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
    pub categories: &'a [CategoryKey],
    /// Key of the information service that asks, where one does.
    pub service: Option<&'a str>,
    /// The persons whom the caller's token or attest names, as this municipality knows them. Where
    /// the caller names some and this is not said, nothing is opened.
    pub bound_to: Option<&'a [PersonId]>,
}

impl<'a> ReadRequest<'a> {
    /// A request by no information service, of a caller bound to no patient.
    pub fn new(about: About, categories: &'a [CategoryKey]) -> Self {
        Self { about, categories, service: None, bound_to: None }
    }
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
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<ReadPermit, Refusal> {
    bound(caller, resident, request)?;
    let permit = |found: Found, labels, reader| ReadPermit {
        reach: found.reach,
        categories: found.categories,
        owned_by: found.owned_by,
        basis: found.basis,
        labels,
        reader,
        at: now,
        standing: standing.clone(),
    };
    let register = standing.register();
    match &caller.party {
        Party::Resident { .. } => {
            let (found, labels) = resident_reads(resident, standing, request, now)?;
            Ok(permit(found, labels, None))
        }
        Party::System => {
            same_municipality(caller, register)?;
            Ok(permit(system_reads(caller, register, request, now)?, Labels::None, None))
        }
        Party::Practitioner(practitioner) => {
            let found = practitioner_reads(caller, practitioner, register, request, now)?;
            let reader = Some(reader(caller, practitioner));
            narrow(permit(found, Labels::Personnel, reader))
        }
    }
}

/// May the caller record something of this category? `existing` is the owner and source of the
/// record it would change.
pub fn decide_write(
    caller: &Caller,
    standing: &Standing,
    category: &'static Category,
    existing: Option<(&str, &str)>,
    now: i64,
) -> Result<WritePermit, Refusal> {
    if !matches!(caller.party, Party::System) {
        return Err(refuse(Rule::NotASystem));
    }
    let register = standing.register();
    same_municipality(caller, register)?;
    let agreement = register.agreement(&caller.client_id, now).ok_or(refuse(Rule::NoAgreement))?;
    if !register.has_purpose(Purpose::Delivery, now) {
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
pub fn role_of<'a>(caller: &Caller, register: &'a Register, now: i64) -> Option<&'a Role> {
    let attest = caller.attest()?;
    let (unit, _) = place(caller, attest, register, now).ok()?;
    roles(attest, unit, register).ok()?.into_iter().next()
}

/// What was found before it is a permit.
struct Found {
    reach: Reach,
    categories: Vec<CategoryKey>,
    owned_by: Option<(String, String)>,
    basis: Basis,
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

/// Where the attest or the launch names patients, only they may be asked about (Tillitsrammeverk
/// rule 4). Who names nobody and is no resident is given nothing about a person anyhow.
fn bound(
    caller: &Caller,
    resident: Option<PersonId>,
    request: &ReadRequest<'_>,
) -> Result<(), Refusal> {
    let names = caller.launched_for.is_some()
        || caller.attest().is_some_and(|attest| !attest.patients.is_empty());
    let is_named = match request.about {
        About::Person(person) => Some(person),
        About::OwnUnit => None,
        About::Unnamed if resident.is_none() => return Ok(()),
        About::Unnamed => resident,
    }
    .is_some_and(|asked| request.bound_to.is_some_and(|to| to.contains(&asked)));
    if names && !is_named { Err(refuse(Rule::AnotherPatient)) } else { Ok(()) }
}

/// Self, or somebody the resident represents.
fn resident_reads(
    resident: Option<PersonId>,
    standing: &Standing,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<(Found, Labels), Refusal> {
    let own = resident.ok_or(refuse(Rule::NotSelf))?;
    let person = match request.about {
        About::Person(asked) => asked,
        About::Unnamed => own,
        About::OwnUnit => return Err(refuse(Rule::NotSelf)),
    };
    let of_person = standing.person(person);
    let born = of_person.and_then(|it| it.born);
    let represents: Vec<_> = of_person
        .iter()
        .flat_map(|it| &it.representatives)
        .filter(|it| it.representative == own && it.is_valid(born, now))
        .collect();
    if person != own && represents.is_empty() {
        return Err(refuse(Rule::NotSelf));
    }
    let covered = |key: &str| person == own || represents.iter().any(|it| it.covers(key));
    // What is about nobody is not a resident's own: of that, only what is for everybody.
    let opened = |key: &CategoryKey| covered(key) && (is_about_person(key) || is_shared(key));
    let categories: Vec<_> = request.categories.iter().copied().filter(opened).collect();
    if categories.is_empty() && !request.categories.is_empty() {
        return Err(refuse(Rule::NotShared));
    }
    let (role, labels) = match represents.first() {
        _ if person == own => ("resident", Labels::Patient),
        Some(it) if represents.iter().all(|it| it.kind == Kind::Parent) => {
            (it.kind.key(), Labels::Parent)
        }
        Some(it) => (it.kind.key(), Labels::Patient),
        None => return Err(refuse(Rule::NotSelf)),
    };
    let found = Found {
        reach: Reach::Person(person),
        categories,
        owned_by: None,
        basis: basis(Purpose::PatientRequest, role, None),
    };
    Ok((found, labels))
}

/// A system reads back what it delivered itself, nothing else.
fn system_reads(
    caller: &Caller,
    register: &Register,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<Found, Refusal> {
    let agreement = register.agreement(&caller.client_id, now).ok_or(refuse(Rule::NoAgreement))?;
    if !register.has_purpose(Purpose::Delivery, now) {
        return Err(refuse(Rule::PurposeInactive));
    }
    let agreed = |key: &CategoryKey| agreement.categories.iter().any(|agreed| agreed == key);
    let categories: Vec<_> = request.categories.iter().copied().filter(agreed).collect();
    if categories.is_empty() {
        return Err(refuse(Rule::CategoryNotAgreed));
    }
    Ok(Found {
        reach: match request.about {
            About::Person(person) => Reach::Person(person),
            About::OwnUnit => return Err(refuse(Rule::PatientNotNamed)),
            About::Unnamed => Reach::Any,
        },
        categories,
        owned_by: Some((agreement.owner.clone(), agreement.source.clone())),
        basis: Basis::delivery(),
    })
}

fn practitioner_reads(
    caller: &Caller,
    practitioner: &Practitioner,
    register: &Register,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<Found, Refusal> {
    if !is_party(caller, register, now) {
        return Err(refuse(Rule::OtherMunicipality));
    }
    if practitioner.security_level < SECURITY_LEVEL {
        return Err(refuse(Rule::WeakLogin));
    }
    let attest = practitioner.attest.as_ref().ok_or(refuse(Rule::NoAttest))?;
    care_relation(caller, attest, register, now)?;
    let (unit, sharing) = place(caller, attest, register, now)?;
    let mut roles = roles(attest, unit, register)?;
    if request.about == About::OwnUnit {
        roles.retain(|role| role.unit_list);
        if roles.is_empty() {
            return Err(refuse(Rule::PatientNotNamed));
        }
    }
    let agreed = |key: &str| sharing.is_none_or(|it| it.categories.iter().any(|of| of == key));
    roles.retain(|role| request.categories.iter().any(|key| opens(role, key)));
    if roles.is_empty() {
        return Err(refuse(Rule::CategoryNotForRole));
    }
    let opened = |key: &CategoryKey| {
        roles.iter().any(|role| opens(role, key)) && is_shared(key) && agreed(key)
    };
    let categories: Vec<_> = request.categories.iter().copied().filter(opened).collect();
    if categories.is_empty() {
        return Err(refuse(Rule::NotShared));
    }
    let keys: Vec<&str> = roles.iter().map(|role| role.key.as_str()).collect();
    Ok(Found {
        reach: practitioner_reach(attest, request.about, &categories, now)?,
        categories,
        owned_by: None,
        basis: basis(attest.purpose, &keys.join("+"), Some(attest)),
    })
}

/// The municipality itself, or somebody it shares with.
fn is_party(caller: &Caller, register: &Register, now: i64) -> bool {
    caller.organisation.as_deref().is_some_and(|organisation| {
        organisation == register.organisation || register.sharing_with(organisation, now).is_some()
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
        || attest.names_another
    {
        return Err(refuse(Rule::AttestContradicts));
    }
    if !register.has_purpose(attest.purpose, now) {
        return Err(refuse(Rule::PurposeInactive));
    }
    Ok(())
}

/// The unit where the work is done: the municipality's own, or one that a partner has told of.
fn place<'a>(
    caller: &Caller,
    attest: &Attest,
    register: &'a Register,
    now: i64,
) -> Result<(&'a Unit, Option<&'a Sharing>), Refusal> {
    let own = caller.organisation.as_deref() == Some(register.organisation.as_str());
    let sharing = register.sharing_with(&attest.legal_entity, now).filter(|_| !own);
    let unit = match sharing {
        Some(sharing) => sharing.unit(&attest.point_of_care),
        None if own => register.unit(&attest.point_of_care),
        None => return Err(refuse(Rule::OtherMunicipality)),
    };
    if sharing.is_some_and(|it| !it.purposes.iter().any(|code| code == attest.purpose.code())) {
        return Err(refuse(Rule::PurposeInactive));
    }
    Ok((unit.ok_or(refuse(Rule::UnknownUnit))?, sharing))
}

/// The roles that fit unit, profession and purpose, never none. What several roles open adds up, so
/// that taking one away never opens anything.
fn roles<'a>(
    attest: &Attest,
    unit: &Unit,
    register: &'a Register,
) -> Result<Vec<&'a Role>, Refusal> {
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

/// The person at work as restrictions see one.
fn reader(caller: &Caller, practitioner: &Practitioner) -> Reader {
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
    if permit.categories.is_empty() && permit.tells_withheld() {
        return Err(refuse(Rule::Restricted));
    }
    Ok(permit)
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
