//! Bulk import and export: everything in, everything out, as it was when it was asked for.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::content::{count, person, pulse};
use support::{Answer, Client, FNR, Folder, Server, shared, text};
use ureq::http::Method;

const NDJSON: &str = "application/fhir+ndjson";

fn lines(resources: &[Value]) -> String {
    resources.iter().map(|resource| format!("{resource}\n")).collect()
}

/// A person with an id of the sender's choice, and so many measurements with ids.
fn record(measurements: usize) -> (String, Vec<Value>) {
    let (id, pid) = (format!("bulk-{}", count()), person());
    let patient = json!({ "resourceType": "Patient", "id": id,
        "identifier": [{ "system": FNR, "value": pid }] });
    let mut resources = vec![patient];
    for n in 0..measurements {
        let day = format!("2026-01-{:02}T08:00:00Z", 1 + n % 28);
        let mut pulse = pulse(&pid, &day, 60);
        pulse["id"] = json!(format!("{id}-{n}"));
        pulse["subject"] = json!({ "reference": format!("Patient/{id}") });
        resources.push(pulse);
    }
    (id, resources)
}

fn import(client: &Client, name: &str, body: impl Into<Vec<u8>>) -> Answer {
    client.post_as(&format!("/9901/fhir/$import?job={name}"), NDJSON, body)
}

fn said(answer: &Answer) -> String {
    text(&answer.expect(200)["issue"][0]["details"]["text"])
}

/// Asks for an export and gives the manifest.
fn manifest(client: &Client, path: &str) -> Value {
    let asked = client.send(
        Method::GET,
        &format!("/9901/fhir/{path}"),
        &[("prefer", "respond-async"), ("accept", "application/fhir+json")],
        None,
    );
    asked.expect(202);
    let status = asked.header("content-location").to_owned();
    let manifest = client.get(&status).expect(200);
    assert_eq!(manifest["requiresAccessToken"], true);
    manifest
}

/// The resources of all files of a list of the manifest.
fn fetched(client: &Client, list: &Value) -> Vec<Value> {
    let mut resources = Vec::new();
    for file in list.as_array().unwrap() {
        let answer = client.get(file["url"].as_str().unwrap());
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), NDJSON);
        for line in answer.text.lines() {
            let resource: Value = serde_json::from_str(line).unwrap();
            assert_eq!(resource["resourceType"], file["type"]);
            resources.push(resource);
        }
    }
    resources
}

fn ids(resources: &[Value]) -> BTreeSet<String> {
    resources.iter().map(|resource| text(&resource["id"])).collect()
}

#[test]
fn what_goes_in_comes_out() {
    let server = Server::demo(&Folder::new(), 0);
    let source = server.role("plo-epj");
    let (_, resources) = record(1_700);
    let answer = import(&source, "all", lines(&resources));
    assert_eq!(said(&answer), "1701 lines: 1701 created, 0 updated, 0 unchanged, 0 refused");
    let again = import(&source, "once-more", lines(&resources));
    assert_eq!(said(&again), "1701 lines: 0 created, 0 updated, 1701 unchanged, 0 refused");
    let manifest = manifest(&source, "$export?_type=Patient,Observation");
    let out = fetched(&source, &manifest["output"]);
    assert_eq!(ids(&out), ids(&resources));
    let of_others = manifest["output"][0]["url"].as_str().unwrap();
    assert_eq!(server.role("tavle").get(of_others).status, 404);
}

#[test]
fn a_line_that_is_refused_is_told_with_its_number_and_stops_no_other() {
    let server = shared();
    let source = server.role("plo-epj");
    let (id, mut resources) = record(3);
    resources[2]["colour"] = json!("red");
    let body =
        lines(&resources) + "not json\n\n" + &json!({ "resourceType": "Banana" }).to_string();
    let answer = import(&source, "faults", body);
    assert_eq!(said(&answer), "7 lines: 3 created, 0 updated, 0 unchanged, 3 refused");
    let outcome = answer.expect(200);
    let told: Vec<String> = outcome["issue"].as_array().unwrap()[1..]
        .iter()
        .map(|issue| {
            let says = text(&issue["details"]["text"]);
            format!("{}|{}", text(&issue["expression"][0]), says.split(':').next().unwrap())
        })
        .collect();
    assert_eq!(told, ["Observation.colour|line 3", "|line 5", "resourceType|line 7"]);
    assert_eq!(source.get(&format!("/9901/fhir/Observation/{id}-0")).status, 200);
    assert_eq!(source.get(&format!("/9901/fhir/Observation/{id}-1")).status, 404);
}

