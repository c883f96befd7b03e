//! The walk along the chain that tells *which* entry was changed.
//!
//! An entry is vouched for by its successor's `prev_hash`, the last one by the head. Where a link does
//! not fit, either the entry was changed or only the successor's `prev_hash` was. The successor's own
//! voucher decides: when it fits the successor as it stands, the entry is to blame; when it fits the
//! successor with the right `prev_hash` put in, the successor is.

use super::bodies::Bodies;
use super::evidence::{Evidence, Row, SignedRow};
use super::{Report, Trust, What};
use crate::append::event_key;
use crate::chain::{CHECKPOINT_EVERY, Seal, hash};
use crate::error::Error;
use crate::storage::Ended;
use record::entry::{Entry, Kind, Position};
use std::collections::BTreeMap;

type Hash = [u8; 32];

/// The entry read last, waiting for its voucher.
struct Link {
    position: Position,
    hash: Hash,
    /// Its hash with the predecessor's real hash put in, where its own `prev_hash` does not fit.
    mended: Option<Hash>,
    /// Whether it was blamed already.
    blamed: bool,
}

pub(crate) struct Walk<'a> {
    signed: &'a Trust<'a>,
    report: &'a mut Report,
    head: Option<SignedRow>,
    checkpoints: BTreeMap<Position, SignedRow>,
    /// Rows of the index of erasures that no entry has vouched for yet; nothing before version 3.
    erasures: Option<BTreeMap<i64, Vec<u8>>>,
    /// The same of resealings; nothing before version 4.
    resealings: Option<BTreeMap<i64, Vec<u8>>>,
    bodies: Bodies,
    last: Option<Link>,
    /// An entry that its successor does not vouch for, while the successor is not judged.
    doubt: Option<Position>,
}

impl<'a> Walk<'a> {
    pub(crate) fn begin(
        evidence: &dyn Evidence,
        signed: &'a Trust<'a>,
        report: &'a mut Report,
    ) -> Result<Self, Error> {
        let head = evidence.head()?;
        let mut checkpoints = BTreeMap::new();
        for row in evidence.checkpoints()? {
            match u64::try_from(row.position) {
                Ok(position) => drop(checkpoints.insert(position, row)),
                Err(_) => report.add(0, What::CheckpointChanged),
            }
        }
        let erasures = evidence.ended(Ended::Erasures)?;
        let resealings = evidence.ended(Ended::Resealings)?;
        let (bodies, last, doubt) = (Bodies::default(), None, None);
        Ok(Self { signed, report, head, checkpoints, erasures, resealings, bodies, last, doubt })
    }

    /// Takes the next entry; answers how many there were.
    pub(crate) fn entry(&mut self, row: &Row) -> Position {
        let Ok(position) = u64::try_from(row.position) else {
            self.report.add(0, What::EntryMisplaced(0));
            return self.report.entries;
        };
        self.report.entries += 1;
        let expected = self.last.as_ref().map_or(1, |last| last.position + 1);
        let is_next = position == expected;
        if !is_next {
            self.gap(expected, position);
        }
        let own = hash(&row.bytes);
        let Ok(entry) = Entry::from_canonical(&row.bytes) else {
            self.settle(None);
            self.report.add(position, What::EntryUnreadable);
            self.last = Some(Link { position, hash: own, mended: None, blamed: true });
            return self.report.entries;
        };
        self.check_row(row, position, &entry);
        let before = self.last.as_ref().map(|last| last.hash);
        let before = if is_next { before.or((position == 1).then_some([0; 32])) } else { None };
        if is_next {
            self.settle(Some(entry.prev_hash));
        }
        let mended = before
            .filter(|before| *before != entry.prev_hash)
            .map(|before| hash(&Entry { prev_hash: before, ..entry.clone() }.canonical()));
        if position == 1 && mended.is_some() {
            // Nothing stands before the first, so nothing else can be to blame.
            self.report.add(1, What::EntryChanged);
        }
        let blamed = entry.position != position;
        self.last = Some(Link { position, hash: own, mended, blamed });
        self.report.entries
    }

    /// What can be judged of a row without its neighbours.
    fn check_row(&mut self, row: &Row, position: Position, entry: &Entry) {
        let Row { event, person, body, .. } = row;
        if entry.position != position {
            self.report.add(position, What::EntryMisplaced(entry.position));
        }
        let mut is_indexed = true;
        for (kind, index) in
            [(Kind::Erasure, &mut self.erasures), (Kind::Resealing, &mut self.resealings)]
        {
            let right = entry.person.filter(|_| entry.kind == kind).map(|it| it.0.to_vec());
            let found = index.as_mut().map(|it| it.remove(&row.position));
            is_indexed &= found.is_none_or(|it| it == right);
        }
        let right_event = entry.source_event_id.as_deref().map(|id| event_key(&entry.source, id));
        if event.as_deref() != right_event.as_ref().map(<[u8; 16]>::as_slice)
            || person.as_deref() != entry.person.as_ref().map(|person| person.0.as_slice())
            || !is_indexed
        {
            self.report.add(position, What::IndexColumns);
        }
        self.bodies.take(position, entry, body.as_deref());
    }

