//! Proofs that a row is in a tree, and that one tree begins with another.

use super::{Frontier, Node, join, node};
use crate::chain::Hash;

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// A leaf or an older tree is asked for that the tree does not have.
    #[error("{asked} is not within a tree of size {size}")]
    Outside {
        /// The index of the leaf, or the size of the older tree.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The source does not have a node.
    #[error("node {} of level {} is missing", .0.index, .0.level)]
    Missing(Node),
}

/// Leaves from the first number up to, and without, the second.
type Range = (u64, u64);

/// The complete nodes that stand over a range, largest first. A range begins where a node that is
/// at least as large begins.
pub(super) fn complete(mut begin: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while begin < end {
        let level = (end - begin).ilog2();
        nodes.push(Node { level: u8::try_from(level).unwrap_or(u8::MAX), index: begin >> level });
        begin += 1 << level;
    }
    nodes
}

/// Where RFC 6962 divides more than one leaf: the largest power of two below their number.
fn half(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The ranges whose roots prove that the leaf is in the tree, from the leaf upwards.
fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range>, Impossible> {
    if index >= size {
        return Err(Impossible::Outside { asked: index, size });
    }
    let (mut begin, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - begin > 1 {
        let middle = begin + half(end - begin);
        if index < middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((begin, middle));
            begin = middle;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The ranges whose roots prove that the tree begins with the older one, from below upwards.
fn consistency_ranges(older: u64, size: u64) -> Result<Vec<Range>, Impossible> {
    if older > size {
        return Err(Impossible::Outside { asked: older, size });
    }
    let mut ranges = Vec::new();
    if older == 0 || older == size {
        return Ok(ranges);
    }
    let (mut begin, mut end) = (0, size);
    while older != end {
        let middle = begin + half(end - begin);
        if older <= middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((begin, middle));
            begin = middle;
        }
    }
    // Whoever has the older tree knows its root; a part of it must be told.
    if begin > 0 {
        ranges.push((begin, end));
    }
    ranges.reverse();
    Ok(ranges)
}

fn nodes_of(ranges: &[Range]) -> Vec<Node> {
    ranges.iter().flat_map(|(begin, end)| complete(*begin, *end)).collect()
}

fn hashes_of(
    ranges: &[Range],
    mut source: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, Impossible> {
    let mut hashes = Vec::with_capacity(ranges.len());
    for (begin, end) in ranges {
        let nodes = complete(*begin, *end)
            .into_iter()
            .map(|at| source(at).ok_or(Impossible::Missing(at)))
            .collect::<Result<Vec<_>, _>>()?;
        hashes.extend(join(&nodes));
    }
    Ok(hashes)
}

/// The nodes that [`inclusion`] will ask for, so that they can be fetched together.
///
/// # Errors
///
/// [`Impossible::Outside`]
pub fn inclusion_nodes(index: u64, size: u64) -> Result<Vec<Node>, Impossible> {
    inclusion_ranges(index, size).map(|ranges| nodes_of(&ranges))
}

/// The proof that the leaf is in the tree of that size. The source has complete nodes; its level 0
/// are leaves, not rows.
///
/// # Errors
///
/// [`Impossible`]
pub fn inclusion(
    index: u64,
    size: u64,
    source: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, Impossible> {
    hashes_of(&inclusion_ranges(index, size)?, source)
}

/// The nodes that [`consistency`] will ask for, so that they can be fetched together.
///
/// # Errors
///
/// [`Impossible::Outside`]
pub fn consistency_nodes(older: u64, size: u64) -> Result<Vec<Node>, Impossible> {
    consistency_ranges(older, size).map(|ranges| nodes_of(&ranges))
}

/// The proof that the tree of that size begins with the older one. The source has complete nodes;
/// its level 0 are leaves, not rows.
///
/// # Errors
///
/// [`Impossible`]
pub fn consistency(
    older: u64,
    size: u64,
    source: impl FnMut(Node) -> Option<Hash>,
) -> Result<Vec<Hash>, Impossible> {
    hashes_of(&consistency_ranges(older, size)?, source)
}

/// Whether the proof leads from the leaf to the root, as RFC 9162 says in 2.1.3.2.
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            hash = node(sibling, &hash);
            while place.is_multiple_of(2) && place != 0 {
                (place, last) = (place / 2, last / 2);
            }
        } else {
            hash = node(&hash, sibling);
        }
        (place, last) = (place / 2, last / 2);
    }
    last == 0 && hash == *root
}

/// A tree, as far as a checkpoint tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many rows it covers.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Whether the proof shows that the newer tree begins with the older one, as RFC 9162 says in
/// 2.1.4.2.
#[must_use]
pub fn verify_consistency(older: &Head, newer: &Head, proof: &[Hash]) -> bool {
    if older.size == 0 {
        return proof.is_empty() && older.root == Frontier::default().root();
    }
    if older.size >= newer.size {
        return proof.is_empty() && older == newer;
    }
    // A complete older tree is its own first hash.
    let whole = older.size.is_power_of_two().then_some(&older.root);
    let mut hashes = whole.into_iter().chain(proof);
    let Some(first) = hashes.next() else { return false };
    let (mut place, mut last) = (older.size - 1, newer.size - 1);
    while place % 2 == 1 {
        (place, last) = (place / 2, last / 2);
    }
    let (mut old, mut new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            (old, new) = (node(hash, &old), node(hash, &new));
            while place.is_multiple_of(2) && place != 0 {
                (place, last) = (place / 2, last / 2);
            }
        } else {
            new = node(&new, hash);
        }
        (place, last) = (place / 2, last / 2);
    }
    last == 0 && old == older.root && new == newer.root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{grown, known_leaves, naive, rows};
    use super::*;

    const EIGHT: [&str; 4] = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    const FIFTH: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    const LAST_PAIR: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
    const THIRD_PAIR: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

    fn known(proof: Result<Vec<Hash>, Impossible>) -> Vec<String> {
        proof.unwrap().iter().map(hex::encode).collect()
    }

    #[test]
    fn the_proofs_of_certificate_transparency_hold() {
        let nodes = grown(&known_leaves()).1;
        let source = |at: Node| nodes.get(&at).copied();
        assert_eq!(known(inclusion(0, 1, source)), [""; 0]);
        assert_eq!(known(inclusion(0, 8, source)), EIGHT[..3]);
        assert_eq!(known(inclusion(5, 8, source)), [FIFTH, LAST_PAIR, EIGHT[3]]);
        assert_eq!(known(consistency(1, 1, source)), [""; 0]);
        assert_eq!(known(consistency(1, 8, source)), EIGHT[..3]);
        assert_eq!(known(consistency(6, 8, source)), [THIRD_PAIR, LAST_PAIR, EIGHT[3]]);
        assert_eq!(known(consistency(2, 5, source)), [EIGHT[1], FIFTH]);
    }

    #[test]
    fn what_the_tree_does_not_have_is_not_proved() {
        let outside = Impossible::Outside { asked: 3, size: 3 };
        assert_eq!(inclusion(3, 3, |_| None), Err(outside));
        assert_eq!(inclusion_nodes(3, 3), Err(outside));
        assert_eq!(consistency(4, 3, |_| None), Err(Impossible::Outside { asked: 4, size: 3 }));
        let missing = Impossible::Missing(Node { level: 1, index: 0 });
        assert_eq!(inclusion(2, 3, |_| None), Err(missing));
        assert_eq!(consistency(0, 3, |_| None), Ok(vec![]));
        assert!(!verify_inclusion(&[0; 32], 0, 0, &[], &[0; 32]));
    }

    proptest! {
        #[test]
        fn a_proof_shows_its_leaf_and_no_other(size in 1_u64..200, pick in any::<u64>()) {
            let leaves = rows(size);
            let (frontier, nodes) = grown(&leaves);
            let index = pick % size;
            let wanted = inclusion_nodes(index, size).unwrap();
            let proof =
                inclusion(index, size, |at| nodes.get(&at).filter(|_| wanted.contains(&at)).copied());
            let (proof, root) = (proof.unwrap(), frontier.root());
            for (place, leaf) in (0..).zip(&leaves) {
                prop_assert_eq!(verify_inclusion(leaf, place, size, &proof, &root), place == index);
                prop_assert_eq!(verify_inclusion(leaf, index, size, &proof, &root), place == index);
            }
            let leaf = &leaves[usize::try_from(index).unwrap()];
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(!verify_inclusion(leaf, index, size, &longer, &root));
            for place in 0..proof.len() {
                let mut other = proof.clone();
                other[place][31] ^= 1;
                prop_assert!(!verify_inclusion(leaf, index, size, &other, &root));
            }
            if size > 1 {
                prop_assert!(!verify_inclusion(leaf, index, size, &proof[1..], &root));
            }
        }

        #[test]
        fn a_proof_shows_the_older_tree_and_no_other(size in 1_u64..200, pick in any::<u64>()) {
            let leaves = rows(size);
            let (frontier, nodes) = grown(&leaves);
            let older = pick % (size + 1);
            let wanted = consistency_nodes(older, size).unwrap();
            let proof =
                consistency(older, size, |at| nodes.get(&at).filter(|_| wanted.contains(&at)).copied());
            let proof = proof.unwrap();
            let newer = Head { size, root: frontier.root() };
            let root = naive(&leaves[..usize::try_from(older).unwrap()]);
            let older = Head { size: older, root };
            prop_assert!(verify_consistency(&older, &newer, &proof));
            let mut forged = older;
            forged.root[0] ^= 1;
            prop_assert!(!verify_consistency(&forged, &newer, &proof));
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(!verify_consistency(&older, &newer, &longer));
            for place in 0..proof.len() {
                let mut other = proof.clone();
                other[place][31] ^= 1;
                prop_assert!(!verify_consistency(&older, &newer, &other));
            }
            for other in (1..size).filter(|other| *other != older.size && older.size > 0) {
                let other = Head { size: other, root: older.root };
                prop_assert!(!verify_consistency(&other, &newer, &proof));
            }
        }
    }
}
