//! The log through the door: AuditEvents, checkpoints and proofs, what leaves for others to keep, and that
//! nothing is told that is not written down.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use support::content::{person, pulse};
use support::{Answer, Client, FKJ, FNR, Folder, Server, entries, fkj, shared, text};

/// A resident about whom something is known, and who has been looked at.
fn seen(server: &Server) -> String {
    let pid = person();
    server.role("tavle").post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 71)).expect(201);
    let form = format!("patient.identifier={FNR}|{pid}&code=8867-4");
    server.role("sykepleier").form("/9901/fhir/Observation/_search", &form).expect(200);
    pid
}

fn detail<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    let details = event["entity"][0]["detail"].as_array().unwrap();
    details.iter().find(|it| it["type"] == name)?["valueString"].as_str()
}

#[test]
fn a_look_is_in_the_log_with_who_why_what_and_where_from() {
    let server = shared();
    let pid = seen(&server);
    let events = server.resident(&pid).get("/9901/log/AuditEvent?subtype=search").matches();
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["purposeOfEvent"][0]["coding"][0]["code"], "TREAT");
    assert_eq!(event["agent"][0]["name"], "Jonas Hellebust");
    assert!(event["meta"]["profile"][0].as_str().unwrap().ends_with("Trustframework-Auditevent"));
    let contained = event["contained"].as_array().unwrap();
    let of = |kind: &str| contained.iter().find(|it| it["resourceType"] == kind).unwrap();
    assert_eq!(of("Practitioner")["identifier"][0]["value"], "222900029");
    assert_eq!(of("Encounter")["serviceType"]["coding"][0]["code"], "KP02");
    assert!(of("Location")["name"].is_string());
    assert_eq!(detail(event, "network"), Some("loopback"));
    assert_eq!(detail(event, "request").unwrap().len(), 16);
    assert!(detail(event, "position").unwrap().parse::<u64>().unwrap() > 0);
    let query = event["entity"][0]["query"].as_str().unwrap();
    assert!(!query.is_empty());
    assert!(!events[0].to_string().contains(&pid), "no identity number");
    // The id in the answer is the one in the log.
    let answer = server.resident(&pid).get("/9901/log/AuditEvent?_count=1");
    let request = answer.header("x-request-id").to_owned();
    let found = server.resident(&pid).get("/9901/log/AuditEvent?subtype=audit-events").matches();
    assert!(found.iter().any(|event| detail(event, "request") == Some(request.as_str())));
    // As XML too, and one by one.
    let one = format!("/9901/log/AuditEvent/{}", text(&event["id"]));
    assert_eq!(server.resident(&pid).get(&one).expect(200), *event);
    let xml = server.resident(&pid).get(&format!("{one}?_format=xml"));
    assert!(xml.text.contains("<AuditEvent xmlns=\"http://hl7.org/fhir\">"), "{}", xml.text);
    // What we print is what we would take.
    let report = server.role("utvikler").post("/9901/fhir/AuditEvent/$validate", event).expect(200);
    let grave = |issue: &&Value| ["error", "fatal"].contains(&text(&issue["severity"]).as_str());
    let issues = report["issue"].as_array().unwrap();
    assert_eq!(issues.iter().filter(grave).count(), 0, "{report}");
    for role in ["plo-epj", "utvikler", "sykepleier"] {
        server.role(role).get("/9901/log/AuditEvent").rule();
    }
    let officer = server.role("personvernombud");
    let form = format!("patient={FNR}|{pid}&outcome=0");
    let found = officer.form("/9901/log/AuditEvent/_search", &form).expect(200);
    assert!(entries(&found, "match").len() > 3);
    assert!(!found.to_string().contains(&pid));
    assert_eq!(server.client(None).get("/9901/log/AuditEvent").status, 401);
    assert_eq!(server.role("plo-epj").get("/9902/log/AuditEvent").status, 401);
}

