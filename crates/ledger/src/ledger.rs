//! The open ledger: what the rest of the platform calls.

mod proofs;

use crate::absence::Absence;
use crate::append::{Appended, Body, Committed, Draft, Record, Sealer, Sealing};
use crate::body::MAX_BYTES;
use crate::chain::{self, Head, Seal};
use crate::clock::{Clock, SystemClock};
use crate::condition::{Condition, Watch};
use crate::database::Database;
use crate::endings;
use crate::error::Error;
use crate::faults::{Faults, NoFaults};
use crate::follow::{Follower, Progress};
use crate::foreign::Window;
use crate::keys::Keys;
use crate::note::Checkpoint;
use crate::random::{Random, SystemRandom};
use crate::read::Readers;
use crate::reseal;
use crate::storage::postgres::Schema;
use crate::storage::sqlite::{LedgerFile, SqliteStore, complete_tree};
use crate::storage::{Storage, Store};
use crate::store;
use crate::verify::{PublicKeys, Report, Trust};
use crate::writer::tail::Tail;
use crate::writer::{Job, Limits, Writer};
use parking_lot::Mutex;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Gets every commit, in order, before the appenders are answered. Called on the writer's thread:
/// it should only hand on (send into a channel), since appends wait for it, and must not panic.
pub type Sink = Box<dyn FnMut(Arc<[Committed]>) + Send>;

/// How to open a ledger.
pub struct LedgerOptions {
    /// The ledger's name, such as `0301/ledger`; bound into signatures and bodies, never changed.
    pub name: String,
    /// The municipality's keys.
    pub keys: Arc<Keys>,
    /// With whose key bodies are sealed; never changed for a ledger.
    pub sealing: Sealing,
    /// Who is told of every commit.
    pub on_commit: Option<Sink>,
    /// Where `recorded_at` comes from.
    pub clock: Arc<dyn Clock>,
    /// Where nonces come from.
    pub random: Arc<dyn Random>,
    /// How many groups may wait.
    pub queue: usize,
    /// A batch is full at this many drafts.
    pub batch_drafts: usize,
    /// A batch is full at this many sealed bytes.
    pub batch_bytes: usize,
    /// How long a batch waits for a database that is away, before its appenders are told that it is.
    pub patience: Duration,
    /// Told when the writer passes a point where a crash is tested.
    pub faults: Arc<dyn Faults>,
}

impl LedgerOptions {
    /// The usual: the system's clock and randomness, 512 groups waiting, batches of 1 024 drafts or
    /// 8 MiB, a minute's patience, nobody told.
    pub fn new(name: impl Into<String>, keys: Arc<Keys>, sealing: Sealing) -> Self {
        Self {
            name: name.into(),
            keys,
            sealing,
            on_commit: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            queue: 512,
            batch_drafts: 1024,
            batch_bytes: 8 << 20,
            patience: Duration::from_secs(60),
            faults: Arc::new(NoFaults),
        }
    }
}

/// One open ledger. Dropping it commits what waits and ends the writer.
pub struct Ledger {
    storage: Arc<dyn Storage>,
    sealer: Arc<Sealer>,
    watch: Arc<Watch>,
    readers: Readers,
    follower: Follower,
    // Some until dropped: closing the queue is what ends the writer.
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Whether it is being dropped: then nobody waits for a database that is away.
    closing: Arc<AtomicBool>,
    /// Of the file, where it is one.
    _lock: Option<File>,
}

impl Ledger {
    /// Opens the ledger in `path`, or makes it. One process at a time.
    ///
    /// # Errors
    /// [`Error::Locked`]; [`Error::Storage`]; [`Error::Key`]; [`Error::Corrupt`] when the end of the
    /// chain does not fit its signature, or a ledger that was there before is missing.
    pub fn open(path: &Path, options: LedgerOptions) -> Result<Self, Error> {
        let lock = store::lock(path, &options.name)?;
        let missing = !path.exists();
        if missing && options.keys.has_made(&options.name)? {
            return Err(Error::Corrupt { position: 0, what: "the file of a known ledger is gone" });
        }
        let mut connection = store::open_ledger(path, options.sealing)?;
        complete_tree(&mut connection)?;
        let storage = Arc::new(LedgerFile(path.to_owned()));
        Self::start(storage, Box::new(SqliteStore(connection)), Some(lock), options)
    }

