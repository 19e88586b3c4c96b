//! Proofs for whoever asks: what was signed, and the ways through the tree.

use async_trait::async_trait;
use dispensary::{
    Asked, Consistency, Covered, Inclusion, LogPosition, NoProof, Proofs, ProvedRow,
    SignedCheckpoint, Unavailable,
};
use dispense_audit::chain::{self, Hash};
use dispense_audit::checkpoint::Checkpoint;
use dispense_audit::note::{self, VerifierKey};
use dispense_audit::tree::{self, Impossible};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};

use super::rows;
use crate::log::within;
use crate::settings::LogSettings;
use crate::statements::hash_of;
use crate::tree::{NoProof as NoBranch, PgTree};

/// Proofs out of the database.
#[derive(Debug)]
pub struct PgProofs {
    pool: PgPool,
    tree: PgTree,
    log: LogSettings,
    key: Option<(VerifierKey, String)>,
}

impl PgProofs {
    /// The proofs of that log; `key` verifies what is signed here.
    #[must_use]
    pub fn new(pool: PgPool, log: LogSettings, key: Option<VerifierKey>) -> Self {
        let key = key.map(|key| (key.clone(), key.to_string()));
        Self { tree: PgTree::new(pool.clone()), pool, log, key }
    }

    fn known(&self, partition: u16) -> Result<(), NoProof> {
        let partitions = self.log.partitions.count();
        if partition < partitions { Ok(()) } else { Err(NoProof::NoPartition { partitions }) }
    }

    async fn latest_of(&self, partition: u16) -> Result<Option<SignedCheckpoint>, Unavailable> {
        within(rows::latest(&self.pool, partition)).await
    }

    async fn size(&self, partition: u16) -> Result<u64, Unavailable> {
        within(self.tree.size(partition)).await
    }

    /// That size, if the tree of the partition has it.
    async fn sized(&self, partition: u16, size: u64, asked: Asked) -> Result<u64, NoProof> {
        let largest = self.size(partition).await?;
        if size > largest { Err(NoProof::Beyond { asked, largest }) } else { Ok(size) }
    }

    /// What the latest checkpoint says, if the key here has signed it.
    fn believed(&self, signed: &SignedCheckpoint) -> Option<Checkpoint> {
        let (key, _) = self.key.as_ref()?;
        let opened = note::open(signed.note.as_bytes(), std::slice::from_ref(key)).ok()?;
        let said = Checkpoint::read(opened.text).ok()?;
        let ours = said.log_id == self.log.log_id && said.partition == signed.partition;
        ours.then_some(said)
    }

    /// Whether the checkpoint has that row as it is.
    async fn covered(
        &self,
        row: &Hash,
        position: i64,
        latest: Option<&SignedCheckpoint>,
    ) -> Result<Covered, Unavailable> {
        if self.key.is_none() {
            return Ok(Covered::NoKey);
        }
        let Some(latest) = latest else { return Ok(Covered::NotYet) };
        let index = position.cast_unsigned() - 1;
        if index >= latest.size {
            return Ok(Covered::NotYet);
        }
        let Some(said) = self.believed(latest) else { return Ok(Covered::Not) };
        let branch = match self.tree.inclusion(said.partition, index, said.size).await {
            Ok((_, branch)) => branch,
            // The log is shorter than what was signed.
            Err(NoBranch::Impossible(_)) => return Ok(Covered::Not),
            Err(NoBranch::Database(error)) => return Err(Unavailable::database(error)),
        };
        let leaf = tree::leaf(row);
        let is_in = tree::verify_inclusion(&leaf, index, said.size, &branch.path, &said.root);
        Ok(if is_in { Covered::Within { size: said.size } } else { Covered::Not })
    }

    /// The hash of a row, worked out anew, and whether it is the one that it has.
    fn chained(&self, partition: u16, row: &PgRow) -> Result<(Hash, bool), sqlx::Error> {
        let position: i64 = row.try_get("position")?;
        let previous = match row.try_get::<Option<&[u8]>, _>("previous")? {
            Some(previous) => hash_of(previous)?,
            None if position == 1 => {
                chain::first(self.log.log_id, partition, self.log.partitions.count())
            }
            // The row before it is gone, so nothing follows from it.
            None => return Ok((hash_of(row.try_get("hash")?)?, false)),
        };
        let recorded_at: chrono::DateTime<chrono::Utc> = row.try_get("recorded_at")?;
        let hash = chain::next(
            &previous,
            &chain::Row {
                aggregate_type: row.try_get("aggregate_type")?,
                aggregate_id: row.try_get("aggregate_id")?,
                sequence: row.try_get("sequence")?,
                event_type: row.try_get("event_type")?,
                event_version: row.try_get("event_version")?,
                payload: row.try_get("payload")?,
                metadata: row.try_get("metadata")?,
                partition,
                position,
                event_id: row.try_get("event_id")?,
                dispense_id: row.try_get("dispense_id")?,
                recorded_at: recorded_at.timestamp_micros(),
            },
        );
        Ok((hash, row.try_get::<&[u8], _>("hash")? == hash))
    }
}

