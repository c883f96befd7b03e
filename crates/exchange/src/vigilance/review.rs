//! The monthly review: who has used which access, those who seem to have left first, and whether it is
//! still needed.
//!
//! Accesses are not given out here: an access is what a login attests of unit, profession and client. What
//! can be reviewed is therefore what was used. That it is no longer needed is recorded and told until it is
//! taken away where logins are given.

use access::administer::{Deed, decide_admin};
use access::caller::{Caller, Party};
use access::register::admin::Duty;
use access::vigilance::day::Day;
use record::decision::{Change, Decision};
use record::entry::Position;

use super::kept::Access;
use super::list::caller_is;
use super::local;
use crate::error::Failure;
use crate::register::fold::Act;
use crate::tenant::Tenant;

/// How long a confirmation holds: a month, in days.
const MONTH: u16 = 31;

/// Why an access is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was used after somebody said that it is not needed.
    UsedAfterRevoked,
    /// The personnel system says that the employee has left.
    Left,
    /// The unit is no longer in the register.
    UnitEnded,
    /// Nobody has used it for long.
    Idle,
    /// It is in use, and nobody has confirmed it within a month.
    Due,
    /// Somebody said that it is not needed, and it was not used since.
    Revoked,
    /// It is in use and confirmed.
    Confirmed,
}

/// An access to review.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The access.
    pub access: Access,
    /// Name of the unit.
    pub unit: String,
    /// Title of the role.
    pub role: String,
    /// Why it is told of.
    pub standing: Standing,
    /// What was last said, and by whom.
    pub certified: Option<(bool, Act)>,
}

impl Standing {
    /// Its name in JSON and texts.
    pub fn key(self) -> &'static str {
        match self {
            Standing::UsedAfterRevoked => "used-after-revoked",
            Standing::Left => "left",
            Standing::UnitEnded => "unit-ended",
            Standing::Idle => "idle",
            Standing::Due => "due",
            Standing::Revoked => "revoked",
            Standing::Confirmed => "confirmed",
        }
    }
}

impl Tenant {
    /// Accesses in use: of a leader's units, or of all for the privacy officer; leavers first.
    ///
    /// # Errors
    /// A caller with neither duty, and whatever keeps the log from being written.
    pub async fn accesses(&self, caller: &Caller) -> Result<Vec<Reviewed>, Failure> {
        let led = self.led(caller);
        let mut deeds: Vec<Deed<'_>> =
            led.iter().flatten().map(|unit| Deed::LeaderReview { unit }).collect();
        if deeds.is_empty() {
            deeds.push(Deed::PrivacyReview);
        }
        self.administer(caller, "admin-accesses", &deeds, None).await?;
        let leads = |it: &&Access| led.as_ref().is_none_or(|units| units.contains(&it.unit));
        let (kept, decided, register) = (self.watched(), self.decided(), self.register());
        let settings = self.vigilance_settings()?;
        let people = self.people()?;
        let today = local::moment(self.now()).0;
        let mut reviewed = Vec::new();
        for access in kept.accesses.values().filter(leads) {
            let certified = decided.certified.get(&access.id.to_string());
            let certified = certified.map(|(needed, act)| (*needed, (**act).clone()));
            let ended = people.staff.get(&access.who).and_then(|it| it.ended);
            let said = certified.as_ref().map(|(needed, act)| (*needed, local::moment(act.at).0));
            let standing = match said {
                Some((false, day)) if access.last > day => Standing::UsedAfterRevoked,
                Some((false, _)) => Standing::Revoked,
                _ if ended.is_some_and(|ended| ended < today) => Standing::Left,
                _ if register.unit(&access.unit).is_none() => Standing::UnitEnded,
                _ if access.last < today.minus(settings.idle_days) => Standing::Idle,
                Some((true, day)) if day >= today.minus(MONTH) => Standing::Confirmed,
                _ => Standing::Due,
            };
            let unit = register.organisation_name(&access.unit).unwrap_or(&access.unit).to_owned();
            let role = register.roles.iter().find(|it| it.key == access.role);
            let role = role.map_or(&access.role, |role| &role.title).clone();
            reviewed.push(Reviewed { access: access.clone(), unit, role, standing, certified });
        }
        reviewed.sort_by(|a, b| {
            let of = |it: &Reviewed| (it.standing, it.access.last);
            of(a).cmp(&of(b)).then_with(|| a.access.name.cmp(&b.access.name))
        });
        Ok(reviewed)
    }

    /// The day up to which the log is analysed; the accesses are as of its end.
    pub fn analysed_to(&self) -> Option<Day> {
        Some(self.watched()).filter(|kept| kept.position > 0).map(|kept| kept.day)
    }

    /// Says whether an access is still needed. The position of the decision.
    ///
    /// # Errors
    /// A caller who does not lead the unit and is no privacy officer, or whose own access it is; an id that
    /// names no access.
    pub async fn certify_access(
        &self,
        caller: &Caller,
        id: &str,
        needed: bool,
        why: String,
    ) -> Result<Position, Failure> {
        let kept = self.watched();
        let access = kept.accesses.values().find(|it| it.id.to_string() == id);
        let deed = match (self.led(caller), access) {
            (Some(_), Some(access)) => Deed::LeaderReview { unit: &access.unit },
            _ => Deed::PrivacyReview,
        };
        let by = self.administer(caller, "admin-certify", &[deed], None).await?;
        let access = access.ok_or(Failure::NotFound)?;
        if caller_is(caller, &access.who) {
            let message = "somebody else than whose access it is must say whether it is needed";
            let code = fhir::issue::IssueCode::BusinessRule;
            return Err(Failure::invalid(code, "", message));
        }
        let change = Change::Certify { access: id.to_owned(), needed };
        self.record_decision(Decision::new(by, why, change), None).await
    }

    /// Whether the caller reviews looks, by their login: what their menu shows.
    pub fn reviews_looks(&self, caller: &Caller) -> bool {
        self.led(caller).is_none()
    }

    /// Whether the caller reviews accesses, by their login.
    pub fn reviews_accesses(&self, caller: &Caller) -> bool {
        self.led(caller).is_none_or(|units| !units.is_empty())
    }

    /// The units whose accesses the caller reviews; `None` for the privacy officer, who reviews all.
    fn led(&self, caller: &Caller) -> Option<Vec<String>> {
        if decide_admin(caller, &self.standing(), Deed::PrivacyReview).is_ok() {
            return None;
        }
        let Party::Practitioner(practitioner) = &caller.party else { return Some(Vec::new()) };
        let register = self.register();
        let own = register.admins.iter().filter(|it| it.is(practitioner));
        let own = own.filter(|it| it.duties.contains(&Duty::Leader));
        Some(own.flat_map(|it| it.units.clone()).collect())
    }
}
