//! Operations about a person: who sees what of whom, what is written down, and pages while the
//! record changes. What each answers is shown in `cases/http/operation-*.http`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use exchange::audit::AuditRecord;
use exchange::tenant::{Environment, Tenant};
use fhir::resource::Resource;
use ledger::append::{Body, Record};
use ledger::clock::SystemClock;
use ledger::random::SystemRandom;
use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Client, FNR, Folder, Server, entries, shared, text};

/// A Patient with so many pulses: identity number and id.
fn known(source: &Client, pulses: u32) -> (String, String) {
    let pid = person();
    let identifier = json!({ "system": FNR, "value": pid });
    let patient = json!({ "resourceType": "Patient", "identifier": [identifier] });
    let created = source.post("/9901/fhir/Patient", &patient).expect(201);
    for i in 0..pulses {
        measure(source, &pid, i);
    }
    (pid, text(&created["id"]))
}

fn measure(source: &Client, pid: &str, i: u32) -> String {
    let at = format!("2026-01-{:02}T10:00:00+01:00", 1 + i % 28);
    text(&source.post("/9901/fhir/Observation", &pulse(pid, &at, 60 + i)).expect(201)["id"])
}

fn kinds(bundle: &Value) -> BTreeSet<String> {
    let all = bundle["entry"].as_array().into_iter().flatten();
    all.map(|entry| text(&entry["resource"]["resourceType"])).collect()
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array().unwrap();
    links.iter().find(|link| link["relation"] == "next").map(|link| text(&link["url"]))
}

#[test]
fn everything_is_what_the_permit_opens_and_each_look_is_logged() {
    let server = shared();
    let source = server.role("plo-epj");
    let (pid, patient) = known(&source, 1);
    let decision = json!({ "resourceType": "ServiceRequest", "status": "active",
        "intent": "order", "subject": { "reference": format!("Patient/{patient}") } });
    source.post("/9901/fhir/ServiceRequest", &decision).expect(201);
    let everything = format!("/9901/fhir/Patient/{patient}/$everything");

    let nurse = server.role("sykepleier").get(&everything).expect(200);
    assert_eq!(kinds(&nurse), BTreeSet::from(["Observation".to_owned(), "Patient".to_owned()]));
    let officer = server.role("saksbehandler").get(&everything).expect(200);
    assert_eq!(
        kinds(&officer),
        BTreeSet::from(["Patient".to_owned(), "ServiceRequest".to_owned()])
    );
    let own = server.resident(&pid).get(&everything).expect(200);
    assert_eq!(kinds(&own).len(), 3);
    assert_eq!(server.resident(&person()).get(&everything).rule(), "not-self");
    let narrowed = format!("{everything}?_type=Observation");
    assert_eq!(server.role("saksbehandler").get(&narrowed).rule(), "category-not-for-role");
}

#[test]
fn each_operation_on_a_person_is_one_line_in_the_audit_ledger() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let (_, patient) = known(&source, 3);
    let (nurse, officer) = (server.role("sykepleier"), server.role("saksbehandler"));
    nurse.get(&format!("/9901/fhir/Patient/{patient}/$everything?_count=2")).expect(200);
    nurse.get(&format!("/9901/fhir/Observation/$lastn?patient={patient}")).expect(200);
    let stats = format!("/9901/fhir/Observation/$stats?subject=Patient/{patient}&code=8867-4");
    nurse.get(&format!("{stats}&statistic=count")).expect(200);
    officer.get(&format!("{stats}&statistic=count")).rule();
    nurse.get("/9901/fhir/CodeSystem/$lookup?system=https://fkj.no/fhir/CodeSystem/acvpu&code=A");
    source.get(&format!("/9901/fhir/Patient/{patient}/$validate")).expect(200);
    assert_eq!(
        audited(&dir, server)[4..],
        [
            "everything referansevisning-9901 2 about somebody",
            "lastn referansevisning-9901 1 about somebody",
            "stats referansevisning-9901 3 about somebody",
            "stats referansevisning-9901 refused category-not-for-role about somebody",
            "read plo-epj-9901 1 about somebody",
        ]
    );
}

/// The audit ledger of 9901, a line for each entry; the server is ended for it.
fn audited(dir: &Folder, server: Server) -> Vec<String> {
    drop(server);
    let directory = dir.path().join("9901");
    let register = std::fs::read_to_string(directory.join("register.toml")).unwrap();
    let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let tenant = Tenant::open(&directory, toml::from_str(&register).unwrap(), environment).unwrap();
    let line = |record: &Record| {
        let Body::Plain(body) = &record.body else { return String::new() };
        let AuditRecord { action, client, resources, refused, .. } =
            serde_json::from_slice(body).unwrap();
        let whom = record.entry.person.map_or("nobody", |_| "somebody");
        match refused {
            Some(rule) => format!("{action} {client} refused {rule} about {whom}"),
            None => format!("{action} {client} {resources} about {whom}"),
        }
    };
    tenant.audit().read(1, 1000).unwrap().iter().map(line).collect()
}

