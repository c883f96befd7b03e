//! Taking over persons who have their ids from another `keys.db`, so that what was recorded about them there
//! can be recorded here under the same ids.
//!
//! Invariants: a person who is there keeps id and key; a number is one person's. Each gets a key of this
//! `keys.db`'s own: no key ever comes from another.

use super::{Keys, PersonKey, begin, person_of};
use crate::crypto::Secret;
use crate::error::Error;
use record::identity::PersonId;
use rusqlite::{OptionalExtension, params};

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
        let failed = "taking over persons in keys.db";
        let mut connection = self.connection.lock();
        let tx = begin(&mut connection, failed)?;
        for Known { person, numbers } in persons {
            let there: Option<bool> = tx
                .prepare_cached("SELECT 1 FROM person WHERE id = ?1")
                .and_then(|mut select| select.query_row([person.0], |_| Ok(true)).optional())
                .map_err(Error::storage(failed))?;
            if there.is_none() {
                let mut key = Secret::new([0; 32]);
                self.random.fill(&mut key.0)?;
                let wrapped = self.service.wrap(&key, &person.0)?;
                tx.prepare_cached("INSERT INTO person(id, wrapped) VALUES (?1, ?2)")
                    .and_then(|mut insert| insert.execute(params![person.0, wrapped]))
                    .map_err(Error::storage(failed))?;
            }
            for number in numbers {
                let hash = self.hash("number", number);
                match person_of(&tx, &hash).map_err(Error::storage(failed))? {
                    Some(owner) if owner == *person => continue,
                    Some(_) => return Err(Error::NumberTaken),
                    None => {}
                }
                tx.prepare_cached("INSERT INTO number(hash, person) VALUES (?1, ?2)")
                    .and_then(|mut insert| insert.execute(params![hash, person.0]))
                    .map_err(Error::storage(failed))?;
            }
        }
        tx.commit().map_err(Error::storage(failed))
    }
}
