//! The rules between elements ("invariants") of R4's types, as lines.
//!
//! Left out are those that HL7 marks as best practice, and those of the packer's own elements. Three
//! expressions are corrected, since nothing could follow HL7's: `app-4` (names a code that is not there)
//! and `bdl-8` (demands a `fullUrl`) by the packer, `que-7` (asks for FHIRPath's own type) here.

use super::{HEADER, items, line, own_elements, text};
use serde_json::Value;
use std::collections::BTreeMap;

const BEST_PRACTICE: &str =
    "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice";

/// A rule of all elements, which the structure implies and the packer repeats.
const EVERYWHERE: &str = "ele-1";

/// The lines of the file, by type.
pub(super) fn lines(structures: &BTreeMap<String, Value>) -> Result<String, String> {
    let mut out = format!("{HEADER}# <path> <key> <e|w, error or warning> <FHIRPath>\n");
    for structure in structures.values() {
        for element in own_elements(structure) {
            let path = text(element, "path");
            for rule in items(element, "constraint") {
                rule_line(path, rule, &mut out)?;
            }
            let profiles = items(element, "type").iter().flat_map(|entry| items(entry, "profile"));
            for profile in profiles {
                profile_line(path, profile, &mut out)?;
            }
        }
    }
    Ok(out)
}

fn rule_line(path: &str, rule: &Value, out: &mut String) -> Result<(), String> {
    let key = text(rule, "key");
    let expression = match key {
        "que-7" => "operator = 'exists' implies (answer is boolean)",
        _ => text(rule, "expression"),
    };
    let best_practice = items(rule, "extension").iter().any(|e| text(e, "url") == BEST_PRACTICE);
    if best_practice || key == EVERYWHERE {
        return Ok(());
    }
    if expression.is_empty() || expression.contains('\n') {
        return Err(format!("{key}: no expression of one line"));
    }
    let severity = if text(rule, "severity") == "warning" { 'w' } else { 'e' };
    line(out, format_args!("{path} {key} {severity} {expression}"));
    Ok(())
}

/// The one profile that base elements name: a quantity without comparator.
fn profile_line(path: &str, profile: &Value, out: &mut String) -> Result<(), String> {
    match profile.as_str() {
        Some("http://hl7.org/fhir/StructureDefinition/SimpleQuantity") => {
            line(out, format_args!("{path} sqty-1 e comparator.empty()"));
            Ok(())
        }
        _ => Err(format!("{path}: an unexpected profile of a base element")),
    }
}
