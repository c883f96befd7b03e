//! The Merkle tree of RFC 6962 §2.1 and RFC 9162 §2.1: hashes, proofs and their verification.
//!
//! Pure: no storage and no clock. Leaves are counted from 0. Who makes a proof says how the hash of a
//! complete subtree is had, so that nothing here needs the whole tree; who verifies one needs nothing
//! but the proof.
//!
//! Invariants: a proof of what is there verifies, for every leaf and every size; with another leaf,
//! place, size, root or path it does not.

use crate::crypto::sha256;
use std::ops::Range;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a tree without leaves.
pub fn empty() -> Hash {
    sha256(&[])
}

/// The hash of a leaf. The byte before it keeps a leaf from passing for an interior node.
pub fn leaf(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// The hash of an interior node.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// A complete subtree: the leaves from `number * 2^height` on, `2^height` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subtree {
    /// How many levels stand above its leaves.
    pub height: u32,
    /// Which one among those of its height, from 0.
    pub number: u64,
}

/// The right edge of a growing tree: what is needed to add leaves and to tell the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Hashes of the complete subtrees that make up the tree, from left to right: one for each bit
    /// that is set in `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree of `size` leaves, by its complete subtrees.
    ///
    /// # Errors
    /// Those of `complete`.
    pub fn of<E>(
        size: u64,
        complete: &mut impl FnMut(Subtree) -> Result<Hash, E>,
    ) -> Result<Self, E> {
        let peaks = decomposed(0..size).map(complete).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash. `done` is told each subtree that became complete, leaf excepted.
    ///
    /// # Errors
    /// Those of `done`; the tree is then no longer usable.
    pub fn push<E>(
        &mut self,
        leaf: Hash,
        mut done: impl FnMut(Subtree, &Hash) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        let mut place = Subtree { height: 0, number: self.size };
        while place.number % 2 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node(&left, &hash);
            place = Subtree { height: place.height + 1, number: place.number / 2 };
            done(place, &hash)?;
        }
        self.peaks.push(hash);
        self.size += 1;
        Ok(())
    }

    /// The root.
    pub fn root(&self) -> Hash {
        folded(&self.peaks).unwrap_or_else(empty)
    }
}

/// The root of the first `size` leaves.
///
/// # Errors
/// Those of `complete`.
pub fn root<E>(
    size: u64,
    complete: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Hash, E> {
    Frontier::of(size, complete).map(|tree| tree.root())
}

/// The proof that leaf `index` is in the tree of `size` leaves (RFC 9162 §2.1.3.1): from its sibling
/// up. `index` is below `size`; otherwise the proof is empty.
///
/// # Errors
/// Those of `complete`.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    complete: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut path = Vec::new();
    let mut within = 0..size;
    while index < size && within.end - within.start > 1 {
        let middle = split(&within);
        let (own, other) = (within.start..middle, middle..within.end);
        let (own, other) = if index < middle { (own, other) } else { (other, own) };
        path.push(other);
        within = own;
    }
    hashes(path, complete)
}

/// The proof that the tree of `from` leaves is the beginning of that of `to` (RFC 9162 §2.1.4.1).
/// Empty where there is nothing to prove.
///
/// # Errors
/// Those of `complete`.
pub fn consistency<E>(
    from: u64,
    to: u64,
    complete: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut path = Vec::new();
    let mut within = 0..to;
    while 0 < from && from < within.end {
        let middle = split(&within);
        if from <= middle {
            path.push(middle..within.end);
            within.end = middle;
        } else {
            path.push(within.start..middle);
            within.start = middle;
        }
    }
    if within.start > 0 {
        path.push(within);
    }
    hashes(path, complete)
}

/// Whether `path` proves that the leaf with this hash is leaf `index` of the tree of `size` leaves
/// with this root (RFC 9162 §2.1.3.2).
pub fn is_included(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in path {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            hash = node(other, &hash);
            while at.is_multiple_of(2) && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = node(&hash, other);
        }
        at /= 2;
        last /= 2;
    }
    last == 0 && hash == *root
}

/// Whether `path` proves that the tree of `from.0` leaves with root `from.1` is the beginning of the
/// tree of `to.0` leaves with root `to.1` (RFC 9162 §2.1.4.2).
pub fn is_consistent(from: (u64, &Hash), to: (u64, &Hash), path: &[Hash]) -> bool {
    let ((first, old), (second, new)) = (from, to);
    if first == second {
        return path.is_empty() && old == new;
    }
    if first == 0 {
        return path.is_empty() && *old == empty();
    }
    if first > second {
        return false;
    }
    // A complete tree is a part of the larger one itself, and is left out of the path.
    let whole = if first.is_power_of_two() { Some(old) } else { None };
    let mut path = whole.into_iter().chain(path);
    let Some(start) = path.next() else { return false };
    let shift = (first - 1).trailing_ones();
    let (mut at, mut last) = ((first - 1) >> shift, (second - 1) >> shift);
    let (mut smaller, mut larger) = (*start, *start);
    for other in path {
        if last == 0 {
            return false;
        }
        if at % 2 == 1 || at == last {
            smaller = node(other, &smaller);
            larger = node(other, &larger);
            while at.is_multiple_of(2) && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            larger = node(&larger, other);
        }
        at /= 2;
        last /= 2;
    }
    last == 0 && smaller == *old && larger == *new
}

/// Where a tree is divided: the left part is the largest complete one that is not all.
fn split(within: &Range<u64>) -> u64 {
    let size = within.end - within.start;
    within.start + (1 << (size - 1).ilog2())
}

/// From the leaf's end upwards, what was found from the root down.
fn hashes<E>(
    path: Vec<Range<u64>>,
    complete: &mut impl FnMut(Subtree) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let hash = |part: Range<u64>| {
        let peaks: Vec<Hash> = decomposed(part).map(&mut *complete).collect::<Result<_, E>>()?;
        Ok(folded(&peaks).unwrap_or_else(empty))
    };
    path.into_iter().rev().map(hash).collect()
}

/// The complete subtrees, the largest first, that a part of a tree consists of. A part that a proof
/// names begins where a subtree at least as large as it could begin.
fn decomposed(part: Range<u64>) -> impl Iterator<Item = Subtree> {
    let mut start = part.start;
    std::iter::from_fn(move || {
        let left = part.end.checked_sub(start).filter(|left| *left > 0)?;
        let height = left.ilog2();
        let subtree = Subtree { height, number: start >> height };
        start += 1 << height;
        Some(subtree)
    })
}

/// The hash of neighbouring subtrees, each smaller than the one before.
fn folded(peaks: &[Hash]) -> Option<Hash> {
    peaks.iter().rev().copied().reduce(|right, left| node(&left, &right))
}
