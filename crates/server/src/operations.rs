//! The definitions of the operations of our own.

mod table;

use fhir::json;
use fhir::value::Value;

/// Where definitions of our own have their URLs.
const OWN: &str = "https://fkj.no/fhir/OperationDefinition/";

/// The OperationDefinition of an operation of our own.
pub fn definition(code: &str) -> Option<Value> {
    let changes = code == "emergency-access";
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
        "emergency-access" => (
            "EmergencyAccess",
            "Emergency access to what a patient has withheld",
            "Opens, for the caller and this patient, what the patient has withheld, for so many hours. \
             The attest must state an emergency (ETREAT or BTG). The patient sees it in the log, and \
             it is looked into afterwards. What is withheld for emergencies too stays withheld.",
        ),
        _ => return table::definition(code),
    };
    Some(json!({
        "resourceType": "OperationDefinition",
        "id": code,
        "url": format!("{OWN}{code}"),
        "version": env!("CARGO_PKG_VERSION"),
        "name": name,
        "title": title,
        "status": "active",
        "kind": "operation",
        "description": description,
        "affectsState": changes,
        "code": code,
        "resource": ["Patient"],
        "system": false,
        "type": false,
        "instance": true,
        "parameter": parameters(changes),
    }))
}

/// What goes in and out.
fn parameters(changes: bool) -> Value {
    let parameter = |name: &str, way: &str, min: u32, kind: &str, about: &str| {
        json!({
            "name": name,
            "use": way,
            "min": min,
            "max": "1",
            "documentation": about,
            "type": kind,
        })
    };
    let answer = "The answer, each part with what it was made from.";
    let mut all = vec![parameter("return", "out", 1, "Parameters", answer)];
    if changes {
        let until = "Until when it is open, as `until`, and the id of the opening.";
        all = vec![
            parameter("reason", "in", 1, "string", "Why; the patient is told."),
            parameter("hours", "in", 0, "integer", "From 1, which it is if not said, to 8."),
            parameter("return", "out", 1, "Parameters", until),
        ];
    }
    Value::Array(all)
}
