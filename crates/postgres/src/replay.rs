//! The state of an earlier moment, read again from the log into a schema of its own.
//!
//! ```text
//!   time or positions ─▶ moment.rs    how far each partition had come, and the instant
//!                        scratch.rs   empty tables of every read model, in a schema that is removed
//!                        fill         the events up to there, as a rebuild reads them
//!                        summary.rs   what the tables say
//! ```
//!
//! The live tables are not looked at, and nobody waits: what is read is the log alone, page by page.

mod moment;
mod scratch;
mod summary;

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

pub use moment::{InvalidWhen, Moment, NoMoment, When};
pub use scratch::Scratch;
pub use summary::{OfProgram, Summary};

use crate::follow::{ReadModel, Stop};
use crate::rebuild::{self, RebuildError, beginning, fill};
use crate::{LogSettings, connect, read_models};

/// How many partitions are read at one time.
const AT_ONCE: usize = 2;

/// Why a moment could not be read again.
#[derive(Debug, thiserror::Error)]
pub enum NotReplayed {
    /// The log cannot be read on.
    #[error("the log cannot be read on: {0}")]
    Stopped(#[from] Stop),
    /// It ends before the moment that it had reached.
    #[error("log-diverged: partition {partition} ends at {position}, and had reached {expected}")]
    Diverged {
        /// Which partition.
        partition: u16,
        /// Where it ends now.
        position: i64,
        /// Where it was to be read to.
        expected: i64,
    },
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A log whose earlier moments can be read again.
pub struct Replay {
    pool: PgPool,
    log: LogSettings,
    models: Vec<Arc<dyn ReadModel>>,
}

impl Replay {
    /// Opens it under the role that owns the tables, and removes what replays left behind that died.
    ///
    /// # Errors
    ///
    /// The database does not answer, or is not prepared for this version.
    pub async fn open(admin: &PgConnectOptions) -> Result<Self, RebuildError> {
        // One for each partition that is read, and one for whoever looks meanwhile.
        let pool = connect::rebuilding(admin, u32::try_from(AT_ONCE + 1).unwrap_or(u32::MAX));
        let log = rebuild::log_settings(&pool).await?;
        for name in Scratch::sweep(&pool).await? {
            tracing::warn!(schema = name, "removed what a replay had left behind that died");
        }
        Ok(Self { pool, log, models: read_models() })
    }

    /// Finds a moment in the log.
    ///
    /// # Errors
    ///
    /// [`NoMoment`]: it lies in the future, or beyond the end of the log.
    pub async fn find(&self, when: &When) -> Result<Moment, NoMoment> {
        Moment::find(&self.pool, self.log, when).await
    }

    /// Makes a schema to read a moment into.
    ///
    /// # Errors
    ///
    /// The database does not answer, or the role may not make a schema.
    pub async fn scratch(&self) -> Result<Scratch, sqlx::Error> {
        Scratch::make(&self.pool, &self.models).await
    }

    /// Reads the log up to that moment into an empty scratch schema, and says what is there then.
    /// `progress` hears how many events more are read.
    ///
    /// # Errors
    ///
    /// [`NotReplayed`]; the schema is left as it is.
    pub async fn run(
        &self,
        moment: &Moment,
        scratch: &Scratch,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Summary, NotReplayed> {
        stream::iter(moment.positions.places())
            .map(Ok::<_, NotReplayed>)
            .try_for_each_concurrent(AT_ONCE, |upto| async move {
                let (partition, expected) = (upto.partition, upto.position);
                let tables_for = |_: &dyn ReadModel| scratch.tables();
                let from = beginning(self.log, partition);
                let filling = fill(
                    &self.pool,
                    &self.models,
                    &tables_for,
                    partition,
                    from,
                    expected,
                    progress,
                );
                let position = filling.await?.position;
                if position == expected {
                    return Ok(());
                }
                Err(NotReplayed::Diverged { partition, position, expected })
            })
            .await?;
        Ok(summary::of(&self.pool, moment, &scratch.tables()).await?)
    }

    /// Leaves a schema to whoever asked for it, with all its indexes.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn keep(&self, scratch: Scratch) -> Result<(), sqlx::Error> {
        for model in &self.models {
            let live = scratch.live(model.as_ref());
            rebuild::finish(&self.pool, model.as_ref(), &live, &scratch.tables()).await?;
        }
        scratch.keep().await
    }
}
