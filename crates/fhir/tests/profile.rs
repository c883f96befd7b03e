//! Profiles given as StructureDefinitions: what they demand is asked, and where it is missing is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::check::{BaseCodes, Validator};
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::value::Value;

const URL: &str = "http://example.org/StructureDefinition/";

/// A StructureDefinition with these elements.
fn profile(name: &str, kind: &str, base: &str, elements: Value) -> Value {
    json!({
        "resourceType": "StructureDefinition",
        "url": format!("{URL}{name}"),
        "version": "1.0",
        "type": kind,
        "derivation": "constraint",
        "baseDefinition": base,
        "context": [{ "type": "element", "expression": "Patient" }],
        "differential": { "element": elements },
    })
}

fn base(kind: &str) -> String {
    format!("http://hl7.org/fhir/StructureDefinition/{kind}")
}

/// The issues of each resource by the first of the profiles.
fn issues(definitions: &[Value], resources: &[Value], expected: Expect) {
    let profiles = Profiles::base().extended(definitions).unwrap();
    let validator = Validator { profiles: &profiles, terminology: &BaseCodes };
    let url = definitions.first().and_then(|first| first.text("url")).unwrap();
    let mut report = String::new();
    for (number, resource) in resources.iter().enumerate() {
        let resource = Resource::from_value(resource.clone()).unwrap();
        report.push_str(&format!("{}:\n", number + 1));
        for issue in validator.validate(&resource, &[url]) {
            let severity = issue.severity.as_str();
            report.push_str(&format!("  {severity} {}: {}\n", issue.location, issue.message));
        }
    }
    expected.assert_eq(&report);
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn observation(members: &[(&str, Value)]) -> Value {
    let mut value = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "x" },
    });
    for (name, member) in members {
        value.as_object_mut().unwrap().set(name, member.clone());
    }
    value
}