/// `fkj audit verify` on a proof.
fn verified(key: &str, proof: &Path) -> (bool, String) {
    let verify = ["audit", "verify", "--key", key, "--proof"];
    let output = Command::new(FKJ).args(verify).arg(proof).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_third_party_verifies_a_proof_and_that_nothing_was_rewritten() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let pid = seen(&server);
    let own = server.resident(&pid);
    let events = own.get("/9901/log/AuditEvent?subtype=search").matches();
    let position = text(&events[0]["id"]);
    let nobody = server.client(None);
    let key = nobody.get("/9901/admin/log/key").text.trim().to_owned();
    let proof = own.get(&format!("/9901/admin/log/proof?position={position}"));
    assert_eq!(proof.status, 200);
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("proof");
    std::fs::write(&file, &proof.text).unwrap();
    let (sound, said) = verified(&key, &file);
    assert!(sound && said.contains(&format!("entry {position} of fkj.no/9901/audit")), "{said}");
    std::fs::write(&file, proof.text.replacen("index ", "index 1", 1)).unwrap();
    assert!(!verified(&key, &file).0);
    // Checkpoints and what connects them are for everybody, the entry is not.
    let note = nobody.get("/9901/admin/log/checkpoint").text;
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    assert_eq!(nobody.get(&format!("/9901/admin/log/checkpoint/{size}")).text, note);
    assert_eq!(nobody.get("/9901/admin/log/checkpoint/999999").status, 404);
    let between = format!("/9901/admin/log/consistency?from=1&to={size}");
    assert!(nobody.get(&between).text.lines().count() > 1);
    assert_eq!(nobody.get("/9901/admin/log/consistency?from=1&to=999999").status, 404);
    assert_eq!(nobody.get("/9901/admin/log/consistency?from=1").status, 400);
    let path = format!("/9901/admin/log/proof?position={position}");
    assert_eq!(nobody.get(&path).status, 401);
    server.role("sykepleier").get(&path).rule();
    assert_eq!(server.resident(&person()).get(&path).status, 404);
    let clinical = nobody.get("/9901/admin/log/key?ledger=clinical").text;
    assert!(clinical.starts_with("fkj.no/9901/ledger+"));
    drop(server);
    // Offline, against what was kept.
    let known = outside.path().join("kept");
    std::fs::write(&known, &note).unwrap();
    assert!(fkj(&["ledger", "verify", "--kommune", "9901"], dir.path()).status.success());
    let against = |file: &Path| {
        let mut command = Command::new(FKJ);
        command.args(["audit", "verify", "--key", &key, "--known"]).arg(&known);
        let output = command.arg("--file").arg(file).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (sound, said) = against(&dir.path().join("9901/audit.db"));
    assert!(sound && said.contains("nothing before the 1 checkpoints given was changed"), "{said}");
    // Another municipality's log under the same name does not pass: it is shorter and other.
    let (sound, said) = against(&dir.path().join("9902/audit.db"));
    assert!(!sound && !said.is_empty(), "{said}");
    let prove = ["audit", "prove", "--kommune", "9901", "--position", &position];
    let printed = fkj(&prove, dir.path());
    std::fs::write(&file, printed.stdout).unwrap();
    assert!(verified(&key, &file).0);
}

/// Puts a `[log]` section into the configuration of a demo's folder.
fn configured(dir: &Arc<Folder>, section: &str) {
    let path = dir.path().join("fkj.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = config.split_once("[[issuers]]").unwrap();
    std::fs::write(path, format!("{head}{section}\n\n[[issuers]]{rest}")).unwrap();
}

/// A folder of a demo that has been made and stopped.
fn made() -> Arc<Folder> {
    let dir = Folder::new();
    drop(Server::demo(&dir, 0));
    dir
}

#[test]
fn checkpoints_leave_for_a_place_outside() {
    let dir = made();
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("checkpoints");
    configured(&dir, &format!("[log]\ncheckpoints = \"{}\"\n", file.display()));
    let sizes = || -> Vec<u64> {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let of = |line: &(usize, &str)| line.1 == "fkj.no/9901/audit";
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().copied().enumerate().filter(of);
        at.map(|(n, _)| lines[n + 1].parse().unwrap()).collect()
    };
    for round in 1..=2 {
        let server = Server::serve(&dir);
        seen(&server);
        drop(server);
        // What the last round recorded is signed at the next start.
        let server = Server::serve(&dir);
        while sizes().len() < round {
            assert!(!server.log().contains("checkpoints not kept"), "{}", server.log());
            std::thread::yield_now();
        }
    }
    let found = sizes();
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "each once: {found:?}");
}

/// Takes one request of HTTP/1.1; its content.
fn request(stream: &mut TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Positions of 9901's entries in an OTLP request.
fn otlp_positions(body: &Value) -> Vec<u64> {
    let value = |attributes: &Value, key: &str| {
        let all = attributes.as_array().unwrap();
        let found = all.iter().find(|it| it["key"] == key).unwrap();
        text(&found["value"]["stringValue"])
    };
    let resources = body["resourceLogs"].as_array().unwrap();
    let own = resources
        .iter()
        .filter(|it| value(&it["resource"]["attributes"], "fkj.municipality") == "9901");
    let records = own.flat_map(|it| it["scopeLogs"][0]["logRecords"].as_array().unwrap());
    records.map(|it| value(&it["attributes"], "fkj.position").parse().unwrap()).collect()
}

fn answer(stream: &mut TcpStream, status: &str) {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
    stream.write_all(head.as_bytes()).unwrap();
}

/// How many entries 9901's log has: the officer reads until there is no more.
fn end_of_log(server: &Server) -> u64 {
    let events = server.role("personvernombud").get("/9901/log/AuditEvent?_count=1").matches();
    text(&events[0]["id"]).parse().unwrap()
}

#[test]
fn a_collector_gets_every_entry_whether_it_fails_hangs_up_or_the_server_restarts() {
    let dir = made();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}/v1/logs", listener.local_addr().unwrap());
    configured(&dir, &format!("[[log.export]]\nname = \"soc\"\nto = \"{to}\"\n"));
    let server = Server::serve(&dir);
    let pid = seen(&server);
    // Down: it hangs up, then it says that it cannot.
    drop(listener.accept().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    let refused: Option<Value> = request(&mut stream);
    answer(&mut stream, "503 Service Unavailable");
    drop(stream);
    let end = end_of_log(&server);
    let mut got: Vec<u64> = Vec::new();
    let mut bodies = String::new();
    let mut take = |until: u64, got: &mut Vec<u64>| {
        while got.last().is_none_or(|last| *last < until) {
            let (mut stream, _) = listener.accept().unwrap();
            let Some(body) = request(&mut stream) else { continue };
            answer(&mut stream, "200 OK");
            got.extend(otlp_positions(&body));
            bodies.push_str(&body.to_string());
        }
    };
    take(end, &mut got);
    drop(server);
    let server = Server::serve(&dir);
    seen(&server);
    let end = end_of_log(&server);
    take(end, &mut got);
    let distinct: BTreeSet<u64> = got.iter().copied().collect();
    assert!((1..=end).all(|position| distinct.contains(&position)), "{got:?}");
    assert!(refused.unwrap()["resourceLogs"].is_array());
    for secret in [pid.as_str(), "Hellebust", "8867-4"] {
        assert!(!bodies.contains(secret), "{secret}");
    }
    assert!(bodies.contains("\"fkj.person\"") && bodies.contains("\"severityNumber\":9"));
}

/// One message of a stream, framed by octet counting.
fn framed(reader: &mut impl BufRead) -> Option<String> {
    let mut length = Vec::new();
    reader.read_until(b' ', &mut length).ok()?;
    let length = String::from_utf8(length).ok()?;
    let mut message = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut message).ok()?;
    String::from_utf8(message).ok()
}

fn syslog_position(message: &str) -> Option<u64> {
    let own = message.contains("municipality=\"9901\"");
    let (_, rest) = message.split_once(" position=\"")?;
    own.then(|| rest.split('"').next()?.parse().ok())?
}

#[test]
fn syslog_by_tcp_goes_on_after_the_receiver_was_gone() {
    let dir = made();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("syslog+tcp://{}", listener.local_addr().unwrap());
    configured(&dir, &format!("[[log.export]]\nname = \"soc\"\nto = \"{to}\"\n"));
    let server = Server::serve(&dir);
    seen(&server);
    // One that hangs up after the first message, whatever stands in the buffers.
    let (stream, _) = listener.accept().unwrap();
    let first = framed(&mut BufReader::new(stream)).unwrap();
    assert!(
        first.starts_with("<110>1 20") && first.contains(" fkj - audit [fkj@32473 "),
        "{first}"
    );
    seen(&server);
    let end = end_of_log(&server);
    let mut got = BTreeSet::new();
    while !(1..=end).all(|position| got.contains(&position)) {
        // Each municipality has a line of its own.
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        // Read until everything is there, or the line is of the other municipality.
        while let Some(message) = framed(&mut reader) {
            let Some(position) = syslog_position(&message) else { break };
            got.insert(position);
            if (1..=end).all(|position| got.contains(&position)) {
                break;
            }
        }
    }
    assert!(!server.log().contains("panicked"));
}

/// Every door that tells something about a person, and that it does.
fn doors(server: &Server, pid: &str) -> Vec<(&'static str, Answer)> {
    let nurse = server.role("sykepleier");
    let own = server.resident(pid);
    let search = format!("patient.identifier={FNR}|{pid}");
    let form = |client: &Client, path: &str| client.form(path, &search);
    vec![
        ("search", form(&nurse, "/9901/fhir/Observation/_search")),
        ("pmd", form(&nurse, "/9901/pmd/Observation/_search")),
        ("okt", own.get(&format!("/9901/okt/okt-events/{pid}"))),
        ("own", own.get("/9901/fhir/Observation")),
        ("history", own.get("/9901/fhir/Observation/_history")),
        ("log", own.get("/9901/log/AuditEvent")),
        ("refusal", form(&server.role("saksbehandler"), "/9901/fhir/Observation/_search")),
        (
            "delivery",
            server.role("tavle").post("/9901/fhir/Observation", &pulse(pid, "2026-01-06", 70)),
        ),
    ]
}

/// The disk takes no more: nothing is told, and nothing is taken, without its entry in the log. With room
/// again, all is as before.
#[test]
fn a_full_disk_answers_503_and_tells_nothing() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 0);
    let pid = seen(&server);
    for (door, answer) in doors(&server, &pid) {
        assert_ne!(answer.status, 503, "{door}: {}", answer.text);
    }
    drop(server);
    // Files may grow no further than the audit ledger's write-ahead file needs for a few entries.
    let server = Server::limited(&dir, 400);
    let officer = server.role("personvernombud");
    let (mut told, mut refused) = (0, 0);
    while refused < 3 {
        let answer = server.resident(&pid).get("/9901/fhir/Observation");
        match answer.status {
            200 => told += 1,
            503 => refused += 1,
            other => assert_eq!(other, 503, "{}", answer.text),
        }
        assert!(told < 20_000, "the disk is never full");
    }
    for (door, answer) in doors(&server, &pid) {
        assert_eq!(answer.status, 503, "{door}: {}", answer.text);
        assert!(!answer.text.contains("valueQuantity"), "{door}");
    }
    assert_eq!(officer.get("/9901/log/AuditEvent").status, 503);
    drop(server);
    let server = Server::serve(&dir);
    let looks = server.resident(&pid);
    let mut logged = 0;
    let mut next =
        Some("/9901/log/AuditEvent?subtype=search&agent-role=resident&_count=1000".to_owned());
    while let Some(address) = next {
        let bundle = looks.get(&address).expect(200);
        logged += entries(&bundle, "match").len();
        let links = bundle["link"].as_array().unwrap();
        next = links.iter().find(|it| it["relation"] == "next").map(|it| text(&it["url"]));
    }
    assert!(logged >= told, "{told} told, {logged} logged");
    drop(server);
    assert!(fkj(&["ledger", "verify", "--kommune", "9901"], dir.path()).status.success());
}