#[async_trait]
impl Proofs for PgProofs {
    fn verifier_key(&self) -> Option<&str> {
        self.key.as_ref().map(|(_, text)| text.as_str())
    }

    async fn latest(&self) -> Result<Vec<SignedCheckpoint>, Unavailable> {
        within(rows::latest_of_each(&self.pool, self.log.partitions.count())).await
    }

    async fn checkpoints(
        &self,
        partition: u16,
        before: Option<i64>,
        most: u16,
    ) -> Result<Vec<SignedCheckpoint>, NoProof> {
        self.known(partition)?;
        Ok(within(rows::page(&self.pool, partition, before, most)).await?)
    }

    async fn inclusion(&self, row: LogPosition, size: Option<u64>) -> Result<Inclusion, NoProof> {
        let LogPosition { partition, position } = row;
        self.known(partition)?;
        let covers = position.cast_unsigned();
        let checkpoint = self.latest_of(partition).await?;
        let size = match (size, &checkpoint) {
            (Some(size), _) => self.sized(partition, size, Asked::Size).await?,
            (None, Some(latest)) if latest.size >= covers => latest.size,
            (None, _) => self.size(partition).await?,
        };
        if covers == 0 || covers > size {
            return Err(NoProof::Beyond { asked: Asked::Position, largest: size });
        }
        let proved = self.tree.inclusion(partition, covers - 1, size).await;
        let (leaf, branch) = proved.map_err(|error| no_proof(error, partition))?;
        let checkpoint = checkpoint.filter(|latest| latest.size == size);
        agree(checkpoint.as_ref(), &branch.root)?;
        Ok(Inclusion { place: row, leaf, size, root: branch.root, path: branch.path, checkpoint })
    }

    async fn consistency(
        &self,
        partition: u16,
        from: u64,
        to: Option<u64>,
    ) -> Result<Consistency, NoProof> {
        self.known(partition)?;
        let checkpoint = self.latest_of(partition).await?;
        let to = match (to, &checkpoint) {
            (Some(to), _) => self.sized(partition, to, Asked::To).await?,
            (None, Some(latest)) if latest.size >= from => latest.size,
            (None, _) => self.size(partition).await?,
        };
        if from > to {
            return Err(NoProof::Beyond { asked: Asked::From, largest: to });
        }
        let proved = self.tree.consistency(partition, from, to).await;
        let (older, branch) = proved.map_err(|error| no_proof(error, partition))?;
        agree(checkpoint.as_ref().filter(|latest| latest.size == to), &branch.root)?;
        agree(checkpoint.as_ref().filter(|latest| latest.size == from), &older)?;
        Ok(Consistency { partition, from: (from, older), to: (to, branch.root), path: branch.path })
    }

    async fn rows(&self, partition: u16, positions: &[i64]) -> Result<Vec<ProvedRow>, Unavailable> {
        let reading = sqlx::query(
            "SELECT e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
                    e.payload::text AS payload, e.metadata::text AS metadata, e.position,
                    e.event_id, e.dispense_id, e.recorded_at, e.hash, b.hash AS previous
             FROM UNNEST($2::bigint[]) AS u (position)
             JOIN events e ON e.partition = $1 AND e.position = u.position
             LEFT JOIN events b ON b.partition = $1 AND b.position = u.position - 1
             ORDER BY e.position",
        )
        .bind(partition.cast_signed())
        .bind(positions)
        .fetch_all(&self.pool);
        let found = within(reading).await?;
        let latest = match &self.key {
            Some((key, _)) => {
                within(rows::latest_signed_by(&self.pool, partition, key.id())).await?
            }
            None => None,
        };
        let mut proved = Vec::with_capacity(found.len());
        for row in &found {
            let (hash, is_chained) = self.chained(partition, row).map_err(Unavailable::database)?;
            let position = row.try_get("position").map_err(Unavailable::database)?;
            let covered = self.covered(&hash, position, latest.as_ref()).await?;
            proved.push(ProvedRow {
                place: LogPosition { partition, position },
                is_chained,
                covered,
            });
        }
        Ok(proved)
    }
}

/// A proof is of no use where its root is not the one that was signed.
fn agree(checkpoint: Option<&SignedCheckpoint>, root: &Hash) -> Result<(), NoProof> {
    match checkpoint {
        Some(signed) if signed.root != *root => Err(NoProof::Diverged(format!(
            "the first {} events of partition {} are not those that its checkpoint {} covers",
            signed.size, signed.partition, signed.number
        ))),
        Some(_) | None => Ok(()),
    }
}

/// What was asked was looked at before, so a node that is missing is one that the log has lost.
fn no_proof(error: NoBranch, partition: u16) -> NoProof {
    match error {
        NoBranch::Database(error) => Unavailable::database(error).into(),
        NoBranch::Impossible(Impossible::Outside { size, .. }) => {
            NoProof::Beyond { asked: Asked::Size, largest: size }
        }
        NoBranch::Impossible(missing @ Impossible::Missing(_)) => {
            NoProof::Diverged(format!("the tree of partition {partition} has a hole: {missing}"))
        }
    }
}
