//! Restoring a municipality's files from its backups, into a folder where no ledger is.
//!
//! Invariants: the clinical ledger is restored up to a position; the audit ledger and `keys.db` always as they are in
//! the newest backup, since who looked stays told and who was erased stays erased. What is restored is verified before this
//! ends. A ledger cut at a position for which there is no signed head gets one, which takes the municipality's key.

use super::manifest::{LEDGERS, Manifest, Part, Piece, Segment, read_all};
use super::place::Place;
use super::segment::{Broken, Reading};
use crate::append::{Sealing, event_key};
use crate::chain::{self, Head, Seal};
use crate::crypto::sha256_of;
use crate::endings::manifest_at;
use crate::error::Error;
use crate::key_service::{KeyService, sync_folder};
use crate::keys::Keys;
use crate::random::Random;
use crate::storage::sqlite::{
    complete_tree, keep_body, keep_checkpoint, keep_entry, keep_head, keep_note, tell,
};
use crate::storage::{Ended, Reading as _, Row};
use crate::store;
use crate::verify::{Report, verify};
use record::entry::{Entry, Position};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// How far the clinical ledger is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// All that there is.
    Newest,
    /// Through this position.
    Position(Position),
    /// All that was recorded until then, in milliseconds since 1970.
    Time(i64),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The municipality's number.
    pub municipality: String,
    /// Time of the backup it comes from, in milliseconds since 1970.
    pub backup: i64,
    /// Last position of the clinical ledger.
    pub ledger: Position,
    /// Last position of the audit ledger.
    pub audit: Position,
    /// What verifying found of each, in the same order; sound.
    pub reports: Vec<Report>,
}

/// How the municipality's key is had, where a head must be signed.
pub type Signer<'a> = dyn Fn() -> Result<Arc<dyn KeyService>, Error> + 'a;

/// Restores from `place` into the folder `to`.
///
/// # Errors
/// [`Error::Backup`] where a piece is missing or another than it was, or `until` is before the first entry or after the
/// last; [`Error::Corrupt`] where what was restored does not verify; [`Error::Key`] where a head must be
/// signed and `service` does not open `keys.db`; [`Error::File`], also where a ledger is in `to`.
pub fn restore(
    place: &dyn Place,
    until: Until,
    to: &Path,
    service: &Signer<'_>,
    random: &Arc<dyn Random>,
) -> Result<Restored, Error> {
    let all = read_all(place)?;
    let newest = all.last().ok_or_else(|| wrong("", "there is no backup here"))?;
    std::fs::create_dir_all(to).map_err(Error::file("making the folder to restore into"))?;
    for name in ["ledger.db", "audit.db", "keys.db"] {
        if to.join(name).exists() {
            return Err(wrong(name, "is in the folder to restore into; choose an empty one"));
        }
    }
    for (name, piece) in &newest.files {
        fetch(place, piece, &to.join(name))?;
    }
    fetch(place, &newest.keys.piece, &to.join("keys.db"))?;
    let mut ends = Vec::new();
    let mut reports = Vec::new();
    for kind in LEDGERS {
        let restoring = Restoring { place, kind, all: &all, path: &to.join(format!("{kind}.db")) };
        let until = if kind == "ledger" { until } else { Until::Newest };
        let head = restoring.run(until, &|name, position, hash| {
            let keys = Keys::open(&to.join("keys.db"), service()?, random.clone())?;
            Ok(chain::sign(&keys.signing_key(name)?, Seal::Head, name, position, hash))
        })?;
        reports.push(restoring.verify()?);
        ends.push(head);
    }
    let at = |index: usize| ends.get(index).copied().unwrap_or(0);
    Ok(Restored {
        municipality: newest.municipality.clone(),
        backup: newest.at,
        ledger: at(0),
        audit: at(1),
        reports,
    })
}

fn wrong(piece: &str, what: &'static str) -> Error {
    Error::Backup { piece: piece.to_owned(), what }
}

