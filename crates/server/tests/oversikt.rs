//! `$oversikt`: one picture of a patient from the platform and the stand-ins for national sources, whole and with
//! every fault, for the people that a situation is for.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{person, pulse, withholding};
use support::{Client, FNR, Folder, Server, text};

const SOURCES: [&str; 4] = ["pps", "pmd", "kritisk", "dokumenter"];

/// A server of its own: faults are of the whole server.
fn server() -> Server {
    Server::demo(&Folder::new(), 0)
}

/// A new person with a Patient, and its logical id.
fn known(server: &Server) -> (String, String) {
    let pid = person();
    let patient = json!({ "resourceType": "Patient",
        "identifier": [{ "system": FNR, "value": pid }], "name": [{ "family": "Prøve" }] });
    let made = server.role("plo-epj").post("/9901/fhir/Patient", &patient).expect(201);
    (pid, text(&made["id"]))
}

fn ask(client: &Client, id: &str, query: &str) -> Value {
    client.get(&format!("/9901/fhir/Patient/{id}/$oversikt{query}")).expect(200)
}

fn fault(server: &Server, source: &str, query: &str) {
    server
        .client(None)
        .post_as(&format!("/kilder/{source}/$feil{query}"), "text/plain", "")
        .expect(204);
}

fn resources<'a>(document: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = document["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    entries.filter(|it| it["resourceType"] == kind).collect()
}

fn section<'a>(document: &'a Value, category: &str) -> &'a Value {
    let sections = document["entry"][0]["resource"]["section"].as_array().unwrap();
    let is = |it: &&Value| it["code"]["coding"][0]["code"] == category;
    sections.iter().find(is).unwrap_or(&Value::Null)
}

/// The codes and texts of what is missing.
fn missing(document: &Value) -> Vec<(String, String)> {
    let issues = resources(document, "OperationOutcome").into_iter().flat_map(|it| {
        it["issue"].as_array().unwrap().iter().map(|issue| {
            (text(&issue["details"]["coding"][0]["code"]), text(&issue["details"]["text"]))
        })
    });
    issues.collect()
}

fn allergy(pid: &str, criticality: &str) -> Value {
    json!({
        "resourceType": "AllergyIntolerance",
        "identifier": [{ "system": "urn:test", "value": format!("a{}", support::content::count()) }],
        "clinicalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
            "code": "active",
        }] },
        "criticality": criticality,
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "764146007" }] },
        "patient": { "identifier": { "system": FNR, "value": pid } },
    })
}

#[test]
fn a_doctor_on_call_sees_what_is_here_and_what_others_hold_with_the_origin_of_each() {
    let server = server();
    let (pid, id) = known(&server);
    server
        .role("tavle")
        .post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05T10:00:00+01:00", 64))
        .expect(201);
    let document = ask(&server.role("legevaktslege"), &id, "?dager=0");
    assert_eq!(document["type"], "document");
    let composition = &document["entry"][0]["resource"];
    assert_eq!(composition["type"]["coding"][0]["code"], "legevakt");
    // The pulse of the municipality's board, and the weight of Pasientens måledata.
    assert_eq!(section(&document, "measurements")["entry"].as_array().unwrap().len(), 2);
    assert_eq!(resources(&document, "AllergyIntolerance").len(), 1);
    assert_eq!(resources(&document, "DiagnosticReport").len(), 1);
    assert_eq!(resources(&document, "DocumentReference").len(), 1);
    assert_eq!(missing(&document), []);
    let facts: Vec<&Value> = document["entry"].as_array().unwrap().iter().collect();
    let provenances = resources(&document, "Provenance");
    assert!(!provenances.is_empty());
    for entry in facts {
        let kind = &entry["resource"]["resourceType"];
        if ["Composition", "Provenance", "OperationOutcome"].iter().any(|it| kind == it) {
            continue;
        }
        let origin = provenances.iter().find(|it| it["target"][0]["reference"] == entry["fullUrl"]);
        let origin = origin.unwrap_or_else(|| panic!("{kind} has no origin"));
        assert!(origin["entity"][0]["what"]["reference"].as_str().unwrap().starts_with("http"));
    }
    assert_eq!(text(&document["entry"][1]["resource"]["id"]), id, "whom it is about");
    let addresses = document["entry"].as_array().unwrap().iter().map(|it| text(&it["fullUrl"]));
    let made: Vec<String> = addresses.filter(|it| it.starts_with("urn:uuid:")).collect();
    let unique: std::collections::BTreeSet<&String> = made.iter().collect();
    assert!(made.iter().all(|it| it.len() == 45) && unique.len() == made.len(), "{made:?}");
    // What the situation leaves out is told, and can be added.
    assert!(composition["text"]["div"].as_str().unwrap().contains("Utelatt her"));
    assert_eq!(section(&document, "equipment"), &Value::Null);
    let more = ask(&server.role("legevaktslege"), &id, "?med=equipment&uten=documents");
    assert_ne!(section(&more, "equipment"), &Value::Null);
    assert_eq!(section(&more, "documents"), &Value::Null);
}

