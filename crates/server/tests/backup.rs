//! Backups through the command: taken while the server takes writes, ended in their middle, verified,
//! restored and drilled.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use support::content::{person, pulse};
use support::{FKJ, FNR, Folder, Server};

const AT: &str = "2026-01-05T10:00:00+01:00";

fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(FKJ);
    command.args(arguments);
    for (name, path) in paths {
        if !name.is_empty() {
            command.arg(name);
        }
        command.arg(path);
    }
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat()
}

fn good(output: Output) -> String {
    assert!(output.status.success(), "{}", told(&output));
    told(&output)
}

fn backup(dir: &Path, to: &Path) -> Output {
    run(&["backup", "--kommune", "9901"], &[("--dir", dir), ("--to", to)])
}

fn verify(backups: &Path) -> Output {
    run(&["verify-backup"], &[("", backups)])
}

/// The bytes that a backup says it wrote.
fn written(told: &str) -> u64 {
    let number = told.split("; ").nth(1).and_then(|it| it.split(' ').next()).unwrap();
    number.parse().unwrap()
}

fn send(server: &Server, pid: &str, beats: u32) {
    server.role("plo-epj").post("/9901/fhir/Observation", &pulse(pid, AT, beats)).expect(201);
}

fn seen(server: &Server, pid: &str) -> usize {
    let form = format!("patient.identifier={FNR}|{pid}&_count=1000");
    server.role("sykepleier").form("/9901/fhir/Observation/_search", &form).matches().len()
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let to = if entry.file_type().unwrap().is_dir() { &mut open } else { &mut all };
            to.push(entry.path());
        }
    }
    all.sort();
    all
}

#[test]
fn a_backup_beside_writes_is_whole_and_the_drill_shows_it() {
    let dir = Folder::new();
    let (backups, elsewhere) = (Folder::new(), Folder::new());
    let server = Server::demo(&dir, 2);
    let pid = person();
    for beats in 61..64 {
        send(&server, &pid, beats);
    }
    let first = good(backup(dir.path(), backups.path()));
    // While others write without pause, again and again.
    let going = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let other = person();
                let mut beats = 60;
                while going.load(Ordering::SeqCst) {
                    beats = 60 + (beats - 59) % 60;
                    send(&server, &other, beats);
                }
            });
        }
        for _ in 0..4 {
            let more = good(backup(dir.path(), backups.path()));
            assert!(written(&more) < written(&first), "{first}{more}");
            good(verify(backups.path()));
        }
        going.store(false, Ordering::SeqCst);
    });
    good(backup(dir.path(), backups.path()));
    let nothing = good(backup(dir.path(), backups.path()));
    assert_eq!(written(&nothing), 0, "{nothing}");
    let before = seen(&server, &pid);
    server.kill();

    let report = elsewhere.path().join("report.json");
    let config = dir.path().join("fkj.toml");
    let drilled = run(
        &["restore-drill"],
        &[
            ("--from", backups.path()),
            ("--key-config", &config),
            ("--to", &elsewhere.path().join("drill")),
            ("--report", &report),
        ],
    );
    let lines = good(drilled);
    assert!(lines.contains("9901: the drill took"), "{lines}");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    let of_9901 = &report["municipalities"][0];
    assert_eq!((&report["whole"], &of_9901["whole"]), (&Value::from(true), &Value::from(true)));
    assert_eq!(of_9901["ledgers"][0]["entries"], of_9901["view"]);
    assert!(!elsewhere.path().join("drill").exists());

    // All of it, in a new place, with the key from where it is kept.
    let anew = Folder::new();
    good(run(&["restore"], &[("--from", backups.path()), ("--to", anew.path())]));
    let key = "9901/municipality.key";
    std::fs::copy(dir.path().join(key), anew.path().join(key)).unwrap();
    only_9901(anew.path(), dir.path());
    let server = Server::serve(&anew);
    assert_eq!(seen(&server, &pid), before);
    send(&server, &pid, 99);
    assert_eq!(seen(&server, &pid), before + 1);
}