    fn gap(&mut self, expected: Position, found: Position) {
        self.settle(None);
        self.last = None;
        self.report.add(expected, What::EntriesMissing(found.saturating_sub(1)));
    }

    /// Judges the entry read last by what its successor (or the head) says its hash is.
    fn settle(&mut self, voucher: Option<Hash>) {
        let Some(last) = self.last.take() else { return };
        let doubted = self.doubt.take();
        let vouched = voucher == Some(last.hash);
        if !vouched && voucher.is_some() && voucher == last.mended {
            // Only its prev_hash was changed: the one before is not to blame.
            self.report.add(last.position, What::EntryChanged);
        } else {
            if let Some(before) = doubted {
                self.report.add(before, What::EntryChanged);
            }
            if !vouched && voucher.is_some() && !last.blamed {
                self.doubt = Some(last.position);
            }
        }
        self.check_checkpoint(&last, voucher);
        for known in self.signed.heads.iter().filter(|known| known.position == last.position) {
            if known.hash != last.hash && Some(known.hash) != voucher {
                self.report.add(last.position, What::Rewritten);
            }
        }
        self.last = Some(last);
    }

    fn check_checkpoint(&mut self, last: &Link, voucher: Option<Hash>) {
        if !last.position.is_multiple_of(CHECKPOINT_EVERY) {
            return;
        }
        let Some(row) = self.checkpoints.remove(&last.position) else {
            self.report.add(last.position, What::CheckpointMissing);
            return;
        };
        let fits =
            |hash: &Hash| self.signed.fits(Seal::Checkpoint, last.position, hash, &row.signature);
        let what = match Hash::try_from(row.hash.as_slice()) {
            Ok(hash) if hash == last.hash || Some(hash) == voucher => {
                (!fits(&hash)).then_some(What::CheckpointChanged)
            }
            Ok(hash) if fits(&hash) => Some(What::Rewritten),
            _ => Some(What::CheckpointChanged),
        };
        if let Some(what) = what {
            self.report.add(last.position, what);
        }
    }

    /// Judges the last entry by the head, what should have come after it, and then the bodies.
    pub(crate) fn end(mut self, evidence: &dyn Evidence) -> Result<(), Error> {
        let (position, own, mended) = match &self.last {
            Some(last) => (last.position, last.hash, last.mended),
            None => (0, [0; 32], None),
        };
        let voucher = self.check_head(position, own, mended);
        self.settle(voucher);
        if let Some(doubted) = self.doubt {
            self.report.add(doubted, What::EntryChanged);
        }
        let signed = self.signed;
        for (at, row) in std::mem::take(&mut self.checkpoints) {
            let is_signed = Hash::try_from(row.hash.as_slice())
                .is_ok_and(|hash| signed.fits(Seal::Checkpoint, at, &hash, &row.signature));
            if at > position && is_signed {
                self.report.add(position + 1, What::EntriesMissing(at));
            } else {
                self.report.add(at, What::CheckpointChanged);
            }
        }
        let left = [self.erasures.take(), self.resealings.take()];
        for at in left.into_iter().flatten().flatten().map(|(at, _)| at) {
            self.report.add(u64::try_from(at).unwrap_or(0), What::IndexColumns);
        }
        for known in self.signed.heads.iter().filter(|known| known.position > position) {
            self.report.add(position + 1, What::EntriesMissing(known.position));
        }
        self.bodies.end(evidence, self.report)
    }

    /// What the head says the last entry's hash is, as far as it can be trusted.
    fn check_head(&mut self, position: Position, own: Hash, mended: Option<Hash>) -> Option<Hash> {
        let Some(row) = self.head.take() else {
            self.report.add(position, What::HeadMissing);
            return None;
        };
        let signed = self.signed;
        let fits = |at: Position, hash: &Hash| signed.fits(Seal::Head, at, hash, &row.signature);
        let (at, hash) = match (u64::try_from(row.position), Hash::try_from(row.hash.as_slice())) {
            (Ok(at), Ok(hash)) if fits(at, &hash) => (at, hash),
            // The signature fits what is there: only the row was changed.
            (_, hash) => {
                self.report.add(position, What::HeadChanged);
                let real = [Some(own), mended, hash.ok()].into_iter().flatten();
                return real.into_iter().find(|hash| fits(position, hash)).or(hash.ok());
            }
        };
        if at > position {
            self.report.add(position + 1, What::EntriesMissing(at));
        } else if at < position {
            self.report.add(at + 1, What::EntriesAfterHead(position));
        }
        (at == position).then_some(hash)
    }
}
