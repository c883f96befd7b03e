//! JSON Patch: the RFC's own cases, a resource's rules, and any operations against a naive model.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use fhir::json;
use fhir::patch::{MAX_OPERATIONS, Patch};
use fhir::value::Value;
use proptest::prelude::*;
use serde_json::Value as Model;

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

/// The patched document, or `code|place` of what is wrong.
fn patched(document: &str, patch: &str) -> String {
    let outcome = Patch::json(&value(patch)).and_then(|patch| patch.apply(&value(document)));
    match outcome {
        Ok(value) => json::print(&value),
        Err(issue) => format!("{}|{}", issue.code.as_str(), issue.location),
    }
}

/// Document, patch, and what becomes of it.
const CASES: &[(&str, &str, &str)] = &[
    (
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
        r#"{"foo":"bar","baz":"qux"}"#,
    ),
    (
        r#"{"foo":["bar","baz"]}"#,
        r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
        r#"{"foo":["bar","qux","baz"]}"#,
    ),
    (
        r#"{"foo":["bar"]}"#,
        r#"[{"op":"add","path":"/foo/-","value":["abc"]}]"#,
        r#"{"foo":["bar",["abc"]]}"#,
    ),
    (
        r#"{"foo":["bar"]}"#,
        r#"[{"op":"add","path":"/foo/2","value":1}]"#,
        "not-found|patch[0].path",
    ),
    (
        r#"{"foo":["bar"]}"#,
        r#"[{"op":"add","path":"/foo/00","value":1}]"#,
        "not-found|patch[0].path",
    ),
    (r#"{"a":1,"b":2}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"b":2}"#),
    (r#"{"a":["b","c","d"]}"#, r#"[{"op":"remove","path":"/a/1"}]"#, r#"{"a":["b","d"]}"#),
    (r#"{"a":["b"],"c":1}"#, r#"[{"op":"remove","path":"/a/0"}]"#, r#"{"c":1}"#),
    (
        r#"{"a":["b"]}"#,
        r#"[{"op":"remove","path":"/a/0"},{"op":"add","path":"/a/-","value":"c"}]"#,
        r#"{"a":["c"]}"#,
    ),
    (r#"{"a":1}"#, r#"[{"op":"replace","path":"/b","value":1}]"#, "not-found|patch[0].path"),
    (
        r#"{"a":{"b":1,"c":2},"d":{"e":3}}"#,
        r#"[{"op":"move","from":"/a/b","path":"/d/b"}]"#,
        r#"{"a":{"c":2},"d":{"e":3,"b":1}}"#,
    ),
    (r#"{"a":[1,2,3,4]}"#, r#"[{"op":"move","from":"/a/1","path":"/a/3"}]"#, r#"{"a":[1,3,4,2]}"#),
    (
        r#"{"a":{"b":{}}}"#,
        r#"[{"op":"move","from":"/a","path":"/a/b/c"}]"#,
        "invalid|patch[0].path",
    ),
    (r#"{"a":1.10}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1.10,"b":1.10}"#),
    (r#"{"a~/b":1}"#, r#"[{"op":"test","path":"/a~0~1b","value":10e-1}]"#, r#"{"a~/b":1}"#),
    (
        r#"{"a":{"b":1,"c":[]}}"#,
        r#"[{"op":"test","path":"/a","value":{"c":[],"b":1.0}}]"#,
        r#"{"a":{"b":1}}"#,
    ),
    (r#"{"a":"10"}"#, r#"[{"op":"test","path":"/a","value":10}]"#, "conflict|patch[0].value"),
    (
        r#"{"a":1}"#,
        r#"[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]"#,
        "not-found|patch[1].path",
    ),
    (r#"{"a":1}"#, r#"[{"op":"delete","path":"/a"}]"#, "value|patch[0].op"),
    (r#"{"a":1}"#, r#"[{"op":"add","path":"a","value":1}]"#, "value|patch[0].path"),
    (r#"{"a":1}"#, r#"[{"op":"add","path":"/a~2","value":1}]"#, "value|patch[0].path"),
    (r#"{"a":1}"#, r#"[{"op":"add","path":"/a"}]"#, "required|patch[0].value"),
    (r#"{"a":1}"#, r#"{"op":"remove"}"#, "structure|patch"),
    (
        r#"{"id":"x","a":1}"#,
        r#"[{"op":"replace","path":"/id","value":"y"}]"#,
        "business-rule|patch[0].path",
    ),
    (
        r#"{"resourceType":"A","a":1}"#,
        r#"[{"op":"remove","path":"/a"},{"op":"add","path":"","value":{}}]"#,
        "business-rule|patch[1].path",
    ),
    (
        r#"{"id":"x","a":1}"#,
        r#"[{"op":"move","from":"/id","path":"/b"}]"#,
        "business-rule|patch[0].path",
    ),
];

#[test]
fn every_operation_does_what_rfc_6902_says() {
    for (document, patch, expected) in CASES {
        assert_eq!(patched(document, patch), *expected, "{patch} on {document}");
    }
}

#[test]
fn a_patch_that_explodes_is_refused() {
    let doubling: Vec<_> =
        (0..40).map(|n| format!(r#"{{"op":"copy","from":"","path":"/c{n}"}}"#)).collect();
    let doubling = doubling.join(",");
    assert!(patched(r#"{"b":[1,2]}"#, &format!("[{doubling}]")).starts_with("too-costly|patch["));
    let deeper: Vec<_> = (0..80)
        .map(|n| format!(r#"{{"op":"add","path":"{}","value":{{}}}}"#, "/a".repeat(n + 1)))
        .collect();
    assert_eq!(patched("{}", &format!("[{}]", deeper.join(","))), "too-costly|patch[63]");
    let many = vec![r#"{"op":"test","path":"","value":{}}"#; MAX_OPERATIONS + 1].join(",");
    assert_eq!(patched("{}", &format!("[{many}]")), "too-costly|patch");
}

/// What RFC 6902 says, as directly as it can be written over `serde_json`.
fn naive(document: &mut Model, operation: &Model) -> Option<()> {
    let path = operation["path"].as_str()?;
    match operation["op"].as_str()? {
        "add" => insert(document, path, operation["value"].clone()),
        "remove" => take(document, path).map(drop),
        "replace" => {
            *document.pointer_mut(path)? = operation["value"].clone();
            Some(())
        }
        "copy" => {
            let value = document.pointer(operation["from"].as_str()?)?.clone();
            insert(document, path, value)
        }
        "move" => {
            let from = operation["from"].as_str()?;
            if path == from {
                return document.pointer(from).map(drop);
            }
            if path.starts_with(&format!("{from}/")) {
                return None;
            }
            let value = take(document, from)?;
            insert(document, path, value)
        }
        "test" => (*document.pointer(path)? == operation["value"]).then_some(()),
        _ => None,
    }
}

fn insert(document: &mut Model, path: &str, value: Model) -> Option<()> {
    let Some((parent, last)) = path.rsplit_once('/') else {
        *document = value;
        return Some(());
    };
    match document.pointer_mut(parent)? {
        Model::Object(members) => drop(members.insert(last.to_owned(), value)),
        Model::Array(items) => {
            let at = if last == "-" { items.len() } else { last.parse().ok()? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn take(document: &mut Model, path: &str) -> Option<Model> {
    let (parent, last) = path.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Model::Object(members) => members.shift_remove(last),
        Model::Array(items) => {
            let at: usize = last.parse().ok()?;
            (at < items.len()).then(|| items.remove(at))
        }
        _ => None,
    }
}

/// Without empty arrays and objects.
fn pruned(value: Model) -> Model {
    let kept = |value: &Model| *value != serde_json::json!([]) && *value != serde_json::json!({});
    match value {
        Model::Array(items) => items.into_iter().map(pruned).filter(kept).collect(),
        Model::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, pruned(value)));
            members.filter(|(_, value)| kept(value)).collect()
        }
        other => other,
    }
}

fn any_document() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        Just(Model::Null),
        (0..3_i64).prop_map(Model::from),
        "[xy]".prop_map(Model::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Model::Array),
            prop::collection::hash_map("[abc]", inner, 0..4)
                .prop_map(|members| Model::Object(members.into_iter().collect())),
        ]
    })
}

fn any_operations() -> impl Strategy<Value = Vec<Model>> {
    let place = || "(/[abc012-]){0,3}";
    let op = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let operation = (op, place(), place(), any_document()).prop_map(|(op, path, from, value)| {
        serde_json::json!({ "op": op, "path": path, "from": from, "value": value })
    });
    prop::collection::vec(operation, 0..5)
}

proptest! {
    /// Also: one operation that does not fit leaves nothing done, and its number is told.
    #[test]
    fn any_operations_do_what_the_naive_model_does(
        document in any_document(),
        operations in any_operations(),
    ) {
        let mut model = document.clone();
        let failed = operations.iter().position(|it| naive(&mut model, it).is_none());
        let patch = Patch::json(&value(&Model::Array(operations.clone()).to_string())).unwrap();
        match (patch.apply(&value(&document.to_string())), failed) {
            (Ok(after), None) => {
                let after: Model = serde_json::from_str(&json::print(&after)).unwrap();
                prop_assert_eq!(after, pruned(model));
            }
            (Err(issue), Some(at)) => {
                let place = format!("patch[{at}]");
                prop_assert!(issue.location.starts_with(&place), "{}", issue.location);
            }
            (outcome, failed) => prop_assert!(false, "{:?} but {:?}", outcome, failed),
        }
    }
}
