//! Bodies against what they must hash to: what their entries say, or the last resealing that names them.
//!
//! A resealing comes after the bodies it names, so what does not fit its own entry is judged when all
//! entries are read. Where a resealing is itself damaged, that is said at its place, and the table that
//! repeats it stands in for it, so that the bodies it names are not blamed.

use super::evidence::{Evidence, Named};
use super::{Report, What};
use crate::crypto::sha256;
use crate::error::Error;
use crate::manifest::Manifest;
use record::entry::{Entry, Kind, Position};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Bodies {
    /// By the last resealing that names each.
    named: BTreeMap<Position, Named>,
    /// Bodies that are not what their own entry says.
    others: BTreeMap<Position, What>,
}

impl Bodies {
    /// Takes the body of the next entry.
    pub(super) fn take(&mut self, position: Position, entry: &Entry, body: Option<&[u8]>) {
        let fault = match body {
            None => Some(What::BodyMissing),
            Some(body) if sha256(&[body]) != entry.body_hash => Some(What::BodyChanged),
            Some(_) => None,
        };
        if let Some(fault) = fault {
            self.others.insert(position, fault);
            return;
        }
        let manifest = body.filter(|_| entry.kind == Kind::Resealing).and_then(Manifest::of);
        let Some(Manifest { erased, resealed, .. }) = manifest else { return };
        for at in erased {
            self.named.insert(at, (None, position));
        }
        for (at, hash) in resealed {
            self.named.insert(at, (Some(hash.to_vec()), position));
        }
    }

    /// Judges them, once the entries are judged.
    pub(super) fn end(mut self, evidence: &dyn Evidence, report: &mut Report) -> Result<(), Error> {
        self.compare(evidence.resealed()?, report);
        for (position, (hash, _)) in self.named {
            self.others.remove(&position);
            match (hash, evidence.body(position)?) {
                (None, Some(_)) => report.add(position, What::BodyLeft),
                (Some(_), None) => report.add(position, What::BodyMissing),
                (Some(hash), Some(body)) if sha256(&[&body]).as_slice() != hash => {
                    report.add(position, What::BodyChanged);
                }
                _ => {}
            }
        }
        for (position, fault) in self.others {
            report.add(position, fault);
        }
        Ok(())
    }

    /// Compares with the table that repeats what resealings say.
    fn compare(&mut self, table: Vec<(i64, Named)>, report: &mut Report) {
        let mut missing: BTreeSet<Position> = self.named.keys().copied().collect();
        for (at, (hash, resealing)) in table {
            let position = u64::try_from(at).unwrap_or(0);
            missing.remove(&position);
            let said = self.named.get(&position);
            if said == Some(&(hash.clone(), resealing)) {
                continue;
            }
            let is_damaged = self.others.contains_key(&resealing)
                || report.faults.iter().any(|fault| fault.position == resealing);
            if is_damaged && said.is_none_or(|(_, by)| *by < resealing) {
                self.named.insert(position, (hash, resealing));
            } else {
                report.add(position, What::IndexColumns);
            }
        }
        for position in missing {
            report.add(position, What::IndexColumns);
        }
    }
}