/// Copies a piece, which must be what it was.
fn fetch(place: &dyn Place, piece: &Piece, to: &Path) -> Result<(), Error> {
    let failed = "restoring a file";
    let mut from = place.open(&piece.name)?;
    let mut file = File::create_new(to).map_err(Error::file(failed))?;
    std::io::copy(&mut from, &mut file)
        .and_then(|_| file.flush())
        .and_then(|()| file.sync_all())
        .map_err(Error::file(failed))?;
    let mut written = File::open(to).map_err(Error::file(failed))?;
    let (_, hash) = sha256_of(&mut written).map_err(Error::file(failed))?;
    if hash.as_slice() != piece.sha256.0 {
        return Err(wrong(&piece.name, "the piece is not the one that was written"));
    }
    sync_folder(to)
}

struct Restoring<'a> {
    place: &'a dyn Place,
    kind: &'static str,
    all: &'a [Manifest],
    path: &'a Path,
}

/// Signs a head: ledger, position, hash.
type Sign<'a> = dyn Fn(&str, Position, [u8; 32]) -> Result<Head, Error> + 'a;

impl Restoring<'_> {
    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.all.iter().filter_map(|it| it.part(self.kind))
    }

    fn last(&self) -> Result<&Part, Error> {
        self.parts().last().ok_or_else(|| wrong("", "there is no backup of the ledger"))
    }

    /// Makes the ledger; answers its last position.
    fn run(&self, until: Until, sign: &Sign<'_>) -> Result<Position, Error> {
        let last = self.last()?;
        if matches!(until, Until::Position(wanted) if wanted == 0 || wanted > last.head.position) {
            return Err(wrong("", "no such position is in the backup"));
        }
        let sealing = if self.kind == "ledger" { Sealing::PerPerson } else { Sealing::Ledger };
        let mut connection = store::open_ledger(self.path, sealing)?;
        let mut end = (0, [0; 32]);
        for part in self.parts() {
            let mut goes_on = true;
            for segment in &part.segments {
                goes_on = goes_on && self.segment(&mut connection, segment, until, &mut end)?;
            }
            self.replace(&mut connection, part)?;
            if !goes_on {
                break;
            }
        }
        let (position, hash) = end;
        // Its keys are of now, and open nothing of before.
        if let Some(at) = self.parts().flat_map(|part| &part.resealings).find(|at| **at > position)
        {
            let what = "a record was erased here, and all else about the person sealed anew; restore to here or later";
            return Err(wrong(&format!("position {at}"), what));
        }
        if position == 0 && last.head.position > 0 {
            return Err(wrong("", "nothing was recorded until then"));
        }
        self.marks(&mut connection, position)?;
        complete_tree(&mut connection)?;
        let known = self.parts().map(|part| &part.head).find(|it| it.position == position);
        let head = match known.and_then(super::manifest::Signed::head) {
            Some(head) => head,
            None => sign(&last.ledger, position, hash)?,
        };
        keep_head(&connection, &head)?;
        Ok(position)
    }

    /// Restores a segment; `false` where it reached the end that is wanted.
    fn segment(
        &self,
        connection: &mut Connection,
        segment: &Segment,
        until: Until,
        (position, hash): &mut (Position, [u8; 32]),
    ) -> Result<bool, Error> {
        let failed = "restoring entries";
        let (mut entries, mut bodies) = (self.read(&segment.entries)?, self.read(&segment.bodies)?);
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::storage(failed))?;
        let mut goes_on = true;
        for at in segment.first..=segment.last {
            let bytes = next(&mut entries, &segment.entries, at)?;
            let body = next(&mut bodies, &segment.bodies, at)?;
            let entry = Entry::from_canonical(&bytes)
                .map_err(|_| wrong(&segment.entries.name, "an entry does not decode"))?;
            goes_on = match until {
                Until::Newest => true,
                Until::Position(last) => at <= last,
                Until::Time(last) => entry.recorded_at <= last,
            };
            if !goes_on {
                break;
            }
            let event = entry.source_event_id.as_deref().map(|id| event_key(&entry.source, id));
            (*position, *hash) = (at, chain::hash(&bytes));
            let Entry { kind, person, .. } = entry;
            let row = Row { position: at, kind, event, person, bytes, body };
            keep_entry(&tx, &row)?;
            if !row.body.is_empty() {
                keep_body(&tx, at, &row.body)?;
            }
        }
        tx.commit().map_err(Error::storage(failed))?;
        Ok(goes_on)
    }

    /// What earlier bodies were replaced by.
    fn replace(&self, connection: &mut Connection, part: &Part) -> Result<(), Error> {
        let failed = "restoring replaced bodies";
        let tx = connection.transaction().map_err(Error::storage(failed))?;
        if let Some(piece) = &part.replaced {
            let mut bodies = self.read(piece)?;
            while let Some((at, body)) = bodies.next().map_err(|it| unreadable(piece, it))? {
                let done = match body.is_empty() {
                    true => tx.execute("DELETE FROM body WHERE position = ?1", [at]),
                    false => tx.execute(
                        "UPDATE body SET bytes = ?2 WHERE position = ?1",
                        params![at, body],
                    ),
                };
                done.map_err(Error::storage(failed))?;
            }
        }
        if !part.resealings.is_empty() {
            tell_all(&tx)?;
        }
        tx.commit().map_err(Error::storage(failed))
    }

    fn read(&self, piece: &Piece) -> Result<Reading, Error> {
        Reading::begin(self.place.open(&piece.name)?).map_err(|broken| unreadable(piece, broken))
    }

    /// Checkpoints that what was restored reaches.
    fn marks(&self, connection: &mut Connection, reached: Position) -> Result<(), Error> {
        let failed = "restoring checkpoints";
        let tx = connection.transaction().map_err(Error::storage(failed))?;
        for part in self.parts() {
            for signed in part.checkpoints.iter().filter(|it| it.position <= reached) {
                let what = "a checkpoint in the manifest is none";
                let head = signed.head().ok_or_else(|| wrong("", what))?;
                keep_checkpoint(&tx, &head)?;
            }
            for (size, note) in part.notes.iter().filter(|(size, _)| *size <= reached) {
                keep_note(&tx, *size, note)?;
            }
        }
        tx.commit().map_err(Error::storage(failed))
    }

    /// That the restored ledger is what was signed.
    fn verify(&self) -> Result<Report, Error> {
        let part = self.last()?;
        let keys = part.keys().ok_or_else(|| wrong("", "the ledger's public keys are no keys"))?;
        let report = verify(self.path, &keys.trust(&part.ledger), |_, _| {})?;
        match report.faults.first() {
            None => Ok(report),
            Some(fault) => Err(Error::Corrupt {
                position: fault.position,
                what: "what was restored does not verify; run fkj verify-backup",
            }),
        }
    }
}

/// Repeats in the table what all resealings say, once their bodies are in place.
fn tell_all(tx: &Transaction<'_>) -> Result<(), Error> {
    let failed = Error::storage;
    for (by, _) in tx.ended(Ended::Resealings, 0)? {
        let said = manifest_at(&**tx, by)?;
        for position in said.erased {
            tell(tx, by, position, None).map_err(failed("repeating a resealing"))?;
        }
        for (position, hash) in said.resealed {
            tell(tx, by, position, Some(&hash)).map_err(failed("repeating a resealing"))?;
        }
    }
    Ok(())
}

fn next(reading: &mut Reading, piece: &Piece, position: Position) -> Result<Vec<u8>, Error> {
    match reading.next() {
        Ok(Some((at, bytes))) if at == position => Ok(bytes),
        Ok(_) => Err(unreadable(piece, Broken::Form)),
        Err(broken) => Err(unreadable(piece, broken)),
    }
}

fn unreadable(piece: &Piece, broken: Broken) -> Error {
    match broken {
        Broken::Form => wrong(&piece.name, "the piece is damaged; run fkj verify-backup"),
        Broken::File(error) => Error::file("reading a piece of the backup")(error),
    }
}
