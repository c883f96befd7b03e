//! Why somebody may or may not read something now, and what would change it.
//!
//! Nothing here judges: the answer is the decision itself, and each thing that would change it has been
//! tried by deciding again with that one thing changed.

mod changes;

use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::identity::PersonId;

use crate::caller::{Caller, Party};
use crate::decide::{About, ReadRequest, decide_read, judge, reader};
use crate::permit::ReadPermit;
use crate::policy::{Meta, Origin};
use crate::refusal::{Refusal, Rule};
use crate::register::control::{Assessed, Off};
use crate::standing::{PersonStanding, Standing};

/// A decision, with everything it rests on.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The decision, as [`decide_read`] makes it: the categories that are open. An explanation is no
    /// permit.
    pub decision: Result<Vec<CategoryKey>, Refusal>,
    /// Each category asked for, with what refuses it where it is refused.
    pub categories: Vec<(CategoryKey, Option<Rule>)>,
    /// Every policy that was asked: those that held first, what forbids before what permits.
    pub policies: Vec<PolicyReason>,
    /// Every restriction of the person asked about.
    pub restrictions: Vec<RestrictionReason>,
    /// What would open more, each alone.
    pub changes: Vec<Change>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyReason {
    /// Whose it is.
    pub origin: Origin,
    /// The rule's code, the role's key or the municipality's key.
    pub key: String,
    /// Title; for the law's the file it stands in.
    pub title: String,
    /// Whether it forbids; otherwise it permits.
    pub forbids: bool,
    /// Whether its condition held.
    pub held: bool,
    /// Categories it covers; `None` for all.
    pub categories: Option<Vec<CategoryKey>>,
}

/// One restriction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionReason {
    /// Id of the `Consent` it was given by.
    pub id: String,
    /// Whether it takes something from this caller now.
    pub held: bool,
}

/// Something that would open more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What is changed.
    pub what: What,
    /// The categories it would open beyond those that are open.
    pub opens: Vec<CategoryKey>,
    /// Whether it would only leave less withheld within what is open.
    pub withholds_less: bool,
}

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Another purpose, by code.
    Purpose(&'static str),
    /// A new attest.
    FreshAttest,
    /// Work at another unit, by organisation number.
    Unit(String),
    /// Another profession (9060).
    Profession(String),
    /// An emergency access with a stated reason, for this purpose.
    Emergency(&'static str),
    /// A restriction taken back, by id.
    Without(String),
    /// A switch turned on again.
    SwitchedOn(Off),
    /// An assessment with the outcome that it may be processed.
    Assessed(Assessed),
    /// One of the municipality's policies taken out, by key.
    WithoutPolicy(String),
    /// An agreement to share with the caller's organisation, with its unit as this kind.
    Sharing {
        /// Kind of the unit.
        unit_kind: String,
    },
}

/// Decides, and tells why and what would change it.
pub fn explain(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Explanation {
    let judged = judge(caller, resident, standing, request, now);
    let held: Vec<&Meta> =
        judged.held.forbids.iter().chain(&judged.held.permits).copied().collect();
    let reason = |it: &Meta| PolicyReason {
        origin: it.origin,
        key: it.key.clone(),
        title: it.title.clone(),
        forbids: it.forbids,
        held: held.iter().any(|other| std::ptr::eq(*other, it)),
        categories: it.categories.clone(),
    };
    let asked = judged.ask.into_iter().flat_map(|ask| standing.policies().asked(ask));
    let mut policies: Vec<PolicyReason> = asked.map(reason).collect();
    policies.sort_by_key(|it| (!it.held, !it.forbids));
    let alone = |key: &CategoryKey| {
        let request = ReadRequest { categories: &[*key], ..request.clone() };
        let decision = decide_read(caller, resident, standing, &request, now);
        let withheld = |permit: ReadPermit| {
            // Where it is not told that something is withheld, a permit may open nothing.
            Some(Rule::Restricted).filter(|_| permit.categories.is_empty())
        };
        (*key, decision.map_or_else(|refusal| Some(refusal.rule), withheld))
    };
    Explanation {
        categories: request.categories.iter().map(alone).collect(),
        policies,
        restrictions: restrictions(caller, standing, request, now),
        changes: changes::that_open(caller, resident, standing, request, now),
        decision: judged.outcome.map(|permit| permit.categories),
    }
}

/// The explanation as the reader may have it: where the municipality does not tell that something is
/// withheld, as if the person asked about withheld nothing.
pub fn explain_to_reader(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Explanation {
    let told = match request.about {
        About::Person(person) if !standing.register().tells_withheld => {
            let Some(of_person) = standing.person(person) else {
                return explain(caller, resident, standing, request, now);
            };
            let nothing = PersonStanding { restrictions: Vec::new(), ..of_person.as_ref().clone() };
            &Arc::new(Standing::clone(standing).with_person(person, nothing))
        }
        _ => standing,
    };
    explain(caller, resident, told, request, now)
}

fn restrictions(
    caller: &Caller,
    standing: &Standing,
    request: &ReadRequest<'_>,
    now: i64,
) -> Vec<RestrictionReason> {
    let (Party::Practitioner(practitioner), About::Person(person)) = (&caller.party, request.about)
    else {
        return Vec::new();
    };
    let reader = reader(caller, practitioner);
    let Some(of_person) = standing.person(person) else { return Vec::new() };
    let opened = of_person.is_opened(&reader, now);
    let reason = |it: &crate::restriction::Restriction| RestrictionReason {
        id: it.id.clone(),
        held: it.binds(&reader, opened, now),
    };
    let mut reasons: Vec<_> = of_person.restrictions.iter().map(reason).collect();
    reasons.sort_by_key(|it| !it.held);
    reasons
}
