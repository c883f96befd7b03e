//! A demo municipality leaves by the command and is founded anew elsewhere: the same answers over HTTP; whatever
//! ends the commands in their middle, what is there is whole or says that it is not.
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

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use database::Server as Database;
use support::content::{person, pulse};
use support::{FKJ, FNR, Folder, Server, ids};

const AT: &str = "2026-01-05T10:00:00+01:00";
const ACT: [&str; 4] = ["--who", "Torbjørg Aune", "--why", "kommunen flytter"];

fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> Command {
    let mut command = Command::new(FKJ);
    command.args(arguments);
    for (name, path) in paths {
        if !name.is_empty() {
            command.arg(name);
        }
        command.arg(path);
    }
    command
}

fn told(output: &Output) -> String {
    [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat()
}

fn good(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

fn bad(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", told(&output));
    told(&output)
}

fn export(dir: &Path, to: &Path) -> Command {
    let arguments = [&["export", "--kommune", "9901"], &ACT[..]].concat();
    run(&arguments, &[("--dir", dir), ("--to", to)])
}

fn found(from: &Path, key: &str, dir: &Path) -> Command {
    let arguments = [&["found", "--key", key], &ACT[..]].concat();
    run(&arguments, &[("--from", from), ("--dir", dir)])
}

fn verify(from: &Path, key: &str) -> Command {
    run(&["verify-export", "--key", key], &[("", from)])
}

fn key(dir: &Path) -> String {
    good(run(&["audit", "key", "--kommune", "9901"], &[("--dir", dir)])).trim().to_owned()
}

/// Another installation, with the same issuer, for the one municipality; administrators as in the demo.
fn elsewhere(from: &Path) -> Arc<Folder> {
    let anew = Folder::new();
    let path = anew.path().join("fkj.toml");
    let text = std::fs::read_to_string(from.join("fkj.toml")).unwrap();
    let mut config: toml::Table = toml::from_str(&text).unwrap();
    config["municipalities"].as_array_mut().unwrap().truncate(1);
    std::fs::write(path, toml::to_string(&config).unwrap()).unwrap();
    let sandbox = anew.path().join("sandbox");
    std::fs::create_dir(&sandbox).unwrap();
    for file in std::fs::read_dir(from.join("sandbox")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), sandbox.join(file.file_name())).unwrap();
    }
    anew
}

/// What a nurse and the owner find.
fn seen(server: &Server, pid: &str) -> [Vec<String>; 4] {
    let one = format!("patient.identifier={FNR}|{pid}&_count=1000&_sort=_id");
    let find = |role: &str, kind: &str, form: &str| {
        ids(&server.role(role).form(&format!("/9901/fhir/{kind}/_search"), form).matches())
    };
    [
        find("sykepleier", "Observation", &one),
        find("plo-epj", "Observation", "_count=1000&_sort=_id&code=8867-4"),
        find("plo-epj", "EpisodeOfCare", "_count=1000&_sort=_id"),
        find("plo-epj", "Patient", "_count=1000&_sort=_id"),
    ]
}

#[test]
fn a_municipality_moves_to_another_installation_with_the_same_answers() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 3);
    let pid = person();
    for beats in 61..64 {
        server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, beats)).expect(201);
    }
    let before = seen(&server, &pid);
    assert!(before[2].len() > 10 && before[3].len() > 3, "{before:?}");
    let place = Folder::new();
    // What is in use by a server is not left half.
    assert!(bad(export(dir.path(), place.path())).contains("open in another process"));
    server.kill();
    let stated = good(export(dir.path(), place.path()));
    let (key, from) = (key(dir.path()), place.path().join("9901"));
    assert!(stated.contains(&key), "{stated}");
    assert!(good(verify(&from, &key)).contains("the chain is whole"));

    let anew = elsewhere(dir.path());
    // The first thing that another reader of the folder could do to it.
    let line = from.join("current/Patient.ndjson");
    let whole = std::fs::read(&line).unwrap();
    std::fs::write(
        &line,
        String::from_utf8_lossy(&whole).replacen("\"Patient\"", "\"patient\"", 1),
    )
    .unwrap();
    for refused in [verify(&from, &key), found(&from, &key, anew.path())] {
        assert!(bad(refused).contains("`current/Patient.ndjson`, line 1: "));
    }
    assert!(!anew.path().join("9901").exists());
    std::fs::write(&line, whole).unwrap();
    let of_another = key.replace("9901", "9902");
    assert!(bad(verify(&from, &of_another)).contains("verifier key"));

    assert!(good(found(&from, &key, anew.path())).contains("9901: founded with"));
    assert!(bad(found(&from, &key, anew.path())).contains("holds something already"));
    let server = Server::serve(&anew);
    assert_eq!(seen(&server, &pid), before);
    server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 99)).expect(201);
    assert_eq!(seen(&server, &pid)[0].len(), before[0].len() + 1);
    server.kill();
    let sound = good(run(&["ledger", "verify"], &[("--dir", anew.path())]));
    assert_eq!(sound.matches("the chain is whole").count(), 2, "{sound}");
}

