//! NEWS2: whole scores and single vital signs, received and computed side by side, both scales.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{bundle, count, person, vital};
use support::{Client, FNR, Server, shared, text};

const AT: &str = "2026-01-05T10:00:00+01:00";
const SNOMED: &str = "http://snomed.info/sct";

fn quantity(value: f64, unit: &str) -> Value {
    json!({ "valueQuantity": { "value": value, "unit": unit,
        "system": "http://unitsofmeasure.org", "code": unit } })
}

fn coded(code: &str) -> Value {
    json!({ "valueCodeableConcept": { "coding": [{ "system": SNOMED, "code": code }] } })
}

/// Seven vital signs: 22 breaths, saturation, oxygen or air, 118/70, pulse 95, alert, 38.4.
fn vitals(pid: &str, saturation: f64, on_oxygen: bool) -> Vec<Value> {
    let loinc = "http://loinc.org";
    let supply = if on_oxygen { "371825009" } else { "722742002" };
    let pressure = json!({ "component": [
        { "code": { "coding": [{ "system": loinc, "code": "8480-6" }] },
          "valueQuantity": quantity(118.0, "mm[Hg]")["valueQuantity"] },
        { "code": { "coding": [{ "system": loinc, "code": "8462-4" }] },
          "valueQuantity": quantity(70.0, "mm[Hg]")["valueQuantity"] },
    ] });
    vec![
        vital(pid, AT, &[(loinc, "9279-1")], quantity(22.0, "/min")),
        vital(pid, AT, &[(loinc, "2708-6")], quantity(saturation, "%")),
        vital(pid, AT, &[(SNOMED, "371825009")], coded(supply)),
        vital(pid, AT, &[(loinc, "85354-9")], pressure),
        vital(pid, AT, &[(loinc, "8867-4")], quantity(95.0, "/min")),
        vital(pid, AT, &[(SNOMED, "1104441000000107")], coded("248234008")),
        vital(pid, AT, &[(loinc, "8310-5")], quantity(38.4, "Cel")),
    ]
}

/// A NEWS2 with points and bands, as the published example has them.
fn score(pid: &str, total: u8, points: &[(&str, u8, &str)]) -> Value {
    let component: Vec<Value> = points
        .iter()
        .map(|(code, points, band)| {
            json!({ "code": { "coding": [{ "system": SNOMED, "code": code }] },
                "valueQuantity": { "value": points }, "interpretation": [{ "text": band }] })
        })
        .collect();
    let mut score = vital(
        pid,
        AT,
        &[(SNOMED, "1104051000000101")],
        json!({ "valueQuantity": { "value": total }, "component": component }),
    );
    score["category"][0]["coding"][0]["code"] = json!("survey");
    score
}

fn send(source: &Client, observations: &[Value]) {
    let entries: Vec<_> = observations.iter().map(|it| ("POST", "Observation", it)).collect();
    let sent = bundle("collection", &entries);
    source.post("/9901/pmd", &sent).expect(200);
}

/// The latest set of `$news2`, as a nurse on the acute ward sees it.
fn latest(server: &Server, pid: &str) -> Value {
    let nurse = server.role("sykepleier");
    let form = format!("patient.identifier={FNR}|{pid}&_count=1");
    let found = nurse.form("/9901/fhir/Patient/_search", &format!("identifier={FNR}|{pid}"));
    let observations = nurse.form("/9901/pmd/Observation/_search", &form).matches();
    assert_eq!(observations.len(), 1);
    let id = found.matches().first().map(|it| text(&it["id"])).expect("a Patient");
    let news2 = nurse.get(&format!("/9901/fhir/Patient/{id}/$news2")).expect(200);
    let parts = news2["parameter"].as_array().unwrap();
    parts.iter().find(|it| it["name"] == "latest").expect("a set")["part"].clone()
}

fn part<'a>(parts: &'a Value, name: &str) -> &'a Value {
    let found = parts.as_array().and_then(|all| all.iter().find(|it| it["name"] == name));
    found.unwrap_or(&Value::Null)
}

fn known(server: &Server) -> String {
    let pid = person();
    let patient = json!({ "resourceType": "Patient",
        "identifier": [{ "system": FNR, "value": pid }], "name": [{ "family": "Prøve" }] });
    server.role("plo-epj").post("/9901/fhir/Patient", &patient).expect(201);
    pid
}

#[test]
fn single_vital_signs_become_one_computed_score() {
    let server = shared();
    let pid = known(&server);
    send(&server.role("tavle"), &vitals(&pid, 94.0, true));
    let set = latest(&server, &pid);
    // 22 breaths 2, 94 % 1, oxygen 2, 118 mmHg 0, pulse 95 1, alert 0, 38.4 °C 1.
    assert_eq!(part(&set, "total")["valueInteger"], 7);
    assert_eq!(part(&set, "spo2Scale")["valueInteger"], 1);
    assert_eq!(part(&set, "risk")["valueCode"], "high");
    let respiration = &part(&set, "respiration")["part"];
    assert_eq!(part(respiration, "value")["valueQuantity"]["value"], 22);
    assert_eq!(part(respiration, "points")["valueInteger"], 2);
    assert_eq!(part(&set, "received"), &Value::Null);
}

