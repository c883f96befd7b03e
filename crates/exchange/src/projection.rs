//! The projection: one thread that takes what the ledger has, in order, into the view, puts in force what it
//! changes of access, and tells those who wait and watch.
//!
//! Invariants: a position is visible only when everything up to it is in the view and in force. A view or register
//! that cannot follow stops, and nothing more is answered from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, TryRecvError};
use std::thread::JoinHandle;

use access::register::Register;
use access::standing::Standing;
use ledger::append::{Body, Committed, Draft, Record};
use ledger::error::Error;
use ledger::ledger::Ledger;
use record::entry::{Kind, Position};
use tokio::sync::{broadcast, watch};
use view::added::Walked;
use view::project::Projector;
use view::store::View;
use view::trace::Traces;

use crate::consent::fold::Restrictions;
use crate::error::Failure;
use crate::power;
use crate::register::follow::{Follower, founding, tell_difference};
use crate::tenant::Change;

/// Entries read from the ledger at a time while the view catches up.
pub(crate) const CATCH_UP: usize = 1_000;

/// Resources read at a time for added search parameters, while nothing is waiting to be projected: some
/// milliseconds, which what arrives meanwhile waits.
const STEP: usize = 200;

/// The largest view, in bytes, that is written anew while it is in use: a second or two, which what arrives
/// meanwhile waits.
const LARGE: u64 = 256 << 20;

/// Batches that are projected in one transaction.
const AT_ONCE: usize = 16;

/// What comes to be projected.
pub(crate) enum Arrived {
    /// What this server has just committed.
    Committed(Arc<[Committed]>),
    /// What was read back, of a ledger that several servers write.
    Read(Vec<Record>),
}

/// The projection thread; dropping waits for its end, and sees to that what it wrote is on disk.
pub(crate) struct Projection {
    thread: Option<JoinHandle<()>>,
    directory: PathBuf,
}

impl Projection {
    /// Projects what arrives, from where `line` is, until nothing more can.
    pub fn start(
        directory: &Path,
        arrived: Receiver<Arrived>,
        line: Line,
    ) -> Result<Self, Failure> {
        let thread = std::thread::Builder::new()
            .name("projection".to_owned())
            .spawn(move || project(&arrived, line))
            .map_err(|error| Failure::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { thread: Some(thread), directory: directory.to_owned() })
    }
}

impl Drop for Projection {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        if let Err(error) = power::end(&self.directory) {
            tracing::warn!(%error, "the view is not on disk, and is made anew after a power cut");
        }
    }
}

/// The view, brought up to the ledger.
pub(crate) fn projected(
    ledger: &Ledger,
    path: &Path,
    index_key: [u8; 16],
) -> Result<Projector, Failure> {
    let mut projector = Projector::open(path, index_key)?;
    let is_new = projector.position() == 0;
    catch_up(ledger, &mut projector)?;
    clear_traces(&mut projector, u64::MAX)?;
    // What is made anew is made whole; what was only behind is completed beside the reading.
    while is_new && index_further(&mut projector)? {}
    Ok(projector)
}

fn catch_up(ledger: &Ledger, projector: &mut Projector) -> Result<(), Failure> {
    loop {
        let records = ledger.read(projector.position() + 1, CATCH_UP)?;
        if records.is_empty() {
            return Ok(());
        }
        tell_skipped(&projector.replay(&records)?);
    }
}

