//! Roots and proofs of any size, from a handful of reads.

use std::collections::HashMap;

use dispense_audit::chain::Hash;
use dispense_audit::tree::{self, Frontier, Impossible, Node};
use sqlx::{PgPool, Row};

use super::{STEP, over};
use crate::statements::hash_of;

/// The tree over each partition, to read from.
#[derive(Debug, Clone)]
pub struct PgTree {
    pool: PgPool,
}

/// The way from a leaf to the root, or from an older tree to a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The hashes beside the way, from below upwards.
    pub path: Vec<Hash>,
    /// The root of the tree.
    pub root: Hash,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The tree has no such leaf, is not as large, or lacks a node.
    #[error(transparent)]
    Impossible(#[from] Impossible),
}

/// A range of one kept level, whose hashes make up a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Below {
    level: i16,
    first: u64,
    end: u64,
}

impl Below {
    /// What a node is worked out from: itself, if it is kept, or at most 128 that are.
    fn of(node: Node) -> Self {
        let (level, above) = (node.level / STEP, node.level % STEP);
        let first = node.index << above;
        Self { level: level.into(), first, end: first + (1 << above) }
    }
}

impl PgTree {
    /// The tree behind that pool.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How many rows the tree of a partition covers: all of the log, or what its follower has come to.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn size(&self, partition: u16) -> Result<u64, sqlx::Error> {
        // Below the next node that is to become full, the rows themselves suffice.
        let size: Option<i64> = sqlx::query_scalar(
            "SELECT least(h.position, 256 * (coalesce(t.last, -1) + 2) - 1)
             FROM log_head h
             LEFT JOIN LATERAL (
                 SELECT index AS last FROM log_tree WHERE partition = $1 AND level = 1
                 ORDER BY index DESC LIMIT 1
             ) t ON true
             WHERE h.partition = $1",
        )
        .bind(partition.cast_signed())
        .fetch_optional(&self.pool)
        .await?;
        Ok(size.unwrap_or_default().cast_unsigned())
    }

    /// The root over the first `size` rows.
    ///
    /// # Errors
    ///
    /// The tree does not cover as many.
    pub async fn root(&self, partition: u16, size: u64) -> Result<Hash, NoProof> {
        let nodes = Frontier::nodes(size);
        let known = self.nodes(partition, &nodes).await?;
        root_of(size, &known)
    }

    /// The leaf of a row, and the proof that the tree of that size has it.
    ///
    /// # Errors
    ///
    /// The tree does not cover it.
    pub async fn inclusion(
        &self,
        partition: u16,
        index: u64,
        size: u64,
    ) -> Result<(Hash, Branch), NoProof> {
        let leaf = Node { level: 0, index };
        let mut nodes = tree::inclusion_nodes(index, size)?;
        nodes.extend(Frontier::nodes(size));
        nodes.push(leaf);
        let known = self.nodes(partition, &nodes).await?;
        let path = tree::inclusion(index, size, |node| known.get(&node).copied())?;
        let leaf = known.get(&leaf).copied().ok_or(Impossible::Missing(leaf))?;
        Ok((leaf, Branch { path, root: root_of(size, &known)? }))
    }

    /// The proof that the tree of `size` begins with the tree of `older`, and the root of each.
    ///
    /// # Errors
    ///
    /// The tree does not cover them.
    pub async fn consistency(
        &self,
        partition: u16,
        older: u64,
        size: u64,
    ) -> Result<(Hash, Branch), NoProof> {
        let mut nodes = tree::consistency_nodes(older, size)?;
        nodes.extend(Frontier::nodes(older));
        nodes.extend(Frontier::nodes(size));
        let known = self.nodes(partition, &nodes).await?;
        let path = tree::consistency(older, size, |node| known.get(&node).copied())?;
        Ok((root_of(older, &known)?, Branch { path, root: root_of(size, &known)? }))
    }

    /// Those nodes, as far as they are there: one statement for the rows, one for what is kept.
    async fn nodes(
        &self,
        partition: u16,
        nodes: &[Node],
    ) -> Result<HashMap<Node, Hash>, sqlx::Error> {
        let (mut of_rows, mut of_levels) = (Vec::new(), Vec::new());
        for node in nodes {
            let below = Below::of(*node);
            if below.level == 0 { &mut of_rows } else { &mut of_levels }.push(below);
        }
        let mut hashes = HashMap::new();
        self.rows(partition, &of_rows, &mut hashes).await?;
        self.levels(partition, &of_levels, &mut hashes).await?;
        let whole = |node: &Node| {
            let Below { level, first, end } = Below::of(*node);
            let below: Option<Vec<Hash>> =
                (first..end).map(|index| hashes.get(&(level, index)).copied()).collect();
            below.map(|below| (*node, over(&below)))
        };
        Ok(nodes.iter().filter_map(whole).collect())
    }

    /// The leaves of those ranges. The order within has the planner walk along the index.
    async fn rows(
        &self,
        partition: u16,
        ranges: &[Below],
        into: &mut HashMap<(i16, u64), Hash>,
    ) -> Result<(), sqlx::Error> {
        if ranges.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT e.position - 1 AS index, e.hash
             FROM UNNEST($2::bigint[], $3::bigint[]) AS r (first, until)
             CROSS JOIN LATERAL (
                 SELECT position, hash FROM events
                 WHERE partition = $1 AND position > r.first AND position <= r.until
                 ORDER BY position
             ) e",
        )
        .bind(partition.cast_signed())
        .bind(ranges.iter().map(|it| it.first.cast_signed()).collect::<Vec<_>>())
        .bind(ranges.iter().map(|it| it.end.cast_signed()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        for row in rows {
            let index: i64 = row.try_get("index")?;
            into.insert((0, index.cast_unsigned()), tree::leaf(&hash_of(row.try_get("hash")?)?));
        }
        Ok(())
    }

    /// What is kept of those ranges.
    async fn levels(
        &self,
        partition: u16,
        ranges: &[Below],
        into: &mut HashMap<(i16, u64), Hash>,
    ) -> Result<(), sqlx::Error> {
        if ranges.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT t.level, t.index, t.hash
             FROM UNNEST($2::smallint[], $3::bigint[], $4::bigint[]) AS r (level, first, until)
             CROSS JOIN LATERAL (
                 SELECT level, index, hash FROM log_tree
                 WHERE partition = $1 AND level = r.level AND index >= r.first AND index < r.until
                 ORDER BY index
             ) t",
        )
        .bind(partition.cast_signed())
        .bind(ranges.iter().map(|it| it.level).collect::<Vec<_>>())
        .bind(ranges.iter().map(|it| it.first.cast_signed()).collect::<Vec<_>>())
        .bind(ranges.iter().map(|it| it.end.cast_signed()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        for row in rows {
            let index: i64 = row.try_get("index")?;
            into.insert(
                (row.try_get("level")?, index.cast_unsigned()),
                hash_of(row.try_get("hash")?)?,
            );
        }
        Ok(())
    }
}

fn root_of(size: u64, known: &HashMap<Node, Hash>) -> Result<Hash, NoProof> {
    let peak = |node: Node| known.get(&node).copied().ok_or(Impossible::Missing(node));
    let peaks = Frontier::nodes(size).into_iter().map(peak).collect::<Result<Vec<_>, _>>()?;
    // There are as many as the frontier names, because it named them.
    Ok(Frontier::of(size, peaks).unwrap_or_default().root())
}
