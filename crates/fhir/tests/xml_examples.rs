//! HL7's own examples: JSON to XML and back is the same, and its XML files say what their twins do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::expect;
use fhir::resource::Resource;
use fhir::value::{Object, Value};
use fhir::{json, xml};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/packages/hl7.fhir.r4.examples-4.0.1/package"
);
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/fhirpath");

/// The files of a folder with an ending, sorted; none, with a word, where the folder is not there.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(Path::new(folder)) else {
        println!("skipped: {folder} is not there");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths
}

/// The value with the members of all objects sorted by name; arrays stay as they are.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let mut out = Object::new();
            for (name, value) in members {
                out.set(name, sorted(value));
            }
            out.into()
        }
        other => other.clone(),
    }
}

/// The paths of all differences.
fn differences(a: &Value, b: &Value, path: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, a) in a.iter() {
                match b.get(name) {
                    Some(b) => differences(a, b, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}.{name} (left only)")),
                }
            }
            let right = b.iter().filter(|(name, _)| a.get(name).is_none());
            found.extend(right.map(|(name, _)| format!("{path}.{name} (right only)")));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}[{index}]"), found);
            }
        }
        (a, b) if a != b => found.push(path.to_owned()),
        _ => {}
    }
}

fn round_trip(value: &Value) -> Result<(), String> {
    let text = xml::print(value).map_err(|error| format!("not printed: {error}"))?;
    let back = xml::parse(text.as_bytes()).map_err(|error| format!("not read: {error}"))?;
    let mut found = Vec::new();
    differences(value, &back, "", &mut found);
    if !found.is_empty() {
        return Err(format!("differs: {}", found.join(", ")));
    }
    assert_eq!(json::print(&sorted(value)), json::print(&sorted(&back)));
    if text.len() > 100_000 {
        return Ok(());
    }
    let pretty = xml::pretty(value).map_err(|error| format!("not printed: {error}"))?;
    let again = xml::parse(pretty.as_bytes()).map_err(|error| format!("not read: {error}"))?;
    if again == back { Ok(()) } else { Err("differs when pretty".to_owned()) }
}

#[test]
fn examples_are_the_same_after_xml() {
    let files = files(EXAMPLES, ".json");
    let mut count = 0;
    let mut report = String::new();
    for path in &files {
        let value = json::parse(&std::fs::read(path).unwrap()).unwrap();
        if value.text("resourceType").is_none() {
            continue;
        }
        count += 1;
        if let Err(reason) = round_trip(&value) {
            report.push_str(&format!("{}: {reason}\n", path.file_name().unwrap().display()));
        }
    }
    if !files.is_empty() {
        assert!(count > 5_000, "only {count} examples");
        assert!(report.is_empty(), "{report}");
    }
}

/// XML files with the example that is the same resource in JSON.
const TWINS: [(&str, &str); 5] = [
    ("codesystem-example.xml", "CodeSystem-example.json"),
    ("observation-example.xml", "Observation-example.json"),
    ("patient-example.xml", "Patient-example.json"),
    ("questionnaire-example.xml", "Questionnaire-3141.json"),
    ("valueset-example-expansion.xml", "ValueSet-example-expansion.json"),
];

#[test]
fn xml_files_are_the_same_after_json() {
    let mut report = String::new();
    for path in files(CASES, ".xml") {
        let name = path.file_name().unwrap().display().to_string();
        if name.starts_with("tests-") {
            continue;
        }
        let value = xml::parse(&std::fs::read(&path).unwrap()).unwrap();
        round_trip(&value).unwrap();
        let issues = fhir::check::check(&Resource::from_value(value).unwrap());
        let told: Vec<_> =
            issues.iter().map(|it| format!(" {}: {}", it.location, it.message)).collect();
        report.push_str(&format!("{name}:{}\n", told.concat()));
    }
    if !report.is_empty() {
        expect![[r#"
            codesystem-example.xml: CodeSystem: rule `csd-1` does not hold: concept.code.combine($this.descendants().concept.code).isDistinct()
            observation-example.xml:
            parameters-example-types.xml:
            patient-example-period.xml:
            patient-example.xml:
            questionnaire-example.xml:
            valueset-example-expansion.xml:
        "#]]
        .assert_eq(&report);
    }
}

#[test]
fn xml_files_say_what_their_twins_in_json_say() {
    let mut report = String::new();
    for (xml, json) in TWINS {
        let (Ok(xml), Ok(json)) = (
            std::fs::read(Path::new(CASES).join(xml)),
            std::fs::read(Path::new(EXAMPLES).join(json)),
        ) else {
            println!("skipped: {xml} or {json} is not there");
            return;
        };
        let (mut xml, mut json) = (xml::parse(&xml).unwrap(), json::parse(&json).unwrap());
        // The tool that wrote the twins has set line breaks anew in narratives, and its own `meta`.
        for value in [&mut xml, &mut json] {
            let object = value.as_object_mut().unwrap();
            object.remove("text");
            object.remove("meta");
        }
        let mut found = Vec::new();
        differences(&xml, &json, "", &mut found);
        report.push_str(&format!("{}: {}\n", json.text("resourceType").unwrap(), found.join(", ")));
    }
    // Their copies in the FHIRPath suite are of other builds.
    expect![[r#"
        CodeSystem: .version, .description, .concept[0].code, .extension (right only)
        Observation: .extension (left only)
        Patient: 
        Questionnaire: 
        ValueSet: .version, .extension (right only)
    "#]]
    .assert_eq(&report);
}