#[test]
fn pages_hold_each_resource_once_whatever_is_written_between() {
    let server = shared();
    let source = server.role("plo-epj");
    let (pid, patient) = known(&source, 7);
    let first = source.get(&format!("/9901/fhir/Patient/{patient}/$everything?_count=3"));
    let first = first.expect(200);
    let mut seen: Vec<String> = entries(&first, "match").iter().map(|it| text(&it["id"])).collect();
    assert_eq!(seen.len(), 3);
    // One is corrected, one is new: the first keeps its place, the second is not of this walk.
    let corrected = seen[1].clone();
    let mut changed = pulse(&pid, "2026-01-01T10:00:00+01:00", 99);
    changed["id"] = json!(corrected);
    source.put(&format!("/9901/fhir/Observation/{corrected}"), &changed).expect(200);
    let new = measure(&source, &pid, 20);
    let mut link = next(&first);
    while let Some(url) = link {
        let page = source.get(&url).expect(200);
        seen.extend(entries(&page, "match").iter().map(|it| text(&it["id"])));
        link = next(&page);
    }
    assert_eq!(seen.len(), 8, "a Patient and seven pulses");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 8, "each once");
    assert!(!seen.contains(&new));
}

#[test]
fn a_link_opens_nothing_for_another_patient_or_role() {
    let server = shared();
    let source = server.role("plo-epj");
    let (_, patient) = known(&source, 4);
    let (_, other) = known(&source, 1);
    let first = source.get(&format!("/9901/fhir/Patient/{patient}/$everything?_count=2"));
    let link = next(&first.expect(200)).unwrap();
    source.get(&link.replace(&patient, &other)).expect(400);
    source.get(&link.replace("_count=2", "_count=3")).expect(400);
    assert_eq!(server.resident(&person()).get(&link).rule(), "not-self");
}

#[test]
fn what_validate_says_is_what_the_write_says() {
    let server = shared();
    let source = server.role("plo-epj");
    let pid = person();
    let good = pulse(&pid, "2026-01-05T10:00:00+01:00", 61);
    let mut cases = vec![good.clone()];
    for (path, value) in [
        ("status", json!("done")),
        ("effectiveDateTime", json!("2199-01-01")),
        ("subject", json!({ "display": "nobody" })),
        ("valueString", json!("two values")),
        ("unknown", json!(1)),
    ] {
        let mut faulty = good.clone();
        faulty[path] = value;
        cases.push(faulty);
    }
    for mut case in cases {
        case["identifier"][0]["value"] = json!(format!("v{}", support::content::count()));
        let told = source.post("/9901/fhir/Observation/$validate", &case).expect(200);
        let refuses = |outcome: &Value| -> Vec<Value> {
            let issues = outcome["issue"].as_array().into_iter().flatten();
            let issues = issues.filter(|issue| issue["severity"] == "error");
            issues.map(|issue| json!([issue["code"], issue["expression"]])).collect()
        };
        let written = source.post("/9901/fhir/Observation", &case);
        let expected: Value = serde_json::from_str(&written.text).unwrap();
        assert_eq!(refuses(&told), refuses(&expected), "{case}");
        assert_eq!(refuses(&told).is_empty(), written.status == 201, "{}", written.text);
    }
}

#[test]
fn what_the_server_tells_of_itself_is_sound() {
    let server = shared();
    let open = server.client(None);
    for path in [
        "metadata?mode=terminology",
        "OperationDefinition/news2",
        "OperationDefinition/kommunale-tjenester",
    ] {
        let answer = open.get(&format!("/9901/fhir/{path}"));
        let value = fhir::json::parse(answer.text.as_bytes()).unwrap();
        let issues = fhir::check::check(&Resource::from_value(value).unwrap());
        assert!(!issues.iter().any(fhir::issue::Issue::refuses), "{path}: {issues:?}");
    }
    let statement = open.get("/9901/fhir/metadata").expect(200);
    let of = |kind: &str| -> BTreeSet<String> {
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        let resource = resources.iter().find(|it| it["type"] == kind).unwrap();
        resource["operation"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect()
    };
    for name in ["everything", "news2", "kommunale-tjenester", "export", "validate", "meta"] {
        assert!(of("Patient").contains(name), "{name}");
    }
    assert!(of("ValueSet").contains("expand") && of("Observation").contains("lastn"));
}
