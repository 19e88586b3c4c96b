//! Lines of registry data, believed only after a look.
//!
//! ```text
//!  lines ─▶ parse ─┬─▶ faulty: number, code, what is expected
//!                  ├─▶ everything but medication requests: 1,000 lines a transaction
//!                  │     lock the head of chain -1 ─▶ read, merge, write ─▶ version, chain
//!                  └─▶ medication requests, partition by partition: 1,000 lines a transaction
//!                        lock log_head ─▶ read, with streams ─▶ merge, unless in use ─▶ chain
//! ```
//!
//! Every transaction begins with the one lock that gives it the right to write, so importers take
//! turns, and neither they nor the writers can ever wait for each other in a circle. Messages that are
//! medication requests of several partitions are the exception: [`messages`].

mod bringer;
mod changes;
pub(crate) mod emptied;
mod entries;
mod fault;
mod found_by;
mod merge;
pub(crate) mod messages;
mod parse;
mod place;
mod requests;
mod stamps;
mod streams;

use std::time::Duration;

use dispensary::{FaultyLine, Line, Origin, Unavailable};
use dispense_domain::Partitions;
use futures::{StreamExt, TryStreamExt};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

pub(crate) use bringer::Bringer;
use changes::ChainHead;
use fault::Stopped;
use merge::Entry;
use parse::Parsed;

/// Lines in one transaction: few enough that nobody who waits for its lock notices.
const LINES_AT_ONCE: usize = 1_000;

/// Transactions at the same time; the rest of the pool is for others.
const PARTS_AT_ONCE: usize = 4;

/// How often a transaction is tried that had to wait for a lock for too long.
const TRIES: u32 = 5;

/// How long to wait before the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// Applies registry lines to a database.
#[derive(Debug, Clone)]
pub struct Importer {
    pool: PgPool,
    partitions: Partitions,
    log_id: Uuid,
}

/// What is locked and chained together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// Everything but medication requests.
    Rest,
    /// The medication requests of a partition of the log.
    Requests(u16),
}

impl Part {
    /// The number of its chain in `registry_changes`.
    const fn chain(self) -> i16 {
        match self {
            Self::Rest => -1,
            Self::Requests(partition) => partition.cast_signed(),
        }
    }
}

impl Importer {
    /// An importer into that database.
    #[must_use]
    pub const fn new(pool: PgPool, partitions: Partitions, log_id: Uuid) -> Self {
        Self { pool, partitions, log_id }
    }

    /// Applies lines and returns the faulty ones, in the order of their numbers. The others are
    /// applied when this answers. Lines may come twice.
    ///
    /// # Errors
    ///
    /// The database does not answer, or keeps the lines waiting for too long. Some of them may have
    /// been applied: import them again.
    pub async fn import(
        &self,
        lines: Vec<Line>,
        by: &Origin,
    ) -> Result<Vec<FaultyLine>, Unavailable> {
        self.run(lines, Some(by)).await
    }

    /// The lines that [`Importer::import`] would find faulty; nothing is written.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn dry_run(&self, lines: Vec<Line>) -> Result<Vec<FaultyLine>, Unavailable> {
        self.run(lines, None).await
    }

    async fn run(
        &self,
        lines: Vec<Line>,
        by: Option<&Origin>,
    ) -> Result<Vec<FaultyLine>, Unavailable> {
        let partitions = self.partitions;
        let parsing = tokio::task::spawn_blocking(move || Parsed::from_lines(&lines, partitions));
        let Parsed { mut faulty, parts } = parsing.await.map_err(Unavailable::database)?;
        let found: Vec<Vec<FaultyLine>> = futures::stream::iter(parts)
            .map(|(part, entries)| self.part(part, entries, by))
            .buffer_unordered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        faulty.extend(found.into_iter().flatten());
        faulty.sort_by_key(|faulty| faulty.line);
        Ok(faulty)
    }

    /// One transaction after the other, in the order of the lines.
    async fn part(
        &self,
        part: Part,
        entries: Vec<Entry>,
        by: Option<&Origin>,
    ) -> Result<Vec<FaultyLine>, Unavailable> {
        let mut faulty = Vec::new();
        let mut waiting: Vec<&[Entry]> = entries.chunks(LINES_AT_ONCE).rev().collect();
        while let Some(piece) = waiting.pop() {
            match self.tried(part, piece, by).await {
                Ok(found) => faulty.extend(found),
                // Long streams take long to read; fewer of them take less.
                Err(Stopped::TooLong(_)) if piece.len() > 1 => {
                    let (first, rest) = piece.split_at(piece.len() / 2);
                    waiting.extend([rest, first]);
                }
                Err(stopped) => return Err(Unavailable::database(stopped)),
            }
        }
        Ok(faulty)
    }

    /// One transaction, tried again while its lock is taken.
    async fn tried(
        &self,
        part: Part,
        piece: &[Entry],
        by: Option<&Origin>,
    ) -> Result<Vec<FaultyLine>, Stopped> {
        let mut tries = 1;
        loop {
            match self.transaction(part, piece, by).await {
                Err(Stopped::Busy(why)) if tries < TRIES => {
                    tracing::info!(%why, tries, "an import had to wait too long; trying again");
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn transaction(
        &self,
        part: Part,
        piece: &[Entry],
        by: Option<&Origin>,
    ) -> Result<Vec<FaultyLine>, Stopped> {
        // Only what is read after the lock was granted may be believed: each statement has to see
        // what was committed when it began.
        let mut tx = self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        let faulty = match (part, by) {
            (part, Some(by)) => apply(&mut tx, self.log_id, part, piece, by.into()).await?,
            // Nothing about these lines depends on what is kept.
            (Part::Rest, None) => Vec::new(),
            (Part::Requests(partition), None) => {
                requests::judge(&mut tx, partition, piece).await?.faulty
            }
        };
        match by {
            Some(_) => tx.commit().await?,
            None => tx.rollback().await?,
        }
        Ok(faulty)
    }
}

/// Applies lines of one part in a transaction, which takes the part's lock with it; returns those that
/// dispenses forbid.
async fn apply(
    db: &mut PgConnection,
    log_id: Uuid,
    part: Part,
    lines: &[Entry],
    by: Bringer<'_>,
) -> Result<Vec<FaultyLine>, Stopped> {
    match part {
        Part::Rest => {
            let head = ChainHead::lock(db, part, log_id).await?;
            entries::apply(db, head, lines, by).await?;
            Ok(Vec::new())
        }
        Part::Requests(partition) => {
            let judged = requests::judge(db, partition, lines).await?;
            let head = ChainHead::lock(db, part, log_id).await?;
            requests::apply(db, head, &judged, by).await?;
            Ok(judged.faulty)
        }
    }
}
