//! Takes checkpoints, and holds the log against the ones before.

use std::sync::Arc;
use std::time::Duration;

use dispensary::{CheckpointCopies, CheckpointKey, Copied, SignedCheckpoint, Unavailable};
use dispense_audit::checkpoint::{Checkpoint, Erasures};
use dispense_audit::note::{self, SigningKey};
use sqlx::PgPool;

use super::copies::{Walk, key_of};
use super::rounds::{self, Finding, Round};
use super::rows::{self, Now};
use crate::settings::LogSettings;
use crate::tree::{NoProof, PgTree};

/// Keeps the checkpoints of a log: signs them, and looks whether those before still hold.
pub struct CheckpointKeeper {
    pub(super) pool: PgPool,
    pub(super) tree: PgTree,
    pub(super) log: LogSettings,
    pub(super) key: Arc<SigningKey>,
    pub(super) copies: Arc<dyn CheckpointCopies>,
}

/// What became of a partition's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A checkpoint was signed.
    Signed(SignedCheckpoint),
    /// Nothing has changed since this one.
    Unchanged(SignedCheckpoint),
    /// The partition has no events yet.
    Empty,
    /// The follower of the tree has not come to what the last checkpoint covers; the next turn will
    /// see.
    Behind,
    /// The log is not what a checkpoint says: nothing was signed.
    Diverged(String),
}

