//! Resources, their head members, issues as an outcome, and the base definitions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::expect;
use fhir::definitions;
use fhir::issue::{Issue, IssueCode, operation_outcome};
use fhir::json;
use fhir::reference::Literal;
use fhir::resource::{Resource, is_id};
use fhir::value::Value;

fn after(value: Value, change: impl FnOnce(&mut Resource)) -> String {
    let mut resource = Resource::from_value(value).unwrap();
    change(&mut resource);
    json::print(resource.value())
}

#[test]
fn head_members_stand_first_and_the_rest_of_meta_stays() {
    let bare = || json!({ "active": true, "resourceType": "Patient" });
    expect![[r#"{"resourceType":"Patient","id":"p1","active":true}"#]]
        .assert_eq(&after(bare(), |patient| patient.set_id("p1")));
    expect![[r#"{"resourceType":"Patient","id":"p1","meta":{"versionId":"7","lastUpdated":"2026-01-05T10:00:00.000Z"},"active":true}"#]].assert_eq(&after(bare(), |patient| {
        patient.set_meta("7", "2026-01-05T10:00:00.000Z");
        patient.set_id("p1");
    }));
    let full = json!({
        "resourceType": "Patient",
        "id": "of-the-sender",
        "meta": { "profile": ["urn:p"], "versionId": "1", "tag": [{ "code": "t" }] },
        "active": true,
    });
    expect![[r#"{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2026-01-05T10:00:00.000Z","profile":["urn:p"],"versionId":"7","tag":[{"code":"t"}]},"active":true}"#]].assert_eq(&after(full, |patient| {
        patient.set_id("p1");
        patient.set_meta("7", "2026-01-05T10:00:00.000Z");
    }));
}

#[test]
fn what_is_no_resource_is_refused() {
    let refusal = |value| Resource::from_value(value).unwrap_err().message;
    expect!["a resource is a JSON object"].assert_eq(&refusal(json!([])));
    expect!["`resourceType` is missing: name the type of the resource"]
        .assert_eq(&refusal(json!({ "id": "x" })));
    expect!["`resourceType` is missing: name the type of the resource"]
        .assert_eq(&refusal(json!({ "resourceType": 1 })));
    for kind in ["Pasient", "patient", "DomainResource", "HumanName", "code", "SubscriptionStatus"]
    {
        expect!["`resourceType` is not a resource type of FHIR R4"]
            .assert_eq(&refusal(json!({ "resourceType": kind })));
    }
}

#[test]
fn ids() {
    assert!(is_id("a") && is_id("A-1.b") && is_id(&"x".repeat(64)));
    assert!(!is_id("") && !is_id("a_b") && !is_id("å") && !is_id(&"x".repeat(65)));
}

#[test]
fn literal_references() {
    let parse = |text| format!("{:?}", Literal::parse(text));
    expect![[r#"Resource { kind: "Patient", id: "p1", base: "" }"#]]
        .assert_eq(&parse("Patient/p1"));
    expect![[r#"Resource { kind: "Patient", id: "p1", base: "" }"#]]
        .assert_eq(&parse("Patient/p1/_history/2"));
    expect![[r#"Resource { kind: "Patient", id: "p1", base: "https://x.example/fhir" }"#]]
        .assert_eq(&parse("https://x.example/fhir/Patient/p1"));
    expect![[r#"Search { kind: "Patient" }"#]].assert_eq(&parse("Patient?identifier=a|b"));
    expect![[r#"Contained("p1")"#]].assert_eq(&parse("#p1"));
    expect![[r#"Other("urn:uuid:0190a1b2-0000-7000-8000-000000000001")"#]]
        .assert_eq(&parse("urn:uuid:0190a1b2-0000-7000-8000-000000000001"));
    expect![[r#"Other("https://x.example/other/thing")"#]]
        .assert_eq(&parse("https://x.example/other/thing"));
    for malformed in ["", "p1", "patient/p1", "Patient/", "Patient/a b", "a/Patient/p1"] {
        assert_eq!(Literal::parse(malformed), Literal::Malformed, "{malformed}");
    }
}

#[test]
fn outcomes() {
    let issues = [
        Issue::error(IssueCode::Required, "Patient.link[0].type", "`type` is required: add it"),
        Issue::warning(IssueCode::Incomplete, "", "a source did not answer"),
    ];
    assert!(issues[0].refuses() && !issues[1].refuses());
    expect![[r#"
        {
          "resourceType": "OperationOutcome",
          "issue": [
            {
              "severity": "error",
              "code": "required",
              "details": {
                "text": "`type` is required: add it"
              },
              "diagnostics": "Patient.link[0].type: `type` is required: add it",
              "expression": [
                "Patient.link[0].type"
              ]
            },
            {
              "severity": "warning",
              "code": "incomplete",
              "details": {
                "text": "a source did not answer"
              }
            }
          ]
        }"#]]
    .assert_eq(&json::pretty(&operation_outcome(&issues)));
    expect![[r#"{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","details":{"text":"no issues"}}]}"#]].assert_eq(&json::print(&operation_outcome(&[])));
    for outcome in [operation_outcome(&issues), operation_outcome(&[])] {
        assert_eq!(fhir::check::check(&Resource::from_value(outcome).unwrap()), []);
    }
}

#[test]
fn every_line_of_the_definitions_is_read() {
    let text = include_str!("../data/elements.txt");
    let mut current = "";
    let mut elements = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == "=" {
            current = words[1];
            continue;
        }
        let (parent, name) = words[0].rsplit_once('.').unwrap_or(("", words[0]));
        let choice = name.ends_with("[x]");
        let mut shape = definitions::shape(current).unwrap();
        for step in parent.split('.').filter(|step| !step.is_empty()) {
            let content = shape.member(step).unwrap().kind.content;
            let definitions::Content::Shape(id) = content else { panic!("{line}") };
            shape = id.shape();
        }
        let names = shape.names_of(name.trim_end_matches("[x]"));
        assert_eq!(names.len(), words[2].split('|').count(), "{current} {line}");
        for (json_name, kind) in names {
            let found = shape.member(json_name).unwrap();
            assert_eq!(found.element.choice, choice, "{current} {line}");
            let bound = words[2].contains("code=");
            assert!(kind.name != "code" || kind.codes.is_some() == bound, "{current} {line}");
        }
        elements += 1;
    }
    expect!["146 resource types, 4745 elements"].assert_eq(&format!(
        "{} resource types, {elements} elements",
        definitions::resource_kinds().len()
    ));
}

#[test]
fn code_lists_are_sorted() {
    for line in include_str!("../data/codes.txt").lines().filter(|line| !line.starts_with('#')) {
        let codes: Vec<&str> = line.split(' ').skip(2).collect();
        assert!(!codes.is_empty() && codes.is_sorted(), "{line}");
    }
}
