//! A made-up municipality in a folder: keys, a ledger, and a view that is brought up to it in
//! batches of any size.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use ledger::append::{Committed, Draft, Sealing};
use ledger::clock::FixedClock;
use ledger::crypto::sha256;
use ledger::key_service::FileKey;
use ledger::keys::{Keys, PersonKey};
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::SeededRandom;
use record::entry::{Entry, Kind, Position};
use record::envelope::Envelope;
use record::identity::PersonId;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;
use view::project::Projector;
use view::store::View;

/// 2026-03-02T12:00:00Z: when the first entry is recorded; each later one a second later.
pub const START: i64 = 1_772_452_800_000;

pub struct Town {
    pub keys: Arc<Keys>,
    pub ledger: Ledger,
    pub projector: Projector,
    arrived: Receiver<Arc<[Committed]>>,
    waiting: Vec<Committed>,
    pub dir: TempDir,
}

/// What an entry is about, besides its content.
#[derive(Clone, Debug)]
pub struct About {
    pub kind: Kind,
    pub person: Option<PersonId>,
    pub category: &'static str,
    pub owner: &'static str,
    pub source: &'static str,
}

impl Town {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let random = Arc::new(SeededRandom::new(7));
        let file = dir.path().join("municipality.key");
        let service = Arc::new(FileKey::open(&file, random.clone()).unwrap());
        let keys = Keys::open(&dir.path().join("keys.db"), service, random.clone()).unwrap();
        let keys = Arc::new(keys);
        let (commits, arrived) = channel();
        let options = LedgerOptions {
            clock: Arc::new(FixedClock::stepping(START, 1_000)),
            random,
            on_commit: Some(Box::new(move |batch| commits.send(batch).unwrap())),
            ..LedgerOptions::new("9901/ledger", keys.clone(), Sealing::PerPerson)
        };
        let ledger = Ledger::open(&dir.path().join("ledger.db"), options).unwrap();
        let projector = projector(&dir.path().join("view.db"), &keys);
        Self { keys, ledger, projector, arrived, waiting: Vec::new(), dir }
    }

    /// The person with a number.
    pub fn person(&self, number: &str) -> PersonId {
        self.keys.resolve(&[PersonKey { system: "national", value: number }]).unwrap()[0]
    }

    /// Appends a body as it is.
    pub fn append(&self, about: &About, body: Vec<u8>) -> Entry {
        let draft = Draft {
            seen: None,
            kind: about.kind,
            source: about.source.to_owned(),
            source_event_id: None,
            owner: about.owner.to_owned(),
            person: about.person,
            category: about.category.to_owned(),
            fingerprint: sha256(&[&body]),
            body,
        };
        self.ledger.append_blocking(vec![draft]).unwrap()[0].entry().clone()
    }

    /// Appends a resource, or its removal where `json` is empty.
    pub fn record(&self, about: &About, kind: &str, id: &str, json: &str) -> Entry {
        self.append(about, envelope(kind, id).seal(json.as_bytes()))
    }

    /// Destroys a person's key, and tells so in the ledger.
    pub fn erase(&self, person: PersonId, about: &About) -> Entry {
        self.keys.destroy(person).unwrap();
        let about = About { kind: Kind::Erasure, person: Some(person), ..about.clone() };
        self.append(&about, Vec::new())
    }

    /// Applies at most `count` of what waits.
    pub fn project(&mut self, count: usize) -> Vec<Position> {
        self.arrive();
        let count = count.min(self.waiting.len());
        let batch: Vec<Committed> = self.waiting.drain(..count).collect();
        self.projector.apply(&batch.iter().collect::<Vec<_>>()).unwrap()
    }

    /// Applies all that waits.
    pub fn project_all(&mut self) -> Vec<Position> {
        self.project(usize::MAX)
    }

    /// Goes at most `count` small steps through old data for added search parameters.
    pub fn walk(&mut self, count: usize) {
        for _ in 0..count {
            if self.projector.index_further(3).unwrap().is_none() {
                break;
            }
        }
        assert!(count < usize::MAX || self.projector.is_indexed());
    }

    /// The process ends: what waits is forgotten, and the view catches up from the ledger, so many
    /// entries at a time.
    pub fn restart(&mut self, step: usize) {
        self.arrive();
        self.waiting.clear();
        self.projector = projector(&self.dir.path().join("view.db"), &self.keys);
        catch_up(&self.ledger, &mut self.projector, step);
    }

    /// Delivers what has been applied once more.
    pub fn deliver_again(&mut self, committed: &[Committed]) {
        self.projector.apply(&committed.iter().collect::<Vec<_>>()).unwrap();
    }

    /// What waits to be applied.
    pub fn waiting(&mut self) -> Vec<Committed> {
        self.arrive();
        self.waiting.clone()
    }

    fn arrive(&mut self) {
        for batch in self.arrived.try_iter() {
            self.waiting.extend(batch.iter().cloned());
        }
    }

    pub fn view(&self) -> View {
        View::open(&self.dir.path().join("view.db"), self.keys.index_key()).unwrap()
    }

    /// Everything in the live view.
    pub fn dump(&self) -> Vec<String> {
        dump(&self.dir.path().join("view.db"))
    }

    /// Everything in a view made anew from the ledger.
    pub fn rebuilt(&self, step: usize) -> Vec<String> {
        let path = self.dir.path().join("rebuilt.db");
        let mut projector = projector(&path, &self.keys);
        catch_up(&self.ledger, &mut projector, step);
        while projector.index_further(1_000).unwrap().is_some() {}
        drop(projector);
        let dumped = dump(&path);
        std::fs::remove_file(&path).unwrap();
        dumped
    }
}

pub fn envelope(kind: &str, id: &str) -> Envelope {
    Envelope {
        v: Envelope::VERSION,
        kind: kind.to_owned(),
        id: id.to_owned(),
        occurred: START,
        channel: "fhir".to_owned(),
        warnings: Vec::new(),
    }
}

fn projector(path: &Path, keys: &Keys) -> Projector {
    Projector::open(path, keys.index_key()).unwrap()
}

fn catch_up(ledger: &Ledger, projector: &mut Projector, step: usize) {
    loop {
        let records = ledger.read(projector.position() + 1, step.max(1)).unwrap();
        if records.is_empty() {
            return;
        }
        projector.replay(&records).unwrap();
    }
}

/// Every row of every table, as text, in order.
fn dump(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut names =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let names: Vec<String> =
        names.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut rows = Vec::new();
    for name in names {
        let mut select = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = select.column_count();
        let mut found = select.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let mut text = name.clone();
            for column in 0..columns {
                text.push_str(&match row.get_ref(column).unwrap() {
                    ValueRef::Null => " -".to_owned(),
                    ValueRef::Integer(number) => format!(" {number}"),
                    ValueRef::Real(number) => format!(" {number}"),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        format!(" `{}`", bytes.escape_ascii())
                    }
                });
            }
            rows.push(text);
        }
    }
    rows.sort();
    rows
}
