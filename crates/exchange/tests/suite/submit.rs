//! What becomes of submissions: repeats, concurrent changes, all or nothing, late deliveries.

use access::register::Register;
use exchange::cloud_event::CloudEvent;
use exchange::error::Failure;
use exchange::history::History;
use exchange::submission::{Action, Done, Operation};
use exchange::tenant::{Environment, Tenant, rebuild_view};
use fhir::json;
use fhir::patch::Patch;
use futures_util::future::join_all;

use crate::town::{Town, create, fnr, pulse, put, system};

#[tokio::test]
async fn one_event_twice_in_a_bundle_is_kept_once() {
    let town = Town::new();
    let plo = system("plo");
    let twice =
        || vec![create(pulse(&fnr(0), Some("a"), 70)), create(pulse(&fnr(0), Some("a"), 70))];
    for atomic in [true, false] {
        let receipts = town.submit(&plo, atomic, twice()).await.unwrap();
        let [Ok(first), Ok(second)] = receipts.as_slice() else { panic!("both are answered") };
        assert_eq!((&first.id, first.version), (&second.id, second.version));
        assert_eq!(second.result, Done::Unchanged);
        assert_eq!(first.result, if atomic { Done::Created } else { Done::Unchanged });
        assert_eq!(town.end(), 1);
    }
}

#[tokio::test]
async fn one_event_id_for_two_contents_is_a_conflict() {
    let town = Town::new();
    let plo = system("plo");
    let both =
        || vec![create(pulse(&fnr(0), Some("a"), 70)), create(pulse(&fnr(0), Some("a"), 71))];
    let refused = town.submit(&plo, true, both()).await;
    assert!(matches!(refused, Err(Failure::Conflict(_))));
    assert_eq!(town.end(), 0, "an atomic submission keeps all or nothing");
    let results = town.submit(&plo, false, both()).await.unwrap();
    assert!(results[0].is_ok() && matches!(results[1], Err(Failure::Conflict(_))));
    assert_eq!(town.end(), 1);
}

#[tokio::test]
async fn a_resource_stands_once_in_a_bundle() {
    let town = Town::new();
    let plo = system("plo");
    let changes: [fn() -> Operation; 2] = [
        || put("p", pulse(&fnr(0), None, 71), None),
        || Operation::delete("Observation", "p".into()),
    ];
    for second in changes {
        let both = || vec![put("p", pulse(&fnr(0), None, 70), None), second()];
        let refused = town.submit(&plo, true, both()).await;
        let Err(Failure::Invalid(issues)) = refused else { panic!("refused whole") };
        assert_eq!(issues[0].code.as_str(), "duplicate");
    }
    assert_eq!(town.end(), 0);
    let both =
        vec![put("p", pulse(&fnr(0), None, 70), None), put("p", pulse(&fnr(0), None, 71), None)];
    let results = town.submit(&plo, false, both).await.unwrap();
    assert!(results[0].is_ok() && matches!(results[1], Err(Failure::Invalid(_))));
    assert_eq!(town.end(), 1);
}

