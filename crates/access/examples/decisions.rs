//! Prints how long decisions take: `cargo run --release -p access --example decisions`.

#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest, decide_read, decide_write};
use access::explain::explain;
use access::register::admin::PolicyText;
use access::register::{Agreement, Register, Role, Unit};
use access::restriction::{Against, Restriction, What};
use access::standing::{PersonStanding, Standing};
use record::catalogue::Catalogue;
use record::identity::PersonId;
use record::purpose::Purpose;

const NOW: i64 = 1_800_000_000_000;
const OWN: &str = "999977774";
const PERSON: PersonId = PersonId([7; 16]);

fn main() {
    let doctor = caller("viewer", Party::Practitioner(doctor()));
    let system = caller("epj", Party::System);
    let resident =
        caller("app", Party::Resident { number: String::new(), name: "Innbygger".to_owned() });
    for (roles, own, restrictions) in [(1, 0, 0), (20, 15, 0), (20, 15, 20), (60, 40, 20)] {
        let start = Instant::now();
        let standing = standing(roles, own, restrictions);
        let policies = explained(&doctor, &standing);
        println!(
            "{roles} roles, {own} policies of the municipality, {restrictions} restrictions: \
             {policies} policies asked; put in force in {:?}",
            start.elapsed()
        );
        let one: &[&'static str] = &["services"];
        let five = &["demographics", "services", "decisions", "measurements", "critical"];
        read("  read one category", &doctor, &standing, one);
        read("  read five categories", &doctor, &standing, five);
        read("  resident reads five", &resident, &standing, five);
        read("  system reads back", &system, &standing, one);
        let category = Catalogue::get().category("services").unwrap();
        measure("  system delivers", || {
            decide_write(&system, &standing, category, None, NOW).is_ok()
        });
    }
}

fn read(what: &str, caller: &Caller, standing: &Arc<Standing>, categories: &[&'static str]) {
    let request = ReadRequest::new(About::Person(PERSON), categories);
    measure(what, || decide_read(caller, Some(PERSON), standing, &request, NOW).is_ok());
}

/// How many policies a decision asks.
fn explained(caller: &Caller, standing: &Arc<Standing>) -> usize {
    let request = ReadRequest::new(About::Person(PERSON), &["services"]);
    explain(caller, None, standing, &request, NOW).policies.len()
}

/// The middle and the slowest hundredth of many runs.
fn measure(what: &str, run: impl Fn() -> bool) {
    assert!(run(), "{what} is permitted");
    let mut times: Vec<Duration> = (0..20_000)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    println!("{what:24} p50 {:?}, p99 {:?}", at(50), at(99));
}

fn caller(client: &str, party: Party) -> Caller {
    Caller {
        client_id: client.to_owned(),
        organisation: Some(OWN.to_owned()),
        unit: None,
        supplier: None,
        token_id: "token".to_owned(),
        scopes: None,
        party,
    }
}

fn doctor() -> Practitioner {
    Practitioner {
        name: "Lege Legesen".to_owned(),
        subject: "subject".to_owned(),
        hpr: Some("222900011".to_owned()),
        hpr_professions: None,
        security_level: 4,
        attest: Some(Attest {
            made_at: NOW - 1_000,
            authorization: Some("LE".to_owned()),
            legal_entity: OWN.to_owned(),
            point_of_care: "810000017".to_owned(),
            department: None,
            healthcare_service: None,
            purpose: Purpose::Treatment,
            purpose_details: Some("15".to_owned()),
            decision_ref: "decision".to_owned(),
            user_selected: false,
            names_another: false,
            patients: Vec::new(),
        }),
    }
}

/// A municipality with so many roles and policies of its own, and a patient with so many
/// restrictions, none of which stops the doctor.
fn standing(roles: usize, own: usize, restrictions: usize) -> Arc<Standing> {
    let every =
        || Catalogue::get().categories.iter().map(|category| category.key.clone()).collect();
    let role = |number: usize| Role {
        key: format!("role-{number}"),
        title: format!("Rolle {number}"),
        unit_kinds: vec![if number == 0 {
            "legevakt".to_owned()
        } else {
            format!("kind-{number}")
        }],
        authorizations: vec!["LE".to_owned(), "SP".to_owned()],
        purposes: vec!["TREAT".to_owned(), "ETREAT".to_owned()],
        categories: every(),
        unit_list: false,
    };
    let policy = |number: usize| PolicyText {
        key: format!("policy-{number}"),
        title: format!("Regel {number}"),
        text: format!(
            "@categories(\"medications\")
             forbid (principal is Practitioner, action in Action::\"read\", resource is Patient)
             when {{ context.unit_kind == \"kind-{number}\" && context.profession != \"LE\" }};"
        ),
    };
    let register = Register {
        organisation: OWN.to_owned(),
        purposes: [Purpose::Treatment, Purpose::Delivery].map(Into::into).to_vec(),
        units: vec![Unit {
            organisation: "810000017".to_owned(),
            name: "Legevakten".to_owned(),
            kind: "legevakt".to_owned(),
        }],
        agreements: vec![Agreement {
            client_id: "epj".to_owned(),
            source: "epj".to_owned(),
            owner: OWN.to_owned(),
            categories: every(),
            valid_from: 0,
            valid_to: None,
            endpoints: Vec::new(),
        }],
        roles: (0..roles).map(role).collect(),
        policies: (0..own).map(policy).collect(),
        ..Register::default()
    };
    let of_person = PersonStanding {
        restrictions: (0..restrictions).map(restriction).collect(),
        ..PersonStanding::default()
    };
    Arc::new(Standing::new(register).unwrap().with_person(PERSON, of_person))
}

/// Against somebody else, or of one resource only.
fn restriction(number: usize) -> Restriction {
    Restriction {
        id: format!("restriction-{number}"),
        against: match number % 4 {
            0 => Against::Practitioner(format!("subject-{number}")),
            1 => Against::Profession("SP".to_owned()),
            2 => Against::Organisation(format!("8100001{number}")),
            _ => Against::Everyone,
        },
        what: What {
            items: vec![("Observation".to_owned(), number.to_string())],
            ..What::default()
        },
        valid_from: None,
        valid_to: None,
        in_emergency: false,
    }
}