/// What decisions rest on; a municipality that has decided nothing is founded first.
pub(crate) fn follow(
    directory: &Path,
    register: &Register,
    ledger: &Ledger,
    view: &View,
    projector: &mut Projector,
) -> Result<Follower, Failure> {
    if let Some(follower) = Follower::open(view, projector.position())? {
        tell_difference(directory, register, &follower.decided().read());
        return Ok(follower);
    }
    Standing::new(register.clone()).map_err(|error| Failure::Unavailable(error.to_string()))?;
    let draft = Draft { seen: Some(0), ..founding(register)? };
    // A thread of its own: whoever opens a municipality may be serving others at the same time.
    let appended =
        std::thread::scope(|scope| scope.spawn(|| ledger.append_blocking(vec![draft])).join());
    match appended.map_err(|_| Failure::Unavailable("the founding was not recorded".to_owned()))? {
        // Another server was the first.
        Ok(_) | Err(Error::Overtaken { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    catch_up(ledger, projector)?;
    let founded = Follower::open(view, projector.position())?;
    founded.ok_or_else(|| Failure::Unavailable("the municipality was not founded".to_owned()))
}

/// Clears the view's files of what erased persons may have left in them.
fn clear_traces(projector: &mut Projector, most: u64) -> Result<Traces, view::error::Error> {
    let left = projector.clear_traces(most)?;
    match left {
        Traces::None => {}
        Traces::Moved => tracing::warn!(
            "the view is too large to be written anew while it is in use; bytes of erased persons may be left \
             in its file until the next start"
        ),
        Traces::Held => tracing::warn!(
            "a reader holds on to old pages of the view; bytes of erased persons are left in its files until \
             the next entry or start"
        ),
    }
    Ok(left)
}

/// Answers that an entry is missing from say so themselves; the operator is told where to look.
fn tell_skipped(skipped: &[Position]) {
    for position in skipped {
        tracing::error!(
            position,
            "an entry of the ledger cannot be read into the view; run `fkj ledger verify`, and if the \
             ledger is whole, the version of the platform that wrote it"
        );
    }
}

/// One step towards the whole index of added search parameters; `false` where there is none to go.
fn index_further(projector: &mut Projector) -> Result<bool, view::error::Error> {
    let Some(Walked { number, leaving, first, last }) = projector.index_further(STEP)? else {
        return Ok(false);
    };
    if first {
        tracing::info!(number, leaving, "going through old data for an added search parameter");
    }
    if last {
        tracing::info!(number, leaving, "the index of an added search parameter is in order");
    }
    Ok(true)
}

/// What keeps the standing in step with the ledger.
pub(crate) struct Followers {
    pub(crate) decisions: Follower,
    pub(crate) restrictions: Restrictions,
}

impl Followers {
    fn take(&mut self, committed: &[&Committed]) -> Result<(), String> {
        self.decisions.take(committed)?;
        self.restrictions.take(committed).map_err(|failure| failure.to_string())
    }
}

/// Who is told of what has been projected.
pub(crate) struct Tell {
    /// Those who wait for a position.
    pub(crate) reached: watch::Sender<Position>,
    /// Those who watch for changes.
    pub(crate) announce: broadcast::Sender<Change>,
}

/// The view's writer with everybody who goes by what it has written.
pub(crate) struct Line {
    projector: Projector,
    followers: Followers,
    tell: Tell,
    /// Somebody holds on to old pages of the view.
    held: bool,
}

impl Line {
    pub fn new(projector: Projector, followers: Followers, tell: Tell) -> Self {
        Self { projector, followers, tell, held: false }
    }

    /// Takes what was committed, in one transaction.
    fn take_committed(&mut self, batches: &[Arc<[Committed]>]) -> Result<(), String> {
        let committed: Vec<&Committed> = batches.iter().flat_map(|batch| batch.iter()).collect();
        let skipped = self.projector.apply(&committed);
        self.follow(skipped, &committed)
    }

    /// Takes what was read, in one transaction.
    fn take_read(&mut self, records: Vec<Record>) -> Result<(), String> {
        let skipped = self.projector.replay(&records);
        // Of what was erased since there is nothing to follow; the erasure itself comes later.
        let plain = |Record { entry, body }| match body {
            Body::Plain(body) => Some(Committed { entry, body }),
            Body::Erased => None,
        };
        let committed: Vec<Committed> = records.into_iter().filter_map(plain).collect();
        self.follow(skipped, &committed.iter().collect::<Vec<_>>())
    }

    /// Puts in force and tells what has been projected.
    fn follow(
        &mut self,
        skipped: Result<Vec<Position>, view::error::Error>,
        committed: &[&Committed],
    ) -> Result<(), String> {
        let stopped = |error| format!("the view has stopped; restart to catch up: {error}");
        tell_skipped(&skipped.map_err(stopped)?);
        // Before its position is visible, so that whoever reads by a decision's position is judged by it.
        self.followers.take(committed).map_err(|error| {
            format!("the register has stopped, and with it the view; nothing is answered: {error}")
        })?;
        // Before whoever sent it is answered: who begins to watch after an answer has not missed it, and is
        // not told of it either.
        for Committed { entry, .. } in committed {
            // Nobody watching is no fault.
            drop(self.tell.announce.send(Change {
                person: entry.person,
                category: entry.category.clone(),
                position: entry.position,
            }));
        }
        if self.held || committed.iter().any(leaves_traces) {
            match clear_traces(&mut self.projector, LARGE) {
                Ok(left) => self.held = left == Traces::Held,
                Err(error) => tracing::error!(%error, "the view's file cannot be written anew"),
            }
        }
        self.tell.reached.send_replace(self.projector.position());
        Ok(())
    }
}

/// The projection thread. When nothing waits, it goes on with the index of added search parameters.
fn project(arrived: &Receiver<Arrived>, mut line: Line) {
    let (mut stuck, mut waiting) = (false, None);
    loop {
        let idle = stuck || line.projector.is_indexed();
        let first = match waiting.take() {
            Some(first) => Ok(Some(first)),
            None => next(arrived, idle),
        };
        let taken = match first {
            Err(RecvError) => return,
            Ok(None) => {
                if let Err(error) = index_further(&mut line.projector) {
                    // Searches go on reading instead.
                    tracing::error!(%error, "old data cannot be indexed; restart to try again");
                    stuck = true;
                }
                Ok(())
            }
            Ok(Some(Arrived::Read(records))) => line.take_read(records),
            Ok(Some(Arrived::Committed(first))) => {
                let mut batches = vec![first];
                while batches.len() < AT_ONCE
                    && let Ok(next) = arrived.try_recv()
                {
                    match next {
                        Arrived::Committed(batch) => batches.push(batch),
                        other @ Arrived::Read(_) => {
                            waiting = Some(other);
                            break;
                        }
                    }
                }
                line.take_committed(&batches)
            }
        };
        if let Err(error) = taken {
            // The view is behind and stays behind, so nothing more is answered from it and the operator is told.
            // The ledger has everything.
            tracing::error!("{error}");
            return;
        }
    }
}

/// What arrives next; nothing where nothing waits and there is something else to do meanwhile.
///
/// # Errors
/// When the ledger has ended.
fn next(arrived: &Receiver<Arrived>, idle: bool) -> Result<Option<Arrived>, RecvError> {
    if idle {
        return arrived.recv().map(Some);
    }
    match arrived.try_recv() {
        Ok(batch) => Ok(Some(batch)),
        Err(TryRecvError::Empty) => Ok(None),
        Err(TryRecvError::Disconnected) => Err(RecvError),
    }
}

/// Whether the entry erases something that the view has had.
fn leaves_traces(committed: &&Committed) -> bool {
    matches!(committed.entry.kind, Kind::Erasure | Kind::Resealing)
}
