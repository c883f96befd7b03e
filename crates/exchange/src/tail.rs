//! The tail of a ledger that several servers write: what any of them has committed reaches this one's view, and
//! how long ago that was known to be all.
//!
//! Invariants: entries arrive in order, each once. A server that has not known for [`LIMIT`] that it has everything
//! answers nothing: a block or an erasure may have been decided elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use ledger::clock::Clock;
use ledger::error::Error;
use ledger::ledger::Ledger;
use record::entry::Position;
use tokio::sync::watch;

use crate::error::Failure;
use crate::projection::{Arrived, CATCH_UP};

/// So long may go by without knowing, in milliseconds: what it takes to find that a database server is gone and
/// to ask another.
pub(crate) const LIMIT: i64 = 5_000;
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
    /// Milliseconds since 1970.
    known: AtomicI64,
}

impl Freshness {
    /// Where everything is known now.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let known = AtomicI64::new(clock.now_ms());
        Arc::new(Self { clock, known })
    }

    /// For how long it has not been known, in milliseconds.
    pub fn age(&self) -> i64 {
        self.clock.now_ms().saturating_sub(self.known.load(Ordering::Acquire)).max(0)
    }

    /// Whether this server may answer.
    pub fn is_fresh(&self) -> bool {
        self.age() < LIMIT
    }

    fn known_at(&self, ms: i64) {
        self.known.store(ms, Ordering::Release);
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
        let follower =
            Follower { ledger, visible, to, fresh, ended: ended.clone(), position, away: false };
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
                    std::thread::sleep(AGAIN);
                }
            }
        }
    }

    /// Waits for something new, and sends it on.
    fn step(&mut self) -> Result<(), Error> {
        let asked = self.fresh.clock.now_ms();
        let last = self.ledger.wait_beyond(self.position, WAIT)?;
        while self.position < last {
            let records = self.ledger.read(self.position + 1, CATCH_UP)?;
            let Some(end) = records.last().map(|record| record.entry.position) else { break };
            if self.to.send(Arrived::Read(records)).is_err() {
                return Ok(());
            }
            self.position = end;
            self.wait_for_view(end.saturating_sub(AHEAD));
        }
        self.wait_for_view(last);
        if *self.visible.borrow() >= last {
            self.fresh.known_at(asked);
        }
        Ok(())
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
