//! What vendors send as FHIR: one resource, batch, transaction and collection, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{bundle, count, person, pulse, vital};
use support::{FNR, issue, shared, text};
use ureq::http::Method;

const AT: &str = "2026-01-05T10:00:00+01:00";

#[test]
fn a_created_resource_is_read_back_as_it_was_sent() {
    let server = shared();
    let source = server.role("tavle");
    let sent = pulse(&person(), AT, 72);
    let created = source.post("/9901/fhir/Observation", &sent);
    let receipt = created.expect(201);
    let id = text(&receipt["id"]);
    let version = text(&receipt["meta"]["versionId"]);
    assert_eq!(created.header("etag"), format!("W/\"{version}\""));
    let place = format!("/9901/fhir/Observation/{id}/_history/{version}");
    assert_eq!(created.header("location"), source.at(&place));
    let read = source.get(&format!("/9901/fhir/Observation/{id}"));
    assert_eq!(read.header("etag"), created.header("etag"));
    assert_eq!(read.header("cache-control"), "no-store");
    let mut got = read.expect(200);
    let got = got.as_object_mut().unwrap();
    assert_eq!(got.remove("id"), Some(json!(id)));
    assert_eq!(got.remove("meta").unwrap()["versionId"], version.as_str());
    assert_eq!(Value::Object(got.clone()), sent);
}

#[test]
fn sending_again_changes_nothing_and_other_content_under_the_same_id_is_a_conflict() {
    let server = shared();
    let source = server.role("tavle");
    let sent = pulse(&person(), AT, 72);
    let first = source.post("/9901/fhir/Observation", &sent);
    first.expect(201);
    let again = source.post("/9901/fhir/Observation", &sent);
    again.expect(200);
    assert_eq!(again.header("location"), first.header("location"));
    let mut other = sent.clone();
    other["valueQuantity"]["value"] = json!(73);
    let issue = source.post("/9901/fhir/Observation", &other).issue(409);
    assert!(issue.starts_with("duplicate|"), "{issue}");
    // With a header of its own the event is named by the source, whatever the content says.
    let headers = [("content-type", "application/fhir+json"), ("nhn-event-id", "event-4711")];
    let named = |body: &Value| {
        let body = Some(body.to_string().into_bytes());
        source.send(Method::POST, "/9901/fhir/Observation", &headers, body)
    };
    named(&other).expect(201);
    named(&other).expect(200);
    named(&sent).issue(409);
}

#[test]
fn a_put_makes_versions_and_an_older_one_cannot_overwrite() {
    let server = shared();
    let source = server.role("tavle");
    let id = format!("put-{}", count());
    let path = format!("/9901/fhir/Observation/{id}");
    let mut sent = pulse(&person(), AT, 72);
    sent["id"] = json!(id);
    let first = source.put(&path, &sent);
    first.expect(201);
    assert_eq!(source.put(&path, &sent).header("etag"), first.header("etag"));
    sent["status"] = json!("amended");
    let second = source.put(&path, &sent);
    second.expect(200);
    assert_ne!(second.header("etag"), first.header("etag"));
    sent["status"] = json!("corrected");
    let with = |etag: &str| {
        let headers = [("content-type", "application/fhir+json"), ("if-match", etag)];
        source.send(Method::PUT, &path, &headers, Some(sent.to_string().into_bytes()))
    };
    let stale = with(first.header("etag"));
    assert!(stale.issue(412).starts_with("conflict|"));
    with(second.header("etag")).expect(200);
    let elsewhere = source.put("/9901/fhir/Observation/another", &sent);
    assert!(elsewhere.issue(400).contains("|Observation.id|"));
}

#[test]
fn a_removed_resource_is_gone_until_its_owner_sends_it_again() {
    let server = shared();
    let source = server.role("tavle");
    let id =
        text(&source.post("/9901/fhir/Observation", &pulse(&person(), AT, 60)).expect(201)["id"]);
    let path = format!("/9901/fhir/Observation/{id}");
    for _ in 0..2 {
        source.send(Method::DELETE, &path, &[], None).expect(204);
    }
    assert!(source.get(&path).issue(410).starts_with("deleted|"));
    let history = source.get(&format!("{path}/_history")).expect(200);
    let methods: Vec<&Value> =
        history["entry"].as_array().unwrap().iter().map(|it| &it["request"]["method"]).collect();
    assert_eq!(methods, ["DELETE", "PUT"]);
}

#[test]
fn in_a_batch_each_entry_stands_for_itself() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let (good, mut bad) = (pulse(&pid, AT, 60), pulse(&pid, AT, 61));
    bad["status"] = json!("unheard-of");
    let entries = [("POST", "Observation", &good), ("POST", "Observation", &bad)];
    let response = source.post("/9901/fhir", &bundle("batch", &entries)).expect(200);
    assert_eq!(response["type"], "batch-response");
    assert_eq!(response["entry"][0]["response"]["status"], "201 Created");
    assert_eq!(response["entry"][1]["response"]["status"], "422 Unprocessable Entity");
    let told = issue(&response["entry"][1]["response"]["outcome"]);
    assert!(told.contains("|Bundle.entry[1].resource.status|"), "{told}");
    let form = format!("patient.identifier={FNR}|{pid}");
    assert_eq!(source.form("/9901/fhir/Observation/_search", &form).matches().len(), 1);
}

