//! A made-up municipality in a folder.

use crate::server::Server;
use ledger::append::{Draft, Sealing};
use ledger::crypto::sha256;
use ledger::database::Database;
use ledger::error::Error;
use ledger::faults::{Faults, Point};
use ledger::key_service::FileKey;
use ledger::keys::{Keys, PersonKey};
use ledger::ledger::{Ledger, LedgerOptions};
use ledger::random::SystemRandom;
use parking_lot::Mutex;
use record::entry::{Kind, Position};
use record::identity::PersonId;
use record::resealing::Resealing;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use tempfile::{TempDir, tempdir};

/// Name of the clinical ledger in every test.
pub const NAME: &str = "9999/ledger";

/// Name of its keys in a database.
pub const KEYS: &str = "9999/keys";

/// A municipality whose ledgers and keys are in files, or in a database.
pub struct Town {
    dir: TempDir,
    database: Option<(Arc<Server>, Arc<Database>, String)>,
}

impl Town {
    pub fn in_files() -> Self {
        Self { dir: tempdir().unwrap(), database: None }
    }

    /// Nothing where there is no PostgreSQL.
    pub fn in_postgresql() -> Option<Self> {
        Server::shared().map(Self::on)
    }

    /// In a new database of a server.
    pub fn on(server: Arc<Server>) -> Self {
        Self::at(server, |name, server| server.address(name))
    }

    /// In a new database of a server, which is found at an address.
    pub fn at(server: Arc<Server>, address: impl Fn(&str, &Server) -> String) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("town_{}", MADE.fetch_add(1, Ordering::SeqCst));
        server.sql("postgres", &format!("CREATE DATABASE {name}"));
        let database = Arc::new(Database::new(&address(&name, &server), None, None).unwrap());
        Self { dir: tempdir().unwrap(), database: Some((server, database, name)) }
    }

    /// Opens its keys; in a database also once more, as another server does.
    pub fn keys(&self) -> Arc<Keys> {
        Arc::new(self.try_keys("municipality.key").unwrap())
    }

    /// With the municipality's key that is in a file, or is made there.
    pub fn try_keys(&self, file: &str) -> Result<Keys, Error> {
        let (service, random) = (Arc::new(self.service(file)), Arc::new(SystemRandom));
        match &self.database {
            None => Keys::open(&self.dir.path().join("keys.db"), service, random),
            Some((_, database, _)) => Keys::open_in(database, KEYS, service, random),
        }
    }

    pub fn service(&self, file: &str) -> FileKey {
        FileKey::open(&self.dir.path().join(file), Arc::new(SystemRandom)).unwrap()
    }

    pub fn database(&self) -> &Arc<Database> {
        self.database.as_ref().map(|(_, database, _)| database).unwrap()
    }

    pub fn is_in_files(&self) -> bool {
        self.database.is_none()
    }

    pub fn open(&self, options: LedgerOptions) -> Ledger {
        self.try_open(options).unwrap()
    }

    pub fn try_open(&self, options: LedgerOptions) -> Result<Ledger, Error> {
        match &self.database {
            None => Ledger::open(&self.file(&options.name), options),
            Some((_, database, _)) => Ledger::open_in(database, options),
        }
    }

    /// Changes the clinical ledger behind the platform's back.
    pub fn meddle(&self, statements: &str) {
        match &self.database {
            None => {
                let beside = rusqlite::Connection::open(self.file(NAME)).unwrap();
                beside.execute_batch(statements).unwrap();
            }
            Some((server, _, name)) => {
                let schema = "SET search_path = fkj_9999_ledger;";
                server.sql(name, &format!("{schema} {statements}"));
            }
        }
    }

    /// Takes the clinical ledger away.
    pub fn lose(&self) {
        match &self.database {
            None => std::fs::remove_file(self.file(NAME)).unwrap(),
            Some(_) => self.meddle("DROP SCHEMA fkj_9999_ledger CASCADE"),
        }
    }

    fn file(&self, ledger: &str) -> PathBuf {
        let kind = ledger.split('/').next_back().unwrap();
        self.dir.path().join(format!("{kind}.db"))
    }
}

pub fn keys(dir: &Path) -> Arc<Keys> {
    let random = Arc::new(SystemRandom);
    let service = Arc::new(FileKey::open(&dir.join("municipality.key"), random.clone()).unwrap());
    Arc::new(Keys::open(&dir.join("keys.db"), service, random).unwrap())
}

/// The usual options; a test changes what it is about.
pub fn options(keys: &Arc<Keys>) -> LedgerOptions {
    LedgerOptions::new(NAME, keys.clone(), Sealing::PerPerson)
}

pub fn open(dir: &Path, options: LedgerOptions) -> Ledger {
    try_open(dir, options).unwrap()
}

pub fn try_open(dir: &Path, options: LedgerOptions) -> Result<Ledger, Error> {
    Ledger::open(&dir.join("ledger.db"), options)
}

pub fn person(keys: &Keys, number: &str) -> PersonId {
    keys.resolve(&[PersonKey { system: "urn:oid:2.16.578.1.12.4.1.4.1", value: number }]).unwrap()
        [0]
}

pub fn draft(id: &str, person: Option<PersonId>, content: &str) -> Draft {
    Draft {
        seen: None,
        kind: Kind::Version,
        source: "velferd-1".to_owned(),
        source_event_id: Some(id.to_owned()),
        owner: "974760673".to_owned(),
        person,
        category: "vital-signs".to_owned(),
        fingerprint: sha256(&[content.as_bytes()]),
        body: content.as_bytes().to_vec(),
    }
}

/// A resealing that erases the bodies at these positions.
pub fn resealing(person: PersonId, erased: &[Position]) -> Draft {
    let resealing = Resealing {
        v: Resealing::VERSION,
        kind: "Observation".to_owned(),
        id: "pulse-1".to_owned(),
        category: "vital-signs".to_owned(),
        owner: "974760673".to_owned(),
        source: "velferd-1".to_owned(),
        erased: erased.to_vec(),
    };
    let body = resealing.seal(b"decided");
    let (kind, source_event_id) = (Kind::Resealing, None);
    Draft { kind, source_event_id, body, ..draft("", Some(person), "") }
}

/// Stops the writer each time it has taken a batch, until told to go on.
pub struct Gate {
    arrived: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl Gate {
    /// The gate, what tells that the writer stands at it, and what lets it through.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<()>, mpsc::Sender<()>) {
        let ((arrived, at_gate), (let_go, go)) = (mpsc::channel(), mpsc::channel());
        (Arc::new(Gate { arrived: Mutex::new(arrived), go: Mutex::new(go) }), at_gate, let_go)
    }
}

impl Faults for Gate {
    fn at(&self, point: Point) {
        if point == Point::Taken {
            // When the test has let go of its ends, the gate stands open.
            let _ = self.arrived.lock().send(());
            let _ = self.go.lock().recv();
        }
    }
}

/// Polls once, which is what puts a group into the queue.
pub fn queued<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

pub fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
