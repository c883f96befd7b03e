//! Schemas of the document. A resource's says its type and where its definition is; what else it must
//! hold is checked by the server, whose `$validate` and refusals name each element.

use fhir::search::parameters;
use serde_json::{Map, Value, json};

use crate::capability;
use crate::routes::endpoint::Form;
use crate::routes::table::parameters::FHIR_XML;

/// What is not FHIR.
const OTHERS: &str = include_str!("schemas.json");

/// Types that are sent or answered, whether they are kept or not.
const ANSWERED: [&str; 7] = [
    "Bundle",
    "CapabilityStatement",
    "OperationDefinition",
    "OperationOutcome",
    "Parameters",
    "TerminologyCapabilities",
    "ValueSet",
];

/// Every schema, by name.
pub fn schemas() -> Value {
    let kept = capability::kinds();
    // The file is part of the binary and a test reads it.
    let mut made: Map<String, Value> = serde_json::from_str(OTHERS).unwrap_or_default();
    made.insert("ResourceType".to_owned(), json!({ "type": "string", "enum": kept }));
    made.insert("Resource".to_owned(), any(&kept));
    for kind in kept.iter().copied().chain(ANSWERED) {
        made.insert(kind.to_owned(), of_type(kind));
    }
    Value::Object(made)
}

/// A resource of any type that is kept.
fn any(kinds: &[&str]) -> Value {
    let reference = |kind: &&str| json!({ "$ref": format!("#/components/schemas/{kind}") });
    json!({
        "oneOf": kinds.iter().map(reference).collect::<Vec<_>>(),
        "discriminator": { "propertyName": "resourceType" },
    })
}

fn of_type(kind: &str) -> Value {
    let mut schema = json!({
        "type": "object",
        "required": ["resourceType"],
        "properties": {
            "resourceType": { "const": kind },
            "id": { "$ref": "#/components/schemas/Id" },
            "meta": { "type": "object" },
        },
        "externalDocs": { "url": format!("http://hl7.org/fhir/R4/{}.html", kind.to_lowercase()) },
    });
    let codes: Vec<&str> = parameters(kind).iter().map(|it| &*it.code).collect();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("x-search-parameters".to_owned(), json!(codes));
    }
    schema
}

/// The schema of content in a media type.
pub fn of_content(media: &str, form: Form) -> Value {
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    match form {
        Form::Resource | Form::Type(_) if media == FHIR_XML => {
            json!({ "type": "string", "description": "FHIR XML" })
        }
        Form::Resource => named("Resource"),
        Form::Type("CapabilityStatement") => json!({
            "oneOf": [named("CapabilityStatement"), named("TerminologyCapabilities")],
        }),
        Form::Type(name) | Form::Json(name) => named(name),
        Form::Pairs => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        Form::Empty | Form::Lines | Form::Text | Form::Page => json!({ "type": "string" }),
    }
}

/// The schema of a name in a path.
pub fn in_path(name: &str) -> Value {
    match name {
        "part" => json!({ "$ref": "#/components/schemas/Part" }),
        "key" => json!({ "type": "string", "minLength": 1, "maxLength": 128 }),
        "kind" => json!({ "$ref": "#/components/schemas/ResourceType" }),
        "id" => json!({ "$ref": "#/components/schemas/Id" }),
        "version" | "file" | "size" => json!({ "type": "string", "pattern": "^[0-9]{1,9}$" }),
        "pid" => json!({ "type": "string", "pattern": "^[0-9]{11}$" }),
        _ => json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$" }),
    }
}
