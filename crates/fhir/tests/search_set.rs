//! Sets of parameters, compartments, order, words and places.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::expect;
use fhir::json;
use fhir::query::{Condition, Query, Scope, Target};
use fhir::resource::Resource;
use fhir::search::set::{FIRST_ADDED, Parameters};
use fhir::search::sort::{self, SortKey};
use fhir::search::text::{self, Part};
use fhir::search::{self, IndexValue, ParamKind};
use fhir::value::Value;
use fhir::{compartment, definitions};
use proptest::prelude::*;

#[path = "search/show.rs"]
mod show;

fn resource(value: Value) -> Resource {
    Resource::from_value(value).unwrap()
}

fn parameter(code: &str, kind: &str, base: &[&str], expression: &str) -> Resource {
    let base: Vec<Value> = base.iter().map(|base| Value::from(*base)).collect();
    resource(json!({
        "resourceType": "SearchParameter", "code": code, "type": kind, "base": base,
        "expression": expression,
    }))
}

fn pair(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[test]
fn an_added_parameter_is_indexed_and_searched() {
    let mut own = Parameters::r4().clone();
    let nurse = parameter(
        "note-text",
        "string",
        &["Observation", "Condition"],
        "Observation.note.text | Condition.note.text",
    );
    own.add(&nurse, FIRST_ADDED).unwrap();
    let observation = resource(json!({
        "resourceType": "Observation", "status": "final", "note": [{ "text": "Målt sittende" }],
    }));
    let added = own.get("Observation", "note-text").unwrap();
    let values = own.values(added, &observation);
    assert_eq!(
        values.iter().map(show::value).collect::<Vec<_>>(),
        ["text målt sittende (Målt sittende)"]
    );
    let indexed = own.index(&observation);
    assert_eq!(indexed.iter().filter(|entry| entry.index_id == FIRST_ADDED).count(), 1);
    assert!(search::index(&observation).iter().all(|entry| entry.index_id < FIRST_ADDED));
    let query = Query::read(&own, Scope::Type("Condition"), &pair("note-text", "x")).unwrap();
    assert!(
        matches!(&query.filters[0].on, Target::Parameter(known) if known.index_id == FIRST_ADDED)
    );
    let query = Query::parse("Condition", &pair("note-text", "x")).unwrap();
    assert_eq!(query.unsupported.len(), 1, "the standard set does not know it");
    // The same code again takes its place.
    let other = parameter("note-text", "string", &["Observation"], "Observation.status");
    own.add(&other, FIRST_ADDED + 1).unwrap();
    let codes = own.of("Observation").iter().filter(|known| known.code == "note-text");
    assert_eq!(codes.map(|known| known.index_id).collect::<Vec<_>>(), [FIRST_ADDED + 1]);
    assert!(own.of("Observation").is_sorted_by_key(|known| known.code.clone()));
}

#[test]
fn an_added_parameter_may_be_any_expression() {
    let mut own = Parameters::r4().clone();
    let mut values = |kind: &str, expression: &str| {
        let added = parameter("x", kind, &["Patient"], expression);
        own.add(&added, FIRST_ADDED).unwrap();
        let decimal = fhir::value::Number::parse("2.50").unwrap();
        let patient = resource(json!({
            "resourceType": "Patient", "gender": "female", "birthDate": "1946-09-28",
            "name": [
                { "use": "old", "family": "Berg" },
                { "use": "official", "family": "Lund", "given": ["Kari", "Anne"] },
            ],
            "extension": [{ "url": "urn:x", "valueDecimal": decimal }],
        }));
        let values = own.values(own.get("Patient", "x").unwrap(), &patient);
        values.iter().map(|value| show::value(value) + "\n").collect::<String>()
    };
    let lines = [
        values("token", "Patient.gender.upper()"),
        values("token", "Patient.deceased.exists().not()"),
        values("string", "Patient.name.where(use = 'official').given.first()"),
        values("string", "Patient.name.select(given.first() & ' ' & family)"),
        values("number", "Patient.name.count()"),
        values("number", "Patient.extension('urn:x').value.ofType(decimal) * 2"),
        values("date", "Patient.birthDate | Person.birthDate"),
        values("date", "Patient.birthDate + 18 years"),
        values("string", "Patient.name.family.single()"),
    ];
    expect![[r#"
        token |FEMALE
        token |true
        text kari (Kari)
        text berg ( Berg)
        text kari lund (Kari Lund)
        number 2
        number 5
        date 1946-09-27T22:00:00.000Z .. 1946-09-28T22:00:00.000Z
        date 1964-09-27T23:00:00.000Z .. 1964-09-28T23:00:00.000Z
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn each_standard_parameter_could_have_been_added() {
    let mut own = Parameters::r4().clone();
    for kind in definitions::resource_kinds() {
        for known in search::parameters(kind) {
            if known.kind == ParamKind::Composite || known.kind == ParamKind::Special {
                continue;
            }
            let text = known.expression.as_str();
            let added = parameter(&known.code, known.kind.as_str(), &[kind], text);
            own.add(&added, FIRST_ADDED).unwrap_or_else(|issue| panic!("{kind} {text}: {issue:?}"));
        }
    }
}

#[test]
fn an_added_composite_and_one_of_every_type() {
    let mut own = Parameters::r4().clone();
    let mut composite = json!({
        "resourceType": "SearchParameter", "code": "code-status", "type": "composite",
        "base": ["Observation"], "expression": "Observation",
    });
    let component = |code: &str| {
        let url = format!("http://hl7.org/fhir/SearchParameter/Observation-{code}");
        json!({ "definition": url, "expression": code })
    };
    let parts = Value::from(vec![component("status"), component("category")]);
    composite.as_object_mut().unwrap().set("component", parts);
    own.add(&resource(composite), FIRST_ADDED).unwrap();
    let language = parameter("lang", "token", &["Resource"], "Resource.language");
    own.add(&language, FIRST_ADDED + 1).unwrap();
    let observation = resource(json!({
        "resourceType": "Observation", "status": "final", "language": "nb",
        "category": [{ "coding": [{ "code": "a" }] }, { "coding": [{ "code": "b" }] }],
    }));
    let indexed = own.index(&observation);
    let added = indexed.iter().filter(|entry| entry.index_id >= FIRST_ADDED);
    let shown: Vec<_> = added.map(|entry| show::value(&entry.value)).collect();
    assert_eq!(shown, ["[token |final] with [token |a or token |b]", "token |nb"]);
    assert!(definitions::resource_kinds().iter().all(|kind| own.get(kind, "lang").is_some()));
}

#[test]
fn what_cannot_be_added_is_refused_by_place() {
    let mut own = Parameters::r4().clone();
    let mut refused = |resource: Resource, id: u16| {
        let issue = own.add(&resource, id).unwrap_err();
        format!("{}: {}\n", issue.location, issue.message)
    };
    let of = |code, kind, base: &[&str], path| parameter(code, kind, base, path);
    let lines = [
        refused(of("x", "token", &["Patient"], "Patient.gender"), 7),
        refused(resource(json!({ "resourceType": "Patient" })), FIRST_ADDED),
        refused(of("x:y", "token", &["Patient"], "Patient.gender"), FIRST_ADDED),
        refused(of("x", "special", &["Patient"], "Patient.gender"), FIRST_ADDED),
        refused(of("x", "token", &["Pasient"], "Patient.gender"), FIRST_ADDED),
        refused(of("x", "token", &[], "Patient.gender"), FIRST_ADDED),
        refused(of("x", "token", &["Patient"], "Patient.gender.lower("), FIRST_ADDED),
        refused(of("x", "token", &["Patient"], "Patient.sex"), FIRST_ADDED),
        refused(of("x", "date", &["Patient"], "Patient.gender.lower()"), FIRST_ADDED),
        refused(of("x", "token", &["Patient"], "Group.type"), FIRST_ADDED),
        refused(of("x", "composite", &["Patient"], "Patient"), FIRST_ADDED),
    ];
    expect![[r#"
        : only a SearchParameter with an index id of its own can be added
        : only a SearchParameter with an index id of its own can be added
        SearchParameter.code: give a name of letters, digits and `-`
        SearchParameter.type: give one of R4's types but `special`
        SearchParameter.base: name resource types of R4
        SearchParameter.base: name resource types of R4
        SearchParameter.expression: column 22: the expression ends too early
        SearchParameter.expression: there is no element `sex` in Patient
        SearchParameter.expression: name elements of types that a date parameter takes
        SearchParameter.expression: the expression says nothing of Patient
        SearchParameter.component: a composite has two or more
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn addresses_of_the_server_itself_are_local() {
    let own = Parameters::r4().clone().at("https://fkj.example/0301/fhir/");
    let of = |reference: &str| {
        let condition = resource(json!({
            "resourceType": "Condition", "subject": { "reference": reference },
        }));
        let value = own.index(&condition).into_iter().next().unwrap().value;
        let query =
            Query::read(&own, Scope::Type("Condition"), &pair("subject", reference)).unwrap();
        (show::value(&value), query.filters[0].any[0].clone())
    };
    let local = (
        "reference Patient/p1".to_owned(),
        Condition::Reference { kinds: vec!["Patient"], id: "p1".into() },
    );
    assert_eq!(of("Patient/p1"), local);
    assert_eq!(of("Patient/p1/_history/3"), local);
    assert_eq!(of("https://fkj.example/0301/fhir/Patient/p1"), local);
    let uri = "https://epj.example/fhir/Patient/p1";
    let elsewhere = Condition::Uri { uri: uri.into(), below: false };
    assert_eq!(of(uri), (format!("uri {uri}"), elsewhere.clone()));
    assert_eq!(of(&format!("{uri}/_history/2")).1, elsewhere);
}

#[test]
fn compartments() {
    let codes = |of: &str, kind: &str| -> Vec<String> {
        compartment::parameters(of, kind).iter().map(|known| known.code.clone()).collect()
    };
    assert_eq!(codes("Patient", "Observation"), ["subject", "performer"]);
    assert_eq!(codes("Practitioner", "Encounter"), ["practitioner", "participant"]);
    assert!(codes("Patient", "Location").is_empty() && codes("Group", "Patient").is_empty());
    let written = include_str!("../data/compartments.txt");
    let words = written.lines().filter(|line| !line.starts_with(['#', '=']));
    let words: usize = words.map(|line| line.split(' ').count() - 1).sum();
    let mut found = 0;
    let mut report = String::new();
    for of in compartment::KINDS {
        let kinds = compartment::kinds(of);
        assert!(kinds.contains(&of), "the resource itself belongs to it");
        found += kinds.iter().map(|kind| compartment::parameters(of, kind).len()).sum::<usize>();
        report.push_str(&format!("{of}: {} types\n", kinds.len()));
    }
    assert_eq!(found, words, "every parameter of the data is known");
    expect![[r#"
        Device: 33 types
        Encounter: 25 types
        Patient: 66 types
        Practitioner: 59 types
        RelatedPerson: 32 types
    "#]]
    .assert_eq(&report);
}

#[test]
fn every_kind_of_value_orders() {
    let observation = resource(json!({
        "resourceType": "Observation", "status": "final",
        "code": { "coding": [{ "code": "b" }, { "code": "a" }], "text": "Å" },
        "effectivePeriod": { "start": "2026-01-01", "end": "2026-01-02" },
        "valueQuantity": { "value": 5, "system": "http://unitsofmeasure.org", "code": "mg" },
        "subject": { "reference": "Patient/p1" },
    }));
    let entries = search::index(&observation);
    let key = |code: &str, descending| {
        let parameter = search::parameter("Observation", code).unwrap();
        sort::key(&entries, parameter, descending)
    };
    let text = |text: &str| Some(SortKey::Text(text.into()));
    assert_eq!(key("status", false), text("final"));
    assert_eq!(key("code", false), text("a"));
    assert_eq!(key("subject", true), text("Patient/p1"));
    assert_eq!(key("encounter", false), None);
    assert_eq!(key("value-quantity", false), search::number::Real::new(0.005).map(SortKey::Number));
    let (Some(SortKey::Time(first)), Some(SortKey::Time(last))) =
        (key("date", false), key("date", true))
    else {
        panic!("a date orders by its time")
    };
    assert_eq!(last - first, 2 * 24 * 60 * 60 * 1000);
    let mut names = ["åse", "berg", "ørn", "zoe", "ærlig", "aa"];
    names.sort_by_key(|name| sort::alphabetical(name));
    assert_eq!(names, ["aa", "berg", "zoe", "ærlig", "ørn", "åse"]);
}

#[test]
fn words_of_narrative_and_content() {
    let condition = resource(json!({
        "resourceType": "Condition",
        "text": {
            "status": "generated",
            "div": "<div xmlns=\"x\"><!-- a > b --><p>Brudd i <b>hånd</b>ledd &amp; f&#248;tter, t&aring; & &x; &#xzz;</p></div>",
        },
        "code": { "text": "Håndleddsbrudd" },
        "recordedDate": "2026-01-05",
    }));
    let words = |part| text::words(&condition, part).join(" ");
    assert_eq!(words(Part::Narrative), "brudd føtter hånd i ledd tå");
    assert_eq!(
        words(Part::Content),
        "01 05 2026 brudd condition føtter generated hånd håndleddsbrudd i ledd tå"
    );
    assert_eq!(text::split("Brudd, HÅND-ledd").join(" "), "brudd hånd ledd");
}

#[test]
fn near_is_a_distance_along_the_earth() {
    let query = Query::parse("Location", &pair("near", "59.9139|10.7522|310|km")).unwrap();
    let Condition::Near(near) = query.filters[0].any[0] else { panic!("near is a place") };
    // Bergen is some 305 km from Oslo, Trondheim 390.
    assert!(near.holds(60.3913, 5.3221) && !near.holds(63.4305, 10.3951));
    let (south, north) = near.latitudes();
    assert!((57.1..57.2).contains(&south) && (62.6..62.8).contains(&north));
    let query = Query::parse("Location", &pair("near", "0|179.99|5|km")).unwrap();
    let Condition::Near(near) = query.filters[0].any[0] else { panic!("near is a place") };
    assert!(near.holds(0.0, -179.99), "across the date line");
}

#[test]
fn quantities_of_every_sort() {
    let of = |name: &str, value: Value| {
        let condition = resource(json!({ "resourceType": "Condition", (name): value }));
        let values = search::index(&condition).into_iter();
        let values = values.filter(|entry| matches!(entry.value, IndexValue::Quantity(_)));
        values.map(|entry| show::value(&entry.value) + "\n").collect::<String>()
    };
    let age = |value: &str, comparator: Option<&str>| {
        let value = fhir::value::Number::parse(value).unwrap();
        json!({
            "value": value, "comparator": comparator, "unit": "år",
            "system": "http://unitsofmeasure.org", "code": "a",
        })
    };
    let lines = [
        of("onsetAge", age("50.0", None)),
        of("onsetAge", age("50", Some("<"))),
        of("onsetAge", age("50", Some(">="))),
        of("onsetRange", json!({ "low": age("5", None), "high": age("6", None) })),
        of("onsetRange", json!({ "high": age("6", None) })),
        of("onsetRange", json!({ "low": { "value": "x" } })),
        of("onsetAge", json!({ "unit": "a" })),
    ];
    expect![[r#"
        quantity 50 http://unitsofmeasure.org|a (år) = 1577880000 s
        quantity -inf .. 50 http://unitsofmeasure.org|a (år) = -inf .. 1577880000 s
        quantity 50 .. inf http://unitsofmeasure.org|a (år) = 1577880000 .. inf s
        quantity 5 .. 6 http://unitsofmeasure.org|a (år) = 157788000 .. 189345600 s
        quantity -inf .. 6 http://unitsofmeasure.org|a (år) = -inf .. 189345600 s
    "#]]
    .assert_eq(&lines.concat());
}

proptest! {
    #[test]
    fn one_amount_in_two_units_is_one_number(digits in 1_u32..100_000, places in 0_usize..4) {
        let decimal = |text: &str| {
            let number = fhir::value::Number::parse(text).unwrap();
            let observation = resource(json!({
                "resourceType": "Observation",
                "valueQuantity": { "value": number, "system": "http://unitsofmeasure.org", "code": "mg" },
            }));
            search::index(&observation)
        };
        let text = format!("{digits}e-{places}");
        let search = format!("{digits}e-{}|http://unitsofmeasure.org|g", places + 3);
        let query = Query::parse("Observation", &pair("value-quantity", &search)).unwrap();
        let Condition::Quantity { unit: fhir::query::UnitMatch::Canonical { number, unit }, .. } =
            query.filters[0].any[0].clone() else { panic!("grams are of UCUM") };
        let found = decimal(&text).into_iter().find_map(|entry| match entry.value {
            IndexValue::Quantity(of) => of.canonical,
            _ => None,
        }).unwrap();
        prop_assert_eq!(found.unit, unit);
        prop_assert_eq!(found.span.low, number.value);
        prop_assert!(number.low < number.value && number.value < number.high);
    }
}
