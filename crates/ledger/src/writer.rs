//! The one writer of a ledger: a thread that takes groups from the queue and commits them in
//! batches.
//!
//! Invariants: a group is kept whole or not at all, and a refused group changes nothing for the
//! others in its batch, because every group is judged before anything is written. Positions have no
//! gaps. `recorded_at` never goes backwards. Appenders are answered after the batch is on disk and
//! the projector has it. An entry that tells of an erasure *is* the erasure: the person's key is destroyed
//! before anybody is told, and nothing of the person is taken after it. A resealing is alone in its batch, so that
//! it meets all that came before it, and what comes after it is sealed anew. After a commit whose outcome is unknown the writer stops: going on after a
//! failed sync would acknowledge what may not be there.

use crate::append::{Appended, Committed, Prepared, Sealer};
use crate::chain::{self, CHECKPOINT_EVERY, Head, Seal};
use crate::clock::Clock;
use crate::condition::Watch;
use crate::error::Error;
use crate::faults::{Faults, Point};
use crate::ledger::Sink;
use crate::read;
use crate::reseal::{self, Turn};
use crate::tree::{Notary, Tree};
use aws_lc_rs::signature::Ed25519KeyPair;
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A group waiting for its place.
pub(crate) struct Job {
    pub(crate) group: Vec<Prepared>,
    /// Whether a checkpoint of what is then there is asked for.
    pub(crate) checkpoint: bool,
    pub(crate) answer: oneshot::Sender<Result<Vec<Appended>, Error>>,
}

impl Job {
    fn is_resealing(&self) -> bool {
        self.group.iter().any(|prepared| prepared.resealing.is_some())
    }
}

pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) signing_key: Ed25519KeyPair,
    pub(crate) tree: Tree,
    pub(crate) notary: Notary,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) sink: Option<Sink>,
    pub(crate) limits: Limits,
    pub(crate) path: PathBuf,
    pub(crate) watch: Arc<Watch>,
}

/// When a batch is full.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) drafts: usize,
    pub(crate) bytes: usize,
}

/// Where one draft of an accepted group will be.
enum Slot {
    /// New: the nth of the batch's new entries.
    New(usize),
    /// The same as the nth of the batch's new entries.
    SameAs(usize),
    /// Kept by an earlier batch.
    Stored(Box<Entry>),
}

type Verdict = Result<Vec<Slot>, Error>;

/// The batch's new entries with what was judged so far.
#[derive(Default)]
struct Plan {
    new: Vec<Prepared>,
    /// Event key of each new entry that has one → (content mac, index in `new`).
    events: HashMap<[u8; 16], ([u8; 16], usize)>,
    /// Persons whom the batch erases.
    erased: HashSet<PersonId>,
}

