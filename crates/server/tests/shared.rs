//! Several servers that share their municipalities in one PostgreSQL: what is written by one is read by all, what
//! is closed by one is closed by all, and none answers what it cannot know. Needs PostgreSQL (Debian's package);
//! without it the tests say so and are skipped.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "the ledger's own tests use more of it")]
#[path = "../../ledger/tests/suite/server.rs"]
mod database;
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use database::Server as Database;
use serde_json::{Value, json};
use support::content::{person, pulse, withholding};
use support::{Answer, Client, FKJ, Folder, Server, text};
use ureq::http::Method;

/// A database with no municipality in it yet, and what its servers are configured with.
struct Town {
    database: Database,
    configured: Arc<Folder>,
}

impl Town {
    fn new() -> Option<Self> {
        let database = Database::start()?;
        database.sql("postgres", "CREATE DATABASE town");
        let configured = Folder::new();
        drop(Server::demo(&configured, 0));
        let config = configured.path().join("fkj.toml");
        let ledger = format!("\n[ledger]\nurl = \"{}\"\n", database.address("town"));
        std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + &ledger).unwrap();
        for number in ["9901", "9902"] {
            for file in std::fs::read_dir(configured.path().join(number)).unwrap() {
                let (path, name) = (file.as_ref().unwrap().path(), file.unwrap().file_name());
                if !["register.toml", "municipality.key"].contains(&name.to_str().unwrap()) {
                    drop(std::fs::remove_file(&path));
                    drop(std::fs::remove_dir_all(&path));
                }
            }
        }
        Some(Self { database, configured })
    }

    /// One more server, with a folder of its own.
    fn server(&self) -> Server {
        let folder = Folder::new();
        let copied = Command::new("cp")
            .args(["-r", "--"])
            .arg(self.configured.path().join("."))
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        Server::serve(&folder)
    }
}

/// Starts a server that finds no database taking writes, and lets one come when it says that it waits.
fn serves_when(town: &Town, ledger: &str, come: impl FnOnce()) {
    let address = "listen = \"127.0.0.1:0\"\n";
    let config = town.configured.path().join("fkj.toml");
    let told = std::fs::read_to_string(&config).unwrap();
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("listen")).collect();
    std::fs::write(&config, format!("{address}{}\n", told.join("\n"))).unwrap();
    let mut server = Command::new(FKJ);
    server.arg("serve").arg("--config").arg(&config).args(["--ledger", ledger]);
    let mut child = server.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut until = |awaited: &str| {
        let mut passed = String::new();
        let is_there = lines.by_ref().any(|line| {
            passed.push_str(&format!("{line}\n"));
            line.contains(awaited)
        });
        assert!(is_there, "fkj ended before it said `{awaited}`: {passed}");
        passed
    };
    until("takes no writes; waiting for it");
    come();
    let passed = until("fkj serves on");
    drop(child.kill());
    drop(child.wait());
    assert!(!passed.contains("not opened"), "{passed}");
}

#[test]
fn who_starts_before_the_database_waits_for_it() {
    let Some(town) = Town::new() else { return };
    let database = &town.database;
    database.crash();
    serves_when(&town, &database.address("town"), || database.go());
    // Nor is a standby enough, until it is the one that takes what is written.
    let standby = database.standby();
    serves_when(&town, &standby.address("town"), || standby.promote());
}

/// Asks until it is so; fails where it never comes to be.
#[track_caller]
fn until(mut ask: impl FnMut() -> bool) {
    let asked = (0..4_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        ask()
    });
    assert!(asked, "it never came to be");
}

fn at(client: &Client, path: &str, position: &str) -> Answer {
    let prefer = format!("position={position}");
    client.send(Method::GET, path, &[("prefer", &prefer)], None)
}

/// How often a resident's log names what is at an address.
fn looks(resident: &Client, path: &str) -> usize {
    let what = path.strip_prefix("/9901/fhir/").unwrap();
    resident.get("/9901/log/AuditEvent?_count=100").text.matches(what).count()
}

fn version(resource: &Value) -> String {
    text(&resource["meta"]["versionId"])
}