/// The restored configuration for the one municipality that was restored, with the issuer's keys.
fn only_9901(anew: &Path, from: &Path) {
    let path = anew.join("fkj.toml");
    let mut config: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config["municipalities"].as_array_mut().unwrap().truncate(1);
    std::fs::write(path, toml::to_string(&config).unwrap()).unwrap();
    std::fs::create_dir(anew.join("sandbox")).unwrap();
    for file in files(&from.join("sandbox")) {
        std::fs::copy(&file, anew.join("sandbox").join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_position_comes_back_and_a_flipped_byte_is_named() {
    let dir = Folder::new();
    let backups = Folder::new();
    let server = Server::demo(&dir, 0);
    let pid = person();
    for beats in 61..66 {
        send(&server, &pid, beats);
    }
    good(backup(dir.path(), backups.path()));
    drop(server);
    let segment = backups.path().join("9901/ledger/000000000001.bodies");
    let whole = std::fs::read(&segment).unwrap();
    // The last record's last byte.
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, changed).unwrap();
    let damaged = verify(backups.path());
    let last = last_position(&whole);
    let named = format!("`ledger/000000000001.bodies`, position {last}: ");
    assert!(!damaged.status.success() && told(&damaged).contains(&named), "{}", told(&damaged));
    let to = Folder::new();
    let asked = [("--from", backups.path()), ("--to", to.path())];
    assert!(!run(&["restore"], &asked).status.success());
    std::fs::write(&segment, whole).unwrap();
    good(verify(backups.path()));

    let at = (last - 2).to_string();
    let asked = ["restore", "--at", &at];
    let anew = Folder::new();
    let paths = [("--from", backups.path()), ("--to", anew.path())];
    let keyless = run(&asked, &paths);
    assert!(told(&keyless).contains("--key-config"), "{}", told(&keyless));
    let anew = Folder::new();
    let config = dir.path().join("fkj.toml");
    let paths =
        [("--from", backups.path()), ("--to", anew.path()), ("--key-config", config.as_path())];
    let restored = good(run(&asked, &paths));
    assert!(restored.contains(&format!("through position {at}, log through")), "{restored}");
    let key = "9901/municipality.key";
    std::fs::copy(dir.path().join(key), anew.path().join(key)).unwrap();
    only_9901(anew.path(), dir.path());
    let server = Server::serve(&anew);
    assert_eq!(seen(&server, &pid), 3);
    drop(server);
    // It has gone another way than the ledger that is backed up there.
    let again = backup(anew.path(), backups.path());
    assert!(told(&again).contains("begin a new place"), "{}", told(&again));
    for wrong in ["0", "99999", "i går", "2026-11-23T12:00:00"] {
        let to = Folder::new();
        let paths = [("--from", backups.path()), ("--to", to.path())];
        assert!(!run(&["restore", "--at", wrong], &paths).status.success(), "{wrong}");
    }
}

fn last_position(segment: &[u8]) -> u64 {
    let (mut at, mut last) = (8, 0);
    while at < segment.len() {
        last = u64::from_be_bytes(segment[at..at + 8].try_into().unwrap());
        at += 12 + u32::from_be_bytes(segment[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    last
}

/// A backup is killed where it stands, at growing distances from its start; the one before stays whole, and the
/// next goes on from it.
#[test]
fn a_backup_that_is_killed_leaves_the_ones_before_whole() {
    let dir = Folder::new();
    let backups = Folder::new();
    let server = Server::demo(&dir, 2);
    let pid = person();
    send(&server, &pid, 60);
    good(backup(dir.path(), backups.path()));
    let mut unfinished = 0;
    for round in 0..12 {
        send(&server, &pid, 61 + round);
        let mut begun = Command::new(FKJ)
            .args(["backup", "--kommune", "9901", "--dir"])
            .arg(dir.path())
            .arg("--to")
            .arg(backups.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // It has got so far as to make some file of its own.
        let known = files(backups.path()).len();
        let goal = known + usize::try_from(round).unwrap() % 5;
        while files(backups.path()).len() <= goal && begun.try_wait().unwrap().is_none() {}
        drop(begun.kill());
        unfinished += usize::from(!begun.wait().unwrap().success());
        good(verify(backups.path()));
    }
    assert!(unfinished > 0, "no backup was killed before its end");
    good(backup(dir.path(), backups.path()));
    good(verify(backups.path()));
    let left =
        files(backups.path()).iter().filter(|it| it.to_string_lossy().ends_with(".part")).count();
    assert_eq!(left, 0);
    let nothing = good(backup(dir.path(), backups.path()));
    assert_eq!(written(&nothing), 0);
}
