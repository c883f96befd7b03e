//! Systems that write and employees who read, from before the first fault until after the last.
//!
//! Invariant: a system sends the same event, to one server after the other, until one has acknowledged it; then
//! it is written down, and must be there for ever.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Client, Latest};
use super::servers::Servers;

/// Systems at work at the same time.
const WRITERS: usize = 4;
/// Between two requests of one system, or of one employee.
const PAUSE: Duration = Duration::from_millis(40);

/// What was seen from outside. Times are seconds since the load began.
#[derive(Default)]
pub struct Seen {
    /// When each event was acknowledged, by its number.
    pub acknowledged: BTreeMap<u64, f64>,
    /// Answers to writes that were no acknowledgements.
    pub refused: u64,
    /// Reads: when each was answered or failed.
    pub reads: Vec<Read>,
}

/// One read.
pub struct Read {
    /// When it was sent.
    pub at: f64,
    /// Which server was asked.
    pub server: usize,
    /// How long the answer took, in milliseconds; or why there was none.
    pub answer: Result<f64, String>,
}

/// A load under way.
pub struct Load<'a> {
    servers: &'a Servers,
    patients: &'a [String],
    latest: Latest,
    begun: Instant,
    ended: AtomicBool,
    /// The scenario did not come to its end: nothing is sent again.
    failed: AtomicBool,
    next: AtomicU64,
    seen: Mutex<Seen>,
}

impl<'a> Load<'a> {
    /// On these servers; nothing is sent yet.
    pub fn new(servers: &'a Servers, patients: &'a [String]) -> Self {
        let (ended, next, seen) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::default());
        let (latest, begun) = (Latest::default(), Instant::now());
        let failed = AtomicBool::new(false);
        Self { servers, patients, latest, begun, ended, failed, next, seen }
    }

    /// Sends, while `scenario` runs, and until the last event begun is acknowledged.
    pub fn during<T>(
        &self,
        scenario: impl FnOnce(&Self) -> Result<T, String>,
    ) -> Result<T, String> {
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let client = Client::system(self.servers, self.patients)?;
                scope.spawn(move || self.write(client, writer));
            }
            for server in 0..self.servers.count() {
                let client = Client::employee(self.servers, self.patients)?;
                scope.spawn(move || self.read(client, server));
            }
            let result = scenario(self);
            self.failed.store(result.is_err(), Ordering::Relaxed);
            self.ended.store(true, Ordering::Relaxed);
            result
        })
    }

    /// Seconds since it began.
    pub fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// How many events are acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.with(|seen| seen.acknowledged.len())
    }

    /// What was seen, when all is done, and the greatest position that was answered.
    pub fn into_seen(self) -> (Seen, Latest) {
        (self.seen.into_inner().unwrap_or_else(PoisonError::into_inner), self.latest)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, mut client: Client<'_>, first: usize) {
        let mut server = first;
        while !self.ended.load(Ordering::Relaxed) {
            let event = self.next.fetch_add(1, Ordering::Relaxed);
            // Also when the scenario has ended: what was begun may be there.
            while client.write(server % self.servers.count(), event, &self.latest).is_err() {
                if self.failed.load(Ordering::Relaxed) {
                    return;
                }
                self.with(|seen| seen.refused += 1);
                server += 1;
                std::thread::sleep(PAUSE);
            }
            let at = self.now();
            self.with(|seen| seen.acknowledged.insert(event, at));
            std::thread::sleep(PAUSE);
        }
    }

    fn read(&self, mut client: Client<'_>, server: usize) {
        for nth in 0.. {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            let (at, sent) = (self.now(), Instant::now());
            let answer = client.look(server, nth).map(|()| 1000.0 * sent.elapsed().as_secs_f64());
            self.with(|seen| seen.reads.push(Read { at, server, answer }));
            std::thread::sleep(PAUSE);
        }
    }
}