#[test]
fn the_same_fact_is_shown_once_and_a_contradiction_as_one() {
    let server = server();
    let (pid, id) = known(&server);
    let developer = server.role("utvikler");
    developer.post("/9901/fhir/AllergyIntolerance", &allergy(&pid, "high")).expect(201);
    let doctor = server.role("legevaktslege");
    let document = ask(&doctor, &id, "");
    let [allergy_shown] = resources(&document, "AllergyIntolerance")[..] else { panic!("not one") };
    let address =
        document["entry"].as_array().unwrap().iter().find(|it| it["resource"] == *allergy_shown);
    let origins = resources(&document, "Provenance")
        .into_iter()
        .find(|it| it["target"][0]["reference"] == address.unwrap()["fullUrl"]);
    assert_eq!(origins.unwrap()["agent"].as_array().unwrap().len(), 2, "both origins");
    assert_eq!(resources(&document, "DetectedIssue").len(), 0);
    developer.post("/9901/fhir/AllergyIntolerance", &allergy(&pid, "low")).expect(201);
    let document = ask(&doctor, &id, "");
    let [issue] = resources(&document, "DetectedIssue")[..] else { panic!("not one") };
    assert_eq!(issue["implicated"].as_array().unwrap().len(), 2);
}

/// Each source with each fault: what is missing is told with its reason, and all else is there.
#[test]
fn every_fault_of_every_source_is_told_and_takes_nothing_else_away() {
    let server = server();
    let (pid, id) = known(&server);
    server
        .role("tavle")
        .post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05T10:00:00+01:00", 64))
        .expect(201);
    let doctor = server.role("legevaktslege");
    ask(&doctor, &id, "");
    let faults = [
        ("?slag=nede", "failed"),
        ("?slag=kuttet", "garbled"),
        ("?slag=feil", "wrong-person"),
        ("?slag=sperret", "withheld"),
        ("?slag=treg&ms=5000", "late"),
    ];
    for source in SOURCES {
        for (query, code) in faults {
            fault(&server, source, query);
            let document = ask(&doctor, &id, "?dager=0");
            let told = missing(&document);
            assert!(!told.is_empty(), "{source} {query}");
            for (told, words) in &told {
                assert_eq!(told, code, "{source} {query}: {words}");
                assert!(words.contains("last answered"), "{words}");
            }
            let gone = match source {
                "pps" => "DiagnosticReport",
                "kritisk" => "AllergyIntolerance",
                "dokumenter" => "DocumentReference",
                _ => "Weight",
            };
            for kind in ["DiagnosticReport", "AllergyIntolerance", "DocumentReference"] {
                assert_eq!(resources(&document, kind).is_empty(), kind == gone, "{source} {query}");
            }
            let measured = section(&document, "measurements")["entry"].as_array().unwrap().len();
            assert_eq!(measured, if source == "pmd" { 1 } else { 2 }, "{source} {query}");
            fault(&server, source, "");
            // A well answer makes the source's failures count from none again.
            assert_eq!(missing(&ask(&doctor, &id, "")), []);
        }
    }
}

#[test]
fn whoever_asks_others_is_in_the_residents_log_before_they_are_asked() {
    let server = server();
    let (pid, id) = known(&server);
    for source in SOURCES {
        fault(&server, source, "?slag=nede");
    }
    ask(&server.role("legevaktslege"), &id, "");
    let lines = server.resident(&pid).get("/9901/log/AuditEvent").expect(200);
    let asked: Vec<String> = lines["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"]["subtype"][0]["code"].to_string())
        .collect();
    assert_eq!(asked.iter().filter(|it| it.contains("ask")).count(), 1, "{asked:?}");
    assert_eq!(asked.iter().filter(|it| it.contains("oversikt")).count(), 1, "{asked:?}");
}

