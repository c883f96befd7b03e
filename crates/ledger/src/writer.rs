//! The one writer of a ledger: a thread that takes groups from the queue and commits them in
//! batches.
//!
//! Invariants: a group is kept whole or not at all, and a refused group changes nothing for the
//! others in its batch, because every group is judged before anything is written. Positions have no
//! gaps. `recorded_at` never goes backwards. Appenders are answered after the batch is on disk and
//! the projector has it. An entry that tells of an erasure *is* the erasure: the person's key is destroyed
//! before anybody is told, and nothing of the person is taken after it. A resealing is alone in its batch, so that
//! it meets all that came before it, and what comes after it is sealed anew. After a commit whose outcome is unknown on a disk the
//! writer stops: going on after a failed sync would acknowledge what may not be there. A database is asked for the
//! outcome until it says so, and nobody is told before.

use crate::absence::Absence;
use crate::append::{Appended, Committed, Prepared, Sealer};
use crate::chain::{self, CHECKPOINT_EVERY, Head, Seal};
use crate::clock::Clock;
use crate::condition::Watch;
use crate::endings;
use crate::error::Error;
use crate::faults::{Faults, Point};
use crate::follow::Progress;
use crate::foreign::Window;
use crate::ledger::Sink;
use crate::reseal::{self, Turn};
use crate::storage::{EventKey, Failed, Kept, Outcome, Store, Write};
use crate::tree::Notary;
use aws_lc_rs::signature::Ed25519KeyPair;
use record::entry::{Entry, Kind, Position};
use record::identity::PersonId;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use tail::Tail;
use tokio::sync::{mpsc, oneshot};

pub(crate) mod tail;

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
    pub(crate) store: Box<dyn Store>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) signing_key: Ed25519KeyPair,
    pub(crate) tail: Tail,
    pub(crate) foreign: Window,
    pub(crate) notary: Notary,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) faults: Arc<dyn Faults>,
    pub(crate) sink: Option<Sink>,
    pub(crate) limits: Limits,
    /// Where room is looked for.
    pub(crate) path: Option<PathBuf>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) absence: Absence,
    /// Whether keys are still to be destroyed that a committed batch has ended.
    pub(crate) unfinished: bool,
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
    /// Kept by an earlier batch; perhaps erased since.
    Stored { entry: Box<Entry>, erased: bool },
}

type Verdict = Result<Vec<Slot>, Error>;

/// What became of each group, and the new entries.
type Written = Result<(Vec<Verdict>, Vec<Committed>), Failed>;

/// The batch's new entries with what was judged so far.
#[derive(Default)]
struct Plan {
    new: Vec<Prepared>,
    /// Event key of each new entry that has one → (content mac, index in `new`).
    events: HashMap<EventKey, ([u8; 16], usize)>,
    /// Events of the batch that the ledger has already.
    kept: HashMap<EventKey, Kept>,
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
        let written = match self.path.as_deref().is_none_or(|path| self.watch.has_room(path)) {
            true => self.write(groups, wanted),
            false => Err(Error::NoRoom.into()),
        };
        let (verdicts, committed) = match written {
            Ok(written) => written,
            Err(Failed { error, kept }) => {
                let stop = kept == Outcome::Unknown;
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
        self.progress.reached(self.tail.position);
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

    /// Writes the accepted groups, with the checkpoint that is due or `wanted`. Where a database is away, until it is
    /// back or patience ends.
    fn write(&mut self, mut groups: Vec<Vec<Prepared>>, wanted: bool) -> Written {
        loop {
            let spare = match self.store.is_shared() {
                true => groups.iter().map(|it| it.iter().map(Prepared::again).collect()).collect(),
                false => None,
            };
            let failed = match self.attempt(groups, wanted) {
                Ok(written) => {
                    if self.absence.ended() {
                        self.watch.wrote();
                    }
                    return Ok(written);
                }
                Err(failed) => failed,
            };
            let is_away = failed.error.is_away();
            match spare {
                Some(spare) if failed.kept == Outcome::Nothing && is_away && self.waits() => {
                    groups = spare;
                }
                _ => return Err(failed),
            }
        }
    }

    /// Whether to try again, after a while.
    fn waits(&mut self) -> bool {
        self.watch.away();
        self.absence.wait()
    }

    /// Judges every group and writes the accepted ones in one transaction.
    fn attempt(&mut self, groups: Vec<Vec<Prepared>>, wanted: bool) -> Written {
        let head = self.store.begin()?;
        let none = Error::Corrupt { position: 0, what: "there is no head" };
        let batch = head.ok_or(none).and_then(|head| self.batch(&head, groups, wanted));
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.store.abandon();
                return Err(error.into());
            }
        };
        let Batch { verdicts, committed, erased, turn, kept } = batch;
        let Some((write, tail)) = kept else {
            self.store.abandon();
            return Ok((verdicts, Vec::new()));
        };
        if let Some(turn) = &turn {
            turn.announce(&self.sealer);
        }
        self.keep(&write).inspect_err(|failed| {
            // Where nobody knows what is on disk, readers may meet either key.
            if let (Some(turn), Outcome::Nothing) = (&turn, failed.kept) {
                turn.withdraw(&self.sealer);
            }
        })?;
        self.tail = tail;
        self.faults.at(Point::Committed);
        self.end(&erased, turn.as_ref())?;
        if turn.is_some() {
            self.store.forget_replaced();
        }
        self.faults.at(Point::Destroyed);
        Ok((verdicts, committed))
    }

