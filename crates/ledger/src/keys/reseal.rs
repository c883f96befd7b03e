//! A new key for a person, whose old one is destroyed: what makes single records unreadable for good, since
//! a person's bodies are all sealed with one key.
//!
//! The ledger decides: an entry of kind `Resealing` holds the *handover*, which is the next key sealed for
//! whoever has the one before. Once it is on disk, [`Keys::turn`] opens it, puts the next key in the place
//! of the one before, and overwrites that. An older copy of `keys.db` beside the ledger comes to the same
//! in the same way; a newer one than the ledger does not fit, and says so ([`Keys::turned`]).
//!
//! The key that makes digests stays as it was, since entries never change: it is kept beside, sealed under
//! the person's key. Neither it nor the handover is wrapped by the municipality's key, so that nothing but
//! `person.wrapped` has to follow when that is exchanged.

use super::{Keys, begin, empty_write_ahead, wrapped_key};
use crate::crypto::{self, DataKey, NONCE, Secret, mac};
use crate::error::Error;
use record::entry::Position;
use record::identity::PersonId;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// Version 2 of `keys.db`: persons whose key is not their first, the entry that brought it, and the key of
/// their digests.
pub(super) const SCHEMA: &str = "
CREATE TABLE turned(person BLOB PRIMARY KEY, position INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID, STRICT;
";

/// A person's next key, made and not yet in force.
pub(crate) struct Next {
    /// The key in force.
    pub(crate) before: DataKey,
    /// The entry that brought that one; 0 where it is the first.
    pub(crate) since: Position,
    /// The next.
    pub(crate) key: DataKey,
    /// The next, for whoever has the one in force.
    pub(crate) handover: Vec<u8>,
}

/// Labels of the two keys derived from a person's secret, each for one sealed secret.
const HANDOVER: &[u8] = b"fkj handover v1";
const DIGEST: &[u8] = b"fkj digest v1";

impl Keys {
    /// Makes a next key for a person. Nothing is kept of it.
    pub(crate) fn next_key(&self, person: PersonId) -> Result<Next, Error> {
        let (since, before, secret) = self.in_force(&self.connection.lock(), person)?;
        let mut next = Secret::new([0; 32]);
        self.random.fill(&mut next.0)?;
        let handover = self.sealed(&secret, HANDOVER, person, &next)?;
        let key = DataKey::after(&next, before.digest());
        Ok(Next { before, since, key, handover })
    }

    /// Lets whoever reads know of a key that is about to come into force, since for a moment bodies are
    /// sealed with it already.
    pub(crate) fn announce(&self, person: PersonId, next: DataKey) {
        self.known.write().next.insert(person, next);
    }

    /// Takes an announcement back.
    pub(crate) fn withdraw(&self, person: PersonId) {
        self.known.write().next.remove(&person);
    }

    /// The key that was announced for a person.
    pub(crate) fn announced(&self, person: PersonId) -> Option<DataKey> {
        self.known.read().next.get(&person).cloned()
    }

    /// Puts a person's next key in force and destroys the one before, as the entry at `position` says.
    /// Doing it again is harmless and finishes what a crash interrupted.
    ///
    /// # Errors
    /// As [`Keys::destroy`]; [`Error::Erased`] where the person has no key any more; [`Error::Key`] where
    /// the handover is not for the key in force.
    pub(crate) fn turn(
        &self,
        person: PersonId,
        position: Position,
        handover: &[u8],
    ) -> Result<(), Error> {
        let failed = "putting a person's next key in force";
        let mut connection = self.connection.lock();
        if self.since(person) < position {
            let (_, before, secret) = self.in_force(&connection, person)?;
            let next = unsealed(&secret, HANDOVER, person, handover).ok_or(Error::Key {
                what: "a person's next key was not sealed for the one before",
            })?;
            let wrapped = self.service.wrap(&next, &person.0)?;
            let digest = self.sealed(&next, DIGEST, person, &before.digest())?;
            let tx = begin(&mut connection, failed)?;
            tx.execute(
                "UPDATE person SET wrapped = zeroblob(length(wrapped)) WHERE id = ?1",
                [person.0],
            )
            .and_then(|_| {
                let update = "UPDATE person SET wrapped = ?2 WHERE id = ?1";
                tx.execute(update, params![person.0, wrapped])
            })
            .and_then(|_| {
                let insert =
                    "INSERT OR REPLACE INTO turned(person, position, digest) VALUES (?1, ?2, ?3)";
                tx.execute(insert, params![person.0, position, digest])
            })
            .and_then(|_| tx.commit())
            .map_err(Error::storage(failed))?;
            let mut known = self.known.write();
            known.keys.insert(person, DataKey::after(&next, before.digest()));
            known.turned.insert(person, position);
            known.next.remove(&person);
            drop(known);
            self.turns.fetch_add(1, Ordering::SeqCst);
        }
        if !empty_write_ahead(&connection)? {
            return Err(Error::Key {
                what: "exchanged, but a reader holds an earlier copy; open the ledger again",
            });
        }
        Ok(())
    }

    /// How many keys were exchanged since `keys.db` was opened: what was sealed at another count may have
    /// been sealed with a key that is destroyed.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }

    /// The entry that brought a person's key; 0 where it is the first.
    pub(crate) fn since(&self, person: PersonId) -> Position {
        self.known.read().turned.get(&person).copied().unwrap_or(0)
    }

    /// Persons whose key is not their first, with the entry that brought it.
    pub(crate) fn turned(&self) -> HashMap<PersonId, Position> {
        self.known.read().turned.clone()
    }

    /// The key in force, since when, and its secret.
    fn in_force(
        &self,
        connection: &Connection,
        person: PersonId,
    ) -> Result<(Position, DataKey, Secret), Error> {
        let wrapped = wrapped_key(connection, person)?.ok_or(Error::Erased)?;
        let secret = self.service.unwrap(&wrapped, &person.0)?;
        let key = self.key_of(connection, person, &secret)?;
        Ok((self.since(person), key, secret))
    }

    /// The key that a person's secret stands for.
    pub(super) fn key_of(
        &self,
        connection: &Connection,
        person: PersonId,
        secret: &Secret,
    ) -> Result<DataKey, Error> {
        if self.since(person) == 0 {
            return Ok(DataKey::new(secret));
        }
        let digest: Vec<u8> = connection
            .query_row("SELECT digest FROM turned WHERE person = ?1", [person.0], |row| row.get(0))
            .map_err(Error::storage("reading the key of a person's digests"))?;
        let digest = unsealed(secret, DIGEST, person, &digest)
            .ok_or(Error::Key { what: "the key of a person's digests does not open" })?;
        Ok(DataKey::after(secret, digest))
    }

    fn sealed(
        &self,
        secret: &Secret,
        label: &[u8],
        person: PersonId,
        what: &Secret,
    ) -> Result<Vec<u8>, Error> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce)?;
        let mut out = Vec::new();
        crypto::seal(&Secret(mac(secret, &[label])), nonce, &person.0, &what.0, &mut out)?;
        Ok(out)
    }
}

fn unsealed(secret: &Secret, label: &[u8], person: PersonId, sealed: &[u8]) -> Option<Secret> {
    let mut plain = crypto::open(&Secret(mac(secret, &[label])), &person.0, sealed)?;
    let found = Secret::from_slice(&plain);
    plain.fill(0);
    found
}

/// Persons whose key is not their first, as the file has it.
pub(super) fn stored(connection: &Connection) -> rusqlite::Result<HashMap<PersonId, Position>> {
    connection
        .prepare("SELECT person, position FROM turned")?
        .query_map([], |row| Ok((row.get(0).map(PersonId)?, row.get(1)?)))?
        .collect()
}
