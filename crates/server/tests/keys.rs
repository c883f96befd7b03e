//! `fkj keys`: a municipality's key goes from the file to one behind a passphrase and back to another
//! file, without a body being touched, with who and why in the log.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use exchange::tenant::{Environment, Tenant};
use ledger::clock::SystemClock;
use ledger::key_service::FileKey;
use ledger::random::SystemRandom;
use serde_json::{Value, json};
use support::content::{person, pulse};
use support::{FKJ, FNR, Folder, Server, fkj};

const AT: &str = "2026-01-05T10:00:00+01:00";

/// The configuration, with this said of what keeps the key of 9901.
fn configure(dir: &Path, key: &str, before: Option<&str>) {
    let path = dir.join("fkj.toml");
    let mut config: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let municipality = config["municipalities"][0].as_table_mut().unwrap();
    municipality.remove("key_before");
    municipality.insert("key".to_owned(), toml::from_str::<toml::Table>(key).unwrap().into());
    if let Some(before) = before {
        let before = toml::from_str::<toml::Table>(before).unwrap();
        municipality.insert("key_before".to_owned(), before.into());
    }
    std::fs::write(path, toml::to_string(&config).unwrap()).unwrap();
}

fn run(arguments: &[&str], dir: &Path) -> (bool, String) {
    let ended = fkj(arguments, dir);
    let told = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8(told).unwrap())
}

fn rotate(dir: &Path, who: &str) -> (bool, String) {
    run(&["keys", "rotate", "--kommune", "9901", "--who", who, "--why", "sak 26/9"], dir)
}

