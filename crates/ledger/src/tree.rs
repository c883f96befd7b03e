//! The Merkle tree over a ledger's entries, kept in the ledger's own file.
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
use aws_lc_rs::signature::Ed25519KeyPair;
use record::entry::Position;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

/// Kept subtrees are this many levels apart.
pub(crate) const STRIDE: u32 = 8;
/// A checkpoint is signed when there are this many new entries, or sooner when it is asked for.
pub const NOTE_EVERY: Position = 1024;
/// Entries read and subtrees kept in one transaction while an older ledger gets its tree.
const STEP: usize = 1 << 16;

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
    /// The tree of a ledger that is being opened. What an older version did not keep is made.
    pub(crate) fn open(connection: &mut Connection) -> Result<Self, Error> {
        let failed = "opening the tree";
        let kept: u64 = connection
            .query_row("SELECT count(*) FROM tree WHERE level = 1", [], |row| row.get(0))
            .map_err(Error::storage(failed))?;
        let mut edge = Frontier::of(kept << STRIDE, &mut |place| subtree(connection, place))?;
        loop {
            let tx = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(Error::storage(failed))?;
            let leaves = leaves(&tx, edge.size(), STEP)?;
            for leaf in &leaves {
                edge.push(*leaf, |place, hash| keep(&tx, place, hash))?;
            }
            tx.commit().map_err(Error::storage(failed))?;
            if leaves.len() < STEP {
                break;
            }
        }
        let noted = connection
            .query_row("SELECT coalesce(max(size), 0) FROM note", [], |row| row.get(0))
            .map_err(Error::storage(failed))?;
        Ok(Self { edge, noted })
    }

    /// Adds the entry with this hash.
    pub(crate) fn push(&mut self, connection: &Connection, entry: &Hash) -> Result<(), Error> {
        self.edge.push(merkle::leaf(entry), |place, hash| keep(connection, place, hash))
    }

    /// Whether a checkpoint would say something new, and it is asked for or time for one.
    pub(crate) fn is_due(&self, wanted: bool) -> bool {
        let new = self.edge.size() - self.noted;
        new >= NOTE_EVERY || (wanted && new > 0)
    }

    /// Signs a checkpoint of the tree as it stands, and keeps it.
    pub(crate) fn note(&mut self, connection: &Connection, notary: &Notary) -> Result<(), Error> {
        let origin = notary.key.origin.clone();
        let checkpoint = Checkpoint { origin, size: self.edge.size(), root: self.edge.root() };
        let note = checkpoint.signed(&notary.pair, &notary.key);
        connection
            .prepare_cached("INSERT INTO note(size, bytes) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![checkpoint.size, note.as_bytes()]))
            .map_err(Error::storage("keeping a checkpoint"))?;
        self.noted = checkpoint.size;
        Ok(())
    }
}

/// Keeps a complete subtree, if it is one of those that are kept.
fn keep(connection: &Connection, place: Subtree, hash: &Hash) -> Result<(), Error> {
    if !place.height.is_multiple_of(STRIDE) {
        return Ok(());
    }
    connection
        .prepare_cached("INSERT INTO tree(level, number, hash) VALUES (?1, ?2, ?3)")
        .and_then(|mut insert| insert.execute(params![place.height / STRIDE, place.number, hash]))
        .map(drop)
        .map_err(Error::storage("keeping a subtree"))
}

/// The hash of a complete subtree: as it is kept, or from the kept ones or entries below it.
pub(crate) fn subtree(connection: &Connection, place: Subtree) -> Result<Hash, Error> {
    let (level, above) = (place.height / STRIDE, place.height % STRIDE);
    let first = place.number << above;
    let count = 1_usize << above;
    let below = if level == 0 {
        leaves(connection, first, count)?
    } else {
        kept(connection, level, first, count)?
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

/// Hashes of leaves from `first` on, at most `count`.
fn leaves(connection: &Connection, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
    let failed = "reading entries for the tree";
    let mut select = connection
        .prepare_cached("SELECT bytes FROM entry WHERE position > ?1 ORDER BY position LIMIT ?2")
        .map_err(Error::storage(failed))?;
    let leaf = |row: &rusqlite::Row<'_>| {
        row.get_ref(0)?.as_blob().map(|bytes| merkle::leaf(&chain::hash(bytes))).map_err(Into::into)
    };
    let rows = select.query_map(params![first, count], leaf).map_err(Error::storage(failed))?;
    rows.collect::<Result<_, _>>().map_err(Error::storage(failed))
}

fn kept(connection: &Connection, level: u32, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
    let failed = "reading the tree";
    let mut select = connection
        .prepare_cached(
            "SELECT hash FROM tree WHERE level = ?1 AND number >= ?2 AND number < ?3 ORDER BY number",
        )
        .map_err(Error::storage(failed))?;
    let end = first.saturating_add(count as u64);
    let rows = select
        .query_map(params![level, first, end], |row| row.get(0))
        .map_err(Error::storage(failed))?;
    rows.collect::<Result<_, _>>().map_err(Error::storage(failed))
}

/// The checkpoint of this size, or the latest.
pub(crate) fn stored_note(
    connection: &Connection,
    size: Option<Position>,
) -> Result<Option<String>, Error> {
    let failed = "reading a checkpoint";
    let sql = match size {
        Some(_) => "SELECT bytes FROM note WHERE size = ?1",
        None => "SELECT bytes FROM note WHERE size >= ?1 ORDER BY size DESC LIMIT 1",
    };
    connection
        .prepare_cached(sql)
        .and_then(|mut select| select.query_row([size.unwrap_or(0)], |row| row.get(0)).optional())
        .map_err(Error::storage(failed))?
        .map(readable)
        .transpose()
}

fn readable(bytes: Vec<u8>) -> Result<String, Error> {
    let what = "a checkpoint is not text";
    String::from_utf8(bytes).map_err(|_| Error::Corrupt { position: 0, what })
}

/// Up to `limit` checkpoints of more than `size` entries, the smallest first.
pub(crate) fn notes_after(
    connection: &Connection,
    size: Position,
    limit: usize,
) -> Result<Vec<(Position, String)>, Error> {
    let failed = "reading checkpoints";
    let mut select = connection
        .prepare_cached("SELECT size, bytes FROM note WHERE size > ?1 ORDER BY size LIMIT ?2")
        .map_err(Error::storage(failed))?;
    let rows = select
        .query_map(params![size, limit], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(Error::storage(failed))?;
    let rows: Vec<(Position, Vec<u8>)> =
        rows.collect::<Result<_, _>>().map_err(Error::storage(failed))?;
    rows.into_iter().map(|(size, bytes)| Ok((size, readable(bytes)?))).collect()
}
