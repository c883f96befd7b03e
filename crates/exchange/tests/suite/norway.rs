//! What the Norwegian profiles take and refuse: published examples, and synthetic resources with one
//! fault each.

use std::path::Path;

use fhir::check::{BaseCodes, Validator};
use fhir::issue::Issue;
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::value::Value;
use record::profile::structure_definitions;

const OKT: &str = "http://hl7.no/fhir/ig/okt/StructureDefinition/OktEpisodeOfCare";
const OSLO: &str =
    "https://github.com/oslokommune/Pasientjournal-API/StructureDefinition/municipal-service";
const OSLO_UNIT: &str =
    "https://github.com/oslokommune/Pasientjournal-API/StructureDefinition/municipal-organization";
const KOMMUNE: &str = "https://kommune.conteir.no/StructureDefinition/no-kommune-EpisodeOfCare";
const VKP: &str = "http://hl7.no/fhir/vkpobservation/StructureDefinition/vkp-Observation-";
const BASIS: &str = "http://hl7.no/fhir/StructureDefinition/no-basis-";
const TYPE: &str = "urn:oid:2.16.578.1.12.4.1.1.9151";

fn profiles() -> Profiles {
    let definitions: Vec<Value> =
        structure_definitions().iter().map(|text| json::parse(text.as_bytes()).unwrap()).collect();
    Profiles::base().extended(&definitions).unwrap()
}

/// The places and words of what refuses a resource.
fn faults(profiles: &Profiles, resource: Value, demanded: &[&str]) -> Vec<String> {
    let validator = Validator { profiles, terminology: &BaseCodes };
    let issues = validator.validate(&Resource::from_value(resource).unwrap(), demanded);
    issues
        .iter()
        .filter(|issue| Issue::refuses(issue))
        .map(|issue| format!("{}: {}", issue.location, issue.message))
        .collect()
}

#[test]
fn every_profile_compiles() {
    let profiles = profiles();
    for text in structure_definitions() {
        let definition = json::parse(text.as_bytes()).unwrap();
        let url = definition.text("url").unwrap();
        assert!(profiles.get(url).is_some(), "{url}");
    }
}

#[test]
fn published_examples_fit_the_profiles_they_claim_or_should_fit() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/norway"));
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    };
    // A type that is not a reference (`patient/…`), which base R4 refuses already.
    let unsound = "vkpobservation-0.5.2__Observation__Observation-respiratory-rate-create.json";
    let profiles = profiles();
    let mut fitting = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(value) = json::parse(&std::fs::read(&path).unwrap()) else { continue };
        let Some(kind) = value.text("resourceType").map(str::to_owned) else { continue };
        if name == unsound {
            continue;
        }
        let also = match kind.as_str() {
            "Patient" | "Organization" => vec![format!("{BASIS}{kind}")],
            _ => Vec::new(),
        };
        let also: Vec<&str> = also.iter().map(String::as_str).collect();
        assert_eq!(faults(&profiles, value, &also), Vec::<String>::new(), "{name}");
        fitting += 1;
    }
    assert!(fitting >= 18, "{fitting}");
}

fn number(value: &str) -> Value {
    json!({ "identifier": { "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": value } })
}

fn service(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn episode(kinds: Vec<Value>) -> Value {
    json!({
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "type": kinds,
        "patient": number("28894698995"),
        "managingOrganization": { "reference": "Organization/sone-1" },
        "period": { "start": "2025-01-01" },
    })
}

fn reading(code: &str, unit: &str, value: i64) -> Value {
    json!({
        "resourceType": "Observation",
        "status": "final",
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }] }],
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "subject": number("28894698995"),
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "performer": [number("03923248608")],
        "valueQuantity": {
            "value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit,
        },
    })
}