#[test]
fn an_import_that_broke_off_goes_on_where_it_was() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let (_, resources) = record(1_200);
    // The second half is missing, as when the connection breaks.
    let half: String = lines(&resources[..600]);
    import(&source, "broken", half).expect(200);
    server.kill();
    let server = Server::serve(&dir);
    let source = server.role("plo-epj");
    let answer = import(&source, "broken", lines(&resources));
    assert_eq!(said(&answer), "1201 lines: 1201 created, 0 updated, 0 unchanged, 0 refused");
    let status = source.get("/9901/fhir/$import/broken");
    assert_eq!(said(&status), said(&answer));
    assert_eq!(server.role("tavle").get("/9901/fhir/$import/broken").status, 404);
}

#[test]
fn a_line_without_a_name_of_its_own_is_not_made_twice() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let (_, resources) = record(40);
    let mut unnamed = resources.clone();
    for measurement in &mut unnamed[1..] {
        let measurement = measurement.as_object_mut().unwrap();
        measurement.remove("id");
        measurement.remove("identifier");
    }
    import(&source, "twice", lines(&unnamed)).expect(200);
    server.kill();
    // As after a crash that came before how far the import was had been written.
    std::fs::remove_dir_all(dir.path().join("9901/jobs")).unwrap();
    let server = Server::serve(&dir);
    let again = import(&server.role("plo-epj"), "twice", lines(&unnamed));
    assert_eq!(said(&again), "41 lines: 0 created, 0 updated, 41 unchanged, 0 refused");
}

#[test]
fn a_later_line_about_the_same_resource_wins() {
    let server = shared();
    let source = server.role("plo-epj");
    let (id, mut resources) = record(2);
    let mut later = resources[1].clone();
    later["valueQuantity"]["value"] = json!(99);
    resources.push(later);
    let answer = import(&source, "later", lines(&resources));
    assert_eq!(said(&answer), "4 lines: 3 created, 1 updated, 0 unchanged, 0 refused");
    let kept = source.get(&format!("/9901/fhir/Observation/{id}-0"));
    assert_eq!(kept.expect(200)["valueQuantity"]["value"], 99);
}

#[test]
fn an_export_is_as_it_was_when_it_was_asked_for() {
    let server = Server::demo(&Folder::new(), 0);
    let source = server.role("plo-epj");
    let (id, resources) = record(3);
    import(&source, "first", lines(&resources)).expect(200);
    let before = manifest(&source, "Patient/$export?_type=Observation");
    let first = format!("/9901/fhir/Observation/{id}-0");
    let mut changed = resources[1].clone();
    changed["valueQuantity"]["value"] = json!(99);
    source.put(&first, &changed).expect(200);
    source.send(Method::DELETE, &format!("/9901/fhir/Observation/{id}-1"), &[], None);
    let later = record(1).1;
    import(&source, "later", lines(&later)).expect(200);
    let out = fetched(&source, &before["output"]);
    assert_eq!(ids(&out), ids(&resources[1..]));
    let values: BTreeSet<i64> =
        out.iter().map(|it| it["valueQuantity"]["value"].as_i64().unwrap()).collect();
    assert_eq!(values, BTreeSet::from([60]));
    // What has happened since.
    let since = text(&before["transactionTime"]);
    let after = manifest(&source, &format!("$export?_type=Observation&_since={since}"));
    let out = fetched(&source, &after["output"]);
    let expected = BTreeSet::from([format!("{id}-0"), text(&later[1]["id"])]);
    assert_eq!(ids(&out), expected);
    let removed = fetched(&source, &after["deleted"]);
    let urls: Vec<&Value> = removed.iter().map(|it| &it["entry"][0]["request"]["url"]).collect();
    assert_eq!(urls, [&json!(format!("Observation/{id}-1"))]);
}

#[test]
fn bad_requests_are_told_why() {
    let server = shared();
    let source = server.role("plo-epj");
    for (path, says) in [
        ("$export?_type=Banana", "resource type"),
        ("$export?_since=yesterday", "_since"),
        ("$export?_outputFormat=csv", "_outputFormat"),
    ] {
        assert!(source.get(&format!("/9901/fhir/{path}")).issue(400).contains(says));
    }
    let answer = source.post_as("/9901/fhir/$import", NDJSON, "{}");
    assert!(answer.issue(400).contains("job="));
    assert_eq!(source.post_as("/9901/fhir/$import?job=a", "text/csv", "a").status, 415);
    assert_eq!(source.get("/9901/export/none").status, 404);
    assert_eq!(server.role("legevaktslege").get("/9901/fhir/$export").status, 422);
    assert_eq!(server.client(None).get("/9901/fhir/$export").status, 401);
}
