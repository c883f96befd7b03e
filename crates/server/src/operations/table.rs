//! The definitions of the operations that take parameters of their own.

use fhir::json;
use fhir::value::Value;

/// Where definitions of our own have their URLs.
const OWN: &str = "https://fkj.no/fhir/OperationDefinition/";

/// A parameter: name, `in` or `out`, least, type, and what it is.
type Parameter = (&'static str, &'static str, u32, &'static str, &'static str);

/// An operation.
struct Operation {
    code: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    changes: bool,
    of: &'static str,
    parameters: &'static [Parameter],
}

const OPERATIONS: [Operation; 4] = [
    Operation {
        code: "oversikt",
        name: "Oversikt",
        title: "One picture of a person for a situation",
        description: "What matters about a person in a situation, from what is kept here and what other sources hold: \
                      a document with a section for each category, the origin of every fact, what contradicts what, \
                      and what is missing and why. Whoever asks can change the selection, never what is open.",
        changes: false,
        of: "Patient",
        parameters: &[
            (
                "kontekst",
                "in",
                0,
                "code",
                "The situation; the one that fits the caller if not said.",
            ),
            ("med", "in", 0, "string", "Keys of categories to add, with commas between."),
            ("uten", "in", 0, "string", "Keys of categories to leave out."),
            ("dager", "in", 0, "integer", "How many days back every section looks; 0 for all."),
            ("kilder", "in", 0, "boolean", "Whether other sources are asked."),
            ("return", "out", 1, "Bundle", "A document."),
        ],
    },
    Operation {
        code: "copy",
        name: "Copy",
        title: "A copy of everything about a person that the person may see",
        description: "For the resident, for whoever represents the resident, and for a privacy officer who \
                      answers a request for a copy: a Bundle with owner, source, category, time and legal basis of \
                      each entry in the extension `record-basis`, or by `_format=application/pdf` a document to read.",
        changes: false,
        of: "Patient",
        parameters: &[
            ("request", "in", 0, "id", "For a privacy officer: the Task that this answers."),
            ("portable", "in", 0, "boolean", "Only what rests on consent (GDPR art. 20)."),
            ("return", "out", 1, "Bundle", "Everything, in one collection."),
        ],
    },
    Operation {
        code: "rights-request",
        name: "RightsRequest",
        title: "Ask for something about a person's information",
        description: "Makes a Task for whoever wrote the item, or for the municipality where none is named, with the \
                      day that an answer is due.",
        changes: true,
        of: "Patient",
        parameters: &[
            (
                "right",
                "in",
                1,
                "code",
                "`rectification`, `erasure`, `copy`, `portability` or `information`.",
            ),
            ("text", "in", 1, "string", "In the person's own words."),
            ("item", "in", 0, "Reference", "The one resource it is about."),
            ("return", "out", 1, "Task", "The request."),
        ],
    },
    Operation {
        code: "rights-step",
        name: "RightsStep",
        title: "Take a step with a request",
        description: "For the system of the owner and for privacy officers; `withdraw` is for who asked.",
        changes: true,
        of: "Task",
        parameters: &[
            (
                "step",
                "in",
                1,
                "code",
                "`receive`, `accept`, `start`, `extend`, `complete`, `reject` or `withdraw`.",
            ),
            ("reason", "in", 0, "string", "Why, or what was done; `extend` and `reject` need it."),
            (
                "output",
                "in",
                0,
                "Reference",
                "The version that corrects, as `Type/id/_history/version`.",
            ),
            ("return", "out", 1, "Task", "The request as it is now."),
        ],
    },
];

/// The OperationDefinition with this code.
pub fn definition(code: &str) -> Option<Value> {
    let operation = OPERATIONS.iter().find(|it| it.code == code)?;
    let parameter = |(name, way, min, kind, about): &Parameter| {
        json!({
            "name": *name,
            "use": *way,
            "min": *min,
            "max": "1",
            "documentation": *about,
            "type": *kind,
        })
    };
    Some(json!({
        "resourceType": "OperationDefinition",
        "id": code,
        "url": format!("{OWN}{code}"),
        "version": env!("CARGO_PKG_VERSION"),
        "name": operation.name,
        "title": operation.title,
        "status": "active",
        "kind": "operation",
        "description": operation.description,
        "affectsState": operation.changes,
        "code": code,
        "resource": [operation.of],
        "system": false,
        "type": false,
        "instance": true,
        "parameter": Value::Array(operation.parameters.iter().map(parameter).collect()),
    }))
}
