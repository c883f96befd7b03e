//! Erasing single records: the person's other bodies are sealed anew with a next key, the records' bodies
//! are taken out, and once that is on disk the key they all were sealed with is destroyed.
//!
//! Invariants: the heavy work is done on the caller's thread; the writer adds what came meanwhile, so that
//! no body of the person is left behind; where one body does not open, nothing is done. Entries stay as
//! they are: what a body must hash to from now on, the entry of kind `Resealing` says, and the table
//! `resealed` repeats.

use crate::append::{Prepared, Sealer};
use crate::body::{self, Belonging};
use crate::crypto::{NONCE, sha256};
use crate::error::Error;
use crate::keys::reseal::Next;
use crate::manifest::Manifest;
use crate::read;
use record::entry::{Entry, Position};
use record::identity::PersonId;
use record::resealing::Resealing;
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeSet;

/// A resealing on its way to the writer.
pub(crate) struct Work {
    person: PersonId,
    erased: BTreeSet<Position>,
    next: Next,
    /// Bodies of the person up to here are among `bodies`.
    through: Position,
    bodies: Vec<(Position, Fate)>,
}

/// What becomes of a body.
enum Fate {
    Erased,
    Resealed(Vec<u8>),
}

/// A key to put in force once the entry that says so is on disk.
pub(crate) struct Turn {
    person: PersonId,
    position: Position,
    next: Next,
}

/// Does the heavy work for a draft of kind `Resealing`.
pub(crate) fn prepare(
    connection: &Connection,
    sealer: &Sealer,
    prepared: &Prepared,
) -> Result<Work, Error> {
    let refused = |what| Error::NotErasable { what };
    let person = prepared.entry.person.ok_or_else(|| refused("nobody is named"))?;
    let (resealing, _) = Resealing::open(&prepared.plain)
        .map_err(|_| refused("the body does not say which they are"))?;
    let erased: BTreeSet<Position> = resealing.erased.into_iter().collect();
    let next = sealer.keys.next_key(person)?;
    let state =
        connection.unchecked_transaction().map_err(Error::storage("reading a person's bodies"))?;
    let through = read::last_position(&state)?;
    let mut work = Work { person, erased, next, through, bodies: Vec::new() };
    work.bodies = work.sealed_anew(&state, sealer, 0)?;
    Ok(work)
}

impl Work {
    /// What becomes of each body of the person after a position.
    fn sealed_anew(
        &self,
        connection: &Connection,
        sealer: &Sealer,
        after: Position,
    ) -> Result<Vec<(Position, Fate)>, Error> {
        let stored = read::of_person(connection, self.person, after)?;
        let mut nonces = vec![[0; NONCE]; stored.len()];
        sealer.random.fill(nonces.as_flattened_mut())?;
        let mut bodies = Vec::with_capacity(stored.len());
        for (stored, nonce) in stored.into_iter().zip(nonces) {
            let entry = stored.entry()?;
            if sealer.person_of_key(entry.kind, entry.person) != Some(self.person) {
                continue;
            }
            let Some((sealed, hash)) = stored.body(&entry)? else { continue };
            let fate = match self.erased.contains(&entry.position) {
                true => Fate::Erased,
                false => Fate::Resealed(self.resealed(sealer, &entry, (sealed, &hash), nonce)?),
            };
            bodies.push((entry.position, fate));
        }
        Ok(bodies)
    }

    fn resealed(
        &self,
        sealer: &Sealer,
        entry: &Entry,
        (sealed, hash): (&[u8], &[u8; 32]),
        nonce: [u8; NONCE],
    ) -> Result<Vec<u8>, Error> {
        let damaged = |what| Error::Corrupt { position: entry.position, what };
        if sha256(&[sealed]) != *hash {
            return Err(damaged("the body is not the one the ledger names"));
        }
        let belonging = Belonging { ledger: &sealer.ledger, person: entry.person };
        let Next { before, key, .. } = &self.next;
        body::reseal(before, key, nonce, belonging, sealed)?
            .ok_or_else(|| damaged("the body does not open with its key"))
    }

    /// Replaces the bodies, and gives the entry's own body its manifest. The entry comes after `last`.
    fn carry_out(
        mut self,
        tx: &Transaction<'_>,
        sealer: &Sealer,
        last: Position,
        prepared: &mut Prepared,
    ) -> Result<Turn, Error> {
        if sealer.keys.is_erased(self.person) {
            return Err(Error::Erased);
        }
        // Somebody else has sealed everything anew meanwhile.
        if sealer.keys.since(self.person) != self.next.since {
            return Err(Error::Busy);
        }
        let more = self.sealed_anew(tx, sealer, self.through)?;
        self.bodies.extend(more);
        let mut manifest = Manifest { handover: self.next.handover.clone(), ..Manifest::default() };
        let position = last + 1;
        for (at, fate) in &self.bodies {
            match fate {
                Fate::Erased => manifest.erased.push(*at),
                Fate::Resealed(sealed) => manifest.resealed.push((*at, sha256(&[sealed]))),
            }
        }
        if manifest.erased.is_empty() || !self.erased.iter().eq(&manifest.erased) {
            return Err(Error::NotErasable {
                what: "each must be an entry about the person, with a body that is there",
            });
        }
        replace(tx, &self.bodies, &manifest, position)
            .map_err(Error::storage("replacing bodies"))?;
        prepared.sealed = manifest.before(&prepared.sealed);
        prepared.entry.body_hash = sha256(&[&prepared.sealed]);
        Ok(Turn { person: self.person, position, next: self.next })
    }
}

