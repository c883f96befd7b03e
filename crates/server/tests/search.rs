//! FHIR read, vread, history and search, by the parameters consumers use.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::content::{count, person, pulse, vital};
use support::{Client, FNR, entries, ids, shared, text};
use ureq::http::Method;

const TYPE: &str = "urn:oid:2.16.578.1.12.4.1.1.9151";

/// A patient with two services, a decision and three measurements; returns number and Patient id.
fn patient(source: &Client) -> (String, String) {
    let pid = person();
    let subject = json!({ "identifier": { "system": FNR, "value": pid } });
    let sent = json!({ "resourceType": "Patient", "identifier": [
        { "system": FNR, "value": pid }, { "system": "urn:test:journal", "value": format!("j{}", count()) },
    ] });
    let id = text(&source.post("/9901/fhir/Patient", &sent).expect(201)["id"]);
    for (code, status, start) in [("15", "active", "2025-01-01"), ("06", "onhold", "2025-06-01")] {
        let episode = json!({
            "resourceType": "EpisodeOfCare", "status": status, "patient": subject,
            "type": [{ "coding": [{ "system": TYPE, "code": code }] }],
            "managingOrganization": { "reference": "Organization/9901-sone-1" },
            "period": { "start": start },
        });
        source.post("/9901/fhir/EpisodeOfCare", &episode).expect(201);
    }
    let decision = json!({ "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": subject, "authoredOn": "2024-12-20" });
    source.post("/9901/fhir/ServiceRequest", &decision).expect(201);
    for (at, value) in
        [("2026-01-01T08:00:00Z", 60), ("2026-01-02T08:00:00Z", 70), ("2026-01-03T08:00:00Z", 80)]
    {
        source.post("/9901/fhir/Observation", &pulse(&pid, at, value)).expect(201);
    }
    (pid, id)
}

#[test]
fn every_search_parameter_finds_what_it_should_and_nothing_else() {
    let server = shared();
    let source = server.role("plo-epj");
    let (pid, id) = patient(&source);
    let one = source
        .form("/9901/fhir/Observation/_search", &format!("patient={id}&_sort=date&_count=1"))
        .matches()
        .remove(0);
    let (observation, journal) = (text(&one["id"]), text(&one["identifier"][0]["value"]));
    let cases: Vec<(&str, String, usize)> = vec![
        ("Patient", format!("_id={id}"), 1),
        ("Patient", format!("identifier={FNR}|{pid}"), 1),
        ("Patient", format!("identifier={FNR}|{}", person()), 0),
        ("Observation", format!("_id={observation}&patient={id}"), 1),
        ("Observation", format!("identifier=urn:test|{journal}&patient={id}"), 1),
        ("Observation", format!("patient.identifier={FNR}|{pid}"), 3),
        ("Observation", format!("patient:identifier={FNR}|{pid}"), 3),
        ("Observation", format!("subject=Patient/{id}"), 3),
        ("Observation", format!("subject:Patient={id}&code=8867-4"), 3),
        ("Observation", format!("patient={id}&code=http://loinc.org|8867-4,8310-5"), 3),
        ("Observation", format!("patient={id}&code=8310-5"), 0),
        ("Observation", format!("patient={id}&category=vital-signs"), 3),
        ("Observation", format!("patient={id}&category=survey"), 0),
        ("Observation", format!("patient={id}&date=2026-01-02"), 1),
        ("Observation", format!("patient={id}&date=ge2026-01-02"), 2),
        ("Observation", format!("patient={id}&date=gt2026-01-01&date=lt2026-01-03"), 1),
        ("Observation", format!("patient={id}&status=final"), 3),
        ("Observation", format!("patient={id}&status:not=final"), 0),
        ("Observation", format!("patient={id}&_lastUpdated=ge2020-01-01"), 3),
        ("Observation", format!("patient={id}&_lastUpdated=lt2020-01-01"), 0),
        ("EpisodeOfCare", format!("patient={id}"), 2),
        ("EpisodeOfCare", format!("patient={id}&status=active"), 1),
        ("EpisodeOfCare", format!("patient={id}&type={TYPE}|15"), 1),
        // Both systems of kodeverk 9151, padded or not, are the same code.
        (
            "EpisodeOfCare",
            format!(
                "patient={id}&type=https://finnkode.helsedirektoratet.no/adm/collections/9151|6"
            ),
            1,
        ),
        ("EpisodeOfCare", format!("patient={id}&organization=Organization/9901-sone-1"), 2),
        ("EpisodeOfCare", format!("patient={id}&organization=9901-sone-2"), 0),
        ("EpisodeOfCare", format!("patient={id}&date=lt2025-03-01"), 1),
        ("ServiceRequest", format!("patient={id}&status=active,completed"), 1),
        ("Organization", "_id=9901-sone-1".to_owned(), 1),
        ("Organization", "name=Dalfjord helsehus".to_owned(), 1),
    ];
    for (kind, query, expected) in cases {
        let form = source.form(&format!("/9901/fhir/{kind}/_search"), &query).matches();
        assert_eq!(form.len(), expected, "{kind}?{query}");
        let address = format!("/9901/fhir/{kind}?{}", query.replace('|', "%7C").replace(' ', "+"));
        assert_eq!(ids(&source.get(&address).matches()), ids(&form), "{kind}?{query}");
    }
}

