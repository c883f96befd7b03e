//! Who may see and write what, the way on for those who may not, and the audit ledger of it all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use exchange::audit::AuditRecord;
use exchange::tenant::{Environment, Tenant};
use ledger::append::Body;
use ledger::clock::SystemClock;
use ledger::random::SystemRandom;
use serde_json::{Value, json};
use support::content::{bundle, person, pulse};
use support::{Client, FNR, Folder, Server, fkj, shared, text};
use ureq::http::Method;

const AT: &str = "2026-01-05T10:00:00+01:00";

/// A resident with a Patient, a service and a pulse: number, Patient id, service id, pulse id.
struct Known {
    pid: String,
    patient: String,
    service: String,
    pulse: String,
}

fn known(source: &Client) -> Known {
    let pid = person();
    let create = |kind: &str, resource: &Value| {
        let created = source.post(&format!("/9901/fhir/{kind}"), resource).expect(201);
        text(&created["id"])
    };
    let identifier = json!({ "system": FNR, "value": pid });
    Known {
        patient: create(
            "Patient",
            &json!({ "resourceType": "Patient",
            "identifier": [identifier], "name": [{ "family": "Prøve", "given": ["Pia"] }] }),
        ),
        service: create(
            "EpisodeOfCare",
            &json!({ "resourceType": "EpisodeOfCare",
            "status": "active", "patient": { "identifier": identifier },
            "period": { "start": "2025-01-01" } }),
        ),
        pulse: create("Observation", &pulse(&pid, AT, 61)),
        pid,
    }
}

#[test]
fn a_token_of_another_municipality_opens_no_address_of_this_one() {
    let server = shared();
    let Known { pid, patient, service, pulse } = known(&server.role("plo-epj"));
    let all = [
        ("POST", "/9901/fhir".to_owned()),
        ("GET", format!("/9901/fhir/Observation?patient={patient}")),
        ("POST", "/9901/fhir/Observation".to_owned()),
        ("POST", "/9901/fhir/Observation/_search".to_owned()),
        ("GET", format!("/9901/fhir/Patient/{patient}")),
        ("GET", format!("/9901/fhir/EpisodeOfCare/{service}")),
        ("PUT", format!("/9901/fhir/Observation/{pulse}")),
        ("DELETE", format!("/9901/fhir/Observation/{pulse}")),
        ("GET", format!("/9901/fhir/Observation/{pulse}/_history")),
        ("GET", format!("/9901/fhir/Observation/{pulse}/_history/1")),
        ("GET", format!("/9901/fhir/Patient/{patient}/$kommunale-tjenester")),
        ("POST", format!("/9901/fhir/Patient/{patient}/$news2")),
        ("POST", "/9901/okt/okt-events".to_owned()),
        ("GET", format!("/9901/okt/okt-events/{pid}")),
        ("GET", format!("/9901/okt/okt-status/{pid}")),
        ("POST", "/9901/pmd".to_owned()),
        ("POST", "/9901/pmd/Observation/_search".to_owned()),
        ("POST", "/9901/events".to_owned()),
    ];
    for role in ["plo-epj", "legevaktslege", "innbygger"] {
        let client = server.client(Some(server.token("9902", role, Some(&pid))));
        for (method, path) in &all {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let body = (method == Method::POST || method == Method::PUT).then(|| b"{}".to_vec());
            let answer = client.send(method, path, &[], body);
            assert_eq!(answer.status, 401, "{role} {path}: {}", answer.text);
            assert!(!answer.text.contains(&patient) && !answer.text.contains("Prøve"));
        }
        let cookie = format!("fkj_session={}", client.token.clone().unwrap());
        for page in ["innbygger", "legevakt", "tavle"] {
            let page = format!("/9901/{page}");
            let answer = server.client(None).send(Method::GET, &page, &[("cookie", &cookie)], None);
            assert_eq!(answer.status, 303, "{role} {page}");
        }
    }
    // The same number is another person in the other municipality, about whom nothing is known.
    let elsewhere = server.client(Some(server.token("9902", "legevaktslege", None)));
    let form = format!("patient.identifier={FNR}|{pid}");
    assert!(elsewhere.form("/9902/fhir/Observation/_search", &form).matches().is_empty());
}

