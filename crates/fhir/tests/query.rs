//! The grammar of a search: values with their modifiers and prefixes.

use expect_test::expect;
use fhir::query::{Condition, Query, SystemMatch, TokenMatch};
use proptest::prelude::*;
use show::{check, show};

#[path = "query/show.rs"]
mod show;

#[test]
fn tokens() {
    check(
        "Observation",
        &[
            "code=85354-9",
            "code=http://loinc.org|85354-9,|x,http://loinc.org|",
            r"code=a\,b\|c\\d,e",
            "status=http://hl7.org/fhir/observation-status|final",
            "status=urn:other|final",
            "status:not=final,amended",
            "code:missing=true",
            "code:text=trykk&code:in=urn:vs&code:Patient=x",
            "code=|",
            "code=a|b|c",
            "code=a,",
            "code:missing=x",
        ],
        expect![[r#"
            code=85354-9
            - code: token <any> <85354-9>
            code=http://loinc.org|85354-9,|x,http://loinc.org|
            - code: token <http://loinc.org> <85354-9> or token <no system> <x> or token <http://loinc.org> <any>
            code=a\,b\|c\\d,e
            - code: token <any> <a,b|c\d> or token <any> <e>
            status=http://hl7.org/fhir/observation-status|final
            - status: token <any> <final>
            status=urn:other|final
            - status: token <urn:other> <final>
            status:not=final,amended
            - status: not token <any> <final> or token <any> <amended>
            code:missing=true
            - code: Missing(true)
            code:text=trykk&code:in=urn:vs&code:Patient=x
            - code: Text { text: "trykk", how: Starts }
            - code: InValueSet("urn:vs")
            - unsupported code:Patient: the modifier is not supported for this parameter
            code=|
            - refused: search parameter `code`: send `code`, `system|code`, `|code` or `system|`
            code=a|b|c
            - refused: search parameter `code`: send `code`, `system|code`, `|code` or `system|`
            code=a,
            - refused: search parameter `code`: an alternative is empty: take the comma away
            code:missing=x
            - refused: search parameter `code:missing`: send `true` or `false` with `:missing`
        "#]],
    );
}

#[test]
fn references() {
    check(
        "Observation",
        &[
            "patient=Patient/p1",
            "patient=p1",
            "subject=p1",
            "subject:Patient=p1",
            "subject=https://x.example/fhir/Device/d1",
            "subject=urn:uuid:0190a1b2-0000-7000-8000-000000000001",
            "patient:identifier=urn:oid:2.16|289",
            "patient.identifier=urn:oid:2.16|289",
            "subject:Patient.identifier=289",
            "patient=Group/g1&subject:Device=Patient/p1&patient=p_1",
            "patient.name=x&patient.organization.name=y&patient:above=x",
        ],
        expect![[r#"
            patient=Patient/p1
            - patient: Reference { kinds: ["Patient"], id: "p1" }
            patient=p1
            - patient: Reference { kinds: ["Patient"], id: "p1" }
            subject=p1
            - subject: Reference { kinds: ["Device", "Group", "Location", "Patient"], id: "p1" }
            subject:Patient=p1
            - subject: Reference { kinds: ["Patient"], id: "p1" }
            subject=https://x.example/fhir/Device/d1
            - subject: Uri { uri: "https://x.example/fhir/Device/d1", below: false }
            subject=urn:uuid:0190a1b2-0000-7000-8000-000000000001
            - subject: Uri { uri: "urn:uuid:0190a1b2-0000-7000-8000-000000000001", below: false }
            patient:identifier=urn:oid:2.16|289
            - patient: logical <urn:oid:2.16> <289> chained=[]
            patient.identifier=urn:oid:2.16|289
            - patient: logical <urn:oid:2.16> <289> chained=["Patient"]
            subject:Patient.identifier=289
            - subject: logical <any> <289> chained=["Patient"]
            patient=Group/g1&subject:Device=Patient/p1&patient=p_1
            - refused: search parameter `patient`: Group cannot stand here: use one of Patient
            - refused: search parameter `subject:Device`: the modifier and the value name different types
            - refused: search parameter `patient`: send `Type/id`, an id or a URL
            patient.name=x&patient.organization.name=y&patient:above=x
            - patient: Patient with (name: Text { text: "x", how: Starts })
            - patient: Patient with (organization: Organization with (name: Text { text: "y", how: Starts }))
            - unsupported patient:above: the modifier is not supported for this parameter
        "#]],
    );
}

#[test]
fn dates() {
    check(
        "Observation",
        &[
            "date=2026-01-05",
            "date=ge2026-01&date=lt2026-02",
            "date=sa2026-01-05T10:00:00Z,eb2025,ap2024,ne2023",
            "_lastUpdated=gt2026-01-05T10:00:00.123Z",
            "date=xx2026&date=gt&date=2026-13&date=2026-01-05T10",
        ],
        expect![[r#"
            date=2026-01-05
            - date: Equal 2026-01-04T23:00:00.000Z .. 2026-01-05T23:00:00.000Z
            date=ge2026-01&date=lt2026-02
            - date: GreaterOrEqual 2025-12-31T23:00:00.000Z .. 2026-01-31T23:00:00.000Z
            - date: Less 2026-01-31T23:00:00.000Z .. 2026-02-28T23:00:00.000Z
            date=sa2026-01-05T10:00:00Z,eb2025,ap2024,ne2023
            - date: StartsAfter 2026-01-05T10:00:00.000Z .. 2026-01-05T10:00:01.000Z or EndsBefore 2024-12-31T23:00:00.000Z .. 2025-12-31T23:00:00.000Z or Approximate 2023-12-31T23:00:00.000Z .. 2024-12-31T23:00:00.000Z or NotEqual 2022-12-31T23:00:00.000Z .. 2023-12-31T23:00:00.000Z
            _lastUpdated=gt2026-01-05T10:00:00.123Z
            - _lastUpdated: Greater 2026-01-05T10:00:00.123Z .. 2026-01-05T10:00:00.124Z
            date=xx2026&date=gt&date=2026-13&date=2026-01-05T10
            - refused: search parameter `date`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
            - refused: search parameter `date`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
            - refused: search parameter `date`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
            - refused: search parameter `date`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
        "#]],
    );
}

#[test]
fn texts_and_uris() {
    check(
        "Patient",
        &[
            "family=ÅSE&name:contains=Ber&given:exact=Kari",
            r"address=Storgata 1\, Ørnes",
            "_profile=http://hl7.no/fhir/StructureDefinition/no-basis-Patient",
            "family= &family:not=x&family=",
        ],
        expect![[r#"
            family=ÅSE&name:contains=Ber&given:exact=Kari
            - family: Text { text: "åse", how: Starts }
            - name: Text { text: "ber", how: Contains }
            - given: Text { text: "Kari", how: Exact }
            address=Storgata 1\, Ørnes
            - address: Text { text: "storgata 1, ørnes", how: Starts }
            _profile=http://hl7.no/fhir/StructureDefinition/no-basis-Patient
            - _profile: Uri { uri: "http://hl7.no/fhir/StructureDefinition/no-basis-Patient", below: false }
            family= &family:not=x&family=
            - refused: search parameter `family`: only white space: give some text
            - refused: search parameter `family`: empty: give a value or leave the parameter out
        "#]],
    );
}

#[test]
fn numbers_and_quantities() {
    check(
        "RiskAssessment",
        &["probability=0.80", "probability=gt0.8,ap100,ne1e2,-5", "probability=x&probability=gt"],
        expect![[r#"
            probability=0.80
            - probability: Equal 0.8 [0.795 .. 0.805)
            probability=gt0.8,ap100,ne1e2,-5
            - probability: Greater 0.8 [0.75 .. 0.85) or Approximate 100 [90 .. 110) or NotEqual 100 [50 .. 150) or Equal -5 [-5.5 .. -4.5)
            probability=x&probability=gt
            - refused: search parameter `probability`: send a number such as `5.4`, `ge5.40` or `1e3`
            - refused: search parameter `probability`: send a number such as `5.4`, `ge5.40` or `1e3`
        "#]],
    );
    check(
        "Observation",
        &[
            "value-quantity=5.4",
            "value-quantity=5.4|http://unitsofmeasure.org|mg",
            "value-quantity=ap5.4|http://unitsofmeasure.org|kPa",
            "value-quantity=le5.4||mg&value-quantity=5.4|urn:x|y&value-quantity=1|http://unitsofmeasure.org|foo",
            "value-quantity=5.4|mg&value-quantity=|urn:x|y&value-quantity=5|urn:x|",
            "value-quantity:missing=false&value-quantity:exact=4",
        ],
        expect![[r#"
            value-quantity=5.4
            - value-quantity: Equal 5.4 [5.35 .. 5.45) Any
            value-quantity=5.4|http://unitsofmeasure.org|mg
            - value-quantity: Equal 5.4 [5.35 .. 5.45) = Equal 0.0054 [0.00535 .. 0.00545) g
            value-quantity=ap5.4|http://unitsofmeasure.org|kPa
            - value-quantity: Approximate 5.4 [4.86 .. 5.94) = Approximate 5400000 [4860000 .. 5940000) m-1.s-2.g
            value-quantity=le5.4||mg&value-quantity=5.4|urn:x|y&value-quantity=1|http://unitsofmeasure.org|foo
            - value-quantity: LessOrEqual 5.4 [5.35 .. 5.45) Written("mg")
            - value-quantity: Equal 5.4 [5.35 .. 5.45) Coded { system: "urn:x", code: "y" }
            - value-quantity: Equal 1 [0.5 .. 1.5) Coded { system: "http://unitsofmeasure.org", code: "foo" }
            value-quantity=5.4|mg&value-quantity=|urn:x|y&value-quantity=5|urn:x|
            - refused: search parameter `value-quantity`: send `5.4`, `5.4|system|code` or `5.4||unit`, perhaps with a prefix
            - refused: search parameter `value-quantity`: send `5.4`, `5.4|system|code` or `5.4||unit`, perhaps with a prefix
            - refused: search parameter `value-quantity`: send `5.4`, `5.4|system|code` or `5.4||unit`, perhaps with a prefix
            value-quantity:missing=false&value-quantity:exact=4
            - value-quantity: Missing(false)
            - unsupported value-quantity:exact: the modifier is not supported for this parameter
        "#]],
    );
}

#[test]
fn composites() {
    check(
        "Observation",
        &[
            r"code-value-quantity=http://loinc.org|8480-6$gt120|http://unitsofmeasure.org|mm[Hg]",
            r"component-code-value-concept=a\$b$c,d$e",
            "code-value-date=x$ge2026",
            "code-value-quantity=x&code-value-quantity=x$1$2&code-value-quantity=x$&code-value-quantity:not=x$1",
        ],
        expect![[r#"
            code-value-quantity=http://loinc.org|8480-6$gt120|http://unitsofmeasure.org|mm[Hg]
            - code-value-quantity: [token <http://loinc.org> <8480-6>] with [Greater 120 [119.5 .. 120.5) = Greater 15998640 [15931979 .. 16065301) m-1.s-2.g]
            component-code-value-concept=a\$b$c,d$e
            - component-code-value-concept: [token <any> <a$b>] with [token <any> <c>] or [token <any> <d>] with [token <any> <e>]
            code-value-date=x$ge2026
            - code-value-date: [token <any> <x>] with [GreaterOrEqual 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z]
            code-value-quantity=x&code-value-quantity=x$1$2&code-value-quantity=x$&code-value-quantity:not=x$1
            - refused: search parameter `code-value-quantity`: send 2 values with `$` between them
            - refused: search parameter `code-value-quantity`: send 2 values with `$` between them
            - refused: search parameter `code-value-quantity`: send 2 values with `$` between them
        "#]],
    );
    check(
        "DocumentReference",
        &[
            "relationship=http://hl7.org/fhir/document-relationship-type|appends$DocumentReference/d1",
        ],
        expect![[r#"
            relationship=http://hl7.org/fhir/document-relationship-type|appends$DocumentReference/d1
            - relationship: [token <any> <appends>] with [Reference { kinds: ["DocumentReference"], id: "d1" }]
        "#]],
    );
}

#[test]
fn modifiers_of_tokens() {
    check(
        "Patient",
        &[
            "identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|12345",
            "identifier:of-type=|MR|1",
            "identifier:of-type=MR|1&identifier:of-type=a||b",
            "gender:in=http://example.org/vs,ValueSet/1&gender:not-in=http://example.org/vs",
            "language:below=nb&language:above=urn:ietf:bcp:47|nb-NO&identifier:text=x&gender:contains=x",
            "language:below=urn:x|",
        ],
        expect![[r#"
            identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|12345
            - identifier: 12345 of type <http://terminology.hl7.org/CodeSystem/v2-0203> <MR>
            identifier:of-type=|MR|1
            - identifier: 1 of type <any> <MR>
            identifier:of-type=MR|1&identifier:of-type=a||b
            - refused: search parameter `identifier:of-type`: send `system|code|value` with `:of-type`
            - refused: search parameter `identifier:of-type`: send `system|code|value` with `:of-type`
            gender:in=http://example.org/vs,ValueSet/1&gender:not-in=http://example.org/vs
            - gender: InValueSet("http://example.org/vs") or InValueSet("ValueSet/1")
            - gender: not InValueSet("http://example.org/vs")
            language:below=nb&language:above=urn:ietf:bcp:47|nb-NO&identifier:text=x&gender:contains=x
            - language: below <any> <nb>
            - language: above <urn:ietf:bcp:47> <nb-NO>
            - identifier: Text { text: "x", how: Starts }
            - unsupported gender:contains: the modifier is not supported for this parameter
            language:below=urn:x|
            - refused: search parameter `language:below`: send a code with `:above` and `:below`
        "#]],
    );
}

#[test]
fn uris_canonicals_and_places() {
    check(
        "ValueSet",
        &[
            "url:below=http://acme.org/fhir/&url:above=http://acme.org/fhir/ValueSet/123",
            "url:below=urn:oid:1.2.3&url:contains=x",
        ],
        expect![[r#"
            url:below=http://acme.org/fhir/&url:above=http://acme.org/fhir/ValueSet/123
            - url: Uri { uri: "http://acme.org/fhir/", below: true }
            - url: Uri { uri: "http://acme.org", below: false } or Uri { uri: "http://acme.org/", below: false } or Uri { uri: "http://acme.org/fhir", below: false } or Uri { uri: "http://acme.org/fhir/", below: false } or Uri { uri: "http://acme.org/fhir/ValueSet", below: false } or Uri { uri: "http://acme.org/fhir/ValueSet/", below: false } or Uri { uri: "http://acme.org/fhir/ValueSet/123", below: false }
            url:below=urn:oid:1.2.3&url:contains=x
            - refused: search parameter `url:below`: send a URL: other URIs have nothing above or below them
        "#]],
    );
    check(
        "QuestionnaireResponse",
        &[
            "questionnaire=http://acme.org/fhir/Questionnaire/q|2.0,http://acme.org/q,Questionnaire/q",
        ],
        expect![[r#"
            questionnaire=http://acme.org/fhir/Questionnaire/q|2.0,http://acme.org/q,Questionnaire/q
            - questionnaire: Uri { uri: "http://acme.org/fhir/Questionnaire/q|2.0", below: false } or Uri { uri: "http://acme.org/q", below: false } or Reference { kinds: ["Questionnaire"], id: "q" }
        "#]],
    );
    check(
        "Location",
        &[
            "near=59.9|10.75|5|km,60|10",
            "near=59.9|10.75|2|[mi_i]",
            "near=91|0|1|km&near=1|1|1|mg&near=1",
        ],
        expect![[r#"
            near=59.9|10.75|5|km,60|10
            - near: 5000 m from 59.9 10.75 or 10000 m from 60 10
            near=59.9|10.75|2|[mi_i]
            - near: 3218.688 m from 59.9 10.75
            near=91|0|1|km&near=1|1|1|mg&near=1
            - refused: search parameter `near`: send `latitude|longitude|distance|unit`, such as `59.9|10.7|5|km`
            - refused: search parameter `near`: send `latitude|longitude|distance|unit`, such as `59.9|10.7|5|km`
            - refused: search parameter `near`: send `latitude|longitude|distance|unit`, such as `59.9|10.7|5|km`
        "#]],
    );
}

#[test]
fn codes_take_the_place_of_value_sets() {
    let name = "subject:Patient.gender:in".to_owned();
    let pairs = [(name, "urn:vs,urn:none".to_owned()), ("code:below".to_owned(), "x".to_owned())];
    let mut query = Query::parse("Observation", &pairs).unwrap();
    let code = |code: &str| TokenMatch { system: SystemMatch::Any, code: Some(code.into()) };
    let mut known = |condition: &Condition| match condition {
        Condition::InValueSet(url) if &**url == "urn:vs" => Ok(vec![code("male"), code("female")]),
        Condition::InValueSet(_) => Ok(Vec::new()),
        _ => Err("no code system"),
    };
    let below = query.filters.pop().unwrap();
    query.expand(&mut known).unwrap();
    expect![[r#"
        subject: Patient with (gender: token <any> <male> or token <any> <female> or InValueSet("urn:none"))"#]]
    .assert_eq(&show::filter(&query.filters[0]));
    query.filters.push(below);
    assert_eq!(query.expand(&mut known), Err("no code system"));
}

#[test]
fn messages_never_repeat_the_value() {
    for text in [
        "date=28894698995",
        "_id=288_94698995",
        "patient=28894698995?",
        "code=28894698995||",
        "value-quantity=28894698995|x",
        "_list=288_94698995",
        "_type=28894698995",
        "_filter=28894698995",
        "code-value-quantity=28894698995",
    ] {
        let shown = show("Observation", text);
        assert!(shown.starts_with("- refused") && !shown.contains("2889"), "{shown}");
    }
}

proptest! {
    #[test]
    fn an_escaped_token_is_read_as_it_was(code in "[a-z,|$\\\\ å]{1,12}", system in "[a-z:,|\\\\]{1,12}") {
        let escape = |text: &str| {
            let mut out = String::new();
            for letter in text.chars() {
                if matches!(letter, ',' | '|' | '$' | '\\') { out.push('\\') }
                out.push(letter);
            }
            out
        };
        let value = format!("{}|{}", escape(&system), escape(&code));
        let query = Query::parse("Observation", &[("code".to_owned(), value)]).unwrap();
        let expected = TokenMatch {
            system: SystemMatch::Is(system.into()),
            code: Some(code.into()),
        };
        prop_assert_eq!(&query.filters[0].any, &vec![Condition::Token(expected)]);
    }

    #[test]
    fn any_text_is_read_or_refused(
        name in "(code|date|patient|subject|value-quantity|code-value-quantity|_sort|_include|_id|_list|_text|_type|_filter|_has|_lastUpdated|_profile|x)(:[a-zA-Z-]{0,8}){0,3}(\\.[a-z]{0,6}){0,3}",
        value in any::<String>(),
    ) {
        match Query::parse("Observation", &[(name, value)]) {
            Ok(query) => prop_assert!(query.filters.iter().all(|filter| !filter.any.is_empty())),
            Err(issues) => prop_assert_eq!(issues.len(), 1),
        }
    }
}