    /// Opens the ledger in a schema of `database`, or makes both. Other servers may have it open too: each one's
    /// batches are chained to what is there.
    ///
    /// What other servers have appended is in every answer to a reader; [`LedgerOptions::on_commit`] hears of
    /// this one's own, and not of a batch whose commit was answered with [`Error::Unsettled`].
    /// [`Ledger::wait_beyond`] hears of all.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Key`]; [`Error::Corrupt`] as [`Ledger::open`], and where the schema is of
    /// a newer version.
    pub fn open_in(database: &Arc<Database>, options: LedgerOptions) -> Result<Self, Error> {
        let (schema, store) = Schema::open(database.clone(), &options.name, options.sealing)?;
        Self::start(Arc::new(schema), Box::new(store), None, options)
    }

    /// Brings what a crash left undone to its end, and starts the writer.
    fn start(
        storage: Arc<dyn Storage>,
        mut store: Box<dyn Store>,
        lock: Option<File>,
        options: LedgerOptions,
    ) -> Result<Self, Error> {
        let signing_key = options.keys.signing_key(&options.name)?;
        let notary = options.keys.notary(&options.name)?;
        // Nobody else appends meanwhile.
        let head = store.begin()?;
        let tail = Tail::read(store.reading())
            .and_then(|tail| check_end(&mut *store, head, tail, &options, &signing_key));
        store.abandon();
        let tail = tail?;
        let ledger_key = options.keys.ledger_key(&options.name)?;
        let sealer = Arc::new(Sealer {
            ledger: options.name,
            keys: options.keys,
            random: options.random,
            sealing: options.sealing,
            ledger_key,
        });
        endings::finish(store.reading(), &sealer)?;
        let watch = Arc::new(Watch::new(sealer.ledger.clone()));
        let progress = Arc::new(Progress::default());
        let closing = Arc::new(AtomicBool::new(false));
        let follower = Follower::new(&*storage, progress.clone(), tail.position)?;
        let writer = Writer {
            progress,
            absence: Absence::new(options.patience, closing.clone()),
            unfinished: false,
            foreign: Window::after(tail.position),
            path: storage.path().map(Path::to_owned),
            watch: watch.clone(),
            store,
            sealer: sealer.clone(),
            signing_key,
            tail,
            notary,
            clock: options.clock,
            faults: options.faults,
            sink: options.on_commit,
            limits: Limits { drafts: options.batch_drafts, bytes: options.batch_bytes },
        };
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let writer = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(Error::file("starting the ledger's writer"))?;
        let readers = Readers {
            storage: storage.clone(),
            sealer: sealer.clone(),
            idle: Mutex::default(),
            watch: watch.clone(),
        };
        let (queue, writer) = (Some(queue), Some(writer));
        Ok(Self { storage, sealer, watch, readers, follower, queue, writer, closing, _lock: lock })
    }

