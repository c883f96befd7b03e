//! The code systems, value sets and concept maps of R4 in three compact text files.
//!
//! They are read from HL7's own package `hl7.fhir.r4.examples` 4.0.1, unpacked, which holds every
//! terminology resource of the specification as HL7 published it, one to a file. Left out: examples,
//! supplements, definitions and designations, systems with terms of their own, and the texts of
//! licensed codes that a value set lists. What is left out of the systems is reported on stdout.

use super::{HEADER, items, text, write};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PACKAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/published/node_modules/hl7.fhir.r4.examples");

/// Systems with terms of their own: codes that a value set lists are facts, their texts are not ours.
const LICENSED: &[&str] = &[
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://hl7.org/fhir/sid/icd",
    "http://www.ama-assn.org/",
    "http://nucc.org/",
];

/// Systems that repeat the codes of the American UB-04 data set, which is sold.
const NOT_FREE: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/ex-revenue-center",
    "http://terminology.hl7.org/CodeSystem/ex-diagnosis-on-admission",
];

const SYSTEMS_FORM: &str = "\
# = <url> TAB <version> TAB <name> TAB <complete|fragment|example> [TAB flat], then its concepts:
# <a blank for each level> <code> TAB <display; = where it is the code> TAB <more>…
# more: a = abstract, d = deprecated, i = retired, >code = a further child
";

const SETS_FORM: &str = "\
# = <url> TAB <version> TAB <name>, then its parts in order:
# + or - <system, or nothing>: includes or excludes; then of that part:
# ?<property> TAB <operator> TAB <value>, &<value set>, or a blank and <code> [TAB <display>]
";

const MAPS_FORM: &str = "\
# = <url> TAB <version> TAB <source value set> TAB <target value set>, then its groups:
# > <source system> TAB <target system>, then a blank and <code> TAB <equivalence> [TAB <code>]
";

/// Reads HL7's package and writes the three files.
///
/// # Errors
/// What is missing or unexpected in the input.
pub fn run() -> Result<(), String> {
    let mut systems = read("CodeSystem-")?;
    systems.retain(|url, system| {
        let kept = matches!(text(system, "content"), "complete" | "fragment" | "example")
            && !NOT_FREE.contains(&url.as_str());
        if !kept {
            println!("skipped code system {url}: {}", text(system, "content"));
        }
        kept
    });
    let displays = systems.iter().map(|(url, system)| (url.as_str(), displays(system))).collect();
    let mut out = format!("{HEADER}{SYSTEMS_FORM}");
    for (url, system) in &systems {
        system_lines(url, system, &mut out)?;
    }
    write("terminology-systems.txt", &out)?;
    let mut out = format!("{HEADER}{SETS_FORM}");
    for (url, set) in &read("ValueSet-")? {
        set_lines(url, set, &displays, &mut out)?;
    }
    write("terminology-sets.txt", &out)?;
    let mut out = format!("{HEADER}{MAPS_FORM}");
    for (url, map) in &read("ConceptMap-")? {
        map_lines(url, map, &displays, &mut out)?;
    }
    write("terminology-maps.txt", &out)
}

/// The text of each code, by system.
type Displays<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

/// The resources in files whose names begin so, by URL; examples are left out.
fn read(beginning: &str) -> Result<BTreeMap<String, Value>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("read {PACKAGE}: {error}");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(Path::new(PACKAGE)).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(beginning) {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|error| failed(&error))?;
        let resource: Value =
            serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))?;
        let url = text(&resource, "url").to_owned();
        let last = super::last_segment(&url);
        let example = last == "example"
            || last.starts_with("example-")
            || url.contains("example.org")
            || last.trim_start_matches("example").bytes().all(|byte| byte.is_ascii_digit());
        if !example && found.insert(url, resource).is_some() {
            return Err(format!("{name}: the same URL twice"));
        }
    }
    Ok(found)
}

/// The text of a concept on one line.
fn display(concept: &Value) -> String {
    text(concept, "display").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn displays(system: &Value) -> BTreeMap<&str, String> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<&Value> = items(system, "concept").iter().collect();
    while let Some(concept) = waiting.pop() {
        found.insert(text(concept, "code"), display(concept));
        waiting.extend(items(concept, "concept"));
    }
    found
}