impl Writer {
    /// Runs until the queue is closed and empty, or a commit fails.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut alone = None;
        while let Some(first) = alone.take().or_else(|| queue.blocking_recv()) {
            let mut size = Size::of(&first.group);
            let goes_alone = first.is_resealing();
            let mut batch = vec![first];
            while !goes_alone && size.drafts < self.limits.drafts && size.bytes < self.limits.bytes
            {
                let Ok(job) = queue.try_recv() else { break };
                if job.is_resealing() {
                    alone = Some(job);
                    break;
                }
                size = size.with(&job.group);
                batch.push(job);
            }
            self.faults.at(Point::Taken);
            if let Err(error) = self.commit(batch) {
                tracing::error!(%error, ledger = %self.sealer.ledger, "the ledger's writer stops");
                return;
            }
        }
    }

    /// Commits a batch and answers. An error means that the writer must stop.
    fn commit(&mut self, batch: Vec<Job>) -> Result<(), Error> {
        let wanted = batch.iter().any(|job| job.checkpoint);
        let (groups, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.group, job.answer)).unzip();
        let written = match self.watch.has_room(&self.path) {
            true => self.write(groups, wanted),
            false => Err(Error::NoRoom.into()),
        };
        let (verdicts, committed) = match written {
            Ok(written) => written,
            Err(Stop { error, stop }) => {
                if !matches!(error, Error::NoRoom) {
                    self.watch.failed(&error, stop);
                }
                // Where the writer stops, nobody knows whether it is kept.
                let told = if stop { Error::Stopped } else { error.clone() };
                for answer in answers {
                    let _ = answer.send(Err(told.clone()));
                }
                return if stop { Err(error) } else { Ok(()) };
            }
        };
        if !committed.is_empty() {
            self.watch.wrote();
        }
        for refused in verdicts.iter().filter_map(|verdict| verdict.as_ref().err()) {
            self.watch.met(refused);
        }
        let answered: Vec<_> = answers
            .into_iter()
            .zip(verdicts)
            .map(|(answer, verdict)| (answer, verdict.and_then(|slots| place(slots, &committed))))
            .collect();
        if let (Some(sink), false) = (&mut self.sink, committed.is_empty()) {
            sink(Arc::from(committed));
        }
        self.faults.at(Point::Handed);
        for (answer, result) in answered {
            let _ = answer.send(result);
        }
        self.faults.at(Point::Answered);
        Ok(())
    }

    /// Judges every group and writes the accepted ones in one transaction, with the checkpoint that is
    /// due or `wanted`.
    fn write(
        &mut self,
        groups: Vec<Vec<Prepared>>,
        wanted: bool,
    ) -> Result<(Vec<Verdict>, Vec<Committed>), Stop> {
        let (sealer, faults) = (&*self.sealer, &*self.faults);
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::storage("beginning a batch"))?;
        let mut plan = Plan::default();
        let verdicts: Vec<Verdict> =
            groups.into_iter().map(|group| plan.judge(&tx, sealer, group)).collect();
        if plan.new.is_empty() && !self.tree.is_due(wanted) {
            return Ok((verdicts, Vec::new()));
        }
        // What is not committed leaves no trace in the tree either.
        let mut tree = self.tree.clone();
        let head = chain::stored_head(&tx)?
            .ok_or(Error::Corrupt { position: 0, what: "there is no head" })?;
        let not_before = last_time(&tx, head.position)?;
        let mut now = self.clock.now_ms().max(not_before);
        let turn = reseal::carry_out(&tx, sealer, head.position, &mut plan.new)?;
        insert_bodies(&tx, head.position, &plan.new).map_err(Error::storage("keeping bodies"))?;
        faults.at(Point::Bodies);
        let mut chained = Chained {
            tx: &tx,
            ledger: &sealer.ledger,
            key: &self.signing_key,
            tree: &mut tree,
            head,
        };
        let mut committed = Vec::with_capacity(plan.new.len());
        for prepared in std::mem::take(&mut plan.new) {
            now = now.max(self.clock.recorded(chained.head.position + 1, now));
            let entry = chained.insert(prepared.entry, prepared.event, now)?;
            committed.push(Committed { entry, body: prepared.plain });
        }
        faults.at(Point::Entries);
        chained.sign_head()?;
        faults.at(Point::Head);
        if tree.is_due(wanted) {
            tree.note(&tx, &self.notary)?;
        }
        faults.at(Point::Checkpoint);
        commit(tx, sealer, turn.as_ref())?;
        self.tree = tree;
        faults.at(Point::Committed);
        destroy(sealer, &plan.erased, turn.as_ref())?;
        if turn.is_some() {
            empty_write_ahead(&self.connection);
        }
        faults.at(Point::Destroyed);
        Ok((verdicts, committed))
    }
}

/// A failed batch, and whether the writer can go on.
struct Stop {
    error: Error,
    stop: bool,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop { error, stop: false }
    }
}

/// Commits, having announced the key that comes into force with it.
fn commit(tx: Transaction<'_>, sealer: &Sealer, turn: Option<&Turn>) -> Result<(), Stop> {
    let Some(turn) = turn else { return finish(tx) };
    turn.announce(sealer);
    // Where nobody knows what is on disk, readers may meet either key.
    finish(tx).inspect_err(|stop| {
        if !stop.stop {
            turn.withdraw(sealer);
        }
    })
}

/// Takes what was replaced out of the write-ahead file as well, unless a reader holds on to it: it opens
/// with no key that is left.
fn empty_write_ahead(connection: &Connection) {
    let cut = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = cut {
        tracing::warn!(%error, "the write-ahead file is emptied later");
    }
}

/// Destroys the keys of those whom a committed batch erases, and the key that it puts another in the
/// place of. Where that fails the writer stops: nobody
/// is told that it is done, and the next opening goes on with it.
fn destroy(sealer: &Sealer, erased: &HashSet<PersonId>, turn: Option<&Turn>) -> Result<(), Stop> {
    if let Some(Err(error)) = turn.map(|turn| turn.make(sealer)) {
        return Err(Stop { error, stop: true });
    }
    for person in erased {
        match sealer.keys.destroy(*person) {
            Ok(()) | Err(Error::UnknownPerson) => {}
            Err(error) => return Err(Stop { error, stop: true }),
        }
    }
    Ok(())
}

