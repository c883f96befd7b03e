//! Waiting for new entries, whoever appends them.

use crate::append::Sealer;
use crate::endings;
use crate::error::Error;
use crate::storage::{Listening, Reading, Storage};
use parking_lot::{Condvar, Mutex, MutexGuard};
use record::entry::Position;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far a ledger has come, as far as this process has heard.
#[derive(Default)]
pub(crate) struct Progress {
    last: Mutex<Position>,
    moved: Condvar,
}

impl Progress {
    /// There is an entry at `position`.
    pub(crate) fn reached(&self, position: Position) {
        let mut last = self.last.lock();
        if position > *last {
            *last = position;
            self.moved.notify_all();
        }
    }

    fn beyond(&self, position: Position, deadline: Instant) -> Position {
        let mut last = self.last.lock();
        while *last <= position && !self.moved.wait_until(&mut last, deadline).timed_out() {}
        *last
    }
}

/// Follows a ledger.
pub(crate) struct Follower {
    /// What hears of others; nothing where nobody else appends.
    listener: Option<Mutex<Heard>>,
    progress: Arc<Progress>,
}

struct Heard {
    listener: Box<dyn Listening>,
    /// Through which entry erasures and resealings were carried out here.
    carried_out: Position,
}

impl Follower {
    /// Follows from `position` on, through which all is done.
    pub(crate) fn new(
        storage: &dyn Storage,
        progress: Arc<Progress>,
        position: Position,
    ) -> Result<Self, Error> {
        progress.reached(position);
        let listener = storage
            .listener()?
            .map(|listener| Mutex::new(Heard { listener, carried_out: position }));
        Ok(Self { listener, progress })
    }

    /// The last position, as soon as it is beyond `position`, or after `timeout`.
    pub(crate) fn wait_beyond(
        &self,
        sealer: &Sealer,
        position: Position,
        timeout: Duration,
    ) -> Result<Position, Error> {
        let deadline = Instant::now() + timeout;
        let Some(heard) = &self.listener else {
            return Ok(self.progress.beyond(position, deadline));
        };
        loop {
            let mut heard = heard.lock();
            let last = heard.look(sealer)?;
            self.progress.reached(last);
            let left = deadline.saturating_duration_since(Instant::now());
            if last > position || left.is_zero() {
                return Ok(last);
            }
            heard.listener.pause(left);
            // Whoever else waits looks too.
            MutexGuard::unlock_fair(heard);
        }
    }
}

impl Heard {
    /// How far the ledger has come, with what its entries up to there say of keys carried out. A connection that
    /// broke since the last time is no reason not to know; a server that was waited for in vain is not waited for
    /// once more, since whoever asks has others to ask.
    fn look(&mut self, sealer: &Sealer) -> Result<Position, Error> {
        match self.try_to_look(sealer) {
            Err(error @ Error::Unreachable { .. }) => Err(error),
            Err(error) if error.is_away() => self.try_to_look(sealer),
            looked => looked,
        }
    }

    fn try_to_look(&mut self, sealer: &Sealer) -> Result<Position, Error> {
        let reading: &dyn Reading = self.listener.reading()?;
        let head = reading.head()?;
        let last = head.ok_or(Error::Corrupt { position: 0, what: "there is no head" })?.position;
        if last > self.carried_out {
            endings::carry_out(reading, sealer, self.carried_out)?;
            self.carried_out = last;
        }
        Ok(last)
    }
}
