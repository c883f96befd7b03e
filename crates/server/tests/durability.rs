//! What was acknowledged is there after `kill -9`; the chain shows what was tampered with; the view
//! can be thrown away.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;

use serde_json::Value;
use support::content::{bundle, person, pulse};
use support::{Client, FNR, Folder, Server, fkj, text};

const WRITERS: usize = 4;
const ROUNDS: u64 = 4;

/// Sends pulses until the server is gone: one by one, or three in a transaction. Tells the address
/// and value of each that was acknowledged.
fn write(source: &Client, pid: &str, grouped: bool, acknowledged: &mpsc::Sender<(String, u64)>) {
    for value in (1..).step_by(3) {
        let sent: Vec<Value> = (value..value + 3).map(|it| pulse(pid, "2026-01-05", it)).collect();
        let entries: Vec<_> = sent.iter().map(|it| ("POST", "Observation", it)).collect();
        let bundles = match grouped {
            true => vec![bundle("transaction", &entries)],
            false => entries.iter().map(|it| bundle("batch", std::slice::from_ref(it))).collect(),
        };
        let mut values = u64::from(value)..;
        for bundle in bundles {
            let body = Some(bundle.to_string().into_bytes());
            let headers = [("content-type", "application/fhir+json")];
            let method = ureq::http::Method::POST;
            let Ok(answer) = source.try_send(method, "/9901/fhir", &headers, body) else { return };
            for entry in answer.expect(200)["entry"].as_array().unwrap() {
                assert_eq!(entry["response"]["status"], "201 Created");
                let location = text(&entry["response"]["location"]);
                let address = location.split("/_history").next().unwrap().to_owned();
                drop(acknowledged.send((address, values.next().unwrap())));
            }
        }
    }
}

/// A round: writers write until the server is killed after `count` acknowledgements.
fn round(dir: &std::sync::Arc<Folder>, pids: &[String], count: u64) -> BTreeMap<String, u64> {
    let server = Server::demo(dir, 0);
    let (tell, told) = mpsc::channel();
    let mut acknowledged = BTreeMap::new();
    std::thread::scope(|scope| {
        for (i, pid) in pids.iter().enumerate() {
            let (tell, source) = (tell.clone(), server.role("plo-epj"));
            scope.spawn(move || write(&source, pid, i % 2 == 0, &tell));
        }
        drop(tell);
        for (n, (address, value)) in (1..).zip(told.iter()) {
            acknowledged.insert(address, value);
            if n == count {
                server.kill();
            }
        }
    });
    assert!(u64::try_from(acknowledged.len()).unwrap() >= count);
    acknowledged
}

/// Every Observation of these persons, as stored.
fn content(server: &Server, pids: &[String]) -> Vec<Value> {
    let nurse = server.role("sykepleier");
    let search = |pid: &String| {
        let form = format!("patient.identifier={FNR}|{pid}&_count=1000&_sort=_lastUpdated");
        nurse.form("/9901/fhir/Observation/_search", &form).matches()
    };
    pids.iter().flat_map(search).collect()
}

fn verify(dir: &Path) -> (bool, String) {
    let output = fkj(&["ledger", "verify", "--kommune", "9901"], dir);
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn whatever_was_acknowledged_survives_kill_9_and_the_view_is_made_anew_from_the_ledger() {
    let dir = Folder::new();
    let pids: Vec<String> = (0..WRITERS).map(|_| person()).collect();
    let mut all = BTreeMap::new();
    // When to kill differs from run to run, and is printed with a failure.
    let seed = u64::from(std::process::id());
    for n in 0..ROUNDS {
        let count = 20 + (seed * 31 + n * 97) % 120;
        eprintln!("round {n}: killed after {count} acknowledgements");
        all.extend(round(&dir, &pids, count));
    }
    let (sound, said) = verify(dir.path());
    assert!(sound && said.contains("9901/audit: "), "{said}");
    let server = Server::demo(&dir, 0);
    let source = server.role("plo-epj");
    let receipt = source.post("/9901/fhir/Observation", &large(&pids[0])).expect(201);
    let position = text(&receipt["meta"]["versionId"]);
    for (address, value) in &all {
        let read = source.get(&format!("/9901/fhir/{address}")).expect(200);
        assert_eq!(read["valueQuantity"]["value"], *value, "{address}");
    }
    let before = content(&server, &pids);
    assert!(before.len() >= all.len());
    drop(server);
    let rebuilt = fkj(&["view", "rebuild"], dir.path());
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    let server = Server::demo(&dir, 0);
    assert!(content(&server, &pids) == before, "the view made anew shows something else");
    drop(server);
    one_flipped_byte_is_found(dir.path(), &position);
}

/// A measurement with a note that does not get small when it is compressed.
fn large(pid: &str) -> Value {
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'a' + u8::try_from(state >> 59).unwrap() % 26)
    };
    let note: String = (0..100_000).map(|_| letter()).collect();
    let mut large = pulse(pid, "2026-01-06", 60);
    large["note"] = serde_json::json!([{ "text": note }]);
    large
}

/// In copies of the folder, one byte of the body at `position` is changed.
fn one_flipped_byte_is_found(dir: &Path, position: &str) {
    // Ends with everything in the one file, and nothing beside it that would mend the damage.
    assert!(verify(dir).0);
    let path = Path::new("9901").join("ledger.db");
    let whole = std::fs::read(dir.join(&path)).unwrap();
    // What is too large for one page of SQLite goes on in pages that begin with the number, counted
    // from 1, of the page that follows.
    let follows = |page: &usize| {
        let next = u32::try_from(*page + 2).unwrap();
        whole[page * 4096..][..4] == next.to_be_bytes()
    };
    let pages: Vec<usize> = (1..whole.len() / 4096).filter(follows).collect();
    assert!(pages.len() > 5, "{} pages go on", pages.len());
    for page in [pages[0], pages[pages.len() / 2]] {
        let copy = Folder::new();
        copy_folder(dir, copy.path());
        let mut bytes = whole.clone();
        bytes[page * 4096 + 2500] ^= 1;
        std::fs::write(copy.path().join(&path), bytes).unwrap();
        let (sound, said) = verify(copy.path());
        assert!(!sound, "{said}");
        assert!(said.contains(&format!("9901/ledger, position {position}: ")), "{said}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&place).unwrap();
            copy_folder(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}
