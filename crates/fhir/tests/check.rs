//! Checking against the base definitions: sound resources pass, and every single fault is found in its
//! place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::check::check;
use fhir::json;
use fhir::resource::Resource;
use fhir::value::Value;

mod samples;

fn issues(value: Value) -> String {
    let resource = Resource::from_value(value).unwrap();
    let lines = check(&resource)
        .into_iter()
        .map(|issue| format!("- {} {} | {}\n", issue.code.as_str(), issue.location, issue.message));
    lines.collect()
}

#[test]
fn sound_resources_pass() {
    for sample in samples::all() {
        assert_eq!(issues(sample), "");
    }
}

/// A sample, a text that stands once in it, and what to put in its place.
type Fault = (fn() -> Value, &'static str, &'static str);

/// Checks each sample with its one fault. The snapshot shows what was put in, then the issues.
fn faults(table: &[Fault], expected: Expect) {
    let mut report = String::new();
    for (sample, from, to) in table {
        let text = json::print(&sample());
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {text}");
        let found = issues(json::parse(text.replace(from, to).as_bytes()).unwrap());
        report.push_str(&format!("{to}\n{found}"));
    }
    expected.assert_eq(&report);
}

#[test]
fn names_and_types() {
    use samples::{observation, patient};
    faults(
        &[
            (patient, r#""active":true"#, r#""active":true,"actve":true"#),
            (patient, r#""active":true"#, r#""active":true,"28894698995":true"#),
            (observation, r#""unit":"mmHg","value":81"#, r#""units":"mmHg","value":81"#),
            (patient, r#""gender":"female""#, r#""gender":["female"]"#),
            (patient, r#""given":["Kari","Anne"]"#, r#""given":"Kari""#),
            (patient, r#""birthDate":"1946-09-28""#, r#""birthDate":19460928"#),
            (patient, r#""active":true"#, r#""active":"true""#),
            (observation, r#""value":81"#, r#""value":"81""#),
            (observation, r#""issued""#, r#""effectivePeriod":{"start":"2026"},"issued""#),
            (observation, r#""effectiveDateTime":"#, r#""effectiveDate":"#),
        ],
        expect![[r#"
            "active":true,"actve":true
            - structure Patient.actve | unknown element of Patient: correct the name or use an extension
            "active":true,"28894698995":true
            - structure Patient | a member whose name is no element name: remove it
            "units":"mmHg","value":81
            - structure Observation.component[1].valueQuantity.units | unknown element of Quantity: correct the name or use an extension
            "gender":["female"]
            - structure Patient.gender | an array, but there is one at most: send it alone
            "given":"Kari"
            - structure Patient.name[0].given | not an array, but there may be several: send `[…]`
            "birthDate":19460928
            - structure Patient.birthDate | not a date: send a JSON string in quotes
            "active":"true"
            - structure Patient.active | not a boolean: send `true` or `false` without quotes
            "value":"81"
            - structure Observation.component[1].valueQuantity.value | not a decimal: send a JSON number without quotes
            "effectivePeriod":{"start":"2026"},"issued"
            - structure Observation.effectivePeriod | a second type of one choice: keep one of them
            "effectiveDate":
            - structure Observation.effectiveDate | `effective` cannot have this type: use one of `dateTime`, `Period`, `Timing`, `instant`
        "#]],
    );
}

#[test]
fn cardinality_and_emptiness() {
    use samples::{bundle, observation, patient};
    faults(
        &[
            (observation, r#""status":"final","#, ""),
            (observation, r#""code":{"text":"Blodtrykk"}"#, r#""code":[]"#),
            (patient, r#""family":"Lund""#, r#""family":"""#),
            (patient, r#""family":"Lund""#, r#""family":null"#),
            (patient, r#"["Kari","Anne"]"#, "[]"),
            (patient, r#"["Kari","Anne"]"#, r#"["Kari",null]"#),
            (patient, r#"{"reference":"Organization/o1"}"#, "{}"),
            (patient, r#"{"reference":"Organization/o1"}"#, r#""Organization/o1""#),
            (bundle, r#""resourceType":"Organization""#, r#""resourceType":"Organisation""#),
            (bundle, r#""resourceType":"Organization","#, ""),
            (bundle, r#""name":"Hjemmetjenesten""#, r#""nam":"Hjemmetjenesten""#),
        ],
        expect![[r#"

            - required Observation.status | `status` is required: add it
            "code":[]
            - structure Observation.code | an array, but there is one at most: send it alone
            "family":""
            - value Patient.name[0].family | not a valid string: empty: leave the element out
            "family":null
            - structure Patient.name[0].family | not a string: `null`: leave it out
            []
            - structure Patient.name[0].given | empty array: leave the element out
            ["Kari",null]
            - structure Patient.name[0].given[1] | not a string: `null`: leave it out
            {}
            - structure Patient.managingOrganization | empty object: leave the element out
            "Organization/o1"
            - structure Patient.managingOrganization | not an object: send a Reference as `{…}`
            "resourceType":"Organisation"
            - value Bundle.entry[0].resource.resourceType | not a resource type of FHIR R4: correct it

            - required Bundle.entry[0].resource.resourceType | `resourceType` is required: name the type of the resource
            "nam":"Hjemmetjenesten"
            - structure Bundle.entry[0].resource.nam | unknown element of Organization: correct the name or use an extension
        "#]],
    );
}

#[test]
fn values() {
    use samples::{episode, observation, patient};
    faults(
        &[
            (patient, r#""id":"p1""#, r#""id":"p_1""#),
            (patient, r#""birthDate":"1946-09-28""#, r#""birthDate":"1946-09-31""#),
            (patient, r#""birthDate":"1946-09-28""#, r#""birthDate":"28.09.1946""#),
            (observation, r#"10:55:31+01:00","issued""#, r#"10:55","issued""#),
            (
                observation,
                r#""issued":"2026-01-05T10:55:31.000+01:00""#,
                r#""issued":"2026-01-05""#,
            ),
            (patient, r#""gender":"female""#, r#""gender":"kvinne""#),
            (episode, r#""status":"active""#, r#""status":"on-hold""#),
            (patient, r#""rank":1"#, r#""rank":0"#),
            (patient, r#""rank":1"#, r#""rank":1.0"#),
            (patient, r#""system":"urn:oid:2.16"#, r#""system":"urn: oid:2.16"#),
            (episode, "Patient/p1", "Device/p1"),
            (episode, "Patient/p1", "https://example.org/fhir/Device/p1/_history/3"),
            (episode, "Patient/p1", "Pasient/p1"),
            (episode, r#"{"reference":"Patient/p1"}"#, r#"{"type":"Group","display":"x"}"#),
            (patient, "<div ", "<p "),
        ],
        expect![[r#"
            "id":"p_1"
            - value Patient.id | not a valid id: send 1 to 64 of A-Z, a-z, 0-9, `-` and `.`
            "birthDate":"1946-09-31"
            - value Patient.birthDate | not a valid date: send a date as YYYY, YYYY-MM or YYYY-MM-DD
            "birthDate":"28.09.1946"
            - value Patient.birthDate | not a valid date: send a date as YYYY, YYYY-MM or YYYY-MM-DD
            10:55","issued"
            - value Observation.effectiveDateTime | not a valid dateTime: send a date, or date and time as YYYY-MM-DDThh:mm:ss with zone, such as +02:00
            "issued":"2026-01-05"
            - value Observation.issued | not a valid instant: send date and time as YYYY-MM-DDThh:mm:ss.sss with zone, such as Z or +02:00
            "gender":"kvinne"
            - code-invalid Patient.gender | not a code of `administrative-gender`: use one of `female`, `male`, `other`, `unknown`
            "status":"on-hold"
            - code-invalid EpisodeOfCare.status | not a code of `episode-of-care-status`: use one of `active`, `cancelled`, `entered-in-error`, `finished`, `onhold`, `planned`, `waitlist`
            "rank":0
            - value Patient.telecom[0].rank | not a valid positiveInt: send a whole number from 1
            "rank":1.0
            - value Patient.telecom[0].rank | not a valid positiveInt: send a whole number from 1
            "system":"urn: oid:2.16
            - value Patient.identifier[0].system | not a valid uri: send a URI without white space
            Device/p1
            - value EpisodeOfCare.patient.reference | Device cannot stand here: refer to Patient
            https://example.org/fhir/Device/p1/_history/3
            - value EpisodeOfCare.patient.reference | Device cannot stand here: refer to Patient
            Pasient/p1
            - value EpisodeOfCare.patient.reference | not a reference: send `Type/id`, a URL, `urn:uuid:…` or `#id`
            {"type":"Group","display":"x"}
            - value EpisodeOfCare.patient.type | Group cannot stand here: refer to Patient
            <p 
            - value Patient.text.div | not a valid xhtml: send one well-formed `<div xmlns="http://www.w3.org/1999/xhtml">`, without entities
        "#]],
    );
}

#[test]
fn primitive_extensions() {
    use samples::patient;
    const GIVEN: &str = r#""given":["Kari","Anne"]"#;
    const ACTIVE: &str = r#""active":true"#;
    faults(
        &[
            (patient, GIVEN, r#""given":["Kari",null],"_given":[null,{"id":"a"}]"#),
            (patient, GIVEN, r#""_given":[{"id":"a"}]"#),
            (patient, GIVEN, r#""_given":[null,{"id":"a"}]"#),
            (patient, GIVEN, r#""given":["Kari",null],"_given":[{"id":"a"}]"#),
            (patient, GIVEN, r#""given":["Kari",null],"_given":[{"id":"a"},null]"#),
            (patient, GIVEN, r#""given":["Kari"],"_given":{"id":"a"}"#),
            (patient, ACTIVE, r#""_active":{"id":"a"}"#),
            (patient, ACTIVE, r#""_active":[{"id":"a"}]"#),
            (patient, ACTIVE, r#""_active":{"value":true}"#),
            (patient, ACTIVE, r#""_active":{"extension":[{"valueCode":"y"}]}"#),
            (patient, ACTIVE, r#""_link":[{"id":"a"}]"#),
            (patient, ACTIVE, r#""deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}"#),
            (patient, ACTIVE, r#""deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}"#),
        ],
        expect![[r#"
            "given":["Kari",null],"_given":[null,{"id":"a"}]
            "_given":[{"id":"a"}]
            "_given":[null,{"id":"a"}]
            - structure Patient.name[0]._given[0] | send an object with extensions
            "given":["Kari",null],"_given":[{"id":"a"}]
            - structure Patient.name[0].given[1] | not a string: `null`: leave it out
            "given":["Kari",null],"_given":[{"id":"a"},null]
            - structure Patient.name[0].given[1] | not a string: `null`: leave it out
            - structure Patient.name[0]._given[1] | send an object with extensions
            "given":["Kari"],"_given":{"id":"a"}
            - structure Patient.name[0]._given | send an array of objects with extensions
            "_active":{"id":"a"}
            "_active":[{"id":"a"}]
            - structure Patient._active | send an object with extensions
            "_active":{"value":true}
            - structure Patient._active.value | unknown element of Element: correct the name or use an extension
            "_active":{"extension":[{"valueCode":"y"}]}
            - required Patient._active.extension[0].url | `url` is required: add it
            "_link":[{"id":"a"}]
            - structure Patient._link | only primitive elements have one with `_`: remove it
            "deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}
            - structure Patient._deceasedDateTime | a second type of one choice: keep one of them
            "deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}
        "#]],
    );
}

#[test]
fn a_status_with_only_an_extension_is_there() {
    let reason = json!({ "url": "urn:absent", "valueCode": "unknown" });
    let value = json!({
        "resourceType": "EpisodeOfCare",
        "_status": { "extension": [reason] },
        "patient": { "reference": "#p" },
        "contained": [{ "resourceType": "Patient", "id": "p", "gender": "x" }],
    });
    expect![[r#"
        - code-invalid EpisodeOfCare.contained[0].gender | not a code of `administrative-gender`: use one of `female`, `male`, `other`, `unknown`
    "#]].assert_eq(&issues(value));
}

#[test]
fn a_flood_of_faults_is_cut() {
    let names: Vec<Value> = (0..1000).map(|_| json!({ "x": 1 })).collect();
    let resource =
        Resource::from_value(json!({ "resourceType": "Patient", "name": names })).unwrap();
    assert_eq!(check(&resource).len(), 100);
}

#[test]
fn published_examples() {
    let mut report = String::new();
    for folder in ["norway", "fhirpath"] {
        let directory = format!("{}/../../../shared/cases/{folder}", env!("CARGO_MANIFEST_DIR"));
        let Ok(files) = std::fs::read_dir(&directory) else {
            println!("skipped: no published examples in {directory}");
            return;
        };
        let mut names: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        names.sort();
        for path in names.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            report.push_str(&published(path));
        }
    }
    expect![[r#"
        auditevent-0.9.8__no-domain-Trustframework-Auditevent__AuditEvent-NOBasisAuditeventInstance1.json: 0
        consent-0.1.0__HNWithdrawConsentProfile__Consent-HNConsentProfileExample001.json: 0
        consent-0.1.0__Patient__Patient-patient12050050295.json: 0
        identifiers__validation-vectors.json: not a resource
        no-basis-2.2.2__no-basis-Appointment__no-basis-Appointment-example.json: 0
        no-basis-2.2.2__no-basis-Organization__no-basis-Organization-example.json: 0
        no-basis-2.2.2__no-basis-Patient__no-basis-Patient-Jannice-Soreng.json: 0
        no-basis-2.2.2__no-basis-Practitioner__no-basis-Practitioner-example.json: 0
        no-basis-2.2.2__no-basis-RelatedPerson__no-basis-RelatedPerson-Aerlend-Sorgard.json: 0
        no-domain-vitalsigns-0.9.0__no-domain-VitalSigns-Observation-respirationrate__Observation-no-respiratory-rate-create.json: 0
        okt-ig-0.2.0__OktEpisodeOfCare__EpisodeOfCare-OktEpisodeOfCare1.json: 0
        okt-ig-0.2.0__OktEvent-logical__OktEvent1.json: not a resource
        okt-ig-0.2.0__Organization__Organization-org-1-1-2-6.json: 0
        okt-ig-0.2.0__Organization__Organization-org-1-1-2.json: 0
        okt-ig-0.2.0__Organization__Organization-org-1-1.json: 0
        okt-ig-0.2.0__Organization__Organization-org-1.json: 0
        okt-ig-0.2.0__Patient__Patient-Example.json: 0
        tillitsrammeverk-1.1__attest__municipality-KP01-9151.json: not a resource
        vkpobservation-0.5.2__Observation__Observation-respiratory-rate-create.json: 1
        - value Observation.subject.reference | not a reference: send `Type/id`, a URL, `urn:uuid:…` or `#id`
        vkpobservation-0.5.2__pmd-Bundle-Response__Bundle-pmd-Bundle-Response-example.json: 0
        vkpobservation-0.5.2__vkp-Observation-Bloodpressure__Observation-vkp-blood-pressure-profile-create.json: 0
        vkpobservation-0.5.2__vkp-Observation-Heartrate__Observation-vkp-heartrate-create.json: 0
        vkpobservation-0.5.2__vkp-Observation-NEWS2score__Observation-vkp-news2-create.json: 0
        vkpobservation-0.5.2__vkp-Observation-Oxygensat__Observation-vkp-oxygen-saturation-create.json: 0
        appointment-examplereq.json: 0
        explanationofbenefit-example.json: 11
        - required ExplanationOfBenefit.item[0].productOrService | `productOrService` is required: add it
        - required ExplanationOfBenefit.item[1].productOrService | `productOrService` is required: add it
        - required ExplanationOfBenefit.status | `status` is required: add it
        - required ExplanationOfBenefit.type | `type` is required: add it
        - required ExplanationOfBenefit.use | `use` is required: add it
        - required ExplanationOfBenefit.patient | `patient` is required: add it
        - required ExplanationOfBenefit.created | `created` is required: add it
        - required ExplanationOfBenefit.insurer | `insurer` is required: add it
        - required ExplanationOfBenefit.provider | `provider` is required: add it
        - required ExplanationOfBenefit.outcome | `outcome` is required: add it
        - required ExplanationOfBenefit.insurance | `insurance` is required: add it
        patient-container-example.json: 2
        - invariant Patient.contained[0] | rule `org-1` does not hold: (identifier.count() + name.count()) > 0
        - value Patient.managingOrganization.reference | not a reference: send `Type/id`, a URL, `urn:uuid:…` or `#id`
        patient-name-extensions.json: 0
    "#]].assert_eq(&report);
}

/// Reads, prints and checks a published example; a line with the number of issues, then each issue.
fn published(path: &std::path::Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    let value = json::parse(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(json::parse(json::print(&value).as_bytes()).unwrap(), value, "{name}");
    if value.get("resourceType").is_none() {
        return format!("{name}: not a resource\n");
    }
    let found = issues(value);
    format!("{name}: {}\n{found}", found.lines().count())
}
