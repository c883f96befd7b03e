//! Erasing one record for good: proposed by one officer, decided by another, carried out by the ledger.
//!
//! The entry of the resealing is the erasure: with it the record's bodies are gone, everything else about
//! the person is sealed anew, and the key they were sealed with is destroyed. The view lets go of the
//! record and its history. What is left is the entry: that there was a record of this type and id, who
//! decided, when, on what ground, and which request was answered.

use access::administer::Deed;
use access::caller::Caller;
use access::register::admin::Duty;
use fhir::issue::{Issue, IssueCode};
use ledger::append::Draft;
use record::catalogue::CONSENTS;
use record::decision::{Change, Decision, Ground};
use record::entry::{Kind, Position};
use record::identity::PersonId;
use record::resealing::Resealing;
use record::rights::Right;
use view::store::Located;

use super::fold::ErasedRecord;
use crate::error::Failure;
use crate::read::{known_kind, parsed};
use crate::register::change::{Done, PROPOSAL_LIFE, draft};
use crate::register::fold::Proposal;
use crate::rights::task;
use crate::tenant::Tenant;

/// One record to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which: `Observation/…`.
    pub record: String,
    /// On what ground.
    pub basis: Ground,
    /// Id of the Task by which a resident asked for it, if that is why.
    pub request: Option<String>,
}

/// A record that may be erased.
struct Erasable {
    kind: &'static str,
    id: String,
    person: PersonId,
    located: Located,
}

impl Asked {
    fn change(&self) -> Change {
        let Self { record, basis, request } = self.clone();
        Change::EraseRecord { record, basis, request }
    }
}

impl Tenant {
    /// Asks a second officer to erase one record.
    ///
    /// # Errors
    /// A caller who is no privacy officer; a record that is not there, is erased, or is of a sort that is
    /// not erased alone; a person who is held; a ground that does not hold; a request that is not one to
    /// erase something of this person; and whatever keeps the ledgers from being written.
    pub async fn propose_record_erasure(
        &self,
        caller: &Caller,
        asked: Asked,
        why: String,
    ) -> Result<Done, Failure> {
        let deeds = [Deed::Propose(Duty::PrivacyOfficer)];
        let person = self.named(&asked.record)?.and_then(|(_, _, located)| located.person);
        let by = self.administer(caller, "admin-erase-record-propose", &deeds, person).await?;
        let turn = self.turn().await;
        let found = self.erasable(&asked)?;
        let (now, change) = (self.now(), asked.change());
        let waits = |it: &Proposal| it.change == change && it.waits(now);
        if let Some((id, _)) = self.decided().proposals.iter().find(|(_, it)| waits(it)) {
            return Ok(Done::Proposed(*id));
        }
        let expires = now.saturating_add(PROPOSAL_LIFE);
        let change = Change::Propose { change: Box::new(change), expires };
        let decision = Decision::new(by, why, change);
        self.record_in_turn(&turn, decision, Some(found.person)).await.map(Done::Proposed)
    }

    /// Erases a record, as proposed: it is gone when this returns. Why the second officer agrees is not kept.
    pub(crate) async fn erase_record(
        &self,
        caller: &Caller,
        id: Position,
        proposal: &Proposal,
        asked: Asked,
    ) -> Result<Position, Failure> {
        let deeds = crate::register::admin::approving(proposal, &[Duty::PrivacyOfficer]);
        let by = self.administer(caller, "admin-erase-record", &deeds, proposal.person).await?;
        let turn = self.turn().await;
        self.still_waits(id)?;
        // Nobody writes another version meanwhile, and all that were written are seen.
        let _held = self.locks.hold(std::iter::once(asked.record.clone())).await;
        if !self.wait_visible(self.ledger.head()?.position).await {
            return Err(Failure::Busy);
        }
        let Erasable { kind, id: own, person, located } = self.erasable(&asked)?;
        let change = Change::RecordErased {
            proposal: id,
            proposed_by: proposal.act.who.clone(),
            record: asked.record,
            basis: asked.basis,
            request: asked.request,
        };
        let decision = Decision::new(by, asked.basis.key(), change);
        let resealing = Resealing {
            v: Resealing::VERSION,
            kind: kind.to_owned(),
            erased: self.view.all_versions(kind, &own)?,
            id: own,
            category: located.category,
            owner: located.owner,
            source: located.source,
        };
        let draft = draft(&decision, &self.register().organisation, Some(person));
        let body = resealing.seal(&draft.body);
        let resealing = Draft { kind: Kind::Resealing, body, seen: Some(turn.seen), ..draft };
        let appended = self.ledger.append(vec![resealing]).await?;
        let position = appended.first().map_or(0, |it| it.entry().position);
        if !self.wait_visible(position).await {
            return Err(Failure::Busy);
        }
        self.let_go(self.now())?;
        Ok(position)
    }

    /// Single records that were erased, the newest first.
    ///
    /// # Errors
    /// A caller who is no privacy officer, and whatever keeps the log from being written.
    pub async fn erased_records(&self, caller: &Caller) -> Result<Vec<ErasedRecord>, Failure> {
        self.administer(caller, "admin-erasures", &[Deed::PrivacyReview], None).await?;
        Ok(self.decided().disposal.records.values().rev().cloned().collect())
    }

    /// What a reference `type/id` names, if it is there.
    fn named(&self, record: &str) -> Result<Option<(&'static str, String, Located)>, Failure> {
        let wrong = || {
            let message = "name the record as `type/id`, such as `Observation/…`";
            Failure::invalid(IssueCode::Value, "record", message)
        };
        let (kind, id) = record.split_once('/').ok_or_else(wrong)?;
        let kind = known_kind(kind).map_err(|_| wrong())?;
        let located = self.view.locate(kind, id)?.filter(|located| !located.derived);
        Ok(located.map(|located| (kind, id.to_owned(), located)))
    }

    /// Whether a record may be erased now.
    fn erasable(&self, asked: &Asked) -> Result<Erasable, Failure> {
        let refused =
            |by: &str, message: &str| Err(Failure::invalid(IssueCode::BusinessRule, by, message));
        let Some((kind, id, located)) = self.named(&asked.record)? else {
            let message = "there is no such record";
            return Err(Failure::Unknown(Issue::error(IssueCode::NotFound, "record", message)));
        };
        if located.erased {
            return Err(Failure::Erased);
        }
        let Some(person) = located.person else {
            return refused("record", "only what is recorded about a person is erased");
        };
        if kind == "Patient" {
            let message = "a Patient says whom everything is about: its owner corrects it, or \
                           everything about the person is erased";
            return refused("record", message);
        }
        if located.category == CONSENTS {
            let message = "what the person has restricted or asked for stays as long as the rest";
            return refused("record", message);
        }
        if self.view.has_skipped(person)? {
            let message = "entries about the person cannot be read, and may be of this record";
            return refused("incomplete", message);
        }
        self.may_erase(person, asked.basis)?;
        if let Some(request) = &asked.request {
            self.is_request(person, request)?;
        }
        Ok(Erasable { kind, id, person, located })
    }

    /// Whether a Task is a request of the person's to have something erased.
    fn is_request(&self, person: PersonId, id: &str) -> Result<(), Failure> {
        for stored in self.view.everything_of(person, "Task")? {
            if stored.id == id && task::of(&parsed(&stored)?) == Some(Right::Erasure) {
                return Ok(());
            }
        }
        let message = "this is no request by the person to have something erased";
        Err(Failure::invalid(IssueCode::BusinessRule, "request", message))
    }
}
