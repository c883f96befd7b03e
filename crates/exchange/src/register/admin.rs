//! Who administers: every act and every refusal is in the audit ledger before anything is done or told.

use std::sync::Arc;

use access::administer::{AdminPermit, Deed, decide_admin};
use access::caller::Caller;
use access::permit::Basis;
use access::register::admin::Duty;
use record::decision::{ADMINISTRATION, Change, Decision, Part, Who};
use record::entry::Position;
use record::identity::PersonId;
use record::purpose::Purpose;

use super::change::Done;
use super::fold::{Act, Folded, Opened, Proposal};
use crate::audit::{self, AuditRecord};
use crate::error::Failure;
use crate::tenant::Tenant;

/// The duties that a change of the register asks for, all of them.
pub fn duties_of(change: &Change) -> Vec<Duty> {
    if matches!(change, Change::Erase { .. } | Change::EraseRecord { .. }) {
        return vec![Duty::PrivacyOfficer];
    }
    let (mut policies, mut others) = (false, false);
    sort(change, &mut policies, &mut others);
    let duties = [(policies, Duty::Policies), (others || !policies, Duty::Register)];
    duties.into_iter().filter_map(|(asked, duty)| asked.then_some(duty)).collect()
}

fn sort(change: &Change, policies: &mut bool, others: &mut bool) {
    match change {
        Change::Put { part: Part::Policy, .. } | Change::End { part: Part::Policy, .. } => {
            *policies = true;
        }
        Change::Several { changes, .. } => {
            changes.iter().for_each(|change| sort(change, policies, others));
        }
        _ => *others = true,
    }
}

/// What it takes to agree to a proposal that belongs to these duties.
pub(crate) fn approving<'a>(proposal: &'a Proposal, duties: &[Duty]) -> Vec<Deed<'a>> {
    let proposed_by = proposal.act.who.subject.as_deref().unwrap_or_default();
    duties.iter().map(|duty| Deed::Approve { of: *duty, proposed_by }).collect()
}

/// What it takes to make a change.
fn deeds_of(change: &Change) -> Vec<Deed<'static>> {
    let deed = |duty| match duty {
        Duty::Policies => Deed::ChangePolicies,
        _ => Deed::ChangeRegister,
    };
    duties_of(change).into_iter().map(deed).collect()
}

/// A decision about the register, as its history tells it.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who, when and why.
    pub act: Act,
    /// What.
    pub change: Change,
}

/// All that the municipality's own page shows, for one caller.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What holds.
    pub folded: Arc<Folded>,
    /// The newest decisions.
    pub history: Vec<Told>,
    /// Questions to a second person that wait, the newest first, and whether the caller may agree.
    pub proposals: Vec<(Position, Proposal, bool)>,
    /// Emergency accesses that nobody has looked into; `None` where the caller does not review.
    pub emergencies: Option<Vec<Opened>>,
    /// Whether the caller may throw a switch.
    pub throws: bool,
}

/// Decisions on the municipality's own page.
const SHOWN: usize = 20;

/// Most decisions told at once.
pub const MAX_TOLD: usize = 100;

impl Tenant {
    /// What the municipality has decided, for those who have a duty in it.
    ///
    /// # Errors
    /// A caller without a duty, and whatever keeps the log from being written.
    pub async fn register_told(&self, caller: &Caller) -> Result<Arc<Folded>, Failure> {
        self.administer(caller, "admin-register", &[Deed::ReadRegister], None).await?;
        Ok(self.decided())
    }

    /// Decisions about the register before a position, the newest first, at most [`MAX_TOLD`].
    ///
    /// # Errors
    /// As [`Tenant::register_told`].
    pub async fn register_history(
        &self,
        caller: &Caller,
        before: Position,
        most: usize,
    ) -> Result<Vec<Told>, Failure> {
        self.administer(caller, "admin-history", &[Deed::ReadRegister], None).await?;
        self.history_of_register(before, most.min(MAX_TOLD))
    }