/// A full disk refuses cleanly and the transaction is undone; any other failure to commit leaves
/// open what is on disk.
fn finish(tx: Transaction<'_>) -> Result<(), Stop> {
    let result = tx.execute_batch("COMMIT");
    let Err(source) = result else { return Ok(()) };
    let full = source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
    let undone = tx.is_autocommit() || tx.rollback().is_ok();
    Err(Stop { error: Error::storage("committing a batch")(source), stop: !(full && undone) })
}

#[derive(Clone, Copy)]
struct Size {
    drafts: usize,
    bytes: usize,
}

impl Size {
    fn of(group: &[Prepared]) -> Self {
        Size { drafts: 0, bytes: 0 }.with(group)
    }

    fn with(self, group: &[Prepared]) -> Self {
        let bytes: usize = group.iter().map(|prepared| prepared.sealed.len()).sum();
        Size { drafts: self.drafts + group.len(), bytes: self.bytes + bytes }
    }
}

impl Plan {
    /// Judges one group; takes its new entries into the batch when all of it is accepted.
    fn judge(&mut self, tx: &Transaction<'_>, sealer: &Sealer, group: Vec<Prepared>) -> Verdict {
        let mut taken = Vec::with_capacity(group.len());
        let mut events = HashMap::new();
        let mut slots = Vec::with_capacity(group.len());
        for (index, mut prepared) in group.into_iter().enumerate() {
            let person = prepared.entry.person.filter(|_| prepared.entry.kind != Kind::Erasure);
            if sealer.is_erased(&prepared.entry)
                || person.is_some_and(|person| self.erased.contains(&person))
            {
                return Err(Error::Erased);
            }
            let next = self.new.len() + taken.len();
            let mac = prepared.entry.content_mac;
            let earlier = match prepared.event {
                Some(key) => self.earlier(tx, &events, key)?,
                None => None,
            };
            match earlier {
                Some((_, slot)) if slot.is_erased(tx)? => return Err(Error::Erased),
                Some((kept, slot)) if kept == mac => slots.push(slot),
                Some((_, slot)) => {
                    return Err(Error::Conflict { index, position: slot.position() });
                }
                None => {
                    if let Some(key) = prepared.event {
                        events.insert(key, (mac, next));
                    }
                    sealer.renew(&mut prepared)?;
                    slots.push(Slot::New(next));
                    taken.push(prepared);
                }
            }
        }
        self.erased.extend(taken.iter().filter_map(|prepared| sealer.erases(&prepared.entry)));
        self.new.append(&mut taken);
        self.events.extend(events);
        Ok(slots)
    }

    /// What already has this event key: in the group, in the batch, or in the ledger.
    fn earlier(
        &self,
        tx: &Transaction<'_>,
        group: &HashMap<[u8; 16], ([u8; 16], usize)>,
        key: [u8; 16],
    ) -> Result<Option<([u8; 16], Slot)>, Error> {
        if let Some((mac, at)) = group.get(&key).or_else(|| self.events.get(&key)) {
            return Ok(Some((*mac, Slot::SameAs(*at))));
        }
        let stored = stored_event(tx, key)?;
        Ok(stored.map(|entry| (entry.content_mac, Slot::Stored(Box::new(entry)))))
    }
}

impl Slot {
    fn position(&self) -> Option<Position> {
        match self {
            Slot::Stored(entry) => Some(entry.position),
            Slot::New(_) | Slot::SameAs(_) => None,
        }
    }

    /// Whether what was kept was erased since.
    fn is_erased(&self, tx: &Transaction<'_>) -> Result<bool, Error> {
        self.position().map_or(Ok(false), |position| read::is_erased(tx, position))
    }
}

/// The entry whose source event has this key.
pub(crate) fn stored_event(connection: &Connection, key: [u8; 16]) -> Result<Option<Entry>, Error> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT bytes FROM entry WHERE event = ?1")
        .and_then(|mut select| select.query_row([key], |row| row.get(0)).optional())
        .map_err(Error::storage("looking for an event id"))?;
    bytes
        .map(|bytes| Entry::from_canonical(&bytes))
        .transpose()
        .map_err(|_| Error::Corrupt { position: 0, what: "an entry does not decode" })
}

