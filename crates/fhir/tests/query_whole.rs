//! The grammar of a search: chains, whole resources, results, systems and compartments, limits.

use expect_test::expect;
use fhir::query::{Scope, limit};
use show::{check, show, show_in};

#[path = "query/show.rs"]
mod show;

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
            "status.name=x&patient.colour=red&patient:Pasient.name=y&colour.x=y",
            "patient:Group.name=x&patient.birthdate=x&_has:X:y=1",
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
            status.name=x&patient.colour=red&patient:Pasient.name=y&colour.x=y
            - unsupported status.name: nothing it may refer to has the parameter after the dot
            - unsupported patient.colour: nothing it may refer to has the parameter after the dot
            - unsupported patient:Pasient.name: the modifier is not supported for this parameter
            - unsupported colour.x: no such search parameter for this resource type
            patient:Group.name=x&patient.birthdate=x&_has:X:y=1
            - refused: search parameter `patient:Group.name`: Group cannot stand here: use one of Patient
            - refused: search parameter `patient.birthdate`: send a date such as `2024-02-29` or `ge2024-02-29T12:00:00Z`
            - refused: search parameter `_has:X:y`: send `_has:Type:reference:parameter`
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
            "_text=Brudd i håndledd,sår",
            "_content=&_content=…",
            "_id:not=a,b&_id:missing=true",
            "_list=l1,List/l2&_list=$current-problems&_list:not=l1",
            "_tag:not=urn:x|a&_source=http://x.example/a&_security=R",
            "_contained=false&_contained=true&_containedType=container&_query=x",
        ],
        expect![[r#"
            _text=Brudd i håndledd,sår
            - resource: Words { part: Narrative, words: ["brudd", "håndledd", "i"] } or Words { part: Narrative, words: ["sår"] }
            _content=&_content=…
            - refused: search parameter `_content`: empty: give a value or leave the parameter out
            - refused: search parameter `_content`: no word: give some text
            _id:not=a,b&_id:missing=true
            - _id: not Id("a") or Id("b")
            - unsupported _id:missing: the modifier is not supported for this parameter
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
            "_include=Observation:subject:Medication&_include=Observation:status",
            "_revinclude=X:y",
        ],
        expect![[r#"
            _include=*&_include=Observation:*&_revinclude:iterate=Provenance:target:Observation
            - include any:* -> any
            - include Observation:* -> any
            - revinclude Provenance:target -> Observation again and again
            _include:recurse=Observation:has-member&_include:first=Observation:subject
            - include Observation:has-member -> any again and again
            - unsupported _include:first: the modifier is not supported for this parameter
            _include=Observation:subject:Medication&_include=Observation:status
            - unsupported _include: this value is not supported for the parameter
            - unsupported _include: this value is not supported for the parameter
            _revinclude=X:y
            - refused: search parameter `_revinclude`: send `Type:parameter`, `Type:parameter:Target`, `Type:*` or `*`
        "#]],
    );
}

/// Each search with what it is read as there.
fn report(scope: Scope, searches: &[&str]) -> String {
    let lines = searches.iter().map(|text| format!("{text}\n{}", show_in(scope, text)));
    lines.collect()
}

#[test]
fn systems() {
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
    "#]].assert_eq(&report(
        Scope::System,
        &[
            "_tag=urn:x|a&_id=1&_lastUpdated=gt2026&_text=x",
            "date=2026&_type=Encounter,Observation",
            "_type=Observation,Encounter&code=x",
            "_type=Pasient&_type=",
            "_has:Provenance:target:recorded=gt2026&_sort=-_lastUpdated,date&code=x",
        ],
    ));
}

#[test]
fn compartments() {
    let of = |of| Scope::Compartment { kind: "Patient", id: "p1", of };
    expect![[r#"
        code=x
        - in Patient/p1
        - code: token <any> <x>
        _type=Observation
        - in Patient/p1
        - unsupported _type: no such search parameter for this resource type
    "#]]
    .assert_eq(&report(of(Some("Observation")), &["code=x", "_type=Observation"]));
    expect![[r#"
        _lastUpdated=gt2026
        - in Patient/p1
        - 66 types
        - _lastUpdated: Greater 2025-12-31T23:00:00.000Z .. 2026-12-31T23:00:00.000Z
        _type=Observation,Condition,Location&code=x
        - in Patient/p1
        - ["Condition", "Observation"]
        - resource: Condition where (code: token <any> <x>) or Observation where (code: token <any> <x>)
        _type=Location
        - refused: search parameter `_type`: none of these types can be in the compartment
    "#]].assert_eq(&report(
        of(None),
        &["_lastUpdated=gt2026", "_type=Observation,Condition,Location&code=x", "_type=Location"],
    ));
    expect![[r#"
        _id=x
        - refused: only these types have a compartment: Device, Encounter, Patient, Practitioner, RelatedPerson
    "#]]
        .assert_eq(&report(Scope::Compartment { kind: "Group", id: "g1", of: None }, &["_id=x"]));
    expect![[r#"
        _id=x
        - refused: the compartment has no valid id
    "#]]
    .assert_eq(&report(Scope::Compartment { kind: "Patient", id: "g_1", of: None }, &["_id=x"]));
}

#[test]
fn more_than_the_limits_is_refused() {
    let ids = vec!["a"; limit::ALTERNATIVES + 1].join(",");
    let many = vec!["code=x"; limit::PARAMETERS + 1].join("&");
    let includes = vec!["_include=*"; limit::INCLUDES + 1].join("&");
    let sorts = ["date"; limit::SORTS + 1].join(",");
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
        - refused: search parameter `partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.partof.par`: at most 5 references in a chain are allowed: ask for less
    "#]].assert_eq(&lines.collect::<String>());
    let shown = show("AuditEvent", &wide);
    assert!(shown.contains("at most 5000 conditions"), "{shown}");
}
