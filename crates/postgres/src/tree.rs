//! Read model `log_tree`: the Merkle tree over each partition, from 256 leaves upwards.
//!
//! ```text
//!  level 2 ── over 65,536 leaves      kept, as is every 256th level above the leaves
//!  level 1 ── over 256 leaves         kept
//!             what lies between       worked out from at most 256 hashes when it is asked for
//!  leaves     SHA-256(0x00 ‖ hash)    the hashes stand in `events`
//! ```

mod reading;

use async_trait::async_trait;
use dispense_audit::chain::Hash;
use dispense_audit::tree;
use sqlx::PgConnection;

pub use reading::{Branch, NoProof, PgTree};

use crate::follow::{LogRow, ReadModel, Tables};
use crate::statements::hash_of;

/// Its name, which is that of its view and its follower.
const NAME: &str = "log_tree";

/// How many nodes of one kept level stand below one of the next.
const WIDTH: usize = 256;

/// How many levels of the tree lie between two that are kept: 256 is two to the power of that.
const STEP: u8 = 8;

/// Keeps `log_tree` up to date.
#[derive(Debug, Clone, Copy)]
pub struct LogTree;

/// Nodes of one kept level that stand side by side.
struct Run {
    partition: i16,
    /// 0: the leaves.
    level: i16,
    first: u64,
    hashes: Vec<Hash>,
}

/// Full nodes to be kept.
#[derive(Default)]
struct Full {
    levels: Vec<i16>,
    indexes: Vec<i64>,
    hashes: Vec<Vec<u8>>,
}

#[async_trait]
impl ReadModel for LogTree {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[NAME]
    }

    /// Nothing at all unless a node becomes full, which one does in 256 events; then one statement
    /// that reads what was below it before, and one that keeps it.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let Some(first) = batch.first() else { return Ok(()) };
        let partition = first.partition.cast_signed();
        let mut run = Run {
            partition,
            level: 0,
            first: first.position.cast_unsigned() - 1,
            hashes: batch.iter().map(|row| tree::leaf(&row.hash)).collect(),
        };
        let mut full = Full::default();
        while run.fills_a_node() {
            run.complete(db, tables).await?;
            run = run.above();
            full.add(&run);
        }
        if full.levels.is_empty() {
            return Ok(());
        }
        sqlx::query(&format!(
            "INSERT INTO {} (partition, level, index, hash)
             SELECT $1, u.level, u.index, u.hash
             FROM UNNEST($2::smallint[], $3::bigint[], $4::bytea[]) AS u (level, index, hash)",
            tables.name(NAME)
        ))
        .bind(partition)
        .bind(full.levels)
        .bind(full.indexes)
        .bind(full.hashes)
        .execute(db)
        .await
        .map(|_| ())
    }
}

impl Run {
    /// Whether one of these is the last below a node of the next kept level.
    fn fills_a_node(&self) -> bool {
        self.missing() + self.hashes.len() >= WIDTH
    }

    /// How many nodes stand below the same node, before these.
    fn missing(&self) -> usize {
        // Less than 256, so nothing is lost.
        usize::try_from(self.first % WIDTH as u64).unwrap_or_default()
    }

    /// Adds those that stand before it below the same node.
    async fn complete(
        &mut self,
        db: &mut PgConnection,
        tables: &Tables,
    ) -> Result<(), sqlx::Error> {
        let missing = self.missing();
        if missing == 0 {
            return Ok(());
        }
        let begin = self.first - missing as u64;
        let before = if self.level == 0 {
            let rows = sqlx::query_scalar::<_, Vec<u8>>(
                "SELECT hash FROM events WHERE partition = $1 AND position > $2 AND position <= $3
                 ORDER BY position",
            );
            let rows = rows.bind(self.partition).bind(begin.cast_signed());
            let rows = rows.bind(self.first.cast_signed()).fetch_all(db).await?;
            let leaf = |hash: Vec<u8>| Ok(tree::leaf(&hash_of(&hash)?));
            rows.into_iter().map(leaf).collect::<Result<Vec<Hash>, sqlx::Error>>()?
        } else {
            let reading = format!(
                "SELECT hash FROM {}
                 WHERE partition = $1 AND level = $2 AND index >= $3 AND index < $4
                 ORDER BY index",
                tables.name(NAME)
            );
            let rows = sqlx::query_scalar::<_, Vec<u8>>(&reading);
            let rows = rows.bind(self.partition).bind(self.level).bind(begin.cast_signed());
            let rows = rows.bind(self.first.cast_signed()).fetch_all(db).await?;
            rows.iter().map(|hash| hash_of(hash)).collect::<Result<_, _>>()?
        };
        if before.len() != missing {
            let (level, found) = (self.level, before.len());
            let why = format!(
                "of {missing} nodes of level {level} before {} there are {found}",
                self.first
            );
            return Err(sqlx::Error::Decode(why.into()));
        }
        self.hashes.splice(0..0, before);
        self.first = begin;
        Ok(())
    }

    /// The full nodes above; what is left below the next one is read again once that is full.
    fn above(self) -> Self {
        let (groups, _) = self.hashes.as_chunks::<WIDTH>();
        Self {
            partition: self.partition,
            level: self.level + 1,
            first: self.first / WIDTH as u64,
            hashes: groups.iter().map(|below| over(below)).collect(),
        }
    }
}

impl Full {
    fn add(&mut self, run: &Run) {
        for (hash, index) in run.hashes.iter().zip(run.first..) {
            self.levels.push(run.level);
            self.indexes.push(index.cast_signed());
            self.hashes.push(hash.to_vec());
        }
    }
}

/// What stands above as many nodes as a power of two has.
fn over(below: &[Hash]) -> Hash {
    let mut level = below.to_vec();
    while let (pairs @ [_, ..], _) = level.as_chunks::<2>() {
        level = pairs.iter().map(|[left, right]| tree::node(left, right)).collect();
    }
    level.first().copied().unwrap_or_else(tree::empty)
}
