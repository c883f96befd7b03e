//! The decision: what the policies say, narrowed by what is agreed, assessed and shared, and by what
//! the resident has withheld.
//!
//! The law's and the municipality's policies ([`crate::policy`]) say whether, for the request as a whole,
//! and by which roles. What depends on each category of many at once (agreements, purposes,
//! assessments, restrictions) is looked up here and only ever takes away.
//!
//! Of several reasons against, the first in the order of [`Rule`] is told: party and agreement, purpose,
//! care relation, role, category, restriction.

mod resident;
mod supply;
mod work;

use std::sync::Arc;

use record::catalogue::{Catalogue, Category, CategoryKey};
use record::identity::PersonId;
use record::purpose::Purpose;

use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::facts::Facts;
use crate::permit::{AskPermit, Basis, Reach, ReadPermit, WritePermit};
use crate::policy::{Ask, Held, Origin};
use crate::refusal::{Refusal, Rule};
use crate::register::Role;
use crate::restriction::Reader;
use crate::said::Said;
use crate::standing::Standing;

/// What somebody asks to read.
#[derive(Clone, Debug)]
pub struct ReadRequest<'a> {
    /// Whom it is about.
    pub about: About,
    /// Keys of the categories asked for; the permit holds those of them that the caller may read.
    pub categories: &'a [CategoryKey],
    /// Key of the information service that asks, where one does.
    pub service: Option<&'a str>,
    /// The persons whom the caller's token or attest names, as this municipality knows them. Where
    /// the caller names some and this is not said, nothing is opened.
    pub bound_to: Option<&'a [PersonId]>,
    /// Whether it is about what others hold: what they share is theirs to say, and all else is asked as here.
    pub elsewhere: bool,
}

impl<'a> ReadRequest<'a> {
    /// A request by no information service, of a caller bound to no patient.
    pub fn new(about: About, categories: &'a [CategoryKey]) -> Self {
        Self { about, categories, service: None, bound_to: None, elsewhere: false }
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
    judge(caller, resident, standing, request, now).outcome
}

/// May the caller have others asked what they hold about a person? For people at work only: others take an
/// attest, which no system and no resident has.
pub fn decide_ask(
    caller: &Caller,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Result<AskPermit, Refusal> {
    caller.attest().ok_or(refuse(Rule::NoAttest))?;
    let request = ReadRequest { elsewhere: true, ..request.clone() };
    let permit = judge(caller, None, standing, &request, now).outcome?;
    match permit.reach {
        Reach::Person(person) => Ok(AskPermit { person, read: permit }),
        Reach::Unit { .. } | Reach::Any => Err(refuse(Rule::PatientNotNamed)),
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
    supply::write(caller, standing, category, existing, now)
}

/// The role of a person at work, the first where several fit, for showing: what it opens is for
/// [`decide_read`] to say.
pub fn role_of<'a>(caller: &Caller, standing: &'a Standing, now: i64) -> Option<&'a Role> {
    work::role_of(caller, standing, now)
}

/// A decision with what it rests on.
pub(crate) struct Judged<'a> {
    /// What the policies were asked; nothing where they were not.
    pub ask: Option<Ask>,
    /// The policies that held.
    pub held: Held<'a>,
    pub outcome: Result<ReadPermit, Refusal>,
}

/// Decides, and tells by what.
pub(crate) fn judge<'a>(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &'a Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Judged<'a> {
    let facts = Facts::of(caller, standing, request.service, now);
    match &caller.party {
        Party::Practitioner(practitioner) => work::judge(&facts, practitioner, standing, request),
        Party::System => supply::judge(&facts, standing, request),
        Party::Resident { .. } => resident::judge(&facts, resident, standing, request),
    }
}

/// The person at work as restrictions see one.
pub(crate) fn reader(caller: &Caller, practitioner: &Practitioner) -> Reader {
    work::reader(caller, practitioner)
}

/// Asks the policies. An error is a refusal: a forbidding policy that errs must not open.
fn weigh<'a>(
    standing: &'a Standing,
    ask: Ask,
    who: &str,
    kind: &str,
    said: &Said<'_>,
) -> Result<Held<'a>, Refusal> {
    standing.policies().held(ask, who, kind, said).map_err(|_| refuse(Rule::PolicyError))
}

/// Passes where no policy forbids the whole request.
fn not_forbidden(held: &Held<'_>) -> Result<(), Refusal> {
    let whole = held.forbids.iter().filter(|policy| policy.categories.is_none());
    whole.map(|policy| policy.rule).min().map_or(Ok(()), |rule| Err(refuse(rule)))
}

/// Whether one of the municipality's policies forbids a category.
fn forbids(held: &Held<'_>, category: &str) -> bool {
    held.forbids.iter().any(|it| it.origin == Origin::Municipality && it.covers(category))
}

/// Takes categories out; where none is left, that is the refusal.
fn keep(
    categories: &mut Vec<CategoryKey>,
    rule: Rule,
    keeps: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    categories.retain(|key| keeps(key));
    if categories.is_empty() { Err(refuse(rule)) } else { Ok(()) }
}

const fn refuse(rule: Rule) -> Refusal {
    Refusal { rule }
}

fn is_shared(key: &str) -> bool {
    Catalogue::get().category(key).is_some_and(|category| category.shareable)
}

fn is_about_person(key: &str) -> bool {
    Catalogue::get().category(key).is_none_or(|category| category.about_person)
}

pub(crate) fn basis(purpose: Purpose, role: &str, attest: Option<&Attest>) -> Basis {
    Basis {
        purpose,
        role: role.to_owned(),
        purpose_details: attest.and_then(|attest| attest.purpose_details.clone()),
        decision_ref: attest.map(|attest| attest.decision_ref.clone()),
        user_selected: attest.is_some_and(|attest| attest.user_selected),
    }
}