    /// Commits. Where the answer is lost, the database is asked until it says whether the batch is kept.
    fn keep(&mut self, write: &Write) -> Result<(), Failed> {
        let Err(failed) = self.store.commit(write, &*self.faults) else { return Ok(()) };
        if failed.kept != Outcome::Askable {
            return Err(failed);
        }
        while self.waits() {
            match self.store.is_kept(write) {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(failed.error.into()),
                Err(error) if error.is_away() => {}
                Err(error) => return Err(Failed { error, kept: Outcome::Unknown }),
            }
        }
        Err(Failed { error: Error::Unsettled, kept: Outcome::Askable })
    }

    /// Destroys the keys of those whom a committed batch erases, and the key that it puts another in the place of.
    /// Where that fails nobody is told that it is done: the next batch, or the next opening, goes on with it.
    fn end(&mut self, erased: &HashSet<PersonId>, turn: Option<&Turn>) -> Result<(), Failed> {
        while let Err(error) = destroy(&self.sealer, erased, turn) {
            if !(self.store.is_shared() && error.is_away()) {
                return Err(Failed { error, kept: Outcome::Unknown });
            }
            self.unfinished = true;
            if !self.waits() {
                return Err(Failed { error: Error::Unsettled, kept: Outcome::Askable });
            }
        }
        self.unfinished = false;
        Ok(())
    }

    /// Judges every group, and chains the accepted ones to what is there.
    fn batch(
        &mut self,
        head: &Head,
        groups: Vec<Vec<Prepared>>,
        wanted: bool,
    ) -> Result<Batch, Error> {
        let (sealer, reading) = (&*self.sealer, self.store.reading());
        if self.unfinished {
            endings::carry_out(reading, sealer, 0)?;
            self.unfinished = false;
        }
        if let Some((reached, foreign)) = self.tail.reached(reading, head)? {
            if foreign.iter().any(|it| it.ends_content()) {
                endings::carry_out(reading, sealer, self.tail.position)?;
            }
            self.tail = reached;
            self.foreign.add(foreign);
        }
        let keys: Vec<EventKey> = groups.iter().flatten().filter_map(|it| it.event).collect();
        let kept = if keys.is_empty() { HashMap::new() } else { reading.events(&keys)? };
        let mut plan = Plan { kept, ..Plan::default() };
        let foreign = self.store.is_shared().then_some(&self.foreign);
        let verdicts: Vec<Verdict> =
            groups.into_iter().map(|group| plan.judge(sealer, foreign, group)).collect();
        let Plan { mut new, erased, .. } = plan;
        // What is not committed leaves no trace in the tail either.
        let mut tail = self.tail.clone();
        if new.is_empty() && !tail.tree.is_due(wanted) {
            return Ok(Batch { verdicts, committed: Vec::new(), erased, turn: None, kept: None });
        }
        tail.time = self.clock.now_ms().max(tail.time);
        let (turn, replaced) = reseal::carry_out(reading, sealer, tail.position, &mut new)?.unzip();
        let mut write = Write {
            rows: Vec::with_capacity(new.len()),
            subtrees: Vec::new(),
            checkpoints: Vec::new(),
            note: None,
            replaced,
            head: head.clone(),
        };
        let mut committed = Vec::with_capacity(new.len());
        let sign = |seal, tail: &Tail| {
            chain::sign(&self.signing_key, seal, &sealer.ledger, tail.position, tail.hash)
        };
        for prepared in new {
            committed.push(tail.chain(prepared, &mut write));
            if tail.position.is_multiple_of(CHECKPOINT_EVERY) {
                write.checkpoints.push(sign(Seal::Checkpoint, &tail));
            }
        }
        write.head = sign(Seal::Head, &tail);
        if tail.tree.is_due(wanted) {
            write.note = Some(tail.tree.note(&self.notary));
        }
        Ok(Batch { verdicts, committed, erased, turn, kept: Some((write, tail)) })
    }
}