#[test]
fn what_one_takes_all_read_and_none_overwrites_what_it_has_not_seen() {
    let Some(town) = Town::new() else { return };
    let (here, there) = (town.server(), town.server());
    let (pid, owner) = (person(), "tavle");
    let sent = here.role(owner).post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 61));
    let sent = sent.expect(201);
    let path = format!("/9901/fhir/Observation/{}", text(&sent["id"]));
    // Asked for at the position of the writing, it is there at once.
    let nurse = there.role("sykepleier");
    let read = at(&nurse, &path, &version(&sent)).expect(200);
    assert_eq!(version(&read), version(&sent));
    assert_eq!(at(&nurse, &path, "1000000000").status, 503);
    // Both change the same version at once: one of them is told that there is another.
    for round in 0..10 {
        let current = at(&nurse, &path, "0").expect(200);
        let (mut told, tag) = (Vec::new(), format!("W/\"{}\"", version(&current)));
        let change = |server: &Server, value: u32| {
            let mut changed = pulse(&pid, "2026-01-05", value);
            changed["id"] = sent["id"].clone();
            let headers = [("if-match", tag.as_str()), ("content-type", "application/fhir+json")];
            let body = Some(changed.to_string().into_bytes());
            server.role(owner).send(Method::PUT, &path, &headers, body).status
        };
        std::thread::scope(|scope| {
            let one = scope.spawn(|| change(&here, 100 + round));
            told.push(change(&there, 200 + round));
            told.push(one.join().unwrap());
        });
        told.sort_unstable();
        assert_eq!(told, [200, 412]);
        until(|| version(&at(&nurse, &path, "0").expect(200)) != version(&current));
    }
    // The same event at both is one record.
    let once = pulse(&pid, "2026-01-06", 62).to_string().into_bytes();
    let event = |server: &Server| {
        let headers = [("nhn-event-id", "e-1"), ("content-type", "application/fhir+json")];
        let body = Some(once.clone());
        server.role(owner).send(Method::POST, "/9901/fhir/Observation", &headers, body)
    };
    let (first, again) = (event(&here).expect(201), event(&there).expect(200));
    assert_eq!((first["id"].clone(), version(&first)), (again["id"].clone(), version(&again)));
}

fn act(admin: &Client, path: &str, body: &Value) -> Answer {
    admin.post_as(&format!("/9901/admin/{path}"), "application/json", body.to_string())
}

#[test]
fn what_one_closes_is_closed_at_all_and_every_look_is_in_one_log() {
    let Some(town) = Town::new() else { return };
    let (here, there) = (town.server(), town.server());
    let pid = person();
    let sent = here.role("tavle").post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 61));
    let path = format!("/9901/fhir/Observation/{}", text(&sent.expect(201)["id"]));
    let (nurse, me) = (there.role("sykepleier"), here.resident(&pid));
    until(|| nurse.get(&path).status == 200);
    // The resident sees at one server who looked at another, once.
    let looks = || looks(&me, &path);
    until(|| looks() > 0);
    let block = me.post("/9901/fhir/Consent", &withholding(&pid)).expect(201);
    until(|| nurse.get(&path).status == 404);
    let lifted = format!("/9901/fhir/Consent/{}", text(&block["id"]));
    assert_eq!(me.send(Method::DELETE, &lifted, &[], None).status, 204);
    until(|| nurse.get(&path).status == 200);
    // An erasure that one officer proposes here and another approves there.
    let wanted = json!({ "number": pid, "basis": "wrong-person", "why": "sak 26/118" });
    let proposal = act(&here.role("personvernombud"), "erasures", &wanted).expect(202);
    let approve = format!("proposals/{}/approve", proposal["proposal"]);
    let second = there.role("sikkerhetsleder");
    until(|| act(&second, &approve, &json!({ "why": "enig" })).status == 200);
    until(|| here.role("sykepleier").get(&path).status == 404);
    assert_eq!(there.role("sykepleier").get(&path).status, 404);
    // A system that is stopped at one is stopped at the other.
    let stop = json!({ "stop": { "client": "vkp-9901" }, "why": "feil i målinger" });
    act(&here.role("forvalter"), "switches", &stop).expect(200);
    until(|| {
        let sent =
            there.role("vkp").post("/9901/fhir/Observation", &pulse(&person(), "2026-01-05", 61));
        sent.status == 403 && sent.rule() == "switched-off"
    });
}

#[test]
fn who_cannot_know_answers_nothing_and_goes_on_when_it_can() {
    let Some(town) = Town::new() else { return };
    let (here, there) = (town.server(), town.server());
    let pid = person();
    let sent = here.role("tavle").post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 61));
    let path = format!("/9901/fhir/Observation/{}", text(&sent.expect(201)["id"]));
    let nurse = there.role("sykepleier");
    until(|| nurse.get(&path).status == 200);
    let ready = |server: &Server| server.client(None).get("/readyz");
    assert_eq!((ready(&here).status, ready(&there).status), (200, 200));
    // One is killed and comes back; the other goes on, and the log of both is whole.
    here.kill();
    assert_eq!(nurse.get(&path).status, 200);
    town.database.crash();
    // Read for as long as nothing can have been missed, and not longer.
    until(|| nurse.get(&path).status == 503);
    assert!(ready(&there).text.contains("unaware of what others have recorded"));
    town.database.go();
    until(|| nurse.get(&path).status == 200);
    let more = there.role("tavle").post("/9901/fhir/Observation", &pulse(&pid, "2026-01-06", 62));
    let more = more.expect(201);
    let again = town.server();
    let read = format!("/9901/fhir/Observation/{}", text(&more["id"]));
    assert_eq!(at(&again.role("sykepleier"), &read, &version(&more)).status, 200);
    // What was seen while the database was away is in the log of all.
    until(|| looks(&again.resident(&pid), &path) >= 3);
}
