//! The compartments of R4: for each type, the parameters by which a resource belongs to one.

use super::{HEADER, items, line, text};
use serde_json::Value;
use std::path::Path;

const NAMES: &[&str] = &["device", "encounter", "patient", "practitioner", "relatedPerson"];

/// Stands for the resource that the compartment is of.
const ITSELF: &str = "{def}";

/// One line for each compartment and each type that may belong to it.
pub fn lines(directory: &Path) -> Result<String, String> {
    let mut out = format!("{HEADER}# = <compartment>, then:\n# <type> <parameter> <parameter>…\n");
    for name in NAMES {
        let file = format!("CompartmentDefinition-{name}.json");
        let bytes =
            std::fs::read(directory.join(&file)).map_err(|e| format!("read {file}: {e}"))?;
        let definition: Value =
            serde_json::from_slice(&bytes).map_err(|e| format!("{file}: {e}"))?;
        line(&mut out, format_args!("= {}", text(&definition, "code")));
        for resource in items(&definition, "resource") {
            let codes = items(resource, "param").iter().filter_map(Value::as_str);
            let codes: Vec<&str> = codes.filter(|code| *code != ITSELF).collect();
            if !codes.is_empty() {
                line(&mut out, format_args!("{} {}", text(resource, "code"), codes.join(" ")));
            }
        }
    }
    Ok(out)
}
