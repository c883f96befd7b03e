//! The Merkle tree against the RFCs' definition, written out, and Certificate Transparency's vectors.

use crate::golden::{array, bytes, hex};
use ledger::merkle::{
    Frontier, Hash, Subtree, consistency, empty, inclusion, is_consistent, is_included, leaf, node,
    root,
};
use proptest::prelude::*;
use std::convert::Infallible;

/// The leaves of Certificate Transparency's reference tests, and the roots of their trees from one
/// leaf on.
const VECTORS: [(&str, &str); 8] = [
    ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
    ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
    ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
    ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
    ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
    ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
    (
        "606162636465666768696a6b6c6d6e6f",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ),
];

/// `MTH` of RFC 6962 §2.1, as it stands there.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&mth(left), &mth(right))
        }
    }
}

/// `PATH` of §2.1.1.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut below, other) = match index.checked_sub(left.len()) {
        None => (path(index, left), right),
        Some(index) => (path(index, right), left),
    };
    below.push(mth(other));
    below
}

/// `SUBPROOF` of §2.1.2.
fn subproof(from: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if from == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut below, other) = match from.checked_sub(left.len()).filter(|from| *from > 0) {
        None => (subproof(from, left, whole), right),
        Some(from) => (subproof(from, right, false), left),
    };
    below.push(mth(other));
    below
}

/// Leaf hashes that differ.
fn tree(size: usize) -> Vec<Hash> {
    (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
}

/// Answers for complete subtrees, as whoever makes proofs must.
fn complete(leaves: &[Hash]) -> impl FnMut(Subtree) -> Result<Hash, Infallible> {
    |Subtree { height, number }| {
        let first = usize::try_from(number).unwrap() << height;
        Ok(mth(&leaves[first..first + (1 << height)]))
    }
}

fn ok<T>(result: Result<T, Infallible>) -> T {
    result.unwrap()
}

#[test]
fn the_roots_are_those_of_certificate_transparency() {
    assert_eq!(hex(&empty()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut edge = Frontier::default();
    for (n, (data, expected)) in (1_u64..).zip(VECTORS) {
        ok(edge.push(leaf(&bytes(data)), |_, _| Ok(())));
        assert_eq!((edge.size(), hex(&edge.root())), (n, expected.to_owned()));
    }
    // Leaf 0 of 8, from the same tests.
    let leaves: Vec<Hash> = VECTORS.iter().map(|(data, _)| leaf(&bytes(data))).collect();
    let path = ok(inclusion(0, 8, &mut complete(&leaves)));
    let expected: [Hash; 3] = [
        array("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
        array("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
        array("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
    ];
    assert_eq!(path, expected);
}

/// Every leaf of every size up to 70, and every pair of sizes.
#[test]
fn proofs_are_those_of_the_definition_and_verify() {
    let leaves = tree(70);
    let mut complete = complete(&leaves);
    let mut edge = Frontier::default();
    for size in 1..=leaves.len() {
        let part = &leaves[..size];
        let n = size as u64;
        ok(edge.push(leaves[size - 1], |_, _| Ok(())));
        let top = mth(part);
        assert_eq!((edge.root(), ok(root(n, &mut complete))), (top, top));
        for (index, own) in part.iter().enumerate() {
            let made = ok(inclusion(index as u64, n, &mut complete));
            assert_eq!(made, path(index, part), "{index} of {size}");
            assert!(is_included(own, index as u64, n, &made, &top), "{index} of {size}");
        }
        for from in 1..=size {
            let made = ok(consistency(from as u64, n, &mut complete));
            assert_eq!(made, subproof(from, part, true), "{from} to {size}");
            let old = mth(&leaves[..from]);
            assert!(is_consistent((from as u64, &old), (n, &top), &made), "{from} to {size}");
        }
        assert!(is_consistent((0, &empty()), (n, &top), &[]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A flipped bit anywhere, another place or another size: nothing verifies.
    #[test]
    fn what_was_changed_does_not_verify(
        size in 2_usize..600,
        place in any::<prop::sample::Index>(),
        earlier in any::<prop::sample::Index>(),
        bit in 0_usize..256,
        which in any::<prop::sample::Index>(),
    ) {
        let leaves = tree(size);
        let mut complete = complete(&leaves);
        let (index, from, n) = (place.index(size), earlier.index(size - 1) + 1, size as u64);
        let (top, old) = (mth(&leaves), mth(&leaves[..from]));
        let flip = |hash: &mut Hash| hash[bit / 8] ^= 1 << (bit % 8);
        let flipped = |hash: &Hash| { let mut bent = *hash; flip(&mut bent); bent };

        let path = ok(inclusion(index as u64, n, &mut complete));
        let own = leaves[index];
        prop_assert!(is_included(&own, index as u64, n, &path, &top));
        prop_assert!(!is_included(&flipped(&own), index as u64, n, &path, &top));
        prop_assert!(!is_included(&own, index as u64, n, &path, &flipped(&top)));
        prop_assert!(!is_included(&own, n, n, &path, &top));
        let other = (index as u64 + 1) % n;
        prop_assert!(!is_included(&own, other, n, &path, &top));
        let mut bent = path.clone();
        flip(&mut bent[which.index(path.len())]);
        prop_assert!(!is_included(&own, index as u64, n, &bent, &top));
        prop_assert!(!is_included(&own, index as u64, n, &path[1..], &top));
        prop_assert!(!is_included(&own, index as u64, n, &[&path[..], &[own]].concat(), &top));

        let path = ok(consistency(from as u64, n, &mut complete));
        let m = from as u64;
        prop_assert!(is_consistent((m, &old), (n, &top), &path));
        let mut bent = path.clone();
        flip(&mut bent[which.index(path.len())]);
        let longer = [&path[..], &[own]].concat();
        let wrong: [(u64, Hash, u64, Hash, &[Hash]); 6] = [
            (m, flipped(&old), n, top, &path),
            (m, old, n, flipped(&top), &path),
            (n, top, m, old, &path),
            (m, old, n, top, &bent),
            (m, old, n, top, &path[1..]),
            (m, old, n, top, &longer),
        ];
        for (case, (m, old, n, top, path)) in wrong.iter().enumerate() {
            let believed = is_consistent((*m, old), (*n, top), path);
            prop_assert!(!believed, "{case}");
        }
    }
}
