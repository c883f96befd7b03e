//! The values that resources are found by.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::fhirpath::Expression;
use fhir::fhirpath::item::Item;
use fhir::fhirpath::model::Kind;
use fhir::fhirpath::scope::Scope;
use fhir::fhirpath::selector::{Selected, Selector};
use fhir::json;
use fhir::resource::Resource;
use fhir::search::{self, fold::fold};
use fhir::value::Value;
use proptest::prelude::*;

mod samples;
#[path = "search/show.rs"]
mod show;

/// Each value with the codes of the parameters that it stands under.
fn index(value: Value, expected: Expect) {
    let resource = Resource::from_value(value).unwrap();
    let mut lines: Vec<String> = search::index(&resource)
        .iter()
        .map(|entry| {
            let codes = search::parameters(resource.kind())
                .iter()
                .filter(|parameter| parameter.index_id == entry.index_id)
                .map(|parameter| parameter.code.as_str());
            format!("{}: {}\n", codes.collect::<Vec<_>>().join(" "), show::value(&entry.value))
        })
        .collect();
    lines.sort();
    expected.assert_eq(&lines.concat());
}

#[test]
fn patient() {
    index(
        samples::patient(),
        expect![[r#"
            _profile: uri http://hl7.no/fhir/StructureDefinition/no-basis-Patient
            active: token |true
            address-city: text ørnes (Ørnes)
            address-postalcode: text 8150 (8150)
            address: text 8150 (8150)
            address: text storgata 1 (Storgata 1)
            address: text ørnes (Ørnes)
            birthdate: date 1946-09-27T22:00:00.000Z .. 1946-09-28T22:00:00.000Z
            deceased: token |false
            email: token |kari@example.org
            family: text lund (Lund)
            gender: token |female
            given: text anne (Anne)
            given: text kari (Kari)
            identifier: token urn:oid:2.16.578.1.12.4.1.4.1|28894698995
            name phonetic: text anne (Anne)
            name phonetic: text kari (Kari)
            name phonetic: text lund (Lund)
            organization: reference Organization/o1
            phone: token |+4790000000
            telecom: token |+4790000000
            telecom: token |kari@example.org
        "#]],
    );
}

#[test]
fn observation() {
    index(
        samples::observation(),
        expect![[r#"
            _profile: uri http://hl7.no/fhir/StructureDefinition/vkp-Observation-Bloodpressure
            _tag: token urn:kommune|0301
            category: token http://terminology.hl7.org/CodeSystem/observation-category|vital-signs
            code: text blodtrykk (Blodtrykk)
            combo-code-value-quantity: [token http://loinc.org|8462-4] with [quantity 81 | (mmHg)]
            combo-code-value-quantity: [token http://loinc.org|8480-6] with [quantity 128 | (mmHg)]
            combo-code: text blodtrykk (Blodtrykk)
            combo-code: token http://loinc.org|8462-4
            combo-code: token http://loinc.org|8480-6
            combo-value-quantity: quantity 128 | (mmHg)
            combo-value-quantity: quantity 81 | (mmHg)
            component-code-value-quantity: [token http://loinc.org|8462-4] with [quantity 81 | (mmHg)]
            component-code-value-quantity: [token http://loinc.org|8480-6] with [quantity 128 | (mmHg)]
            component-code: token http://loinc.org|8462-4
            component-code: token http://loinc.org|8480-6
            component-value-quantity: quantity 128 | (mmHg)
            component-value-quantity: quantity 81 | (mmHg)
            date: date 2026-01-05T09:55:31.000Z .. 2026-01-05T09:55:32.000Z
            patient subject: logical urn:oid:2.16.578.1.12.4.1.4.1|28894698995
            performer: uri https://epj.example/fhir/Practitioner/9
            status: token |final
        "#]],
    );
}

#[test]
fn episode() {
    index(
        samples::episode(),
        expect![[r#"
        date: date 2025-09-30T22:00:00.000Z .. open
        organization: reference Organization/o1
        patient: reference Patient/p1
        status: token |active
        type: token https://finnkode.helsedirektoratet.no/adm/collections/9151|15
    "#]],
    );
}

#[test]
fn service_request() {
    index(
        samples::service_request(),
        expect![[r#"
            authored: date 2025-09-19T22:00:00.000Z .. 2025-09-20T22:00:00.000Z
            code: token urn:tiltak|tilsyn
            intent: token |order
            occurrence: date open .. open
            patient subject: reference Patient/p1
            requester: uri urn:uuid:0190a1b2-0000-7000-8000-000000000001
            status: token |active
        "#]],
    );
}

#[test]
fn organization() {
    index(
        samples::organization(),
        expect![[r#"
        identifier: token urn:oid:2.16.578.1.12.4.1.4.101|999977774
        name: text hjemmetjenesten (Hjemmetjenesten)
        partof: logical urn:oid:2.16.578.1.12.4.1.4.101|312232324
        phonetic: text hjemmetjenesten (Hjemmetjenesten)
    "#]],
    );
}

#[test]
fn bundle() {
    index(
        samples::bundle(),
        expect![[r#"
            composition message: reference Organization/o1
            identifier: token urn:bundle|1
            timestamp: date 2026-01-05T11:00:00.000Z .. 2026-01-05T11:00:01.000Z
            type: token |collection
        "#]],
    );
}

#[test]
fn dates_of_every_form() {
    let of = |name: &str, value: Value| json!({ "resourceType": "Observation", "status": "final", (name): value });
    index(
        of("effectivePeriod", json!({ "start": "2026-01" })),
        expect![[r#"
        date: date 2025-12-31T23:00:00.000Z .. open
        status: token |final
    "#]],
    );
    index(
        of("effectivePeriod", json!({ "end": "2026-01" })),
        expect![[r#"
        date: date open .. 2026-01-31T23:00:00.000Z
        status: token |final
    "#]],
    );
    index(
        of("effectivePeriod", json!({ "start": "bad", "end": "2026-01" })),
        expect![[r#"
        status: token |final
    "#]],
    );
    index(
        of("effectiveInstant", json!("2026-01-01T00:00:00Z")),
        expect![[r#"
        date: date 2026-01-01T00:00:00.000Z .. 2026-01-01T00:00:01.000Z
        status: token |final
    "#]],
    );
    index(
        of("effectiveTiming", json!({ "event": ["2026-01-01"] })),
        expect![[r#"
            date: date 2025-12-31T23:00:00.000Z .. 2026-01-01T23:00:00.000Z
            status: token |final
        "#]],
    );
    index(
        of("valueDateTime", json!("2026")),
        expect![[r#"
        status: token |final
        value-date: date 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z
    "#]],
    );
}

#[test]
fn all_published_parameters_are_there() {
    let kinds = fhir::definitions::resource_kinds();
    let written = include_str!("../data/search.txt");
    let of_every = 4;
    let lines = written.lines().filter(|line| !line.starts_with(['#', '='])).count();
    let all: usize = kinds.iter().map(|kind| search::parameters(kind).len()).sum();
    assert_eq!(all, lines - of_every + of_every * kinds.len());
    expect!["146 types, 1701 lines, 2281 parameters"]
        .assert_eq(&format!("{} types, {lines} lines, {all} parameters", kinds.len()));
    for kind in kinds {
        for parameter in search::parameters(kind) {
            assert!(parameter.index_id <= parameter.id);
            let found = search::parameter(kind, &parameter.code).unwrap();
            assert!(std::ptr::eq(found, parameter));
            for target in &parameter.targets {
                assert!(fhir::definitions::resource_kind(target).is_some(), "{target}");
            }
        }
    }
}

#[test]
fn parameters_with_the_same_paths_share_their_values() {
    let of = |code| search::parameter("Observation", code).unwrap();
    assert_eq!(of("patient").index_id, of("subject").index_id);
    assert_ne!(of("patient").id, of("subject").id);
    assert_eq!(of("patient").targets, ["Patient"]);
    assert_eq!(of("subject").targets, ["Device", "Group", "Location", "Patient"]);
    assert_ne!(of("code").index_id, of("combo-code").index_id);
}

/// What a selector finds from a resource, a line for each value.
fn select(kind: &str, text: &str, resource: &Value) -> Vec<String> {
    let kind = Kind::fhir(kind).unwrap();
    let selector = Selector::new(Expression::parse(text).unwrap(), &[kind]).unwrap();
    selected(&selector, resource)
}

fn selected(selector: &Selector, resource: &Value) -> Vec<String> {
    let resource = Selected::resource(resource);
    let mut lines = Vec::new();
    selector.each(resource, resource, &mut |found| {
        lines.push(format!("{} {}", found.kind.name(), json::print(found.value)));
    });
    lines
}

#[test]
fn expressions() {
    let observation = samples::observation();
    let mut report = String::new();
    for text in [
        "effective",
        "effective.as(Period)",
        "component.value.as(Quantity).value",
        "effective.exists() and effective != false",
        "value.exists() and value != false",
        "component[0].value.as(Quantity).value",
        "component.code.coding[0].code",
        "component.where(id='x').code",
        "component.code.coding.where(code = '8462-4').system",
        "performer.reference",
        "Observation.status | Condition.code",
        "status.upper()",
        "component.value.ofType(Quantity).value.first() + 1",
        "component.count()",
        "(component.value as Quantity).value",
        "%resource.status",
        "component.value.first() * 2",
    ] {
        let found = select("Observation", text, &observation).join(", ");
        report.push_str(&format!("{text}: {found}\n"));
    }
    expect![[r#"
        effective: dateTime "2026-01-05T10:55:31+01:00"
        effective.as(Period): 
        component.value.as(Quantity).value: decimal 128, decimal 81
        effective.exists() and effective != false: Boolean true
        value.exists() and value != false: Boolean false
        component[0].value.as(Quantity).value: decimal 128
        component.code.coding[0].code: code "8480-6"
        component.where(id='x').code: 
        component.code.coding.where(code = '8462-4').system: uri "http://loinc.org"
        performer.reference: string "https://epj.example/fhir/Practitioner/9/_history/2"
        Observation.status | Condition.code: code "final"
        status.upper(): String "FINAL"
        component.value.ofType(Quantity).value.first() + 1: Decimal 129
        component.count(): Integer 2
        (component.value as Quantity).value: decimal 128, decimal 81
        %resource.status: code "final"
        component.value.first() * 2: 
    "#]]
    .assert_eq(&report);
    let kind = Kind::fhir("Observation").unwrap();
    for wrong in ["x", "status.x", "component.first(1)", "", "status.", "Condition.code"] {
        let expression = Expression::parse(wrong).ok();
        let selector = expression.and_then(|it| Selector::new(it, &[kind]).ok());
        assert!(selector.is_none(), "{wrong}");
    }
}

/// The quick way through a parameter's expression finds what evaluation finds.
#[test]
fn plans_agree_with_evaluation() {
    let samples = samples::all();
    let mut compared = 0;
    for resource in &samples {
        for parameter in search::parameters(resource.text("resourceType").unwrap()) {
            let text = parameter.expression.as_str();
            let expression = Expression::parse(text).unwrap();
            let items = expression.evaluate(Item::resource(resource), &Scope::new()).unwrap();
            let evaluated = items.iter().map(|item| match item {
                Item::Node(node) => format!("{} {}", node.kind.name(), json::print(node.value)),
                other => format!("{} {other}", other.kind().name()),
            });
            let mut evaluated: Vec<String> = evaluated.collect();
            let mut found = selected(&parameter.expression, resource);
            evaluated.sort();
            found.sort();
            compared += found.len();
            assert_eq!(found, evaluated, "{text}");
        }
    }
    assert!(compared > 50, "the samples have values: {compared}");
}

#[test]
fn folding() {
    let check = |text, expected: Expect| expected.assert_eq(&fold(text));
    check("  Bjørn   ÅSE\tÆrlig ", expect!["bjørn åse ærlig"]);
    check("Åse A\u{30a}se", expect!["åse åse"]);
    check("Öberg Käll Ko\u{308}ln", expect!["øberg kæll køln"]);
    check("Čáhppe Đuoŋŋá ÉLODIE Müller", expect!["cahppe duonna elodie muller"]);
    check("STRAẞE İstanbul", expect!["strasse istanbul"]);
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
