//! The CapabilityStatement, made from the information catalogue and the search parameters, so that
//! it says what the server does.

use access::register::Register;
use fhir::json;
use fhir::search::set::Parameters;
use fhir::search::{ParamKind, SearchParameter};
use fhir::value::Value;
use record::catalogue::Catalogue;

use crate::operations::{self, Operation};

/// What the server at `base` can do.
pub fn statement(base: &str, register: &Register, parameters: &Parameters) -> Value {
    let mut kinds: Vec<&str> = Catalogue::get()
        .categories
        .iter()
        .flat_map(|category| &category.shapes)
        .map(|shape| shape.kind.as_str())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    let resources: Vec<Value> = kinds.into_iter().map(|kind| resource(kind, parameters)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-23",
        "kind": "instance",
        "software": { "name": "fkj", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": register.name.as_str(), "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": { "description": "Bearer access tokens with HelseID's claims" },
            "resource": resources,
            "interaction": [
                { "code": "transaction" },
                { "code": "batch" },
                { "code": "history-system" },
                { "code": "search-system" },
            ],
            "operation": operations::of_system().map(operation).collect::<Vec<_>>(),
        }],
    })
}

fn resource(kind: &str, parameters: &Parameters) -> Value {
    let codes = [
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "create",
        "search-type",
    ];
    let interactions: Vec<Value> = codes.iter().map(|code| json!({ "code": *code })).collect();
    let operations: Vec<Value> = operations::of_kind(kind).map(operation).collect();
    json!({
        "type": kind,
        "interaction": interactions,
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalRead": "full-support",
        "conditionalUpdate": true,
        "conditionalDelete": "single",
        "searchParam": parameters.of(kind).iter().map(|it| parameter(it)).collect::<Vec<_>>(),
        "operation": operations,
    })
}

fn operation(operation: &Operation) -> Value {
    json!({ "name": operation.code, "definition": operation.definition })
}

fn parameter(parameter: &SearchParameter) -> Value {
    let kind = match parameter.kind {
        ParamKind::Token => "token",
        ParamKind::Reference => "reference",
        ParamKind::Date => "date",
        ParamKind::String => "string",
        ParamKind::Uri => "uri",
        ParamKind::Number => "number",
        ParamKind::Quantity => "quantity",
        ParamKind::Composite => "composite",
        ParamKind::Special => "special",
    };
    json!({ "name": parameter.code.as_str(), "type": kind })
}
