//! The Merkle tree over a ledger's entries, kept beside them in the ledger.
//!
//! Leaf `n` is the hash of the entry at position `n + 1`. Kept are the complete subtrees of 256, 65 536,
//! … entries, each written in the transaction that kept its last entry; everything else is computed
//! when asked for, from at most some hundred entries and kept hashes. So an entry costs two hashes in
//! memory, and the tree is never behind its ledger nor before it.
//!
//! Signed checkpoints ([`crate::note`]) are kept beside it.

use crate::chain;
use crate::error::Error;
use crate::merkle::{self, Frontier, Hash, Subtree};
use crate::note::{Checkpoint, VerifierKey};
use crate::storage::Reading;
use aws_lc_rs::signature::Ed25519KeyPair;
use record::entry::Position;

/// Kept subtrees are this many levels apart.
pub(crate) const STRIDE: u32 = 8;
/// A checkpoint is signed when there are this many new entries, or sooner when it is asked for.
pub const NOTE_EVERY: Position = 1024;
/// Entries read at once.
const STEP: usize = 1 << 12;
/// Signs checkpoints of one ledger.
pub(crate) struct Notary {
    pub(crate) pair: Ed25519KeyPair,
    pub(crate) key: VerifierKey,
}

/// The tree as the writer carries it.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) edge: Frontier,
    /// Size of the latest checkpoint.
    pub(crate) noted: Position,
}

impl Tree {
    /// The tree of a ledger as it stands.
    pub(crate) fn read(reading: &dyn Reading) -> Result<Self, Error> {
        let size = reading.complete()? << STRIDE;
        let edge = Frontier::of(size, &mut |place| subtree(reading, place))?;
        let noted = reading.noted()?;
        let mut tree = Self { edge, noted };
        tree.catch_up(reading, &mut |_| Ok(()))?;
        Ok(tree)
    }

    /// Adds the entries that came since, telling `each` of every one.
    pub(crate) fn catch_up(
        &mut self,
        reading: &dyn Reading,
        each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let entries = reading.entries(self.edge.size() + 1, STEP)?;
            for bytes in &entries {
                each(bytes)?;
                self.push(&chain::hash(bytes), &mut Vec::new());
            }
            if entries.len() < STEP {
                return Ok(());
            }
        }
    }

    /// Adds the entry with this hash, and to `kept` the subtrees to keep that it completes.
    pub(crate) fn push(&mut self, entry: &Hash, kept: &mut Vec<(u32, u64, Hash)>) {
        let told = self.edge.push(merkle::leaf(entry), |Subtree { height, number }, hash| {
            if height.is_multiple_of(STRIDE) {
                kept.push((height / STRIDE, number, *hash));
            }
            Ok::<_, std::convert::Infallible>(())
        });
        match told {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Whether a checkpoint would say something new, and it is asked for or time for one.
    pub(crate) fn is_due(&self, wanted: bool) -> bool {
        let new = self.edge.size() - self.noted;
        new >= NOTE_EVERY || (wanted && new > 0)
    }

    /// Signs a checkpoint of the tree as it stands; answers its size with it.
    pub(crate) fn note(&mut self, notary: &Notary) -> (Position, String) {
        let origin = notary.key.origin.clone();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        self.noted = checkpoint.size;
        (checkpoint.size, checkpoint.signed(&notary.pair, &notary.key))
    }
}

/// The hash of a complete subtree: as it is kept, or from the kept ones or entries below it.
pub(crate) fn subtree(reading: &dyn Reading, place: Subtree) -> Result<Hash, Error> {
    let (level, above) = (place.height / STRIDE, place.height % STRIDE);
    let first = place.number << above;
    let count = 1_usize << above;
    let below = if level == 0 {
        let entries = reading.entries(first + 1, count)?;
        entries.iter().map(|bytes| merkle::leaf(&chain::hash(bytes))).collect()
    } else {
        reading.subtrees(level, first, count)?
    };
    let mut edge = Frontier::default();
    for hash in &below {
        edge.push(*hash, |_, _| Ok::<_, Error>(()))?;
    }
    if below.len() == count {
        return Ok(edge.root());
    }
    Err(Error::Corrupt {
        position: place.number << place.height,
        what: "a part of the tree is missing",
    })
}
