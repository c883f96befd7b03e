//! FHIRPath Patch: what each operation makes of a Patient, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::json;
use fhir::patch::Patch;
use fhir::value::Value;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","birthDate":"1947-01-02",
    "_birthDate":{"extension":[{"url":"urn:e","valueString":"a"},{"url":"urn:f","valueString":"b"}]},
    "name":[{"use":"official","family":"Berg","given":["Kari","Ann","Mo"],
             "_given":[null,{"id":"second"},null]},{"use":"nickname","text":"K"}],
    "deceasedBoolean":false}"#;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// An operation of this type on this path, with more parts.
fn operation(kind: &str, path: &str, parts: &str) -> String {
    let comma = if parts.is_empty() { "" } else { "," };
    format!(
        r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},
            {{"name":"path","valueString":"{path}"}}{comma}{parts}]}}"#
    )
}

/// The member of the patched Patient as text, or `code|place` of what is wrong.
fn patched(member: &str, operations: &[String]) -> String {
    let all = operations.join(",");
    let parameters = format!(r#"{{"resourceType":"Parameters","parameter":[{all}]}}"#);
    let patched = Patch::fhirpath(&value(&parameters)).and_then(|it| it.apply(&value(PATIENT)));
    match patched {
        Ok(patient) => patient.at(member).map(json::print).unwrap_or_default(),
        Err(issue) => format!("{}|{}", issue.code.as_str(), issue.location),
    }
}

fn string(text: &str) -> String {
    format!(r#"{{"name":"value","valueString":"{text}"}}"#)
}

fn named(name: &str) -> String {
    format!(r#"{{"name":"name","valueString":"{name}"}}"#)
}

fn number(name: &str, n: u32) -> String {
    format!(r#"{{"name":"{name}","valueInteger":{n}}}"#)
}

fn both(a: String, b: String) -> String {
    format!("{a},{b}")
}

const CONTACT: &str = r#"{"name":"value","part":[
    {"name":"name","valueHumanName":{"family":"Dal"}},
    {"name":"relationship","valueCodeableConcept":{"text":"søster"}},
    {"name":"telecom","valueContactPoint":{"value":"1"}},
    {"name":"telecom","valueContactPoint":{"value":"2"}}]}"#;

/// Operation, path, more parts, and what the member is afterwards.
fn check(cases: &[(&str, &str, String, &str, &str)]) {
    for (kind, path, parts, member, expected) in cases {
        let found = patched(member, &[operation(kind, path, parts)]);
        assert_eq!(found, *expected, "{kind} {path} {parts}");
    }
}

#[test]
fn add_appends_or_fills_what_is_empty() {
    check(&[
        (
            "add",
            "Patient",
            both(named("gender"), r#"{"name":"value","valueCode":"female"}"#.into()),
            "gender",
            r#""female""#,
        ),
        (
            "add",
            "Patient.name[1]",
            both(named("given"), string("Kia")),
            "name.1",
            r#"{"use":"nickname","text":"K","given":["Kia"]}"#,
        ),
        (
            "add",
            "Patient.name.where(use='official')",
            both(named("given"), string("Li")),
            "name.0._given",
            r#"[null,{"id":"second"},null,null]"#,
        ),
        (
            "add",
            "Patient",
            both(named("contact"), CONTACT.into()),
            "contact",
            r#"[{"name":{"family":"Dal"},"relationship":[{"text":"søster"}],"telecom":[{"value":"1"},{"value":"2"}]}]"#,
        ),
        (
            "add",
            "Patient",
            both(named("multipleBirth"), r#"{"name":"value","valueInteger":2}"#.into()),
            "multipleBirthInteger",
            "2",
        ),
        ("add", "Patient", both(named("birthDate"), string("x")), "", "duplicate|patch[0].name"),
        ("add", "Patient", both(named("colour"), string("x")), "", "value|patch[0].name"),
        ("add", "Patient.photo", both(named("title"), string("x")), "", "not-found|patch[0].path"),
        (
            "add",
            "Patient.name",
            both(named("text"), string("x")),
            "",
            "multiple-matches|patch[0].path",
        ),
    ]);
}

#[test]
fn insert_and_delete_keep_a_primitive_and_its_extensions_together() {
    check(&[
        (
            "insert",
            "Patient.name.given",
            both(string("Bo"), number("index", 1)),
            "name.0",
            r#"{"use":"official","family":"Berg","given":["Kari","Bo","Ann","Mo"],"_given":[null,null,{"id":"second"},null]}"#,
        ),
        (
            "insert",
            "Patient.name.given",
            both(string("Bo"), number("index", 4)),
            "",
            "not-found|patch[0].index",
        ),
        (
            "insert",
            "Patient.birthDate",
            both(string("x"), number("index", 0)),
            "",
            "value|patch[0].path",
        ),
        (
            "delete",
            "Patient.name.given[0]",
            String::new(),
            "name.0",
            r#"{"use":"official","family":"Berg","given":["Ann","Mo"],"_given":[{"id":"second"},null]}"#,
        ),
        ("delete", "Patient.birthDate", String::new(), "_birthDate", ""),
        (
            "delete",
            "Patient.birthDate.extension.where(url='urn:e')",
            String::new(),
            "_birthDate",
            r#"{"extension":[{"url":"urn:f","valueString":"b"}]}"#,
        ),
        ("delete", "Patient.photo", String::new(), "id", r#""p""#),
        ("delete", "Patient.name", String::new(), "", "multiple-matches|patch[0].path"),
        ("delete", "Patient", String::new(), "", "value|patch[0].path"),
        ("delete", "Patient.id", String::new(), "", "business-rule|patch[0].path"),
    ]);
}

#[test]
fn replace_and_move_change_one_element_and_the_rest_is_refused() {
    check(&[
        (
            "replace",
            "Patient.name[0].given[1]",
            string("Anne"),
            "name.0",
            r#"{"use":"official","family":"Berg","given":["Kari","Anne","Mo"]}"#,
        ),
        (
            "replace",
            "Patient.birthDate",
            r#"{"name":"value","valueDate":"1948"}"#.into(),
            "birthDate",
            r#""1948""#,
        ),
        (
            "replace",
            "Patient.deceased",
            r#"{"name":"value","valueDateTime":"2020"}"#.into(),
            "deceasedDateTime",
            r#""2020""#,
        ),
        (
            "replace",
            "Patient.name[1]",
            r#"{"name":"value","valueHumanName":{"text":"Z"}}"#.into(),
            "name.1",
            r#"{"text":"Z"}"#,
        ),
        ("replace", "Patient.name[1]", string("Z"), "", "value|patch[0].value"),
        ("replace", "Patient.name.family.upper()", string("Z"), "", "value|patch[0].path"),
        (
            "move",
            "Patient.name.given",
            both(number("source", 1), number("destination", 0)),
            "name.0",
            r#"{"use":"official","family":"Berg","given":["Ann","Kari","Mo"],"_given":[{"id":"second"},null,null]}"#,
        ),
        (
            "move",
            "Patient.name.given",
            both(number("source", 3), number("destination", 0)),
            "",
            "not-found|patch[0].source",
        ),
        ("swap", "Patient.name", String::new(), "", "value|patch[0].type"),
        ("delete", "Patient.name[", String::new(), "", "value|patch[0].path"),
        ("insert", "Patient.name", string("x"), "", "required|patch[0].index"),
    ]);
}

#[test]
fn all_operations_or_none_and_each_sees_those_before() {
    let delete = || operation("delete", "Patient.name[0]", "");
    assert_eq!(patched("name", &[delete(), delete()]), "");
    assert_eq!(patched("name", &[delete()]), r#"[{"use":"nickname","text":"K"}]"#);
    let lost = operation("replace", "Patient.photo", r#"{"name":"value","valueString":"x"}"#);
    assert_eq!(patched("name", &[delete(), lost]), "not-found|patch[1].path");
}
