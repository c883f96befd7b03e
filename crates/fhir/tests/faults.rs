//! One fault in each place of each sample: every one is found, and in its place.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fhir::check::{BaseCodes, Validator, check};
use fhir::json;
use fhir::profile::Profiles;
use fhir::resource::Resource;
use fhir::search;
use fhir::value::Value;
use proptest::prelude::*;

mod samples;

/// One step from a value to one below it.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Item(usize),
}

/// The way to every value below `value`, but for resource types.
fn ways(value: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    let mut below = |step: Step, child: &Value| {
        found.push(vec![step.clone()]);
        for mut way in ways(child) {
            way.insert(0, step.clone());
            found.push(way);
        }
    };
    match value {
        Value::Object(object) => {
            for (name, child) in object.iter().filter(|(name, _)| *name != "resourceType") {
                below(Step::Member(name.to_owned()), child);
            }
        }
        Value::Array(items) => {
            for (index, child) in items.iter().enumerate() {
                below(Step::Item(index), child);
            }
        }
        _ => {}
    }
    found
}

fn location(kind: &str, way: &[Step]) -> String {
    way.iter().fold(kind.to_owned(), |place, step| match step {
        Step::Member(name) => format!("{place}.{name}"),
        Step::Item(index) => format!("{place}[{index}]"),
    })
}

/// What to make of a value.
type Change<'a> = &'a dyn Fn(&Value) -> Value;

/// The value with what `way` leads to changed.
fn changed(value: &Value, way: &[Step], change: Change) -> Value {
    let Some((step, rest)) = way.split_first() else {
        return change(value);
    };
    match (step, value) {
        (Step::Member(name), Value::Object(object)) => {
            let mut object = object.clone();
            object.set(name, changed(object.get(name).unwrap(), rest, change));
            Value::Object(object)
        }
        (Step::Item(index), Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(at, item)| if at == *index { changed(item, rest, change) } else { item.clone() })
            .collect(),
        _ => panic!("the way leads nowhere"),
    }
}

/// A value of another JSON type.
fn other_type(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(7),
        Value::Number(_) | Value::Bool(_) => json!("7"),
        Value::Object(_) => json!("text"),
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        Value::Null => json!(7),
    }
}

fn with_unknown(value: &Value) -> Value {
    let mut value = value.clone();
    match value.as_object_mut() {
        Some(object) => object.set("colour", "red"),
        None => return Value::Null,
    }
    value
}

#[test]
fn every_fault_is_found_in_its_place() {
    let faults: [(&str, Change); 7] = [
        ("null", &|_| Value::Null),
        ("empty object", &|_| json!({})),
        ("empty array", &|_| json!([])),
        ("empty string", &|_| json!("")),
        ("one more array", &|value| json!([value])),
        ("another type", &other_type),
        ("an unknown member", &with_unknown),
    ];
    let mut count = 0;
    for sample in samples::all() {
        let kind = sample.text("resourceType").unwrap();
        for way in ways(&sample) {
            let place = location(kind, &way);
            for (name, fault) in faults {
                let faulty = Resource::from_value(changed(&sample, &way, fault)).unwrap();
                let issues = check(&faulty);
                let found = issues.iter().all(|issue| issue.location.starts_with(&place));
                assert!(found && !issues.is_empty(), "{place}, {name}: {issues:?}");
                assert!(
                    issues.len() <= 1 || name == "one more array",
                    "{place}, {name}: {issues:?}"
                );
                count += 1;
            }
        }
    }
    assert!(count > 900, "only {count} faults tried");
}

