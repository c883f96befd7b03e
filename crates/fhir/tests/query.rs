//! The grammar of a search.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::instant::format_instant;
use fhir::query::{
    Condition, Filter, Include, Near, NumberMatch, Query, Scope, SystemMatch, Target, TokenMatch,
    UnitMatch, limit,
};
use fhir::search::set::Parameters;
use proptest::prelude::*;

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn target(target: &Target) -> String {
    match target {
        Target::Id => "_id".to_owned(),
        Target::LastUpdated => "_lastUpdated".to_owned(),
        Target::Resource => "resource".to_owned(),
        Target::Parameter(parameter) => parameter.code.clone(),
    }
}

fn token(token: &TokenMatch) -> String {
    let system = match &token.system {
        SystemMatch::Any => "any",
        SystemMatch::Absent => "no system",
        SystemMatch::Is(system) => system,
    };
    format!("<{system}> <{}>", token.code.as_deref().unwrap_or("any"))
}

fn number(number: &NumberMatch) -> String {
    let NumberMatch { prefix, value, low, high } = number;
    format!("{prefix:?} {} [{} .. {})", value.get(), low.get(), high.get())
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::Token(of) => format!("token {}", token(of)),
        Condition::OfType { of, value } => format!("{} of type {}", value, token(of)),
        Condition::Subsumed { token: of, below } => {
            format!("{} {}", if *below { "below" } else { "above" }, token(of))
        }
        Condition::Logical { identifier, chained } => {
            format!("logical {} chained={chained:?}", token(identifier))
        }
        Condition::Date { prefix, low, high } => {
            format!("{prefix:?} {} .. {}", format_instant(*low), format_instant(*high))
        }
        Condition::Chain { kind, filter: of } => format!("{kind} with ({})", filter(of)),
        Condition::OfKind { kind, filter: of } => format!("{kind} where ({})", filter(of)),
        Condition::Has { kind, parameter, filter: of } => {
            format!("{kind} that refers here by {} with ({})", parameter.code, filter(of))
        }
        Condition::All(all) => {
            let all: Vec<String> = all.iter().map(|of| format!("({})", filter(of))).collect();
            all.join(" and ")
        }
        Condition::Number(of) => number(of),
        Condition::Quantity { number: of, unit: UnitMatch::Canonical { number: base, unit } } => {
            format!("{} = {} {unit}", number(of), number(base))
        }
        Condition::Quantity { number: of, unit } => format!("{} {unit:?}", number(of)),
        Condition::Near(near) => {
            let Near { latitude, longitude, distance } = near;
            format!("{} m from {} {}", distance.get(), latitude.get(), longitude.get())
        }
        Condition::Composite(parts) => {
            parts.iter().map(condition_of_part).collect::<Vec<_>>().join(" with ")
        }
        other => format!("{other:?}"),
    }
}

fn condition_of_part(part: &Condition) -> String {
    format!("[{}]", condition(part))
}

fn filter(filter: &Filter) -> String {
    let any: Vec<String> = filter.any.iter().map(condition).collect();
    let not = if filter.negated { "not " } else { "" };
    format!("{}: {not}{}", target(&filter.on), any.join(" or "))
}

fn include(include: &Include) -> String {
    let parameter = include.parameter.as_ref().map_or("*", |parameter| &parameter.code);
    let iterate = if include.iterate { " again and again" } else { "" };
    let (source, target) = (include.source.unwrap_or("any"), include.target.unwrap_or("any"));
    format!("{source}:{parameter} -> {target}{iterate}")
}

fn show(kind: &str, text: &str) -> String {
    show_in(Scope::Type(kind), text)
}

