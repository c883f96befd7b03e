//! How long a writer waits for a database that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Before the first attempt and the longest before a later one.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The absence of a database, from when it was first met until it is over.
pub(crate) struct Absence {
    patience: Duration,
    since: Option<Instant>,
    pause: Duration,
    /// Whether nobody waits any more.
    closing: Arc<AtomicBool>,
}

impl Absence {
    /// Nothing is away; what will be is waited for so long.
    pub(crate) fn new(patience: Duration, closing: Arc<AtomicBool>) -> Self {
        Self { patience, since: None, pause: FIRST, closing }
    }

    /// Waits a while, and longer each time; `false` at once where patience has ended, until it is over.
    pub(crate) fn wait(&mut self) -> bool {
        let since = self.since.get_or_insert_with(Instant::now);
        if since.elapsed() > self.patience || self.closing.load(Ordering::SeqCst) {
            return false;
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST);
        true
    }

    /// The database is there; whether it was away.
    pub(crate) fn ended(&mut self) -> bool {
        self.pause = FIRST;
        self.since.take().is_some()
    }
}
