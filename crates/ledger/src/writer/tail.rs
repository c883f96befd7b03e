//! The end of a ledger, which new entries are chained to.
//!
//! Invariant: what other writers have added is chained to what was there, and ends in the head, or nothing is.

use crate::append::{Committed, Prepared};
use crate::chain::{self, Head};
use crate::error::Error;
use crate::foreign::Foreign;
use crate::merkle::Hash;
use crate::storage::{self, Reading, Row, Write};
use crate::tree::Tree;
use record::entry::{Entry, Position};

/// The end of a ledger, as far as its writer knows it.
#[derive(Clone)]
pub(crate) struct Tail {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
    /// When the last entry was recorded.
    pub(crate) time: i64,
    pub(crate) tree: Tree,
}

impl Tail {
    /// The end of a ledger that is being opened.
    pub(crate) fn read(reading: &dyn Reading) -> Result<Self, Error> {
        let position = reading.last()?;
        let (hash, time) = match position {
            0 => ([0; 32], i64::MIN),
            _ => {
                let last = storage::entry_at(reading, position)?;
                (chain::entry_hash(&last), last.recorded_at)
            }
        };
        Ok(Self { position, hash, time, tree: Tree::read(reading)? })
    }

    /// With what other writers have kept since, up to `head`, and that; nothing where there is none.
    pub(super) fn reached(
        &self,
        reading: &dyn Reading,
        head: &Head,
    ) -> Result<Option<(Self, Vec<Foreign>)>, Error> {
        if (self.position, self.hash) == (head.position, head.hash) {
            return Ok(None);
        }
        let mut tree = self.tree.clone();
        let mut foreign = Vec::new();
        let (mut position, mut hash, mut time) = (self.position, self.hash, self.time);
        tree.catch_up(reading, &mut |bytes| {
            let broken = |what| Error::Corrupt { position: position + 1, what };
            let entry =
                Entry::from_canonical(bytes).map_err(|_| broken("the entry does not decode"))?;
            if entry.position != position + 1 || entry.prev_hash != hash {
                return Err(broken("the entry does not follow the one before"));
            }
            (position, hash, time) = (entry.position, chain::hash(bytes), entry.recorded_at);
            foreign.push(Foreign { position, kind: entry.kind, person: entry.person });
            Ok(())
        })?;
        if (position, hash) != (head.position, head.hash) {
            return Err(Error::Corrupt { position, what: "the last entry is not the head's" });
        }
        tree.noted = reading.noted()?;
        Ok(Some((Self { position, hash, time, tree }, foreign)))
    }

    /// Gives a new entry its place, and adds to `write` what is to be kept of it.
    pub(super) fn chain(&mut self, prepared: Prepared, write: &mut Write) -> Committed {
        let Prepared { mut entry, event, sealed, plain, .. } = prepared;
        entry.position = self.position + 1;
        entry.recorded_at = self.time;
        entry.prev_hash = self.hash;
        let bytes = entry.canonical();
        (self.position, self.hash) = (entry.position, chain::hash(&bytes));
        self.tree.push(&self.hash, &mut write.subtrees);
        let Entry { position, kind, person, .. } = entry;
        write.rows.push(Row { position, kind, event, person, bytes, body: sealed });
        Committed { entry, body: plain }
    }
}
