//! The Norwegian terminology of `record` on top of R4's in `fhir`: sound resources, and answers as
//! the record's own rules give them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::resource::Resource;
use fhir::terminology::Terminology;
use fhir::terminology::map::Translate;
use fhir::value::Value;
use record::service::{SERVICE_TYPES, padded};
use record::system::{SERVICE_TYPE, SERVICE_TYPE_OSLO, SNOMED, canonical};
use std::collections::BTreeSet;

fn resources() -> Vec<Value> {
    let texts = record::terminology::resources().iter();
    texts.map(|text| fhir::json::parse(text.as_bytes()).unwrap()).collect()
}

fn norwegian() -> Terminology {
    Terminology::base().extended(&resources()).unwrap()
}

fn translated(map: Option<&str>, system: &str, code: &str, reverse: bool) -> Vec<(String, String)> {
    let map = map.map(|name| format!("{}/ConceptMap/{name}", record::terminology::BASE));
    let asked = Translate { map: map.as_deref(), system, code, reverse, ..Translate::default() };
    let answer = norwegian().translate(&asked).unwrap();
    let matches = answer.items("parameter").iter().filter(|it| it.text("name") == Some("match"));
    let codings = matches.filter_map(|it| {
        let part = it.items("part").iter().find(|part| part.text("name") == Some("concept"))?;
        let coding = part.get("valueCoding")?;
        Some((coding.text("system")?.to_owned(), coding.text("code")?.to_owned()))
    });
    codings.collect()
}

#[test]
fn resources_are_sound_and_all_known() {
    let all = resources();
    let mut ids = BTreeSet::new();
    for value in &all {
        let url = value.text("url").unwrap().to_owned();
        let kind = value.text("resourceType").unwrap().to_owned();
        let issues = fhir::check::check(&Resource::from_value(value.clone()).unwrap());
        assert!(issues.is_empty(), "{url}: {issues:?}");
        assert!(ids.insert((kind, value.text("id").unwrap().to_owned())), "{url}: id twice");
        let either = [url.clone(), SERVICE_TYPE.to_owned()];
        assert!(either.contains(&canonical(&url).into_owned()), "{url} is not canonical");
    }
    let known = norwegian();
    for value in all.iter().filter(|it| it.text("resourceType") == Some("ValueSet")) {
        let url = value.text("url").unwrap();
        assert!(!known.codes_of(url).unwrap().is_empty(), "{url} is empty");
    }
    for system in record::terminology::resources().iter().filter(|it| it.contains("\"CodeSystem\""))
    {
        assert!(!system.contains("\"concept\":[]"), "a code system without codes");
    }
}

#[test]
fn service_types_have_two_systems_and_two_spellings() {
    let known = norwegian();
    let set = format!("{}/ValueSet/service-type", record::terminology::BASE);
    for service in &SERVICE_TYPES {
        for (from, to) in [(SERVICE_TYPE, SERVICE_TYPE_OSLO), (SERVICE_TYPE_OSLO, SERVICE_TYPE)] {
            assert_eq!(known.contains(&set, Some(from), service.code), Some(true));
            let reverse = from == SERVICE_TYPE_OSLO;
            let found = translated(Some("service-type"), from, service.code, reverse);
            assert_eq!(found, [(to.to_owned(), service.code.to_owned())]);
        }
        let okt = padded(service.code);
        if okt != service.code {
            assert_eq!(known.has_code(SERVICE_TYPE, &okt), Some(false));
            let found = translated(Some("okt-service-type"), SERVICE_TYPE, &okt, false);
            assert_eq!(found, [(SERVICE_TYPE.to_owned(), service.code.to_owned())]);
        }
    }
    assert_eq!(known.contains(&set, Some(SERVICE_TYPE), "13"), Some(false), "not in use");
}

#[test]
fn letters_and_purposes_lead_to_published_codes() {
    let found = translated(None, record::terminology::ACVPU, "C", false);
    assert_eq!(found, [(SNOMED.to_owned(), "130987000".to_owned())]);
    let back = translated(Some("acvpu"), SNOMED, "130987000", true);
    assert_eq!(back, [(record::terminology::ACVPU.to_owned(), "C".to_owned())]);
    for code in ["TREAT", "ETREAT", "COC", "BTG"] {
        for (system, code) in translated(None, record::purpose::SYSTEM, code, false) {
            assert_eq!(norwegian().has_code(&system, &code), Some(true), "{code}");
        }
    }
}

#[test]
fn news2_codes_are_in_their_sets() {
    let known = norwegian();
    let has = |set: &str, system: &str, code: &str| {
        let url = format!("{}/ValueSet/{set}", record::terminology::BASE);
        known.contains(&url, Some(system), code).unwrap()
    };
    assert!(has("vital-sign", "http://loinc.org", "9279-1"));
    assert!(has("vital-sign", SNOMED, "1104441000000107"));
    assert!(has("news2-points", SNOMED, "1104321000000108"));
    assert!(has("news2-total", SNOMED, "1104051000000101"));
    assert!(has("oxygen-supply", SNOMED, "722742002"));
    assert!(!has("news2-total", SNOMED, "1104321000000108"));
}
