//! The Merkle tree over a partition, as RFC 6962 has it, with SHA-256.
//!
//! Row `n` of the partition is leaf `n - 1`, so a tree of size `n` covers positions 1 to `n`. What
//! is below a node never changes once the node is complete:
//!
//! ```text
//!  level 2          ┌──── 0 ────┐
//!  level 1       ┌─ 0 ─┐     ┌─ 1 ─┐     ┌─ 2 ─┐
//!  level 0       0     1     2     3     4     5     6      leaves; the root of 7 joins (2,0),
//!                                                           then (1,2) and (0,6)
//! ```

mod proof;

use sha2::{Digest as _, Sha256};

pub use proof::{
    Head, Impossible, consistency, consistency_nodes, inclusion, inclusion_nodes,
    verify_consistency, verify_inclusion,
};

use crate::chain::Hash;

/// The leaf of a row: SHA-256(0x00 ‖ the hash of the row).
#[must_use]
pub fn leaf(row: &Hash) -> Hash {
    leaf_of(row)
}

fn leaf_of(bytes: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

/// What stands above two nodes: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The root of no rows at all: SHA-256 of nothing.
#[must_use]
pub fn empty() -> Hash {
    Sha256::new().finalize().into()
}

/// A complete node: it stands over the leaves from `index << level`, and there are `1 << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// How far above the leaves, which have level 0.
    pub level: u8,
    /// Which one of its level, from the left, counted from 0.
    pub index: u64,
}

/// Joins complete nodes, largest first, to one root.
fn join(nodes: &[Hash]) -> Option<Hash> {
    let (last, others) = nodes.split_last()?;
    Some(others.iter().rev().fold(*last, |right, left| node(left, &right)))
}

/// The edge of a growing tree: all that is needed to append, and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The largest complete nodes, from the left: one for each bit of the size.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree of that size, with the hashes that [`Frontier::nodes`] names; nothing if there are
    /// more or fewer.
    #[must_use]
    pub fn of(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// The nodes at the edge of a tree of that size, from the left.
    #[must_use]
    pub fn nodes(size: u64) -> Vec<Node> {
        proof::complete(0, size)
    }

    /// Appends the hash of a row. Every node that this completes is told, from its leaf upwards.
    pub fn append(&mut self, row: &Hash, completed: impl FnMut(Node, &Hash)) {
        self.append_leaf(leaf(row), completed);
    }

    fn append_leaf(&mut self, leaf: Hash, mut completed: impl FnMut(Node, &Hash)) {
        let mut at = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(at, &hash);
        // An odd node closes the pair with the peak to its left.
        while at.index % 2 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node(&left, &hash);
            at = Node { level: at.level + 1, index: at.index / 2 };
            completed(at, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many rows it covers.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of [`Frontier::nodes`].
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The root over all that was appended.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.peaks).unwrap_or_else(empty)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// The tree as RFC 6962 defines it.
    pub(super) fn naive(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&naive(left), &naive(right))
            }
        }
    }

    pub(super) fn rows(count: u64) -> Vec<Hash> {
        (0..count).map(|number| leaf_of(&number.to_be_bytes())).collect()
    }

    /// All complete nodes, as a store keeps them.
    pub(super) fn grown(leaves: &[Hash]) -> (Frontier, HashMap<Node, Hash>) {
        let (mut frontier, mut nodes) = (Frontier::default(), HashMap::new());
        for leaf in leaves {
            frontier.append_leaf(*leaf, |at, hash| {
                nodes.insert(at, *hash);
            });
        }
        (frontier, nodes)
    }

    /// The inputs that implementations of Certificate Transparency are tested with.
    pub(super) fn known_leaves() -> Vec<Hash> {
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
            .into_iter()
            .chain(["606162636465666768696a6b6c6d6e6f"])
            .map(|input| leaf_of(&hex::decode(input).unwrap()))
            .collect()
    }

    #[test]
    fn the_roots_of_certificate_transparency_hold() {
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let leaves = known_leaves();
        for (size, root) in roots.into_iter().enumerate() {
            assert_eq!(hex::encode(grown(&leaves[..size]).0.root()), root, "{size}");
        }
    }

    #[test]
    fn a_row_is_a_leaf_with_its_own_mark() {
        assert_ne!(leaf(&[0; 32]), [0; 32]);
        let mut frontier = Frontier::default();
        frontier.append(&[5; 32], |_, _| {});
        assert_eq!(frontier.root(), leaf(&[5; 32]));
    }

    proptest! {
        #[test]
        fn a_grown_tree_is_the_defined_one(count in 0_u64..300) {
            let leaves = rows(count);
            let (frontier, nodes) = grown(&leaves);
            prop_assert_eq!(frontier.size(), count);
            prop_assert_eq!(frontier.root(), naive(&leaves));
            let peaks: Vec<Hash> = Frontier::nodes(count).iter().map(|at| nodes[at]).collect();
            prop_assert_eq!(Frontier::of(count, peaks), Some(frontier));
            prop_assert_eq!(Frontier::of(count, vec![[0; 32]; 10]), None);
            for (at, hash) in nodes {
                let begin = usize::try_from(at.index << at.level).unwrap();
                prop_assert_eq!(hash, naive(&leaves[begin..begin + (1 << at.level)]));
            }
        }
    }
}