fn show_in(scope: Scope, text: &str) -> String {
    let query = match Query::read(Parameters::r4(), scope, &pairs(text)) {
        Ok(query) => query,
        Err(issues) => {
            return issues.iter().map(|issue| format!("- refused: {}\n", issue.message)).collect();
        }
    };
    let mut out = String::new();
    if query.kind().is_none() {
        let kinds = query.kinds.len();
        out.push_str(&if kinds > 5 {
            format!("- {kinds} types\n")
        } else {
            format!("- {:?}\n", query.kinds)
        });
    }
    for of in &query.filters {
        out.push_str(&format!("- {}\n", filter(of)));
    }
    for sort in &query.sort {
        out.push_str(&format!("- sort {} descending={}\n", target(&sort.by), sort.descending));
    }
    for (name, list) in [("include", &query.includes), ("revinclude", &query.revincludes)] {
        for item in list {
            out.push_str(&format!("- {name} {}\n", include(item)));
        }
    }
    if let Some(count) = query.count {
        out.push_str(&format!("- count {count}\n"));
    }
    if query.summary.is_some() || query.total.is_some() || !query.elements.is_empty() {
        let (summary, total) = (query.summary, query.total);
        out.push_str(&format!("- {summary:?} {total:?} {:?}\n", query.elements));
    }
    for unsupported in &query.unsupported {
        let (name, reason) = (&unsupported.parameter, unsupported.reason.as_str());
        out.push_str(&format!("- unsupported {name}: {reason}\n"));
    }
    out
}

