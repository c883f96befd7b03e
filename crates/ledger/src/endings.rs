//! Carrying out what entries of kind `Erasure` and `Resealing` say of keys: where a process ended between the two,
//! where `keys.db` is an older copy, and where it was another server that appended them.
//!
//! Invariant: doing it again is harmless, also by several servers at once.

use crate::append::{Sealer, Sealing};
use crate::crypto::sha256;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::storage::{self, Ended, Reading};
use record::entry::Position;

/// Destroys the keys of the persons whom entries after a position erase, and puts keys in force that such
/// entries brought, where that was not done.
pub(crate) fn carry_out(
    reading: &dyn Reading,
    sealer: &Sealer,
    after: Position,
) -> Result<(), Error> {
    let keys = &sealer.keys;
    // An older copy of the keys may be from before the person was known: nothing of the person opens.
    let known = |done| match done {
        Err(Error::UnknownPerson) => Ok(()),
        done => done,
    };
    for (_, person) in reading.ended(Ended::Erasures, after)? {
        if !keys.is_erased(person) {
            known(keys.destroy(person))?;
        }
    }
    if sealer.sealing != Sealing::PerPerson {
        return Ok(());
    }
    for (position, person) in reading.ended(Ended::Resealings, after)? {
        if keys.since(person) < position && !keys.is_erased(person) {
            let manifest = manifest_at(reading, position)?;
            match known(keys.turn(person, position, &manifest.handover)) {
                Err(Error::Erased) => {}
                done => done?,
            }
        }
    }
    Ok(())
}

/// As [`carry_out`], of the whole ledger; refuses keys that the ledger has not come to.
pub(crate) fn finish(reading: &dyn Reading, sealer: &Sealer) -> Result<(), Error> {
    let mut turned = sealer.keys.turned();
    carry_out(reading, sealer, 0)?;
    if sealer.sealing != Sealing::PerPerson {
        return Ok(());
    }
    for (position, person) in reading.ended(Ended::Resealings, 0)? {
        if turned.get(&person) == Some(&position) {
            turned.remove(&person);
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

/// What the resealing at a position says.
pub(crate) fn manifest_at(reading: &dyn Reading, position: Position) -> Result<Manifest, Error> {
    let what = "the entry does not say which bodies were sealed anew";
    let none = Error::Corrupt { position, what };
    let Some(stored) = storage::at(reading, position)? else { return Err(none) };
    let entry = stored.entry()?;
    let body = stored.body(&entry)?.filter(|(sealed, hash)| sha256(&[sealed]) == *hash);
    body.and_then(|(sealed, _)| Manifest::of(sealed)).ok_or(none)
}