proptest! {
    /// Whatever stands in any place, nothing fails otherwise, and what passes the check prints and
    /// parses to a resource that passes it again.
    #[test]
    fn anything_anywhere_is_answered(
        sample in prop::sample::select(samples::all().to_vec()),
        at in any::<prop::sample::Index>(),
        text in any::<String>(),
        shape in 0..5,
    ) {
        let ways = ways(&sample);
        let way = at.get(&ways);
        let put = match shape {
            0 => json!(&text),
            1 => json!([&text]),
            2 => json!({ (&text): &text }),
            3 => json!({ "extension": [{ "url": &text, "valueString": &text }] }),
            _ => json!(text.len()),
        };
        let value = changed(&sample, way, &|_| put.clone());
        let resource = Resource::from_value(value).unwrap();
        let issues = check(&resource);
        search::index(&resource);
        let again = json::parse(json::print(resource.value()).as_bytes()).unwrap();
        prop_assert_eq!(check(&Resource::from_value(again).unwrap()), issues);
    }

    /// Any tree that calls itself a resource is answered, profiles and all.
    #[test]
    fn any_tree_is_answered(
        kind in prop::sample::select(vec!["Patient", "Observation", "Bundle", "Questionnaire"]),
        tree in tree(),
    ) {
        let mut value = json!({ "resourceType": kind });
        if let (Some(object), Value::Object(tree)) = (value.as_object_mut(), tree) {
            for (name, member) in tree.iter() {
                object.set(name, member);
            }
            object.set("resourceType", kind);
            object.set("meta", json!({ "profile": [
                "http://hl7.org/fhir/StructureDefinition/bp",
                "http://hl7.org/fhir/StructureDefinition/cqf-questionnaire",
            ] }));
        }
        let resource = Resource::from_value(value).unwrap();
        let validator = Validator { profiles: Profiles::base(), terminology: &BaseCodes };
        let demanded = ["http://hl7.org/fhir/StructureDefinition/vitalsigns"];
        prop_assert!(validator.validate(&resource, &demanded).len() <= 200);
    }
}

/// A tree of the names that resources use, and of others.
fn tree() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("2026-01-05".to_owned()),
        Just("#a".to_owned()),
        Just("http://loinc.org".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "contained",
        "extension",
        "url",
        "valueString",
        "valueQuantity",
        "_status",
        "status",
        "code",
        "coding",
        "system",
        "component",
        "category",
        "resourceType",
        "id",
        "reference",
        "subject",
        "entry",
        "resource",
        "item",
        "period",
        "start",
        "end",
        "text",
        "div",
        "name",
        "effectivePeriod",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from_iter),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                let mut value = json!({});
                for (name, member) in members {
                    if let Some(object) = value.as_object_mut() {
                        object.set(name, member);
                    }
                }
                value
            }),
        ]
    })
}

/// Odd values that may stand in any place.
fn odd() -> Vec<Value> {
    let extension = json!({ "extension": [{ "url": "urn:x", "valueCode": "y" }] });
    vec![
        Value::Null,
        json!(7),
        json!(true),
        json!(""),
        json!("a"),
        json!("a\u{1}"),
        json!("a\u{ffff}"),
        json!("<div>a</div>"),
        json!("<div>&nbsp;</div>"),
        json!("<div><b>a</div>"),
        json!([]),
        json!([null]),
        json!(["a", null]),
        json!({}),
        json!({ "id": "a" }),
        json!([{ "id": "a" }]),
        json!([null, { "id": "a" }]),
        json!([&extension]),
        extension,
    ]
}

/// A sample with an odd value in one place, or beside the value there.
fn oddities(sample: &Value, way: &[Step], odd: &Value) -> Vec<Value> {
    let mut found = vec![changed(sample, way, &|_| odd.clone())];
    if let Some((Step::Member(name), above)) = way.split_last() {
        let beside = |value: &Value| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().set(&format!("_{name}"), odd);
            value
        };
        found.push(changed(sample, above, &beside));
    }
    found
}

#[test]
fn what_is_accepted_xml_can_carry() {
    let mut accepted = 0;
    for sample in samples::all() {
        for way in ways(&sample) {
            for odd in odd() {
                for value in oddities(&sample, &way, &odd) {
                    let resource = Resource::from_value(value).unwrap();
                    if check(&resource).is_empty() {
                        accepted += 1;
                        let text = fhir::xml::print(resource.value()).unwrap();
                        let back = fhir::xml::parse(text.as_bytes()).unwrap();
                        assert_eq!(fhir::xml::print(&back), Ok(text));
                    }
                }
            }
        }
    }
    assert!(accepted > 400, "only {accepted} were accepted");
}
