//! The inputs that HL7 Norway and Norsk helsenett have published: each is taken through every door
//! it fits and read back through every service, or refused for a reason that stands here.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use support::{Answer, Client, FNR, Folder, Server, fkj, text};

/// What becomes of a file.
enum Fate {
    /// It is taken.
    Taken,
    /// It is taken where any identity number is; elsewhere the number at this place refuses it.
    TakenIfLenient(&'static str),
    /// It is refused everywhere, with this in the issue.
    Refused(&'static str),
    /// It is no delivery.
    NoInput,
}

use Fate::{NoInput, Refused, Taken, TakenIfLenient};

const SUBJECT: &str = "Observation.subject.identifier.value";
const NUMBER: &str = "Patient.identifier[0].value";

/// In an order in which references lead to what has been sent.
const FILES: [(&str, Fate); 24] = [
    ("okt-ig-0.2.0__Patient__Patient-Example", Taken),
    ("okt-ig-0.2.0__Organization__Organization-org-1", Taken),
    ("okt-ig-0.2.0__Organization__Organization-org-1-1", Taken),
    ("okt-ig-0.2.0__Organization__Organization-org-1-1-2", Taken),
    ("okt-ig-0.2.0__Organization__Organization-org-1-1-2-6", Taken),
    ("okt-ig-0.2.0__OktEpisodeOfCare__EpisodeOfCare-OktEpisodeOfCare1", Taken),
    ("okt-ig-0.2.0__OktEvent-logical__OktEvent1", Taken),
    ("no-basis-2.2.2__no-basis-Organization__no-basis-Organization-example", Taken),
    ("no-basis-2.2.2__no-basis-Practitioner__no-basis-Practitioner-example", Taken),
    // Published test persons whose numbers look real, and numbers of other lengths.
    ("no-basis-2.2.2__no-basis-Patient__no-basis-Patient-Jannice-Soreng", TakenIfLenient(NUMBER)),
    ("consent-0.1.0__Patient__Patient-patient12050050295", TakenIfLenient(NUMBER)),
    (
        "no-basis-2.2.2__no-basis-RelatedPerson__no-basis-RelatedPerson-Aerlend-Sorgard",
        TakenIfLenient("RelatedPerson.patient.identifier.value"),
    ),
    (
        "vkpobservation-0.5.2__vkp-Observation-NEWS2score__Observation-vkp-news2-create",
        TakenIfLenient(SUBJECT),
    ),
    (
        "vkpobservation-0.5.2__vkp-Observation-Bloodpressure__Observation-vkp-blood-pressure-profile-create",
        TakenIfLenient(SUBJECT),
    ),
    (
        "vkpobservation-0.5.2__vkp-Observation-Heartrate__Observation-vkp-heartrate-create",
        TakenIfLenient(SUBJECT),
    ),
    (
        "vkpobservation-0.5.2__vkp-Observation-Oxygensat__Observation-vkp-oxygen-saturation-create",
        TakenIfLenient(SUBJECT),
    ),
    (
        "no-domain-vitalsigns-0.9.0__no-domain-VitalSigns-Observation-respirationrate__Observation-no-respiratory-rate-create",
        TakenIfLenient(SUBJECT),
    ),
    // `patient/cdp1000239` is no reference: types begin with a capital letter.
    (
        "vkpobservation-0.5.2__Observation__Observation-respiratory-rate-create",
        Refused("value|Observation.subject.reference|"),
    ),
    // An answer, not a request.
    (
        "vkpobservation-0.5.2__pmd-Bundle-Response__Bundle-pmd-Bundle-Response-example",
        Refused("value|Bundle.type|"),
    ),
    // Its patient is not among the published files.
    (
        "no-basis-2.2.2__no-basis-Appointment__no-basis-Appointment-example",
        Refused("not-found|Appointment.participant.actor.reference|"),
    ),
    (
        "consent-0.1.0__HNWithdrawConsentProfile__Consent-HNConsentProfileExample001",
        TakenIfLenient("Consent.patient.identifier.value"),
    ),
    // The contained patient's number stands in the element's id, so it names nobody.
    (
        "auditevent-0.9.8__no-domain-Trustframework-Auditevent__AuditEvent-NOBasisAuditeventInstance1",
        Taken,
    ),
    // An attest is a claim of a token and test vectors are for parsers.
    ("tillitsrammeverk-1.1__attest__municipality-KP01-9151", NoInput),
    ("identifiers__validation-vectors", NoInput),
];

/// Where the published inputs are, outside the project.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/norway");

fn absent() -> bool {
    let absent = !Path::new(FOLDER).exists();
    if absent {
        eprintln!("skipped: {FOLDER} is not there");
    }
    absent
}

fn input(name: &str) -> Value {
    let path = Path::new(FOLDER).join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A demo whose 9901 takes any identity number, served without the sandbox.
fn lenient() -> Server {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    let path = dir.path().join("9901/register.toml");
    let register = std::fs::read_to_string(&path).unwrap();
    let (strict, lenient) = ("identity_numbers = \"synthetic\"", "identity_numbers = \"lenient\"");
    assert!(register.contains(strict));
    std::fs::write(&path, register.replace(strict, lenient)).unwrap();
    let file = path.display().to_string();
    let command = ["register", "apply", &file, "--who", "Torbjørg Aune", "--why", "examples"];
    let applied = fkj(&command, dir.path());
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    Server::serve(&dir)
}

/// Whether the record system of the demo delivers this type; a system under development does all.
fn is_agreed(input: &Value) -> bool {
    let others = ["Appointment", "AuditEvent", "Consent"];
    input["resourceType"].as_str().is_none_or(|kind| !others.contains(&kind))
}

fn source(server: &Server, input: &Value) -> Client {
    server.role(if is_agreed(input) { "plo-epj" } else { "utvikler" })
}

/// Sends a file to the door that is made for it.
fn send(server: &Server, input: &Value) -> Answer {
    let source = source(server, input);
    match (input["resourceType"].as_str(), input["id"].as_str()) {
        (None, _) => source.post("/9901/okt/okt-events", input),
        (Some("Bundle"), _) => source.post("/9901/fhir", input),
        (Some(kind), Some(id)) => source.put(&format!("/9901/fhir/{kind}/{id}"), input),
        (Some(kind), None) => source.post(&format!("/9901/fhir/{kind}"), input),
    }
}

#[test]
fn every_file_has_a_fate_in_the_table() {
    if absent() {
        return;
    }
    let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| format!("{name}.json")).collect();
    let there: BTreeSet<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn each_file_is_taken_or_refused_for_the_reason_in_the_table() {
    if absent() {
        return;
    }
    for (server, is_lenient) in [(lenient(), true), (Server::demo(&Folder::new(), 0), false)] {
        for (name, fate) in &FILES {
            let refused = match fate {
                NoInput => continue,
                Taken => None,
                TakenIfLenient(_) if is_lenient => None,
                TakenIfLenient(place) => Some(format!("value|{place}|")),
                Refused(why) => Some((*why).to_owned()),
            };
            let answer = send(&server, &input(name));
            match refused {
                None => assert!(matches!(answer.status, 200 | 201), "{name}: {}", answer.text),
                Some(why) => {
                    let issue = answer.issue(422);
                    assert!(issue.starts_with(&why), "{name}: {issue}");
                }
            }
        }
    }
}

#[test]
fn what_was_taken_comes_back_through_every_service() {
    if absent() {
        return;
    }
    let server = lenient();
    let mut stored = Vec::new();
    for (name, fate) in &FILES {
        if !matches!(fate, Taken | TakenIfLenient(_)) {
            continue;
        }
        let sent = input(name);
        let answer = send(&server, &sent);
        let Some(kind) = sent["resourceType"].as_str() else { continue };
        let id = text(&serde_json::from_str::<Value>(&answer.text).unwrap()["id"]);
        let source = self::source(&server, &sent);
        let got = source.get(&format!("/9901/fhir/{kind}/{id}")).expect(200);
        assert_eq!(without_platform(&got), without_platform(&sent), "{name}");
        stored.push(sent);
    }
    through_pmd(&server, &stored);
    through_events(&server, &stored);
    okt(&server);
    services_at_a_glance(&server);
    news2(&server);
}

/// What the platform does not set itself.
fn without_platform(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let object = resource.as_object_mut().unwrap();
    object.remove("id");
    if let Some(meta) = object.get_mut("meta").and_then(Value::as_object_mut) {
        meta.retain(|name, _| !matches!(name.as_str(), "versionId" | "lastUpdated"));
    }
    if object.get("meta") == Some(&json!({})) {
        object.remove("meta");
    }
    resource
}

/// The Observations in a collection from another system, found again by form.
fn through_pmd(server: &Server, stored: &[Value]) {
    let source = server.role("vkp");
    let observations = stored.iter().filter(|it| it["resourceType"] == "Observation");
    let entries: Vec<Value> = observations.map(|it| json!({ "resource": it })).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let response = source.post("/9901/pmd/", &bundle).expect(200);
    assert_eq!(response["entry"].as_array().unwrap().len(), entries.len());
    for pid in ["1000807", "1000239"] {
        let form = format!("patient.identifier={FNR}|{pid}");
        let answer = source.form("/9901/pmd/Observation/_search", &form);
        assert_eq!(answer.matches().len(), 2, "{pid}");
        // Not even a number that no check digit gives away stands in a link.
        assert!(!answer.expect(200)["link"].to_string().contains(pid), "{}", answer.text);
        // A nurse sees those of both systems.
        let nurse = server.role("sykepleier").form("/9901/pmd/Observation/_search", &form);
        assert_eq!(nurse.matches().len(), 4, "{pid}");
    }
}

/// Everything once more as CloudEvents in one batch, and the batch once again.
fn through_events(server: &Server, stored: &[Value]) {
    let source = server.role("plo-epj");
    let mut data: Vec<Value> = stored.iter().filter(|it| is_agreed(it)).cloned().collect();
    data.push(input("okt-ig-0.2.0__OktEvent-logical__OktEvent1"));
    let event = |(n, data): (usize, &Value)| {
        json!({ "specversion": "1.0", "id": n.to_string(), "source": "urn:published",
                "type": "no.test.published", "data": data })
    };
    let batch: Vec<Value> = data.iter().enumerate().map(event).collect();
    let kind = "application/cloudevents-batch+json";
    let locations = || -> Vec<Value> {
        let answer = source.post_as("/9901/events", kind, json!(batch).to_string()).expect(200);
        let entries = answer["entry"].as_array().unwrap().iter();
        entries.map(|entry| entry["response"]["location"].clone()).collect()
    };
    let first = locations();
    assert!(first.iter().all(Value::is_string), "{first:?}");
    assert_eq!(locations(), first);
}

fn okt(server: &Server) {
    let sent = input("okt-ig-0.2.0__OktEvent-logical__OktEvent1");
    let pid = text(&sent["personIdentifier"]);
    let source = server.role("plo-epj");
    assert_eq!(source.get(&format!("/9901/okt/okt-events/{pid}")).expect(200), sent);
    // It ended in 2025.
    let status = source.get(&format!("/9901/okt/okt-status/{pid}")).expect(200);
    assert_eq!(status["oktStatus"], 0);
}

fn services_at_a_glance(server: &Server) {
    let path = "/9901/fhir/Patient/Example/$kommunale-tjenester";
    let answer = server.role("legevaktslege").get(path).expect(200);
    let service = &named(&answer["parameter"], "ended")["part"];
    let title = &named(service, "type")["valueCodeableConcept"]["text"];
    assert_eq!(title, "Praktisk bistand – daglige gjøremål");
    assert_eq!(named(service, "hoursPerWeek")["valueQuantity"]["value"], 10);
    assert_eq!(named(service, "stay")["valueString"], "Dagopphold");
    let words = "Dette er en utfyllende beskrivelse av tjenesten";
    assert_eq!(named(service, "localText")["valueString"], words);
}

/// The published NEWS2 says 20. Its own bands give 18: 93–94 % on oxygen is one point on scale 2.
fn news2(server: &Server) {
    let patient = json!({ "resourceType": "Patient",
        "identifier": [{ "system": FNR, "value": "1000807" }] });
    let created = server.role("plo-epj").post("/9901/fhir/Patient", &patient);
    let id = text(&serde_json::from_str::<Value>(&created.text).unwrap()["id"]);
    let path = format!("/9901/fhir/Patient/{id}/$news2");
    let answer = server.role("sykepleier").get(&path).expect(200);
    let sets = answer["parameter"].as_array().unwrap().iter().filter(|it| it["name"] == "set");
    let received = sets
        .filter_map(|set| set["part"].as_array()?.iter().find(|it| it["name"] == "received"))
        .map(|received| &received["part"])
        .next()
        .expect("a received score");
    assert_eq!(named(received, "total")["valueInteger"], 20);
    let parts = received.as_array().unwrap().iter();
    let differences: Vec<&Value> =
        parts.filter(|it| it["name"] == "difference").map(|it| &it["part"]).collect();
    let scores = |what: &str| {
        let found = differences.iter().find(|it| named(it, "what")["valueCode"] == what);
        let found = found.unwrap_or_else(|| panic!("{what} in {differences:?}"));
        [&named(found, "received")["valueInteger"], &named(found, "computed")["valueInteger"]]
    };
    assert_eq!(scores("oxygen-saturation"), [&json!(3), &json!(1)]);
    assert_eq!(scores("total"), [&json!(20), &json!(18)]);
}

fn named<'a>(parts: &'a Value, name: &str) -> &'a Value {
    let found = parts.as_array().and_then(|all| all.iter().find(|it| it["name"] == name));
    found.unwrap_or_else(|| panic!("no `{name}` in {parts}"))
}
