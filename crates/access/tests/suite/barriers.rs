//! What is put up as a barrier never opens anything, what is taken out of agreements never does, and an
//! emergency access is the only thing that lifts what a resident has put up. And nobody is answered by what
//! somebody else was.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use access::caller::{Attest, Caller, Party, Practitioner};
use access::decide::{About, ReadRequest, decide_read};
use access::explain::explain;
use access::opening::Opening;
use access::permit::{Part, ReadPermit, Withheld};
use access::register::Register;
use access::register::admin::PolicyText;
use access::register::control::{Assessed, Gate, Off, Outcome, Switch};
use access::restriction::{Against, Restriction, What};
use access::standing::{PersonStanding, Standing};
use access::whatif::{Question, compare};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use record::purpose::Purpose;

use crate::cases::{milliseconds, person, register};

const ORGANISATIONS: [&str; 4] = ["999977774", "312232324", "311000011", "312232340"];
const UNITS: [&str; 5] = ["810000017", "810000025", "810000041", "810000108", "811000010"];
const CATEGORIES: [&str; 6] =
    ["demographics", "services", "decisions", "measurements", "critical", "organisation"];
const OWNERS: [&str; 2] = ["999977774", "311000011"];
const TIMES: [i64; 2] = [1_000, 2_000];

fn now() -> i64 {
    milliseconds("2026-03-02T12:00:00Z")
}

/// A record that might be shown: category, type and id, owner, clinical time.
type Record = (&'static str, (&'static str, &'static str), &'static str, i64);

fn records() -> Vec<Record> {
    let mut records = Vec::new();
    for category in CATEGORIES {
        for item in [("Observation", "1"), ("Observation", "2")] {
            for owner in OWNERS {
                records.extend(TIMES.map(|time| (category, item, owner, time)));
            }
        }
    }
    records
}

fn is_in(part: &Part, (category, (kind, id), owner, time): &Record) -> bool {
    (part.categories.is_empty() || part.categories.contains(category))
        && (part.items.is_empty() || part.items.iter().any(|it| it.0 == *kind && it.1 == *id))
        && part.owner.as_ref().is_none_or(|it| it == owner)
        && part.from.is_none_or(|from| from <= *time)
        && part.to.is_none_or(|to| *time < to)
}

/// What the caller sees of patient A.
fn seen(caller: &Caller, standing: &Arc<Standing>, about: About) -> BTreeSet<Record> {
    let request = ReadRequest::new(about, &CATEGORIES);
    let permit = decide_read(caller, Some(person("patient A")), standing, &request, now());
    let Ok(permit) = permit else { return BTreeSet::new() };
    let shown = |permit: &ReadPermit, record: &Record| {
        permit.categories().contains(&record.0)
            && match permit.withheld(person("patient A")) {
                Withheld::Nothing => true,
                Withheld::Everything => false,
                Withheld::Parts(parts) => !parts.iter().any(|part| is_in(part, record)),
            }
    };
    records().into_iter().filter(|record| shown(&permit, record)).collect()
}

prop_compose! {
    fn practitioners()(
        organisation in select(vec![ORGANISATIONS[0], ORGANISATIONS[0], ORGANISATIONS[1],
            ORGANISATIONS[2], ORGANISATIONS[3]]),
        unit in select(UNITS.to_vec()),
        profession in prop::option::weighted(0.8, select(vec!["LE", "SP"])),
        purpose in select(vec![Purpose::Treatment, Purpose::Treatment, Purpose::Coordination,
            Purpose::EmergencyTreatment, Purpose::BreakTheGlass]),
        service in prop::option::of(select(vec!["15", "4"])),
        has_hpr in prop::bool::weighted(0.9),
        subject in select(vec!["subject-1", "subject-2"]),
        client in select(vec!["pages", "tavle-dalfjord"]),
    ) -> Caller {
        let attest = Attest {
            made_at: now() - 60_000,
            authorization: profession.map(str::to_owned),
            legal_entity: organisation.to_owned(),
            point_of_care: unit.to_owned(),
            department: None,
            healthcare_service: None,
            purpose,
            purpose_details: service.map(str::to_owned),
            decision_ref: "decision-1".to_owned(),
            user_selected: true,
            names_another: false,
            patients: Vec::new(),
        };
        Caller {
            client_id: client.to_owned(),
            organisation: Some(organisation.to_owned()),
            unit: None,
            supplier: None,
            token_id: "token-1".to_owned(),
            scopes: None,
            party: Party::Practitioner(Practitioner {
                name: "Lege Legesen".to_owned(),
                subject: subject.to_owned(),
                hpr: has_hpr.then(|| "222900011".to_owned()),
                hpr_professions: None,
                security_level: 4,
                attest: Some(attest),
            }),
        }
    }
}

