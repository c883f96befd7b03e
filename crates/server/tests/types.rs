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

const AT: &str = "2026-03-01T08:00:00Z";

/// A smallest valid resource of each type that is about a person, without what names the person.
fn personal() -> Vec<(&'static str, &'static str, Value)> {
    let coded = |text: &str| json!({ "text": text });
    let money = json!({ "value": 150, "currency": "NOK" });
    vec![
        ("Account", "subject[]", json!({ "status": "active" })),
        ("AdverseEvent", "subject", json!({ "actuality": "actual", "date": AT })),
        (
            "AllergyIntolerance",
            "patient",
            json!({ "code": coded("Penicillin"), "clinicalStatus": {
            "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                         "code": "active" }] } }),
        ),
        (
            "Appointment",
            "participant",
            json!({ "status": "booked",
            "start": "2026-06-01T08:00:00Z", "end": "2026-06-01T08:30:00Z" }),
        ),
        (
            "AppointmentResponse",
            "actor",
            json!({ "appointment": { "display": "Time" },
            "participantStatus": "accepted" }),
        ),
        ("Basic", "subject", json!({ "code": coded("Turlogg") })),
        ("BodyStructure", "patient", json!({ "location": coded("Venstre fot") })),
        ("CarePlan", "subject", json!({ "status": "active", "intent": "plan" })),
        ("CareTeam", "subject", json!({ "status": "active" })),
        ("ChargeItem", "subject", json!({ "status": "billable", "code": coded("Konsultasjon") })),
        ("ClinicalImpression", "subject", json!({ "status": "completed" })),
        ("Communication", "subject", json!({ "status": "completed", "sent": AT })),
        (
            "Composition",
            "subject",
            json!({ "status": "final", "type": coded("Notat"), "date": AT,
            "author": [{ "display": "Lege" }], "title": "Notat" }),
        ),
        ("Condition", "subject", json!({ "code": coded("Hoftebrudd") })),
        (
            "Consent",
            "patient",
            json!({ "status": "active", "scope": coded("personvern"),
            "category": [coded("samtykke")], "policyRule": coded("lov") }),
        ),
        (
            "Coverage",
            "beneficiary",
            json!({ "status": "active", "payor": [{ "display": "Helfo" }] }),
        ),
        ("DetectedIssue", "patient", json!({ "status": "final" })),
        ("Device", "patient", json!({ "status": "active" })),
        (
            "DeviceRequest",
            "subject",
            json!({ "intent": "order",
            "codeCodeableConcept": coded("Rullator") }),
        ),
        ("DiagnosticReport", "subject", json!({ "status": "final", "code": coded("CRP") })),
        (
            "DocumentReference",
            "subject",
            json!({ "status": "current",
            "content": [{ "attachment": { "title": "Epikrise" } }] }),
        ),
        (
            "Encounter",
            "subject",
            json!({ "status": "finished", "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH" } }),
        ),
        ("EpisodeOfCare", "patient", json!({ "status": "active" })),
        (
            "FamilyMemberHistory",
            "patient",
            json!({ "status": "completed",
            "relationship": coded("mor") }),
        ),
        ("Flag", "subject", json!({ "status": "active", "code": coded("Fallfare") })),
        (
            "Goal",
            "subject",
            json!({ "lifecycleStatus": "active",
            "description": coded("Gå uten støtte") }),
        ),
        ("ImagingStudy", "subject", json!({ "status": "available" })),
        (
            "Immunization",
            "patient",
            json!({ "status": "completed",
            "vaccineCode": coded("Influensa"), "occurrenceDateTime": "2025-10-01" }),
        ),
        ("Invoice", "subject", json!({ "status": "issued", "totalNet": money })),
        ("List", "subject", json!({ "status": "current", "mode": "working" })),
        (
            "Media",
            "subject",
            json!({ "status": "completed",
            "content": { "title": "Sår" } }),
        ),
        (
            "MedicationAdministration",
            "subject",
            json!({ "status": "completed",
            "medicationCodeableConcept": coded("Paracet"), "effectiveDateTime": AT }),
        ),
        (
            "MedicationDispense",
            "subject",
            json!({ "status": "completed",
            "medicationCodeableConcept": coded("Paracet"), "whenHandedOver": AT }),
        ),
        (
            "MedicationRequest",
            "subject",
            json!({ "status": "active", "intent": "order",
            "medicationCodeableConcept": coded("Paracet") }),
        ),
        (
            "MedicationStatement",
            "subject",
            json!({ "status": "active",
            "medicationCodeableConcept": coded("Paracet") }),
        ),
        (
            "NutritionOrder",
            "patient",
            json!({ "status": "active", "intent": "order",
            "dateTime": AT, "oralDiet": { "instruction": "Kosttilskudd" } }),
        ),
        ("Observation", "subject", json!({ "status": "final", "code": coded("Hudfarge") })),
        ("Procedure", "subject", json!({ "status": "completed", "code": coded("Sårstell") })),
        ("QuestionnaireResponse", "subject", json!({ "status": "completed" })),
        ("RelatedPerson", "patient", json!({ "name": [{ "family": "Fjell" }] })),
        ("RiskAssessment", "subject", json!({ "status": "final" })),
        ("ServiceRequest", "subject", json!({ "status": "active", "intent": "order" })),
        ("Specimen", "subject", json!({ "status": "available" })),
        ("Task", "for", json!({ "status": "requested", "intent": "order" })),
    ]
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
            let parameter = if *kind == "AdverseEvent" { "subject" } else { "patient" };
            let form = format!("{parameter}={patient}");
            client.form(&format!("/9901/fhir/{kind}/_search"), &form)
        };
        assert_eq!(ids(&by(&id).matches()), [made.clone()], "{kind}");
        assert!(by(&other).matches().is_empty(), "{kind}");
        // The resident reads it all; a nurse on the ward only what is shared with the ward.
        server.resident(&one).get(&format!("/9901/fhir/{kind}/{made}")).expect(200);
        let nurse = server.role("sykepleier").get(&format!("/9901/fhir/{kind}/{made}"));
        let is_for_ward = ["EpisodeOfCare", "RelatedPerson"].contains(kind);
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
        let sent = about(kind, element, &resource, "Patient/1");
        let answer = server.role(role).post(&format!("/9901/fhir/{kind}"), &sent);
        assert_eq!(answer.rule(), "category-not-agreed", "{role}");
    }
}
