//! Locks on resources: two changes of one resource are decided one after the other.
//!
//! A lock is held from reading the current version until the new one is visible, so that owner,
//! version and content are judged against what is really there. Whoever asks first gets a lock first.
//!
//! Invariant: a name is known here only while somebody holds or awaits it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// A lock for each name that is asked for, known by its hash.
#[derive(Default)]
pub struct Locks {
    hashing: RandomState,
    turns: Mutex<HashMap<u64, Arc<Turn<()>>>>,
}

/// Locks that are held; dropping it gives them back.
#[must_use]
pub struct Held<'a> {
    locks: &'a Locks,
    /// Held, but for the last one while it is awaited.
    names: Vec<u64>,
    turns: Vec<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Locks these names, always in the same order, so that two holders never wait for each other.
    pub async fn hold(&self, names: impl Iterator<Item = String>) -> Held<'_> {
        let mut hashes: Vec<u64> = names.map(|name| self.hashing.hash_one(name)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let count = hashes.len();
        let (names, turns) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut held = Held { locks: self, names, turns };
        for name in hashes {
            let turn = self.turns.lock().entry(name).or_default().clone();
            held.names.push(name);
            held.turns.push(turn.lock_owned().await);
        }
        held
    }
}

/// Also where somebody stops waiting.
impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.names.is_empty() {
            return;
        }
        let mut turns = self.locks.turns.lock();
        self.turns.clear();
        for name in &self.names {
            // Nobody else has it: it is only given out under this lock.
            if turns.get(name).is_some_and(|turn| Arc::strong_count(turn) == 1) {
                turns.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use super::*;

    fn names(names: &[&str]) -> impl Iterator<Item = String> {
        names.iter().map(ToString::to_string).collect::<Vec<_>>().into_iter()
    }

    fn is_waiting(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn a_name_is_one_holders_and_forgotten_when_nobody_wants_it() {
        let locks = Locks::default();
        let first = locks.hold(names(&["a", "b", "a"])).await;
        let other = locks.hold(names(&["c"])).await;
        {
            let second = locks.hold(names(&["b"]));
            tokio::pin!(second);
            assert!(is_waiting(second.as_mut()));
            // Whoever stops waiting leaves nothing behind.
        }
        let third = locks.hold(names(&["a"]));
        tokio::pin!(third);
        assert!(is_waiting(third.as_mut()));
        drop(first);
        let third = third.await;
        assert_eq!(locks.turns.lock().len(), 2);
        drop((third, other));
        assert!(locks.turns.lock().is_empty());
    }
}