fn callers() -> impl Strategy<Value = Caller> {
    let resident = |caller: Caller| Caller {
        organisation: None,
        party: Party::Resident { number: String::new(), name: "Innbygger".to_owned() },
        ..caller
    };
    let system = |caller: Caller| Caller {
        client_id: "plo-epj-dalfjord".to_owned(),
        party: Party::System,
        ..caller
    };
    prop_oneof![
        8 => practitioners(),
        1 => practitioners().prop_map(resident),
        1 => practitioners().prop_map(system),
    ]
}

prop_compose! {
    fn restrictions()(
        against in prop_oneof![
            Just(Against::Everyone),
            select(vec!["subject-1", "222900011"]).prop_map(|it| Against::Practitioner(it.into())),
            select(vec!["LE", "SP"]).prop_map(|it| Against::Profession(it.into())),
            select(UNITS.to_vec()).prop_map(|it| Against::Organisation(it.into())),
            select(vec!["15", "4"]).prop_map(|it| Against::Service(it.into())),
        ],
        categories in subsequence(CATEGORIES.to_vec(), 0..=3),
        items in subsequence(vec![("Observation", "1"), ("Observation", "2")], 0..=1),
        owner in prop::option::of(select(OWNERS.to_vec())),
        from in prop::option::of(select(TIMES.to_vec())),
        in_emergency: bool,
        ended in prop::bool::weighted(0.2),
    ) -> Restriction {
        Restriction {
            id: "restriction".to_owned(),
            against,
            what: What {
                categories: categories.into_iter().map(str::to_owned).collect(),
                items: items.into_iter().map(|(kind, id)| (kind.into(), id.into())).collect(),
                owner: owner.map(str::to_owned),
                from,
                to: None,
            },
            valid_from: None,
            valid_to: ended.then(now),
            in_emergency,
        }
    }
}

/// Something that the municipality puts up.
fn barriers() -> impl Strategy<Value = Barrier> {
    let gate = |(category, outcome): (&str, Outcome)| {
        Barrier::Gate(Gate {
            of: Assessed::Category(category.to_owned()),
            outcome,
            reference: "dpia-1".to_owned(),
        })
    };
    let off = prop_oneof![
        Just(Off::Municipality),
        select(vec!["TREAT", "ETREAT", "PATRQT", "HOPERAT"]).prop_map(|it| Off::Purpose(it.into())),
        select(vec!["311000045", "311000053"]).prop_map(|it| Off::Vendor(it.into())),
        select(vec!["pages", "plo-epj-dalfjord"]).prop_map(|it| Off::Client(it.into())),
    ];
    let condition = select(vec![
        "context.unit_kind == \"legevakt\"",
        "context.profession != \"LE\"",
        "context.partner",
        "context.working_for == \"15\" && !context.opened",
        "context.minutes + 9223372036854775807 > 0",
    ]);
    let named = subsequence(CATEGORIES.to_vec(), 0..=2);
    prop_oneof![
        off.prop_map(Barrier::Switch),
        (select(CATEGORIES.to_vec()), select(vec![Outcome::NoGo, Outcome::PriorConsultation]))
            .prop_map(gate),
        (condition, named).prop_map(|(when, categories)| Barrier::Forbid(when, categories)),
    ]
}

#[derive(Clone, Debug)]
enum Barrier {
    Switch(Off),
    Gate(Gate),
    Forbid(&'static str, Vec<&'static str>),
}

