//! Where randomness comes from. Injected everywhere, so that a test can repeat itself.

use crate::crypto;
use crate::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes for keys and nonces.
pub trait Random: Send + Sync {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`Error::Key`] when the source has nothing to give.
    fn fill(&self, out: &mut [u8]) -> Result<(), Error>;
}

/// The cryptographic generator of the process, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(out).map_err(|_| Error::Key { what: "no random bytes to be had" })
    }
}

/// A repeatable sequence for tests; worthless as a secret.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    next: AtomicU64,
}

impl SeededRandom {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        for chunk in out.chunks_mut(32) {
            let count = self.next.fetch_add(1, Ordering::SeqCst);
            let block = crypto::sha256(&[&self.seed.to_be_bytes(), &count.to_be_bytes()]);
            for (to, from) in chunk.iter_mut().zip(block) {
                *to = from;
            }
        }
        Ok(())
    }
}
