//! The head of the chain and its signature.
//!
//! Invariants: the signed bytes name the ledger, so that one ledger's head is worthless in another,
//! and say whether they are a head or a checkpoint, so that an old checkpoint cannot be passed off as
//! the head of a cut log.

use crate::crypto::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use record::entry::{Entry, Position};

/// How far apart kept checkpoints are.
pub const CHECKPOINT_EVERY: Position = 1024;

/// The end of a ledger at some time: keep one elsewhere, and a log cut or rewritten before it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last entry; 0 in an empty ledger.
    pub position: Position,
    /// Hash of that entry; zeros in an empty ledger.
    pub hash: [u8; 32],
    /// Ed25519 signature over the ledger's name, position and hash.
    pub signature: Vec<u8>,
}

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    Head,
    Checkpoint,
}

/// The hash that the next entry carries.
pub(crate) fn hash(canonical: &[u8]) -> [u8; 32] {
    sha256(&[canonical])
}

/// The hash of an entry: SHA-256 of its canonical bytes.
pub fn entry_hash(entry: &Entry) -> [u8; 32] {
    hash(&entry.canonical())
}

fn signed_bytes(seal: Seal, ledger: &str, position: Position, hash: &[u8; 32]) -> Vec<u8> {
    let label: &[u8] = match seal {
        Seal::Head => b"fkj head v1\0",
        Seal::Checkpoint => b"fkj checkpoint v1\0",
    };
    [label, ledger.as_bytes(), b"\0", &position.to_be_bytes(), hash].concat()
}

pub(crate) fn sign(
    key: &Ed25519KeyPair,
    seal: Seal,
    ledger: &str,
    position: Position,
    hash: [u8; 32],
) -> Head {
    let signature = key.sign(&signed_bytes(seal, ledger, position, &hash)).as_ref().to_vec();
    Head { position, hash, signature }
}

impl Head {
    /// Whether the signature is `public_key`'s for this head of `ledger`.
    pub fn is_signed(&self, public_key: &[u8; 32], ledger: &str) -> bool {
        self.is_sealed(public_key, Seal::Head, ledger, &self.hash)
    }

    /// Whether the signature fits position and `hash`.
    pub(crate) fn is_sealed(
        &self,
        public_key: &[u8; 32],
        seal: Seal,
        ledger: &str,
        hash: &[u8; 32],
    ) -> bool {
        UnparsedPublicKey::new(&ED25519, public_key)
            .verify(&signed_bytes(seal, ledger, self.position, hash), &self.signature)
            .is_ok()
    }
}