fn last_time(tx: &Transaction<'_>, position: Position) -> Result<i64, Error> {
    if position == 0 {
        return Ok(i64::MIN);
    }
    let bytes: Vec<u8> = tx
        .prepare_cached("SELECT bytes FROM entry WHERE position = ?1")
        .and_then(|mut select| select.query_row([position], |row| row.get(0)))
        .map_err(Error::storage("reading the last entry"))?;
    Entry::from_canonical(&bytes)
        .map(|entry| entry.recorded_at)
        .map_err(|_| Error::Corrupt { position, what: "the last entry does not decode" })
}

fn insert_bodies(tx: &Transaction<'_>, after: Position, new: &[Prepared]) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached("INSERT INTO body(position, bytes) VALUES (?1, ?2)")?;
    for (position, prepared) in (after + 1..).zip(new) {
        insert.execute(params![position, prepared.sealed])?;
    }
    Ok(())
}

/// Keeps an entry with what the indexes need of it; `bytes` are its canonical ones.
pub(crate) fn keep_entry(
    tx: &Transaction<'_>,
    entry: &Entry,
    event: Option<[u8; 16]>,
    bytes: &[u8],
) -> Result<(), Error> {
    let person = entry.person.map(|person| person.0);
    tx.prepare_cached("INSERT INTO entry(position, event, person, bytes) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut insert| insert.execute(params![entry.position, event, person, bytes]))
        .map_err(Error::storage("keeping an entry"))?;
    let index = match entry.kind {
        Kind::Erasure => "INSERT INTO erasure(position, person) VALUES (?1, ?2)",
        Kind::Resealing => "INSERT INTO resealing(position, person) VALUES (?1, ?2)",
        _ => return Ok(()),
    };
    if let Some(person) = person {
        tx.execute(index, params![entry.position, person])
            .map_err(Error::storage("keeping an erasure"))?;
    }
    Ok(())
}

/// The growing end of the chain within one transaction.
struct Chained<'a> {
    tx: &'a Transaction<'a>,
    ledger: &'a str,
    key: &'a Ed25519KeyPair,
    tree: &'a mut Tree,
    head: Head,
}

impl Chained<'_> {
    fn insert(
        &mut self,
        mut entry: Entry,
        event: Option<[u8; 16]>,
        now: i64,
    ) -> Result<Entry, Error> {
        entry.position = self.head.position + 1;
        entry.recorded_at = now;
        entry.prev_hash = self.head.hash;
        let bytes = entry.canonical();
        keep_entry(self.tx, &entry, event, &bytes)?;
        self.head.position = entry.position;
        self.head.hash = chain::hash(&bytes);
        self.tree.push(self.tx, &self.head.hash)?;
        if entry.position.is_multiple_of(CHECKPOINT_EVERY) {
            self.keep_checkpoint()?;
        }
        Ok(entry)
    }

    fn keep_checkpoint(&self) -> Result<(), Error> {
        let (position, hash) = (self.head.position, self.head.hash);
        let signed = chain::sign(self.key, Seal::Checkpoint, self.ledger, position, hash);
        self.tx
            .execute(
                "INSERT INTO checkpoint(position, hash, signature) VALUES (?1, ?2, ?3)",
                params![signed.position, signed.hash, signed.signature],
            )
            .map(drop)
            .map_err(Error::storage("keeping a checkpoint"))
    }

    fn sign_head(&self) -> Result<(), Error> {
        let (position, hash) = (self.head.position, self.head.hash);
        keep_head(self.tx, &chain::sign(self.key, Seal::Head, self.ledger, position, hash))
    }
}

pub(crate) fn keep_head(connection: &Connection, head: &Head) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO head(id, position, hash, signature) VALUES (1, ?1, ?2, ?3)",
        )
        .and_then(|mut insert| insert.execute(params![head.position, head.hash, head.signature]))
        .map(drop)
        .map_err(Error::storage("keeping the head"))
}

/// Turns the slots of a group into answers.
fn place(slots: Vec<Slot>, committed: &[Committed]) -> Result<Vec<Appended>, Error> {
    let at = |index: usize| committed.get(index).map(|new| new.entry.clone()).ok_or(Error::Stopped);
    slots
        .into_iter()
        .map(|slot| match slot {
            Slot::New(index) => at(index).map(Appended::New),
            Slot::SameAs(index) => at(index).map(Appended::Duplicate),
            Slot::Stored(entry) => Ok(Appended::Duplicate(*entry)),
        })
        .collect()
}
