//! Nothing is told before it is written down that somebody was told.

use std::sync::atomic::Ordering;

use exchange::error::Failure;
use exchange::history::History;
use exchange::overview::Looks;
use fhir::query::Query;
use ledger::append::Body;

use crate::town::{FOUNDED, Town, case_worker, fnr, patient, pulse, resident, system};

fn query(kind: &str, number: &str) -> Query {
    Query::parse(kind, &[("patient.identifier".to_owned(), number.to_owned())]).unwrap()
}

/// Does each thing that tells of a person, and says by name what was told.
async fn ask_all(town: &Town, number: &str, id: &str) -> Vec<(&'static str, Result<(), Failure>)> {
    let (tenant, caller) = (&town.tenant, case_worker());
    let person = tenant.person(number).unwrap();
    let history = History::read(Some("Observation"), Some(id.to_owned()), &Vec::new(), true);
    let history = history.unwrap();
    vec![
        ("read", tenant.read(&caller, "Observation", id).await.map(drop)),
        ("vread", tenant.vread(&caller, "Observation", id, FOUNDED + 1).await.map(drop)),
        ("history", tenant.history(&caller, &history).await.map(drop)),
        ("search", tenant.search(&caller, query("Observation", number), None).await.map(drop)),
        ("overview", tenant.overview(&caller, person).await.map(drop)),
        ("news2", tenant.news2(&caller, person).await.map(drop)),
        ("patient", tenant.patient(&caller, person).await.map(drop)),
        ("okt-events", tenant.okt_events(&caller, number).await.map(drop)),
        ("okt-status", tenant.okt_status(&caller, number).await.map(drop)),
        (
            "access-log",
            tenant.access_log(&resident(number), person, Looks::All, 500).await.map(drop),
        ),
    ]
}

#[tokio::test]
async fn every_look_is_in_the_residents_log() {
    let town = Town::new();
    let plo = system("plo");
    let number = fnr(0);
    let made = town.create(&plo, pulse(&number, None, 70)).await;
    town.create(&plo, patient(&[(crate::town::FNR, &number)], "Ås")).await;
    let mut wanted = vec!["submit-fhir", "submit-fhir"];
    for (action, told) in ask_all(&town, &number, &made.id).await {
        told.unwrap();
        wanted.push(action);
    }
    let person = town.tenant.person(&number).unwrap();
    let mut log =
        town.tenant.access_log(&resident(&number), person, Looks::All, 500).await.unwrap();
    log.reverse();
    assert_eq!(log.iter().map(|line| line.action.as_str()).collect::<Vec<_>>(), wanted);
    let look = log.iter().find(|line| line.action == "overview").unwrap();
    assert_eq!(look.who, "Saksbehandler Vedtaksen");
    assert_eq!(
        (look.role.as_str(), look.purpose.as_str(), look.organisation.as_str()),
        ("saksbehandler", "COC", "Tildelingskontoret")
    );
    assert_eq!(look.categories, ["services", "decisions", "organisation", "demographics"]);
    let other = town.tenant.person(&fnr(1)).unwrap();
    assert!(
        town.tenant
            .access_log(&resident(&fnr(1)), other, Looks::All, 500)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_refusal_is_written_down_too() {
    let town = Town::new();
    let number = fnr(0);
    town.create(&system("plo"), pulse(&number, None, 70)).await;
    let person = town.tenant.person(&number).unwrap();
    let refused = town.tenant.overview(&resident(&fnr(1)), person).await;
    assert!(matches!(refused, Err(Failure::Refused(_))));
    let log = town.tenant.access_log(&resident(&number), person, Looks::All, 500).await.unwrap();
    assert_eq!((log[0].refused.as_deref(), log[0].action.as_str()), (Some("not-self"), "overview"));
    let end = town.tenant.audit().head().unwrap().position;
    town.one(&case_worker(), crate::town::create(pulse(&number, None, 71))).await.unwrap_err();
    let record = town.tenant.audit().record(end + 1).unwrap().unwrap();
    let Body::Plain(body) = record.body else { panic!("the audit ledger is not erased") };
    assert!(String::from_utf8(body).unwrap().contains("\"refused\":\"not-a-system\""));
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_told() {
    let town = Town::new();
    let number = fnr(0);
    let made = town.create(&system("plo"), pulse(&number, None, 70)).await;
    let end = town.tenant.audit().head().unwrap().position;
    town.random.closed.store(true, Ordering::SeqCst);
    for (action, told) in ask_all(&town, &number, &made.id).await {
        assert!(matches!(told, Err(Failure::Unavailable(_))), "{action} was told");
    }
    let person = town.tenant.person(&number).unwrap();
    let refused = town.tenant.overview(&resident(&fnr(1)), person).await;
    assert!(matches!(refused, Err(Failure::Unavailable(_))), "nor is a refusal");
    assert_eq!(town.tenant.audit().head().unwrap().position, end);
    town.random.closed.store(false, Ordering::SeqCst);
    assert!(town.tenant.overview(&case_worker(), person).await.is_ok(), "it recovers");
}

#[tokio::test]
async fn a_search_that_names_nobody_stands_in_the_log_of_everybody_it_showed() {
    let town = Town::new();
    let plo = system("plo");
    for n in 0..2 {
        town.create(&plo, pulse(&fnr(n), None, 70)).await;
    }
    let all = Query::parse("Observation", &[]).unwrap();
    assert_eq!(town.tenant.search(&plo, all, None).await.unwrap().matches.len(), 2);
    for n in 0..2 {
        let person = town.tenant.person(&fnr(n)).unwrap();
        let log =
            town.tenant.access_log(&resident(&fnr(n)), person, Looks::All, 500).await.unwrap();
        let actions: Vec<_> = log.iter().map(|line| line.action.as_str()).collect();
        assert_eq!(actions, ["search", "submit-fhir"]);
    }
}

#[tokio::test]
async fn an_include_that_is_refused_is_written_down_too() {
    let town = Town::new();
    let include = ("_revinclude".to_owned(), "EpisodeOfCare:organization".to_owned());
    let query = Query::parse("Organization", &[include]).unwrap();
    let before = town.tenant.audit().head().unwrap().position;
    let refused = town.tenant.search(&case_worker(), query, None).await.map(drop);
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    let record = town.tenant.audit().record(before + 1).unwrap().unwrap();
    let Body::Plain(body) = record.body else { panic!("sealed for nobody") };
    let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["refused"], "patient-not-named");
}