#[test]
fn a_score_on_scale_two_makes_the_saturation_count_on_scale_two() {
    let server = shared();
    // 90 % on air: 3 on scale 1, 0 on scale 2 and 88 to 92 is the target.
    for (code, scale, points) in [("1104311000000102", 1, 3), ("1104321000000108", 2, 0)] {
        let pid = known(&server);
        let mut sent = vitals(&pid, 90.0, false);
        let total = 4 + points;
        sent.push(score(&pid, total, &[(code, points, "88–92")]));
        send(&server.role("tavle"), &sent);
        let set = latest(&server, &pid);
        assert_eq!(part(&set, "spo2Scale")["valueInteger"], scale);
        assert_eq!(part(&set, "total")["valueInteger"], total);
        let received = &part(&set, "received")["part"];
        assert_eq!(part(received, "total")["valueInteger"], total);
        assert_eq!(part(received, "difference"), &Value::Null, "{received}");
    }
}

#[test]
fn a_received_score_is_kept_as_received_beside_the_computed_one() {
    let server = shared();
    let pid = known(&server);
    let mut sent = vitals(&pid, 94.0, true);
    sent.push(score(
        &pid,
        20,
        &[
            ("1104301000000104", 3, "≥25"),
            ("1104321000000108", 3, "93–94 med oksygentilførsel"),
            ("1104331000000105", 2, "Oksygen"),
            ("1104351000000103", 3, "≤40"),
            ("1104341000000101", 3, "≤90"),
            ("1104361000000100", 3, "C, V, P eller U"),
            ("1104371000000107", 3, "≤35.0"),
        ],
    ));
    send(&server.role("tavle"), &sent);
    let set = latest(&server, &pid);
    let received = &part(&set, "received")["part"];
    assert_eq!(part(received, "total")["valueInteger"], 20);
    assert_eq!(part(&set, "total")["valueInteger"], 7);
    let differences: Vec<String> = received
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "difference")
        .map(|it| {
            let get = |name: &str, member: &str| part(&it["part"], name)[member].clone();
            let what = text(&get("what", "valueCode"));
            format!(
                "{what}: {} {}",
                get("received", "valueInteger"),
                get("computed", "valueInteger")
            )
        })
        .collect();
    assert!(differences.contains(&"total: 20 7".to_owned()), "{differences:?}");
    assert!(differences.contains(&"pulse: 3 1".to_owned()), "{differences:?}");
    // What was sent is what is stored.
    let form = format!("patient.identifier={FNR}|{pid}&code={SNOMED}|1104051000000101");
    let stored = server.role("tavle").form("/9901/pmd/Observation/_search", &form).matches();
    assert_eq!(stored[0]["valueQuantity"]["value"], 20);
    assert_eq!(stored[0]["component"], sent[7]["component"]);
}

#[test]
fn a_score_alone_is_shown_as_received() {
    let server = shared();
    let pid = known(&server);
    let points = [("1104301000000104", 2, "21–24"), ("1104351000000103", 1, "91–110")];
    send(&server.role("tavle"), &[score(&pid, 3, &points)]);
    let set = latest(&server, &pid);
    assert_eq!(part(&set, "totalReceived")["valueInteger"], 3);
    let received = &part(&set, "received")["part"];
    assert_eq!(part(&part(received, "pulse")["part"], "band")["valueString"], "91–110");
}

#[test]
fn a_value_that_cannot_be_understood_is_told_of_and_never_left_out_silently() {
    let server = shared();
    let pid = known(&server);
    let mut sent = vitals(&pid, 94.0, true);
    sent[6] = vital(&pid, AT, &[("http://loinc.org", "8310-5")], json!({ "valueString": "varm" }));
    sent[6]["identifier"][0]["value"] = json!(format!("odd-{}", count()));
    // The PMD door refuses what its profile has no place for; the FHIR door takes it with a warning.
    let odd = sent.remove(6);
    send(&server.role("tavle"), &sent);
    server.role("tavle").post("/9901/fhir/Observation", &odd).expect(201);
    let set = latest(&server, &pid);
    assert_eq!(part(&set, "temperature"), &Value::Null);
    let nurse = server.role("sykepleier");
    let patients = nurse.form("/9901/fhir/Patient/_search", &format!("identifier={FNR}|{pid}"));
    let id = text(&patients.matches()[0]["id"]);
    let news2 = nurse.get(&format!("/9901/fhir/Patient/{id}/$news2")).expect(200);
    let told = part(&news2["parameter"], "incomplete");
    assert!(text(&told["valueString"]).contains("1 measurement"), "{told}");
}