#[test]
fn slices_by_pattern_are_counted_ordered_and_closed() {
    let elements = json!([
        { "id": "Observation.category", "path": "Observation.category", "slicing": {
            "discriminator": [{ "type": "pattern", "path": "$this" }], "ordered": true, "rules": "closed",
        }, "min": 1 },
        { "id": "Observation.category:kind", "path": "Observation.category", "sliceName": "kind",
          "min": 1, "max": "1", "patternCodeableConcept": coding("urn:a", "k") },
        { "id": "Observation.category:place", "path": "Observation.category", "sliceName": "place",
          "max": "1", "patternCodeableConcept": coding("urn:b", "p") },
    ]);
    let (kind, place) = (coding("urn:a", "k"), coding("urn:b", "p"));
    let other = coding("urn:b", "k");
    issues(
        &[profile("sliced", "Observation", &base("Observation"), elements)],
        &[
            observation(&[("category", json!([&kind, &place]))]),
            observation(&[("category", json!([&place, &kind]))]),
            observation(&[("category", json!([&kind, &other]))]),
            observation(&[("category", json!([&kind, &kind]))]),
            observation(&[]),
        ],
        expect![[r#"
            1:
            2:
              error Observation.category[1]: by profile `sliced` this stands behind values of a later slice: send them in the profile's order
            3:
              error Observation.category[1]: by profile `sliced` this is of none of the slices allowed: leave it out
            4:
              error Observation.category: profile `sliced` allows 1 of `category` of slice `kind` at most: leave others out
            5:
              error Observation.category: profile `sliced` demands `category`: add it
        "#]],
    );
}

#[test]
fn slices_by_type_and_by_existence() {
    let elements = json!([
        { "path": "Observation.value[x]", "slicing": {
            "discriminator": [{ "type": "type", "path": "$this" }], "rules": "open",
        } },
        { "path": "Observation.value[x]", "sliceName": "valueQuantity", "type": [{ "code": "Quantity" }] },
        { "path": "Observation.value[x].unit", "min": 1 },
        { "path": "Observation.performer", "slicing": {
            "discriminator": [{ "type": "exists", "path": "identifier" }], "rules": "open",
        } },
        { "path": "Observation.performer", "sliceName": "known", "min": 1 },
        { "path": "Observation.performer.identifier", "min": 1 },
        { "path": "Observation.performer.identifier.system", "min": 1 },
    ]);
    let known = json!([{ "identifier": { "system": "urn:x", "value": "1" } }]);
    issues(
        &[profile("typed", "Observation", &base("Observation"), elements)],
        &[
            observation(&[
                ("valueQuantity", json!({ "value": 1, "unit": "m" })),
                ("performer", known.clone()),
            ]),
            observation(&[("valueQuantity", json!({ "value": 1 })), ("performer", known)]),
            observation(&[("valueString", json!("x")), ("performer", json!([{ "display": "x" }]))]),
            observation(&[("performer", json!([{ "identifier": { "value": "1" } }]))]),
        ],
        expect![[r#"
            1:
            2:
              error Observation.valueQuantity.unit: profile `typed` demands `unit`: add it
            3:
              error Observation.performer: profile `typed` demands `performer` of slice `known`: add it
            4:
              error Observation.performer[0].identifier.system: profile `typed` demands `system`: add it
        "#]],
    );
}

#[test]
fn profiles_rest_on_profiles_and_on_what_is_contained() {
    let strict = json!([
        { "id": "Observation.subject", "path": "Observation.subject", "type": [{
            "code": "Reference", "targetProfile": [format!("{URL}named")],
        }] },
        { "id": "Observation.category:VSCat.text", "path": "Observation.category.text", "min": 1 },
        { "id": "Observation.valueQuantity", "path": "Observation.valueQuantity", "min": 1 },
    ]);
    let named = json!([{ "id": "Patient.name", "path": "Patient.name", "min": 1, "constraint": [
        { "key": "n-1", "severity": "error", "expression": "family.exists()" },
    ] }]);
    let category = |text: Option<&str>| {
        json!([{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs",
        }], "text": text }])
    };
    let sign = |text, name: Value| {
        observation(&[
            ("contained", json!([{ "resourceType": "Patient", "id": "p", "name": name }])),
            ("category", category(text)),
            ("subject", json!({ "reference": "#p" })),
            ("effectiveDateTime", "2026-01-05".into()),
            ("valueQuantity", json!({ "value": 1 })),
        ])
    };
    issues(
        &[
            profile("strict", "Observation", &base("vitalsigns"), strict),
            profile("named", "Patient", &base("Patient"), named),
        ],
        &[
            sign(Some("vital"), json!([{ "family": "Lund" }])),
            sign(None, json!([{ "family": "Lund" }])),
            sign(Some("vital"), json!([{ "text": "Lund" }])),
            observation(&[("valueString", "x".into())]),
        ],
        expect![[r#"
            1:
            2:
              error Observation.category[0].text: profile `strict` demands `text`: add it
            3:
              error Observation.subject.reference: profile `strict` demands that what is referred to follows `named`: correct it
            4:
              error Observation.category: profile `strict` demands `category`: add it
              error Observation.subject: profile `strict` demands `subject`: add it
              error Observation.effective[x]: profile `strict` demands `effective[x]`: add it
              error Observation.valueString: profile `strict` allows no string here: use `Quantity`
        "#]],
    );
}

#[test]
fn extensions_are_asked_what_they_hold_and_where_they_stand() {
    let elements = json!([
        { "id": "Patient.extension:ward", "path": "Patient.extension", "sliceName": "ward", "min": 1,
          "type": [{ "code": "Extension", "profile": [format!("{URL}ward")] }] },
    ]);
    let ward = json!([
        { "id": "Extension.extension:unit", "path": "Extension.extension", "sliceName": "unit", "min": 1 },
        { "id": "Extension.extension:unit.url", "path": "Extension.extension.url", "fixedUri": "unit" },
        { "id": "Extension.extension:unit.value[x]", "path": "Extension.extension.value[x]", "min": 1,
          "type": [{ "code": "string" }] },
        { "id": "Extension.url", "path": "Extension.url", "fixedUri": format!("{URL}ward") },
        { "id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0" },
    ]);
    let with = |extension: Value| json!({ "resourceType": "Patient", "extension": [extension] });
    let url = format!("{URL}ward");
    let part = |value: Value| json!({ "url": &url, "extension": [value] });
    issues(
        &[
            profile("admitted", "Patient", &base("Patient"), elements),
            profile("ward", "Extension", &base("Extension"), ward),
        ],
        &[
            with(part(json!({ "url": "unit", "valueString": "3B" }))),
            with(part(json!({ "url": "unit", "valueCode": "3B" }))),
            with(part(json!({ "url": "room", "valueString": "3B" }))),
            with(json!({ "url": &url, "valueString": "3B" })),
            json!({ "resourceType": "Patient", "name": [{ "family": "Lund", "extension": [
                part(json!({ "url": "unit", "valueString": "3B" })),
            ] }] }),
            json!({ "resourceType": "Patient", "modifierExtension": [
                { "url": "urn:example:unknown", "valueString": "x" },
            ] }),
        ],
        expect![[r#"
            1:
            2:
              error Patient.extension[0].extension[0].valueCode: profile `ward` allows no code here: use `string`
            3:
              error Patient.extension[0].extension: profile `ward` demands `extension` of slice `unit`: add it
            4:
              error Patient.extension[0].extension: profile `ward` demands `extension` of slice `unit`: add it
              error Patient.extension[0].value[x]: profile `ward` allows no `value[x]`: leave it out
            5:
              error Patient.name[0].extension[0]: extension `ward` cannot stand here: put it on `Patient`
            6:
              warning Patient.modifierExtension[0]: an unknown extension that changes the meaning: who reads this cannot understand it
              error Patient.extension: profile `admitted` demands `extension` of slice `ward`: add it
        "#]],
    );
}

#[test]
fn profiles_declared_and_demanded() {
    let named = json!([{ "path": "Patient.name", "min": 1 }]);
    let declaring = |url: &str| json!({ "resourceType": "Patient", "meta": { "profile": [url] } });
    issues(
        &[profile("named", "Patient", &base("Patient"), named)],
        &[
            declaring(&format!("{URL}named")),
            declaring(&format!("{URL}named|2.0")),
            declaring(&base("Patient")),
            declaring(&base("vitalsigns")),
            observation(&[]),
        ],
        expect![[r#"
            1:
              error Patient.name: profile `named` demands `name`: add it
            2:
              error Patient.name: profile `named` demands `name`: add it
              warning Patient.meta.profile[0]: this profile is not known here: the resource is not checked against it
            3:
              error Patient.name: profile `named` demands `name`: add it
            4:
              error Patient.name: profile `named` demands `name`: add it
              error Patient: profile `vitalsigns` is for Observation: leave it out
            5:
              error Observation: profile `named` is for Patient: leave it out
        "#]],
    );
}

#[test]
fn definitions_that_are_not_understood_are_refused() {
    let refused = |definition: Value| {
        let issues = Profiles::base().extended(&[definition]).unwrap_err();
        let lines = issues.iter().map(|issue| format!("{}: {}\n", issue.location, issue.message));
        lines.collect::<String>()
    };
    let patient = |elements: Value| profile("p", "Patient", &base("Patient"), elements);
    let report = [
        refused(json!({ "resourceType": "StructureDefinition" })),
        refused(patient(json!([{ "path": "Patient.nam", "min": 1 }]))),
        refused(patient(
            json!([{ "path": "Patient.name", "constraint": [{ "key": "a", "expression": "((" }] }]),
        )),
        refused(patient(json!([
            { "id": "Patient.name:x", "path": "Patient.name" },
            { "id": "Patient.name:y", "path": "Patient.name" },
        ]))),
        refused(profile("p", "Patient", &format!("{URL}p"), json!([]))),
        refused(profile("p", "Patient", &format!("{URL}q"), json!([]))),
    ];
    expect![[r#"
        : profile not understood: `url` is missing: give the profile its URL
        http://example.org/StructureDefinition/p: profile not understood: element `Patient.nam`: there is no element `nam` there: correct the path
        http://example.org/StructureDefinition/p: profile not understood: element `Patient.name`: the expression of rule `a` is not FHIRPath: correct it
        http://example.org/StructureDefinition/p: profile not understood: slice `x`: nothing tells its values apart: give what its discriminators point to a fixed value, a pattern, a required binding or a type
        http://example.org/StructureDefinition/p: profile not understood: it is based on itself: correct `baseDefinition`
        http://example.org/StructureDefinition/p: profile not understood: `http://example.org/StructureDefinition/q` is not known: add its definition
    "#]].assert_eq(&report.concat());
}

#[test]
fn every_profile_and_extension_of_the_base_compiles() {
    let profiles = Profiles::base();
    let urls = profiles.urls();
    assert!(urls.len() > 400);
    let failed: Vec<&str> = urls.into_iter().filter(|url| profiles.get(url).is_none()).collect();
    assert_eq!(failed, [""; 0]);
}
