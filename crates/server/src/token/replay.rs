//! That a DPoP proof opens once: the proofs seen lately, here or in a place that several servers share.
//!
//! Invariant: looking and remembering are one step, so that of two requests with one proof, at one server
//! or at two, one is let in. Only proofs that are right in all else come here, so that nobody without a
//! token fills it.

use std::collections::HashSet;
use std::mem;

use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;

/// A proof that is right, by what it is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Hash of its key and its id.
    pub id: [u8; 32],
    /// The last second, since 1970, in which its time is right.
    pub until: i64,
}

/// The cache cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the memory of DPoP proofs cannot be used: {0}")]
pub struct ReplayError(pub String);

/// Proofs seen lately.
pub trait Replay: Send + Sync {
    /// Remembers a proof for as long as it could be used; `false` where it was known already.
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// Where the cache cannot be asked: the request must be refused.
    fn is_first(&self, proof: Proof, now: i64) -> BoxFuture<'_, Result<bool, ReplayError>>;
}

/// Longest time that a proof can still be used, in seconds: [`Memory`] keeps each for once to twice
/// as long. Twenty seconds lie between the first and the last second in which a proof's time is right.
const GENERATION: u64 = 25;

/// The proofs of one server, in memory, in two generations: the older is thrown away whole.
#[derive(Default)]
pub struct Memory {
    seen: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
    /// When the young one began.
    begun: i64,
}

impl Memory {
    fn insert(&self, proof: Proof, now: i64) -> bool {
        let mut seen = self.seen.lock();
        // Also when the clock was set back, so that nothing is kept for long.
        if now.abs_diff(seen.begun) >= GENERATION {
            seen.old = mem::take(&mut seen.young);
            seen.begun = now;
        }
        !seen.old.contains(&proof.id) && seen.young.insert(proof.id)
    }
}

impl Replay for Memory {
    fn is_first(&self, proof: Proof, now: i64) -> BoxFuture<'_, Result<bool, ReplayError>> {
        ready(Ok(self.insert(proof, now))).boxed()
    }
}
