//! An ordinary client's resources of many types: written with the token of a system under
//! development, read back, and found by their patient.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::person;
use support::{FNR, ids, shared, text};

/// A smallest valid resource of each type that is about a person, without what names the person,
/// and the element that does.
fn personal() -> Vec<(String, String, Value)> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("types.json")).unwrap();
    let row = |row: Value| (text(&row["type"]), text(&row["patient"]), row["resource"].clone());
    rows.into_iter().map(row).collect()
}

/// The resource with what names its person.
fn about(kind: &str, element: &str, resource: &Value, patient: &str) -> Value {
    let mut resource = resource.clone();
    resource["resourceType"] = json!(kind);
    let reference = json!({ "reference": patient });
    match element.strip_suffix("[]") {
        Some(element) => resource[element] = json!([reference]),
        None if element == "participant" => {
            resource["participant"] = json!([{ "actor": reference, "status": "accepted" }]);
        }
        None => resource[element] = reference,
    }
    resource
}

#[test]
fn a_resource_of_any_type_is_written_read_back_and_found_by_its_patient() {
    let server = shared();
    let client = server.role("utvikler");
    let patient = |pid: &str| {
        let sent = json!({ "resourceType": "Patient",
            "identifier": [{ "system": FNR, "value": pid }] });
        text(&client.post("/9901/fhir/Patient", &sent).expect(201)["id"])
    };
    let (one, other) = (person(), person());
    let (id, other) = (patient(&one), patient(&other));
    let types = personal();
    assert!(types.len() > 40);
    for (kind, element, resource) in &types {
        let sent = about(kind, element, resource, &format!("Patient/{id}"));
        let made = client.post(&format!("/9901/fhir/{kind}"), &sent).expect(201);
        let made = text(&made["id"]);
        let got = client.get(&format!("/9901/fhir/{kind}/{made}")).expect(200);
        assert_eq!(got[element.trim_end_matches("[]")], sent[element.trim_end_matches("[]")]);
        let by = |patient: &str| {
            let parameter = if kind == "AdverseEvent" { "subject" } else { "patient" };
            let form = format!("{parameter}={patient}");
            client.form(&format!("/9901/fhir/{kind}/_search"), &form)
        };
        assert_eq!(ids(&by(&id).matches()), std::slice::from_ref(&made), "{kind}");
        assert!(by(&other).matches().is_empty(), "{kind}");
        // The resident reads it all; a nurse on the ward only what is shared with the ward.
        server.resident(&one).get(&format!("/9901/fhir/{kind}/{made}")).expect(200);
        let nurse = server.role("sykepleier").get(&format!("/9901/fhir/{kind}/{made}"));
        let is_for_ward = ["EpisodeOfCare", "RelatedPerson"].contains(&kind.as_str());
        assert_eq!(nurse.status, if is_for_ward { 200 } else { 403 }, "{kind}");
    }
}

#[test]
fn what_is_about_nobody_is_written_and_read_back() {
    let server = shared();
    let client = server.role("utvikler");
    let draft = |kind: &str| json!({ "resourceType": kind, "status": "draft" });
    let mut system = draft("CodeSystem");
    system["content"] = json!("not-present");
    let all = [
        draft("Questionnaire"),
        draft("PlanDefinition"),
        draft("ValueSet"),
        system,
        json!({ "resourceType": "Medication", "code": { "text": "Paracet 500 mg" } }),
        json!({ "resourceType": "Schedule", "actor": [{ "display": "Fastvakt" }] }),
        json!({ "resourceType": "Group", "type": "person", "actual": true }),
        json!({ "resourceType": "Device", "status": "active" }),
        json!({ "resourceType": "Organization", "name": "Sone 1" }),
        json!({ "resourceType": "Parameters" }),
    ];
    for sent in all {
        let kind = text(&sent["resourceType"]);
        let id = text(&client.post(&format!("/9901/fhir/{kind}"), &sent).expect(201)["id"]);
        client.get(&format!("/9901/fhir/{kind}/{id}")).expect(200);
        let found = client.get(&format!("/9901/fhir/{kind}?_id={id}")).matches();
        assert_eq!(ids(&found), [id], "{kind}");
    }
}

#[test]
fn a_system_with_fewer_categories_gains_nothing_by_there_being_more() {
    let server = shared();
    // An Observation without a category is a finding, and no measurement.
    let more = [
        ("vkp", "Condition"),
        ("vkp", "Observation"),
        ("tavle", "Appointment"),
        ("plo-epj", "Task"),
    ];
    for (role, kind) in more {
        let (_, element, resource) = personal().into_iter().find(|(it, ..)| *it == kind).unwrap();
        let sent = about(kind, &element, &resource, "Patient/1");
        let answer = server.role(role).post(&format!("/9901/fhir/{kind}"), &sent);
        assert_eq!(answer.rule(), "category-not-agreed", "{role}");
    }
}
