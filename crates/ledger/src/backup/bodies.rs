//! The bodies of a backup against what they must hash to: what their entries say, or the last resealing
//! that names them.
//!
//! A resealing comes after the bodies it names, and what they were replaced by comes in a piece of its own where they had been
//! backed up before; so they are judged when all is read.

use crate::crypto::sha256;
use crate::manifest::Manifest;
use record::entry::{Entry, Kind, Position};
use std::collections::{BTreeMap, BTreeSet};

const CHANGED: &str = "the body is not the one the ledger names";
const LEFT: &str = "a body that was replaced or erased since is still there alone";

/// A body that is not what its own entry says: the piece it is in, and its hash; nothing where it was taken out.
type Other = (String, Option<[u8; 32]>);

#[derive(Default)]
pub(super) struct Bodies {
    /// By the last resealing that names each: the hash, or nothing where it is erased.
    named: BTreeMap<Position, Option<[u8; 32]>>,
    others: BTreeMap<Position, Other>,
    /// Resealings that cannot be read: what they name cannot be judged.
    damaged: BTreeSet<Position>,
}

impl Bodies {
    /// Takes the body of an entry; an empty one stands for one that is erased.
    pub(super) fn take(&mut self, piece: &str, position: Position, entry: &Entry, body: &[u8]) {
        let is_resealing = entry.kind == Kind::Resealing;
        let manifest = is_resealing.then(|| Manifest::of(body)).flatten();
        if sha256(&[body]) != entry.body_hash {
            self.replace(piece, position, body);
            if is_resealing {
                self.damaged.insert(position);
            }
        } else if let Some(Manifest { erased, resealed, .. }) = manifest {
            self.named.extend(erased.into_iter().map(|at| (at, None)));
            self.named.extend(resealed.into_iter().map(|(at, hash)| (at, Some(hash))));
        }
    }

    /// Takes what an earlier body was replaced by.
    pub(super) fn replace(&mut self, piece: &str, position: Position, body: &[u8]) {
        let hash = (!body.is_empty()).then(|| sha256(&[body]));
        self.others.insert(position, (piece.to_owned(), hash));
    }

    /// What is wrong. `manifest` is where it is said that all is there, and `sound` whether everything else was.
    pub(super) fn end(
        mut self,
        manifest: &str,
        sound: bool,
    ) -> Vec<(String, Position, &'static str)> {
        let mut found = Vec::new();
        for (position, expected) in std::mem::take(&mut self.named) {
            match self.others.remove(&position) {
                Some((_, hash)) if hash == expected => {}
                Some((piece, _)) => found.push((piece, position, CHANGED)),
                None if sound && self.damaged.is_empty() => {
                    found.push((manifest.to_owned(), position, LEFT));
                }
                None => {}
            }
        }
        let blind = !self.damaged.is_empty();
        let judged = |at: &Position| !blind || self.damaged.contains(at);
        let rest = self.others.into_iter().filter(|(position, _)| judged(position));
        found.extend(rest.map(|(position, (piece, _))| (piece, position, CHANGED)));
        found
    }
}
