//! Which codes a value set holds, what is known and what is not, on small code systems of our own.

use animals::{ALL, ANIMALS, SNOMED, animals, listed, set, url, with};
use expect_test::{Expect, expect};
use fhir::terminology::{Set, Terminology};
use fhir::value::Value;
use proptest::prelude::*;
use std::collections::BTreeSet;

mod animals;

fn filtered(name: &str, property: &str, op: &str, value: &str) -> Value {
    let filter = fhir::json!({ "property": property, "op": op, "value": value });
    set(name, fhir::json!([{ "system": ANIMALS, "filter": [filter] }]), None)
}

fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}

#[test]
fn filters_choose_by_hierarchy_and_property() {
    let filters = [
        ("is-a", "concept", "mammal"),
        ("is-a", "concept", "flyer"),
        ("descendent-of", "concept", "dog"),
        ("is-not-a", "concept", "mammal"),
        ("generalizes", "concept", "bat"),
        ("=", "legs", "4"),
        ("in", "code", "dog, bat,cat"),
        ("not-in", "legs", "4"),
        ("exists", "legs", "true"),
        ("exists", "legs", "false"),
        ("regex", "code", "d.*"),
        ("=", "wings", "2"),
        ("is-a", "concept", "fish"),
    ];
    let mut report = String::new();
    for (op, property, value) in filters {
        let animals = with(&[filtered("s", property, op, value)]);
        let found = listed(animals.expand(Set::Url(&url("s")), &ALL));
        report.push_str(&format!("{property} {op} {value}: {found}\n"));
    }
    check(
        &report,
        expect![[r#"
        concept is-a mammal: dog poodle bat
        concept is-a flyer: bat flyer dodo
        concept descendent-of dog: poodle
        concept is-not-a mammal: flyer dodo
        concept generalizes bat: bat flyer
        legs = 4: dog
        code in dog, bat,cat: dog bat
        legs not-in 4: poodle bat flyer dodo
        legs exists true: dog bat
        legs exists false: poodle flyer dodo
        code regex d.*: not-supported ValueSet.compose.include[0]: the value set has a filter that cannot be evaluated here: its operator, property or code is not known
        wings = 2: not-supported ValueSet.compose.include[0]: the value set has a filter that cannot be evaluated here: its operator, property or code is not known
        concept is-a fish: not-supported ValueSet.compose.include[0]: the value set has a filter that cannot be evaluated here: its operator, property or code is not known
    "#]],
    );
}

#[test]
fn parts_are_united_cut_and_taken_away() {
    let whole = || fhir::json!([{ "system": ANIMALS }]);
    let listing = |codes: &[&str]| -> Value {
        let concepts: Value = codes.iter().map(|code| fhir::json!({ "code": *code })).collect();
        fhir::json!([{ "system": ANIMALS, "concept": concepts }])
    };
    let inner = fhir::json!([{ "system": ANIMALS, "code": "dog" }]);
    let outer =
        fhir::json!({ "abstract": true, "system": ANIMALS, "code": "mammal", "contains": inner });
    let expanded = fhir::json!({
        "resourceType": "ValueSet",
        "url": url("expanded"),
        "expansion": { "contains": [outer, { "system": SNOMED, "code": "1" }] },
    });
    let animals = with(&[
        filtered("mammals", "concept", "is-a", "mammal"),
        filtered("flyers", "concept", "is-a", "flyer"),
        set("both", fhir::json!([{ "valueSet": [url("mammals"), url("flyers")] }]), None),
        set("not", whole(), Some(fhir::json!([{ "valueSet": [url("flyers")] }]))),
        set("listed", listing(&["mammal", "dog"]), None),
        set("mixed", fhir::json!([{ "valueSet": [url("circle")] }, { "system": ANIMALS }]), None),
        set("circle", fhir::json!([{ "valueSet": [url("mixed")] }]), None),
        set("old", fhir::json!([{ "system": ANIMALS, "version": "1" }]), None),
        expanded,
    ]);
    let mut report = String::new();
    for name in ["mammals", "flyers", "both", "not", "listed", "mixed", "circle", "old", "expanded"]
    {
        let found = listed(animals.expand(Set::Url(&url(name)), &ALL));
        report.push_str(&format!("{name}: {found}\n"));
    }
    check(
        &report,
        expect![[r#"
            mammals: dog poodle bat
            flyers: bat flyer dodo
            both: bat
            not: dog poodle
            listed: mammal dog
            mixed: not-supported ValueSet.compose.include[0]: the value set draws on another that is not known here, or on itself
            circle: not-supported ValueSet.compose.include[0]: the value set draws on another that is not known here, or on itself
            old: not-supported ValueSet.compose.include[0]: the value set takes codes from a code system, or a version of one, that is not known here: ask a terminology server that has it
            expanded: dog 1
        "#]],
    );
}

#[test]
fn what_is_not_known_is_not_called_wrong() {
    let disorders = fhir::json!([{ "property": "concept", "op": "is-a", "value": "64572001" }]);
    let mixed = fhir::json!([
        { "system": SNOMED, "filter": disorders },
        { "system": SNOMED, "concept": [{ "code": "386661006" }] },
        { "system": ANIMALS },
    ]);
    let animals = with(&[set("mixed", mixed, None)]);
    let has = |system, code| animals.contains(&url("mixed"), Some(system), code);
    assert_eq!(has(SNOMED, "386661006"), Some(true), "listed");
    assert_eq!(has(SNOMED, "22298006"), None, "SNOMED CT is not here");
    assert_eq!(has(ANIMALS, "dog"), Some(true));
    assert_eq!(has(ANIMALS, "cat"), Some(false));
    assert_eq!(has("https://example.org/other", "dog"), Some(false));
    assert_eq!(animals.contains(&url("mixed"), None, "dog"), Some(true));
    assert_eq!(animals.contains(&url("mixed"), None, "cat"), None);
    assert_eq!(animals.contains(&url("nowhere"), None, "dog"), None);
    assert_eq!(animals.codes_of(&url("mixed")), None);
    assert_eq!(animals.descendants(SNOMED, "64572001"), None);
    assert_eq!(animals.has_code(SNOMED, "64572001"), None);
    assert_eq!(animals.has_code(ANIMALS, "cat"), Some(false));
    let service = "http://terminology.hl7.org/CodeSystem/service-type";
    assert_eq!(animals.has_code(service, "no such example"), None, "only examples are published");
}

#[test]
fn hierarchies_with_a_circle_end() {
    let circle = |code: &str, parent: &str| {
        let above = fhir::json!([{ "code": "parent", "valueCode": parent }]);
        fhir::json!({ "code": code, "property": above })
    };
    let system = fhir::json!({
        "resourceType": "CodeSystem",
        "url": "https://example.org/circle",
        "status": "active",
        "content": "complete",
        "concept": [circle("a", "b"), circle("b", "a"), circle("c", "c")],
    });
    let circles = Terminology::base().extended(&[system]).unwrap();
    assert_eq!(circles.descendants("https://example.org/circle", "a").unwrap(), ["a", "b"]);
    assert_eq!(circles.ancestors("https://example.org/circle", "c").unwrap(), ["c"]);
}

#[test]
fn a_hierarchy_that_only_groups_says_nothing_of_kinds() {
    let mut grouped = animals();
    grouped.as_object_mut().unwrap().set("hierarchyMeaning", "grouped-by");
    let grouped = Terminology::base().extended(&[grouped]).unwrap();
    assert_eq!(grouped.descendants(ANIMALS, "mammal").unwrap(), ["mammal"]);
}

#[test]
fn a_set_made_to_be_costly_is_given_up() {
    let whole = "http://dicom.nema.org/resources/ontology/DCM";
    let filter = |_| fhir::json!({ "property": "concept", "op": "is-not-a", "value": "AR" });
    let filters: Value = (0..500).map(filter).collect();
    let part = |_| fhir::json!({ "system": whole, "filter": filters.clone() });
    let parts = |count: usize| -> Value { (0..count).map(part).collect() };
    let animals = with(&[
        set("a", parts(500), None),
        set("b", fhir::json!([{ "valueSet": [url("a")] }, { "valueSet": [url("a")] }]), None),
    ]);
    for name in ["a", "b"] {
        let found = listed(animals.expand(Set::Url(&url(name)), &ALL));
        assert!(found.starts_with("too-costly ValueSet.compose.include["), "{found}");
        assert_eq!(animals.contains(&url(name), None, "no such code"), None);
    }
    let issues = Terminology::base().extended(&[set("c", parts(1001), None)]).unwrap_err();
    assert_eq!(issues[0].code.as_str(), "too-costly");
    let many = |number| fhir::json!({ "system": format!("urn:unknown:{number}") });
    let unknown: Value = (0..900).map(many).collect();
    let animals = with(&[set("d", unknown, None)]);
    assert_eq!(animals.contains(&url("d"), Some("urn:unknown:899"), "x"), None);
}

#[test]
fn case_counts_only_where_the_system_says_so() {
    let all = set("all", fhir::json!([{ "system": ANIMALS }]), None);
    let mut loose = animals();
    loose.as_object_mut().unwrap().set("caseSensitive", false);
    let loose = Terminology::base().extended(&[loose, all.clone()]).unwrap();
    let strict = with(&[all]);
    for (animals, held) in [(&loose, true), (&strict, false)] {
        assert_eq!(animals.contains(&url("all"), Some(ANIMALS), "DOG"), Some(held));
        assert_eq!(animals.contains(&url("all"), Some(SNOMED), "DOG"), Some(false));
        assert_eq!(animals.has_code(ANIMALS, "Dog"), Some(held));
        assert_eq!(animals.descendants(ANIMALS, "Dog").unwrap().is_empty(), !held);
    }
}

#[test]
fn faulty_resources_are_refused_with_their_place() {
    let twice = fhir::json!([{ "code": "a" }, { "code": "b", "concept": [{ "code": "a" }] }]);
    let empty = fhir::json!([{ "filter": [{ "property": "a", "op": "=", "value": "b" }] }]);
    let faults = [
        fhir::json!({ "resourceType": "CodeSystem", "content": "complete" }),
        fhir::json!({ "resourceType": "CodeSystem", "url": "urn:a" }),
        fhir::json!({
            "resourceType": "CodeSystem", "url": "urn:a", "content": "complete", "concept": twice,
        }),
        set("s", empty, None),
        fhir::json!({ "resourceType": "ValueSet", "url": "urn:a" }),
        fhir::json!({ "resourceType": "Patient", "url": "urn:a" }),
    ];
    let issues = Terminology::base().extended(&faults).unwrap_err();
    let lines = issues.iter().map(|it| format!("{}: {}\n", it.location, it.message));
    check(
        &lines.collect::<String>(),
        expect![[r#"
        CodeSystem.url: without a URL nothing can refer to it: give it one
        CodeSystem.content: say how much of the code system is here, such as `complete`
        CodeSystem.concept[1].concept[0].code: the code is twice in the code system
        ValueSet.compose.include[0]: name a code system or a value set to take codes from
        ValueSet.compose: without `compose` or codes in `expansion` nothing is in it
        : neither `CodeSystem`, `ValueSet` nor `ConceptMap`
    "#]],
    );
}

#[test]
fn nobody_redefines_r4() {
    let gender = "http://hl7.org/fhir/administrative-gender";
    let other = fhir::json!({
        "resourceType": "CodeSystem",
        "url": gender,
        "content": "complete",
        "concept": [{ "code": "x" }],
    });
    let extended = Terminology::base().extended(&[other]).unwrap();
    assert_eq!(extended.has_code(gender, "x"), Some(false));
    assert_eq!(extended.has_code(gender, "female"), Some(true));
}

/// A value set of some parts over a small tree of codes: each part lists codes, filters, or takes all.
fn any_set() -> impl Strategy<Value = Value> {
    let code = prop::sample::select(vec!["mammal", "dog", "poodle", "bat", "flyer", "dodo"]);
    let part = prop_oneof![
        Just(fhir::json!({ "system": ANIMALS })),
        Just(fhir::json!({ "system": SNOMED })),
        prop::collection::vec(code.clone(), 1..4).prop_map(|codes| {
            let concepts: Value = codes.into_iter().map(|it| fhir::json!({ "code": it })).collect();
            fhir::json!({ "system": ANIMALS, "concept": concepts })
        }),
        (code, prop::sample::select(vec!["is-a", "descendent-of", "is-not-a", "generalizes"]))
            .prop_map(|(code, op)| {
                let filter = fhir::json!({ "property": "concept", "op": op, "value": code });
                fhir::json!({ "system": ANIMALS, "filter": [filter] })
            }),
    ];
    let parts = |least| prop::collection::vec(part.clone(), least..4);
    (parts(1), parts(0))
        .prop_map(|(include, exclude)| set("any", include.into(), Some(exclude.into())))
}

proptest! {
    #[test]
    fn what_is_expanded_is_contained_and_the_other_way(resource in any_set()) {
        let animals = with(std::slice::from_ref(&resource));
        let url = url("any");
        let all = ["mammal", "dog", "poodle", "bat", "flyer", "dodo"];
        let held: BTreeSet<&str> = all
            .into_iter()
            .filter(|code| animals.contains(&url, Some(ANIMALS), code) == Some(true))
            .collect();
        if let Ok(expansion) = animals.expand(Set::Url(&url), &ALL) {
            let items = expansion.get("expansion").unwrap().items("contains").to_vec();
            let codes: Vec<&str> = items.iter().filter_map(|item| item.text("code")).collect();
            prop_assert_eq!(codes.len(), codes.iter().collect::<BTreeSet<_>>().len());
            prop_assert_eq!(codes.into_iter().collect::<BTreeSet<_>>(), held);
        } else {
            prop_assert!(animals.codes_of(&url).is_none());
        }
        let inline = listed(animals.expand(Set::Resource(&resource), &ALL));
        prop_assert_eq!(inline, listed(animals.expand(Set::Url(&url), &ALL)));
    }

    #[test]
    fn base_sets_contain_what_they_expand_to(index in any::<prop::sample::Index>()) {
        let base = Terminology::base();
        let sets = base.value_sets();
        let url = sets[index.index(sets.len())];
        let codes = base.codes(url).unwrap();
        for member in codes.members() {
            let held = base.contains(url, Some(&member.system), &member.code);
            prop_assert_eq!(held, Some(true), "{} {}", url, member.code);
        }
        let other = base.contains(url, Some("https://example.org/none"), "x");
        prop_assert!(other != Some(true));
    }
}
