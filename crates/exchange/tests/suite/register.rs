//! The municipality's own register: founded from its file, changed by decisions in the ledger, in force at
//! once, and the same after a restart and a rebuild.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use access::refusal::Rule;
use exchange::error::Failure;
use exchange::register::change::{Done, PROPOSAL_LIFE};
use exchange::tenant::{Environment, Tenant, rebuild_view};
use proptest::prelude::*;
use record::decision::{Change, Decision, Outcome, Part, Who};
use record::entry::Position;
use serde_json::{Value, json};

use crate::town::{NOW, Town, admin, case_worker, create, fnr, nurse, patient, pulse, system};

fn put(part: Part, key: &str, value: Value) -> Change {
    Change::Put { part, key: key.to_owned(), value }
}

fn end(part: Part, key: &str) -> Change {
    Change::End { part, key: key.to_owned() }
}

async fn change(town: &Town, who: &str, change: Change) -> Result<Done, Failure> {
    let version = town.tenant.decided().version;
    let why = "av en grunn".to_owned();
    town.tenant.change_register(&admin(who), "admin-put", change, why, Some(version)).await
}

async fn decided(town: &Town, it: Change) -> Position {
    match change(town, "admin-1", it).await.unwrap() {
        Done::Decided(position) => position,
        other => panic!("{other:?}"),
    }
}

async fn proposed(town: &Town, it: Change) -> Position {
    match change(town, "admin-1", it).await.unwrap() {
        Done::Proposed(position) => position,
        other => panic!("{other:?}"),
    }
}

fn stop(client: &str) -> Change {
    let value = json!({ "off": { "client": client }, "reason": "feil" });
    put(Part::Switch, &format!("client-{client}"), value)
}

fn policy(key: &str, text: &str) -> Change {
    put(Part::Policy, key, json!({ "key": key, "title": key, "text": text }))
}

/// The rule that refused.
fn rule<T>(result: Result<T, Failure>) -> Option<Rule> {
    result.err().and_then(|failure| failure.refusal()).map(|refusal| refusal.rule)
}

