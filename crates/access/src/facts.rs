//! The facts of one request, as policies see them: what the caller brings, held against the register.
//!
//! Everything here is looked up; nothing is decided.

use record::identity::PersonId;
use record::purpose::Purpose;

use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::decide::{About, ReadRequest};
use crate::register::admin::Duty;
use crate::register::control::{Assessed, Off, Outcome};
use crate::register::sharing::Sharing;
use crate::register::{Agreement, Register, Unit};
use crate::said::Said;
use crate::standing::Standing;

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// What a request is judged on.
pub(crate) struct Facts<'a> {
    pub caller: &'a Caller,
    pub register: &'a Register,
    pub now: i64,
    /// Whether the organisation of the caller is the municipality.
    pub own: bool,
    /// The agreement by which a partner's people read.
    pub sharing: Option<&'a Sharing>,
    /// The unit where the work is done.
    pub unit: Option<&'a Unit>,
    /// The agreement by which a system delivers.
    pub agreement: Option<&'a Agreement>,
    /// The information service that asks.
    pub service: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// Looks up what the register says about a caller.
    pub fn of(
        caller: &'a Caller,
        standing: &'a Standing,
        service: Option<&'a str>,
        now: i64,
    ) -> Self {
        let register: &Register = standing.register();
        let organisation = caller.organisation.as_deref();
        let own = organisation == Some(register.organisation.as_str());
        let partner = organisation.filter(|_| !own);
        let sharing = partner.and_then(|number| register.sharing_with(number, now));
        let place = caller.attest().map(|attest| attest.point_of_care.as_str());
        let unit = place.and_then(|place| match sharing {
            Some(sharing) => sharing.unit(place),
            None if own => register.unit(place),
            None => None,
        });
        let agreement = match caller.party {
            Party::System => register.agreement(&caller.client_id, now),
            _ => None,
        };
        Self { caller, register, now, own, sharing, unit, agreement, service }
    }

    /// The kind of the unit; empty where it is not registered.
    pub fn unit_kind(&self) -> &str {
        self.unit.map(|unit| unit.kind.as_str()).unwrap_or_default()
    }

    /// Whether caller and municipality are one enterprise, by law or by an agency contract.
    pub fn same_enterprise(&self) -> bool {
        self.own || self.sharing.is_some_and(|sharing| sharing.agency_contract)
    }

    /// Whether a purpose in use covers a category; any category where none is said.
    pub fn purpose_covers(&self, purpose: Purpose, category: Option<&str>) -> bool {
        let same = self.same_enterprise();
        self.register.purposes.iter().any(|it| {
            it.lets_state(purpose, same)
                && it.is_active(self.now)
                && category.is_none_or(|category| it.covers(category))
        })
    }

    /// Whether assessments let something be processed.
    pub fn is_assessed(&self, of: &Assessed) -> bool {
        let mut outcomes = self.register.gates.iter().filter(|gate| gate.of == *of).peekable();
        match outcomes.peek() {
            None => !self.register.gates_required,
            Some(_) => outcomes.all(|gate| gate.outcome == Outcome::Go),
        }
    }

    /// Whether a processor agreement covers a category, where one is needed; any category where
    /// none is said.
    pub fn processes(&self, category: Option<&str>) -> bool {
        let register = self.register;
        if !register.processors_required {
            return true;
        }
        register.system(&self.caller.client_id).is_some_and(|system| {
            register.processors.iter().any(|it| {
                it.processor == system.vendor
                    && Some(&it.organisation) == self.caller.organisation.as_ref()
                    && it.is_valid(self.now)
                    && category.is_none_or(|category| it.covers(category))
            })
        })
    }

    /// Whether a switch is off that stops this purpose of this caller.
    fn is_stopped(&self, purpose: Purpose) -> bool {
        let client = self.caller.client_id.as_str();
        self.register.switches.iter().any(|switch| match &switch.off {
            Off::Municipality => true,
            Off::Purpose(code) => code == purpose.code(),
            Off::Service(key) => self.service == Some(key.as_str()),
            Off::Client(id) => id == client,
            Off::Vendor(number) => {
                self.register.system(client).is_some_and(|system| system.vendor == *number)
            }
        })
    }

    /// Whether the information service that asks is adopted and open to the client. Which roles may
    /// consume it is seen when the roles are known.
    fn is_adopted(&self) -> bool {
        let (Some(key), Some(services)) = (self.service, &self.register.services) else {
            return true;
        };
        let client = &self.caller.client_id;
        services.iter().any(|it| {
            it.key == key
                && it.is_adopted(self.now)
                && (it.clients.is_empty() || it.clients.contains(client))
        })
    }

    fn is_service_assessed(&self) -> bool {
        self.service.is_none_or(|key| self.is_assessed(&Assessed::Service(key.to_owned())))
    }

    /// Whether the person operates the platform, or works for a vendor or processor with which nothing
    /// else is agreed.
    fn operates(&self, practitioner: &Practitioner) -> bool {
        let register = self.register;
        let supplier = self.caller.organisation.as_ref().is_some_and(|number| {
            !self.own
                && self.sharing.is_none()
                && (register.vendors.iter().any(|it| it.number == *number)
                    || register.processors.iter().any(|it| it.processor == *number))
        });
        supplier
            || register
                .admins
                .iter()
                .any(|admin| admin.duties.contains(&Duty::Operator) && admin.is(practitioner))
    }

    /// The facts of a person at work who reads. `opened` is whether an emergency access runs.
    pub fn work<'s>(
        &'s self,
        practitioner: &'s Practitioner,
        request: &ReadRequest<'_>,
        opened: bool,
    ) -> Said<'s> {
        let attest = practitioner.attest.as_ref();
        let purpose = attest.map_or(Purpose::Treatment, |attest| attest.purpose);
        let said = |of: fn(&'s Attest) -> Option<&'s str>| attest.and_then(of).unwrap_or_default();
        let (bound, bound_to_this) = bound(self.caller, request);
        let profession = said(|it| it.authorization.as_deref());
        let hpr_denies = !profession.is_empty()
            && practitioner
                .hpr_professions
                .as_ref()
                .is_some_and(|known| !known.iter().any(|code| code == profession));
        let purpose_shared = self
            .sharing
            .is_none_or(|sharing| sharing.purposes.iter().any(|code| code == purpose.code()));
        let minutes = attest.map_or(0, |attest| minutes(self.now.saturating_sub(attest.made_at)));
        let caller = self.caller;
        Said::new(
            [
                ("stopped", self.is_stopped(purpose)),
                ("adopted", self.is_adopted()),
                ("assessed", self.is_service_assessed()),
                ("processes", self.processes(None)),
                ("operates", self.operates(practitioner)),
                ("own", self.own),
                ("partner", self.sharing.is_some()),
                ("attested", attest.is_some()),
                ("names_another", attest.is_some_and(|attest| attest.names_another)),
                ("hpr", practitioner.hpr.is_some()),
                ("hpr_denies", hpr_denies),
                ("self_authorised", attest.is_some_and(|attest| attest.user_selected)),
                ("opened", opened),
                ("purpose_in_use", self.purpose_covers(purpose, None)),
                ("purpose_shared", purpose_shared),
                ("bound", bound),
                ("bound_to_this", bound_to_this),
            ],
            [
                ("client", caller.client_id.as_str()),
                ("service", self.service.unwrap_or_default()),
                ("organisation", caller.organisation.as_deref().unwrap_or_default()),
                ("unit", caller.unit.as_deref().unwrap_or_default()),
                ("legal_entity", said(|it| Some(&it.legal_entity))),
                ("point_of_care", said(|it| Some(&it.point_of_care))),
                ("unit_kind", self.unit_kind()),
                ("profession", profession),
                ("working_for", said(|it| it.purpose_details.as_deref())),
            ],
            [("level", i64::from(practitioner.security_level)), ("minutes", minutes)],
        )
    }

    /// The facts of who delivers or reads back. `owns` is whether the record is the caller's own.
    pub fn supply(&self, owns: bool) -> Said<'_> {
        Said::new(
            [
                ("stopped", self.is_stopped(Purpose::Delivery)),
                ("assessed", self.is_service_assessed()),
                ("adopted", self.is_adopted()),
                ("processes", self.processes(None)),
                ("own", self.own),
                ("agreed", self.agreement.is_some()),
                ("purpose_in_use", self.purpose_covers(Purpose::Delivery, None)),
                ("owns", owns),
            ],
            [("client", self.caller.client_id.as_str())],
            [],
        )
    }

    /// The facts of a resident who reads.
    pub fn own(&self, is_self: bool, represents: bool, request: &ReadRequest<'_>) -> Said<'_> {
        let (bound, bound_to_this) = bound(self.caller, request);
        Said::new(
            [
                ("stopped", self.is_stopped(Purpose::PatientRequest)),
                ("self", is_self),
                ("represents", represents),
                ("bound", bound),
                ("bound_to_this", bound_to_this),
            ],
            [],
            [],
        )
    }
}

/// Whether token or attest name patients, and whether one of them is the one asked about. Where
/// nobody is asked about, nothing about a person is given.
fn bound(caller: &Caller, request: &ReadRequest<'_>) -> (bool, bool) {
    let names = caller.launched_for().is_some()
        || caller.attest().is_some_and(|attest| !attest.patients.is_empty());
    let names_this = |person: &PersonId| request.bound_to.is_some_and(|to| to.contains(person));
    let this = match &request.about {
        About::Person(person) => names_this(person),
        About::OwnUnit => false,
        About::Unnamed => true,
    };
    (names, this)
}

/// Started minutes, away from zero.
fn minutes(age: i64) -> i64 {
    let whole = age / MINUTE;
    if age % MINUTE == 0 { whole } else { whole + age.signum() }
}
