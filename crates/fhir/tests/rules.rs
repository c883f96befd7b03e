//! R4's rules: all are FHIRPath, and those that have their own code say what their expression says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::check::check;
use fhir::definitions;
use fhir::fhirpath::item::{Item, Node};
use fhir::fhirpath::model::Kind;
use fhir::fhirpath::scope::Scope;
use fhir::json;
use fhir::resource::Resource;
use fhir::value::Value;
use mutation::{Site, at, changed, sites};
use std::collections::BTreeSet;

#[expect(dead_code, reason = "other tests use the rest")]
mod mutation;

/// The rules with their own code, and what may be wrong by them in the samples.
const OWN: &[&str] = &["ext-1", "per-1", "dom-2", "dom-3", "dom-4", "dom-5", "ref-1"];

#[test]
fn every_rule_is_fhirpath() {
    let mut keys = BTreeSet::new();
    for kind in definitions::resource_kinds() {
        for rule in &definitions::shape(kind).unwrap().rules {
            assert!(rule.expression().is_some(), "{}", rule.text());
            keys.insert(rule.key().to_owned());
        }
    }
    assert!(keys.contains("obs-7") && keys.len() > 90, "{}", keys.len());
}

/// The keys of rules that the check says are broken.
fn told(resource: &Value) -> BTreeSet<String> {
    let resource = Resource::from_value(resource.clone()).unwrap();
    let rules = check(&resource).into_iter().filter_map(|issue| {
        let rule = issue.message.strip_prefix("rule `")?.split('`').next()?.to_owned();
        OWN.contains(&rule.as_str()).then_some(rule)
    });
    rules.collect()
}

/// The keys of rules that their expressions say are broken.
fn computed(resource: &Value) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for site in sites(resource) {
        let value = at(resource, &site.way);
        let Some(shape) = site.shape.filter(|_| value.as_object().is_some()) else {
            continue;
        };
        let inner = innermost(resource, &site);
        let node = Node { value, sibling: None, kind: Kind::fhir(&shape.name).unwrap() };
        let scope =
            Scope::new().resource(Item::resource(inner)).root_resource(Item::resource(resource));
        for rule in shape.rules.iter().filter(|rule| OWN.contains(&rule.key())) {
            let expression = rule.expression().unwrap();
            let found = expression.evaluate(Item::Node(node), &scope).unwrap();
            if found.first().and_then(Item::as_bool) == Some(false) {
                broken.insert(rule.key().to_owned());
            }
        }
    }
    broken
}

/// The resource that a place is in.
fn innermost<'a>(resource: &'a Value, site: &Site) -> &'a Value {
    let mut found = resource;
    for length in 0..=site.way.len() {
        let value = at(resource, site.way.get(..length).unwrap());
        if value.get("resourceType").is_some() {
            found = value;
        }
    }
    found
}

#[test]
fn own_code_and_expressions_agree() {
    let mut seen = BTreeSet::new();
    for resource in variants() {
        let (told, computed) = (told(&resource), computed(&resource));
        // Rules are asked from within, and not of what holds a breach of another.
        let all = if computed.len() == 1 { told == computed } else { told.is_subset(&computed) };
        let some = told.is_empty() == computed.is_empty();
        assert!(all && some, "{told:?}, {computed:?}, {}", json::print(&resource));
        seen.extend(told);
    }
    assert_eq!(seen.len(), OWN.len(), "{seen:?}");
}

/// A resource that keeps all rules, and many that break some.
fn variants() -> Vec<Value> {
    let sound = json!({
        "resourceType": "Condition",
        "contained": [
            { "resourceType": "Practitioner", "id": "n1", "name": [{ "family": "Dahl" }] },
            { "resourceType": "Provenance", "id": "v1", "target": [{ "reference": "#" }],
              "recorded": "2026-01-05T10:00:00Z", "agent": [{ "who": { "reference": "#n1" } }] },
        ],
        "extension": [{ "url": "urn:a", "extension": [{ "url": "b", "valueString": "x" }] }],
        "subject": { "reference": "Patient/p1" },
        "onsetPeriod": { "start": "2026-01-01", "end": "2026-01-05" },
        "recorder": { "reference": "#n1" },
    });
    let mut variants = vec![sound.clone()];
    let periods = [
        ("2026-01-06", "2026-01-05"),
        ("2026", "2025-12"),
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00+01:00"),
        ("2026-01-05T10:00:00Z", "2026-01-05T09:59:59.999Z"),
        ("2026-01-05T10:00:00+01:00", "2026-01-05T09:30:00Z"),
    ];
    for (start, end) in periods {
        variants.push(with(&sound, "onsetPeriod", json!({ "start": start, "end": end })));
    }
    for reference in ["#n2", "#v1", "Practitioner/n1"] {
        variants.push(with(&sound, "recorder", json!({ "reference": reference })));
    }
    for extension in [
        json!({ "url": "urn:a" }),
        json!({ "url": "urn:a", "valueCode": "x", "extension": [{ "url": "b", "valueCode": "x" }] }),
    ] {
        variants.push(with(&sound, "extension", json!([extension])));
    }
    let inner = json!({ "resourceType": "Basic", "id": "b", "code": { "text": "x" } });
    variants.push(with(
        &sound,
        "contained",
        json!([
            { "resourceType": "Practitioner", "id": "n1", "name": [{ "family": "Dahl" }] }, &inner,
        ]),
    ));
    let members = [
        ("contained", json!([&inner])),
        ("meta", json!({ "versionId": "1" })),
        ("meta", json!({ "lastUpdated": "2026-01-05T10:00:00Z" })),
        ("meta", json!({ "security": [{ "code": "R" }] })),
        ("id", json!("other")),
    ];
    for (name, value) in members {
        variants.push(changed(&sound, &[], |resource| {
            let contained = resource.as_object_mut().unwrap().get_mut("contained");
            let Some(Value::Array(items)) = contained else { return };
            items.first_mut().unwrap().as_object_mut().unwrap().set(name, value);
        }));
    }
    variants
}

fn with(resource: &Value, name: &str, value: Value) -> Value {
    mutation::member(resource, &[], name, Some(value))
}