/// The places of a refusal of the content.
fn places<T: std::fmt::Debug>(result: Result<T, Failure>) -> Vec<String> {
    match result.unwrap_err() {
        Failure::Invalid(issues) => {
            issues.into_iter().map(|it| format!("{}|{}", it.location, it.message)).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The same municipality after a restart, its view made anew.
fn reopened(town: Town) -> Town {
    let Town { tenant, random, clock, dir } = town;
    // The file says something else meanwhile: the ledger rules.
    let mut register = (*tenant.register()).clone();
    drop(tenant);
    register.units.clear();
    register.admins.clear();
    let environment = Environment { clock: clock.clone(), random: random.clone() };
    rebuild_view(dir.path(), register.clone(), environment.clone()).unwrap();
    let tenant = Tenant::open(dir.path(), register, environment).unwrap();
    Town { tenant: std::sync::Arc::new(tenant), random, clock, dir }
}

#[tokio::test]
async fn a_municipality_is_founded_from_its_file_and_then_the_ledger_rules() {
    let town = Town::new();
    let folded = town.tenant.register_told(&admin("admin-1")).await.unwrap();
    assert_eq!(folded.version, 1);
    assert_eq!(folded.register().unwrap(), *town.tenant.register());
    let ward = &folded.members[&(Part::Unit, crate::town::WARD.to_owned())];
    assert_eq!((ward.act.who.name.as_str(), ward.act.position), ("register.toml", 1));
    let history = town.tenant.register_history(&admin("admin-2"), 99, 99).await.unwrap();
    assert_eq!(history.len(), 1);
    let before = (*town.tenant.register()).clone();
    let town = reopened(town);
    assert_eq!(*town.tenant.register(), before);
    assert_eq!(rule(town.tenant.register_told(&admin("a stranger")).await), Some(Rule::NoDuty));
    assert_eq!(rule(town.tenant.register_told(&nurse()).await), Some(Rule::NoDuty));
    assert_eq!(rule(town.tenant.register_told(&system("plo")).await), Some(Rule::NoDuty));
}

#[tokio::test]
async fn a_switch_stops_the_very_next_request_and_lets_go_on() {
    let town = Town::new();
    let plo = system("plo");
    town.create(&plo, pulse(&fnr(0), None, 70)).await;
    decided(&town, stop("plo")).await;
    let refused = town.one(&plo, create(pulse(&fnr(0), None, 71))).await;
    assert_eq!(rule(refused), Some(Rule::SwitchedOff));
    let town = reopened(town);
    let refused = town.one(&plo, create(pulse(&fnr(0), None, 71))).await;
    assert_eq!(rule(refused), Some(Rule::SwitchedOff), "also after a restart");
    decided(&town, end(Part::Switch, "client-plo")).await;
    town.create(&plo, pulse(&fnr(0), None, 71)).await;
    let all = put(Part::Switch, "municipality", json!({ "off": "municipality", "reason": "x" }));
    decided(&town, all).await;
    let person = town.tenant.person(&fnr(0)).unwrap();
    assert_eq!(rule(town.tenant.overview(&case_worker(), person).await), Some(Rule::SwitchedOff));
    // Whoever administers can switch on again.
    decided(&town, end(Part::Switch, "municipality")).await;
    town.tenant.overview(&case_worker(), person).await.unwrap();
}

#[tokio::test]
async fn an_assessment_that_says_no_closes_a_category_for_reading_and_intake() {
    let town = Town::new();
    let plo = system("plo");
    let made = town.create(&plo, pulse(&fnr(0), None, 70)).await;
    let gate = |outcome: &str| {
        let of = json!({ "category": "measurements" });
        let value = json!({ "of": of, "outcome": outcome, "reference": "DPIA 12/26" });
        put(Part::Gate, "category-measurements", value)
    };
    for closed in ["no-go", "prior-consultation"] {
        decided(&town, gate(closed)).await;
        let sent = town.one(&plo, create(pulse(&fnr(0), None, 71))).await;
        assert_eq!(rule(sent), Some(Rule::NotAssessed));
        let read = town.tenant.read(&nurse(), "Observation", &made.id).await;
        assert_eq!(rule(read.map(drop)), Some(Rule::NotAssessed));
        town.create(&plo, patient(&[(crate::town::FNR, &fnr(1))], "Nes")).await;
    }
    decided(&town, gate("go")).await;
    town.create(&plo, pulse(&fnr(0), None, 71)).await;
    town.tenant.read(&nurse(), "Observation", &made.id).await.unwrap();
}

#[tokio::test]
async fn what_destroys_asks_for_a_second_person() {
    let town = Town::new();
    let plo = system("plo");
    // Nothing has arrived by it: one person is enough.
    decided(&town, end(Part::Agreement, "lab")).await;
    town.create(&plo, pulse(&fnr(0), None, 70)).await;
    let id = proposed(&town, end(Part::Agreement, "plo")).await;
    town.create(&plo, pulse(&fnr(0), None, 71)).await;
    let why = || "enig".to_owned();
    let approve = |who: &'static str, id| {
        let tenant = town.tenant.clone();
        async move { tenant.approve(&admin(who), id, why()).await }
    };
    assert_eq!(rule(approve("admin-1", id).await), Some(Rule::SecondPerson));
    assert_eq!(rule(approve("a stranger", id).await), Some(Rule::NoDuty));
    assert!(matches!(approve("admin-2", 999).await, Err(Failure::NotFound)));
    let waiting = town.tenant.proposals(&admin("admin-2"), false).await.unwrap();
    assert_eq!(waiting.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id]);
    approve("admin-2", id).await.unwrap();
    let refused = town.one(&plo, create(pulse(&fnr(0), None, 72))).await;
    assert_eq!(rule(refused), Some(Rule::NoAgreement));
    assert!(matches!(approve("admin-2", id).await, Err(Failure::Gone)), "answered once");
    let town = reopened(town);
    let refused = town.one(&plo, create(pulse(&fnr(0), None, 72))).await;
    assert_eq!(rule(refused), Some(Rule::NoAgreement));
    let all = town.tenant.proposals(&admin("admin-1"), true).await.unwrap();
    assert!(all[0].1.answered.as_ref().unwrap().0);
    assert!(town.tenant.proposals(&admin("admin-1"), false).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_proposal_can_be_taken_back_and_lapses() {
    let town = Town::new();
    decided(&town, policy("own", "")).await;
    decided(&town, policy("own", FORBIDS_WARD)).await;
    let first = proposed(&town, end(Part::Policy, "own")).await;
    let why = || "likevel ikke".to_owned();
    town.tenant.reject(&admin("admin-1"), first, why()).await.unwrap();
    let second = proposed(&town, end(Part::Policy, "own")).await;
    town.clock.set(NOW + PROPOSAL_LIFE);
    let late = town.tenant.approve(&admin("admin-2"), second, why()).await;
    assert!(matches!(late, Err(Failure::Gone)));
    assert!(town.tenant.register().policies.iter().any(|it| it.key == "own"));
}

const FORBIDS_WARD: &str = r#"@categories("measurements")
forbid (principal is Practitioner, action in Action::"read", resource)
when { context.unit_kind == "ward" };"#;

#[tokio::test]
async fn a_policy_is_compiled_before_it_is_taken() {
    let town = Town::new();
    let made = town.create(&system("plo"), pulse(&fnr(0), None, 70)).await;
    let (version, head) = (town.tenant.decided().version, town.end());
    for (broken, place) in [
        ("forbid (principal, action, resource)\nwhen { context. };", "line 2"),
        ("forbid (principal, action, resource) when { context.nothing_such };", "nothing_such"),
        ("forbid (principal, action, resource) when { context.level < \"4\" };", "policy `own`"),
    ] {
        let found = places(change(&town, "admin-1", policy("own", broken)).await);
        assert!(found.iter().any(|it| it.contains(place)), "{place}: {found:?}");
    }
    assert_eq!((town.tenant.decided().version, town.end()), (version, head), "nothing changes");
    town.tenant.read(&nurse(), "Observation", &made.id).await.unwrap();
    decided(&town, policy("own", FORBIDS_WARD)).await;
    let read = town.tenant.read(&nurse(), "Observation", &made.id).await;
    assert_eq!(rule(read.map(drop)), Some(Rule::Policy));
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_nothing_changes() {
    let town = Town::new();
    let head = town.end();
    let unit = |number: &str| json!({ "organisation": number, "name": "N", "kind": "ward" });
    for (wrong, told) in [
        (put(Part::Unit, "810000099", unit("810000098")), "unit/810000099|the key"),
        (put(Part::Unit, "81", unit("81")), "unit/81.organisation|is no organisation number"),
        (
            put(Part::Unit, "810000099", json!({ "organisation": 1 })),
            "unit/810000099.organisation|",
        ),
        (put(Part::Setting, "name", json!(4)), "register.name|"),
        (put(Part::Setting, "number", json!("9902")), "setting/number|"),
        (put(Part::Setting, "nothing", json!(true)), "register.nothing|"),
        (end(Part::Setting, "organisation"), "register."),
    ] {
        let found = places(change(&town, "admin-1", wrong).await);
        assert!(found.iter().any(|it| it.starts_with(told)), "{told}: {found:?}");
    }
    let both = ["admin-1", "admin-2"].map(|who| end(Part::Admin, who)).to_vec();
    let both = Change::Several { changes: both, restores: None };
    let unknown = json!({ "key": "r", "title": "R", "unit_kinds": [], "purposes": ["TREET"],
        "categories": ["blod"] });
    let told = places(change(&town, "admin-1", put(Part::Role, "r", unknown)).await);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(change(&town, "admin-1", Change::Approve { proposal: 1 }).await.is_err());
    let places = places(change(&town, "admin-1", both).await);
    assert!(places[0].starts_with("admin/*.duties|"), "{places:?}");
    assert_eq!(town.end(), head);
}

#[tokio::test]
async fn changes_meet_by_version_and_the_same_change_is_one() {
    let town = Town::new();
    let version = decided(&town, stop("plo")).await;
    assert_eq!(change(&town, "admin-2", stop("plo")).await.unwrap(), Done::Already(version));
    let why = "sent".to_owned();
    let late = town
        .tenant
        .change_register(&admin("admin-2"), "admin-put", stop("lab"), why, Some(version - 1))
        .await;
    assert!(matches!(late, Err(Failure::Precondition)));
    let silent = town
        .tenant
        .change_register(&admin("admin-2"), "admin-put", stop("lab"), " ".to_owned(), None)
        .await;
    assert!(matches!(silent, Err(Failure::Invalid(_))));
}

#[tokio::test]
async fn a_step_back_is_a_new_decision() {
    let town = Town::new();
    let founded = town.tenant.register();
    let first = decided(&town, stop("plo")).await;
    let name = put(Part::Setting, "name", json!("Nye Dalfjord kommune"));
    decided(&town, name).await;
    let back = |to| {
        let tenant = town.tenant.clone();
        async move { tenant.roll_back(&admin("admin-1"), to, "feil".to_owned(), None).await }
    };
    assert!(matches!(back(99).await, Err(Failure::NotFound)));
    back(first).await.unwrap();
    assert_eq!(
        (town.tenant.register().name.as_str(), town.tenant.register().switches.len()),
        ("Dalfjord kommune", 1)
    );
    back(1).await.unwrap();
    assert_eq!(*town.tenant.register(), *founded);
    let history = town.tenant.register_history(&admin("admin-1"), 99, 99).await.unwrap();
    assert_eq!(history.len(), 5, "nothing is forgotten");
}

#[tokio::test]
async fn what_a_change_would_do_is_judged_on_what_was_asked() {
    let town = Town::new();
    let made = town.create(&system("plo"), pulse(&fnr(0), None, 70)).await;
    town.tenant.read(&nurse(), "Observation", &made.id).await.unwrap();
    let person = town.tenant.person(&fnr(0)).unwrap();
    town.tenant.overview(&case_worker(), person).await.unwrap();
    let head = town.end();
    let forbids =
        town.tenant.what_if(&admin("admin-1"), &policy("own", FORBIDS_WARD)).await.unwrap();
    let names = |outlook: &exchange::register::what_if::Outlook| -> Vec<String> {
        outlook.differences.iter().map(|it| it.who.name.clone()).collect()
    };
    assert_eq!(names(&forbids), [nurse().display_name()]);
    assert!(forbids.whole && forbids.differences[0].gains.is_empty());
    assert_eq!(forbids.differences[0].loses.iter().copied().collect::<Vec<_>>(), ["measurements"]);
    let role = json!({ "key": "sykepleier", "title": "S", "unit_kinds": ["ward"],
        "purposes": ["TREAT"], "categories": ["demographics", "services", "measurements"] });
    let opens = put(Part::Role, "sykepleier", role);
    let opens = town.tenant.what_if(&admin("admin-1"), &opens).await.unwrap();
    assert_eq!(names(&opens), [nurse().display_name()]);
    assert_eq!(opens.differences[0].gains.iter().copied().collect::<Vec<_>>(), ["services"]);
    let ended = town.tenant.what_if(&admin("admin-1"), &end(Part::Agreement, "plo")).await.unwrap();
    assert_eq!(names(&ended), ["plo"]);
    assert_eq!(ended.second, Some("agreement-in-use"));
    assert_eq!(town.end(), head, "nothing was decided");
    town.clock.set(NOW + 8 * 24 * 60 * 60 * 1000);
    let later = town.tenant.what_if(&admin("admin-1"), &policy("own", FORBIDS_WARD)).await.unwrap();
    assert_eq!((later.differences.len(), later.questions), (0, 0), "a week is a week");
}

#[tokio::test]
async fn an_emergency_access_is_looked_into_by_somebody_else() {
    let town = Town::new();
    town.create(&system("plo"), pulse(&fnr(0), None, 70)).await;
    let person = town.tenant.person(&fnr(0)).unwrap();
    let now = town.tenant.now();
    let who = Who {
        name: "Lege".to_owned(),
        subject: Some("admin-2".to_owned()),
        client: "epj".to_owned(),
    };
    let value = json!({ "subject": "admin-2", "from": now, "to": now + 1_000 });
    let open = Change::Open { id: "o1".to_owned(), value };
    let decision = Decision::new(who, "bevisstløs", open);
    town.tenant.record_decision(decision, Some(person)).await.unwrap();
    let standing = town.tenant.standing();
    assert_eq!(standing.person(person).unwrap().openings.len(), 1);
    let review = |who: &'static str| {
        let tenant = town.tenant.clone();
        let why = "lest".to_owned();
        async move { tenant.review_emergency(&admin(who), "o1", Outcome::Justified, why).await }
    };
    assert_eq!(rule(review("admin-1").await), Some(Rule::NoDuty));
    assert!(matches!(review("admin-2").await, Err(Failure::Invalid(_))), "not one's own");
    let listed = town.tenant.emergencies(&admin("admin-2"), false).await.unwrap();
    assert_eq!((listed.len(), listed[0].act.why.as_str()), (1, "bevisstløs"));
    let town = reopened(town);
    let standing = town.tenant.standing();
    assert_eq!(standing.person(person).unwrap().openings.len(), 1);
}

/// A change that may or may not make sense.
fn changes() -> impl Strategy<Value = Change> {
    let client = prop::sample::select(vec!["plo", "lab", "app"]);
    let switch = (client, any::<bool>()).prop_map(|(client, off)| {
        if off { stop(client) } else { end(Part::Switch, &format!("client-{client}")) }
    });
    let unit = (0..4_u32, any::<bool>()).prop_map(|(n, there)| {
        let number = format!("81000009{n}");
        let value = json!({ "organisation": number, "name": "N", "kind": "ward" });
        if there { put(Part::Unit, &number, value) } else { end(Part::Unit, &number) }
    });
    let service = (0..3_u32, any::<bool>()).prop_map(|(n, there)| {
        let key = format!("s{n}");
        let value = json!({ "key": key, "adopted_from": 0 });
        if there { put(Part::Service, &key, value) } else { end(Part::Service, &key) }
    });
    prop_oneof![switch, unit, service]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_holds_is_a_function_of_the_ledger(
        all in prop::collection::vec((changes(), prop::option::of(1..9_u64)), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (town, folded) = runtime.block_on(async {
            let town = Town::new();
            for (it, back) in all {
                drop(change(&town, "admin-1", it).await);
                if let Some(back) = back {
                    drop(town.tenant.roll_back(&admin("admin-2"), back, "x".to_owned(), None).await);
                }
            }
            let folded = town.tenant.decided();
            (town, folded)
        });
        let standing = town.tenant.standing();
        let town = reopened(town);
        prop_assert_eq!(&*town.tenant.decided(), &*folded);
        prop_assert_eq!(town.tenant.register(), standing.register().clone());
        prop_assert_eq!(town.tenant.standing().version(), standing.version());
    }
}
