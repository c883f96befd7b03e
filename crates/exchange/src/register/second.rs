//! Acts that ask for two persons, and steps back.
//!
//! Invariant: nobody agrees to their own proposal, by the subject of the login; what is agreed to is judged
//! anew against what holds then.

use std::sync::Arc;

use access::caller::Caller;
use fhir::issue::IssueCode;
use record::decision::{Change, Decision};
use record::entry::Position;

use super::admin::{Duties, duties_of};
use super::change::{Done, difference, values, who};
use super::fold::{At, Folded, Proposal};
use crate::error::Failure;
use crate::tenant::Tenant;

/// Decisions read at a time.
const AT_ONCE: usize = 1_000;

impl Tenant {
    /// Questions to a second person, the newest first: those that wait, and where `all` is set those that
    /// were answered or lapsed.
    ///
    /// # Errors
    /// A caller without a duty, and whatever keeps the log from being written.
    pub async fn proposals(
        &self,
        caller: &Caller,
        all: bool,
    ) -> Result<Vec<(Position, Proposal)>, Failure> {
        self.administer(caller, "admin-proposals", Duties::ANY).await?;
        let folded = self.decided();
        let now = self.now();
        let shown = folded.proposals.iter().rev().filter(|(_, it)| all || it.waits(now));
        Ok(shown.map(|(position, it)| (*position, it.clone())).collect())
    }

    /// Agrees to what somebody else has proposed: the change is made.
    ///
    /// # Errors
    /// A caller without the duty that the change asks for, or who proposed it; a proposal that is
    /// answered or has lapsed; a change that no longer fits.
    pub async fn approve(
        &self,
        caller: &Caller,
        id: Position,
        why: String,
    ) -> Result<Position, Failure> {
        let proposal = self.proposal(caller, id, "admin-approve").await?;
        let by = who(caller);
        if by.subject.is_none() || by.subject == proposal.act.who.subject {
            let message = "another person than the one who proposed it must agree";
            return Err(Failure::invalid(IssueCode::BusinessRule, "", message));
        }
        let _turn = self.deciding.lock().await;
        self.still_waits(id)?;
        self.judge(&proposal.change)?;
        let decision = Decision::new(by, why, Change::Approve { proposal: id });
        self.record_in_turn(decision, None).await
    }

    /// Says no to a proposal, or takes one's own back.
    ///
    /// # Errors
    /// As [`Tenant::approve`], but that one's own may be rejected.
    pub async fn reject(
        &self,
        caller: &Caller,
        id: Position,
        why: String,
    ) -> Result<Position, Failure> {
        self.proposal(caller, id, "admin-reject").await?;
        let _turn = self.deciding.lock().await;
        self.still_waits(id)?;
        let decision = Decision::new(who(caller), why, Change::Reject { proposal: id });
        self.record_in_turn(decision, None).await
    }

    /// Brings back the register as it was at a version, as a new decision.
    ///
    /// # Errors
    /// As [`Tenant::change_register`]; a version that never was.
    pub async fn roll_back(
        &self,
        caller: &Caller,
        to: Position,
        why: String,
        if_match: Option<Position>,
    ) -> Result<Done, Failure> {
        let then = self.folded_at(to)?;
        if then.version != to || to == 0 {
            return Err(Failure::NotFound);
        }
        let changes = difference(&values(&self.decided().members), &values(&then.members));
        let change = Change::Several { changes, restores: Some(to) };
        self.change_register(caller, "admin-rollback", change, why, if_match).await
    }

    /// What held when the ledger had come to a position.
    fn folded_at(&self, to: Position) -> Result<Folded, Failure> {
        let mut folded = Folded::default();
        let mut after = 0;
        loop {
            let decided = self.view.decisions(after, AT_ONCE)?;
            for it in decided.iter().filter(|it| it.position <= to) {
                let at = At { position: it.position, recorded: it.recorded, person: it.person };
                folded
                    .take(at, &it.body)
                    .map_err(|error| Failure::Unavailable(error.to_string()))?;
            }
            after = decided.last().map_or(to, |it| it.position);
            if after >= to {
                return Ok(folded);
            }
        }
    }

    /// A proposal, for a caller who may answer it.
    async fn proposal(
        &self,
        caller: &Caller,
        id: Position,
        action: &str,
    ) -> Result<Proposal, Failure> {
        let folded: Arc<Folded> = self.decided();
        let found = folded.proposals.get(&id);
        let duties = found.map_or(Duties::ANY, |it| duties_of(&it.change));
        self.administer(caller, action, duties).await?;
        found.cloned().ok_or(Failure::NotFound)
    }

    fn still_waits(&self, id: Position) -> Result<(), Failure> {
        let folded = self.decided();
        let waits = folded.proposals.get(&id).is_some_and(|it| it.waits(self.now()));
        if waits { Ok(()) } else { Err(Failure::Gone) }
    }
}

impl Proposal {
    /// Whether it can still be answered.
    pub fn waits(&self, now: i64) -> bool {
        self.answered.is_none() && now < self.expires
    }
}