impl Barrier {
    fn put_up(&self, register: &mut Register) {
        match self {
            Self::Switch(off) => {
                register.switches.push(Switch { off: off.clone(), reason: "test".to_owned() });
            }
            Self::Gate(gate) => register.gates.push(gate.clone()),
            Self::Forbid(when, categories) => {
                let keys = categories.join(",");
                let covers = (!keys.is_empty()).then(|| format!("@categories(\"{keys}\")"));
                register.policies.push(PolicyText {
                    key: "forbid".to_owned(),
                    title: "Forbud".to_owned(),
                    text: format!(
                        "{} forbid (principal is Practitioner, action in Action::\"read\", resource) \
                         when {{ {when} }};",
                        covers.unwrap_or_default()
                    ),
                });
            }
        }
    }
}

/// Takes something out of what opens for partners, processors and services.
fn take_out(register: &mut Register, what: u8, which: &Index) {
    fn take<T>(items: &mut Vec<T>, which: &Index) {
        if !items.is_empty() {
            items.remove(which.index(items.len()));
        }
    }
    let some = which.index(register.sharing.len().max(1));
    match what {
        0 => take(&mut register.sharing, which),
        1 => register.sharing.get_mut(some).into_iter().for_each(|it| take(&mut it.units, which)),
        2 => register
            .sharing
            .get_mut(some)
            .into_iter()
            .for_each(|it| take(&mut it.categories, which)),
        3 => {
            register.sharing.get_mut(some).into_iter().for_each(|it| take(&mut it.purposes, which))
        }
        4 => take(&mut register.processors, which),
        5 => take(&mut register.purposes, which),
        _ => take(&mut register.roles, which),
    }
}

fn base() -> Register {
    register("samarbeid", &serde_json::Map::new())
}

fn standing(register: &Register, person_a: &PersonStanding) -> Arc<Standing> {
    let standing = Standing::new(register.clone()).unwrap();
    Arc::new(standing.with_person(person("patient A"), person_a.clone()))
}

fn abouts() -> impl Strategy<Value = About> {
    select(vec![About::Person(person("patient A")), About::OwnUnit, About::Unnamed])
}

