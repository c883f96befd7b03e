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
use crate::merkle::Hash;
use crate::storage::{Reading, Rows};
use record::entry::{Entry, Position};
use record::identity::PersonId;
use record::resealing::Resealing;
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
pub(crate) enum Fate {
    Erased,
    /// Sealed anew: the bytes, and their hash.
    Resealed(Vec<u8>, Hash),
}

impl Fate {
    /// What it must hash to from now on; nothing where it is erased.
    pub(crate) fn hash(&self) -> Option<&Hash> {
        match self {
            Fate::Erased => None,
            Fate::Resealed(_, hash) => Some(hash),
        }
    }
}

/// What a resealing does to bodies that were there before it.
type Replaced = (Position, Vec<(Position, Fate)>);

/// A key to put in force once the entry that says so is on disk.
pub(crate) struct Turn {
    person: PersonId,
    position: Position,
    next: Next,
}

/// Does the heavy work for a draft of kind `Resealing`.
pub(crate) fn prepare(
    reading: &dyn Reading,
    sealer: &Sealer,
    prepared: &Prepared,
) -> Result<Work, Error> {
    let refused = |what| Error::NotErasable { what };
    let person = prepared.entry.person.ok_or_else(|| refused("nobody is named"))?;
    let (resealing, _) = Resealing::open(&prepared.plain)
        .map_err(|_| refused("the body does not say which they are"))?;
    let erased: BTreeSet<Position> = resealing.erased.into_iter().collect();
    let next = sealer.keys.next_key(person)?;
    let through = reading.last()?;
    let mut work = Work { person, erased, next, through, bodies: Vec::new() };
    work.bodies = work.sealed_anew(reading, sealer, (0, through))?;
    Ok(work)
}

impl Work {
    /// What becomes of each body of the person after one position and through another.
    fn sealed_anew(
        &self,
        reading: &dyn Reading,
        sealer: &Sealer,
        (after, through): (Position, Position),
    ) -> Result<Vec<(Position, Fate)>, Error> {
        let stored = reading.rows(Rows::Of { person: self.person, after, through })?;
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
                false => {
                    let sealed = self.resealed(sealer, &entry, (sealed, &hash), nonce)?;
                    let hash = sha256(&[&sealed]);
                    Fate::Resealed(sealed, hash)
                }
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

    /// Says what the bodies are replaced by, and gives the entry's own body its manifest. The entry comes
    /// after `last`.
    fn carry_out(
        mut self,
        reading: &dyn Reading,
        sealer: &Sealer,
        last: Position,
        prepared: &mut Prepared,
    ) -> Result<(Turn, Replaced), Error> {
        if sealer.keys.is_erased(self.person) {
            return Err(Error::Erased);
        }
        // Somebody else has sealed everything anew meanwhile.
        if sealer.keys.since(self.person) != self.next.since {
            return Err(Error::Busy);
        }
        let more = self.sealed_anew(reading, sealer, (self.through, last))?;
        self.bodies.extend(more);
        let mut manifest = Manifest { handover: self.next.handover.clone(), ..Manifest::default() };
        let position = last + 1;
        for (at, fate) in &self.bodies {
            match fate {
                Fate::Erased => manifest.erased.push(*at),
                Fate::Resealed(_, hash) => manifest.resealed.push((*at, *hash)),
            }
        }
        if manifest.erased.is_empty() || !self.erased.iter().eq(&manifest.erased) {
            return Err(Error::NotErasable {
                what: "each must be an entry about the person, with a body that is there",
            });
        }
        prepared.sealed = manifest.before(&prepared.sealed);
        prepared.entry.body_hash = sha256(&[&prepared.sealed]);
        let turn = Turn { person: self.person, position, next: self.next };
        Ok((turn, (position, self.bodies)))
    }
}

/// Carries out the resealing in a batch, if that is what it is: then it is alone.
pub(crate) fn carry_out(
    reading: &dyn Reading,
    sealer: &Sealer,
    last: Position,
    new: &mut [Prepared],
) -> Result<Option<(Turn, Replaced)>, Error> {
    let [prepared] = new else { return Ok(None) };
    let Some(work) = prepared.resealing.take() else { return Ok(None) };
    work.carry_out(reading, sealer, last, prepared).map(Some)
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