/// Each search with what it is read as.
fn check(kind: &str, searches: &[&str], expected: Expect) {
    let report = searches.iter().map(|search| format!("{search}\n{}", show(kind, search)));
    expected.assert_eq(&report.collect::<String>());
}

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
fn results() {
    check(
        "Observation",
        &[
            "_id=a,b&_sort=-date,status,_lastUpdated&_count=20",
            "_include=Observation:subject&_include=Observation:performer:Practitioner&_revinclude=Observation:has-member",
            "_summary=count&_total=none&_elements=status,code&_format=json&_pretty=true",
            "_count=-1&_summary=some&_total=x&_include=Observation&_id=a_b",
            "_count=1&_count=2",
            "_include=*&_include:iterate=Observation:subject&_sort=value&_has:X:y:z=1&colour=red&_text=x",
        ],
        expect![[r#"
            _id=a,b&_sort=-date,status,_lastUpdated&_count=20
            - _id: Id("a") or Id("b")
            - sort date descending=true
            - sort status descending=false
            - sort _lastUpdated descending=false
            - count 20
            _include=Observation:subject&_include=Observation:performer:Practitioner&_revinclude=Observation:has-member
            - include Observation:subject -> any
            - include Observation:performer -> Practitioner
            - revinclude Observation:has-member -> any
            _summary=count&_total=none&_elements=status,code&_format=json&_pretty=true
            - Some(Count) Some(None) ["status", "code"]
            _count=-1&_summary=some&_total=x&_include=Observation&_id=a_b
            - refused: search parameter `_count`: send a whole number from 0
            - refused: search parameter `_summary`: send `true`, `false`, `count`, `data` or `text`
            - refused: search parameter `_total`: send `none`, `estimate` or `accurate`
            - refused: search parameter `_include`: send `Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`
            - refused: search parameter `_id`: send logical ids
            _count=1&_count=2
            - refused: search parameter `_count`: given twice: keep one
            _include=*&_include:iterate=Observation:subject&_sort=value&_has:X:y:z=1&colour=red&_text=x
            - refused: search parameter `_has:X:y:z`: send `_has:Type:reference:parameter`
        "#]],
    );
    expect![[r#"
        - refused: not a resource type of FHIR R4
    "#]]
    .assert_eq(&show("Pasient", "a=b"));
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
fn modifiers_of_tokens_and_uris() {
    check(
        "Patient",
        &[
            "identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|12345",
            "identifier:of-type=|MR|1&identifier:of-type=MR|1&identifier:of-type=a||b",
            "gender:in=http://example.org/vs,ValueSet/1&gender:not-in=http://example.org/vs",
            "language:below=nb&language:above=urn:ietf:bcp:47|nb-NO&language:below=urn:x|",
        ],
        expect![[r#"
            identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|12345
            - identifier: 12345 of type <http://terminology.hl7.org/CodeSystem/v2-0203> <MR>
            identifier:of-type=|MR|1&identifier:of-type=MR|1&identifier:of-type=a||b
            - refused: search parameter `identifier:of-type`: send `system|code|value` with `:of-type`
            - refused: search parameter `identifier:of-type`: send `system|code|value` with `:of-type`
            gender:in=http://example.org/vs,ValueSet/1&gender:not-in=http://example.org/vs
            - gender: InValueSet("http://example.org/vs") or InValueSet("ValueSet/1")
            - gender: not InValueSet("http://example.org/vs")
            language:below=nb&language:above=urn:ietf:bcp:47|nb-NO&language:below=urn:x|
            - refused: search parameter `language:below`: send a code with `:above` and `:below`
        "#]],
    );
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
fn chains() {
    check(
        "Observation",
        &[
            "subject.name=Lund",
            "subject:Patient.birthdate=ge1950",
            "patient.organization.name:exact=X&patient.general-practitioner:Practitioner.family=y",
            "_has:DiagnosticReport:result:status=final",
            "patient._has:Group:member:_id=g1",
            "encounter.location.organization.partof.partof.name=x",
            "encounter.location.organization.partof.partof.partof.name=x",
            "status.name=x&patient.colour=red&patient:Group.name=x&patient:Pasient.name=y&patient.birthdate=x",
            "_has:DiagnosticReport:subject:status=final,amended&_has:DiagnosticReport:patient:status=final",
        ],
        expect![[r#"
            subject.name=Lund
            - subject: Location with (name: Text { text: "lund", how: Starts }) or Patient with (name: Text { text: "lund", how: Starts })
            subject:Patient.birthdate=ge1950
            - subject: Patient with (birthdate: GreaterOrEqual 1949-12-31T23:00:00.000Z .. 1950-12-31T23:00:00.000Z)
            patient.organization.name:exact=X&patient.general-practitioner:Practitioner.family=y
            - patient: Patient with (organization: Organization with (name: Text { text: "X", how: Exact }))
            - patient: Patient with (general-practitioner: Practitioner with (family: Text { text: "y", how: Starts }))
            _has:DiagnosticReport:result:status=final
            - resource: DiagnosticReport that refers here by result with (status: token <any> <final>)
            patient._has:Group:member:_id=g1
            - patient: Patient with (resource: Group that refers here by member with (_id: Id("g1")))
            encounter.location.organization.partof.partof.name=x
            - encounter: Encounter with (location: Location with (organization: Organization with (partof: Organization with (partof: Organization with (name: Text { text: "x", how: Starts })))))
            encounter.location.organization.partof.partof.partof.name=x
            - refused: search parameter `encounter.location.organization.partof.partof.partof.name`: at most 5 references in a chain are allowed: ask for less
            status.name=x&patient.colour=red&patient:Group.name=x&patient:Pasient.name=y&patient.birthdate=x
            - refused: search parameter `patient:Group.name`: Group cannot stand here: use one of Patient
            - refused: search parameter `patient.birthdate`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
            _has:DiagnosticReport:subject:status=final,amended&_has:DiagnosticReport:patient:status=final
            - unsupported _has:DiagnosticReport:subject:status: no such search parameter for this resource type
            - unsupported _has:DiagnosticReport:patient:status: no such search parameter for this resource type
        "#]],
    );
    check(
        "Patient",
        &["_has:Observation:patient:_has:AuditEvent:entity:agent=Practitioner/1"],
        expect![[r#"
            _has:Observation:patient:_has:AuditEvent:entity:agent=Practitioner/1
            - resource: Observation that refers here by patient with (resource: AuditEvent that refers here by entity with (agent: Reference { kinds: ["Practitioner"], id: "1" }))
        "#]],
    );
}

#[test]
fn whole_resources() {
    check(
        "Condition",
        &[
            "_text=Brudd i håndledd,sår&_content=&_content=…",
            "_list=l1,List/l2&_list=$current-problems&_list:not=l1",
            "_tag:not=urn:x|a&_source=http://x.example/a&_security=R",
            "_contained=false&_contained=true&_containedType=container&_query=x",
        ],
        expect![[r#"
            _text=Brudd i håndledd,sår&_content=&_content=…
            - refused: search parameter `_content`: empty: give a value or leave the parameter out
            - refused: search parameter `_content`: no word: give some text
            _list=l1,List/l2&_list=$current-problems&_list:not=l1
            - resource: InList("l1") or InList("l2")
            - unsupported _list: this value is not supported for the parameter
            - unsupported _list:not: the modifier is not supported for this parameter
            _tag:not=urn:x|a&_source=http://x.example/a&_security=R
            - _tag: not token <urn:x> <a>
            - _source: Uri { uri: "http://x.example/a", below: false }
            - _security: token <any> <R>
            _contained=false&_contained=true&_containedType=container&_query=x
            - unsupported _contained: no such search parameter for this resource type
            - unsupported _containedType: no such search parameter for this resource type
            - unsupported _query: no such search parameter for this resource type
        "#]],
    );
}

#[test]
fn filters() {
    check(
        "Patient",
        &[
            "_filter=name co \"Lu, \\\"x\" and birthdate ge 1950-01-01",
            "_filter=not (gender eq male or active eq true) and _lastUpdated gt 2026-01-01",
            "_filter=given ew ne and family pr true or identifier eq urn:x|1",
            "_filter=((((((((((((gender eq male))))))))))))&_filter=gender&_filter=gender eq male)",
            "_filter=gender po male&_filter=organization.name eq x&_filter=colour eq red",
        ],
        expect![[r#"
            _filter=name co "Lu, \"x" and birthdate ge 1950-01-01
            - resource: (name: Text { text: "lu, \"x", how: Contains }) and (birthdate: GreaterOrEqual 1949-12-31T23:00:00.000Z .. 1950-01-01T23:00:00.000Z)
            _filter=not (gender eq male or active eq true) and _lastUpdated gt 2026-01-01
            - resource: (resource: not (gender: token <any> <male>) or (active: token <any> <true>)) and (_lastUpdated: Greater 2025-12-31T23:00:00.000Z .. 2026-01-01T23:00:00.000Z)
            _filter=given ew ne and family pr true or identifier eq urn:x|1
            - resource: (resource: (given: Text { text: "ne", how: Ends }) and (family: Missing(false))) or (identifier: token <urn:x> <1>)
            _filter=((((((((((((gender eq male))))))))))))&_filter=gender&_filter=gender eq male)
            - refused: search parameter `_filter`: at most 10 brackets may nest
            - refused: search parameter `_filter`: send comparisons such as `code eq loinc|1` with `and`, `or`, `not (…)`, brackets
            - refused: search parameter `_filter`: send comparisons such as `code eq loinc|1` with `and`, `or`, `not (…)`, brackets
            _filter=gender po male&_filter=organization.name eq x&_filter=colour eq red
            - unsupported _filter: this value is not supported for the parameter
            - unsupported _filter: this value is not supported for the parameter
            - unsupported _filter: no such search parameter for this resource type
        "#]],
    );
}

#[test]
fn includes() {
    check(
        "Observation",
        &[
            "_include=*&_include=Observation:*&_revinclude:iterate=Provenance:target:Observation",
            "_include:recurse=Observation:has-member&_include:first=Observation:subject",
            "_include=Observation:subject:Medication&_include=Observation:status&_revinclude=X:y",
        ],
        expect![[r#"
            _include=*&_include=Observation:*&_revinclude:iterate=Provenance:target:Observation
            - include any:* -> any
            - include Observation:* -> any
            - revinclude Provenance:target -> Observation again and again
            _include:recurse=Observation:has-member&_include:first=Observation:subject
            - include Observation:has-member -> any again and again
            - unsupported _include:first: the modifier is not supported for this parameter
            _include=Observation:subject:Medication&_include=Observation:status&_revinclude=X:y
            - refused: search parameter `_revinclude`: send `Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`
        "#]],
    );
}

#[test]
fn systems_and_compartments() {
    let show = |scope, searches: &[&str]| {
        let lines = searches.iter().map(|text| format!("{text}\n{}", show_in(scope, text)));
        lines.collect::<String>()
    };
    expect![[r#"
        _tag=urn:x|a&_id=1&_lastUpdated=gt2026&_text=x
        - []
        - _tag: token <urn:x> <a>
        - _id: Id("1")
        - _lastUpdated: Greater 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z
        - resource: Words { part: Narrative, words: ["x"] }
        date=2026&_type=Encounter,Observation
        - ["Encounter", "Observation"]
        - resource: Encounter where (date: Equal 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z) or Observation where (date: Equal 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z)
        _type=Observation,Encounter&code=x
        - ["Encounter", "Observation"]
        - unsupported code: no such search parameter for this resource type
        _type=Pasient&_type=
        - refused: search parameter `_type`: name resource types of FHIR R4
        - refused: search parameter `_type`: empty: give a value or leave the parameter out
        _has:Provenance:target:recorded=gt2026&_sort=-_lastUpdated,date&code=x
        - []
        - resource: Provenance that refers here by target with (recorded: Greater 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z)
        - unsupported _sort: this value is not supported for the parameter
        - unsupported code: no such search parameter for this resource type
    "#]].assert_eq(&show(
        Scope::System,
        &[
            "_tag=urn:x|a&_id=1&_lastUpdated=gt2026&_text=x",
            "date=2026&_type=Encounter,Observation",
            "_type=Observation,Encounter&code=x",
            "_type=Pasient&_type=",
            "_has:Provenance:target:recorded=gt2026&_sort=-_lastUpdated,date&code=x",
        ],
    ));
    let of = |of| Scope::Compartment { kind: "Patient", id: "p1", of };
    expect![[r#"
        code=x
        - code: token <any> <x>
        _type=Observation
        - unsupported _type: no such search parameter for this resource type
    "#]]
    .assert_eq(&show(of(Some("Observation")), &["code=x", "_type=Observation"]));
    expect![[r#"
        _lastUpdated=gt2026
        - 66 types
        - _lastUpdated: Greater 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z
        _type=Observation,Condition,Location&code=x
        - ["Condition", "Observation"]
        - resource: Condition where (code: token <any> <x>) or Observation where (code: token <any> <x>)
        _type=Location
        - refused: search parameter `_type`: none of these types can be in the compartment
    "#]].assert_eq(&show(
        of(None),
        &["_lastUpdated=gt2026", "_type=Observation,Condition,Location&code=x", "_type=Location"],
    ));
    expect![[r#"
        _id=x
        - refused: only these types have a compartment: Device, Encounter, Patient, Practitioner, RelatedPerson
    "#]]
        .assert_eq(&show(Scope::Compartment { kind: "Group", id: "g1", of: None }, &["_id=x"]));
    expect![[r#"
        _id=x
        - refused: the compartment has no valid id
    "#]]
    .assert_eq(&show(Scope::Compartment { kind: "Patient", id: "g_1", of: None }, &["_id=x"]));
}

#[test]
fn more_than_the_limits_is_refused() {
    let ids = vec!["a"; limit::ALTERNATIVES + 1].join(",");
    let many = vec!["code=x"; limit::PARAMETERS + 1].join("&");
    let includes = vec!["_include=*"; limit::INCLUDES + 1].join("&");
    let sorts = vec!["date"; limit::SORTS + 1].join(",");
    let wide = vec!["entity.entity.entity._tag=x"; 50].join("&");
    let deep = format!("code=x&{}_id=x", "partof.".repeat(50));
    let searches = [
        format!("_id={ids}"),
        many,
        includes,
        format!("_sort={sorts}"),
        format!("code={}", "x".repeat(limit::LENGTH)),
        deep,
    ];
    let lines = searches.iter().map(|search| show("Organization", search));
    expect![[r#"
        - refused: search parameter `_id`: at most 500 alternatives are allowed: ask for less
        - refused: a search has at most 100 parameters and 65536 bytes
        - refused: search parameter `_include`: at most 30 includes are allowed: ask for less
        - refused: search parameter `_sort`: at most 8 keys are allowed: ask for less
        - refused: a search has at most 100 parameters and 65536 bytes
        - refused: search parameter `partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof._id`: at most 5 references in a chain are allowed: ask for less
    "#]].assert_eq(&lines.collect::<String>());
    let shown = show("AuditEvent", &wide);
    assert!(shown.contains("at most 5000 conditions"), "{shown}");
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