/// A standing that has answered everybody before.
static ASKED_BEFORE: LazyLock<Arc<Standing>> =
    LazyLock::new(|| standing(&base(), &PersonStanding::default()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn what_others_were_answered_changes_no_decision(
        asked in prop::collection::vec((callers(), abouts(), 0_i64..3), 1..20),
    ) {
        let fresh = standing(&base(), &PersonStanding::default());
        for (caller, about, minutes) in asked {
            let request = ReadRequest::new(about, &CATEGORIES);
            let decided = |standing: &Arc<Standing>| {
                let resident = Some(person("patient A"));
                let permit =
                    decide_read(&caller, resident, standing, &request, now() + minutes * 1_800_000);
                permit.map(|it| (it.categories().to_vec(), it.reach().clone(), it.basis().role.clone()))
            };
            prop_assert_eq!(decided(&ASKED_BEFORE), decided(&fresh));
        }
    }

    #[test]
    fn a_barrier_never_opens(
        caller in callers(),
        about in abouts(),
        put_up in prop::collection::vec(barriers(), 1..4),
        restrictions in prop::collection::vec(restrictions(), 0..4),
        tells: bool,
    ) {
        let mut register = base();
        register.tells_withheld = tells;
        let mut of_person = PersonStanding::default();
        let mut before = seen(&caller, &standing(&register, &of_person), about);
        for restriction in restrictions {
            of_person.restrictions.push(restriction.clone());
            let after = seen(&caller, &standing(&register, &of_person), about);
            prop_assert!(after.is_subset(&before), "{:?}", restriction);
            before = after;
        }
        for barrier in put_up {
            barrier.put_up(&mut register);
            let after = seen(&caller, &standing(&register, &of_person), about);
            prop_assert!(after.is_subset(&before), "{:?}", barrier);
            before = after;
        }
    }

    #[test]
    fn what_is_taken_out_never_opens(
        caller in callers(),
        about in abouts(),
        outs in prop::collection::vec((0_u8..7, any::<Index>()), 1..4),
        processors_required: bool,
    ) {
        let mut register = base();
        register.processors_required = processors_required;
        let of_person = PersonStanding::default();
        let mut before = seen(&caller, &standing(&register, &of_person), about);
        for (what, which) in outs {
            take_out(&mut register, what, &which);
            let after = seen(&caller, &standing(&register, &of_person), about);
            prop_assert!(after.is_subset(&before), "{} opened something", what);
            before = after;
        }
    }

    #[test]
    fn an_emergency_access_lifts_restrictions_and_nothing_else(
        caller in callers(),
        restrictions in prop::collection::vec(restrictions(), 0..4),
        subject in select(vec!["subject-1", "subject-2"]),
        hours in 0_i64..12,
    ) {
        let about = About::Person(person("patient A"));
        let hour = 3_600_000;
        let opening = Opening {
            id: "opening-1".to_owned(),
            subject: subject.to_owned(),
            reason_ref: "reason-1".to_owned(),
            from: now() - hours * hour,
            to: now() + hour,
        };
        let free = seen(&caller, &standing(&base(), &PersonStanding::default()), about);
        let hard = restrictions.iter().filter(|it| it.in_emergency).cloned().collect();
        let hard = PersonStanding { restrictions: hard, ..PersonStanding::default() };
        let hard = seen(&caller, &standing(&base(), &hard), about);
        let closed = PersonStanding { restrictions, ..PersonStanding::default() };
        let opened = PersonStanding { openings: vec![opening], ..closed.clone() };
        let closed = seen(&caller, &standing(&base(), &closed), about);
        let opened = seen(&caller, &standing(&base(), &opened), about);
        prop_assert!(closed.is_subset(&opened) && opened.is_subset(&hard) && hard.is_subset(&free));
        let Party::Practitioner(practitioner) = &caller.party else {
            prop_assert_eq!(opened, closed);
            return Ok(());
        };
        let purpose = practitioner.attest.as_ref().unwrap().purpose;
        let emergency =
            matches!(purpose, Purpose::EmergencyTreatment | Purpose::BreakTheGlass);
        if emergency && practitioner.subject == subject && hours < 8 {
            prop_assert_eq!(opened, hard);
        } else {
            prop_assert_eq!(opened, closed);
        }
    }

    #[test]
    fn nobody_of_another_organisation_reads_without_an_agreement(
        caller in practitioners(),
        about in abouts(),
        own_policy: bool,
    ) {
        let mut register = base();
        register.sharing.clear();
        if own_policy {
            register.policies.push(PolicyText {
                key: "open".to_owned(),
                title: "Åpner alt".to_owned(),
                text: "permit (principal is Practitioner, action, resource);".to_owned(),
            });
        }
        let standing = standing(&register, &PersonStanding::default());
        let request = ReadRequest::new(about, &CATEGORIES);
        let decision = decide_read(&caller, None, &standing, &request, now());
        let own = caller.organisation.as_deref() == Some(ORGANISATIONS[0]);
        prop_assert!(own || decision.is_err());
    }

    #[test]
    fn an_explanation_tells_the_decision_and_only_changes_that_open(
        caller in callers(),
        about in abouts(),
        restrictions in prop::collection::vec(restrictions(), 0..3),
        barrier in prop::option::of(barriers()),
    ) {
        let mut register = base();
        barrier.iter().for_each(|it| it.put_up(&mut register));
        let of_person = PersonStanding { restrictions, ..PersonStanding::default() };
        let standing = standing(&register, &of_person);
        let request = ReadRequest::new(about, &CATEGORIES);
        let own = Some(person("patient A"));
        let decision = decide_read(&caller, own, &standing, &request, now());
        let told = explain(&caller, own, &standing, &request, now());
        let open = decision.map(|permit| permit.categories().to_vec());
        prop_assert_eq!(&told.decision, &open);
        let open = open.unwrap_or_default();
        // Without a patient, what is about nobody is open alone and not together with the rest.
        for (key, rule) in told.categories.iter().filter(|_| about != About::Unnamed) {
            prop_assert_eq!(rule.is_none(), open.contains(key), "{} {:?}", key, rule);
        }
        for change in &told.changes {
            prop_assert!(change.withholds_less || !change.opens.is_empty());
            prop_assert!(change.opens.iter().all(|key| !open.contains(key)));
        }
        let question = Question { caller: &caller, resident: own, request, at: now() };
        prop_assert_eq!(compare(&standing, &standing, &[question]), vec![]);
    }
}