/// Why no checkpoint was taken, this time.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The database does not answer, or the tree lacks a node.
    #[error("the log cannot be read: {0}")]
    Log(#[from] NoProof),
    /// The object store does not answer.
    #[error("{0}: {source}", source = .0.source)]
    Store(#[from] Unavailable),
}

impl From<sqlx::Error> for NotTaken {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl CheckpointKeeper {
    /// A keeper for that log, which signs with that key.
    #[must_use]
    pub fn new(
        pool: PgPool,
        log: LogSettings,
        key: Arc<SigningKey>,
        copies: Arc<dyn CheckpointCopies>,
    ) -> Self {
        Self { tree: PgTree::new(pool.clone()), pool, log, key, copies }
    }

    /// Looks after a partition, if it is its turn; of several instances one does.
    ///
    /// # Errors
    ///
    /// Something does not answer; the next turn will come.
    pub async fn turn(&self, partition: u16, every: Duration) -> Result<Option<Taken>, NotTaken> {
        if rounds::take_turn(&self.pool, partition, every).await? {
            self.take(partition).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Signs a checkpoint of a partition, if the log is still what the last ones say and something
    /// has changed, and looks at some copies of older ones.
    ///
    /// # Errors
    ///
    /// Something does not answer; nothing was signed, or what was signed is only in the object store,
    /// where it does no harm.
    pub async fn take(&self, partition: u16) -> Result<Taken, NotTaken> {
        self.look_after(partition).await.map(|(taken, _)| taken)
    }

    /// As [`Self::take`], with what was found on the way: another instance may write down something
    /// else a moment later.
    ///
    /// # Errors
    ///
    /// As [`Self::take`].
    pub async fn look_after(&self, partition: u16) -> Result<(Taken, Finding), NotTaken> {
        let mut round = rounds::read(&self.pool, partition).await?;
        let taken = self.taken(partition, &mut round).await?;
        round.diverged = match &taken {
            Taken::Diverged(why) => Some(why.clone()),
            Taken::Signed(_) | Taken::Unchanged(_) | Taken::Empty => None,
            // What was found stays found until the tree can say otherwise.
            Taken::Behind => round.diverged,
        };
        rounds::write(&self.pool, partition, &round).await?;
        Ok((taken, round.finding(partition)))
    }

    /// What the last look at each partition found, whichever instance looked.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn findings(&self) -> Result<Vec<Finding>, sqlx::Error> {
        rounds::findings(&self.pool).await
    }

    async fn taken(&self, partition: u16, round: &mut Round) -> Result<Taken, NotTaken> {
        let now = rows::now(&self.pool, partition).await?;
        let erasures = rows::erasures(&self.pool, self.log.log_id).await?;
        let last = rows::latest(&self.pool, partition).await?;
        let mut walk = Walk::new(self, partition, round);
        walk.again().await?;
        let copy = walk.newest(last.as_ref(), now.epoch).await?;
        let taken = match self.disagreement(&now, last.as_ref(), copy).await? {
            Some(taken) => taken,
            None => self.signed(partition, &now, erasures, last, &mut walk).await?,
        };
        walk.on().await?;
        Ok(taken)
    }

    /// What the log says otherwise than the last checkpoint of the database, or than a larger one that
    /// only the object store knows.
    async fn disagreement(
        &self,
        now: &Now,
        last: Option<&SignedCheckpoint>,
        copy: Option<Checkpoint>,
    ) -> Result<Option<Taken>, NotTaken> {
        let diverged = |why: String| Ok(Some(Taken::Diverged(why)));
        let mut said = Vec::with_capacity(2);
        if let Some(last) = last {
            let Some(read) = said_by(last) else {
                return diverged("the last checkpoint of the database cannot be read".to_owned());
            };
            if last.signed_by == self.key.id() && self.own(last).is_none() {
                return diverged(
                    "the last checkpoint of the database names the key that signs, which has not \
                     signed it"
                        .to_owned(),
                );
            }
            said.push((read, "the database"));
        }
        said.extend(copy.map(|copy| (copy, "the object store")));
        for (Checkpoint { partition, size, root, erasures, .. }, whose) in said {
            if now.head < size {
                let head = now.head;
                return diverged(format!(
                    "the log ends at position {head}, and the last checkpoint of {whose} covers \
                     {size}: it lost its tail"
                ));
            }
            if self.tree.size(partition).await? < size {
                return Ok(Some(Taken::Behind));
            }
            if self.tree.root(partition, size).await? != root {
                return diverged(others(size, whose));
            }
            let number = erasures.number;
            let found = rows::erasure_hash(&self.pool, self.log.log_id, number).await?;
            if found != Some(erasures.hash) {
                return diverged(format!(
                    "the last checkpoint of {whose} covers {number} erasures, and they are not the \
                     first that are recorded"
                ));
            }
        }
        Ok(None)
    }

    async fn signed(
        &self,
        partition: u16,
        now: &Now,
        erasures: Erasures,
        last: Option<SignedCheckpoint>,
        walk: &mut Walk<'_>,
    ) -> Result<Taken, NotTaken> {
        let size = self.tree.size(partition).await?;
        if size == 0 {
            return Ok(Taken::Empty);
        }
        let root = match last.as_ref().and_then(said_by) {
            None => self.tree.root(partition, size).await?,
            // Both roots out of one read: a failover since the look before lets nothing else be signed.
            Some(said) => {
                let (before, whole) = self.tree.consistency(partition, said.size, size).await?;
                if before != said.root {
                    return Ok(Taken::Diverged(others(said.size, "the database")));
                }
                whole.root
            }
        };
        let checkpoint = Checkpoint {
            log_id: self.log.log_id,
            partition,
            size,
            root,
            epoch: now.epoch,
            erasures,
        };
        // The same text and key make the same note: it tells whether anything has changed.
        let text = note::sign(&checkpoint.text(), &self.key);
        let number = match last {
            Some(last) if *last.note == *text => return Ok(Taken::Unchanged(last)),
            Some(last) => last.number + 1,
            None => 1,
        };
        let signed = SignedCheckpoint {
            partition,
            number,
            size,
            root: checkpoint.root,
            epoch: checkpoint.epoch,
            erasures: erasures.number,
            note: text.into(),
            signed_by: self.key.id(),
            at: now.at,
        };
        // The copy first: a crash here leaves one that fits the log, and the next turn signs again.
        let key = key_of(self.log.log_id, &signed);
        if self.copies.keep(key, &signed.note).await? == Copied::Other {
            walk.lost(&signed, key, "another text stands in its place");
        }
        if !rows::keep(&self.pool, &signed, &erasures.hash).await? {
            // Another one was first with this number, a moment ago.
            let first = rows::latest(&self.pool, partition).await?;
            return Ok(first.map_or(Taken::Empty, Taken::Unchanged));
        }
        metrics::counter!("dispense_checkpoints_total").increment(1);
        Ok(Taken::Signed(signed))
    }

    /// The key of the largest copy that may be known, where checkpoints up to that size are.
    pub(super) fn before(&self, partition: u16, size: u64) -> CheckpointKey {
        CheckpointKey {
            log_id: self.log.log_id,
            partition,
            size,
            epoch: 0,
            erasures: 0,
            signed_by: [0; 4],
        }
    }

    /// What a note says, if the key here has signed it.
    pub(super) fn believed(&self, note: &[u8]) -> Option<Checkpoint> {
        let opened = note::open(note, std::slice::from_ref(self.key.verifier())).ok()?;
        Checkpoint::read(opened.text).ok()
    }

    /// What a checkpoint of the database says, if the key here has signed it, of its partition.
    pub(super) fn own(&self, signed: &SignedCheckpoint) -> Option<Checkpoint> {
        self.believed(signed.note.as_bytes())
            .filter(|it| (it.log_id, it.partition) == (self.log.log_id, signed.partition))
    }
}

fn others(size: u64, whose: &str) -> String {
    format!("the first {size} events are not those that the last checkpoint of {whose} covers")
}

/// What a checkpoint says, as it was signed: the columns beside it are for those who look for it.
fn said_by(signed: &SignedCheckpoint) -> Option<Checkpoint> {
    let (text, _) = note::split(signed.note.as_bytes()).ok()?;
    Checkpoint::read(text).ok()
}
