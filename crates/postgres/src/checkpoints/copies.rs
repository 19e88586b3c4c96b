//! The copies in the object store, looked at a few at a time, from the newest to the oldest. What is
//! missing or another text is told, and never put right: whoever took it away should be found.

use std::cmp::Reverse;

use dispensary::{CheckpointKey, Copied, SignedCheckpoint};
use dispense_audit::checkpoint::Checkpoint;
use uuid::Uuid;

use super::keeping::{CheckpointKeeper, NotTaken};
use super::rounds::Round;
use super::rows;

/// How many older copies are looked at in each round. A partition with a checkpoint for each minute
/// is looked through once a day for each month that it has.
const AT_ONCE: u16 = 32;

/// The most lost copies that are remembered one by one.
const MOST_LOST: usize = 100;

/// How many strange files are looked at in each round, the largest first: one that somebody made up must
/// not hide a checkpoint that was signed here.
const MOST_STRANGE: usize = 256;

/// Whether that is the checkpoint which the key names.
fn is_of(said: &Checkpoint, key: CheckpointKey) -> bool {
    let Checkpoint { log_id, partition, size, epoch, erasures, .. } = *said;
    CheckpointKey { log_id, partition, size, epoch, erasures: erasures.number, ..key } == key
}

/// The key under which the copy of a checkpoint is kept.
pub(super) fn key_of(log_id: Uuid, of: &SignedCheckpoint) -> CheckpointKey {
    CheckpointKey {
        log_id,
        partition: of.partition,
        size: of.size,
        epoch: of.epoch,
        erasures: of.erasures,
        signed_by: of.signed_by,
    }
}

/// A look at the copies of a partition, which goes on where the round before ended.
pub(super) struct Walk<'a> {
    keeper: &'a CheckpointKeeper,
    partition: u16,
    round: &'a mut Round,
}

impl<'a> Walk<'a> {
    pub(super) fn new(keeper: &'a CheckpointKeeper, partition: u16, round: &'a mut Round) -> Self {
        Self { keeper, partition, round }
    }

    /// Looks at those again that were lost: a copy may have been brought back.
    pub(super) async fn again(&mut self) -> Result<(), NotTaken> {
        let lost = std::mem::take(&mut self.round.lost);
        self.round.lost_why = None;
        if lost.is_empty() {
            return Ok(());
        }
        let found = rows::numbered(&self.keeper.pool, self.partition, &lost).await?;
        self.look(&found).await
    }

    /// Looks whether the newest copy is there, and returns the largest checkpoint of this epoch that
    /// the object store has beyond it: one that the database does not know.
    pub(super) async fn newest(
        &mut self,
        last: Option<&SignedCheckpoint>,
        epoch: u64,
    ) -> Result<Option<Checkpoint>, NotTaken> {
        if let Some(last) = last {
            self.look(std::slice::from_ref(last)).await?;
        }
        // A row is no evidence of itself: whoever owns the database can write one that covers as much
        // as they like, and nothing in the store would be larger. So what counts is signed here.
        let id = self.keeper.key.id();
        let own = rows::latest_signed_by(&self.keeper.pool, self.partition, id).await?;
        let own = own.as_ref().and_then(|signed| self.keeper.own(signed));
        let known = own.filter(|own| own.epoch == epoch).map_or(0, |own| own.size);
        let mut larger =
            self.keeper.copies.larger(self.keeper.before(self.partition, known)).await?;
        larger.retain(|key| key.epoch == epoch && key.signed_by == id);
        larger.sort_unstable_by_key(|key| Reverse((key.size, key.erasures)));
        for key in larger.into_iter().take(MOST_STRANGE) {
            let copy = self.keeper.copies.copy(key).await?.unwrap_or_default();
            let believed = self.keeper.believed(&copy).filter(|it| is_of(it, key));
            if believed.is_some() {
                return Ok(believed);
            }
            // Whoever may write to the store cannot stop the signing by a file that they made up.
            self.strange(key);
        }
        Ok(None)
    }

    /// Looks at the next older ones.
    pub(super) async fn on(&mut self) -> Result<(), NotTaken> {
        let before = (self.round.walked > 0).then_some(self.round.walked);
        let older = rows::page(&self.keeper.pool, self.partition, before, AT_ONCE).await?;
        // From the first one on, the walk begins anew.
        self.round.walked = older.last().map_or(0, |last| last.number - 1);
        self.look(&older).await
    }

    async fn look(&mut self, all: &[SignedCheckpoint]) -> Result<(), NotTaken> {
        for checkpoint in all {
            let key = key_of(self.keeper.log.log_id, checkpoint);
            match self.keeper.copies.copy(key).await? {
                Some(copy) if copy == checkpoint.note.as_bytes() => {}
                Some(_) => self.lost(checkpoint, key, "another text stands in its place"),
                None => self.lost(checkpoint, key, "it is missing"),
            }
        }
        Ok(())
    }

    /// A copy is not what it should be.
    pub(super) fn lost(&mut self, of: &SignedCheckpoint, key: CheckpointKey, why: &str) {
        if self.round.lost.contains(&of.number) || self.round.lost.len() == MOST_LOST {
            return;
        }
        self.round.lost.push(of.number);
        self.round.lost_why.get_or_insert_with(|| format!("{key}: {why}"));
    }

    fn strange(&mut self, key: CheckpointKey) {
        self.round.lost_why.get_or_insert_with(|| {
            format!("{key}: it is larger than all that are known, and was not signed here")
        });
    }
}

impl CheckpointKeeper {
    /// Writes those copies of a partition again that are missing, from what the database has. Another
    /// text in the place of one stays: whoever finds it decides what it is.
    ///
    /// # Errors
    ///
    /// Something does not answer.
    pub async fn restore_copies(&self, partition: u16) -> Result<Restored, NotTaken> {
        let (mut restored, mut before) = (Restored::default(), None);
        loop {
            let page = rows::page(&self.pool, partition, before, AT_ONCE).await?;
            let Some(oldest) = page.last() else { return Ok(restored) };
            before = Some(oldest.number);
            for checkpoint in &page {
                let key = key_of(self.log.log_id, checkpoint);
                let is_missing = self.copies.copy(key).await?.is_none();
                match self.copies.keep(key, &checkpoint.note).await? {
                    Copied::Kept => restored.written += u64::from(is_missing),
                    Copied::Other => restored.others.push(key),
                }
            }
        }
    }
}

/// What became of lost copies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many were missing, and are there again.
    pub written: u64,
    /// Where another text stands, and was left.
    pub others: Vec<CheckpointKey>,
}
