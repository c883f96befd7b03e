//! Statements of the municipality beside its ledgers: a file that leaves it, vouched for by its checkpoint
//! key.
//!
//! A statement is the checkpoint of a log with one entry, whose hash is the file's SHA-256, so that whoever
//! verifies checkpoints verifies it too. Its origin is no ledger's, so that it passes for none.

use super::Keys;
use crate::crypto::sha256;
use crate::error::Error;
use crate::merkle;
use crate::note::{Checkpoint, Invalid, VerifierKey, origin};

/// How a line with a signature begins (C2SP signed-note).
const SIGNED: char = '\u{2014}';

impl Keys {
    /// Signs that `content` is the municipality's, under a name such as `9901/export`.
    ///
    /// # Errors
    /// [`Error::Key`], [`Error::Storage`].
    pub fn sign_statement(&self, name: &str, content: &[u8]) -> Result<String, Error> {
        let notary = self.notary(name)?;
        let root = merkle::leaf(&sha256(&[content]));
        let checkpoint = Checkpoint { origin: origin(name), size: 1, root };
        Ok(checkpoint.signed(&notary.pair, &notary.key))
    }
}

/// Whether the municipality with the key `of` has signed, under that name, that `content` is its own; with no other
/// signature beside, since a statement is exactly what the municipality wrote.
///
/// # Errors
/// [`Invalid`].
pub fn verify_statement(
    note: &str,
    name: &str,
    of: &[u8; 32],
    content: &[u8],
) -> Result<(), Invalid> {
    let key = VerifierKey { origin: origin(name), key: *of };
    let Checkpoint { size, root, .. } = Checkpoint::open(note, &key)?;
    let signatures = note.lines().filter(|line| line.starts_with(SIGNED)).count();
    match (size, signatures, root == merkle::leaf(&sha256(&[content]))) {
        (1, 1, true) => Ok(()),
        _ => Err(Invalid::Signature),
    }
}
