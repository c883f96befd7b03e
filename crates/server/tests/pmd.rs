//! Norsk helsenett's PMD contract: Bundles of Observations in, search by form.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use serde_json::{Value, json};
use support::content::{bundle, person, pulse, vital};
use support::{Answer, FNR, shared, text};

const AT: &str = "2026-01-05T10:00:00+01:00";
const STORED_ID: &str =
    "http://hl7.no/fhir/vkpobservation/StructureDefinition/PmdBundleResponseEntryIdExtension";

#[test]
fn each_entry_of_a_batch_is_answered_under_its_full_url_with_the_stored_id() {
    let server = shared();
    let source = server.role("vkp");
    let pid = person();
    let observations: Vec<Value> = (60..63).map(|value| pulse(&pid, AT, value)).collect();
    // Published requests carry addresses that are no FHIR addresses.
    let entries: Vec<_> = observations.iter().map(|it| ("POST", "test.url", it)).collect();
    let sent = bundle("batch", &entries);
    let response = source.post("/9901/pmd/", &sent).expect(200);
    assert_eq!(response["type"], "batch-response");
    for at in 0..3 {
        let answer = &response["entry"][at];
        assert_eq!(answer["fullUrl"], sent["entry"][at]["fullUrl"]);
        assert_eq!(answer["response"]["status"], "201 Created");
        let extension = &answer["response"]["extension"][0];
        assert_eq!(extension["url"], STORED_ID);
        let stored =
            source.get(&format!("/9901/fhir/{}", text(&extension["valueUri"]))).expect(200);
        assert_eq!(stored["valueQuantity"]["value"], 60 + at);
    }
    let again = source.post("/9901/pmd", &sent).expect(200);
    assert_eq!(again["entry"][0]["response"]["status"], "200 OK");
}

#[test]
fn a_refused_entry_is_answered_under_its_full_url_too() {
    let server = shared();
    let source = server.role("vkp");
    let pid = person();
    let (good, mut bad) = (pulse(&pid, AT, 60), pulse(&pid, AT, 61));
    bad["status"] = json!("unheard-of");
    let sent = bundle("batch", &[("POST", "Observation", &bad), ("POST", "Observation", &good)]);
    let response = source.post("/9901/pmd", &sent).expect(200);
    assert_eq!(response["entry"][0]["response"]["status"], "422 Unprocessable Entity");
    for at in 0..2 {
        assert_eq!(response["entry"][at]["fullUrl"], sent["entry"][at]["fullUrl"]);
    }
}

#[test]
fn a_collection_with_komlinks_envelope_is_kept_whole() {
    let server = shared();
    let source = server.role("vkp");
    let pid = person();
    let entries: Vec<Value> =
        (60..62).map(|value| json!({ "resource": pulse(&pid, AT, value) })).collect();
    let envelope = json!({
        "resourceType": "Bundle", "type": "collection", "timestamp": AT,
        "meta": { "tag": [{
            "system": "https://register.geonorge.no/sosi-kodelister/inndelinger/inndelingsbase/kommunenummer",
            "code": "9901", "display": "Dalfjord",
        }] },
        "identifier": { "system": "https://www.nhn.no/komlink/bundle-identifier", "value": "b1" },
        "entry": entries,
    });
    let response = source.post("/9901/pmd", &envelope).expect(200);
    assert_eq!(response["entry"].as_array().unwrap().len(), 2);
    let form = format!("patient.identifier={FNR}|{pid}");
    assert_eq!(source.form("/9901/pmd/Observation/_search", &form).matches().len(), 2);
}

#[test]
fn measurements_are_searched_by_person_date_and_code() {
    let server = shared();
    let source = server.role("vkp");
    let pid = person();
    for (day, value) in [("2026-01-01", 60), ("2026-01-02", 61), ("2026-01-03", 62)] {
        source.post("/9901/fhir/Observation", &pulse(&pid, day, value)).expect(201);
    }
    let temperature = [("http://loinc.org", "8310-5")];
    let degrees = json!({ "valueQuantity": { "value": 37.1, "unit": "Cel",
        "system": "http://unitsofmeasure.org", "code": "Cel" } });
    let sent = vital(&pid, "2026-01-02", &temperature, degrees);
    source.post("/9901/fhir/Observation", &sent).expect(201);
    let nurse = server.role("sykepleier");
    let search = |form: &str| {
        let form = format!("patient.identifier={pid}&{form}");
        nurse.form("/9901/pmd/Observation/_search", &form)
    };
    let count = |answer: Answer| answer.matches().len();
    assert_eq!(count(search("code=http://loinc.org|8867-4")), 3);
    assert_eq!(count(search("date=ge2026-01-02&date=le2026-01-02")), 2);
    assert_eq!(count(search("code=8867-4&date=gt2026-01-02")), 1);
    let answer = search("_count=1");
    assert!(!answer.expect(200)["link"].to_string().contains(&pid));
}