/// Carries out the resealing in a batch, if that is what it is: then it is alone.
pub(crate) fn carry_out(
    tx: &Transaction<'_>,
    sealer: &Sealer,
    last: Position,
    new: &mut [Prepared],
) -> Result<Option<Turn>, Error> {
    let [prepared] = new else { return Ok(None) };
    let Some(work) = prepared.resealing.take() else { return Ok(None) };
    work.carry_out(tx, sealer, last, prepared).map(Some)
}

fn replace(
    tx: &Transaction<'_>,
    bodies: &[(Position, Fate)],
    manifest: &Manifest,
    resealing: Position,
) -> rusqlite::Result<()> {
    let mut keep = tx.prepare_cached("UPDATE body SET bytes = ?2 WHERE position = ?1")?;
    let mut erase = tx.prepare_cached("DELETE FROM body WHERE position = ?1")?;
    for (position, fate) in bodies {
        match fate {
            Fate::Erased => erase.execute([position])?,
            Fate::Resealed(sealed) => keep.execute(params![position, sealed])?,
        };
    }
    drop((keep, erase));
    tell(tx, manifest, resealing)
}

/// Repeats in the table what a resealing says.
fn tell(tx: &Transaction<'_>, manifest: &Manifest, resealing: Position) -> rusqlite::Result<()> {
    let mut name = tx.prepare_cached(
        "INSERT OR REPLACE INTO resealed(position, hash, resealing) VALUES (?1, ?2, ?3)",
    )?;
    for position in &manifest.erased {
        name.execute(params![position, None::<&[u8]>, resealing])?;
    }
    for (position, hash) in &manifest.resealed {
        name.execute(params![position, hash, resealing])?;
    }
    Ok(())
}

/// Repeats in the table what all resealings say, where their bodies have been put in place.
pub(crate) fn tell_all(tx: &Transaction<'_>) -> Result<(), Error> {
    for (position, _) in resealings(tx)? {
        let what = "the entry does not say which bodies were sealed anew";
        let manifest = manifest_at(tx, position)?.ok_or(Error::Corrupt { position, what })?;
        tell(tx, &manifest, position).map_err(Error::storage("repeating a resealing"))?;
    }
    Ok(())
}

impl Turn {
    /// Readers may meet bodies sealed with the next key from now on.
    pub(crate) fn announce(&self, sealer: &Sealer) {
        sealer.keys.announce(self.person, self.next.key.clone());
    }

    /// The entry did not get to the disk.
    pub(crate) fn withdraw(&self, sealer: &Sealer) {
        sealer.keys.withdraw(self.person);
    }

    /// Puts the next key in force and destroys the one before.
    pub(crate) fn make(&self, sealer: &Sealer) -> Result<(), Error> {
        sealer.keys.turn(self.person, self.position, &self.next.handover)
    }
}

/// Puts keys in force that entries of the ledger have brought, where that was not done: a process ended
/// between the two, or `keys.db` is an older copy.
pub(crate) fn finish(connection: &Connection, sealer: &Sealer) -> Result<(), Error> {
    let keys = &sealer.keys;
    let mut turned = keys.turned();
    for (position, person) in resealings(connection)? {
        if turned.get(&person) == Some(&position) {
            turned.remove(&person);
        }
        if keys.since(person) >= position || keys.is_erased(person) {
            continue;
        }
        let what = "the entry does not say which bodies were sealed anew";
        let manifest = manifest_at(connection, position)?;
        let manifest = manifest.ok_or(Error::Corrupt { position, what })?;
        match keys.turn(person, position, &manifest.handover) {
            // An older copy may be from before the person was known: nothing of the person opens.
            Ok(()) | Err(Error::UnknownPerson) => {}
            Err(error) => return Err(error),
        }
    }
    match turned.into_values().min() {
        None => Ok(()),
        Some(position) => Err(Error::Corrupt {
            position,
            what: "keys.db has a key that the ledger has not come to; restore both of one time",
        }),
    }
}

pub(crate) fn resealings(connection: &Connection) -> Result<Vec<(Position, PersonId)>, Error> {
    let failed = "reading resealings";
    let mut select = connection
        .prepare("SELECT position, person FROM resealing ORDER BY position")
        .map_err(Error::storage(failed))?;
    select
        .query_map([], |row| Ok((row.get(0)?, row.get(1).map(PersonId)?)))
        .and_then(Iterator::collect)
        .map_err(Error::storage(failed))
}

fn manifest_at(connection: &Connection, position: Position) -> Result<Option<Manifest>, Error> {
    let Some(stored) = read::at(connection, position)? else { return Ok(None) };
    let entry = stored.entry()?;
    let body = stored.body(&entry)?.filter(|(sealed, hash)| sha256(&[sealed]) == *hash);
    Ok(body.and_then(|(sealed, _)| Manifest::of(sealed)))
}
