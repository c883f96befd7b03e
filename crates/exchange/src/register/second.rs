//! Acts that ask for two persons, and steps back.
//!
//! Invariant: nobody agrees to their own proposal, by the subject of the login; what is agreed to is judged
//! anew against what holds then.

use std::sync::Arc;

use access::administer::Deed;
use access::caller::Caller;
use record::decision::{Change, Decision};
use record::entry::Position;

use super::admin::{approving, duties_of};
use super::change::{Done, check_reason, difference, values};
use super::fold::{At, Folded, Proposal};
use crate::disposal::record::Asked;
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
        self.administer(caller, "admin-proposals", &[Deed::ReadRegister], None).await?;
        let folded = self.decided();
        let now = self.now();
        // What is proposed about persons is for those who look after residents' rights.
        let reviews = self.may(caller, &[Deed::PrivacyReview]);
        let shown = folded.proposals.iter().rev().filter(|(_, it)| all || it.waits(now));
        let shown = shown.filter(|(_, it)| reviews || it.person.is_none());
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
        let proposal = self.proposal(caller, id).await?;
        if let (Change::Erase { basis }, Some(person)) = (&proposal.change, proposal.person) {
            check_reason(&why)?;
            return self.erase(caller, id, &proposal, person, *basis).await;
        }
        if let Change::EraseRecord { record, basis, request } = &proposal.change {
            check_reason(&why)?;
            let (record, request) = (record.clone(), request.clone());
            let asked = Asked { record, basis: *basis, request };
            return self.erase_record(caller, id, &proposal, asked).await;
        }
        let duties = duties_of(&proposal.change);
        let deeds = approving(&proposal, &duties);
        let by = self.administer(caller, "admin-approve", &deeds, None).await?;
        let turn = self.turn().await;
        self.still_waits(id)?;
        self.judge_change(&proposal.change)?;
        let decision = Decision::new(by, why, Change::Approve { proposal: id });
        self.record_in_turn(&turn, decision, None).await
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
        let proposal = self.proposal(caller, id).await?;
        let duties = duties_of(&proposal.change);
        let deeds: Vec<Deed<'_>> = duties.into_iter().map(Deed::Propose).collect();
        let by = self.administer(caller, "admin-reject", &deeds, proposal.person).await?;
        let turn = self.turn().await;
        self.still_waits(id)?;
        let decision = Decision::new(by, why, Change::Reject { proposal: id });
        // About whom the proposal is, so that it leaves with it.
        self.record_in_turn(&turn, decision, proposal.person).await
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

    /// A proposal; that there is none is told only to those who administer.
    async fn proposal(&self, caller: &Caller, id: Position) -> Result<Proposal, Failure> {
        let folded: Arc<Folded> = self.decided();
        match folded.proposals.get(&id) {
            Some(proposal) => Ok(proposal.clone()),
            None => {
                self.administer(caller, "admin-proposals", &[Deed::ReadRegister], None).await?;
                Err(Failure::NotFound)
            }
        }
    }

    pub(crate) fn still_waits(&self, id: Position) -> Result<(), Failure> {
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
