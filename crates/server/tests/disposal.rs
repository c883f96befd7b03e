//! Erasure, holds and retention over HTTP and on the page: who may, that it is in force at once, that
//! `kill -9` leaves all or nothing, and that no file holds what was erased.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::sync::mpsc;

use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{Answer, Client, FNR, Folder, Server, fkj};
use ureq::http::Method;

const AT: &str = "2026-01-05T10:00:00+01:00";

fn act(admin: &Client, path: &str, body: &Value) -> Answer {
    admin.post_as(&format!("/9901/admin/{path}"), "application/json", body.to_string())
}

fn page(server: &Server, role: &str, form: Option<&str>) -> Answer {
    let cookie = format!("fkj_session={}", server.token("9901", role, None));
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let headers = [("cookie", cookie.as_str()), form_type, ("accept", "text/html")];
    let method = if form.is_some() { Method::POST } else { Method::GET };
    let body = form.map(|form| form.as_bytes().to_vec());
    server.client(None).send(method, "/9901/admin/bevaring", &headers, body)
}

/// A person with a record that no other text is like; the name is told.
fn recorded(server: &Server, pid: &str) -> String {
    let name = format!("Særskilt{pid}");
    let patient = json!({
        "resourceType": "Patient",
        "identifier": [{ "system": FNR, "value": pid }],
        "name": [{ "family": name, "given": ["Siv"] }],
    });
    let plo = server.role("plo-epj");
    plo.post("/9901/fhir/Patient", &patient).expect(201);
    for beats in 61..70 {
        let mut pulse = pulse(pid, AT, beats);
        pulse["note"] = json!([{ "text": format!("{name} målte {beats}") }]);
        plo.post("/9901/fhir/Observation", &pulse).expect(201);
    }
    name
}

fn count(server: &Server, pid: &str) -> usize {
    let form = format!("patient.identifier={FNR}|{pid}&_count=100");
    server.role("sykepleier").form("/9901/fhir/Observation/_search", &form).matches().len()
}

fn proposed(server: &Server, pid: &str) -> u64 {
    let body = json!({ "number": pid, "basis": "wrong-person", "why": "sak 26/118" });
    let answer = act(&server.role("personvernombud"), "erasures", &body);
    let id = answer.expect(202)["proposal"].as_u64().unwrap();
    assert!(answer.header("location").ends_with(&format!("/admin/proposals/{id}")));
    id
}

/// How often a text stands in the files of a folder.
fn found(dir: &Path, needle: &str) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        count += match path.is_dir() {
            true => found(&path, needle),
            false => {
                let bytes = std::fs::read(&path).unwrap().to_ascii_lowercase();
                let needle = needle.to_ascii_lowercase();
                bytes.windows(needle.len()).filter(|it| *it == needle.as_bytes()).count()
            }
        };
    }
    count
}

#[test]
fn two_officers_erase_a_person_and_it_is_in_force_at_the_next_request() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let (pid, other) = (person(), person());
    let (name, kept) = (recorded(&server, &pid), recorded(&server, &other));
    let (officer, second) = (server.role("personvernombud"), server.role("sikkerhetsleder"));
    let body = json!({ "number": pid, "basis": "wrong-person", "why": "sak 26/118" });
    for role in ["forvalter", "legevaktslege", "plo-epj", "utvikler"] {
        assert_eq!(act(&server.role(role), "erasures", &body).rule(), "no-duty", "{role}");
        assert_eq!(server.role(role).get("/9901/admin/retention").rule(), "no-duty", "{role}");
    }
    for wrong in [
        json!({ "basis": "wrong-person", "why": "x" }),
        json!({ "number": pid, "person": "x", "basis": "wrong-person", "why": "x" }),
        json!({ "number": pid, "basis": "bored", "why": "x" }),
    ] {
        act(&officer, "erasures", &wrong).issue(400);
    }
    let empty = json!({ "number": pid, "basis": "wrong-person", "why": " " });
    assert!(act(&officer, "erasures", &empty).issue(422).contains("why"));
    let early = json!({ "number": pid, "basis": "retention-ended", "why": "x" });
    assert!(act(&officer, "erasures", &early).issue(422).contains("has not run"));
    let nobody = json!({ "number": person(), "basis": "on-request", "why": "x" });
    act(&officer, "erasures", &nobody).issue(404);
    let id = proposed(&server, &pid);
    let hold = json!({ "number": pid, "why": "tilsynssak" });
    let hold = act(&second, "holds", &hold).expect(200)["hold"].as_u64().unwrap();
    let approve = format!("proposals/{id}/approve");
    let why = json!({ "why": "enig" });
    assert_eq!(act(&officer, &approve, &why).rule(), "second-person");
    assert!(act(&second, &approve, &why).issue(422).contains("hold"));
    let holds = officer.get("/9901/admin/holds").expect(200);
    assert_eq!(holds["holds"][0]["held"]["why"], "tilsynssak");
    act(&officer, &format!("holds/{hold}/lift"), &why).expect(200);
    act(&officer, &format!("holds/{hold}/lift"), &why).issue(410);
    assert_eq!(count(&server, &pid), 9);
    act(&second, &approve, &why).expect(200);
    assert_eq!((count(&server, &pid), count(&server, &other)), (0, 9));
    let again = server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 80));
    again.issue(410);
    let told = officer.get("/9901/admin/erasures").expect(200);
    assert_eq!(told["erasures"][0]["basis"], "wrong-person");
    assert_eq!(told["erasures"][0]["approvedBy"], "Bjarte Lunde");
    let retention = officer.get("/9901/admin/retention").expect(200);
    assert_eq!(retention, json!({ "due": [], "whole": true }));
    server.kill();
    assert_eq!((found(dir.path(), &name), found(dir.path(), &pid)), (0, 0));
    assert!(found(dir.path(), &kept) > 0);
    let verified = fkj(&["ledger", "verify", "--kommune", "9901"], dir.path());
    assert!(verified.status.success());
    let told = fkj(&["disposal", "erasures", "--kommune", "9901"], dir.path());
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["erasures"][0]["proposedBy"], "Sigrun Nesse");
    let due = fkj(&["disposal", "due", "--kommune", "9901"], dir.path());
    assert_eq!(serde_json::from_slice::<Value>(&due.stdout).unwrap()["whole"], true);
}