    /// Appends a group, whole or not at all, and answers when it is on disk: one [`Appended`] per
    /// draft, in order. Waits for a place in the queue. Seals on the calling thread: a large group
    /// belongs on a blocking one. When the future is dropped after queuing, the group is kept anyway.
    ///
    /// A draft of kind `Resealing`, alone in its group and with a [`record::resealing::Resealing`] as its body,
    /// erases the bodies it names for good: it reads and seals all else about the person on the calling
    /// thread, by a walk through the ledger. [`Error::NotErasable`] where they cannot be;
    /// [`Error::Busy`] where the same person's were sealed anew meanwhile.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::Overtaken`], [`Error::Erased`], [`Error::UnknownPerson`],
    /// [`Error::TooLarge`]: nothing of the group was kept. [`Error::Storage`], [`Error::Database`],
    /// [`Error::Unreachable`]: not kept, try again. [`Error::Unsettled`]: unknown; send again with the same source event
    /// ids. [`Error::Stopped`]: unknown; reopen, and send so.
    pub async fn append(&self, group: Vec<Draft>) -> Result<Vec<Appended>, Error> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let place = self.queue()?.reserve().await.map_err(|_| Error::Stopped)?;
        let (job, answer) = self.prepare(group)?;
        place.send(job);
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// As [`Ledger::append`], but refuses at once when the queue is full, before any work is done.
    ///
    /// # Errors
    /// [`Error::Busy`], and those of [`Ledger::append`].
    pub async fn try_append(&self, group: Vec<Draft>) -> Result<Vec<Appended>, Error> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let place = self.queue()?.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => Error::Busy,
            mpsc::error::TrySendError::Closed(()) => Error::Stopped,
        })?;
        let (job, answer) = self.prepare(group)?;
        place.send(job);
        answer.await.map_err(|_| Error::Stopped)?
    }

    /// As [`Ledger::append`], for a thread that may block. Not to be called from async code.
    ///
    /// # Errors
    /// Those of [`Ledger::append`].
    pub fn append_blocking(&self, group: Vec<Draft>) -> Result<Vec<Appended>, Error> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let (job, answer) = self.prepare(group)?;
        self.queue()?.blocking_send(job).map_err(|_| Error::Stopped)?;
        answer.blocking_recv().map_err(|_| Error::Stopped)?
    }

    /// The signed end of the chain.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn head(&self) -> Result<Head, Error> {
        self.readers.head()
    }

    /// As [`Ledger::head`], asked over a new connection: where the server that takes what is written has fallen
    /// silent, the next to answer is a standby, which may be behind.
    ///
    /// # Errors
    /// As [`Ledger::head`].
    pub fn head_anew(&self) -> Result<Head, Error> {
        self.readers.head_anew()
    }

    /// Up to `limit` records from position `from` on, in order.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Key`]; [`Error::Corrupt`] at the first record that does not fit.
    pub fn read(&self, from: Position, limit: usize) -> Result<Vec<Record>, Error> {
        self.readers.read(from, limit)
    }

    /// The record at `position`, if there is one.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn record(&self, position: Position) -> Result<Option<Record>, Error> {
        let first = self.readers.read(position, 1)?.into_iter().next();
        Ok(first.filter(|record| record.entry.position == position))
    }

    /// The content at `position`, if there is an entry.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn body(&self, position: Position) -> Result<Option<Body>, Error> {
        Ok(self.record(position)?.map(|record| record.body))
    }

    /// Up to `limit` records about `person`, the newest first; `before` continues a page. Fast in an
    /// audit ledger, which has an index for it; a clinical ledger is searched from end to end.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn by_person(
        &self,
        person: PersonId,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Record>, Error> {
        self.readers.by_person(person, before, limit)
    }

    /// The entry of a source's own event id, if it was kept.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn find_event(&self, source: &str, id: &str) -> Result<Option<Entry>, Error> {
        self.readers.find_event(source, id)
    }

    /// Whether other servers may append to it.
    pub fn is_shared(&self) -> bool {
        self.storage.is_shared()
    }

    /// Waits until there are entries beyond `position`, whoever appended them, or `timeout` is over; answers the
    /// last position. Blocks: not to be called from async code. What other servers erased up to there is erased
    /// here too when it answers.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Unreachable`]: nobody can say whether there are more. At a timeout without an
    /// error there are none. [`Error::Corrupt`], [`Error::Key`].
    pub fn wait_beyond(&self, position: Position, timeout: Duration) -> Result<Position, Error> {
        self.follower.wait_beyond(&self.sealer, position, timeout)
    }

    /// Recomputes everything, beside running appends. `progress` is told `(done, of)` entries.
    ///
    /// # Errors
    /// Only where verifying is impossible: [`Error::Key`], or [`Error::Storage`] when the file
    /// cannot be opened. Damage is no error but in the report.
    pub fn verify(&self, progress: impl FnMut(Position, Position)) -> Result<Report, Error> {
        self.verify_against(&[], progress)
    }

    /// As [`Ledger::verify`], and that nothing before these checkpoints was changed, which were kept
    /// elsewhere and whose signatures are verified.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub fn verify_against(
        &self,
        checkpoints: &[Checkpoint],
        mut progress: impl FnMut(Position, Position),
    ) -> Result<Report, Error> {
        let ledger = &self.sealer.ledger;
        let keys = PublicKeys::of(&self.sealer.keys, ledger)?;
        let trust = Trust { checkpoints, ..keys.trust(ledger) };
        self.storage.verify(&trust, &mut progress)
    }

    /// The position of the first entry recorded at `ms` (milliseconds since 1970) or later; one past
    /// the last entry where there is none. Reads a few entries: `recorded_at` never goes backwards.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn first_recorded(&self, ms: i64) -> Result<Position, Error> {
        self.readers.first_recorded(ms)
    }

    /// Whether it takes entries, and whether damage was met.
    pub fn condition(&self) -> Condition {
        self.watch.condition()
    }

    /// Takes no entries while fewer bytes than this are free where it lies; 0: takes what the disk takes.
    pub fn keep_free(&self, bytes: u64) {
        self.watch.keep_free(bytes);
    }

    fn queue(&self) -> Result<&mpsc::Sender<Job>, Error> {
        self.queue.as_ref().ok_or(Error::Stopped)
    }

    fn prepare(&self, group: Vec<Draft>) -> Result<(Job, Answer), Error> {
        let bytes: usize = group.iter().map(|draft| draft.body.len()).sum();
        if bytes > MAX_BYTES {
            return Err(Error::TooLarge { bytes, limit: MAX_BYTES });
        }
        let reseals = |kind| self.sealer.reseals(kind);
        if group.len() > 1 && group.iter().any(|draft| reseals(draft.kind)) {
            return Err(Error::NotErasable { what: "a resealing is appended alone" });
        }
        let mut group = self.sealer.prepare_all(group)?;
        if let [only] = group.as_mut_slice()
            && reseals(only.entry.kind)
        {
            let work = self.readers.with(|it| reseal::prepare(it, &self.sealer, only))?;
            only.resealing = Some(Box::new(work));
        }
        let (answer, receiver) = oneshot::channel();
        Ok((Job { group, checkpoint: false, answer }, receiver))
    }
}

