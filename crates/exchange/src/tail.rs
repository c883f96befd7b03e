//! The tail of a ledger that several servers write: what any of them has committed reaches this one's view, and
//! how long ago that was known to be all.
//!
//! Invariants: entries arrive in order, each once, and each chained to the one before. A server that has not known for
//! [`ALONE`] that it has everything answers nothing: a block or an erasure may have been decided elsewhere. Where it
//! can still ask a standby, the database is without a server that takes what is written, or will be soon: then nobody
//! decides anything, and it goes on for [`BETWEEN`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use ledger::clock::Clock;
use ledger::crypto::sha256;
use ledger::error::Error;
use ledger::ledger::Ledger;
use record::entry::Position;
use tokio::sync::watch;

use crate::error::Failure;
use crate::projection::{Arrived, CATCH_UP};

/// So long may go by without knowing, in milliseconds: what it takes to find that a database server is gone and
/// to ask another.
const ALONE: i64 = 10_000;
/// So long, where a standby can be asked: what it takes to make one of them the new server that is written to.
const BETWEEN: i64 = 30_000;
/// Longest wait for something new.
const WAIT: Duration = Duration::from_millis(250);
/// Between two tries to reach the database.
const AGAIN: Duration = Duration::from_millis(100);
/// More entries than this are not read ahead of the view.
const AHEAD: Position = 4 * CATCH_UP as Position;
/// Between two looks at how far the view has come.
const LOOK: Duration = Duration::from_millis(2);

/// When it was last known that nothing is missing.
pub(crate) struct Freshness {
    clock: Arc<dyn Clock>,
    /// When everything was known, in milliseconds since 1970.
    known: AtomicI64,
    /// When a standby said that there is nothing more, so far as it knows.
    supposed: AtomicI64,
}

impl Freshness {
    /// Where everything is known now.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let now = clock.now_ms();
        Arc::new(Self { clock, known: AtomicI64::new(now), supposed: AtomicI64::new(now) })
    }

    /// For how long it has not been known, in milliseconds.
    pub fn age(&self) -> i64 {
        self.since(&self.known)
    }

    /// Whether this server may answer.
    pub fn is_fresh(&self) -> bool {
        let age = self.age();
        age < ALONE || (age < BETWEEN && self.since(&self.supposed) < ALONE)
    }

    fn since(&self, moment: &AtomicI64) -> i64 {
        self.clock.now_ms().saturating_sub(moment.load(Ordering::Acquire)).max(0)
    }
}

/// The thread that follows; dropping waits for its end.
pub(crate) struct Tail {
    thread: Option<JoinHandle<()>>,
    ended: Arc<AtomicBool>,
}

impl Tail {
    /// Reads what comes after what `visible` is at now, and sends it on.
    pub fn start(
        ledger: Arc<Ledger>,
        visible: watch::Receiver<Position>,
        to: Sender<Arrived>,
        fresh: Arc<Freshness>,
    ) -> Result<Self, Failure> {
        let ended = Arc::new(AtomicBool::new(false));
        let position = *visible.borrow();
        let (end, away) = (None, false);
        let follower =
            Follower { ledger, visible, to, fresh, ended: ended.clone(), position, end, away };
        let thread = std::thread::Builder::new()
            .name("tail".to_owned())
            .spawn(move || follower.run())
            .map_err(|error| Failure::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { thread: Some(thread), ended })
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Follower {
    ledger: Arc<Ledger>,
    visible: watch::Receiver<Position>,
    to: Sender<Arrived>,
    fresh: Arc<Freshness>,
    ended: Arc<AtomicBool>,
    /// The last entry that was sent on.
    position: Position,
    /// Its hash, once one was.
    end: Option<[u8; 32]>,
    /// The database could not be asked, and that was told.
    away: bool,
}

impl Follower {
    fn run(mut self) {
        while !self.ended.load(Ordering::Acquire) && self.visible.has_changed().is_ok() {
            match self.step() {
                Ok(()) if self.away => {
                    tracing::info!("the database can be asked again");
                    self.away = false;
                }
                Ok(()) => {}
                Err(error) => {
                    if !self.away {
                        tracing::error!(
                            %error,
                            "the database cannot be asked; after some seconds nothing is answered"
                        );
                        self.away = true;
                    }
                    self.suppose();
                    std::thread::sleep(AGAIN);
                }
            }
        }
    }

    /// Waits for something new, and sends it on.
    fn step(&mut self) -> Result<(), Error> {
        let asked = self.fresh.clock.now_ms();
        let last = self.ledger.wait_beyond(self.position, WAIT)?;
        if self.send_to(last)? {
            self.fresh.known.store(asked, Ordering::Release);
        }
        Ok(())
    }

    /// Asks whoever answers, perhaps a standby.
    fn suppose(&mut self) {
        let asked = self.fresh.clock.now_ms();
        let told = self.ledger.head_anew().and_then(|head| self.send_to(head.position));
        if told.is_ok_and(|is_all| is_all) {
            self.fresh.supposed.store(asked, Ordering::Release);
        }
    }

    /// Sends on what there is up to a position, and waits for the view; whether the view has it all.
    fn send_to(&mut self, last: Position) -> Result<bool, Error> {
        while self.position < last {
            let records = self.ledger.read(self.position + 1, CATCH_UP)?;
            let (Some(first), Some(end)) = (records.first(), records.last()) else { break };
            if self.end.is_some_and(|hash| first.entry.prev_hash != hash) {
                let what = "the ledger does not go on from what was read of it; make the view anew";
                return Err(Error::Corrupt { position: self.position, what });
            }
            let (position, hash) = (end.entry.position, sha256(&[&end.entry.canonical()]));
            if self.to.send(Arrived::Read(records)).is_err() {
                return Ok(false);
            }
            (self.position, self.end) = (position, Some(hash));
            self.wait_for_view(position.saturating_sub(AHEAD));
        }
        self.wait_for_view(last);
        Ok(*self.visible.borrow() >= last)
    }

    /// Waits until the view has come so far, or for as long as something new is waited for.
    fn wait_for_view(&self, position: Position) {
        let most = WAIT.as_millis() / LOOK.as_millis();
        for _ in 0..most {
            if *self.visible.borrow() >= position || self.ended.load(Ordering::Acquire) {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}