/// The resource with another value at a path; `null` takes the member away.
fn with(mut resource: Value, path: &str, value: Value) -> Value {
    let (before, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = &mut resource;
    for step in before.split('.').filter(|step| !step.is_empty()) {
        at = match (at, step.parse::<usize>()) {
            (Value::Array(items), Ok(index)) => items.get_mut(index).unwrap(),
            (other, _) => other.as_object_mut().unwrap().get_mut(step).unwrap(),
        };
    }
    let object = at.as_object_mut().unwrap();
    if value == Value::Null {
        object.remove(last);
    } else {
        object.set(last, value);
    }
    resource
}

/// Each sound resource fits its profile, and the one fault of each other is found in its place.
fn judged(sound: Vec<(Value, &str)>, faulty: Vec<(Value, &str, &str)>) {
    let profiles = profiles();
    for (resource, profile) in sound {
        assert_eq!(faults(&profiles, resource, &[profile]), Vec::<String>::new(), "{profile}");
    }
    for (resource, profile, place) in faulty {
        let found = faults(&profiles, resource, &[profile]);
        assert!(found.iter().any(|fault| fault.starts_with(place)), "{place}: {found:#?}");
    }
}

#[test]
fn a_service_fits_or_its_fault_is_found_in_its_place() {
    let oslo_type = "https://finnkode.helsedirektoratet.no/adm/collections/9151";
    let okt = || episode(vec![service(TYPE, "15")]);
    let oslo = || episode(vec![service(oslo_type, "15")]);
    let stay = "http://hl7.no/fhir/ig/okt/CodeSystem/OktStayTypeCs";
    let both = || episode(vec![service(TYPE, "15"), service(stay, "dagopphold")]);
    let orgnr = json!({ "system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": "997506499" });
    let resh = json!({ "system": "urn:oid:2.16.578.1.12.4.1.4.102", "value": "1" });
    let unit = |identifiers: Vec<Value>| json!({ "resourceType": "Organization", "name": "Sone 1", "identifier": identifiers });
    let endless = with(okt(), "period", json!({ "end": "2025-02-01" }));
    let long = with(both(), "type.1.coding.0.code", json!("langtidsopphold"));
    judged(
        vec![
            (okt(), OKT),
            (both(), OKT),
            (okt(), KOMMUNE),
            (oslo(), OSLO),
            (unit(vec![orgnr.clone()]), OSLO_UNIT),
        ],
        vec![
            (endless, OKT, "EpisodeOfCare.period.start"),
            (with(okt(), "period", Value::Null), KOMMUNE, "EpisodeOfCare.period"),
            (
                episode(vec![service(TYPE, "15"), service("urn:local", "x")]),
                OKT,
                "EpisodeOfCare.type",
            ),
            (episode(vec![service(TYPE, "15"), service(TYPE, "6")]), OKT, "EpisodeOfCare.type"),
            (long, OKT, "EpisodeOfCare.type[1].coding[0].code"),
            (okt(), OSLO, "EpisodeOfCare.type[0].coding[0].system"),
            (
                with(oslo(), "managingOrganization", Value::Null),
                OSLO,
                "EpisodeOfCare.managingOrganization",
            ),
            (unit(vec![resh.clone()]), OSLO_UNIT, "Organization.identifier"),
            (unit(vec![orgnr, resh]), OSLO_UNIT, "Organization.identifier"),
        ],
    );
}

#[test]
fn a_measurement_fits_or_its_fault_is_found_in_its_place() {
    let (heart, weight) = (format!("{VKP}Heartrate"), format!("{VKP}Bodyweight"));
    let basis = format!("{BASIS}Patient");
    let pulse = || reading("8867-4", "/min", 60);
    let subject = |value: Value| with(pulse(), "subject", value);
    let local = json!({ "identifier": { "system": "urn:local", "value": "1" } });
    let numbers = |number: Value| json!({ "resourceType": "Patient", "identifier": [number] });
    let fnr = json!({ "system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "28894698995" });
    let empty = json!({ "system": "urn:oid:2.16.578.1.12.4.1.4.1" });
    judged(
        vec![(pulse(), &heart), (reading("29463-7", "kg", 70), &weight), (numbers(fnr), &basis)],
        vec![
            (subject(Value::Null), &heart, "Observation.subject"),
            (subject(local), &heart, "Observation.subject.identifier.system"),
            (
                subject(json!({ "reference": "Patient/1" })),
                &heart,
                "Observation.subject.identifier",
            ),
            (with(pulse(), "category", Value::Null), &heart, "Observation.category"),
            (reading("29463-7", "[lb_av]", 150), &weight, "Observation.value"),
            (numbers(empty), &basis, "Patient.identifier[0].value"),
        ],
    );
}
