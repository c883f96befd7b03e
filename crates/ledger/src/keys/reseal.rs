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

use super::Keys;
use super::table::{Kept, Turned};
use crate::crypto::{self, DataKey, NONCE, Secret, mac};
use crate::error::Error;
use record::entry::Position;
use record::identity::PersonId;
use std::collections::HashMap;
use std::sync::atomic::Ordering;

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
        let kept = self.table.lock().person(person)?.ok_or(Error::UnknownPerson)?;
        let since = kept.turned.as_ref().map_or(0, |turned| turned.position);
        let (before, secret) = self.key_of(person, &kept)?;
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
        let mut table = self.table.lock();
        let key = self.change(&mut **table, |table| {
            let kept = table.person(person)?.ok_or(Error::UnknownPerson)?;
            if kept.turned.as_ref().is_some_and(|turned| turned.position >= position) {
                self.learn(person, &kept);
                return Ok(None);
            }
            let (before, secret) = self.key_of(person, &kept)?;
            let next = unsealed(&secret, HANDOVER, person, handover).ok_or(Error::Key {
                what: "a person's next key was not sealed for the one before",
            })?;
            let wrapped = self.service.wrap(&next, &person.0)?;
            let digest = self.sealed(&next, DIGEST, person, &before.digest())?;
            table.turn(person, &wrapped, &Turned { position, digest })?;
            Ok(Some(DataKey::after(&next, before.digest())))
        })?;
        if let Some(key) = key {
            let mut known = self.known.write();
            known.keys.insert(person, key);
            known.turned.insert(person, position);
            known.next.remove(&person);
            drop(known);
            self.turns.fetch_add(1, Ordering::SeqCst);
        }
        if !table.clear()? {
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

    /// The key in force, and the secret that it stands for.
    pub(super) fn key_of(&self, person: PersonId, kept: &Kept) -> Result<(DataKey, Secret), Error> {
        let wrapped = kept.wrapped.as_ref().ok_or(Error::Erased)?;
        let secret = self.service.unwrap(wrapped, &person.0)?;
        let Some(turned) = &kept.turned else { return Ok((DataKey::new(&secret), secret)) };
        let digest = unsealed(&secret, DIGEST, person, &turned.digest)
            .ok_or(Error::Key { what: "the key of a person's digests does not open" })?;
        Ok((DataKey::after(&secret, digest), secret))
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
