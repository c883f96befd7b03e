//! How long information is kept: the cases that a lawyer can read, and what no rule may ever do.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use record::retention::{Date, Death, Due, Known, Retention, Verdict};
use record::service::SERVICE_TYPES;
use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cases/retention");

fn date(text: &str) -> Date {
    Date::last_of(text).expect(text)
}

fn known(person: &Value) -> Known {
    let day = |name: &str| person[name].as_str().map(date);
    let services = person["services"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Known {
        last_entry: day("last_entry"),
        born: day("born"),
        died: match person["died"].as_str() {
            None => Death::Unknown,
            Some("unknown date") => Death::Undated,
            Some(day) => Death::At(date(day)),
        },
        services: services.map(|it| (text(&it[0]), text(&it[1]))).collect(),
        held: person["held"] == true,
        handed_over: person["handed_over"] == true,
    }
}

fn told(verdict: &Verdict) -> Value {
    let due = |name: &str, due: &Due| json!({ name: due.class, "clock": due.clock, "since": due.since.to_string() });
    match verdict {
        Verdict::Held => json!("held"),
        Verdict::Kept { clock, until: Some(until) } => {
            json!({ "kept": clock, "until": until.to_string() })
        }
        Verdict::Kept { clock, until: None } => json!({ "kept": clock }),
        Verdict::Depot(it) => due("depot", it),
        Verdict::Over(it) => due("over", it),
    }
}

#[test]
fn every_case_is_judged_as_it_says() {
    let mut count = 0;
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let today = date(case["today"].as_str().unwrap());
        let verdict = Retention::get().unwrap().judge(&known(&case["person"]), today);
        assert_eq!(told(&verdict), case["verdict"], "{}", path.display());
        count += 1;
    }
    assert!(count >= 20, "{count} cases");
}

/// Every service type of 9151 has a class, and no service stands in two.
#[test]
fn every_known_service_has_one_class() {
    let rules = Retention::get().unwrap();
    let mut seen = BTreeSet::new();
    for of in rules.classes.iter().flat_map(|class| &class.services) {
        for code in &of.codes {
            assert!(seen.insert((of.system.as_str(), code.as_str())), "{code} stands twice");
        }
    }
    let system = "urn:oid:2.16.578.1.12.4.1.1.9151";
    assert!(SERVICE_TYPES.iter().all(|service| seen.contains(&(system, service.code))));
    assert!(rules.classes[0].depot && !rules.classes.last().unwrap().depot);
}

fn day() -> impl Strategy<Value = Date> {
    (1880..2026_i32, 1..13_u8, 1..29_u8).prop_map(|(y, m, d)| date(&format!("{y}-{m:02}-{d:02}")))
}

fn anybody() -> impl Strategy<Value = Known> {
    let died = prop_oneof![Just(Death::Unknown), Just(Death::Undated), day().prop_map(Death::At)];
    let service = prop::sample::select(vec![("9151", "15"), ("8663", "KF01"), ("other", "X")])
        .prop_map(|(s, c)| (format!("urn:oid:2.16.578.1.12.4.1.1.{s}"), c.to_owned()));
    let services = prop::collection::vec(service, 0..3);
    let facts = (prop::option::of(day()), prop::option::of(day()), died, services);
    (facts, any::<bool>(), any::<bool>()).prop_map(|(facts, held, handed_over)| {
        let (last_entry, born, died, services) = facts;
        Known { last_entry, born, died, services, held, handed_over }
    })
}

proptest! {
    /// Nobody is proposed under a hold, before ten years after the last entry, or while the person may be
    /// alive and is not 120; what is preserved is never erased before the depot has it.
    #[test]
    fn nobody_is_proposed_too_early(known in anybody(), today in day()) {
        let rules = Retention::get().unwrap();
        let verdict = rules.judge(&known, today);
        if let Verdict::Over(due) | Verdict::Depot(due) = &verdict {
            prop_assert!(!known.held && due.since <= today);
            prop_assert!(known.last_entry.unwrap().plus_years(10) <= today);
            let is_old = known.born.is_some_and(|born| born.plus_years(120) <= today);
            prop_assert!(is_old || known.died != Death::Unknown);
        }
        if let Verdict::Over(due) = &verdict {
            prop_assert!(due.class == "discard" || known.handed_over);
            if let (Death::At(died), "discard") = (known.died, due.class.as_str()) {
                prop_assert!(died.plus_years(20) <= today);
            }
        }
        // More time never takes a proposal back.
        if matches!(verdict, Verdict::Over(_) | Verdict::Depot(_)) {
            prop_assert_eq!(rules.judge(&known, today.plus_years(1)), verdict);
        }
    }
}

#[test]
fn a_date_in_part_counts_as_its_last_day() {
    for (text, day) in [
        ("1930", Some("1930-12-31")),
        ("2024-02", Some("2024-02-29")),
        ("1931-03-04", Some("1931-03-04")),
        ("1931-03-04T10:00:00+01:00", Some("1931-03-04")),
        ("1931-02-29", None),
        ("31-03-04", None),
        ("1931-03-04-05", None),
        ("", None),
    ] {
        assert_eq!(Date::last_of(text).map(|it| it.to_string()).as_deref(), day, "{text}");
    }
}
