//! What [`Keys`](super::Keys) asks of the database that holds its tables, so that another database can.
//!
//! A table keeps what it is given and judges nothing. Invariants: between [`Table::begin`] and the end of it nobody
//! else changes anything, so that what was read meanwhile still holds when it ends. What is changed is on disk once
//! [`Table::commit`] has answered, or not there at all.

use super::NumberHash;
use crate::error::Error;
use record::entry::Position;
use record::identity::PersonId;
use std::collections::{HashMap, HashSet};

pub(super) mod postgres;
pub(super) mod sqlite;

/// The tables of a municipality's keys.
pub(super) trait Table: Send {
    /// Whether other servers may change them.
    fn is_shared(&self) -> bool;

    /// Begins a change, waiting for whoever else is at one.
    fn begin(&mut self) -> Result<(), Error>;
    /// Keeps the change for good and ends it, also where it fails.
    fn commit(&mut self) -> Result<(), Error>;
    /// Ends the change without keeping anything.
    fn abandon(&mut self);

    /// Whose these numbers are, of those that are there.
    fn numbers(&mut self, hashes: &[NumberHash]) -> Result<HashMap<NumberHash, PersonId>, Error>;
    fn add_numbers(&mut self, numbers: &[(NumberHash, PersonId)]) -> Result<(), Error>;

    /// What is kept of a person; nothing where there is no such person.
    fn person(&mut self, person: PersonId) -> Result<Option<Kept>, Error>;
    /// Adds persons with their wrapped keys.
    fn add_persons(&mut self, persons: &[(PersonId, Vec<u8>)]) -> Result<(), Error>;
    /// Takes a person's key away.
    fn destroy(&mut self, person: PersonId) -> Result<(), Error>;
    /// Puts another key in the place of a person's.
    fn turn(&mut self, person: PersonId, wrapped: &[u8], turned: &Turned) -> Result<(), Error>;
    /// Persons without a key, and those whose key is not their first.
    fn ended(&mut self) -> Result<Endings, Error>;
    /// How many persons have a key, and how many have none any more.
    fn count(&mut self) -> Result<(u64, u64), Error>;

    /// What stands under a name.
    fn meta(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Puts a value under a name, in the place of the one before.
    fn put(&mut self, name: &str, value: &[u8]) -> Result<(), Error>;
    /// Everything that stands under a name.
    fn metas(&mut self) -> Result<Vec<(String, Vec<u8>)>, Error>;

    /// Persons after `after` with their wrapped keys, in order, at most `limit`; not those without one.
    fn wrapped(&mut self, after: &[u8], limit: usize) -> Result<Vec<Wrapped>, Error>;
    /// The same keys, wrapped anew.
    fn wrap_anew(&mut self, keys: &[Wrapped]) -> Result<(), Error>;

    /// Takes what was overwritten out of where it may still lie, as far as that can be done now; `false` where
    /// it can be done later.
    fn clear(&mut self) -> Result<bool, Error>;
}

/// A person's id and wrapped key.
pub(super) type Wrapped = (Vec<u8>, Vec<u8>);

/// Persons without a key, and the entries that brought the keys of those whose key is not their first.
pub(super) type Endings = (HashSet<PersonId>, HashMap<PersonId, Position>);

/// What is kept of a person.
pub(super) struct Kept {
    /// The wrapped key; nothing where it was destroyed.
    pub(super) wrapped: Option<Vec<u8>>,
    pub(super) turned: Option<Turned>,
}

/// Of a key that is not the person's first.
pub(super) struct Turned {
    /// The entry that brought it.
    pub(super) position: Position,
    /// The key of the person's digests, sealed.
    pub(super) digest: Vec<u8>,
}

/// A change: all of `work`, or nothing of it.
pub(super) fn change<T>(
    table: &mut dyn Table,
    work: impl FnOnce(&mut dyn Table) -> Result<T, Error>,
) -> Result<T, Error> {
    table.begin()?;
    match work(table) {
        Ok(done) => table.commit().map(|()| done),
        Err(error) => {
            table.abandon();
            Err(error)
        }
    }
}