#[test]
fn a_transaction_is_kept_whole_or_not_at_all() {
    let server = shared();
    let source = server.role("plo-epj");
    for kind in ["transaction", "collection"] {
        let pid = person();
        let (good, mut bad) = (pulse(&pid, AT, 60), pulse(&pid, AT, 61));
        bad["valueQuantity"]["value"] = json!("sixty");
        let entries = [("POST", "Observation", &good), ("POST", "Observation", &bad)];
        let issue = source.post("/9901/fhir", &bundle(kind, &entries)).issue(422);
        let place = "|Bundle.entry[1].resource.valueQuantity.value|";
        assert!(issue.contains(place), "{kind}: {issue}");
        let form = format!("patient.identifier={FNR}|{pid}");
        let found = || source.form("/9901/fhir/Observation/_search", &form).matches().len();
        assert_eq!(found(), 0, "{kind}");
        let entries = [("POST", "Observation", &good), ("POST", "Observation", &good)];
        source.post("/9901/fhir", &bundle(kind, &entries[..1])).expect(200);
        assert_eq!(found(), 1, "{kind}");
    }
}

/// A patient, a service and the decision behind it, which refer to each other inside the Bundle.
fn linked(pid: &str) -> Value {
    let delivery = count();
    let (patient, service, decision) = ("urn:uuid:p", "urn:uuid:s", "urn:uuid:d");
    let own = |name: &str| json!([{ "system": "urn:test", "value": format!("{name}-{delivery}") }]);
    let entry = |url: &str, resource: Value| {
        let kind = resource["resourceType"].clone();
        json!({ "fullUrl": url, "resource": resource,
                "request": { "method": "POST", "url": kind } })
    };
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        entry(service, json!({
            "resourceType": "EpisodeOfCare", "identifier": own("s"), "status": "active",
            "patient": { "reference": patient }, "referralRequest": [{ "reference": decision }],
            "type": [{ "coding": [{ "system": "urn:oid:2.16.578.1.12.4.1.1.9151", "code": "15" }] }],
            "period": { "start": "2025-01-01" },
        })),
        entry(decision, json!({
            "resourceType": "ServiceRequest", "identifier": own("d"), "status": "active",
            "intent": "order", "subject": { "reference": patient }, "authoredOn": "2024-12-20",
        })),
        entry(patient, json!({
            "resourceType": "Patient", "identifier": [{ "system": FNR, "value": pid }],
            "name": [{ "family": "Prøve" }],
        })),
    ] })
}

#[test]
fn references_inside_a_transaction_lead_to_what_was_stored() {
    let server = shared();
    let source = server.role("plo-epj");
    let sent = linked(&person());
    let response = source.post("/9901/fhir", &sent).expect(200);
    let place = |at: usize| {
        let location = text(&response["entry"][at]["response"]["location"]);
        location.split("/_history").next().unwrap().to_owned()
    };
    let service = source.get(&format!("/9901/fhir/{}", place(0))).expect(200);
    assert_eq!(service["patient"]["reference"], place(2));
    assert_eq!(service["referralRequest"][0]["reference"], place(1));
    // The same delivery again is the same delivery.
    let again = source.post("/9901/fhir", &sent).expect(200);
    for at in 0..3 {
        let (first, second) = (&response["entry"][at]["response"], &again["entry"][at]["response"]);
        assert_eq!(first["location"], second["location"], "entry {at}");
        assert_eq!(second["status"], "200 OK", "entry {at}");
    }
}