#[test]
fn results_are_sorted_counted_and_accompanied_as_asked() {
    let server = shared();
    let source = server.role("plo-epj");
    let (_, id) = patient(&source);
    let get = |query: &str| source.get(&format!("/9901/fhir/{query}"));
    let values = |query: &str| -> Vec<i64> {
        let found = get(query).matches();
        found.iter().map(|it| it["valueQuantity"]["value"].as_i64().unwrap()).collect()
    };
    assert_eq!(values(&format!("Observation?patient={id}&_sort=date")), [60, 70, 80]);
    assert_eq!(values(&format!("Observation?patient={id}&_sort=-date")), [80, 70, 60]);
    assert_eq!(values(&format!("Observation?patient={id}&_sort=-_lastUpdated")), [80, 70, 60]);
    let count = get(&format!("Observation?patient={id}&_summary=count")).expect(200);
    assert_eq!((&count["total"], &count["entry"]), (&json!(3), &Value::Null));
    let path = format!("EpisodeOfCare?patient={id}&_include=EpisodeOfCare:organization");
    let found = get(&path).expect(200);
    assert_eq!(entries(&found, "match").len(), 2);
    assert_eq!(ids(&entries(&found, "include")), ["9901-sone-1"]);
}

#[test]
fn following_next_gives_each_match_once_and_no_link_shows_a_number() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let mut sent = BTreeSet::new();
    for n in 0..23 {
        // Several at the same time, so that the order alone does not tell them apart.
        let at = format!("2026-01-{:02}", 1 + n % 5);
        let answer = source.post("/9901/fhir/Observation", &pulse(&pid, &at, 60 + n)).expect(201);
        sent.insert(text(&answer["id"]));
    }
    for sort in ["", "&_sort=date", "&_sort=-date", "&_sort=-_lastUpdated"] {
        let form = format!("patient.identifier={FNR}|{pid}&_count=4{sort}");
        let mut page = source.form("/9901/fhir/Observation/_search", &form).expect(200);
        assert_eq!(page["total"], 23);
        let (mut seen, mut pages) = (Vec::new(), 1);
        loop {
            seen.extend(ids(&entries(&page, "match")));
            assert!(!page["link"].to_string().contains(&pid), "{}", page["link"]);
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|it| it["relation"] == "next") else { break };
            // What arrives meanwhile moves nothing.
            if pages == 2 {
                source
                    .post("/9901/fhir/Observation", &pulse(&person(), "2026-01-03", 1))
                    .expect(201);
            }
            page = source.get(next["url"].as_str().unwrap()).expect(200);
            pages += 1;
        }
        assert_eq!((seen.len(), pages), (23, 6), "{sort}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), sent, "{sort}");
    }
}