/// What keeps whole entries and bodies.
fn ledger(dir: &Path) -> Vec<Vec<u8>> {
    let connection = rusqlite::Connection::open(dir.join("9901/ledger.db")).unwrap();
    let mut select = connection.prepare("SELECT bytes FROM body ORDER BY position").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn count(server: &Server, pid: &str) -> usize {
    let form = format!("patient.identifier={FNR}|{pid}&_count=100");
    server.role("sykepleier").form("/9901/fhir/Observation/_search", &form).matches().len()
}

/// `fkj keys new`.
fn new(dir: &Path, file: &str, passphrase: bool) -> bool {
    let mut command = Command::new(FKJ);
    command.args(["keys", "new"]).arg(dir.join(file));
    if passphrase {
        command.arg("--passphrase-file").arg(dir.join("passphrase"));
    }
    command.output().unwrap().status.success()
}

/// A key behind a passphrase that is long enough.
fn make_sealed(dir: &Path) {
    std::fs::write(dir.join("passphrase"), "kort").unwrap();
    assert!(!new(dir, "sealed.key", true));
    std::fs::write(dir.join("passphrase"), "en setning som ingen gjetter\n").unwrap();
    assert!(new(dir, "sealed.key", true));
    assert!(!new(dir, "sealed.key", true), "a key is never written over");
}

#[test]
fn a_key_moves_behind_a_passphrase_and_on_while_contents_stay_as_they_are() {
    let dir = Folder::new();
    let path = dir.path();
    let pid = person();
    let server = Server::demo(&dir, 0);
    for beats in 61..65 {
        server.role("plo-epj").post("/9901/fhir/Observation", &pulse(&pid, AT, beats)).expect(201);
    }
    // Beside a running server: how it stands can be seen, and nothing be exchanged.
    let (_, told) = run(&["keys", "status", "--kommune", "9901"], path);
    assert!(told.contains("`municipality.key` in its folder opens them"), "{told}");
    let (done, told) = rotate(path, "Astrid Moen");
    assert!(!done && told.contains("open in another process"), "{told}");
    drop(server);
    let bodies = ledger(path);

    make_sealed(path);
    let sealed =
        "provider = \"sealed-file\"\npath = \"sealed.key\"\npassphrase = { file = \"passphrase\" }";
    let before = "provider = \"file\"\npath = \"9901/municipality.key\"";
    configure(path, sealed, None);
    let (done, told) = rotate(path, "Astrid Moen");
    assert!(!done && told.contains("another key"), "nothing says what wraps them now: {told}");
    let admin = administrator(path, before);
    configure(path, sealed, Some(before));
    // In between the server starts as well.
    let server = Server::serve(&dir);
    assert_eq!(count(&server, &pid), 4);
    drop(server);
    let (done, told) = rotate(path, "Ingen Kjent");
    assert!(!done, "{told}");
    let (done, told) = rotate(path, &admin);
    assert!(done && told.contains("behind a passphrase"), "{told}");
    let (_, told) = run(&["keys", "status", "--kommune", "9901"], path);
    assert!(told.contains("last exchanged 20") && told.contains("take `key_before` out"), "{told}");
    assert!(!told.contains("gjetter"));
    configure(path, sealed, None);
    let server = Server::serve(&dir);
    assert_eq!(count(&server, &pid), 4);
    drop(server);
    assert_eq!(ledger(path), bodies);

    assert!(new(path, "next.key", false));
    let next = "provider = \"file\"\npath = \"next.key\"";
    configure(path, next, Some(sealed));
    std::fs::remove_file(path.join("9901/municipality.key")).unwrap();
    let (done, told) = rotate(path, &admin);
    assert!(done, "{told}");
    configure(path, next, None);
    let server = Server::serve(&dir);
    assert_eq!(count(&server, &pid), 4);
    drop(server);
    // Who and why are in the log, once for each that was begun.
    let told = (admin, "sak 26/9".to_owned());
    assert_eq!(logged(path, "next.key"), [told.clone(), told]);
    // A key that is gone is told of, and never made anew beside what it wraps.
    std::fs::remove_file(path.join("next.key")).unwrap();
    let (sound, told) = run(&["ledger", "verify", "--kommune", "9901"], path);
    assert!(!sound && told.contains("put back"), "{told}");
    assert!(!path.join("next.key").exists());
}

/// A command at a terminal, with what is typed after which prompt; nothing where Python is not installed.
fn at_terminal(answers: &Value, arguments: &[&str]) -> Option<(bool, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(answers.to_string()).arg(FKJ).args(arguments);
    let Ok(ended) = command.output() else {
        println!("skipped: python3 is not installed");
        return None;
    };
    let shown = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_ne!(ended.status.code(), Some(70), "never asked: {shown}");
    Some((ended.status.success(), shown))
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal_and_never_shown() {
    let dir = Folder::new();
    let path = dir.path();
    let (file, phrase) = (path.join("asked.key"), "en setning som ingen gjetter");
    let new = ["keys", "new", file.to_str().unwrap(), "--ask"];
    let twice = |again: &str| json!([["New passphrase for ", phrase], ["once more: ", again]]);
    let Some((made, shown)) = at_terminal(&twice("en annen setning, også lang"), &new) else {
        return;
    };
    assert!(!made && shown.contains("differ") && !file.exists(), "{shown}");
    let (made, shown) = at_terminal(&twice(phrase), &new).unwrap();
    assert!(made && file.exists() && !shown.contains("gjetter"), "{shown}");
    assert!(!run(&["keys", "new", path.join("none.key").to_str().unwrap(), "--ask"], path).0);

    drop(Server::demo(&dir, 0));
    let admin = administrator(path, "provider = \"file\"\npath = \"9901/municipality.key\"");
    let asked = "provider = \"sealed-file\"\npath = \"asked.key\"";
    configure(path, asked, Some("provider = \"file\"\npath = \"9901/municipality.key\""));
    let folder = path.to_str().unwrap();
    let rotate = ["keys", "rotate", "--kommune", "9901", "--dir", folder];
    let rotate = [&rotate[..], &["--who", &admin, "--why", "sak 26/9"]].concat();
    // Once, however often the key is needed.
    let once = json!([["Passphrase of ", phrase]]);
    let (done, shown) = at_terminal(&once, &rotate).unwrap();
    assert!(done && shown.matches("Passphrase of").count() == 1, "{shown}");
    configure(path, asked, None);

    let verify = ["ledger", "verify", "--kommune", "9901", "--dir", folder];
    let (sound, shown) = at_terminal(&once, &verify).unwrap();
    assert!(sound && !shown.contains("gjetter"), "{shown}");
    let (sound, shown) =
        at_terminal(&json!([["Passphrase of ", "noe helt annet"]]), &verify).unwrap();
    assert!(!sound && shown.contains("asked.key") && shown.contains("passphrase"), "{shown}");
    assert!(!shown.contains("helt annet"), "{shown}");
    // Where there is nobody to ask, it says so and what to do.
    let (sound, told) = run(&["ledger", "verify", "--kommune", "9901"], path);
    assert!(
        !sound && told.contains("no terminal to ask at") && told.contains("credential"),
        "{told}"
    );
    // The server asks before it serves.
    let config = path.join("fkj.toml");
    let serve = ["serve", "--config", config.to_str().unwrap()];
    let served = json!([["Passphrase of ", phrase], ["serves on", null]]);
    let (ended, shown) = at_terminal(&served, &serve).unwrap();
    assert!(ended && !shown.contains("not opened"), "{shown}");
}

/// Somebody who administers the register.
fn administrator(dir: &Path, key: &str) -> String {
    configure(dir, key, None);
    let shown = fkj(&["register", "show", "--kommune", "9901"], dir).stdout;
    let register: Value = serde_json::from_slice(&shown).unwrap();
    let admins = register.pointer("/parts/admin").or(register.get("admins"));
    let all: Vec<&Value> = admins.and_then(Value::as_array).into_iter().flatten().collect();
    let has = |it: &&&Value| it.to_string().contains("\"register\"");
    let admin = all.iter().find(has).unwrap();
    let name = admin.pointer("/value/name").or(admin.get("name")).unwrap();
    name.as_str().unwrap().to_owned()
}

/// Who exchanged the key, and why, as the audit ledger has it.
fn logged(dir: &Path, key: &str) -> Vec<(String, String)> {
    let directory = dir.join("9901");
    let register = std::fs::read_to_string(directory.join("register.toml")).unwrap();
    let random = Arc::new(SystemRandom);
    let key = Arc::new(FileKey::read(&dir.join(key), random.clone()).unwrap());
    let environment = Environment { clock: Arc::new(SystemClock), random };
    let register = toml::from_str(&register).unwrap();
    let tenant = Tenant::open_with(&directory, register, environment, key).unwrap();
    let records = tenant.audit_records(1, 1_000).unwrap().into_iter().map(|(_, record)| record);
    let of_keys = records.filter(|it| it.action == "admin-keys-rotate");
    of_keys.map(|it| (it.name, it.purpose_details.unwrap())).collect()
}
