//! Every search parameter on HL7's own examples.

use expect_test::{ExpectFile, expect, expect_file};
use fhir::json;
use fhir::resource::Resource;
use fhir::search::{self, IndexValue, ParamKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[path = "search/show.rs"]
mod show;

/// Where HL7's examples are, if they are there.
fn examples() -> Option<PathBuf> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/packages/hl7.fhir.r4.examples-4.0.1/package"
    );
    let found = std::path::Path::new(folder).is_dir();
    if !found {
        println!("skipped: {folder} is not there");
    }
    found.then(|| folder.into())
}

fn read(path: &std::path::Path) -> Option<Resource> {
    let value = json::parse(&std::fs::read(path).ok()?).ok()?;
    Resource::from_value(value).ok()
}

#[test]
fn every_example_gives_values_of_the_right_kind() {
    let Some(folder) = examples() else { return };
    let mut resources = 0;
    let mut used: BTreeMap<ParamName, usize> = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let Some(resource) = read(&file.unwrap().path()) else { continue };
        resources += 1;
        let entries = search::index(&resource);
        assert!(entries.is_sorted());
        for parameter in search::parameters(resource.kind()) {
            let own = entries.iter().filter(|entry| entry.index_id == parameter.index_id);
            let values: Vec<_> = own.map(|entry| &entry.value).collect();
            for value in &values {
                assert!(fits(parameter.kind, value), "{}: {value:?}", parameter.code);
            }
            let name = (resource.kind(), parameter.code.clone());
            *used.entry(name).or_default() += usize::from(!values.is_empty());
        }
    }
    let without: Vec<_> = used.iter().filter(|(_, count)| **count == 0).collect();
    let counts = format!(
        "{resources} resources, {} parameters of their types, {} of them with values",
        used.len(),
        used.len() - without.len()
    );
    expect!["5306 resources, 2257 parameters of their types, 1343 of them with values"]
        .assert_eq(&counts);
    let mut lines = String::new();
    for ((kind, code), _) in without {
        if !code.starts_with('_') {
            lines.push_str(&format!("{kind}.{code}\n"));
        }
    }
    expect_file!["search/without_values.txt"].assert_eq(&lines);
}

type ParamName = (&'static str, String);

/// Whether a value may stand under a parameter of this kind.
fn fits(kind: ParamKind, value: &IndexValue) -> bool {
    match value {
        IndexValue::Token { .. } | IndexValue::OfType { .. } => kind == ParamKind::Token,
        IndexValue::Text { .. } => matches!(kind, ParamKind::Token | ParamKind::String),
        IndexValue::Reference { .. } | IndexValue::Logical { .. } => kind == ParamKind::Reference,
        IndexValue::Uri(_) => matches!(kind, ParamKind::Reference | ParamKind::Uri),
        IndexValue::Date { low, high } => kind == ParamKind::Date && low < high,
        IndexValue::Number(span) => kind == ParamKind::Number && span.low <= span.high,
        IndexValue::Quantity(of) => kind == ParamKind::Quantity && of.span.low <= of.span.high,
        IndexValue::Position { .. } => kind == ParamKind::Special,
        IndexValue::Composite(parts) => {
            kind == ParamKind::Composite && parts.iter().all(|part| !part.is_empty())
        }
    }
}

/// Pairs of an example and a parameter, each checked by hand against the example's own text.
#[test]
fn examples_give_the_values_they_hold() {
    let Some(folder) = examples() else { return };
    let pairs = include_str!("search/pairs.txt");
    let mut lines = String::new();
    for pair in pairs.lines() {
        let (file, code) = pair.split_once(' ').unwrap();
        let resource = read(&folder.join(format!("{file}.json"))).unwrap();
        let parameter = search::parameter(resource.kind(), code).unwrap();
        lines.push_str(&format!("{pair}\n"));
        for entry in search::index(&resource) {
            if entry.index_id == parameter.index_id {
                lines.push_str(&format!("    {}\n", show::value(&entry.value)));
            }
        }
    }
    check(&lines, expect_file!["search/values.txt"]);
}

fn check(lines: &str, expected: ExpectFile) {
    expected.assert_eq(lines);
}