/// Appends a line of fields, without the empty ones at its end.
fn fields(out: &mut String, start: &str, fields: &[&str]) -> Result<(), String> {
    let line = format!("{start}{}", fields.join("\t"));
    if fields.iter().any(|field| field.contains(['\t', '\n', '\r'])) {
        return Err(format!("a field does not fit on its line: {line}"));
    }
    out.push_str(line.trim_end_matches('\t'));
    out.push('\n');
    Ok(())
}

fn system_lines(url: &str, system: &Value, out: &mut String) -> Result<(), String> {
    let flat = match text(system, "hierarchyMeaning") {
        "" | "is-a" => "",
        _ => "flat",
    };
    let head = [url, text(system, "version"), text(system, "name"), text(system, "content"), flat];
    fields(out, "= ", &head)?;
    concept_lines(system, 1, out)
}

fn concept_lines(parent: &Value, level: usize, out: &mut String) -> Result<(), String> {
    for concept in items(parent, "concept") {
        let (code, display) = (text(concept, "code"), display(concept));
        let mut line = vec![code, if display == code { "=" } else { &display }];
        let mut children = Vec::new();
        for property in items(concept, "property") {
            match (text(property, "code"), &property["valueBoolean"], text(property, "valueCode")) {
                ("notSelectable", Value::Bool(true), _) => line.push("a"),
                ("status", _, "deprecated") => line.push("d"),
                ("status", _, "retired") => line.push("i"),
                ("child", _, child) => children.push(format!(">{child}")),
                _ => {}
            }
        }
        line.extend(children.iter().map(String::as_str));
        fields(out, &" ".repeat(level), &line)?;
        concept_lines(concept, level + 1, out)?;
    }
    Ok(())
}

fn set_lines(url: &str, set: &Value, known: &Displays, out: &mut String) -> Result<(), String> {
    fields(out, "= ", &[url, text(set, "version"), text(set, "name")])?;
    let compose = &set["compose"];
    for (name, sign) in [("include", "+ "), ("exclude", "- ")] {
        for part in items(compose, name) {
            let system = text(part, "system");
            fields(out, sign, &[system])?;
            for filter in items(part, "filter") {
                let filter = ["property", "op", "value"].map(|name| text(filter, name));
                fields(out, "?", &filter)?;
            }
            for set in items(part, "valueSet").iter().filter_map(Value::as_str) {
                fields(out, "&", &[set])?;
            }
            let licensed = LICENSED.iter().any(|owned| system.starts_with(owned));
            for concept in items(part, "concept") {
                let (code, display) = (text(concept, "code"), display(concept));
                let told = known.get(system).and_then(|codes| codes.get(code));
                let shown = if licensed || told == Some(&display) { "" } else { &display };
                fields(out, " ", &[code, shown])?;
            }
        }
    }
    Ok(())
}

/// Writes a map if it is between code systems that are written, and needs nothing but them.
fn map_lines(url: &str, map: &Value, known: &Displays, out: &mut String) -> Result<(), String> {
    let groups = items(map, "group");
    let unknown: BTreeSet<&str> = groups
        .iter()
        .flat_map(|group| [text(group, "source"), text(group, "target")])
        .filter(|system| !known.contains_key(system))
        .collect();
    if !unknown.is_empty() || groups.iter().any(|group| group.get("unmapped").is_some()) {
        println!("skipped concept map {url}: its systems are not here, or it is not whole");
        return Ok(());
    }
    let end = |name: &str| {
        let canonical = text(map, &format!("{name}Canonical"));
        if canonical.is_empty() { text(map, &format!("{name}Uri")) } else { canonical }.to_owned()
    };
    fields(out, "= ", &[url, text(map, "version"), &end("source"), &end("target")])?;
    for group in groups {
        fields(out, "> ", &[text(group, "source"), text(group, "target")])?;
        for element in items(group, "element") {
            for target in items(element, "target") {
                let equivalence = text(target, "equivalence");
                fields(out, " ", &[text(element, "code"), equivalence, text(target, "code")])?;
            }
        }
    }
    Ok(())
}
