//! Prints how long the main operations take: `cargo run --release -p fhir --example operations`.

#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use fhir::check::{BaseCodes, Validator};
use fhir::profile::Profiles;
use fhir::resource::Resource;
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let start = Instant::now();
    let kinds = fhir::definitions::resource_kinds().len();
    println!("definitions of {kinds} resource types: {:?}", start.elapsed());
    let start = Instant::now();
    let count = fhir::search::parameters("Patient").len();
    println!("search parameters, {count} of Patient: {:?}", start.elapsed());
    terminology();
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let pressure = ["http://hl7.org/fhir/StructureDefinition/bp"];
    for (name, value, profiles) in
        [("Patient", patient(), &[][..]), ("Observation", observation(), &pressure[..])]
    {
        let text = fhir::json::print(&value);
        let resource = Resource::from_value(value.clone()).unwrap();
        let issues = validator.validate(&resource, profiles);
        let refusals = issues.iter().filter(|issue| issue.refuses()).count();
        println!("{name}, {} bytes, {refusals} errors", text.len());
        let mut out = Vec::new();
        measure("  parse", || fhir::json::parse(text.as_bytes()).unwrap());
        measure("  print", || {
            out.clear();
            fhir::json::print_to(&value, &mut out);
        });
        let written = fhir::xml::print(&value).unwrap();
        measure("  parse XML", || fhir::xml::parse(written.as_bytes()).unwrap());
        measure("  print XML", || fhir::xml::print(&value).unwrap());
        measure("  check", || fhir::check::check(&resource));
        measure("  validate", || validator.validate(&resource, profiles));
        measure("  index", || fhir::search::index(&resource));
    }
}

fn terminology() {
    use fhir::terminology::Terminology;
    let start = Instant::now();
    let base = Terminology::base();
    println!("terminology, {} code systems: {:?}", base.systems().len(), start.elapsed());
    let start = Instant::now();
    let sets = base.value_sets();
    let codes: usize =
        sets.iter().filter_map(|set| base.codes(set)).map(|it| it.members().len()).sum();
    println!("  {} value sets with {codes} codes worked out: {:?}", sets.len(), start.elapsed());
    let set = "http://terminology.hl7.org/ValueSet/v3-ActCode";
    let system = Some("http://terminology.hl7.org/CodeSystem/v3-ActCode");
    let held = base.codes(set).unwrap();
    measure("  contains, by URL", || base.contains(set, system, "AMB"));
    measure("  contains, set in hand", || held.contains(system, "AMB"));
    measure("  contains, no such code", || held.contains(system, "28894"));
}

/// The best of several rounds, per call.
fn measure<T>(name: &str, work: impl FnMut() -> T) {
    const CALLS: u32 = 2000;
    let mut work = work;
    let mut best = f64::INFINITY;
    for _ in 0..9 {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
    }
    println!("{name}: {best:.2} µs");
}

fn patient() -> fhir::value::Value {
    let address = fhir::json!({
        "use": "home", "type": "physical", "line": ["Storgata 1", "H0101"], "city": "Granfjelldal",
        "postalCode": "9990", "district": "Granfjelldal", "country": "NO",
        "period": { "start": "2019-05-01" },
        "extension": [{
            "url": "http://example.org/propertyinformation",
            "extension": [
                { "url": "municipality", "valueCoding": { "system": "urn:oid:2.16.578.1.12.4.1.1.3402", "code": "9990" } },
            ],
        }],
    });
    let contact = fhir::json!({
        "relationship": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N", "display": "Next-of-Kin" }] }],
        "name": { "family": "Lund", "given": ["Per", "Emil"] },
        "telecom": [{ "system": "phone", "value": "+4799999999", "use": "mobile", "rank": 1 }],
        "period": { "start": "2020-01-01" },
    });
    fhir::json!({
        "resourceType": "Patient",
        "id": "0190a1b2-0000-7000-8000-000000000001",
        "meta": {
            "versionId": "7", "lastUpdated": "2026-01-05T10:00:00.000Z", "source": "urn:epj:1",
            "profile": ["http://hl7.no/fhir/StructureDefinition/no-basis-Patient"],
            "tag": [{ "system": "urn:tag", "code": "0301" }],
        },
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Kari Lund</div>" },
        "identifier": [
            { "use": "official", "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995" },
            { "use": "secondary", "system": "urn:epj:patient", "value": "4711", "assigner": { "display": "EPJ" } },
        ],
        "active": true,
        "name": [{ "use": "official", "family": "Lund", "given": ["Kari", "Anne"], "_given": [null, { "extension": [{ "url": "urn:x", "valueString": "y" }] }] }],
        "telecom": [
            { "system": "phone", "value": "+4790000000", "use": "mobile" },
            { "system": "email", "value": "kari@example.org" },
        ],
        "gender": "female",
        "birthDate": "1946-09-28",
        "deceasedBoolean": false,
        "address": [&address, &address],
        "maritalStatus": { "coding": [{ "system": "urn:oid:2.16.578.1.12.4.1.1.7200", "code": "2", "display": "Gift" }] },
        "contact": [&contact, &contact],
        "communication": [{ "language": { "coding": [{ "system": "urn:ietf:bcp:47", "code": "nb" }] }, "preferred": true }],
        "generalPractitioner": [{ "reference": "PractitionerRole/4", "display": "Fastlege" }],
        "managingOrganization": { "identifier": { "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": "999977774" } },
    })
}

fn observation() -> fhir::value::Value {
    let component = |code: &str, value: i64| {
        fhir::json!({
            "code": { "coding": [
                { "system": "http://loinc.org", "code": code, "display": "Blood pressure component" },
                { "system": "http://snomed.info/sct", "code": "271649006", "display": "Blood pressure" },
            ] },
            "valueQuantity": { "value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]" },
            "interpretation": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "N" }] }],
        })
    };
    fhir::json!({
        "resourceType": "Observation",
        "id": "0190a1b2-0000-7000-8000-000000000002",
        "meta": { "profile": ["http://hl7.no/fhir/StructureDefinition/vkp-Observation-Bloodpressure"], "lastUpdated": "2026-01-05T10:00:00.000Z" },
        "identifier": [{ "system": "urn:epj:observation", "value": "0190a1b2" }],
        "status": "final",
        "category": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs", "display": "Vital Signs" }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": "85354-9" }], "text": "Blodtrykk" },
        "subject": { "identifier": { "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995" } },
        "effectiveDateTime": "2026-01-05T10:55:31+01:00",
        "issued": "2026-01-05T10:55:31.000+01:00",
        "performer": [{ "reference": "Practitioner/9", "display": "Sykepleier" }],
        "component": [component("8480-6", 128), component("8462-4", 81)],
        "note": [{ "text": "Målt sittende, høyre arm" }],
    })
}
