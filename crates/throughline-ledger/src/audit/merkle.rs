//! The Merkle tree over the audit log: RFC 6962, section 2.1 (the same tree as RFC 9162). Pure; hashes come in.
//!
//! A *node* `(level, index)` is the root over the leaves `index · 2^level … (index + 1) · 2^level − 1`, all present. A log
//! of `n` leaves has fewer than `2 n` of them, and each append completes 1 on average, so that heads and proofs need
//! `O(log n)` hashes whatever the length of the log. Leaves count from 0 here; record `seq` is leaf `seq − 1`.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::Hash;

/// The place of a complete subtree.
pub(crate) type Node = (u32, u64);

/// The root over no leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The nodes that leaf number `leaf` completes above itself, lowest first, with the left sibling of each step.
pub(crate) fn completed_by(leaf: u64) -> impl Iterator<Item = (Node, Node)> {
    (0..leaf.trailing_ones()).map(move |level| {
        let index = leaf >> level;
        ((level + 1, index >> 1), (level, index - 1))
    })
}

/// The nodes that cover a range which begins where a subtree of its size may begin, left to right.
pub(crate) fn cover(range: &Range<u64>) -> Vec<Node> {
    let (mut start, mut left) = (range.start, range.end.saturating_sub(range.start));
    let mut nodes = Vec::new();
    while left > 0 {
        let level = left.ilog2();
        nodes.push((level, start >> level));
        start += 1 << level;
        left -= 1 << level;
    }
    nodes
}

/// The root over the hashes of a [`cover`].
pub(crate) fn fold(hashes: &[Hash]) -> Hash {
    let mut hashes = hashes.iter().rev();
    let Some(last) = hashes.next() else { return empty_root() };
    hashes.fold(*last, |right, left| node_hash(left, &right))
}

/// The largest power of two below `n`, which must be at least 2.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The ranges whose roots are the audit path of a leaf in a tree of `size` leaves, lowest first (section 2.1.1).
pub(crate) fn inclusion_ranges(leaf: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if leaf < middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
        }
    }
    path.reverse();
    path
}

/// The ranges whose roots prove that the tree of `first` leaves is the beginning of the tree of `second` (section 2.1.2).
pub(crate) fn consistency_ranges(first: u64, second: u64) -> Vec<Range<u64>> {
    let (mut start, mut end, mut whole) = (0, second, true);
    let mut path = Vec::new();
    if first == 0 || first >= second {
        return path;
    }
    while first != end {
        let middle = start + split(end - start);
        if first <= middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(start..end);
    }
    path.reverse();
    path
}

/// Whether `path` proves that `leaf` stands at number `index` of a tree of `size` leaves with this root (RFC 9162,
/// section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `path` proves that the tree of `first` leaves is the beginning of the tree of `second` (RFC 9162, section
/// 2.1.4.2). A tree of no leaves is the beginning of every tree.
pub fn verify_consistency(
    (first, first_root): (u64, &Hash),
    (second, second_root): (u64, &Hash),
    path: &[Hash],
) -> bool {
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    if first > second || first == 0 {
        return first == 0 && path.is_empty() && *first_root == empty_root();
    }
    let start: Vec<Hash> = if first.is_power_of_two() { vec![*first_root] } else { Vec::new() };
    let mut path = start.iter().chain(path);
    let (mut place, mut last) = (first - 1, second - 1);
    while place % 2 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let Some(seed) = path.next() else { return false };
    let (mut old, mut new) = (*seed, *seed);
    for hash in path {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while place % 2 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}

/// The root of a growing tree, leaf by leaf, in memory for `log n` hashes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    /// Roots of the complete subtrees from left to right.
    nodes: Vec<Hash>,
}

impl Frontier {
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.nodes.push(hash);
        self.size += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        fold(&self.nodes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word for word: MTH of RFC 6962, section 2.1.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves.len() {
            0 => empty_root(),
            1 => leaves[0],
            n => {
                let k = usize::try_from(split(n as u64)).unwrap_or(0);
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    fn leaves(n: u64) -> Vec<Hash> {
        (0..n).map(|i| Sha256::new().chain_update([0]).chain_update(i.to_be_bytes()).finalize().into()).collect()
    }

    fn roots(all: &[Hash], ranges: &[Range<u64>]) -> Vec<Hash> {
        let at = |x: u64| usize::try_from(x).unwrap_or(usize::MAX);
        ranges
            .iter()
            .map(|r| {
                let hashes: Vec<Hash> = cover(r)
                    .into_iter()
                    .map(|(level, index)| mth(&all[at(index << level)..at((index + 1) << level)]))
                    .collect();
                assert_eq!(fold(&hashes), mth(&all[at(r.start)..at(r.end)]), "{r:?}");
                fold(&hashes)
            })
            .collect()
    }

    #[test]
    fn known_roots_of_certificate_transparency() {
        // The reference tree of the Certificate Transparency test data: inputs "", 00, 10, 2021, 3031, 40414243, …
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let all: Vec<Hash> =
            inputs.iter().map(|i| Sha256::new().chain_update([0]).chain_update(i).finalize().into()).collect();
        let expect = [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (n, root) in expect {
            assert_eq!(hex::encode(mth(&all[..n])), root, "{n} leaves");
            let mut frontier = Frontier::default();
            all[..n].iter().for_each(|leaf| frontier.push(*leaf));
            assert_eq!(hex::encode(frontier.root()), root, "{n} leaves, one by one");
        }
    }

    #[test]
    fn every_leaf_of_every_small_tree_has_a_proof_that_proves_nothing_else() {
        for n in 1..=33 {
            let all = leaves(n);
            let root = mth(&all);
            for (index, leaf) in (0..n).zip(&all) {
                let path = roots(&all, &inclusion_ranges(index, n));
                assert!(verify_inclusion(leaf, index, n, &path, &root), "{index} of {n}");
                assert!(
                    !verify_inclusion(leaf, (index + 1) % n.max(2), n, &path, &root),
                    "{index} of {n}, other place"
                );
                assert!(!verify_inclusion(&root, index, n, &path, &mth(&all[1..])), "{index} of {n}, other root");
                let longer = [&path[..], &[root]].concat();
                assert!(!verify_inclusion(leaf, index, n, &longer, &root), "{index} of {n}, longer path");
            }
        }
    }

    #[test]
    fn every_pair_of_small_trees_has_a_consistency_proof() {
        let all = leaves(33);
        let at = |n: u64| mth(&all[..usize::try_from(n).unwrap_or(0)]);
        for second in 0..=33 {
            for first in 0..=second {
                let path = roots(&all, &consistency_ranges(first, second));
                assert!(verify_consistency((first, &at(first)), (second, &at(second)), &path), "{first} in {second}");
                let other = at((first + 1) % 33);
                assert!(!verify_consistency((first, &other), (second, &at(second)), &path), "{first} in {second}");
            }
        }
    }

    #[test]
    fn an_append_completes_the_nodes_that_cover_needs() {
        let all = leaves(40);
        let mut known = std::collections::BTreeMap::new();
        for (leaf, hash) in (0..40).zip(&all) {
            known.insert((0, leaf), *hash);
            for (node, left) in completed_by(leaf) {
                let right = known[&(node.0 - 1, (node.1 << 1) + 1)];
                let hash = node_hash(&known[&left], &right);
                known.insert(node, hash);
            }
            let hashes: Vec<Hash> = cover(&(0..leaf + 1)).iter().map(|n| known[n]).collect();
            assert_eq!(fold(&hashes), mth(&all[..=usize::try_from(leaf).unwrap_or(0)]));
        }
    }
}
