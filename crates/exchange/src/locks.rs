//! Locks on resources: two changes of one resource are decided one after the other.
//!
//! A lock is held from reading the current version until the new one is visible, so that owner,
//! version and content are judged against what is really there.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

const STRIPES: usize = 256;

/// A fixed number of locks shared by all resources.
pub struct Locks(Vec<Mutex<()>>);

impl Locks {
    /// All free.
    pub fn new() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }

    /// Locks these names, always in the same order, so that two holders never wait for each other.
    pub async fn hold<'a>(
        &'a self,
        names: impl Iterator<Item = String>,
    ) -> Vec<MutexGuard<'a, ()>> {
        let mut stripes: Vec<usize> = names.map(|name| stripe(&name)).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut held = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            if let Some(lock) = self.0.get(stripe) {
                held.push(lock.lock().await);
            }
        }
        held
    }
}

fn stripe(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or_default()
}
