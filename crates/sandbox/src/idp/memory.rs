//! What a stand-in remembers for a while: bounded in number and time.

use std::collections::HashMap;

use super::refused::Refused;

/// Most that is remembered of one sort.
const MOST: usize = 10_000;

/// Values under names nobody can guess, each until a second.
pub struct Memory<V> {
    kept: HashMap<String, (i64, V)>,
}

impl<V> Default for Memory<V> {
    fn default() -> Self {
        Self { kept: HashMap::new() }
    }
}

impl<V> Memory<V> {
    /// Remembers a value until a second, since 1970.
    ///
    /// # Errors
    /// Where there is no room, also after what has expired was forgotten.
    pub fn keep(&mut self, name: String, until: i64, value: V, now: i64) -> Result<(), Refused> {
        if self.kept.len() >= MOST {
            self.kept.retain(|_, (until, _)| *until > now);
        }
        if self.kept.len() >= MOST {
            let full = "the stand-in remembers too much already; try again in a minute";
            return Err(Refused::new("temporarily_unavailable", full));
        }
        self.kept.insert(name, (until, value));
        Ok(())
    }

    /// The value under a name.
    pub fn get(&self, name: &str, now: i64) -> Option<&V> {
        self.kept.get(name).filter(|(until, _)| *until > now).map(|(_, value)| value)
    }

    /// The value under a name, to be changed.
    pub fn get_mut(&mut self, name: &str, now: i64) -> Option<&mut V> {
        self.kept.get_mut(name).filter(|(until, _)| *until > now).map(|(_, value)| value)
    }

    /// The value under a name, which is forgotten.
    pub fn take(&mut self, name: &str, now: i64) -> Option<V> {
        self.kept.remove(name).filter(|(until, _)| *until > now).map(|(_, value)| value)
    }

    /// Forgets what does not fit.
    pub fn retain(&mut self, fits: impl Fn(&V) -> bool) {
        self.kept.retain(|_, (_, value)| fits(value));
    }
}