/// A batch that was judged and chained.
struct Batch {
    verdicts: Vec<Verdict>,
    committed: Vec<Committed>,
    /// Persons whom it erases.
    erased: HashSet<PersonId>,
    turn: Option<Turn>,
    /// What is to be kept, and the end of the ledger with it.
    kept: Option<(Write, Tail)>,
}

fn destroy(sealer: &Sealer, erased: &HashSet<PersonId>, turn: Option<&Turn>) -> Result<(), Error> {
    if let Some(turn) = turn {
        turn.make(sealer)?;
    }
    for person in erased {
        match sealer.keys.destroy(*person) {
            Ok(()) | Err(Error::UnknownPerson) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
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
    fn judge(
        &mut self,
        sealer: &Sealer,
        foreign: Option<&Window>,
        group: Vec<Prepared>,
    ) -> Verdict {
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
                Some(key) => self.earlier(&events, key)?,
                None => None,
            };
            match earlier {
                Some((_, slot)) if slot.is_erased() => return Err(Error::Erased),
                Some((kept, slot)) if kept == mac => slots.push(slot),
                Some((_, slot)) => {
                    return Err(Error::Conflict { index, position: slot.position() });
                }
                None => {
                    let person = prepared.entry.person;
                    let seen = foreign.zip(prepared.seen);
                    if let Some(position) = seen.and_then(|(it, seen)| it.overtaking(seen, person))
                    {
                        return Err(Error::Overtaken { position });
                    }
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
        group: &HashMap<[u8; 16], ([u8; 16], usize)>,
        key: [u8; 16],
    ) -> Result<Option<([u8; 16], Slot)>, Error> {
        if let Some((mac, at)) = group.get(&key).or_else(|| self.events.get(&key)) {
            return Ok(Some((*mac, Slot::SameAs(*at))));
        }
        let Some(kept) = self.kept.get(&key) else { return Ok(None) };
        let entry = Box::new(kept.entry()?);
        Ok(Some((entry.content_mac, Slot::Stored { entry, erased: kept.erased })))
    }
}

impl Slot {
    fn position(&self) -> Option<Position> {
        match self {
            Slot::Stored { entry, .. } => Some(entry.position),
            Slot::New(_) | Slot::SameAs(_) => None,
        }
    }

    /// Whether what was kept was erased since.
    fn is_erased(&self) -> bool {
        matches!(self, Slot::Stored { erased: true, .. })
    }
}

/// Turns the slots of a group into answers.
fn place(slots: Vec<Slot>, committed: &[Committed]) -> Result<Vec<Appended>, Error> {
    let at = |index: usize| committed.get(index).map(|new| new.entry.clone()).ok_or(Error::Stopped);
    slots
        .into_iter()
        .map(|slot| match slot {
            Slot::New(index) => at(index).map(Appended::New),
            Slot::SameAs(index) => at(index).map(Appended::Duplicate),
            Slot::Stored { entry, .. } => Ok(Appended::Duplicate(*entry)),
        })
        .collect()
}
