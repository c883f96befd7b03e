//! When each source last answered about a person. Times only, never content; gone when the process ends.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use record::identity::PersonId;

/// Persons remembered for each source.
const MOST: usize = 10_000;

/// The last answers of one source.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    at: HashMap<PersonId, i64>,
    /// In the order they were first remembered.
    order: VecDeque<PersonId>,
}

impl Memory {
    /// It answered about this person at `now`, milliseconds since 1970.
    pub fn answered(&self, person: PersonId, now: i64) {
        let mut kept = self.0.lock();
        if kept.at.insert(person, now).is_none() {
            kept.order.push_back(person);
        }
        if kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.at.remove(&oldest);
        }
    }

    /// When it last did.
    pub fn last(&self, person: PersonId) -> Option<i64> {
        self.0.lock().at.get(&person).copied()
    }
}
