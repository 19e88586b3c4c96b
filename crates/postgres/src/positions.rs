//! How far the log goes, and how far each read model has read it.
//!
//! Any number of questions may wait for one read model: they share the looks at its followers, of
//! which there is one at a time, and none while nobody waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dispensary::positions::AWAITED_FOR;
use dispensary::{LogPosition, LogPositions, Model, Positions, Unavailable};
use dispense_domain::Partitions;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use tokio::sync::Mutex;

use crate::log::within;
use crate::settings::LogSettings;

/// How often somebody who waits looks; what was seen is good for as long.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where partitions and read models stand, in PostgreSQL.
#[derive(Debug)]
pub struct PgPositions {
    pool: PgPool,
    partitions: Partitions,
    heads: Seen,
    models: [Seen; Model::ALL.len()],
}

/// What was seen last, and when that look began. Whoever holds the lock is looking.
type Seen = Mutex<Option<(Instant, Arc<LogPositions>)>>;

/// Where to look.
#[derive(Debug, Clone, Copy)]
enum Place {
    Log,
    Follower(Model),
}

impl PgPositions {
    /// Those of that log.
    #[must_use]
    pub fn new(pool: PgPool, log: LogSettings) -> Self {
        let models = Model::ALL.map(|_| Seen::default());
        Self { pool, partitions: log.partitions, heads: Seen::default(), models }
    }

    /// What is seen there, in a look that did not begin before that.
    async fn look(
        &self,
        place: Place,
        not_before: Instant,
    ) -> Result<Arc<LogPositions>, Unavailable> {
        let seen = match place {
            Place::Log => &self.heads,
            Place::Follower(Model::Dispenses) => &self.models[0],
            Place::Follower(Model::History) => &self.models[1],
            Place::Follower(Model::Balances) => &self.models[2],
            Place::Follower(Model::Reports) => &self.models[3],
        };
        within(async {
            let mut seen = seen.lock().await;
            if let Some((begun, positions)) = &*seen
                && *begun >= not_before
            {
                return Ok(positions.clone());
            }
            let begun = Instant::now();
            let positions = Arc::new(self.read(place).await?);
            *seen = Some((begun, positions.clone()));
            Ok(positions)
        })
        .await
    }

    async fn read(&self, place: Place) -> Result<LogPositions, sqlx::Error> {
        let rows = match place {
            Place::Log => sqlx::query(HEADS).fetch_all(&self.pool).await?,
            Place::Follower(model) => {
                sqlx::query(READ).bind(model.name()).fetch_all(&self.pool).await?
            }
        };
        rows.iter().map(position).collect()
    }
}

const HEADS: &str = "SELECT partition, position FROM log_head";

const READ: &str = "SELECT partition, position FROM followers WHERE name = $1";

fn position(row: &PgRow) -> Result<LogPosition, sqlx::Error> {
    let partition: i16 = row.try_get("partition")?;
    Ok(LogPosition { partition: partition.cast_unsigned(), position: row.try_get("position")? })
}

/// The earliest look that is good enough for somebody who would look again soon.
fn lately() -> Instant {
    let now = Instant::now();
    now.checked_sub(LOOK_EVERY).unwrap_or(now)
}

#[async_trait]
impl Positions for PgPositions {
    fn partitions(&self) -> Partitions {
        self.partitions
    }

    async fn heads(&self, known: &LogPositions) -> Result<LogPositions, Unavailable> {
        let asked = Instant::now();
        // A log only grows: an older look can say that it goes that far, and not that it does not.
        let seen = self.look(Place::Log, lately()).await?;
        let is_enough = seen.missing(known).is_none();
        let heads = if is_enough { seen } else { self.look(Place::Log, asked).await? };
        Ok(Arc::unwrap_or_clone(heads))
    }

    async fn read_by(&self, model: Model) -> Result<LogPositions, Unavailable> {
        let read = self.look(Place::Follower(model), Instant::now()).await?;
        Ok(Arc::unwrap_or_clone(read))
    }

    async fn wait_for(
        &self,
        model: Model,
        wanted: &LogPositions,
    ) -> Result<LogPositions, Unavailable> {
        let asked = Instant::now();
        loop {
            let read = self.look(Place::Follower(model), lately()).await?;
            if read.missing(wanted).is_none() || asked.elapsed() >= AWAITED_FOR {
                return Ok(Arc::unwrap_or_clone(read));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
