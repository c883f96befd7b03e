//! The answers to `$expand`, `$validate-code`, `$lookup`, `$subsumes` and `$translate`, on small code
//! systems of our own.

use animals::{ALL, ANIMALS, SNOMED, listed, set, url, with};
use expect_test::{Expect, expect};
use fhir::issue::Issue;
use fhir::json;
use fhir::terminology::Set;
use fhir::terminology::answer::Asked;
use fhir::terminology::expand::Expand;
use fhir::terminology::map::Translate;
use fhir::value::Value;

mod animals;

/// A parameter on one line: `name=value`, or `name(parts)`.
fn line(parameter: &Value) -> String {
    let name = parameter.text("name").unwrap_or_default();
    let parts = parameter.items("part");
    if parts.is_empty() {
        let members = parameter.as_object().into_iter().flat_map(|members| members.iter());
        let value = members.filter(|(member, _)| member.starts_with("value"));
        let value: String = value.map(|(_, value)| json::print(value)).collect();
        return format!("{name}={value}");
    }
    format!("{name}({})", parts.iter().map(line).collect::<Vec<_>>().join(" "))
}

fn shown(parameters: Result<Value, Issue>) -> String {
    match parameters {
        Ok(value) => {
            let lines: Vec<String> = value.items("parameter").iter().map(line).collect();
            lines.join(" ") + "\n"
        }
        Err(issue) => format!("{}: {}\n", issue.code.as_str(), issue.message),
    }
}

fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}

