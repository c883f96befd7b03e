//! The Merkle tree and its checkpoints against the entries as they are read.
//!
//! The chain is finer than the tree: where it blames an entry, the tree over it cannot fit either and
//! says nothing. Where the chain is whole, what does not fit in the tree is the tree's own fault, or
//! the log was written anew around a checkpoint that somebody else holds.

use super::evidence::{Evidence, KeptTree};
use super::{Fault, Report, Trust, What};
use crate::chain;
use crate::error::Error;
use crate::merkle::{self, Frontier, Hash, Subtree};
use crate::note::Checkpoint;
use crate::tree::STRIDE;
use record::entry::Position;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(super) struct TreeWalk<'a> {
    trust: &'a Trust<'a>,
    edge: Frontier,
    /// Whether entries are missing, so that nothing more can be compared.
    lost: bool,
    kept: KeptTree,
    notes: BTreeMap<i64, Vec<u8>>,
    /// What is wrong, and the entries that it rests on.
    found: Vec<(RangeInclusive<Position>, Fault)>,
}

impl<'a> TreeWalk<'a> {
    /// Nothing where the ledger has no tree yet.
    pub(super) fn begin(
        evidence: &dyn Evidence,
        trust: &'a Trust<'a>,
    ) -> Result<Option<Self>, Error> {
        let Some(kept) = evidence.tree()? else { return Ok(None) };
        let (edge, found, notes) = (Frontier::default(), Vec::new(), evidence.notes()?);
        Ok(Some(Self { trust, edge, lost: false, kept, notes, found }))
    }

    /// Takes the bytes of the entry at `position`; its own hash counts, whatever the chain says.
    pub(super) fn entry(&mut self, position: Position, bytes: &[u8]) {
        self.lost |= position != self.edge.size() + 1;
        if self.lost {
            return;
        }
        let (kept, found) = (&mut self.kept, &mut self.found);
        let told = self.edge.push(merkle::leaf(&chain::hash(bytes)), |place, hash| {
            check_kept(kept, found, place, hash);
            Ok::<_, std::convert::Infallible>(())
        });
        match told {
            Ok(()) => self.check_notes(position),
            Err(never) => match never {},
        }
    }

    /// The checkpoints of the tree as it stands after `position`.
    fn check_notes(&mut self, position: Position) {
        let root = self.edge.root();
        let mut add = |what| self.found.push((1..=position, Fault { position, what }));
        let key = i64::try_from(position).unwrap_or(i64::MAX);
        if let Some(note) = self.notes.remove(&key) {
            match opened(&note, self.trust) {
                Some(checkpoint) if checkpoint.size != position => add(What::NoteChanged),
                Some(checkpoint) if checkpoint.root != root => add(What::Rewritten),
                Some(_) => {}
                None => add(What::NoteChanged),
            }
        }
        let mut known = self.trust.checkpoints.iter();
        if known.any(|known| known.size == position && known.root != root) {
            add(What::Rewritten);
        }
    }

    /// Adds to `report` what the chain does not explain.
    pub(super) fn end(mut self, report: &mut Report) {
        let size = self.edge.size();
        if !self.lost {
            // What is kept of entries that are not there.
            for (key, note) in &self.notes {
                match opened(note, self.trust) {
                    // Signed, and so there once.
                    Some(checkpoint) if checkpoint.size > size => {
                        report.add(size + 1, What::EntriesMissing(checkpoint.size));
                    }
                    _ => {
                        let position = u64::try_from(*key).unwrap_or(0);
                        let fault = Fault { position, what: What::NoteChanged };
                        self.found.push((1..=u64::MAX, fault));
                    }
                }
            }
            for (level, number) in self.kept.keys() {
                let position = last(*level, *number);
                self.found.push((1..=u64::MAX, Fault { position, what: What::TreeChanged }));
            }
            for known in self.trust.checkpoints.iter().filter(|known| known.size > size) {
                report.add(size + 1, What::EntriesMissing(known.size));
            }
        }
        let explains = |fault: &&Fault| changes_hashes(&fault.what);
        let by_chain: Vec<Position> =
            report.faults.iter().filter(explains).map(|fault| fault.position).collect();
        for (rests_on, fault) in self.found {
            if !by_chain.iter().any(|position| rests_on.contains(position)) {
                report.add(fault.position, fault.what);
            }
        }
    }
}

/// The checkpoint of a note that is signed.
fn opened(note: &[u8], trust: &Trust<'_>) -> Option<Checkpoint> {
    Checkpoint::open(std::str::from_utf8(note).ok()?, trust.checkpoint_key).ok()
}

/// Whether entries from the fault on hash to something else than they did.
fn changes_hashes(what: &What) -> bool {
    matches!(
        what,
        What::EntryUnreadable
            | What::EntryChanged
            | What::EntryMisplaced(_)
            | What::EntriesMissing(_)
            | What::EntriesAfterHead(_)
            | What::Rewritten
    )
}

fn check_kept(
    kept: &mut KeptTree,
    found: &mut Vec<(RangeInclusive<Position>, Fault)>,
    place: Subtree,
    hash: &Hash,
) {
    if !place.height.is_multiple_of(STRIDE) {
        return;
    }
    let first = (place.number << place.height) + 1;
    let position = (place.number + 1) << place.height;
    let level = i64::from(place.height / STRIDE);
    let number = i64::try_from(place.number).unwrap_or(i64::MAX);
    if kept.remove(&(level, number)).as_deref() != Some(&hash[..]) {
        found.push((first..=position, Fault { position, what: What::TreeChanged }));
    }
}

/// The last entry that a row of the tree would be about; 0 where it can be about none.
fn last(level: i64, number: i64) -> Position {
    let end = || {
        let height = u32::try_from(level).ok()?.checked_mul(STRIDE)?;
        u64::try_from(number).ok()?.checked_add(1)?.checked_mul(1_u64.checked_shl(height)?)
    };
    end().unwrap_or(0)
}
