//! A small code system of animals, and value sets over it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::issue::Issue;
use fhir::terminology::Terminology;
use fhir::terminology::expand::Expand;
use fhir::value::Value;
use jiff::Timestamp;

/// System of the animals.
pub const ANIMALS: &str = "https://example.org/animals";
/// A system that is not here.
pub const SNOMED: &str = "http://snomed.info/sct";
/// Everything at once.
pub const ALL: Expand =
    Expand { filter: None, offset: 0, count: None, active_only: false, at: Timestamp::UNIX_EPOCH };

/// Animals: a bat is a mammal and, by a property, a flyer; a dodo is retired.
pub fn animals() -> Value {
    fhir::json!({
        "resourceType": "CodeSystem",
        "url": ANIMALS,
        "version": "2",
        "name": "Animals",
        "status": "active",
        "content": "complete",
        "hierarchyMeaning": "is-a",
        "concept": [{
            "code": "mammal",
            "display": "Mammal",
            "property": [{ "code": "notSelectable", "valueBoolean": true }],
            "concept": [
                {
                    "code": "dog",
                    "display": "Dog",
                    "designation": [{ "language": "nb", "value": "Hund" }],
                    "property": [{ "code": "legs", "valueInteger": 4 }],
                    "concept": [{ "code": "poodle", "display": "Poodle" }],
                },
                {
                    "code": "bat",
                    "display": "Bat",
                    "property": [
                        { "code": "legs", "valueInteger": 2 },
                        { "code": "parent", "valueCode": "flyer" },
                    ],
                },
            ],
        }, {
            "code": "flyer",
            "display": "Flyer",
            "concept": [{
                "code": "dodo",
                "display": "Dodo",
                "property": [{ "code": "status", "valueCode": "retired" }],
            }],
        }],
    })
}

/// A value set of these parts.
pub fn set(name: &str, include: Value, exclude: Option<Value>) -> Value {
    fhir::json!({
        "resourceType": "ValueSet",
        "url": format!("https://example.org/set/{name}"),
        "status": "active",
        "compose": { "include": include, "exclude": exclude },
    })
}

/// R4 with the animals and more.
pub fn with(resources: &[Value]) -> Terminology {
    let mut all = vec![animals()];
    all.extend(resources.iter().cloned());
    Terminology::base().extended(&all).unwrap()
}

/// The URL of a set of this name.
pub fn url(name: &str) -> String {
    format!("https://example.org/set/{name}")
}

/// The codes of an expansion in order, or why there is none.
pub fn listed(expansion: Result<Value, Issue>) -> String {
    match expansion {
        Ok(set) => {
            let items = set.get("expansion").unwrap().items("contains").to_vec();
            items.iter().filter_map(|item| item.text("code")).collect::<Vec<_>>().join(" ")
        }
        Err(issue) => format!("{} {}: {}", issue.code.as_str(), issue.location, issue.message),
    }
}
