//! The grammar of a search.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use expect_test::{Expect, expect};
use fhir::instant::format_instant;
use fhir::query::{
    Condition, Filter, Include, Near, NumberMatch, Query, Scope, SystemMatch, Target, TokenMatch,
    UnitMatch,
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
fn messages_never_repeat_the_value() {
    for text in
        ["date=28894698995", "_id=288_94698995", "patient=28894698995?", "code=28894698995||"]
    {
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
        name in "(code|date|patient|_sort|_include|_id|_lastUpdated|_profile|x)(:[a-zA-Z]{0,8})?(\\.[a-z]{0,4})?",
        value in any::<String>(),
    ) {
        match Query::parse("Observation", &[(name, value)]) {
            Ok(query) => prop_assert!(query.filters.iter().all(|filter| !filter.any.is_empty())),
            Err(issues) => prop_assert_eq!(issues.len(), 1),
        }
    }
}