#[test]
fn each_role_reads_what_its_work_needs() {
    let server = shared();
    let Known { pid, patient, service, pulse } = known(&server.role("plo-epj"));
    let doctor = server.role("legevaktslege");
    let officer = server.role("saksbehandler");
    let of_patient = |what: &str| format!("/9901/fhir/Patient/{patient}/{what}");
    doctor.get(&of_patient("$kommunale-tjenester")).expect(200);
    doctor.get(&of_patient("$news2")).expect(200);
    assert_eq!(doctor.get("/9901/fhir/Observation").rule(), "patient-not-named");
    officer.get(&of_patient("$kommunale-tjenester")).expect(200);
    officer.get(&format!("/9901/fhir/EpisodeOfCare/{service}")).expect(200);
    for path in [
        of_patient("$news2"),
        format!("/9901/fhir/Observation/{pulse}"),
        format!("/9901/fhir/Observation/{pulse}/_history"),
        format!("/9901/fhir/Observation?patient={patient}"),
    ] {
        assert_eq!(officer.get(&path).rule(), "category-not-for-role", "{path}");
    }
    let form = format!("patient.identifier={FNR}|{pid}");
    let refused = officer.form("/9901/pmd/Observation/_search", &form);
    assert_eq!(refused.rule(), "category-not-for-role");
    // What the search itself does not give, an include does not give either.
    let around =
        officer.get(&format!("/9901/fhir/Patient?_id={patient}&_revinclude=Observation:subject"));
    assert!(!around.text.contains(&pulse), "{}", around.text);
    // People at work and residents deliver nothing.
    for client in [doctor, officer, server.resident(&pid)] {
        let sent = support::content::pulse(&pid, AT, 80);
        assert_eq!(client.post("/9901/fhir/Observation", &sent).rule(), "not-a-system");
    }
}

#[test]
fn the_owner_writes_and_others_read() {
    let server = shared();
    let (source, board) = (server.role("plo-epj"), server.role("tavle"));
    let Known { pid, pulse, .. } = known(&source);
    let path = format!("/9901/fhir/Observation/{pulse}");
    let mut changed = source.get(&path).expect(200);
    changed["status"] = json!("amended");
    assert_eq!(board.put(&path, &changed).rule(), "not-owner");
    assert_eq!(board.send(Method::DELETE, &path, &[], None).rule(), "not-owner");
    let event = json!({ "specversion": "1.0", "id": "steal", "source": "urn:test", "type": "t",
        "data": changed });
    let kind = "application/cloudevents+json";
    assert_eq!(board.post_as("/9901/events", kind, event.to_string()).rule(), "not-owner");
    let steal = bundle("transaction", &[("PUT", &format!("Observation/{pulse}"), &changed)]);
    assert_eq!(board.post("/9901/fhir", &steal).rule(), "not-owner");
    // A system reads back its own and nobody else's.
    board.get(&path).issue(404);
    let form = format!("patient.identifier={FNR}|{pid}");
    assert!(board.form("/9901/fhir/Observation/_search", &form).matches().is_empty());
    let okt = json!({ "personIdentifier": pid, "oktMessages": [{ "startDate": "2025-01-01" }] });
    assert_eq!(board.post("/9901/okt/okt-events", &okt).rule(), "category-not-agreed");
    assert_eq!(source.get(&path).expect(200)["status"], "final");
    source.put(&path, &changed).expect(200);
}

#[test]
fn a_resident_reads_their_own_and_nobody_elses() {
    let server = shared();
    let source = server.role("plo-epj");
    let (mine, other) = (known(&source), known(&source));
    let me = server.resident(&mine.pid);
    me.get(&format!("/9901/fhir/Observation/{}", mine.pulse)).expect(200);
    me.get(&format!("/9901/fhir/Patient/{}/$news2", mine.patient)).expect(200);
    me.get(&format!("/9901/okt/okt-events/{}", mine.pid)).expect(200);
    let all = me.get("/9901/fhir/Observation").matches();
    assert_eq!(all.iter().map(|it| text(&it["id"])).collect::<Vec<_>>(), [mine.pulse]);
    for path in [
        format!("/9901/fhir/Observation/{}", other.pulse),
        format!("/9901/fhir/Observation/{}/_history", other.pulse),
        format!("/9901/fhir/Observation?patient={}", other.patient),
        format!("/9901/fhir/Patient/{}", other.patient),
        format!("/9901/fhir/Patient/{}/$kommunale-tjenester", other.patient),
        format!("/9901/okt/okt-events/{}", other.pid),
        format!("/9901/okt/okt-status/{}", other.pid),
    ] {
        assert_eq!(me.get(&path).rule(), "not-self", "{path}");
    }
    let form = format!("patient.identifier={FNR}|{}", other.pid);
    assert_eq!(me.form("/9901/fhir/Observation/_search", &form).rule(), "not-self");
}

