//! A disk that fails under a running server: it is said, nothing acknowledged is lost, nothing is told or
//! taken without its entry in the log, and what can go on goes on.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use support::content::{person, pulse};
use support::disk::{Chance, Disk};
use support::{Answer, FNR, Folder, Server, fkj, text};

/// A server on a disk that takes orders, with one measurement in it.
struct Town {
    server: Server,
    disk: Disk,
    dir: Arc<Folder>,
    pid: String,
}

impl Town {
    fn new() -> Self {
        let (dir, disk, pid) = (Folder::new(), Disk::new(false), person());
        let demo = Server::demo(&dir, 0);
        demo.role("plo-epj")
            .post("/9901/fhir/Observation", &pulse(&pid, "2026-01-05", 70))
            .expect(201);
        drop(demo);
        let server = Server::try_serve(&dir, &disk.variables()).unwrap();
        Self { server, disk, dir, pid }
    }

    /// The same folder, served anew on a disk that does as it should.
    fn restart(&mut self) {
        self.server.kill();
        self.disk.order("");
        self.server = Server::try_serve(&self.dir, &self.disk.variables()).unwrap();
    }

    fn write(&self) -> Answer {
        self.write_to("9901")
    }

    fn write_to(&self, number: &str) -> Answer {
        let token = self.server.token(number, "plo-epj", None);
        let source = self.server.client(Some(token));
        source.post(&format!("/{number}/fhir/Observation"), &pulse(&self.pid, "2026-01-06", 71))
    }

    fn look(&self) -> Answer {
        let form = format!("patient.identifier={FNR}|{}&_count=1000", self.pid);
        self.server.role("sykepleier").form("/9901/fhir/Observation/_search", &form)
    }

    fn ready(&self) -> Answer {
        self.server.client(None).get("/readyz")
    }

    fn metrics(&self) -> String {
        let told = self.server.client(None).get("/metrics");
        assert!(told.header("content-type").starts_with("text/plain; version=0.0.4"));
        told.text
    }

    /// How often the log says this.
    fn logged(&self, what: &str) -> usize {
        self.server.log().matches(what).count()
    }
}

fn is_refused(answer: &Answer, retry_after: &str) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.header("retry-after"), retry_after, "{}", answer.text);
}

#[test]
fn a_full_disk_refuses_what_is_sent_answers_what_is_asked_and_goes_on_with_room() {
    let town = Town::new();
    assert_eq!(town.ready().status, 200);
    assert!(town.metrics().contains("state=\"full\"} 0"));
    town.disk.order("nospace write 9901/ledger.db-wal 0");
    for _ in 0..3 {
        is_refused(&town.write(), "60");
        assert_eq!(town.look().matches().len(), 1);
    }
    // A source writes on for its own municipality while another's has no room.
    town.write_to("9902").expect(201);
    let ready = town.ready();
    assert_eq!(ready.status, 503);
    assert!(ready.text.contains("9901 ledger full: nothing is taken"), "{}", ready.text);
    assert!(!ready.text.contains("9902 ledger"), "{}", ready.text);
    let state = "fkj_ledger_writing{municipality=\"9901\",ledger=\"ledger\",state=\"full\"} 1";
    assert!(town.metrics().contains(state));
    assert_eq!(town.logged("the ledger takes no entries"), 1, "{}", town.server.log());
    town.disk.order("");
    town.write().expect(201);
    assert_eq!(town.look().matches().len(), 2);
    assert_eq!(town.ready().status, 200);
    assert_eq!(town.logged("the ledger takes entries again"), 1);
}

#[test]
fn with_less_room_than_is_kept_free_nothing_is_taken_and_all_is_read() {
    let mut town = Town::new();
    let path = town.dir.path().join("fkj.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (free, none) = ("least_free_mb = 256", "least_free_mb = 1000000000");
    assert!(config.contains(free), "{config}");
    std::fs::write(&path, config.replace(free, none)).unwrap();
    town.restart();
    is_refused(&town.write(), "60");
    for _ in 0..3 {
        assert_eq!(town.look().matches().len(), 1);
    }
    assert!(town.ready().text.contains("9901 ledger no-room"), "{}", town.ready().text);
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replace(none, free)).unwrap();
    town.restart();
    town.write().expect(201);
}

