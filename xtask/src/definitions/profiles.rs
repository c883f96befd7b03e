//! HL7's own profiles and extensions of R4, as lines of a URL and a StructureDefinition in JSON that
//! holds what is checked and nothing else: path and slice name are in an element's id.

use super::{HEADER, items, line, resources, text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FILES: &[&str] =
    &["profiles-types.json", "profiles-others.json", "extension-definitions.json"];

/// Contexts that HL7's own definitions put these extensions in, and forgot to allow (later versions do).
const MORE_CONTEXTS: &[(&str, &str)] = &[
    ("http://hl7.org/fhir/StructureDefinition/regex", "ElementDefinition.type"),
    (
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
        "ElementDefinition.type",
    ),
    ("http://hl7.org/fhir/StructureDefinition/structuredefinition-normative-version", "Element"),
];

/// The lines of the file, by URL. Adds the value sets that are required to `bound`.
pub(super) fn lines(directory: &Path, bound: &mut BTreeSet<String>) -> Result<String, String> {
    let mut found = BTreeMap::new();
    for file in FILES {
        for resource in resources(directory, file)? {
            let is = |name: &str, value: &str| text(&resource, name) == value;
            if is("derivation", "constraint") && is("version", "4.0.1") {
                required_sets(&resource, bound);
                found.insert(text(&resource, "url").to_owned(), definition(&resource));
            }
        }
    }
    let mut out = format!("{HEADER}# <url> <StructureDefinition with what is checked>\n");
    for (url, definition) in found {
        line(&mut out, format_args!("{url} {definition}"));
    }
    Ok(out)
}

fn definition(resource: &Value) -> Value {
    let mut kept = Map::new();
    for name in ["url", "type", "baseDefinition", "context"] {
        keep(name, &resource[name], &mut kept);
    }
    for (_, more) in MORE_CONTEXTS.iter().filter(|(url, _)| *url == text(resource, "url")) {
        if let Some(Value::Array(contexts)) = kept.get_mut("context") {
            contexts.push(serde_json::json!({ "type": "element", "expression": more }));
        }
    }
    let elements = items(&resource["differential"], "element").iter().enumerate();
    let elements: Vec<Value> = elements.filter_map(|(at, e)| element(e, at == 0)).collect();
    kept.insert("differential".to_owned(), serde_json::json!({ "element": elements }));
    Value::Object(kept)
}

fn keep(name: &str, value: &Value, kept: &mut Map<String, Value>) {
    if !value.is_null() {
        kept.insert(name.to_owned(), value.clone());
    }
}

/// What an element demands; nothing of those that only say what the base says already.
fn element(element: &Value, is_root: bool) -> Option<Value> {
    let mut kept = Map::new();
    let id = text(element, "id");
    for (name, value) in element.as_object()? {
        match name.as_str() {
            "slicing" => keep(name, &without(value, "description"), &mut kept),
            "type" | "contentReference" => keep(name, value, &mut kept),
            "min" if value.as_u64() != Some(0) => keep(name, value, &mut kept),
            "max" if value.as_str() != Some("*") => keep(name, value, &mut kept),
            "isModifier" if value.as_bool() == Some(true) => keep(name, value, &mut kept),
            "binding" => keep(name, &binding(value), &mut kept),
            "constraint" => {
                let rules: Vec<Value> = items(element, name).iter().map(rule).collect();
                kept.insert(name.clone(), rules.into());
            }
            name if name.starts_with("fixed") || name.starts_with("pattern") => {
                keep(name, value, &mut kept);
            }
            _ => {}
        }
    }
    if kept.is_empty() && !is_root {
        return None;
    }
    let mut entry = Map::new();
    entry.insert("id".to_owned(), id.into());
    entry.extend(kept);
    Some(Value::Object(entry))
}

fn without(value: &Value, name: &str) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove(name);
    }
    value
}

/// The binding if it is one that is checked.
fn binding(binding: &Value) -> Value {
    match (text(binding, "strength"), text(binding, "valueSet")) {
        (_, "") => Value::Null,
        (strength @ ("required" | "extensible"), set) => {
            serde_json::json!({ "strength": strength, "valueSet": set })
        }
        _ => Value::Null,
    }
}

fn rule(rule: &Value) -> Value {
    serde_json::json!({
        "key": rule["key"], "severity": rule["severity"], "expression": rule["expression"],
    })
}

fn required_sets(definition: &Value, bound: &mut BTreeSet<String>) {
    for element in items(&definition["differential"], "element") {
        let binding = &element["binding"];
        let url = text(binding, "valueSet").split('|').next().unwrap_or_default();
        if text(binding, "strength") == "required" && !url.is_empty() {
            bound.insert(url.to_owned());
        }
    }
}