#[test]
fn two_officers_erase_one_record_and_the_rest_stays() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let pid = person();
    let name = recorded(&server, &pid);
    let (officer, second) = (server.role("personvernombud"), server.role("sikkerhetsleder"));
    let plo = server.role("plo-epj");
    let mut wrong = pulse(&pid, AT, 99);
    wrong["identifier"] = json!([{ "system": "urn:plo", "value": "hendelse-99" }]);
    wrong["note"] = json!([{ "text": "Merkverdig feilføring" }]);
    let made = plo.post("/9901/fhir/Observation", &wrong).expect(201);
    let (record, address) = {
        let id = made["id"].as_str().unwrap();
        (format!("Observation/{id}"), format!("/9901/fhir/Observation/{id}"))
    };
    let body = json!({ "record": record, "basis": "wrong-person", "why": "sak 26/119" });
    for role in ["forvalter", "legevaktslege", "plo-epj"] {
        assert_eq!(act(&server.role(role), "erasures", &body).rule(), "no-duty", "{role}");
    }
    let mut both = body.clone();
    both["number"] = json!(pid);
    act(&officer, "erasures", &both).issue(400);
    let patient =
        json!({ "record": format!("Patient/{pid}"), "basis": "wrong-person", "why": "x" });
    act(&officer, "erasures", &patient).issue(404);
    let id = act(&officer, "erasures", &body).expect(202)["proposal"].as_u64().unwrap();
    let approve = format!("proposals/{id}/approve");
    let why = json!({ "why": "enig" });
    assert_eq!(act(&officer, &approve, &why).rule(), "second-person");
    assert_eq!(count(&server, &pid), 10);
    act(&second, &approve, &why).expect(200);
    assert_eq!(count(&server, &pid), 9);
    assert!(plo.get(&address).issue(410).contains("erased for good"));
    plo.get(&format!("{address}/_history/{}", made["meta"]["versionId"].as_str().unwrap()))
        .issue(410);
    let history = plo.get(&format!("{address}/_history")).expect(200);
    assert_eq!(history["total"], 1);
    assert_eq!(history["entry"][0]["response"]["outcome"]["issue"][0]["code"], "deleted");
    plo.post("/9901/fhir/Observation", &wrong).issue(410);
    plo.post("/9901/fhir/Observation", &pulse(&pid, AT, 98)).expect(201);
    let told = officer.get("/9901/admin/erasures").expect(200);
    assert_eq!(
        (told["records"][0]["record"].as_str(), &told["erasures"]),
        (Some(&*record), &json!([]))
    );
    assert_eq!(told["records"][0]["approvedBy"], "Bjarte Lunde");
    server.kill();
    assert_eq!(found(dir.path(), "Merkverdig feilføring"), 0);
    assert!(found(dir.path(), &name) > 0);
    let server = Server::demo(&dir, 0);
    assert_eq!(count(&server, &pid), 10);
    assert!(server.role("plo-epj").get(&address).issue(410).contains("erased for good"));
    server.kill();
    let verified = fkj(&["ledger", "verify", "--kommune", "9901"], dir.path());
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let told = fkj(&["disposal", "erasures", "--kommune", "9901"], dir.path());
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["records"][0]["basis"], "wrong-person");
}