#[test]
fn malformed_json_is_told_by_line_and_column() {
    let server = shared();
    let source = server.role("tavle");
    let body = "{\n  \"resourceType\": \"Observation\",\n  \"status\": final\n}";
    let path = "/9901/fhir/Observation";
    let issue = source.post_as(path, "application/fhir+json", body).issue(400);
    assert!(issue.contains("line 3, column 13"), "{issue}");
    let twice = "{\"resourceType\":\"Observation\",\"status\":\"final\",\"status\":\"final\"}";
    let issue = source.post_as(path, "application/fhir+json", twice).issue(400);
    assert!(issue.contains("line 1, column "), "{issue}");
    let issue = source.post_as(path, "text/plain", "hei").issue(415);
    assert!(issue.starts_with("not-supported|"), "{issue}");
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_path_and_never_kept() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let good = pulse(&pid, AT, 60);
    let number =
        |number: &str| json!({ "subject": { "identifier": { "system": FNR, "value": number } } });
    let effective = |value: Value| json!({ "effectiveDateTime": value });
    let nobody = json!({ "subject": { "reference": "Patient/nobody" } });
    let subject = "value|Observation.subject.identifier.value|";
    let cases = [
        ("a wrong type", effective(json!(20260105)), "|Observation.effectiveDateTime|"),
        ("a wrong date", effective(json!("5.1.2026")), "|Observation.effectiveDateTime|"),
        ("a future date", effective(json!("2099-01-01")), "|Observation.effectiveDateTime|"),
        ("an unknown code", json!({ "status": "ferdig" }), "|Observation.status|"),
        ("too short a number", number("1000807"), subject),
        ("wrong check digits", number("28894698965"), subject),
        ("a number that may be real", number("21030550231"), subject),
        ("nobody", json!({ "subject": null }), "required|Observation.subject|"),
        ("somebody unknown", nobody, "not-found|Observation.subject.reference|"),
        ("an unknown element", json!({ "pulse": 1 }), "|Observation.pulse|"),
    ];
    for (what, change, place) in cases {
        let mut resource = good.clone();
        let members = resource.as_object_mut().unwrap();
        members.extend(change.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        let issue = source.post("/9901/fhir/Observation", &resource).issue(422);
        assert!(issue.contains(place), "{what}: {issue}");
        assert!(!record::identity::contains_number(&issue), "{what}: {issue}");
    }
    let form = format!("patient.identifier={FNR}|{pid}");
    assert_eq!(source.form("/9901/fhir/Observation/_search", &form).matches().len(), 0);
}

#[test]
fn the_address_and_the_resource_must_say_the_same_type_and_one_that_is_agreed() {
    let server = shared();
    let source = server.role("plo-epj");
    let sent = pulse(&person(), AT, 60);
    let issue = source.post("/9901/fhir/Patient", &sent).issue(400);
    assert!(issue.contains("|resourceType|"), "{issue}");
    source.post("/9901/fhir/Pulse", &sent).issue(404);
    let appointment = json!({ "resourceType": "Appointment", "status": "booked",
        "participant": [{ "status": "accepted", "actor": { "display": "A" } }] });
    let answer = source.post("/9901/fhir/Appointment", &appointment);
    assert_eq!(answer.rule(), "category-not-agreed");
    // A service names its patient in another element than a measurement.
    let episode = json!({ "resourceType": "EpisodeOfCare", "status": "active",
        "patient": { "reference": "Patient/nobody" } });
    let issue = source.post("/9901/fhir/EpisodeOfCare", &episode).issue(422);
    assert!(issue.starts_with("not-found|EpisodeOfCare.patient.reference|"), "{issue}");
}

#[test]
fn more_than_ten_megabytes_is_refused_before_it_is_read() {
    let server = shared();
    let source = server.role("tavle");
    let mut large = pulse(&person(), AT, 60);
    large["note"] = json!([{ "text": "x".repeat(11 << 20) }]);
    let headers = [("content-type", "application/fhir+json"), ("expect", "100-continue")];
    let body = large.to_string().into_bytes();
    let answer = source.send(Method::POST, "/9901/fhir/Observation", &headers, Some(body));
    assert!(answer.issue(413).starts_with("too-long|"), "{}", answer.text);
    // A string may have 1 MB.
    large["note"] = json!(vec![json!({ "text": "x".repeat(1 << 20) }); 9]);
    source.post("/9901/fhir/Observation", &large).expect(201);
    large["note"] = json!([{ "text": "x".repeat((1 << 20) + 1) }]);
    let refused = source.post("/9901/fhir/Observation", &large).issue(422);
    assert!(refused.starts_with("value|Observation.note[0].text|"), "{refused}");
}

#[test]
fn one_person_is_one_person_by_identifier_and_by_reference() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let patient = json!({ "resourceType": "Patient",
        "identifier": [{ "system": FNR, "value": pid }], "name": [{ "family": "Prøve" }] });
    let id = text(&source.post("/9901/fhir/Patient", &patient).expect(201)["id"]);
    let codes = [("http://snomed.info/sct", "364075005")];
    let value = json!({ "valueQuantity": { "value": 61, "unit": "/min",
        "system": "http://unitsofmeasure.org", "code": "/min" } });
    let mut literal = vital(&pid, AT, &codes, value);
    literal["subject"] = json!({ "reference": format!("Patient/{id}") });
    source.post("/9901/fhir/Observation", &literal).expect(201);
    source.post("/9901/fhir/Observation", &pulse(&pid, AT, 60)).expect(201);
    for query in [
        format!("patient={id}"),
        format!("subject=Patient/{id}"),
        format!("patient.identifier={FNR}|{pid}"),
        format!("patient:identifier={FNR}|{pid}"),
    ] {
        let found = source.form("/9901/fhir/Observation/_search", &query).matches();
        assert_eq!(found.len(), 2, "{query}");
    }
    // The same Patient again is a new version of it and no double.
    let mut moved = patient.clone();
    moved["address"] = json!([{ "city": "Dalfjord" }]);
    let again = source.post("/9901/fhir/Patient", &moved).expect(200);
    assert_eq!(text(&again["id"]), id);
}
