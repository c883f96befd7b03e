//! What would open more, found by trying: one thing changed, and decided again.

use std::sync::Arc;

use record::catalogue::CategoryKey;
use record::identity::PersonId;
use record::purpose::Purpose;

use super::{Change, What};
use crate::caller::{Attest, Caller, Party, Practitioner};
use crate::decide::{About, ReadRequest};
use crate::opening::{LONGEST, Opening};
use crate::policy::AT_WORK;
use crate::register::control::{Gate, Outcome};
use crate::register::sharing::{Basis, Sharing};
use crate::register::{Register, Unit};
use crate::standing::{PersonStanding, Standing};
use crate::whatif::{Opened, Question};

/// The question as it was put, to be put again with something changed.
struct Trial<'a> {
    caller: &'a Caller,
    resident: Option<PersonId>,
    standing: &'a Arc<Standing>,
    request: &'a ReadRequest<'a>,
    now: i64,
    before: Opened,
    found: Vec<Change>,
}

/// Every single thing that would open more, of those that this knows to try.
pub(super) fn that_open(
    caller: &Caller,
    resident: Option<PersonId>,
    standing: &Arc<Standing>,
    request: &ReadRequest<'_>,
    now: i64,
) -> Vec<Change> {
    let asked = Question { caller, resident, request: request.clone(), at: now };
    let before = Opened::of(standing, &asked);
    let found = Vec::new();
    let mut trial = Trial { caller, resident, standing, request, now, before, found };
    trial.other_attests();
    trial.other_persons();
    trial.other_registers();
    trial.found
}