/// The server is killed while the erasure goes on and others write. At the next start it is as if nothing
/// had happened, or all of it is done.
#[test]
fn kill_9_leaves_all_of_a_person_or_nothing() {
    let dir = Folder::new();
    let (mut erased, mut kept) = (0, 0);
    for round in 0..8 {
        let server = Server::demo(&dir, 0);
        let (pid, other) = (person(), person());
        let name = recorded(&server, &pid);
        let id = proposed(&server, &pid);
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            let (plo, second) = (server.role("plo-epj"), server.role("sikkerhetsleder"));
            let (begin, begun) = mpsc::channel();
            scope.spawn(move || {
                let path = format!("/9901/admin/proposals/{id}/approve");
                let headers = [("content-type", "application/json")];
                begin.send(()).unwrap();
                let body = Some(br#"{ "why": "enig" }"#.to_vec());
                drop(second.try_send(Method::POST, &path, &headers, body));
            });
            scope.spawn(move || {
                for beats in 0.. {
                    let body = Some(pulse(&other, AT, beats).to_string().into_bytes());
                    let headers = [("content-type", "application/fhir+json")];
                    let path = "/9901/fhir/Observation";
                    if plo.try_send(Method::POST, path, &headers, body).is_err() {
                        return;
                    }
                    let _ = tell.send(beats);
                }
            });
            begun.recv().unwrap();
            told.iter().take(round).for_each(drop);
            server.kill();
        });
        let server = Server::demo(&dir, 0);
        let erasures = server.role("personvernombud").get("/9901/admin/erasures").expect(200);
        let all = erasures["erasures"].as_array().unwrap().len();
        match count(&server, &pid) {
            0 => {
                erased += 1;
                assert_eq!(all, erased, "round {round}: the fact is there");
                server.kill();
                assert_eq!((found(dir.path(), &name), found(dir.path(), &pid)), (0, 0));
            }
            9 => {
                kept += 1;
                assert_eq!(all, erased, "round {round}: nothing was done");
                let why = json!({ "why": "enig" });
                let path = format!("proposals/{id}/approve");
                act(&server.role("sikkerhetsleder"), &path, &why).expect(200);
                erased += 1;
                assert_eq!(count(&server, &pid), 0);
            }
            half => panic!("round {round}: {half} of 9 are left"),
        }
    }
    eprintln!("{kept} of 8 were killed before the erasure was on disk");
    let verified = fkj(&["ledger", "verify", "--kommune", "9901"], dir.path());
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn officers_do_it_on_the_page() {
    let server = Server::demo(&Folder::new(), 0);
    let pid = person();
    let name = recorded(&server, &pid);
    assert_eq!(page(&server, "forvalter", None).status, 403);
    let done = |role: &str, form: &str| {
        let answer = page(&server, role, Some(form));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    };
    let held = done("personvernombud", &format!("act=hold&number={pid}&why=tilsyn"));
    assert!(held.contains("tilsyn") && !held.contains(&name));
    let form = format!("act=propose&number={pid}&ground=wrong-person&why=sak+118");
    let refused = page(&server, "personvernombud", Some(&form));
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Noen har stanset sletting for personen."), "{}", refused.text);
    let holds = server.role("personvernombud").get("/9901/admin/holds").expect(200);
    let hold = holds["holds"][0]["id"].as_u64().unwrap();
    done("sikkerhetsleder", &format!("act=lift&id={hold}&why=avgjort"));
    let own = done("personvernombud", &form);
    assert!(own.contains("sak 118") && !own.contains("Slett alt om personen</button>"));
    let proposals = server.role("sikkerhetsleder").get("/9901/admin/proposals").expect(200);
    let id = proposals["proposals"][0]["id"].as_u64().unwrap();
    assert!(page(&server, "sikkerhetsleder", None).text.contains("Slett alt om personen</button>"));
    let after = done("sikkerhetsleder", &format!("act=approve&id={id}&why=enig"));
    assert!(after.contains("Ført på feil person") && !after.contains("sak 118"));
    // One record.
    let other = person();
    recorded(&server, &other);
    let wrong = server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&other, AT, 99));
    let record = format!("Observation/{}", wrong.expect(201)["id"].as_str().unwrap());
    let form = |record: &str| {
        format!("act=propose-record&record={record}&ground=wrong-person&request=&why=sak+119")
    };
    let refused = page(&server, "personvernombud", Some(&form("Observation/finnes-ikke")));
    assert_eq!(refused.status, 404);
    assert!(refused.text.contains("Opplysningen finnes ikke her"), "{}", refused.text);
    assert!(done("personvernombud", &form(&record)).contains(&record));
    let proposals = server.role("sikkerhetsleder").get("/9901/admin/proposals").expect(200);
    let id = proposals["proposals"][0]["id"].as_u64().unwrap();
    let shown = page(&server, "sikkerhetsleder", None).text;
    assert!(shown.contains("Slett opplysningen for godt</button>"), "{shown}");
    done("sikkerhetsleder", &format!("act=approve&id={id}&why=enig"));
    assert_eq!(count(&server, &other), 9);
    assert_eq!(count(&server, &pid), 0);
}
