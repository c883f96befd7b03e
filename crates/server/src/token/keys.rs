//! The keys of one issuer: held in memory, fetched anew when they are old or when a token names one that
//! is not among them, and kept while the issuer does not answer.
//!
//! Invariants: however many tokens with unknown keys come, the issuer is asked at most once in
//! [`PAUSE`]; keys that the issuer has not confirmed for [`TRUSTED_FOR`] verify nothing.

use std::sync::Arc;

use ledger::clock::Clock;
use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::token::error::TokenError;
use crate::token::fetch::{FetchError, Source, in_file};
use crate::token::key::Key;

/// Age at which keys are fetched anew, in milliseconds: 15 minutes. So long a withdrawn key still verifies.
pub const MAX_AGE: i64 = 15 * 60 * 1000;

/// Shortest time between two fetches, in milliseconds: 10 seconds.
pub const PAUSE: i64 = 10 * 1000;

/// How long keys are used while the issuer does not answer, in milliseconds: 24 hours. An issuer that is
/// down makes no tokens either, so that longer only helps whoever keeps it from being asked.
pub const TRUSTED_FOR: i64 = 24 * 60 * 60 * 1000;

/// The keys of an issuer.
pub struct KeyRing {
    /// `iss`, for the log.
    issuer: String,
    source: Source,
    clock: Arc<dyn Clock>,
    held: RwLock<Arc<Held>>,
    /// When the issuer was last asked; held while it is asked.
    asked: Mutex<Option<i64>>,
}

/// What an issuer last published.
#[derive(Default)]
pub struct Held {
    keys: Vec<Key>,
    published: Vec<Value>,
    confirmed: Option<i64>,
    /// How often the keys have changed. What was verified under an older one must be verified anew.
    pub generation: u64,
}

impl KeyRing {
    /// With the keys of a file; an issuer that publishes them is first asked when they are needed, or by
    /// [`KeyRing::refresh`].
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn new(issuer: String, source: Source, clock: Arc<dyn Clock>) -> Result<Self, FetchError> {
        let held = RwLock::new(Arc::new(Held::default()));
        let ring = Self { issuer, source, clock, held, asked: Mutex::new(None) };
        if let Source::File(path) = &ring.source {
            ring.hold(in_file(path)?);
        }
        Ok(ring)
    }

    /// What is held now; old keys are fetched anew meanwhile.
    ///
    /// # Errors
    /// Where the issuer has confirmed nothing for too long.
    pub fn current(self: &Arc<Self>) -> Result<Arc<Held>, TokenError> {
        let held = self.held.read().clone();
        let now = self.clock.now_ms();
        let age = held.confirmed.map(|at| now - at);
        if age.is_none_or(|age| age >= MAX_AGE)
            && self.asked.try_lock().is_ok_and(|asked| is_due(*asked, now))
        {
            let ring = self.clone();
            tokio::spawn(async move { ring.refresh().await });
        }
        match age {
            Some(age) if age < TRUSTED_FOR => Ok(held),
            _ => Err(TokenError::Unavailable("the keys of the token's issuer cannot be fetched")),
        }
    }

    /// What is held, with the key of this id if the issuer has it: asks the issuer where it is unknown.
    ///
    /// # Errors
    /// As [`KeyRing::current`].
    pub async fn with(self: &Arc<Self>, id: &str) -> Result<Arc<Held>, TokenError> {
        match self.current() {
            Ok(held) if held.with(id).next().is_some() => return Ok(held),
            Ok(_) | Err(_) => self.refresh().await,
        }
        self.current()
    }

    /// Asks the issuer, unless it was asked a moment ago. A fault is logged, and what is held stays.
    pub async fn refresh(&self) {
        let mut asked = self.asked.lock().await;
        let now = self.clock.now_ms();
        if !is_due(*asked, now) {
            return;
        }
        *asked = Some(now);
        match self.source.fetch().await {
            Ok(published) => self.hold(published),
            Err(error) => {
                tracing::warn!(issuer = self.issuer, "the issuer's keys were not fetched: {error}");
            }
        }
    }

    fn hold(&self, published: Vec<Value>) {
        let confirmed = Some(self.clock.now_ms());
        let mut held = self.held.write();
        let generation = held.generation + u64::from(held.published != published);
        // A key of a kind that is not known here is no fault of the others.
        let keys = published.iter().filter_map(Key::read).collect();
        *held = Arc::new(Held { keys, published, confirmed, generation });
    }
}

impl Held {
    /// The keys with this id: an issuer may use one id for several algorithms.
    pub fn with<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Key> {
        self.keys.iter().filter(move |key| key.id.as_deref() == Some(id))
    }
}

/// Whether an issuer that was asked then may be asked now; also when the clock was set back.
fn is_due(asked: Option<i64>, now: i64) -> bool {
    asked.is_none_or(|at| now.abs_diff(at) >= PAUSE.unsigned_abs())
}
