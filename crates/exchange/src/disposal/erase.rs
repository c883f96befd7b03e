//! Erasing a person: proposed by one officer, decided by another, carried out by the ledger.
//!
//! The entry of the erasure is the erasure. When it is on disk the ledger destroys the person's key and
//! then the view lets go of everything; whatever ends the process in between, the next opening goes on.
//! What is left is the entry: when, who, on what ground, and an id that leads nowhere. The audit ledger keeps
//! who looked, as the law demands.

use access::administer::Deed;
use access::caller::Caller;
use access::register::admin::Duty;
use fhir::issue::{Issue, IssueCode};
use ledger::append::Draft;
use record::decision::{Change, Decision, Ground};
use record::entry::{Kind, Position};
use record::identity::PersonId;
use record::retention::Verdict;

use super::fold::Erased;
use crate::error::Failure;
use crate::register::change::{Done, PROPOSAL_LIFE, draft};
use crate::register::fold::Proposal;
use crate::tenant::Tenant;

impl Tenant {
    /// Asks a second officer to erase everything about a person.
    ///
    /// # Errors
    /// A caller who is no privacy officer; a person who is unknown, erased, held, or already asked about;
    /// a ground that does not hold; and whatever keeps the ledgers from being written.
    pub async fn propose_erasure(
        &self,
        caller: &Caller,
        person: PersonId,
        basis: Ground,
        why: String,
    ) -> Result<Done, Failure> {
        let deeds = [Deed::Propose(Duty::PrivacyOfficer)];
        let by = self.administer(caller, "admin-erase-propose", &deeds, Some(person)).await?;
        let turn = self.turn().await;
        self.may_be_erased(person, basis)?;
        let now = self.now();
        let is_this = |it: &Change| matches!(it, Change::Erase { .. });
        let waits =
            |it: &Proposal| it.person == Some(person) && is_this(&it.change) && it.waits(now);
        if let Some((id, _)) = self.decided().proposals.iter().find(|(_, it)| waits(it)) {
            return Ok(Done::Proposed(*id));
        }
        let expires = now.saturating_add(PROPOSAL_LIFE);
        let change = Change::Propose { change: Box::new(Change::Erase { basis }), expires };
        let decision = Decision::new(by, why, change);
        self.record_in_turn(&turn, decision, Some(person)).await.map(Done::Proposed)
    }

    /// Erases a person, as proposed: everything is gone when this returns. Why the second officer agrees is
    /// not kept, since it would outlive what it is about.
    pub(crate) async fn erase(
        &self,
        caller: &Caller,
        id: Position,
        proposal: &Proposal,
        person: PersonId,
        basis: Ground,
    ) -> Result<Position, Failure> {
        let deeds = crate::register::admin::approving(proposal, &[Duty::PrivacyOfficer]);
        let by = self.administer(caller, "admin-erase", &deeds, Some(person)).await?;
        let turn = self.turn().await;
        self.still_waits(id)?;
        self.may_be_erased(person, basis)?;
        let proposed_by = proposal.act.who.clone();
        let change = Change::Erased { proposal: id, proposed_by, basis };
        let decision = Decision::new(by, basis.key(), change);
        let draft = draft(&decision, &self.register().organisation, Some(person));
        let appended = self
            .ledger
            .append(vec![Draft { kind: Kind::Erasure, seen: Some(turn.seen), ..draft }])
            .await?;
        let position = appended.first().map_or(0, |it| it.entry().position);
        if !self.wait_visible(position).await {
            return Err(Failure::Busy);
        }
        self.let_go(self.now())?;
        Ok(position)
    }

    /// Persons that were erased, the newest first.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn erasures(&self, caller: &Caller) -> Result<Vec<Erased>, Failure> {
        self.administer(caller, "admin-erasures", &[Deed::PrivacyReview], None).await?;
        Ok(self.decided().disposal.erased.values().rev().cloned().collect())
    }

    /// Lets go of what was made from the information of persons who have been erased, before a time: what
    /// was given out or waits to be fetched, and what the analysis of the log made of it. What is lost of
    /// others is asked for again.
    pub(crate) fn let_go(&self, before: i64) -> Result<(), Failure> {
        self.jobs.end_given(before);
        self.forget_findings(&self.decided().disposal.persons())
    }

    /// [`Tenant::let_go`] of what was erased, whatever ended the process afterwards.
    pub(crate) fn let_go_of_erased(&self) -> Result<(), Failure> {
        match self.decided().disposal.last_erasure() {
            Some(last) => self.let_go(last),
            None => Ok(()),
        }
    }

    /// Whether a person may be erased now.
    fn may_be_erased(&self, person: PersonId, basis: Ground) -> Result<(), Failure> {
        if self.keys.is_erased(person) {
            return Err(Failure::Gone);
        }
        if !self.view.knows(person)? {
            return Err(unknown());
        }
        self.may_erase(person, basis)
    }

    /// Whether anything about a person may be erased now.
    pub(super) fn may_erase(&self, person: PersonId, basis: Ground) -> Result<(), Failure> {
        let refused =
            |by: &str, message: &str| Err(Failure::invalid(IssueCode::BusinessRule, by, message));
        if self.decided().disposal.is_held(person) {
            let message = "a hold keeps everything about the person; lift it first";
            return refused("hold", message);
        }
        if basis != Ground::RetentionEnded {
            return Ok(());
        }
        match self.retention_of(person)? {
            Verdict::Over(_) => Ok(()),
            Verdict::Depot(_) => {
                refused("depot", "this is preserved: hand it to the depot first, and say so")
            }
            Verdict::Held | Verdict::Kept { .. } => {
                refused("retention", "the time it must be kept has not run")
            }
        }
    }
}

/// That nothing is known of a person.
pub(super) fn unknown() -> Failure {
    let message = "nothing is recorded about the person";
    Failure::Unknown(Issue::error(IssueCode::NotFound, "person", message))
}