/// The municipality of `elsewhere` is to be in this database.
fn be_in(dir: &Path, database: &Database) {
    database.sql("postgres", "CREATE DATABASE town");
    let config = dir.join("fkj.toml");
    let ledger = format!("\n[ledger]\nurl = \"{}\"\n", database.address("town"));
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + &ledger).unwrap();
}

/// The schemas in it, as they are called.
fn schemas(database: &Database) -> String {
    let all = "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace
               WHERE nspname ~ '^(fkj|unfinished)_'";
    database.sql("town", all).trim().to_owned()
}

#[test]
fn a_municipality_is_founded_in_a_database_whole_or_not_at_all() {
    let Some(database) = Database::start() else { return };
    let dir = Folder::new();
    let server = Server::demo(&dir, 3);
    let pid = person();
    server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 61)).expect(201);
    let before = seen(&server, &pid);
    server.kill();
    let place = Folder::new();
    good(export(dir.path(), place.path()));
    let (key, from) = (key(dir.path()), place.path().join("9901"));
    let anew = elsewhere(dir.path());
    be_in(anew.path(), &database);
    // Whatever ends it, there is nothing by the municipality's name until there is everything.
    let finished = "fkj_9901_audit fkj_9901_keys fkj_9901_ledger";
    let mut after = Duration::from_millis(10);
    while !ended(found(&from, &key, anew.path()), after) {
        let there = schemas(&database);
        assert!(!there.contains("fkj_") || there == finished, "{there}");
        if there == finished {
            break;
        }
        assert!(!anew.path().join("9901").exists());
        after = after * 5 / 4;
    }
    // One that was ended in its last moment has its names, and its folder not yet.
    if !anew.path().join("9901").exists() {
        assert!(bad(found(&from, &key, anew.path())).contains("off the name of its folder"));
        let begun = anew.path().join("9901.unfinished");
        std::fs::rename(begun, anew.path().join("9901")).unwrap();
    }
    assert_eq!(schemas(&database), finished);
    assert!(bad(found(&from, &key, anew.path())).contains("holds something already"));
    let other = elsewhere(dir.path());
    std::fs::copy(anew.path().join("fkj.toml"), other.path().join("fkj.toml")).unwrap();
    let refused = bad(found(&from, &key, other.path()));
    assert!(refused.contains("the database has a municipality 9901"), "{refused}");
    assert!(!other.path().join("9901").exists());

    let server = Server::serve(&anew);
    assert_eq!(seen(&server, &pid), before);
    server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, 99)).expect(201);
    assert_eq!(seen(&server, &pid)[0].len(), before[0].len() + 1);
    server.kill();
    let sound = good(run(&["ledger", "verify"], &[("--dir", anew.path())]));
    assert_eq!(sound.matches("the chain is whole").count(), 2, "{sound}");
    // And it leaves from there as it came: every entry of before is where it was.
    let again = Folder::new();
    good(export(anew.path(), again.path()));
    let lines = |folder: &Path| {
        let text = std::fs::read_to_string(folder.join("9901/current/Observation.ndjson")).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (lines(place.path()), lines(again.path()));
    assert!(second.len() == first.len() + 1 && first.iter().all(|it| second.contains(it)));
}

/// Starts a command and ends it after a while, which grows from one attempt to the next; whether it had
/// ended by itself.
fn ended(mut command: Command, after: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    let done = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    done
}

#[test]
fn whatever_ends_it_in_its_middle_what_is_there_is_whole_or_says_that_it_is_not() {
    let dir = Folder::new();
    let server = Server::demo(&dir, 3);
    server.kill();
    let (key, place) = (key(dir.path()), Folder::new());
    let to = place.path().join("9901");
    let mut after = Duration::from_millis(10);
    while !ended(export(dir.path(), place.path()), after) {
        if to.exists() {
            break;
        }
        let half = place.path().join("9901.unfinished");
        if half.exists() {
            let verdict = verify(&half, &key).output().unwrap();
            // One ended in its last moment has everything, and its name not yet: the founding below is its proof.
            if verdict.status.success() {
                std::fs::rename(&half, &to).unwrap();
                break;
            }
            assert!(told(&verdict).contains(": "), "{half:?}");
        }
        after = after * 5 / 4;
    }
    good(verify(&to, &key));
    assert!(!place.path().join("9901.unfinished").exists());
    let anew = elsewhere(dir.path());
    let mut after = Duration::from_millis(10);
    while !ended(found(&to, &key, anew.path()), after) {
        if anew.path().join("9901").exists() {
            break;
        }
        // Nobody takes it for a municipality.
        bad(run(&["ledger", "verify"], &[("--dir", anew.path())]));
        after = after * 5 / 4;
    }
    good(run(&["ledger", "verify"], &[("--dir", anew.path())]));
    assert!(!anew.path().join("9901.unfinished").exists());
}
