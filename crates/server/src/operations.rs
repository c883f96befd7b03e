//! The definitions of the operations of our own.

use fhir::json;
use fhir::value::Value;

/// Where definitions of our own have their URLs.
const OWN: &str = "https://fkj.no/fhir/OperationDefinition/";

/// The OperationDefinition of an operation of our own on a Patient.
pub fn definition(code: &str) -> Option<Value> {
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
        "url": format!("{OWN}{code}"),
        "version": env!("CARGO_PKG_VERSION"),
        "name": name,
        "title": title,
        "status": "active",
        "kind": "operation",
        "description": description,
        "affectsState": false,
        "code": code,
        "resource": ["Patient"],
        "system": false,
        "type": false,
        "instance": true,
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
