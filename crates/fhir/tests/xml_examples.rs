//! HL7's own examples: JSON to XML and back is the same, and its XML files say what their twins do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::expect_file;
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

/// The path of the first difference.
fn difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.iter().chain(b.iter()).map(|(name, _)| name);
            names.into_iter().find_map(|name| match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => difference(a, b, &format!("{path}.{name}")),
                _ => Some(format!("{path}.{name}")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(index, (a, b))| difference(a, b, &format!("{path}[{index}]")))
        }
        (a, b) => (a != b).then(|| path.to_owned()),
    }
}

fn round_trip(value: &Value) -> Result<(), String> {
    let text = xml::print(value).map_err(|error| format!("not printed: {error}"))?;
    let back = xml::parse(text.as_bytes()).map_err(|error| format!("not read: {error}"))?;
    match difference(value, &back, value.text("resourceType").unwrap_or_default()) {
        Some(place) => return Err(format!("differs: {place}")),
        None => assert_eq!(json::print(&sorted(value)), json::print(&sorted(&back))),
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
        expect_file!["data/xml-examples.txt"].assert_eq(&report);
    }
}

#[test]
fn xml_files_are_the_same_after_json() {
    for path in files(CASES, ".xml") {
        let name = path.file_name().unwrap().display().to_string();
        if name.starts_with("tests-") {
            continue;
        }
        let value = xml::parse(&std::fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let id = format!("{}-{}.json", value.text("resourceType").unwrap(), value.text("id").unwrap_or_default());
        println!("{name} {id} {}", Path::new(EXAMPLES).join(&id).exists());
        round_trip(&value).unwrap();
    }
}