#[test]
fn an_unknown_parameter_is_listed_or_under_strict_handling_refused_by_name() {
    let server = shared();
    let source = server.role("plo-epj");
    let (_, id) = patient(&source);
    let path = format!("/9901/fhir/Observation?patient={id}&favourite=yes&colour=red");
    let lenient = source.get(&path).expect(200);
    assert_eq!(entries(&lenient, "match").len(), 3);
    let told = entries(&lenient, "outcome").remove(0).to_string();
    assert!(told.contains("`favourite`") && told.contains("`colour`"), "{told}");
    let own = lenient["link"][0]["url"].as_str().unwrap();
    assert!(!own.contains("favourite") && own.contains("patient="), "{own}");
    let prefer = [("prefer", "handling=strict")];
    let strict = source.send(Method::GET, &path, &prefer, None).expect(400).to_string();
    assert!(strict.contains("`favourite`") && strict.contains("`colour`"), "{strict}");
    // A known parameter with a value that means nothing is wrong either way.
    let issue = source.get(&format!("/9901/fhir/Observation?patient={id}&date=igår")).issue(400);
    assert!(issue.contains("`date`"), "{issue}");
}

#[test]
fn each_version_is_kept_and_told_in_the_history() {
    let server = shared();
    let source = server.role("tavle");
    let pid = person();
    let temperature = |value: f64| {
        vital(
            &pid,
            "2026-01-01",
            &[("http://loinc.org", "8310-5")],
            json!({ "id": "versions-1", "valueQuantity": { "value": value, "unit": "Cel",
            "system": "http://unitsofmeasure.org", "code": "Cel" } }),
        )
    };
    let path = "/9901/fhir/Observation/versions-1";
    let put = |value| {
        text(&source.put(path, &temperature(value)).tap_status(&[200, 201])["meta"]["versionId"])
    };
    let versions = [put(36.9), put(37.9), put(38.9)];
    let value = |it: &Value| it["valueQuantity"]["value"].as_f64().unwrap();
    assert_eq!(value(&source.get(path).expect(200)), 38.9);
    for (version, expected) in versions.iter().zip([36.9, 37.9, 38.9]) {
        let old = source.get(&format!("{path}/_history/{version}"));
        assert_eq!(value(&old.expect(200)), expected);
        assert_eq!(old.header("etag"), format!("W/\"{version}\""));
    }
    let history = source.get(&format!("{path}/_history")).expect(200);
    let found: Vec<&Value> = history["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["resource"]["meta"]["versionId"])
        .collect();
    assert_eq!(found, [&versions[2], &versions[1], &versions[0]]);
    source.get(&format!("{path}/_history/1")).issue(404);
    source.get("/9901/fhir/Observation/nothing").issue(404);
}

#[test]
fn the_capability_statement_tells_what_the_server_does() {
    let server = shared();
    let statement = server.client(None).get("/9901/fhir/metadata").expect(200);
    assert_eq!(statement["fhirVersion"], "4.0.1");
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let observation = resources.iter().find(|it| it["type"] == "Observation").unwrap().to_string();
    for code in ["patient", "date", "code", "category", "status", "identifier"] {
        assert!(observation.contains(&format!("\"name\":\"{code}\"")), "{code}");
    }
}

/// The body of an answer that may have one of several statuses.
trait TapStatus {
    fn tap_status(&self, allowed: &[u16]) -> Value;
}

impl TapStatus for support::Answer {
    fn tap_status(&self, allowed: &[u16]) -> Value {
        assert!(allowed.contains(&self.status), "{}", self.text);
        self.expect(self.status)
    }
}