    /// Decisions about the register before a position, the newest first.
    ///
    /// # Errors
    /// A decision that cannot be read.
    pub fn history_of_register(&self, before: Position, most: usize) -> Result<Vec<Told>, Failure> {
        let decided = self.view.last_decisions(before, most)?;
        let told = decided.into_iter().map(|it| {
            let decision = Decision::open(&it.body)
                .map_err(|_| super::fold::Unreadable(it.position))
                .map_err(|error| Failure::Unavailable(error.to_string()))?;
            let Decision { who, why, change, .. } = decision;
            Ok(Told { act: Act { position: it.position, at: it.recorded, who, why }, change })
        });
        // What was concluded about employees' looks and accesses is for others than who reads this.
        let is_of_log =
            |it: &Told| matches!(it.change, Change::Settle { .. } | Change::Certify { .. });
        let told: Result<Vec<Told>, Failure> = told.collect();
        told.map(|told| told.into_iter().filter(|it| !is_of_log(it)).collect())
    }

    /// All that the municipality's own page shows.
    ///
    /// # Errors
    /// As [`Tenant::register_told`].
    pub async fn admin_overview(&self, caller: &Caller) -> Result<Overview, Failure> {
        self.administer(caller, "admin-page", &[Deed::ReadRegister], None).await?;
        let (folded, now) = (self.decided(), self.now());
        let reviews = self.may(caller, &[Deed::PrivacyReview]);
        let waiting = folded.proposals.iter().rev().filter(|(_, it)| it.waits(now));
        let waiting = waiting.filter(|(_, it)| reviews || it.person.is_none());
        let proposals = waiting.map(|(position, it)| {
            let may = self.may(caller, &approving(it, &duties_of(&it.change)));
            (*position, it.clone(), may)
        });
        let proposals = proposals.collect();
        let emergencies = reviews.then(|| folded.unreviewed());
        let history = self.history_of_register(Position::MAX, SHOWN)?;
        let throws = self.may(caller, &[Deed::ChangeRegister]);
        Ok(Overview { folded, history, proposals, emergencies, throws })
    }

    /// Whether the caller has any duty here, by their login: what their menu shows.
    pub fn has_duty(&self, caller: &Caller) -> bool {
        self.may(caller, &[Deed::ReadRegister])
    }

    /// Changes the register, or asks a second person for it where the change destroys something.
    ///
    /// # Errors
    /// A caller without the duty; a register that has changed meanwhile; a change that is wrong, with its
    /// places; and whatever keeps the ledgers from being written.
    pub async fn change_register(
        &self,
        caller: &Caller,
        action: &str,
        change: Change,
        why: String,
        if_match: Option<Position>,
    ) -> Result<Done, Failure> {
        let who = self.administer(caller, action, &deeds_of(&change), None).await?;
        self.make(who, change, why, if_match).await
    }

    /// Lets a caller on who may do all of this, and puts the act or the refusal into the audit ledger.
    /// Gives who acts, as the register has it.
    pub(crate) async fn administer(
        &self,
        caller: &Caller,
        action: &str,
        deeds: &[Deed<'_>],
        person: Option<PersonId>,
    ) -> Result<Who, Failure> {
        self.check_view()?;
        let standing = self.standing();
        let deed =
            audit::Deed { action, person, categories: &[ADMINISTRATION], ..audit::Deed::default() };
        let permits: Result<Vec<AdminPermit>, _> =
            deeds.iter().map(|deed| decide_admin(caller, &standing, *deed)).collect();
        let record = match &permits {
            Ok(_) => AuditRecord::permitted(caller, &deed, &basis()),
            Err(refusal) => AuditRecord::refused(caller, &deed, *refusal),
        };
        self.record_audit(caller, vec![(person, record)]).await?;
        let permit = permits?.into_iter().next().ok_or(Failure::NotFound)?;
        Ok(Who {
            name: permit.name().to_owned(),
            subject: Some(permit.who().to_owned()),
            client: caller.client_id.clone(),
        })
    }

    /// Whether the caller may do all of this, without doing it.
    pub(crate) fn may(&self, caller: &Caller, deeds: &[Deed<'_>]) -> bool {
        let standing = self.standing();
        deeds.iter().all(|deed| decide_admin(caller, &standing, *deed).is_ok())
    }
}

/// Why an act of administration was allowed: it opens no health information.
fn basis() -> Basis {
    Basis {
        purpose: Purpose::Delivery,
        role: audit::ADMIN.to_owned(),
        purpose_details: None,
        decision_ref: None,
        user_selected: false,
    }
}
