//! Conditional writes: one resource of many tries, the writer's own only, and transactions whose
//! n-th entry fails.

use exchange::bundle::Request;
use exchange::carry_out::Return;
use exchange::criteria::Criteria;
use exchange::error::{Category, Failure};
use exchange::history::History;
use exchange::overview::Looks;
use exchange::submission::{Action, Channel, Done, Operation};
use fhir::json;
use fhir::value::Value;
use futures_util::future::join_all;

use crate::town::{FOUNDED, Town, case_worker, create, fnr, pulse, resident, system};

fn identifier(value: &str) -> Option<Criteria> {
    Some(Criteria::read("Observation", &format!("identifier=urn:test%7C{value}")))
}

/// A measurement that its source calls `value`, created only if there is none such.
fn unless_there(number: &str, value: &str, beats: u32) -> Operation {
    let mut operation = create(named(number, value, beats));
    operation.criteria = identifier(value);
    operation
}

fn named(number: &str, value: &str, beats: u32) -> Value {
    let mut resource = pulse(number, None, beats);
    let identifier = json!([{ "system": "urn:test", "value": value }]);
    resource.as_object_mut().unwrap().set("identifier", identifier);
    resource
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_conditional_creates_one_makes_the_resource() {
    let town = Town::new();
    let plo = system("plo");
    for round in 0..5 {
        let name = format!("c{round}");
        let before = town.end();
        let tries = (0..16).map(|n| town.one(&plo, unless_there(&fnr(0), &name, 60 + n)));
        let receipts: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
        assert!(receipts.iter().all(|it| it.id == receipts[0].id));
        assert_eq!(receipts.iter().filter(|it| it.result == Done::Created).count(), 1);
        assert_eq!(town.end(), before + 1);
    }
    // The writer's own counts, not what another source calls the same.
    let other = town.one(&system("lab"), unless_there(&fnr(0), "c0", 60)).await.unwrap();
    assert_eq!(other.result, Done::Created);
    let refused = town.one(&case_worker(), unless_there(&fnr(0), "c0", 60)).await;
    assert_eq!(refused.unwrap_err().refusal().unwrap().rule.code(), "not-a-system");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_conditional_updates_each_is_a_version_of_one_resource() {
    let town = Town::new();
    let plo = system("plo");
    let tries = (0..16).map(|n| {
        let mut operation = Operation::new(Action::Update, "Observation", None);
        operation.criteria = identifier("u");
        operation.resource = Some(named(&fnr(0), "u", 60 + n));
        town.one(&plo, operation)
    });
    let receipts: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert!(receipts.iter().all(|it| it.id == receipts[0].id));
    let all = History::read(Some("Observation"), None, &Vec::new(), true).unwrap();
    assert_eq!(town.tenant.history(&plo, &all).await.unwrap().versions.len(), 16);
}

#[tokio::test]
async fn a_condition_finds_one_or_says_why_not() {
    let town = Town::new();
    let plo = system("plo");
    for n in 0..2 {
        town.create(&plo, named(&fnr(n), &format!("m{n}"), 70)).await;
    }
    let delete = |query: &str| {
        let mut operation = Operation::new(Action::Delete, "Observation", None);
        operation.criteria = Some(Criteria::read("Observation", query));
        operation
    };
    let cases = [
        ("code=8867-4", Category::Precondition),
        ("", Category::Malformed),
        ("unheard=of", Category::Malformed),
        ("_count=1", Category::Malformed),
        ("date=yesterday", Category::Malformed),
    ];
    for (query, category) in cases {
        let failure = town.one(&plo, delete(query)).await.unwrap_err();
        assert_eq!(failure.category(), category, "{query}");
    }
    let one = town.one(&plo, delete("identifier=urn:test%7Cm0")).await.unwrap();
    assert_eq!(one.result, Done::Removed);
    let none = town.one(&plo, delete("identifier=urn:test%7Cm0")).await.unwrap();
    assert_eq!(none.result, Done::Absent);
    assert_eq!(town.end(), 3);
}

/// A transaction of every kind of change, all of it in order.
fn transaction(number: &str, existing: &str) -> Vec<Value> {
    let entry = |method: &str, url: &str, resource: Option<Value>| json!({ "resource": resource, "request": { "method": method, "url": url } });
    let mut put = named(number, "put", 61);
    put.as_object_mut().unwrap().set("id", "put");
    let mut conditional = entry("POST", "Observation", Some(named(number, "cond", 62)));
    if let Some(Value::Object(request)) = conditional.as_object_mut().unwrap().get_mut("request") {
        request.set("ifNoneExist", "identifier=urn:test|cond");
    }
    vec![
        entry("POST", "Observation", Some(named(number, "post", 60))),
        entry("PUT", "Observation/put", Some(put)),
        conditional,
        entry("PUT", "Observation?identifier=urn:test%7Cnew", Some(named(number, "new", 63))),
        entry("DELETE", &format!("Observation/{existing}"), None),
        entry("GET", "Observation?code=8867-4", None),
    ]
}

#[tokio::test]
async fn a_transaction_fails_whole_whichever_entry_fails() {
    let town = Town::new();
    let plo = system("plo");
    let existing = town.create(&plo, pulse(&fnr(0), None, 70)).await.id;
    let carry_out = async |entries: Vec<Value>| {
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let request = Request::read(bundle, Channel::Fhir, true)?;
        town.tenant.carry_out(&plo, request, Return::Minimal, "http://test").await
    };
    let bad = |status: &str| {
        let mut resource = pulse(&fnr(0), None, 70);
        resource.as_object_mut().unwrap().set("status", status);
        resource
    };
    let post = |resource: Value, if_match: Option<&str>, id: &str| {
        json!({ "resource": resource,
                "request": { "method": "PUT", "url": id, "ifMatch": if_match } })
    };
    let mut gone = pulse(&fnr(0), None, 70);
    gone.as_object_mut().unwrap().set("id", "gone");
    let faults = [
        (post(bad("unheard-of"), None, "Observation?identifier=x"), Category::Invalid),
        (post(gone, Some("W/\"7\""), "Observation/gone"), Category::Precondition),
        (post(bad("final"), None, "Observation?unheard=of"), Category::Malformed),
        (json!({ "request": { "method": "GET", "url": "Unheard/1" } }), Category::NotFound),
        (json!({ "request": { "method": "DELETE", "url": "Observation/put" } }), Category::Invalid),
    ];
    for (fault, category) in &faults {
        for at in 0..=6 {
            let mut entries = transaction(&fnr(0), &existing);
            entries.insert(at, fault.clone());
            let failure = carry_out(entries).await.map(drop).unwrap_err();
            assert_eq!(failure.category(), *category, "{failure:?}");
            let place = &failure.issues()[0].location;
            // A resource that stands twice is told where it stands for the second time.
            if *category != Category::Invalid || at > 1 {
                assert!(place.starts_with(&format!("Bundle.entry[{at}]")), "{at}: {place}");
            }
            assert_eq!(town.end(), 1, "nothing is kept");
        }
    }
    let answers = carry_out(transaction(&fnr(0), &existing)).await.unwrap();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(town.end(), 6);
    // Removals come first, whatever the order of the entries.
    let removed = town.tenant.read(&plo, "Observation", &existing).await;
    assert!(matches!(removed, Err(Failure::Removed(version)) if version == FOUNDED + 2));
}

#[tokio::test]
async fn a_look_inside_a_bundle_is_in_the_residents_log() {
    let town = Town::new();
    let made = town.create(&system("plo"), pulse(&fnr(0), None, 70)).await;
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "request": { "method": "GET", "url": format!("Observation/{}", made.id) } },
        { "request": { "method": "HEAD", "url": format!("Observation/{}/_history", made.id) } },
        { "request": { "method": "GET", "url": "Observation?code=8867-4" } },
    ] });
    let request = Request::read(bundle, Channel::Fhir, true).unwrap();
    let caller = case_worker();
    let looks = town.tenant.carry_out(&caller, request, Return::Minimal, "http://test").await;
    let looks = looks.unwrap();
    assert_eq!(looks.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    let person = town.tenant.person(&fnr(0)).unwrap();
    let resident = resident(&fnr(0));
    let mut log = town.tenant.access_log(&resident, person, Looks::All, 9).await.unwrap();
    log.reverse();
    let actions: Vec<&str> = log.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["submit-fhir", "read", "history"]);
}
