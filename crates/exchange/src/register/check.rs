//! What a register must fulfil before somebody's change of it is taken, beyond being one: that what it
//! names is there, and that it can be administered afterwards.
//!
//! Only at the door: what the ledger holds is folded as it is. A fault that was there before the change is
//! not the change's.

use std::collections::BTreeSet;

use access::register::Register;
use access::register::admin::Duty;
use access::register::control::{Assessed, Off};
use record::catalogue::Catalogue;
use record::decision::Part;
use record::purpose::Purpose;

use super::part::{Fault, place};

/// Most members of a register.
pub const MAX_MEMBERS: usize = 10_000;

/// Most bytes of one member as JSON.
pub const MAX_MEMBER: usize = 64 * 1024;

/// The faults of a register, in an order of their own.
pub fn faults(register: &Register) -> BTreeSet<Fault> {
    let mut found = Found::default();
    for it in &register.units {
        found.number(Part::Unit, &it.organisation, "organisation", &it.organisation);
    }
    for it in &register.agreements {
        found.number(Part::Agreement, &it.client_id, "owner", &it.owner);
        found.categories(Part::Agreement, &it.client_id, &it.categories);
        found.period(Part::Agreement, &it.client_id, (it.valid_from, it.valid_to));
    }
    for it in &register.roles {
        found.categories(Part::Role, &it.key, &it.categories);
        found.purposes(Part::Role, &it.key, &it.purposes);
    }
    for it in &register.vendors {
        found.number(Part::Vendor, &it.number, "number", &it.number);
    }
    for it in &register.systems {
        if !register.vendors.iter().any(|vendor| vendor.number == it.vendor) {
            found.add(
                Part::System,
                &it.client_id,
                "vendor",
                "is no vendor of the register; add it first",
            );
        }
    }
    for it in &register.processors {
        let key = format!("{}-{}", it.organisation, it.processor);
        found.number(Part::Processor, &key, "organisation", &it.organisation);
        found.number(Part::Processor, &key, "processor", &it.processor);
        found.categories(Part::Processor, &key, &it.categories);
        found.period(Part::Processor, &key, (it.valid_from, it.valid_to));
    }
    for it in &register.sharing {
        found.number(Part::Sharing, &it.key, "partner", &it.partner);
        found.categories(Part::Sharing, &it.key, &it.categories);
        found.purposes(Part::Sharing, &it.key, &it.purposes);
        found.period(Part::Sharing, &it.key, (it.valid_from, it.valid_to));
    }
    for it in &register.purposes {
        found.purposes(Part::Purpose, &it.key, &it.codes);
        found.categories(Part::Purpose, &it.key, &it.categories);
    }
    controls(register, &mut found);
    found.0
}

fn controls(register: &Register, found: &mut Found) {
    for it in register.services.iter().flatten() {
        for role in &it.roles {
            if !register.roles.iter().any(|known| known.key == *role) {
                found.add(
                    Part::Service,
                    &it.key,
                    "roles",
                    "names a role that is not in the register",
                );
            }
        }
        found.period(Part::Service, &it.key, (it.adopted_from, it.adopted_to));
    }
    for it in &register.gates {
        if let Assessed::Category(key) = &it.of {
            found.categories(Part::Gate, &format!("category-{key}"), std::slice::from_ref(key));
        }
    }
    for it in &register.switches {
        let key = super::part::switch_key(&it.off);
        match &it.off {
            Off::Purpose(code) => {
                found.purposes(Part::Switch, &key, std::slice::from_ref(code));
            }
            Off::Vendor(number) => found.number(Part::Switch, &key, "off", number),
            Off::Municipality | Off::Service(_) | Off::Client(_) => {}
        }
    }
    let runs = |duty: Duty| register.admins.iter().any(|admin| admin.duties.contains(&duty));
    if !register.admins.is_empty() && !runs(Duty::Register) {
        found.add(
            Part::Admin,
            "*",
            "duties",
            "nobody could change the register any more; keep somebody with the duty `register`",
        );
    }
}

/// Faults found so far.
#[derive(Default)]
struct Found(BTreeSet<Fault>);

impl Found {
    fn add(&mut self, part: Part, key: &str, member: &str, message: &str) {
        self.0.insert(Fault::new(format!("{}.{member}", place(part, key)), message));
    }

    fn number(&mut self, part: Part, key: &str, member: &str, number: &str) {
        if number.len() != 9 || !number.bytes().all(|digit| digit.is_ascii_digit()) {
            self.add(part, key, member, "is no organisation number; it has nine digits");
        }
    }

    fn categories(&mut self, part: Part, key: &str, categories: &[String]) {
        if categories.iter().any(|key| Catalogue::get().category(key).is_none()) {
            let message = "names a category that is not in the information catalogue";
            self.add(part, key, "categories", message);
        }
    }

    fn purposes(&mut self, part: Part, key: &str, codes: &[String]) {
        if codes.iter().any(|code| Purpose::from_code(code).is_none()) {
            self.add(part, key, "purposes", "names a purpose of use that is not known");
        }
    }

    fn period(&mut self, part: Part, key: &str, (from, to): (i64, Option<i64>)) {
        if to.is_some_and(|to| to < from) {
            self.add(part, key, "period", "ends before it begins");
        }
    }
}
