//! Who administers: every act and every refusal is in the audit ledger before anything is done or told.

use std::sync::Arc;

use access::caller::{Caller, Party};
use access::permit::Basis;
use access::refusal::{Refusal, Rule};
use access::register::admin::Duty;
use record::decision::{ADMINISTRATION, Change, Decision, Part};
use record::entry::Position;
use record::identity::PersonId;
use record::purpose::Purpose;

use super::change::{Done, who};
use super::fold::{Act, Folded, Opened, Proposal};
use crate::audit::{AuditRecord, Deed};
use crate::error::Failure;
use crate::tenant::Tenant;

/// Duties that an act asks for: one of each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duties(&'static [&'static [Duty]]);

impl Duties {
    /// Any.
    pub const ANY: Duties =
        Duties(&[&[Duty::Register, Duty::Policies, Duty::PrivacyOfficer, Duty::Leader]]);
    /// To change the register.
    pub const REGISTER: Duties = Duties(&[&[Duty::Register]]);
    /// To change the municipality's policies.
    pub const POLICIES: Duties = Duties(&[&[Duty::Policies]]);
    /// To change both at once.
    pub const BOTH: Duties = Duties(&[&[Duty::Register], &[Duty::Policies]]);
    /// To review how access was used.
    pub const PRIVACY: Duties = Duties(&[&[Duty::PrivacyOfficer]]);
    /// To be told why somebody may or may not.
    pub const EXPLAIN: Duties = Duties(&[&[Duty::Register, Duty::Policies, Duty::PrivacyOfficer]]);
}

/// The duties that a change of the register asks for.
pub fn duties_of(change: &Change) -> Duties {
    let (mut policies, mut others) = (false, false);
    sort(change, &mut policies, &mut others);
    match (policies, others) {
        (true, true) => Duties::BOTH,
        (true, false) => Duties::POLICIES,
        (false, _) => Duties::REGISTER,
    }
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
        self.administer(caller, "admin-register", Duties::ANY).await?;
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
        self.administer(caller, "admin-history", Duties::ANY).await?;
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
        told.collect()
    }

    /// All that the municipality's own page shows.
    ///
    /// # Errors
    /// As [`Tenant::register_told`].
    pub async fn admin_overview(&self, caller: &Caller) -> Result<Overview, Failure> {
        self.administer(caller, "admin-page", Duties::ANY).await?;
        let (folded, now, subject) = (self.decided(), self.now(), who(caller).subject);
        let may = |duties| self.may_administer(caller, duties).is_ok();
        let waiting = folded.proposals.iter().rev().filter(|(_, it)| it.waits(now));
        let proposals = waiting.map(|(position, it)| {
            let other = it.act.who.subject != subject;
            (*position, it.clone(), other && may(duties_of(&it.change)))
        });
        let proposals = proposals.collect();
        let emergencies = may(Duties::PRIVACY).then(|| folded.unreviewed());
        let history = self.history_of_register(Position::MAX, SHOWN)?;
        let throws = may(Duties::REGISTER);
        Ok(Overview { folded, history, proposals, emergencies, throws })
    }

    /// Whether the caller has any duty here, by their login: what their menu shows.
    pub fn has_duty(&self, caller: &Caller) -> bool {
        self.may_administer(caller, Duties::ANY).is_ok()
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
        self.administer(caller, action, duties_of(&change)).await?;
        self.make(who(caller), change, why, if_match).await
    }

    /// Lets a caller on who has the duties, and puts the act or the refusal into the audit ledger.
    pub(crate) async fn administer(
        &self,
        caller: &Caller,
        action: &str,
        duties: Duties,
    ) -> Result<(), Failure> {
        self.administer_about(caller, action, duties, None).await
    }

    /// [`Tenant::administer`], about a person.
    pub(crate) async fn administer_about(
        &self,
        caller: &Caller,
        action: &str,
        duties: Duties,
        person: Option<PersonId>,
    ) -> Result<(), Failure> {
        self.check_view()?;
        let deed = Deed { action, person, categories: &[ADMINISTRATION], ..Deed::default() };
        let decision = self.may_administer(caller, duties);
        let record = match &decision {
            Ok(basis) => AuditRecord::permitted(caller, &deed, basis),
            Err(refusal) => AuditRecord::refused(caller, &deed, *refusal),
        };
        self.record_audit(caller, vec![(person, record)]).await?;
        decision.map(drop).map_err(Failure::from)
    }

    fn may_administer(&self, caller: &Caller, duties: Duties) -> Result<Basis, Refusal> {
        let refuse = |rule| Refusal { rule };
        let register = self.register();
        if caller.organisation.as_deref() != Some(register.organisation.as_str()) {
            return Err(refuse(Rule::OtherMunicipality));
        }
        let Party::Practitioner(person) = &caller.party else { return Err(refuse(Rule::NoRole)) };
        if person.security_level < 4 {
            return Err(refuse(Rule::WeakLogin));
        }
        let has = |duty: &Duty| {
            let is = |who: &str| who == person.subject || person.hpr.as_deref() == Some(who);
            register.admins.iter().any(|it| is(&it.who) && it.duties.contains(duty))
        };
        if !duties.0.iter().all(|group| group.iter().any(has)) {
            return Err(refuse(Rule::NoRole));
        }
        Ok(Basis {
            purpose: Purpose::Delivery,
            role: "admin".to_owned(),
            purpose_details: None,
            decision_ref: None,
            user_selected: false,
        })
    }
}
