//! What is left of a resource under `_summary` and `_elements`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::json;
use fhir::subset::Subset;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","meta":{"versionId":"7"},
    "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
    "contained":[{"resourceType":"Organization","id":"o","name":"x"}],
    "modifierExtension":[{"url":"urn:m","valueBoolean":true}],
    "extension":[{"url":"urn:e","valueBoolean":true}],
    "name":[{"extension":[{"url":"urn:e","valueBoolean":true}],"family":"Berg","_family":{"id":"f"}}],
    "deceasedBoolean":false,
    "photo":[{"contentType":"image/png","data":"AAAA"}],
    "contact":[{"name":{"family":"Dal"}}],
    "link":[{"other":{"reference":"Patient/q"},"type":"refer"}]}"#;

fn check(subset: &Subset, resource: &str, expected: &Expect) {
    let part = subset.of(&json::parse(resource.as_bytes()).unwrap());
    let mut text = String::new();
    for (name, value) in part.as_object().unwrap().iter() {
        text.push_str(&format!("{name} {}\n", json::print(value)));
    }
    expected.assert_eq(&text);
}

#[test]
fn a_summary_has_what_the_definitions_mark() {
    check(
        &Subset::Summary,
        PATIENT,
        &expect![[r#"
            resourceType "Patient"
            id "p"
            meta {"versionId":"7","tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}
            modifierExtension [{"url":"urn:m","valueBoolean":true}]
            name [{"family":"Berg","_family":{"id":"f"}}]
            deceasedBoolean false
            link [{"other":{"reference":"Patient/q"},"type":"refer"}]
        "#]],
    );
}

#[test]
fn text_is_the_narrative_and_data_is_all_else() {
    check(
        &Subset::Text,
        PATIENT,
        &expect![[r#"
        resourceType "Patient"
        id "p"
        meta {"versionId":"7","tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}
        text {"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}
        modifierExtension [{"url":"urn:m","valueBoolean":true}]
    "#]],
    );
    let short = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
        "text":{"status":"empty"},"note":[{"text":"y"}]}"#;
    check(
        &Subset::Data,
        short,
        &expect![[r#"
        resourceType "Observation"
        meta {"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}
        status "final"
        code {"text":"x"}
        note [{"text":"y"}]
    "#]],
    );
    check(
        &Subset::Text,
        short,
        &expect![[r#"
        resourceType "Observation"
        meta {"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}
        status "final"
        code {"text":"x"}
        text {"status":"empty"}
    "#]],
    );
}

#[test]
fn elements_come_with_what_is_required() {
    let observation = r#"{"resourceType":"Observation","id":"o","status":"final",
        "code":{"text":"x"},"valueString":"v","_valueString":{"id":"a"},"note":[{"text":"y"}]}"#;
    check(
        &Subset::Elements(vec!["value".into()]),
        observation,
        &expect![[r#"
        resourceType "Observation"
        id "o"
        meta {"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}
        status "final"
        code {"text":"x"}
        valueString "v"
        _valueString {"id":"a"}
    "#]],
    );
}
