//! Taking over persons who have their ids from another `keys.db`, so that what was recorded about them there
//! can be recorded here under the same ids.
//!
//! Invariants: a person who is there keeps id and key; a number is one person's. Each gets a key of this
//! `keys.db`'s own: no key ever comes from another.

use super::{Keys, PersonKey};
use crate::crypto::Secret;
use crate::error::Error;
use record::identity::PersonId;

/// A person with an id from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The id.
    pub person: PersonId,
    /// The numbers the person is found by, as the caller canonicalised them; there may be none.
    pub numbers: Vec<PersonKey<'a>>,
}

impl Keys {
    /// Takes persons over, all of them in one transaction or none. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NumberTaken`] where a number is another person's; [`Error::Storage`], [`Error::Key`].
    pub fn adopt(&self, persons: &[Known<'_>]) -> Result<(), Error> {
        let mut table = self.table.lock();
        self.change(&mut **table, |table| {
            for Known { person, numbers } in persons {
                if table.person(*person)?.is_none() {
                    let mut key = Secret::new([0; 32]);
                    self.random.fill(&mut key.0)?;
                    table.add_persons(&[(*person, self.service.wrap(&key, &person.0)?)])?;
                }
                let hashes: Vec<_> =
                    numbers.iter().map(|number| self.hash("number", number)).collect();
                let known = table.numbers(&hashes)?;
                if known.values().any(|owner| owner != person) {
                    return Err(Error::NumberTaken);
                }
                let new = hashes.into_iter().filter(|hash| !known.contains_key(hash));
                table.add_numbers(&new.map(|hash| (hash, *person)).collect::<Vec<_>>())?;
            }
            Ok(())
        })
    }
}