type Answer = oneshot::Receiver<Result<Vec<Appended>, Error>>;

impl Drop for Ledger {
    fn drop(&mut self) {
        // Readers first: the writer, closing last, empties the write-ahead file; a reader cannot.
        self.readers.idle.lock().clear();
        self.closing.store(true, Ordering::SeqCst);
        self.queue.take();
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!(ledger = %self.sealer.ledger, "the ledger's writer had panicked");
        }
    }
}

/// Checks that the stored head is signed and is the last entry's; an empty ledger gets its head.
fn check_end(
    store: &mut dyn Store,
    head: Option<Head>,
    tail: Tail,
    options: &LedgerOptions,
    signing_key: &aws_lc_rs::signature::Ed25519KeyPair,
) -> Result<Tail, Error> {
    let (position, hash) = (tail.position, tail.hash);
    match head {
        None if position == 0 && !options.keys.has_made(&options.name)? => {
            store.found(&chain::sign(signing_key, Seal::Head, &options.name, 0, hash))?;
        }
        None => return Err(Error::Corrupt { position, what: "there is no head" }),
        Some(head) => {
            if head.position != position || head.hash != hash {
                return Err(Error::Corrupt { position, what: "the last entry is not the head's" });
            }
            if !head.is_signed(&options.keys.public_key(&options.name)?, &options.name) {
                let what = "the head is not signed by the key in keys.db";
                return Err(Error::Corrupt { position, what });
            }
        }
    }
    options.keys.mark_made(&options.name)?;
    Ok(tail)
}