impl Trial<'_> {
    /// Decides again, and notes the change where more is opened.
    fn try_with(&mut self, what: What, caller: &Caller, standing: &Arc<Standing>) {
        let request = self.request.clone();
        let question = Question { caller, resident: self.resident, request, at: self.now };
        let after = Opened::of(standing, &question);
        let beyond = |key: &&CategoryKey| !self.before.categories.contains(key);
        let opens: Vec<CategoryKey> = after.categories.iter().filter(beyond).copied().collect();
        let kept = self.before.categories.iter().all(|key| after.categories.contains(key));
        let withholds_less = opens.is_empty()
            && kept
            && !after.categories.is_empty()
            && after.withheld != self.before.withheld;
        if !opens.is_empty() || withholds_less {
            self.found.push(Change { what, opens, withholds_less });
        }
    }

    fn try_attest(&mut self, what: What, change: impl FnOnce(&mut Practitioner, &mut Attest)) {
        let mut caller = self.caller.clone();
        let Party::Practitioner(practitioner) = &mut caller.party else { return };
        let Some(mut attest) = practitioner.attest.take() else { return };
        change(practitioner, &mut attest);
        if caller.unit.is_some() {
            caller.unit = Some(attest.point_of_care.clone());
        }
        let Party::Practitioner(practitioner) = &mut caller.party else { return };
        practitioner.attest = Some(attest);
        self.try_with(what, &caller, self.standing);
    }

    fn try_register(&mut self, what: What, change: impl FnOnce(&mut Register)) {
        let mut register = Register::clone(self.standing.register());
        change(&mut register);
        // A register that cannot be is no way on.
        if let Ok(standing) = self.standing.with_rules(register, self.standing.version()) {
            self.try_with(what, self.caller, &Arc::new(standing));
        }
    }

    /// The person asked about, with another standing.
    fn with_person(&self, change: impl FnOnce(&mut PersonStanding)) -> Option<Arc<Standing>> {
        let About::Person(person) = self.request.about else { return None };
        let mut of_person = PersonStanding::clone(self.standing.person(person)?);
        change(&mut of_person);
        Some(Arc::new(Standing::clone(self.standing).with_person(person, of_person)))
    }

    fn other_attests(&mut self) {
        let Some(attest) = self.caller.attest().cloned() else { return };
        let (now, register) = (self.now, self.standing.register().clone());
        self.try_attest(What::FreshAttest, |_, attest| attest.made_at = now);
        for purpose in AT_WORK.into_iter().filter(|purpose| *purpose != attest.purpose) {
            self.try_attest(What::Purpose(purpose.code()), |_, attest| attest.purpose = purpose);
        }
        let sharing = register.sharing_with(&attest.legal_entity, now);
        let units = sharing.map_or(&register.units, |sharing| &sharing.units);
        for unit in units.iter().filter(|unit| unit.organisation != attest.point_of_care) {
            let number = unit.organisation.clone();
            self.try_attest(What::Unit(number.clone()), |_, attest| attest.point_of_care = number);
        }
        let mut professions: Vec<&String> =
            register.roles.iter().flat_map(|role| &role.authorizations).collect();
        professions.sort_unstable();
        professions.dedup();
        for code in
            professions.into_iter().filter(|code| attest.authorization.as_ref() != Some(code))
        {
            self.try_attest(What::Profession(code.clone()), |practitioner, attest| {
                attest.authorization = Some(code.clone());
                practitioner.hpr_professions = Some(vec![code.clone()]);
                // Who had the profession would be registered.
                practitioner.hpr.get_or_insert_default();
            });
        }
    }

    fn other_persons(&mut self) {
        let About::Person(person) = self.request.about else { return };
        let restrictions =
            self.standing.person(person).map(|it| it.restrictions.clone()).unwrap_or_default();
        for restriction in restrictions {
            let without =
                self.with_person(|it| it.restrictions.retain(|other| *other != restriction));
            if let Some(standing) = without {
                self.try_with(What::Without(restriction.id), self.caller, &standing);
            }
        }
        for purpose in [Purpose::EmergencyTreatment, Purpose::BreakTheGlass] {
            self.try_emergency(purpose);
        }
    }

    /// An emergency access is stated as such and opens at once.
    fn try_emergency(&mut self, purpose: Purpose) {
        let mut caller = self.caller.clone();
        let Party::Practitioner(practitioner) = &mut caller.party else { return };
        let Some(attest) = &mut practitioner.attest else { return };
        attest.purpose = purpose;
        let opening = Opening {
            id: String::new(),
            subject: practitioner.subject.clone(),
            reason_ref: String::new(),
            from: self.now,
            to: self.now.saturating_add(LONGEST),
        };
        if let Some(standing) = self.with_person(|it| it.openings.push(opening)) {
            self.try_with(What::Emergency(purpose.code()), &caller, &standing);
        }
    }

    fn other_registers(&mut self) {
        let register = self.standing.register().clone();
        for (i, switch) in register.switches.iter().enumerate() {
            self.try_register(What::SwitchedOn(switch.off.clone()), |it| {
                drop(it.switches.remove(i))
            });
        }
        for gate in register.gates.iter().filter(|gate| gate.outcome != Outcome::Go) {
            self.try_register(What::Assessed(gate.of.clone()), |it| {
                it.gates.retain(|other| other.of != gate.of);
                it.gates.push(Gate { outcome: Outcome::Go, ..gate.clone() });
            });
        }
        for (i, policy) in register.policies.iter().enumerate() {
            let what = What::WithoutPolicy(policy.key.clone());
            self.try_register(what, |it| drop(it.policies.remove(i)));
        }
        self.try_sharing(&register);
    }

    /// An agreement that covers everything asked, with the caller's unit as each kind that a role
    /// knows.
    fn try_sharing(&mut self, register: &Register) {
        let (Some(partner), Some(attest)) =
            (self.caller.organisation.clone(), self.caller.attest().cloned())
        else {
            return;
        };
        if partner == register.organisation {
            return;
        }
        let mut kinds: Vec<&String> = register.roles.iter().flat_map(|it| &it.unit_kinds).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let agreement = Sharing {
                key: String::new(),
                partner: partner.clone(),
                name: String::new(),
                basis: Basis::MakingAvailable,
                agency_contract: false,
                categories: self.request.categories.iter().map(|key| (*key).to_owned()).collect(),
                purposes: vec![attest.purpose.code().to_owned()],
                units: vec![Unit {
                    organisation: attest.point_of_care.clone(),
                    name: String::new(),
                    kind: kind.clone(),
                }],
                valid_from: self.now,
                valid_to: None,
            };
            self.try_register(What::Sharing { unit_kind: kind.clone() }, |it| {
                it.sharing.retain(|other| other.partner != partner);
                it.sharing.push(agreement);
            });
        }
    }
}