/// Linux tells of a failed fsync once, and the next one succeeds though what was written is not on disk.
#[test]
fn after_a_failed_fsync_nothing_is_taken_until_the_next_start_and_all_is_read() {
    let mut town = Town::new();
    town.write().expect(201);
    town.disk.order("eio sync 9901/ledger.db-wal 0");
    for _ in 0..3 {
        is_refused(&town.write(), "");
        assert_eq!(town.look().matches().len(), 2);
    }
    let ready = town.ready();
    assert!(ready.status == 503 && ready.text.contains("9901 ledger stopped"), "{}", ready.text);
    assert!(ready.text.contains("restart"), "{}", ready.text);
    assert_eq!(town.logged("the ledger takes no entries"), 1);
    town.restart();
    town.write().expect(201);
    // What was refused may be there, since nobody knows; what was acknowledged is.
    assert!(town.look().matches().len() >= 3);
    is_whole(&town);
}

#[test]
fn when_looks_cannot_be_logged_nothing_is_told_and_nothing_is_taken() {
    let mut town = Town::new();
    town.disk.order("eio sync 9901/audit.db-wal 0");
    for _ in 0..3 {
        let answer = town.look();
        assert_eq!(answer.status, 503);
        assert!(!answer.text.contains("valueQuantity"), "{}", answer.text);
    }
    is_refused(&town.write(), "");
    let ready = town.ready().text;
    assert!(ready.contains("9901 audit stopped: nothing is told and nothing is taken"), "{ready}");
    town.restart();
    assert_eq!(town.look().matches().len(), 1, "what was refused was not begun");
    is_whole(&town);
}

#[test]
fn a_disk_that_has_become_read_only_is_said_and_nothing_is_pretended() {
    let mut town = Town::new();
    town.disk.order("readonly write * 0");
    for _ in 0..3 {
        assert_eq!(town.write().status, 503);
        assert_eq!(town.look().status, 503);
    }
    let ready = town.ready().text;
    assert!(ready.contains("9901 audit stopped"), "{ready}");
    town.restart();
    town.write().expect(201);
    assert_eq!(town.look().matches().len(), 2);
    is_whole(&town);
}

/// A page of a body is damaged while the server runs: whoever asks for it is told, others are answered, and
/// operators see it.
#[test]
fn a_damaged_page_is_told_to_who_asks_for_it_and_to_operators() {
    let mut town = Town::new();
    let source = town.server.role("plo-epj");
    let mut chance = Chance(1);
    let mut letter = || char::from(b'a' + u8::try_from(chance.below(26)).unwrap());
    let note: String = (0..60_000).map(|_| letter()).collect();
    let mut large = pulse(&town.pid, "2026-01-07", 72);
    large["note"] = serde_json::json!([{ "text": note }]);
    let written = source.post("/9901/fhir/Observation", &large).expect(201);
    let (id, version) = (text(&written["id"]), text(&written["meta"]["versionId"]));
    large["id"] = Value::from(id.as_str());
    large["valueQuantity"]["value"] = Value::from(73);
    source.put(&format!("/9901/fhir/Observation/{id}"), &large).expect(200);
    // Everything into the one file.
    town.server.kill();
    assert!(fkj(&["ledger", "verify", "--kommune", "9901"], town.dir.path()).status.success());
    town.restart();
    damage(&town.dir.path().join("9901/ledger.db"));
    let source = town.server.role("plo-epj");
    let old = source.get(&format!("/9901/fhir/Observation/{id}/_history/{version}"));
    assert_eq!(old.status, 503, "{}", old.text);
    assert_eq!(town.look().matches().len(), 2, "the view has what is current");
    town.write().expect(201);
    let ready = town.ready();
    assert!(ready.status == 503 && ready.text.contains("9901 ledger damaged"), "{}", ready.text);
    assert!(
        town.metrics().contains("fkj_ledger_damaged{municipality=\"9901\",ledger=\"ledger\"} 1")
    );
    assert_eq!(town.logged("what can be read is read; run"), 1);
    town.server.kill();
    let verified = fkj(&["ledger", "verify", "--kommune", "9901"], town.dir.path());
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(
        !verified.status.success() && said.contains(&format!("position {version}: ")),
        "{said}"
    );
}

/// Changes a byte in the middle of the first chain of pages that one body fills.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    // What is too large for one page of SQLite goes on in pages that begin with the number, counted
    // from 1, of the page that follows.
    let follows = |page: &usize| {
        let next = u32::try_from(*page + 2).unwrap();
        bytes[page * 4096..][..4] == next.to_be_bytes()
    };
    let page = (1..bytes.len() / 4096).find(follows).expect("a body of several pages");
    bytes[page * 4096 + 2500] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn is_whole(town: &Town) {
    town.server.kill();
    let verified = fkj(&["ledger", "verify", "--kommune", "9901"], town.dir.path());
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
