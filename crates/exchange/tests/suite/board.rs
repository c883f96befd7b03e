//! The ward's board: who is on it, and word of changes.

use access::refusal::Rule;
use exchange::error::Failure;
use fhir::json;
use fhir::value::Value;
use record::identity::PersonId;
use record::system as systems;

use crate::town::{FNR, Town, WARD, case_worker, create, fnr, nurse, pulse, put, system};

/// A stay of person `n` at a site.
fn stay(n: u32, status: &str, end: Option<&str>, site: Value) -> Value {
    json!({
        "resourceType": "EpisodeOfCare",
        "status": status,
        "patient": { "identifier": { "system": FNR, "value": fnr(n) } },
        "managingOrganization": site,
        "period": { "start": "2026-02-01", "end": end },
    })
}

fn literal(id: &str) -> Value {
    json!({ "reference": format!("Organization/{id}") })
}

fn by_number(number: &str) -> Value {
    json!({ "identifier": { "system": systems::ENH, "value": number } })
}

/// A ward with a department, and a ward beside it.
async fn sites(town: &Town) {
    let site = |number: Option<&str>, parent: Option<&str>| {
        json!({
            "resourceType": "Organization",
            "identifier": number.map(|it| json!([{ "system": systems::ENH, "value": it }])),
            "name": "Et sted",
            "partOf": parent.map(literal),
        })
    };
    let plo = system("plo");
    for (id, resource) in [
        ("ward", site(Some(WARD), None)),
        ("room", site(None, Some("ward"))),
        ("elsewhere", site(Some("810000043"), None)),
    ] {
        town.one(&plo, put(id, resource, None)).await.unwrap();
    }
}

async fn on_board(town: &Town) -> Vec<PersonId> {
    let board = town.tenant.board(&nurse()).await.unwrap();
    board.patients.iter().map(|line| line.patient.person).collect()
}

#[tokio::test]
async fn the_board_holds_those_who_are_at_the_unit_and_nobody_else() {
    let town = Town::new();
    sites(&town).await;
    let plo = system("plo");
    let sent = [
        stay(0, "active", None, literal("ward")),
        stay(1, "active", None, literal("room")),
        stay(2, "active", None, by_number(WARD)),
        stay(3, "active", Some("2026-03-01"), literal("ward")),
        stay(4, "finished", None, literal("ward")),
        stay(5, "active", None, literal("elsewhere")),
        stay(6, "active", None, by_number("810000043")),
    ];
    for (n, resource) in sent.into_iter().enumerate() {
        town.one(&plo, put(&format!("stay-{n}"), resource, None)).await.unwrap();
    }
    let mut wanted: Vec<PersonId> = (0..3).map(|n| town.tenant.person(&fnr(n)).unwrap()).collect();
    let mut found = on_board(&town).await;
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
    let other = town.tenant.person(&fnr(5)).unwrap();
    let line = town.tenant.board_line(&nurse(), other).await;
    assert!(matches!(line, Err(Failure::NotFound)));
    let refused = town.tenant.board(&case_worker()).await;
    assert!(matches!(refused, Err(Failure::Refused(it)) if it.rule == Rule::PatientNotNamed));
}

#[tokio::test]
async fn a_watcher_is_told_of_measurements_arrivals_and_departures_at_the_unit_only() {
    let town = Town::new();
    sites(&town).await;
    let plo = system("plo");
    town.one(&plo, put("here", stay(0, "active", None, literal("ward")), None)).await.unwrap();
    let mut watch = town.tenant.clone().watch_board(&nurse()).await.unwrap();
    let person = |n| town.tenant.person(&fnr(n)).unwrap();
    let send = async |operation| town.one(&plo, operation).await.unwrap();
    send(create(pulse(&fnr(9), Some("a"), 80))).await;
    send(create(pulse(&fnr(0), Some("b"), 90))).await;
    assert_eq!(watch.next().await, Some(person(0)));
    send(put("comes", stay(1, "active", None, literal("ward")), None)).await;
    assert_eq!(watch.next().await, Some(person(1)));
    send(put("here", stay(0, "finished", None, literal("ward")), None)).await;
    assert_eq!(watch.next().await, Some(person(0)));
}
