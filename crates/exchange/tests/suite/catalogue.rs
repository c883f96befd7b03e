//! Every resource type of R4 has one home, and the elements that say whom and when are there.

use std::collections::BTreeMap;

use exchange::naming;
use fhir::definitions::{Content, resource_kind, resource_kinds, shape};
use record::about::{Elements, elements, types};
use record::catalogue::element::{ELEMENT_SYSTEM, Element};
use record::catalogue::{Catalogue, Shape};

/// Whether a dotted path of JSON names leads to an element of a type.
fn leads(kind: &str, path: &str) -> bool {
    let mut at = shape(kind);
    for name in path.split('.') {
        let Some(found) = at.and_then(|shape| shape.member(name)) else { return false };
        at = match found.kind.content {
            Content::Shape(id) => Some(id.shape()),
            Content::Primitive(_) | Content::Resource => None,
        };
    }
    true
}

/// The elements of a type that say whom it is about, of those it has.
fn naming(kind: &str) -> Vec<&'static str> {
    let Elements { subjects, participants, .. } = elements(kind);
    let paths = subjects.iter().chain(participants).map(String::as_str);
    paths.filter(|path| leads(kind, path)).collect()
}

fn shapes_of(kind: &str) -> Vec<(&'static str, &'static Shape)> {
    let of = Catalogue::get().of_type(kind);
    of.flat_map(|category| category.shapes.iter().map(|shape| (category.key.as_str(), shape)))
        .filter(|(_, shape)| shape.kind == kind)
        .collect()
}

#[test]
fn every_type_has_one_home_and_every_home_is_a_types() {
    for kind in resource_kinds() {
        let mut homes: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
        for (category, shape) in shapes_of(kind) {
            homes.entry(shape.category.as_deref()).or_default().push(category);
        }
        assert_eq!(homes.get(&None).map(Vec::len), Some(1), "{kind}: {homes:?}");
        assert!(homes.values().all(|categories| categories.len() == 1), "{kind}: {homes:?}");
        // A code narrows within what is about persons or within what is not.
        let about: Vec<bool> =
            Catalogue::get().of_type(kind).map(|category| category.about_person).collect();
        assert!(about.windows(2).all(|pair| pair[0] == pair[1]), "{kind}");
    }
    let shapes = Catalogue::get().categories.iter().flat_map(|category| &category.shapes);
    assert!(shapes.into_iter().all(|shape| resource_kind(&shape.kind).is_some()));
}

#[test]
fn a_type_may_be_silent_only_where_r4_lets_it() {
    for kind in resource_kinds().into_iter().filter(|kind| Catalogue::get().is_personal(kind)) {
        for (category, shape) in shapes_of(kind) {
            let naming = naming(kind);
            assert!(kind == "Patient" || shape.unnamed || !naming.is_empty(), "{kind}, {category}");
            let is_required = |name: &&str| {
                let found = fhir::definitions::shape(kind).unwrap().member(name);
                found.is_some_and(|found| found.element.min > 0)
            };
            if shape.unnamed {
                // A required element may still be to something else than a person, as with
                // `Provenance.target`; `participant.actor` is optional in a required element.
                let patient_only = naming.iter().copied().filter(is_required).any(|name| {
                    let member = fhir::definitions::shape(kind).unwrap().member(name).unwrap();
                    member.kind.targets == ["Patient"]
                });
                assert!(!patient_only, "{kind}, {category}");
            }
        }
    }
}

#[test]
fn the_elements_that_say_whom_and_when_exist() {
    for kind in types() {
        assert!(resource_kind(kind).is_some(), "{kind}");
        let Elements { subjects, participants, happened, .. } = elements(kind);
        let most = elements("");
        let own = |paths: &'static Vec<String>, common: &'static Vec<String>| {
            paths.iter().filter(move |_| paths != common)
        };
        let paths = own(subjects, &most.subjects)
            .chain(own(participants, &most.participants))
            .chain(own(happened, &most.happened));
        for path in paths {
            assert!(leads(kind, path), "{kind}.{path}");
        }
    }
}

#[test]
fn every_patient_compartment_type_can_name_its_patient() {
    // Types whose patient HL7's compartment finds in elements that say who did something, or that
    // are kept as about nobody here.
    let else_named = ["Group", "Schedule"];
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/published/node_modules/hl7.fhir.r4.examples/CompartmentDefinition-patient.json"
    );
    let Ok(text) = std::fs::read(file) else {
        eprintln!("skipped: {file} is not there");
        return;
    };
    let compartment = fhir::json::parse(&text).unwrap();
    let mut seen = 0;
    for row in compartment.items("resource") {
        let kind = row.text("code").unwrap();
        if row.items("param").is_empty() || else_named.contains(&kind) {
            continue;
        }
        seen += 1;
        assert!(Catalogue::get().is_personal(kind), "{kind}");
        assert!(kind == "Patient" || !naming(kind).is_empty(), "{kind}");
    }
    assert!(seen > 60, "{seen}");
}

/// A resource of an element's category, with what names the element.
fn of_element(element: &Element, named: &str) -> (&'static str, fhir::value::Value) {
    let category = Catalogue::get().category(&element.category).unwrap();
    let kind = element.shape.as_deref().unwrap();
    let shape = category.shapes.iter().find(|shape| shape.kind == kind).unwrap();
    let narrowed = shape.category.as_deref().map_or_else(String::new, |code| {
        format!(r#","category":[{{"coding":[{{"code":"{code}"}}]}}]"#)
    });
    let text = format!(r#"{{"resourceType":"{kind}"{narrowed},{named}}}"#);
    (&shape.kind, fhir::json::parse(text.as_bytes()).unwrap())
}

#[test]
fn every_element_that_is_carried_is_named_by_its_key_and_by_its_codes() {
    let mut carried = 0;
    for element in Catalogue::get().elements.iter().filter(|it| it.shape.is_some()) {
        let tag = format!(
            r#""meta":{{"tag":[{{"system":"{ELEMENT_SYSTEM}","code":"{}"}}]}}"#,
            element.key
        );
        let coded = element.codes.iter().map(|it| {
            let coding = format!(r#"{{"system":"{}","code":"{}"}}"#, it.system, it.code);
            format!(r#""code":{{"coding":[{coding}]}}"#)
        });
        for named in std::iter::once(tag).chain(coded) {
            let (kind, value) = of_element(element, &named);
            let category = naming::category(kind, &value).unwrap();
            assert_eq!(category.key, element.category, "{}", element.key);
            let found = naming::element(category, kind, &value).map(|it| it.key.as_str());
            assert_eq!(found, Some(element.key.as_str()));
        }
        carried += 1;
    }
    assert!(carried > 90, "{carried}");
}
