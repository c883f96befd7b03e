//! The document has the structure that OpenAPI 3.1 asks for, and leads nowhere that is not there.

use std::collections::BTreeSet;

use sandbox::world::municipalities;

use super::*;
use crate::routes::table;

fn made() -> Value {
    document(
        "https://fkj.example",
        &sandbox::register::register(&municipalities()[0]),
        Scheme::Dpop,
    )
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "servers" {
                found.push((path.clone(), method.clone(), operation));
            }
        }
    }
    found
}

fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            visit(name, value);
            walk(value, visit);
        }),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = made();
    let mut count = 0;
    walk(&document["components"]["schemas"], &mut |_, _| count += 1);
    walk(&document, &mut |name, value| {
        if let ("$ref", Some(reference)) = (name, value.as_str()) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    });
    assert!(count > 100, "{count} members of schemas");
}

#[test]
fn every_row_that_is_no_page_is_an_operation_with_its_own_name() {
    let document = made();
    let found = operations(&document);
    let rows = table::endpoints().filter(|row| !row.is_page());
    assert_eq!(found.len(), rows.map(|row| row.methods.len()).sum::<usize>());
    let names: BTreeSet<&str> =
        found.iter().map(|(_, _, it)| it["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), found.len());
}

#[test]
fn every_name_in_a_path_is_a_parameter_and_no_parameter_stands_twice() {
    let document = made();
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let key = |it: &Value| (it["in"].as_str().unwrap().to_owned(), it["name"].to_string());
        let keys: BTreeSet<_> = parameters.iter().map(key).collect();
        assert_eq!(keys.len(), parameters.len(), "{method} {path}");
        let told: BTreeSet<String> = parameters
            .iter()
            .filter(|it| it["in"] == "path")
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        let steps = path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(told, steps.map(str::to_owned).collect(), "{method} {path}");
    }
}

#[test]
fn every_operation_answers_and_says_how_it_refuses() {
    for (path, method, operation) in operations(&made()) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|it| it.starts_with('2')), "{method} {path}");
        let open = operation["security"].as_array().unwrap().is_empty();
        // A client of a stand-in says who it is in the form.
        let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
        let says = path.starts_with("/sandkasse/") && form.is_object();
        assert_eq!(responses.contains_key("401"), !open || says, "{method} {path}");
        for response in responses.values().filter(|it| it.get("$ref").is_none()) {
            assert!(response["description"].is_string(), "{method} {path}");
        }
    }
}

#[test]
fn the_document_is_small_enough_to_read() {
    let bytes = made().to_string().len();
    println!("{bytes} bytes");
    assert!(bytes < 350 * 1024, "{bytes} bytes");
}
