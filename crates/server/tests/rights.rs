//! Copies and requests through the public doors.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Client, Server, text};

fn parameters(pairs: &[(&str, &str)]) -> Value {
    let each = |(name, value): &(&str, &str)| json!({ "name": name, "valueString": value });
    json!({
        "resourceType": "Parameters",
        "parameter": pairs.iter().map(each).collect::<Vec<_>>(),
    })
}

/// The logical id of a person's Patient.
fn patient(server: &Server, pid: &str) -> String {
    let own = server.resident(pid).get("/9901/fhir/Patient").expect(200);
    text(&own["entry"][0]["resource"]["id"])
}

fn step(who: &Client, task: &str, pairs: &[(&str, &str)]) -> support::Answer {
    who.post(&format!("/9901/fhir/Task/{task}/$rights-step"), &parameters(pairs))
}

#[test]
fn a_request_goes_from_the_resident_to_the_owner_and_back() {
    let server = support::shared();
    let pid = person();
    let (me, owner) = (server.resident(&pid), server.role("utvikler"));
    let sent = owner.post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 61)).expect(201);
    let item = format!("Observation/{}", text(&sent["id"]));
    let id = patient(&server, &pid);
    let door = format!("/9901/fhir/Patient/{id}/$rights-request");
    let wanted = [("right", "rectification"), ("text", "Pulsen er 71."), ("item", item.as_str())];
    let task = me.post(&door, &parameters(&wanted)).expect(201);
    assert_eq!(
        (text(&task["status"]), text(&task["focus"]["reference"])),
        ("requested".to_owned(), item.clone())
    );
    assert!(
        text(&task["restriction"]["period"]["end"]) > text(&task["restriction"]["period"]["start"])
    );
    let task = text(&task["id"]);
    let search = "/9901/fhir/Task?status=requested&code=https://fkj.no/fhir/CodeSystem/rights-request%7Crectification";
    assert!(owner.get(search).matches().iter().any(|it| it["id"] == *task));
    assert_eq!(server.role("tavle").get(search).status, 403);
    assert_eq!(step(&me, &task, &[("step", "receive")]).status, 403);
    // Another source, though of the same municipality.
    assert_eq!(step(&server.role("plo-epj"), &task, &[("step", "receive")]).status, 404);
    for code in ["receive", "start"] {
        step(&owner, &task, &[("step", code)]).expect(200);
    }
    assert_eq!(step(&owner, &task, &[("step", "receive")]).status, 422);
    assert_eq!(step(&owner, &task, &[("step", "complete")]).status, 422);
    let mut corrected = pulse(&pid, "2026-01-05", 71);
    corrected["id"] = sent["id"].clone();
    let corrected = owner.put(&format!("/9901/fhir/{item}"), &corrected).expect(200);
    let version = format!("{item}/_history/{}", text(&corrected["meta"]["versionId"]));
    let done = step(&owner, &task, &[("step", "complete"), ("output", &version)]).expect(200);
    assert_eq!(text(&done["output"][0]["valueReference"]["reference"]), version);
    let seen = me.get(&format!("/9901/fhir/Task/{task}")).expect(200);
    assert_eq!(text(&seen["status"]), "completed");
    assert_eq!(seen["note"].as_array().unwrap().len(), 3);
    // What is for fewer to see is withheld at once, and asked of nobody.
    let restriction = parameters(&[("right", "restriction"), ("text", "Ingen skal se dette.")]);
    assert_eq!(me.post(&door, &restriction).status, 422);
    let again = parameters(&[("right", "information"), ("text", "Hvem får dette?")]);
    let again = me.post(&door, &again).expect(201);
    let back = step(&me, &text(&again["id"]), &[("step", "withdraw")]).expect(200);
    assert_eq!(text(&back["status"]), "cancelled");
    // No way around the steps.
    let mut forged = seen.clone();
    forged["status"] = json!("requested");
    for caller in [&me, &owner] {
        assert_eq!(caller.put(&format!("/9901/fhir/Task/{task}"), &forged).status, 422);
    }
}

#[test]
fn a_copy_is_a_bundle_or_a_document_and_is_in_the_log() {
    let server = support::shared();
    let pid = person();
    let me = server.resident(&pid);
    let sent =
        server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 61));
    let sent = sent.expect(201);
    let door = format!("/9901/fhir/Patient/{}/$copy", patient(&server, &pid));
    let copy = me.get(&door).expect(200);
    assert_eq!(text(&copy["type"]), "collection");
    let entries = copy["entry"].as_array().unwrap();
    let entry = entries.iter().find(|it| it["resource"]["id"] == sent["id"]).unwrap();
    let basis: Vec<String> = entry["extension"][0]["extension"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| text(&part["url"]))
        .collect();
    assert_eq!(basis, ["owner", "source", "category", "recorded", "legalBasis", "portable"]);
    let log = |entry: &&Value| entry["resource"]["resourceType"] == "AuditEvent";
    let last = entries.iter().find(log).unwrap();
    assert_eq!(text(&last["resource"]["subtype"][0]["code"]), "copy");
    let (status, kind, bytes) = me.file(&format!("{door}?_format=application/pdf"));
    assert_eq!((status, kind.as_str()), (200, "application/pdf"));
    assert!(bytes.starts_with(b"%PDF-1.7"));
    assert_eq!(me.get(&format!("{door}?_format=xml")).status, 406);
    assert_eq!(server.resident(&person()).get(&door).status, 403);
    for role in ["plo-epj", "legevaktslege", "sikkerhetsleder"] {
        assert_ne!(server.role(role).get(&door).status, 200, "{role}");
    }
}
