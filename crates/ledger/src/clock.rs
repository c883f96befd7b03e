//! Where time comes from. Injected everywhere, so that a test decides what the time is.

use record::entry::Position;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z. May go backwards; the ledger does not.
    fn now_ms(&self) -> i64;

    /// When the entry that gets this position is recorded, in milliseconds since 1970: `now`, but where another
    /// ledger is followed entry by entry, the time that stands there.
    fn recorded(&self, _position: Position, now: i64) -> i64 {
        now
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock for tests: stands still, or takes the same step each time it is read.
#[derive(Debug)]
pub struct FixedClock {
    next: AtomicI64,
    step: i64,
}

impl FixedClock {
    /// A clock that always says `ms`.
    pub fn new(ms: i64) -> Self {
        Self::stepping(ms, 0)
    }

    /// A clock that says `ms` first, and `step` milliseconds more each time.
    pub fn stepping(ms: i64, step: i64) -> Self {
        Self { next: AtomicI64::new(ms), step }
    }

    /// Sets what the clock says next; may be earlier than before.
    pub fn set(&self, ms: i64) {
        self.next.store(ms, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.next.fetch_add(self.step, Ordering::SeqCst)
    }
}
