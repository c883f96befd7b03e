//! The operations of the FHIR door as data, for whoever tells of them, and the definitions of our
//! own.

use fhir::json;
use fhir::value::Value;

/// Where definitions of our own have their URLs.
const OWN: &str = "https://fkj.no/fhir/OperationDefinition/";

/// Where an operation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `[base]/$code`.
    System,
    /// `[base]/Type/$code`.
    Type,
    /// `[base]/Type/id/$code`.
    Instance,
}

/// An operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The code, without `$`.
    pub code: &'static str,
    /// The resource type; none for those of every type, and of the system.
    pub kind: Option<&'static str>,
    /// Where.
    pub levels: &'static [Level],
    /// URL of its OperationDefinition.
    pub definition: &'static str,
}

const INSTANCE: &[Level] = &[Level::Instance];
const TYPE: &[Level] = &[Level::Type];
const BOTH: &[Level] = &[Level::Type, Level::Instance];
const SYSTEM: &[Level] = &[Level::System];

const fn operation(
    code: &'static str,
    kind: Option<&'static str>,
    levels: &'static [Level],
    definition: &'static str,
) -> Operation {
    Operation { code, kind, levels, definition }
}

/// Every operation here.
pub const OPERATIONS: [Operation; 18] = [
    operation(
        "kommunale-tjenester",
        Some("Patient"),
        INSTANCE,
        "https://fkj.no/fhir/OperationDefinition/kommunale-tjenester",
    ),
    operation("news2", Some("Patient"), INSTANCE, "https://fkj.no/fhir/OperationDefinition/news2"),
    operation(
        "everything",
        Some("Patient"),
        INSTANCE,
        "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    ),
    operation(
        "lastn",
        Some("Observation"),
        TYPE,
        "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    ),
    operation(
        "stats",
        Some("Observation"),
        TYPE,
        "http://hl7.org/fhir/OperationDefinition/Observation-stats",
    ),
    operation(
        "expand",
        Some("ValueSet"),
        BOTH,
        "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
    ),
    operation(
        "validate-code",
        Some("ValueSet"),
        BOTH,
        "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
    ),
    operation(
        "validate-code",
        Some("CodeSystem"),
        BOTH,
        "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
    ),
    operation(
        "lookup",
        Some("CodeSystem"),
        TYPE,
        "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
    ),
    operation(
        "subsumes",
        Some("CodeSystem"),
        TYPE,
        "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
    ),
    operation(
        "translate",
        Some("ConceptMap"),
        BOTH,
        "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
    ),
    operation("validate", None, BOTH, "http://hl7.org/fhir/OperationDefinition/Resource-validate"),
    operation("meta", None, INSTANCE, "http://hl7.org/fhir/OperationDefinition/Resource-meta"),
    operation(
        "meta-add",
        None,
        INSTANCE,
        "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    ),
    operation(
        "meta-delete",
        None,
        INSTANCE,
        "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    ),
    operation("export", None, SYSTEM, "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),
    operation(
        "export",
        Some("Patient"),
        TYPE,
        "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export",
    ),
    operation(
        "export",
        Some("Group"),
        INSTANCE,
        "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export",
    ),
];

/// Those that a CapabilityStatement lists under a resource type.
pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Operation> {
    let kind = kind.to_owned();
    OPERATIONS.iter().filter(move |operation| match operation.kind {
        Some(of) => of == kind,
        None => operation.levels != SYSTEM,
    })
}

/// Those of the system.
pub fn of_system() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| operation.levels.contains(&Level::System))
}

/// The OperationDefinition of an operation of our own.
pub fn definition(code: &str) -> Option<Value> {
    let url = format!("{OWN}{code}");
    let operation = OPERATIONS.iter().find(|operation| operation.definition == url)?;
    let (name, title, description) = match code {
        "kommunale-tjenester" => (
            "KommunaleTjenester",
            "Overview of municipal services",
            "What municipal services a person has and has had, put together from what every \
             source has delivered: type (kodeverk 9151), status, extent, period, place, decision, \
             owner and source.",
        ),
        "news2" => (
            "News2",
            "NEWS2: latest, series and trend",
            "A person's vital signs as sets with points and total, each with its trend and the \
             person's own normal level. A total that a source sent stands beside the one that is \
             computed.",
        ),
        _ => return None,
    };
    Some(json!({
        "resourceType": "OperationDefinition",
        "id": code,
        "url": url,
        "version": env!("CARGO_PKG_VERSION"),
        "name": name,
        "title": title,
        "status": "active",
        "kind": "operation",
        "description": description,
        "affectsState": false,
        "code": code,
        "resource": [operation.kind],
        "system": operation.levels.contains(&Level::System),
        "type": operation.levels.contains(&Level::Type),
        "instance": operation.levels.contains(&Level::Instance),
        "parameter": [{
            "name": "return",
            "use": "out",
            "min": 1,
            "max": "1",
            "documentation": "The answer, each part with what it was made from.",
            "type": "Parameters",
        }],
    }))
}
