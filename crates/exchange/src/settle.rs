//! Which resource each operation of a submission is about, before any of them is prepared: criteria
//! become ids.
//!
//! Writers with the same criteria wait for each other from the search until what they wrote is
//! visible, so that of two conditional creates the second finds what the first made.

use std::collections::{BTreeMap, BTreeSet};

use access::caller::Caller;
use fhir::issue::{Issue, IssueCode};

use crate::error::Failure;
use crate::submission::{Action, Operation};
use crate::tenant::Tenant;

/// Operations that failed before they were prepared, by their place in the submission.
pub(crate) type Faults = BTreeMap<usize, Failure>;

/// What the criteria of an operation find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// It has none.
    Unasked,
    /// No resource.
    Nothing,
    /// This one.
    One(String),
    /// They could not be followed, or find several.
    Failed,
}

impl Tenant {
    /// What the criteria of each operation find. A resource that the same submission removes is not
    /// found by a create, which comes after.
    pub(crate) fn matches(
        &self,
        caller: &Caller,
        operations: &[Operation],
        faults: &mut Faults,
    ) -> Vec<Match> {
        let mut matches: Vec<Match> = operations.iter().map(|_| Match::Unasked).collect();
        let mut removed: BTreeSet<(&str, String)> = BTreeSet::new();
        let is_removal = |operation: &Operation| matches!(operation.action, Action::Delete);
        for removals in [true, false] {
            let places = operations.iter().zip(&mut matches).enumerate();
            for (i, (operation, place)) in places.filter(|(_, (it, _))| is_removal(it) == removals)
            {
                if let Some(criteria) = &operation.criteria {
                    let found = self.find(caller, criteria, false).and_then(|mut ids| {
                        if matches!(operation.action, Action::Create | Action::Keep) {
                            ids.retain(|id| !removed.contains(&(operation.kind, id.clone())));
                        }
                        only(ids)
                    });
                    *place = found.unwrap_or_else(|failure| {
                        faults.insert(i, failure);
                        Match::Failed
                    });
                }
                if removals {
                    let id = if let Match::One(id) = place { Some(&*id) } else { None };
                    let ids = operation.id.as_ref().or(id);
                    removed.extend(ids.map(|id| (operation.kind, id.clone())));
                }
            }
        }
        matches
    }

    /// Refuses operations whose criteria do not find the same as before, now that the resources
    /// are held.
    pub(crate) fn confirm(
        &self,
        caller: &Caller,
        operations: &[Operation],
        before: &[Match],
        faults: &mut Faults,
    ) {
        if before.iter().all(|it| matches!(it, Match::Unasked | Match::Failed)) {
            return;
        }
        let now = self.matches(caller, operations, &mut Faults::new());
        for (i, (before, now)) in before.iter().zip(now).enumerate() {
            if *before != now {
                faults.entry(i).or_insert_with(|| {
                    Failure::Conflict(Issue::error(
                        IssueCode::Conflict,
                        "",
                        "another change came between; send the request again",
                    ))
                });
            }
        }
    }
}

fn only(mut ids: Vec<String>) -> Result<Match, Failure> {
    match (ids.pop(), ids.is_empty()) {
        (None, _) => Ok(Match::Nothing),
        (Some(id), true) => Ok(Match::One(id)),
        (Some(_), false) => Err(Failure::Several),
    }
}

/// What an operation does, given what its criteria found (R4 http, conditional create, update,
/// patch and delete).
pub(crate) fn direct(operation: &mut Operation, found: &Match) -> Result<(), Failure> {
    let own = operation.resource.as_ref().and_then(|resource| resource.text("id"));
    match (&operation.action, found) {
        (_, Match::Unasked | Match::Failed) => {}
        (Action::Create, Match::One(id)) => {
            operation.action = Action::Keep;
            operation.id = Some(id.clone());
        }
        (Action::Update, Match::One(id)) => {
            if own.is_some_and(|own| own != id) {
                return Err(Failure::malformed(
                    IssueCode::Value,
                    &format!("{}.id", operation.kind),
                    "the condition finds a resource with another id; leave the id out",
                ));
            }
            operation.id = Some(id.clone());
        }
        (Action::Update, Match::Nothing) => match own {
            Some(own) => operation.id = Some(own.to_owned()),
            None => operation.action = Action::Create,
        },
        (Action::Patch(_), Match::Nothing) => return Err(Failure::NotFound),
        (Action::Patch(_) | Action::Delete, Match::One(id)) => operation.id = Some(id.clone()),
        (Action::Create | Action::Delete | Action::Keep, _) => {}
    }
    Ok(())
}