#[test]
fn the_hierarchy_is_walked_both_ways() {
    let animals = with(&[]);
    assert_eq!(animals.descendants(ANIMALS, "mammal").unwrap(), ["mammal", "dog", "poodle", "bat"]);
    assert_eq!(animals.ancestors(ANIMALS, "bat").unwrap(), ["mammal", "bat", "flyer"]);
    assert!(animals.descendants(ANIMALS, "cat").unwrap().is_empty());
    let mut report = String::new();
    for (a, b) in [("dog", "poodle"), ("bat", "flyer"), ("dog", "dog"), ("dog", "bat")] {
        report.push_str(&format!("{a} {b} {}", shown(animals.subsumes(ANIMALS, a, b))));
    }
    report.push_str(&shown(animals.subsumes(ANIMALS, "dog", "cat")));
    check(
        &report,
        expect![[r#"
            dog poodle outcome="subsumes"
            bat flyer outcome="subsumed-by"
            dog dog outcome="equivalent"
            dog bat outcome="not-subsumed"
            not-found: the code is not in the code system as it is known here
        "#]],
    );
}

#[test]
fn a_map_hands_on_what_it_does_not_list() {
    let map = |name: &str, unmapped: Value| {
        fhir::json!({
            "resourceType": "ConceptMap",
            "url": format!("https://example.org/{name}"),
            "group": [{ "source": ANIMALS, "target": "urn:other", "unmapped": unmapped }],
        })
    };
    let on =
        |to: &str| fhir::json!({ "mode": "other-map", "url": format!("https://example.org/{to}") });
    let same = fhir::json!({ "mode": "provided" });
    let maps = with(&[map("a", on("b")), map("b", same), map("round", on("round"))]);
    let ask = |map| {
        let asked =
            Translate { map: Some(map), system: ANIMALS, code: "dog", ..Translate::default() };
        shown(maps.translate(&asked))
    };
    check(
        &ask("https://example.org/a"),
        expect![[r#"
            result=true match(equivalence="equal" concept={"system":"urn:other","code":"dog"} source="https://example.org/b")
        "#]],
    );
    check(
        &ask("https://example.org/round"),
        expect![[r#"
            result=false message="the concept maps that are here have no match for this code"
        "#]],
    );
}

#[test]
fn an_expansion_is_filtered_and_paged() {
    let animals = with(&[set("all", fhir::json!([{ "system": ANIMALS }]), None)]);
    let ask = |asked: Expand| animals.expand(Set::Url(&url("all")), &asked);
    assert_eq!(listed(ask(ALL)), "dog poodle bat flyer dodo");
    assert_eq!(listed(ask(Expand { filter: Some("hun"), ..ALL })), "dog", "by designation");
    assert_eq!(listed(ask(Expand { filter: Some("D o"), ..ALL })), "");
    assert_eq!(listed(ask(Expand { offset: 1, count: Some(2), ..ALL })), "poodle bat");
    assert_eq!(listed(ask(Expand { active_only: true, ..ALL })), "dog poodle bat flyer");
    let page = ask(Expand { offset: 4, count: Some(9), ..ALL }).unwrap();
    check(
        &json::pretty(&page),
        expect![[r#"
        {
          "resourceType": "ValueSet",
          "url": "https://example.org/set/all",
          "status": "active",
          "expansion": {
            "timestamp": "1970-01-01T00:00:00Z",
            "total": 5,
            "offset": 4,
            "parameter": [
              {
                "name": "excludeNested",
                "valueBoolean": true
              },
              {
                "name": "count",
                "valueInteger": 9
              }
            ],
            "contains": [
              {
                "system": "https://example.org/animals",
                "inactive": true,
                "code": "dodo",
                "display": "Dodo"
              }
            ]
          }
        }"#]],
    );
    let resource = fhir::resource::Resource::from_value(page).unwrap();
    assert!(fhir::check::check(&resource).is_empty());
}

#[test]
fn codes_and_their_displays_are_judged() {
    let animals = with(&[set("all", fhir::json!([{ "system": ANIMALS }]), None)]);
    let dog = Asked { system: Some(ANIMALS), code: "dog", ..Asked::default() };
    let set = Set::Url("https://example.org/set/all");
    let mut report = String::new();
    for asked in [
        dog,
        Asked { display: Some("  hund"), ..dog },
        Asked { display: Some("Cat"), ..dog },
        Asked { version: Some("1"), ..dog },
        Asked { system: None, ..dog },
        Asked { code: "mammal", ..dog },
        Asked { code: "dodo", ..dog },
        Asked { system: Some(SNOMED), ..dog },
    ] {
        report.push_str("set: ");
        report.push_str(&shown(animals.validate_in_set(set, &asked)));
        report.push_str("system: ");
        report.push_str(&shown(animals.validate_in_system(&asked)));
    }
    check(
        &report,
        expect![[r#"
            set: result=true display="Dog"
            system: result=true display="Dog"
            set: result=true display="Dog"
            system: result=true display="Dog"
            set: result=false message="the display is not one of this code's" display="Dog"
            system: result=false message="the display is not one of this code's" display="Dog"
            set: result=false message="another version of the code system is known here" display="Dog"
            system: result=false message="another version of the code system is known here"
            set: result=true display="Dog"
            system: not-found: the code system is not known here: ask a terminology server that has it
            set: result=false message="the code is not in the value set"
            system: result=true display="Mammal"
            set: result=true message="the code is out of use" display="Dodo"
            system: result=true message="the code is out of use" display="Dodo"
            set: result=false message="the code is not in the value set"
            system: not-found: the code system is not known here: ask a terminology server that has it
        "#]],
    );
}

#[test]
fn a_code_is_looked_up() {
    let animals = with(&[]);
    let mut report = shown(animals.lookup(ANIMALS, "dog"));
    report.push_str(&shown(animals.lookup(ANIMALS, "cat")));
    report.push_str(&shown(animals.lookup(SNOMED, "1")));
    report.push_str(&shown(
        animals.lookup("http://terminology.hl7.org/CodeSystem/v3-ActReason", "TREAT"),
    ));
    check(
        &report,
        expect![[r#"
            name="Animals" version="2" display="Dog" designation(language="nb" value="Hund") property(code="parent" value="mammal" description="Mammal") property(code="child" value="poodle" description="Poodle") property(code="legs" value=4)
            not-found: the code is not in the code system as it is known here
            not-found: the code system is not known here: ask a terminology server that has it
            name="v3.ActReason" version="2018-08-12" display="treatment" property(code="parent" value="PurposeOfUse" description="purpose of use") property(code="child" value="CLINTRL" description="clinical trial") property(code="child" value="COC" description="coordination of care") property(code="child" value="ETREAT" description="Emergency Treatment") property(code="child" value="POPHLTH" description="population health")
        "#]],
    );
}

#[test]
fn codes_are_translated_both_ways() {
    let element = |code: &str, equivalence: &str, target: Option<&str>| {
        let target = fhir::json!([{ "equivalence": equivalence, "code": target }]);
        fhir::json!({ "code": code, "target": target })
    };
    let map = fhir::json!({
        "resourceType": "ConceptMap",
        "url": "https://example.org/map",
        "status": "active",
        "group": [{
            "source": ANIMALS,
            "target": "https://example.org/pets",
            "element": [element("dog", "wider", Some("pet")), element("dodo", "unmatched", None)],
            "unmapped": { "mode": "fixed", "code": "other" },
        }],
    });
    let animals = with(&[map]);
    let asked = Translate { system: ANIMALS, code: "dog", ..Translate::default() };
    let back = Translate {
        system: "https://example.org/pets",
        code: "pet",
        reverse: true,
        ..Translate::default()
    };
    let gender = Translate {
        system: "http://hl7.org/fhir/administrative-gender",
        code: "other",
        target_system: Some("http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender"),
        ..Translate::default()
    };
    let mut report = String::new();
    for asked in [
        asked,
        Translate { code: "dodo", ..asked },
        Translate { code: "bat", ..asked },
        Translate { target_system: Some(SNOMED), ..asked },
        Translate { map: Some("https://example.org/none"), ..asked },
        Translate { system: "https://example.org/stones", ..asked },
        back,
        gender,
    ] {
        report.push_str(&format!("{}: ", asked.code));
        report.push_str(&shown(animals.translate(&asked)));
    }
    check(
        &report,
        expect![[r#"
            dog: result=true match(equivalence="wider" concept={"system":"https://example.org/pets","code":"pet"} source="https://example.org/map")
            dodo: result=false message="the concept maps that are here have no match for this code" match(equivalence="unmatched" source="https://example.org/map")
            bat: result=true match(equivalence="inexact" concept={"system":"https://example.org/pets","code":"other"} source="https://example.org/map")
            dog: result=false message="the concept maps that are here have no match for this code"
            dog: not-found: no such concept map is here
            dog: not-found: no concept map that is here is about this code system: name another system, or the map
            pet: result=true match(equivalence="narrower" concept={"system":"https://example.org/animals","code":"dog","display":"Dog"} source="https://example.org/map")
            other: result=true match(equivalence="wider" concept={"system":"http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender","code":"UN","display":"Undifferentiated"} source="http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3")
        "#]],
    );
}
