//! The official FHIRPath suite for R4, where it is at hand.
//!
//! A case passes if it gives the values and types that the suite names, is accepted by the static
//! check where the suite thinks it valid, and is refused where the suite says so: by the parser
//! (`syntax`), by the static check (`semantic`), or by check or evaluation (`execution`).
//! `fhirpath-left.txt` lists what does not pass, with the reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::scope::Scope;
use fhir::value::Value;
use roxmltree::{Document, Node};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/fhirpath/");
const LEFT: &str = include_str!("fhirpath-left.txt");

/// 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200_000;

#[test]
fn the_official_suite_passes() {
    let folder = Path::new(FOLDER);
    let Ok(text) = fs::read_to_string(folder.join("tests-fhir-r4.xml")) else {
        println!("skipped: the official FHIRPath suite is not at {FOLDER}");
        return;
    };
    let suite = Document::parse(&text).unwrap();
    let mut inputs = HashMap::new();
    let (mut count, mut failed) = (0, Vec::new());
    for case in suite.descendants().filter(|node| node.has_tag_name("test")) {
        count += 1;
        let file = case.attribute("inputfile").unwrap_or("patient-example.xml");
        let input = inputs.entry(file.to_owned()).or_insert_with(|| input(folder, file));
        if let Err(why) = run(case, input) {
            failed.push(format!("{}: {why}", case.attribute("name").unwrap()));
        }
    }
    println!("{} of {count} pass", count - failed.len());
    let left: Vec<&str> = LEFT.lines().filter(|line| !line.starts_with('#')).collect();
    let unexpected: Vec<_> = failed
        .iter()
        .filter(|failure| {
            !left
                .iter()
                .any(|known| known.split_once(' ').unwrap().0 == failure.split_once(':').unwrap().0)
        })
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(failed.len(), left.len(), "something passes that is listed as left: {failed:#?}");
    assert!(count >= 935 && failed.len() * 1000 <= count * 5, "{failed:#?}");
}

fn input(folder: &Path, file: &str) -> Value {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    if file.ends_with(".json") {
        return fhir::json::parse(text.as_bytes()).unwrap();
    }
    fhir::xml::parse(text.as_bytes()).unwrap()
}

fn run(case: Node, input: &Value) -> Result<(), String> {
    let written = named(case, "expression").next().unwrap();
    let invalid = written.attribute("invalid");
    let kind = input.text("resourceType").unwrap();
    let expression = match Expression::parse(text(written).trim()) {
        Err(_) if matches!(invalid, Some("syntax" | "execution")) => return Ok(()),
        Err(error) => return Err(format!("{error}")),
        Ok(_) if invalid == Some("syntax") => return Err("parsed".to_owned()),
        Ok(expression) => expression,
    };
    match (expression.check(kind), invalid) {
        (Err(_), Some(_)) => return Ok(()),
        (Ok(()), Some("semantic")) => return Err("checked".to_owned()),
        (Err(error), None) => return Err(format!("check: {error}")),
        _ => {}
    }
    let scope = Scope::new().now(NOW);
    if case.attribute("predicate") == Some("true") {
        let holds = expression.holds(Item::resource(input), &scope).map_err(|e| e.to_string())?;
        return if holds { Ok(()) } else { Err("does not hold".to_owned()) };
    }
    let found = match (expression.evaluate(Item::resource(input), &scope), invalid) {
        (Err(_), Some(_)) => return Ok(()),
        (Ok(_), Some(_)) => return Err("evaluated".to_owned()),
        (Err(error), None) => return Err(error.to_string()),
        (Ok(found), None) => found,
    };
    let wanted: Vec<Node> = named(case, "output").collect();
    let mut shown: Vec<String> = found.iter().map(Item::to_string).collect();
    let mut expected: Vec<String> = wanted.iter().map(|output| show(*output)).collect();
    if case.attribute("ordered") == Some("false") {
        shown.sort();
        expected.sort();
    }
    if shown != expected {
        return Err(format!("{shown:?} instead of {expected:?}"));
    }
    for (item, output) in found.iter().zip(wanted) {
        let kind = item.kind().name();
        let wanted = output.attribute("type").unwrap_or(kind);
        if !kind.eq_ignore_ascii_case(wanted) {
            return Err(format!("{kind} instead of {wanted}"));
        }
    }
    Ok(())
}

/// The output as an item is shown. The suite writes dates and times with `@`, and zero with a sign.
fn show(output: Node) -> String {
    let text = text(output);
    if text == "-0.0" {
        return "0.0".to_owned();
    }
    text.trim_start_matches('@').trim_start_matches('T').to_owned()
}

fn named<'a>(of: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    of.children().filter(move |node| node.has_tag_name(name))
}

fn text<'a>(of: Node<'a, 'a>) -> &'a str {
    of.text().unwrap_or_default()
}
