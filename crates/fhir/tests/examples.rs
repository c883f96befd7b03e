//! HL7's own examples of R4: each is accepted, or stands in the reviewed list of those refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::check::{BaseCodes, Validator};
use fhir::issue::Issue;
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use std::collections::BTreeMap;

const PACKAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/packages/hl7.fhir.r4.examples-4.0.1/package"
);

const REFUSED: &str = include_str!("examples-refused.txt");

fn files() -> Vec<std::path::PathBuf> {
    let Ok(files) = std::fs::read_dir(PACKAGE) else {
        return Vec::new();
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let is_instance = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".json") && name != "package.json" && !name.starts_with('.')
    };
    files.into_iter().filter(is_instance).collect()
}

/// The refusals of a resource: file, first place, how often, message.
fn refusals(file: &str, issues: &[Issue]) -> Vec<String> {
    let mut by_message: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for issue in issues.iter().filter(|issue| issue.refuses()) {
        by_message.entry(&issue.message).or_insert((&issue.location, 0)).1 += 1;
    }
    let lines = by_message.iter();
    lines
        .map(|(message, (place, count))| format!("{file} | {place} | {count} | {message}"))
        .collect()
}

#[test]
fn every_example_is_accepted_or_refused_for_a_reviewed_reason() {
    let files = files();
    if files.is_empty() {
        println!("skipped: no examples in {PACKAGE}");
        return;
    }
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let mut refused: Vec<String> = Vec::new();
    let mut severities: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy();
        let value = json::parse(&std::fs::read(path).unwrap()).unwrap();
        let Ok(resource) = Resource::from_value(value) else {
            continue;
        };
        let issues = validator.validate(&resource, &[]);
        for issue in &issues {
            *severities.entry(issue.severity.as_str()).or_default() += 1;
        }
        refused.extend(refusals(&name, &issues));
    }
    println!("{} examples, issues: {severities:?}", files.len());
    let mut listed: Vec<&str> =
        REFUSED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    listed.sort_unstable();
    refused.sort_unstable();
    let wrong: Vec<String> = refused
        .iter()
        .filter(|line| !listed.contains(&line.as_str()))
        .map(|line| format!("refused and not listed: {line}"))
        .chain(
            listed
                .iter()
                .filter(|line| !refused.iter().any(|refused| refused == *line))
                .map(|line| format!("listed and not refused: {line}")),
        )
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