#[tokio::test]
async fn an_atomic_submission_with_one_fault_keeps_nothing() {
    let town = Town::new();
    let plo = system("plo");
    town.create(&plo, pulse(&fnr(0), Some("taken"), 70)).await;
    let wrong = json!({ "resourceType": "Observation", "status": "nonsense" });
    let patch = Patch::json(&json!([])).unwrap();
    let faults = [
        create(wrong),
        create(pulse("12345678901", None, 70)),
        create(pulse(&fnr(0), Some("taken"), 99)),
        put("p", pulse(&fnr(0), None, 70), Some(7)),
        Operation::new(Action::Patch(patch), "Observation", Some("nowhere".into())),
    ];
    for fault in faults {
        let operations = vec![create(pulse(&fnr(1), None, 80)), fault];
        assert!(town.submit(&plo, true, operations).await.is_err());
        assert_eq!(town.end(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_updates_of_one_version_one_wins() {
    let town = Town::new();
    let plo = system("plo");
    let mut current =
        town.one(&plo, put("p", pulse(&fnr(0), None, 1), None)).await.unwrap().version;
    for round in 1..6 {
        let tries = (0..12).map(|n| {
            let operation = put("p", pulse(&fnr(0), None, round * 100 + n), Some(current));
            town.one(&plo, operation)
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            join_all(tries).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 11));
        assert!(lost.iter().all(|it| matches!(it, Err(Failure::Precondition))));
        current = won[0].as_ref().unwrap().version;
    }
    let all = History::read(Some("Observation"), Some("p".into()), &Vec::new(), true).unwrap();
    let past = town.tenant.history(&plo, &all).await.unwrap();
    assert_eq!((past.versions.len(), past.total), (6, Some(6)));
    assert_eq!(past.versions[0].1.version, current);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeat_under_way_is_the_same_event() {
    let town = Town::new();
    let plo = system("plo");
    let tries = (0..16).map(|_| town.one(&plo, create(pulse(&fnr(0), Some("a"), 70))));
    let receipts: Vec<_> = join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert!(receipts.iter().all(|it| it.id == receipts[0].id && it.version == 1 && it.visible));
    assert_eq!(receipts.iter().filter(|it| it.result == Done::Created).count(), 1);
}

fn event(id: &str, data: fhir::value::Value) -> CloudEvent {
    let text = |text: &str| Some(text.to_owned());
    CloudEvent::new(text(id), text("/plo"), text("no.test"), None, data).unwrap()
}

#[tokio::test]
async fn an_event_that_comes_late_again_changes_nothing() {
    let town = Town::new();
    let plo = system("plo");
    let pulse = |beats| {
        let mut value = pulse(&fnr(0), None, beats);
        value.as_object_mut().unwrap().set("id", "p");
        value
    };
    let removal = || {
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
            { "request": { "method": "DELETE", "url": "Observation/p" } },
        ] })
    };
    let send = async |id: &str, data| {
        let mut receipts = town.tenant.submit_event(&plo, event(id, data)).await.unwrap();
        receipts.remove(0).unwrap()
    };
    assert_eq!(send("1", pulse(70)).await.result, Done::Created);
    assert_eq!(send("2", removal()).await.result, Done::Removed);
    assert_eq!(send("2", removal()).await.result, Done::Unchanged, "not `gone`");
    assert_eq!(send("3", pulse(72)).await.result, Done::Created, "brought back");
    for (id, data) in [("1", pulse(70)), ("2", removal()), ("3", pulse(72))] {
        let receipt = send(id, data).await;
        assert_eq!((receipt.result, receipt.version), (Done::Unchanged, id.parse().unwrap()));
    }
    assert_eq!(town.tenant.read(&plo, "Observation", "p").await.unwrap().version, 3);
    assert_eq!(town.end(), 3);
}

#[tokio::test]
async fn only_the_owner_corrects() {
    let town = Town::new();
    let (plo, lab) = (system("plo"), system("lab"));
    let made = town.create(&plo, pulse(&fnr(0), None, 70)).await;
    for operation in [
        put(&made.id, pulse(&fnr(0), None, 71), None),
        Operation::delete("Observation", made.id.clone()),
    ] {
        let refused = town.one(&lab, operation).await;
        let Err(Failure::Refused(refusal)) = refused else { panic!("refused") };
        assert_eq!(refusal.rule.code(), "not-owner");
    }
    let moved = town.one(&plo, put(&made.id, pulse(&fnr(1), None, 70), None)).await;
    assert!(matches!(moved, Err(Failure::Invalid(_))), "a record stays with its person");
    let persons = [fnr(0), fnr(1)].map(|number| town.tenant.person(&number).unwrap());
    assert_ne!(persons[0], persons[1], "a mistyped number makes nobody another");
    assert_eq!(town.end(), 1);
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart_and_a_rebuild() {
    let town = Town::new();
    let plo = system("plo");
    let made = town.create(&plo, pulse(&fnr(0), None, 70)).await;
    let gone = town.create(&plo, pulse(&fnr(1), None, 80)).await;
    town.one(&plo, Operation::delete("Observation", gone.id.clone())).await.unwrap();
    let Town { tenant, random, clock, dir } = town;
    let environment = Environment { clock, random };
    let register = Register::clone(&tenant.register());
    let before = tenant.read(&plo, "Observation", &made.id).await.unwrap().body;
    drop(tenant);
    assert_eq!(rebuild_view(dir.path(), register.clone(), environment.clone()).unwrap(), 3);
    let tenant = Tenant::open(dir.path(), register, environment).unwrap();
    assert_eq!(tenant.read(&plo, "Observation", &made.id).await.unwrap().body, before);
    let removed = tenant.read(&plo, "Observation", &gone.id).await;
    assert!(matches!(removed, Err(Failure::Removed(3))));
}
