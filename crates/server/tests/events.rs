//! CloudEvents 1.0: structured, binary and batched mode, with FHIR and with OKT as data.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{bundle, count, person, pulse};
use support::{Answer, Client, FNR, issue, shared, text};
use ureq::http::Method;

const AT: &str = "2026-01-05T10:00:00+01:00";
const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json; charset=utf-8";

fn event(id: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "urn:test:epj", "type": "no.test.recorded",
        "time": AT, "datacontenttype": "application/fhir+json", "data": data,
    })
}

fn send(source: &Client, kind: &str, body: &Value) -> Answer {
    source.post_as("/9901/events", kind, body.to_string())
}

fn status(answer: &Answer, at: usize) -> String {
    text(&answer.expect(200)["entry"][at]["response"]["status"])
}

#[test]
fn a_structured_event_is_taken_once_and_contradicts_itself_never() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let id = format!("a{}", count());
    let sent = event(&id, pulse(&pid, AT, 60));
    let first = send(&source, STRUCTURED, &sent);
    assert_eq!(status(&first, 0), "201 Created");
    let again = send(&source, STRUCTURED, &sent);
    assert_eq!(status(&again, 0), "200 OK");
    let location = |it: &Answer| it.expect(200)["entry"][0]["response"]["location"].clone();
    assert_eq!(location(&first), location(&again));
    let other = send(&source, STRUCTURED, &event(&id, pulse(&pid, AT, 61)));
    assert!(other.issue(409).starts_with("duplicate|"));
    // Another source's event may have the same id.
    let mut elsewhere = event(&id, pulse(&pid, AT, 62));
    elsewhere["source"] = json!("urn:test:other");
    assert_eq!(status(&send(&source, STRUCTURED, &elsewhere), 0), "201 Created");
}

#[test]
fn a_binary_event_has_its_attributes_in_headers() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let id = format!("b{}", count());
    let body = pulse(&pid, AT, 60).to_string().into_bytes();
    let mut headers = vec![
        ("content-type", "application/fhir+json"),
        ("ce-specversion", "1.0"),
        ("ce-id", &id),
        ("ce-source", "urn:test:epj"),
        ("ce-type", "no.test.recorded"),
        ("ce-time", AT),
    ];
    let post = |headers: &[(&str, &str)]| {
        source.send(Method::POST, "/9901/events", headers, Some(body.clone()))
    };
    assert_eq!(status(&post(&headers), 0), "201 Created");
    assert_eq!(status(&post(&headers), 0), "200 OK");
    headers.retain(|(name, _)| *name != "ce-source");
    assert!(post(&headers).issue(422).contains("|source|"));
    assert!(post(&[("content-type", "application/json")]).issue(400).contains("ce-specversion"));
}

#[test]
fn in_a_batch_of_events_each_is_answered_for_itself() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let okt = json!({ "personIdentifier": pid, "oktMessages": [
        { "startDate": "2025-01-01", "iplosCode": { "iplosCodeValue": "15" } },
        { "startDate": "2025-02-01", "iplosCode": { "iplosCodeValue": "06" } },
    ] });
    let mut late = event(&format!("c{}", count()), pulse(&pid, AT, 60));
    late["data"]["effectiveDateTime"] = json!("2099-01-01");
    let vital = pulse(&pid, AT, 61);
    let several = bundle("batch", &[("POST", "Observation", &vital)]);
    let id = |name: &str| format!("{name}{}", count());
    let events = json!([event(&id("d"), okt), late, event(&id("e"), several)]);
    let answer = send(&source, BATCH, &events);
    let statuses: Vec<String> = (0..4).map(|at| status(&answer, at)).collect();
    let expected = ["201 Created", "201 Created", "422 Unprocessable Entity", "201 Created"];
    assert_eq!(statuses, expected);
    let told = issue(&answer.expect(200)["entry"][2]["response"]["outcome"]);
    assert!(told.contains("|data.effectiveDateTime|"), "{told}");
    let again = send(&source, BATCH, &events);
    let statuses: Vec<String> = (0..4).map(|at| status(&again, at)).collect();
    assert_eq!(statuses, ["200 OK", "200 OK", "422 Unprocessable Entity", "200 OK"]);
    let form = format!("patient.identifier={FNR}|{pid}");
    assert_eq!(source.form("/9901/fhir/EpisodeOfCare/_search", &form).matches().len(), 2);
    assert_eq!(source.form("/9901/fhir/Observation/_search", &form).matches().len(), 1);
}

#[test]
fn an_event_that_breaks_cloudevents_is_told_which_attribute() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let good = event("x", pulse(&pid, AT, 60));
    for (attribute, value) in [
        ("specversion", json!("0.3")),
        ("id", json!("")),
        ("source", Value::Null),
        ("type", Value::Null),
        ("time", json!("2099-01-01T00:00:00Z")),
        ("time", json!("i dag")),
        ("data", json!({ "hello": "world" })),
    ] {
        let mut wrong = good.clone();
        wrong[attribute] = value;
        let issue = send(&source, STRUCTURED, &wrong).issue(422);
        assert!(issue.contains(&format!("|{attribute}|")), "{attribute}: {issue}");
    }
    // Event ids are kept in the clear, so they name nobody.
    let issue = send(&source, STRUCTURED, &event(&format!("id-{pid}"), pulse(&pid, AT, 60)));
    assert!(!issue.issue(422).contains(&pid));
    assert!(send(&source, BATCH, &json!({})).issue(400).contains("array"));
    let form = format!("patient.identifier={FNR}|{pid}");
    assert_eq!(source.form("/9901/fhir/Observation/_search", &form).matches().len(), 0);
}
