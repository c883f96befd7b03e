//! What shows others that a ledger was not changed: signed checkpoints, and proofs against them.

use super::Ledger;
use crate::error::Error;
use crate::merkle::Hash;
use crate::note::{Proof, VerifierKey};
use crate::writer::Job;
use record::entry::Position;
use tokio::sync::oneshot;

impl Ledger {
    /// The public key of its checkpoints.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Storage`].
    pub fn verifier_key(&self) -> Result<VerifierKey, Error> {
        self.sealer.keys.verifier_key(&self.sealer.ledger)
    }

    /// Signs a checkpoint of all that is there, unless nothing is new since the latest; answers the
    /// latest. Nothing for an empty ledger.
    ///
    /// # Errors
    /// [`Error::Stopped`], [`Error::Storage`].
    pub async fn sign_checkpoint(&self) -> Result<Option<String>, Error> {
        let place = self.queue()?.reserve().await.map_err(|_| Error::Stopped)?;
        let (answer, done) = oneshot::channel();
        place.send(Job { group: Vec::new(), checkpoint: true, answer });
        done.await.map_err(|_| Error::Stopped)??;
        self.checkpoint(None)
    }

    /// The signed checkpoint of exactly this size, or the latest, as [`crate::note`] writes it.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn checkpoint(&self, size: Option<Position>) -> Result<Option<String>, Error> {
        self.readers.with(|reading| reading.note(size))
    }

    /// Up to `limit` signed checkpoints of more than `size` entries, with their sizes, the smallest
    /// first.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn checkpoints_after(
        &self,
        size: Position,
        limit: usize,
    ) -> Result<Vec<(Position, String)>, Error> {
        self.readers.with(|reading| reading.notes_after(size, limit))
    }

    /// The entry at `position` with the proof that it is in the checkpoint of `size`, or in the
    /// latest. Nothing where there is no such checkpoint, or it does not reach the position.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn proof(
        &self,
        position: Position,
        size: Option<Position>,
    ) -> Result<Option<Proof>, Error> {
        self.readers.proof(position, size)
    }

    /// The proof that the first `from` entries are the beginning of the first `to` (RFC 9162
    /// §2.1.4). Nothing where there are fewer than `to`, or `from` is larger.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn consistency(&self, from: Position, to: Position) -> Result<Option<Vec<Hash>>, Error> {
        self.readers.consistency(from, to)
    }
}