#[test]
fn what_is_withheld_is_not_asked_for_and_residents_and_systems_ask_nobody() {
    let server = server();
    let (pid, id) = known(&server);
    let resident = server.resident(&pid);
    resident.post("/9901/fhir/Consent", &withholding(&pid)).expect(201);
    // That something is withheld is not told, so its section is as if there were nothing, and its source is not asked:
    // that it is down shows nowhere.
    fault(&server, "pmd", "?slag=nede");
    let doctor = server.role("legevaktslege");
    let document = ask(&doctor, &id, "");
    assert_eq!(section(&document, "measurements")["entry"], Value::Null);
    assert_eq!(section(&document, "measurements")["emptyReason"], Value::Null);
    assert_eq!(missing(&document), []);
    assert_eq!(resources(&document, "AllergyIntolerance").len(), 1);
    // What the role does not cover is told as closed.
    let wider = ask(&doctor, &id, "?med=plans");
    assert_eq!(section(&wider, "plans")["emptyReason"]["coding"][0]["code"], "withheld");
    let own = ask(&resident, &id, "");
    assert_eq!(own["entry"][0]["resource"]["type"]["coding"][0]["code"], "innbygger");
    assert_eq!(missing(&own).into_iter().map(|(code, _)| code).collect::<Vec<_>>(), ["not-asked"]);
    let without = ask(&resident, &id, "?kilder=false");
    assert_eq!(missing(&without), []);
}

#[test]
fn bad_parameters_are_told_by_name_and_nobody_else_gets_in() {
    let server = server();
    let (_, id) = known(&server);
    let doctor = server.role("legevaktslege");
    for (query, named) in [
        ("?kontekst=romskip", "kontekst"),
        ("?med=gull", "gull"),
        ("?dager=mange", "dager"),
        ("?kilder=kanskje", "kilder"),
        ("?ukjent=1", "kontekst"),
        ("?uten=critical,services,measurements,medications,problems,results,documents", "uten"),
    ] {
        let answer = doctor.get(&format!("/9901/fhir/Patient/{id}/$oversikt{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert!(answer.text.contains(named), "{query}: {}", answer.text);
    }
    let caseworker = server.role("saksbehandler");
    let refused =
        caseworker.get(&format!("/9901/fhir/Patient/{id}/$oversikt?kontekst=helsestasjon"));
    assert_eq!(refused.rule(), "category-not-for-role");
    let stranger = server.resident(&person());
    assert_eq!(stranger.get(&format!("/9901/fhir/Patient/{id}/$oversikt")).status, 403);
    let unknown = doctor.get("/9901/fhir/Patient/ingen/$oversikt");
    assert_eq!(unknown.status, 404);
}

#[test]
fn news2_of_what_is_shown_names_its_inputs_and_is_computed_anew_when_one_is_corrected() {
    let server = server();
    let (pid, id) = known(&server);
    let board = server.role("tavle");
    let at = "2026-01-05T10:00:00+01:00";
    let loinc = "http://loinc.org";
    let snomed = "http://snomed.info/sct";
    let quantity = |value: f64, unit: &str| json!({ "valueQuantity": { "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit } });
    let coded = |code: &str| json!({ "valueCodeableConcept": { "coding": [{ "system": snomed, "code": code }] } });
    let vital = |codes: &[(&str, &str)], value| support::content::vital(&pid, at, codes, value);
    let rest = [
        vital(&[(loinc, "9279-1")], quantity(16.0, "/min")),
        vital(&[(loinc, "2708-6")], quantity(97.0, "%")),
        vital(&[(snomed, "371825009")], coded("722742002")),
        vital(&[(loinc, "8480-6")], quantity(120.0, "mm[Hg]")),
        vital(&[(snomed, "1104441000000107")], coded("248234008")),
        vital(&[(loinc, "8310-5")], quantity(37.0, "Cel")),
    ];
    for observation in &rest {
        board.post("/9901/fhir/Observation", observation).expect(201);
    }
    let first = board.post("/9901/fhir/Observation", &pulse(&pid, at, 64)).expect(201);
    let doctor = server.role("legevaktslege");
    let news2 = || {
        let document = ask(&doctor, &id, "?dager=0&kilder=false");
        let made = resources(&document, "Observation")
            .into_iter()
            .find(|it| it["code"]["text"] == "NEWS2");
        made.expect("a NEWS2").clone()
    };
    let made = news2();
    assert_eq!(made["valueInteger"], 0);
    assert_eq!(made["derivedFrom"].as_array().unwrap().len(), 7);
    let mut corrected = first.clone();
    corrected["valueQuantity"]["value"] = json!(135);
    board.put(&format!("/9901/fhir/Observation/{}", text(&first["id"])), &corrected).expect(200);
    assert_eq!(news2()["valueInteger"], 3);
}
