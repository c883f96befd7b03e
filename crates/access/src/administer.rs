//! Who may administer. Administration opens no health information: that is for [`crate::decide`], by an
//! attest and a role, for administrators as for everybody.

use crate::caller::{Caller, Party};
use crate::refusal::{Refusal, Rule};
use crate::register::admin::{Admin, Duty};
use crate::scopes::BEYOND;
use crate::standing::Standing;

/// Lowest login level for administration.
const SECURITY_LEVEL: u8 = 4;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// See what the municipality has decided; every duty may.
    ReadRegister,
    /// Change the register.
    ChangeRegister,
    /// Change the municipality's policies.
    ChangePolicies,
    /// Review the log and the residents' cases.
    PrivacyReview,
    /// Review who at a unit has which access.
    LeaderReview {
        /// Organisation number of the unit.
        unit: &'a str,
    },
    /// Propose something that destroys, which belongs to a duty.
    Propose(Duty),
    /// Approve something that destroys, which somebody else has proposed.
    Approve {
        /// The duty it belongs to.
        of: Duty,
        /// Who proposed it: [`AdminPermit::who`] of the proposal.
        proposed_by: &'a str,
    },
}

/// Leave to administer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminPermit {
    pub(crate) who: String,
    pub(crate) name: String,
    pub(crate) duty: Duty,
}

impl AdminPermit {
    /// Who administers, as the register has it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Name, as the log shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The duty it rests on.
    pub fn duty(&self) -> Duty {
        self.duty
    }
}

/// May the caller administer this? Nothing is switched off for administrators: what is off must be
/// possible to switch on.
pub fn decide_admin(
    caller: &Caller,
    standing: &Standing,
    deed: Deed<'_>,
) -> Result<AdminPermit, Refusal> {
    let register = standing.register();
    let Party::Practitioner(practitioner) = &caller.party else {
        return Err(Refusal { rule: Rule::NoDuty });
    };
    if caller.organisation.as_deref() != Some(register.organisation.as_str()) {
        return Err(Refusal { rule: Rule::OtherMunicipality });
    }
    if practitioner.security_level < SECURITY_LEVEL {
        return Err(Refusal { rule: Rule::WeakLogin });
    }
    // Scopes of resources tell what an app may do, and none of them tells of administration.
    if caller.scopes.as_ref().is_some_and(|it| it.are_of_resources()) {
        return Err(BEYOND);
    }
    let own: Vec<&Admin> = register.admins.iter().filter(|it| it.is(practitioner)).collect();
    let with = |duty: Duty| own.iter().find(|it| it.duties.contains(&duty)).map(|it| (*it, duty));
    let found = match deed {
        Deed::ReadRegister => own.iter().find_map(|it| Some((*it, *it.duties.first()?))),
        Deed::ChangeRegister => with(Duty::Register),
        Deed::ChangePolicies => with(Duty::Policies),
        Deed::PrivacyReview => with(Duty::PrivacyOfficer),
        Deed::LeaderReview { unit } => own
            .iter()
            .find(|it| it.duties.contains(&Duty::Leader) && it.units.iter().any(|of| of == unit))
            .map(|it| (*it, Duty::Leader)),
        Deed::Propose(duty) | Deed::Approve { of: duty, .. } => with(duty),
    };
    let (admin, duty) = found.ok_or(Refusal { rule: Rule::NoDuty })?;
    if let Deed::Approve { of, proposed_by } = deed {
        // The proposer must still have the duty, and be somebody else, under whatever name.
        let proposer = register.admins.iter().find(|it| it.who == proposed_by);
        let stands = proposer.is_some_and(|it| it.duties.contains(&of) && !it.is(practitioner));
        if !stands {
            return Err(Refusal { rule: Rule::SecondPerson });
        }
    }
    Ok(AdminPermit { who: admin.who.clone(), name: admin.name.clone(), duty })
}