#[test]
fn a_resident_sees_who_looked_and_who_was_refused() {
    let server = shared();
    let Known { pid, patient, .. } = known(&server.role("plo-epj"));
    let look = |role: &str, what: &str| {
        server.role(role).get(&format!("/9901/fhir/Patient/{patient}/{what}")).status
    };
    assert_eq!(look("legevaktslege", "$kommunale-tjenester"), 200);
    assert_eq!(look("saksbehandler", "$news2"), 403);
    let cookie = format!("fkj_session={}", server.token("9901", "innbygger", Some(&pid)));
    let anyone = server.client(None);
    let page = anyone.send(Method::GET, "/9901/innbygger", &[("cookie", &cookie)], None);
    page.expect(200);
    for seen in ["Maja Fjellstad", "Henning Rosseland", "Fikk ikke se"] {
        assert!(page.text.contains(seen), "{seen}");
    }
    assert!(!page.text.contains("Amina Viken"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(anyone.get("/9901/innbygger").status, 303);
}

#[test]
fn every_write_look_and_refusal_is_in_the_audit_ledger() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let Known { pid, patient, pulse, .. } = known(&source);
    let before = audited(&dir, server).len();
    let server = Server::demo(&dir, 0);
    let (source, doctor) = (server.role("plo-epj"), server.role("legevaktslege"));
    let officer = server.role("saksbehandler");
    let path = format!("/9901/fhir/Observation/{pulse}");
    let version = text(&source.get(&path).expect(200)["meta"]["versionId"]);
    doctor.get(&format!("{path}/_history/{version}")).expect(200);
    doctor.get(&format!("{path}/_history")).expect(200);
    doctor.get(&format!("/9901/fhir/Observation?patient={patient}")).expect(200);
    doctor.get(&format!("/9901/fhir/Patient/{patient}/$kommunale-tjenester")).expect(200);
    doctor.get(&format!("/9901/fhir/Patient/{patient}/$news2")).expect(200);
    doctor.get(&format!("/9901/okt/okt-events/{pid}")).expect(200);
    doctor.get(&format!("/9901/okt/okt-status/{pid}")).expect(200);
    officer.get(&path).rule();
    source.post("/9901/fhir/Observation", &support::content::pulse(&pid, AT, 62)).expect(201);
    officer.post("/9901/fhir/Observation", &support::content::pulse(&pid, AT, 62)).rule();
    // An address with an identity number in it is never logged, only its route.
    assert!(server.log().contains("okt-status/{pid}"));
    assert!(!record::identity::contains_number(&server.log()));
    let all = audited(&dir, server);
    assert_eq!(
        all[before..],
        [
            "read plo-epj-9901 1",
            "vread referansevisning-9901 1",
            "history referansevisning-9901 1",
            "search referansevisning-9901 1",
            "overview referansevisning-9901 1",
            "news2 referansevisning-9901 1",
            "okt-events referansevisning-9901 1",
            "okt-status referansevisning-9901 1",
            "read referansevisning-9901 refused category-not-for-role",
            "submit-fhir plo-epj-9901 1",
            "submit-fhir referansevisning-9901 refused not-a-system",
        ]
    );
    let verified = fkj(&["ledger", "verify"], dir.path());
    assert!(verified.status.success());
}

/// The audit ledger of 9901, a line for each entry; the server is ended for it.
fn audited(dir: &Folder, server: Server) -> Vec<String> {
    drop(server);
    let directory = dir.path().join("9901");
    let register = std::fs::read_to_string(directory.join("register.toml")).unwrap();
    let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let tenant = Tenant::open(&directory, toml::from_str(&register).unwrap(), environment).unwrap();
    let entries = tenant.audit().read(1, 1000).unwrap();
    let line = |body: &Body| {
        let Body::Plain(body) = body else { return String::new() };
        let AuditRecord { action, client, resources, refused, .. } =
            serde_json::from_slice(body).unwrap();
        match refused {
            Some(rule) => format!("{action} {client} refused {rule}"),
            None => format!("{action} {client} {resources}"),
        }
    };
    entries.iter().map(|entry| line(&entry.body)).collect()
}
