//! The table against what is written about it.

use std::collections::BTreeSet;

use pages::text;

use super::*;

#[test]
fn the_documentation_tells_of_every_address_and_no_other() {
    let api = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let api = std::fs::read_to_string(api).unwrap();
    let mut served = BTreeSet::new();
    for row in endpoints() {
        for path in row.paths() {
            served.extend(row.methods.iter().map(|method| format!("{} {path}", method.name())));
        }
    }
    let verbs = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE "];
    let told: BTreeSet<String> = api
        .split('`')
        .filter(|text| verbs.iter().any(|verb| text.starts_with(verb)) && text.contains(" /"))
        .map(str::to_owned)
        .collect();
    let missing: Vec<_> = served.difference(&told).collect();
    let gone: Vec<_> = told.difference(&served).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not told: {missing:?}; not there: {gone:?}");
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = endpoints().map(|row| row.id).collect();
    assert_eq!(names.len(), endpoints().count());
}

#[test]
fn the_page_has_a_text_for_every_row_and_parameter() {
    let mut missing = BTreeSet::new();
    let mut need = |key: String| {
        if text::find(&key, &[]).is_none() {
            missing.insert(key);
        }
    };
    for section in TABLE.iter().filter(|it| it.endpoints.iter().any(|row| !row.is_page())) {
        need(format!("docs-section-{}", section.id));
        need(format!("docs-section-{}.about", section.id));
        for row in section.endpoints {
            need(format!("docs-call-{}", row.id));
            let names = row.path_names().filter(|name| *name != "kommune");
            let params = row.query.iter().chain(row.headers).map(|param| param.name);
            for name in names.chain(params) {
                need(format!("docs-field-{}", name.replace(['.', ':'], "-")));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
