//! What fuzzing calls, one function for each target, and what must hold of every input.
//!
//! The targets in `src` and the tests of `crates/fhir` share this file, so that what fuzzing once found
//! is asked again in every test run.

#![expect(clippy::unwrap_used, reason = "a broken promise must fail")]

use fhir::check::{BaseCodes, Validator, check};
use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::model::Kind;
use fhir::fhirpath::scope::Scope;
use fhir::fhirpath::selector::{Selected, Selector};
use fhir::patch::Patch;
use fhir::profile::Profiles;
use fhir::query::Query;
use fhir::resource::Resource;
use fhir::terminology::expand::Expand;
use fhir::terminology::{Set, Terminology};
use fhir::value::Value;
use fhir::{json, search, ucum, xml};
use jiff::Timestamp;

/// What a target calls with an input.
pub type Door = fn(&[u8]);

/// Every target with its function.
pub const ALL: [(&str, Door); 8] = [
    ("fhirpath", fhirpath),
    ("json", json),
    ("patch", patch),
    ("query", query),
    ("terminology", terminology),
    ("ucum", ucum),
    ("validate", validate),
    ("xml", xml),
];

/// JSON: what is printed parses to the same, and a check of whatever is there ends.
pub fn json(bytes: &[u8]) {
    let Ok(value) = json::parse(bytes) else { return };
    let printed = json::print(&value);
    assert_eq!(json::parse(printed.as_bytes()).as_ref(), Ok(&value));
    if let Ok(resource) = Resource::from_value(value) {
        drop(check(&resource));
        drop(search::index(&resource));
    }
}

/// XML: what is read can be printed, plain and for people, and is read the same again.
pub fn xml(bytes: &[u8]) {
    let Ok(value) = xml::parse(bytes) else { return };
    if let Ok(printed) = xml::print(&value) {
        assert_eq!(xml::parse(printed.as_bytes()).as_ref(), Ok(&value));
        let pretty = xml::pretty(&value).unwrap();
        assert_eq!(xml::parse(pretty.as_bytes()).as_ref(), Ok(&value));
    }
    if let Ok(resource) = Resource::from_value(value) {
        let issues = check(&resource);
        let is_sound = issues.iter().all(|issue| !issue.refuses());
        assert!(!is_sound || xml::print(resource.value()).is_ok());
    }
}

/// FHIRPath: the first line names the type, the rest is the expression. Evaluation ends, and a search
/// parameter finds what evaluation finds.
pub fn fhirpath(bytes: &[u8]) {
    const BUDGET: u64 = 100_000;
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (kind, text) = text.split_once('\n').unwrap_or(("Patient", text));
    let Ok(expression) = Expression::parse(text) else { return };
    drop(expression.check(kind));
    let patient = patient();
    let scope = Scope::new().now(1_767_225_600_000).budget(BUDGET);
    drop(expression.evaluate(Item::resource(&patient), &scope));
    let from = Kind::fhir("Patient").unwrap();
    let Ok(selector) = Selector::new(expression.clone(), &[from]) else { return };
    let scope = Scope::new().budget(BUDGET);
    let Ok(items) = expression.evaluate(Item::resource(&patient), &scope) else { return };
    // A union leaves out terms of other types, and finds twice what two of its terms find.
    if text.contains('|') || items.iter().any(|item| item.node().is_none()) {
        return;
    }
    let nodes = items.iter().filter_map(Item::node);
    let mut evaluated: Vec<String> = nodes.map(|node| json::print(node.value)).collect();
    evaluated.retain(|value| value != "null");
    let focus = Selected::resource(&patient);
    let mut found = Vec::new();
    selector.each(focus, focus, &mut |value| found.push(json::print(value.value)));
    assert_eq!(found, evaluated);
}

/// Patches: an array of a resource and a patch of either sort.
pub fn patch(bytes: &[u8]) {
    let Ok(value) = json::parse(bytes) else { return };
    let Some([resource, document]) = value.as_array() else { return };
    let patch = match document {
        Value::Array(_) => Patch::json(document),
        _ => Patch::in_bundle(document),
    };
    if let Ok(patched) = patch.and_then(|patch| patch.apply(resource)) {
        let printed = json::print(&patched);
        assert_eq!(json::parse(printed.as_bytes()).as_ref(), Ok(&patched));
    }
}

/// Search queries: the first line names the type, the second is the query, nothing in it encoded.
pub fn query(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (kind, query) = text.split_once('\n').unwrap_or(("Observation", text));
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    drop(Query::parse(kind, &pairs));
}

/// Units: every unit is the same as itself.
pub fn ucum(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let unit = ucum::Unit::parse(text);
    assert_eq!(ucum::is_valid(text), unit.is_some());
    let Some(unit) = unit else { return };
    assert!(unit.is_comparable(&unit));
    if let Some(same) = ucum::convert(2.0, text, text) {
        assert!(!same.is_finite() || (same - 2.0).abs() < 1e-6);
    }
}

/// Value sets: one that a request brings along is expanded or refused.
pub fn terminology(bytes: &[u8]) {
    let Ok(value) = json::parse(bytes) else { return };
    let at = Timestamp::UNIX_EPOCH;
    let asked = Expand { filter: None, offset: 0, count: Some(10), active_only: false, at };
    if let Ok(expanded) = Terminology::base().expand(Set::Resource(&value), &asked) {
        assert!(expanded.at("expansion.contains").and_then(Value::as_array).is_none_or(few));
    }
}

fn few(codes: &[Value]) -> bool {
    codes.len() <= 10
}

/// Validation: against R4's own profiles, and of an Observation against those of vital signs.
pub fn validate(bytes: &[u8]) {
    let Ok(value) = json::parse(bytes) else { return };
    let Ok(resource) = Resource::from_value(value) else { return };
    let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
    let demanded: &[&str] = match resource.kind() {
        "Observation" => &[
            "http://hl7.org/fhir/StructureDefinition/vitalsigns",
            "http://hl7.org/fhir/StructureDefinition/bp",
        ],
        _ => &[],
    };
    let issues = validator.validate(&resource, demanded);
    let refused = |issues: &[fhir::issue::Issue]| issues.iter().any(|issue| issue.refuses());
    assert!(refused(&issues) || !refused(&check(&resource)), "validation asks for more than check");
}

fn patient() -> Value {
    fhir::json!({
        "resourceType": "Patient", "id": "a", "active": true,
        "identifier": [{ "system": "urn:a", "value": "1" }, { "system": "urn:b", "value": "2" }],
        "name": [
            { "use": "official", "family": "Berg", "given": ["Kari", "Anne"] },
            { "use": "old", "family": "Lund", "_family": { "id": "x" } },
        ],
        "telecom": [{ "system": "phone", "value": "90000000" }],
        "birthDate": "1946-09-28", "deceasedBoolean": false, "multipleBirthInteger": 2,
        "contained": [{ "resourceType": "Organization", "id": "o", "name": "Hjemmetjenesten" }],
        "managingOrganization": { "reference": "#o" },
    })
}
