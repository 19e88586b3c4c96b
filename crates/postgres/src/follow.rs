//! Reading on from a position, exactly once in effect.
//!
//! A follower reads the events of one partition beyond its position, in order, applies them to its
//! read model, and moves its position **in the same transaction**. The row lock on the position is
//! the lease, so any number of instances share the work. A follower that cannot apply an event stops
//! there, loudly; it never skips.

mod read_model;

use std::sync::Arc;
use std::time::{Duration, Instant};

use dispense_audit::chain::{self, Hash};
use dispense_domain::upcast;
use sqlx::{Connection, PgConnection, PgPool, Row};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use read_model::Stored;
pub use read_model::{LogRow, ReadModel, Tables};

use crate::fault::sqlstate;
use crate::settings::LogSettings;
use crate::statements::hash_of;

/// The most events that are applied in one transaction.
const PAGE: i64 = 500;

/// How often a follower looks by itself, for what other instances wrote.
const POLL: Duration = Duration::from_millis(500);

/// How long a follower gathers between two transactions, so that a busy log costs it few.
const GATHER: Duration = Duration::from_millis(50);

/// How often the lag is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(2);

/// How long a follower that is stuck waits before it tries again.
const STUCK_POLL: Duration = Duration::from_secs(10);

/// Why a follower does not go on.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// The database does not answer; it will go on by itself.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// An event cannot be applied.
    #[error("stuck at position {position}: {why}")]
    Stuck { position: i64, why: String },
    /// The log is not the one that was read before.
    #[error("log-diverged at position {position}: the log lost its tail; see docs/operations.md")]
    Diverged { position: i64 },
}

/// What one step did.
enum Step {
    /// Applied that many events.
    Applied(usize),
    /// Another instance has the lease.
    LeasedElsewhere,
}

/// One follower of one partition.
pub struct Follower {
    model: Arc<dyn ReadModel>,
    pool: PgPool,
    log: LogSettings,
    partition: u16,
    written: watch::Receiver<i64>,
}

impl Follower {
    /// A follower that keeps `model` for one partition; `written` wakes it after a commit of this
    /// process.
    #[must_use]
    pub fn new(
        model: Arc<dyn ReadModel>,
        pool: PgPool,
        log: LogSettings,
        partition: u16,
        written: watch::Receiver<i64>,
    ) -> Self {
        Self { model, pool, log, partition, written }
    }

    /// Follows the log until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut measured: Option<Instant> = None;
        while !stop.is_cancelled() {
            let pause = match self.catch_up(&stop).await {
                Ok(()) => POLL,
                Err(stopped) => self.say(&stopped),
            };
            if measured.is_none_or(|at| at.elapsed() >= MEASURE_EVERY) {
                self.measure().await;
                measured = Some(Instant::now());
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                _ = self.written.changed() => {}
            }
        }
    }

    /// Applies everything that there is. Woken by every commit, it gathers for a moment, so that a
    /// busy log costs it few transactions.
    async fn catch_up(&self, stop: &CancellationToken) -> Result<(), Stop> {
        while !stop.is_cancelled() {
            match self.step().await? {
                Step::Applied(0) | Step::LeasedElsewhere => break,
                Step::Applied(_) => tokio::time::sleep(GATHER).await,
            }
        }
        self.gauge("dispense_follower_stuck", 0.0);
        Ok(())
    }

    async fn step(&self) -> Result<Step, Stop> {
        let mut db = self.pool.acquire().await?;
        let mut tx = db.begin().await?;
        let number = self.partition.cast_signed();
        let leased = sqlx::query(
            "SELECT position, hash, version FROM followers WHERE name = $1 AND partition = $2
             FOR UPDATE SKIP LOCKED",
        )
        .bind(self.model.name())
        .bind(number)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(leased) = leased else {
            self.register(&mut tx).await?;
            tx.commit().await?;
            return Ok(Step::LeasedElsewhere);
        };
        let position: i64 = leased.try_get("position")?;
        let page = self.page(&mut tx, position, hash_of(leased.try_get("hash")?)?).await?;
        let Some((end, hash)) = page.end else { return Ok(Step::Applied(0)) };
        let tables = Tables::of_version(leased.try_get("version")?);
        let applied = async {
            self.model.apply(&mut tx, &tables, &page.rows).await?;
            self.model.notice(&mut tx, &tables, &page.rows).await
        };
        applied.await.map_err(|error| poison(position, error))?;
        sqlx::query(
            "UPDATE followers SET position = $3, hash = $4 WHERE name = $1 AND partition = $2",
        )
        .bind(self.model.name())
        .bind(number)
        .bind(end)
        .bind(&hash[..])
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Step::Applied(page.rows.len()))
    }

    /// The first time, the follower gets its row; if the row is there, somebody else holds it.
    async fn register(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        // Looked at first: an insert would wait for whoever holds the row.
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM followers WHERE name = $1 AND partition = $2)",
        )
        .bind(self.model.name())
        .bind(self.partition.cast_signed())
        .fetch_one(&mut *db)
        .await?;
        if known {
            return Ok(());
        }
        let LogSettings { log_id, partitions, .. } = self.log;
        let first = chain::first(log_id, self.partition, partitions.count());
        sqlx::query(
            "INSERT INTO followers (name, partition, position, hash) VALUES ($1, $2, 0, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(self.model.name())
        .bind(self.partition.cast_signed())
        .bind(&first[..])
        .execute(db)
        .await
        .map(|_| ())
    }

    /// The next events, after a look whether the log is still the one that was read before.
    async fn page(&self, db: &mut PgConnection, position: i64, known: Hash) -> Result<Page, Stop> {
        let rows = sqlx::query(
            "SELECT position, hash, aggregate_id, dispense_id, recorded_at, event_type,
                    event_version, payload::text AS payload
             FROM events WHERE partition = $1 AND position >= $2 ORDER BY position LIMIT $3",
        )
        .bind(self.partition.cast_signed())
        .bind(position)
        .bind(PAGE + 1)
        .fetch_all(db)
        .await?;
        let mut page = Page::default();
        for row in rows {
            let at: i64 = row.try_get("position")?;
            let hash = hash_of(row.try_get("hash")?)?;
            if at == position {
                if hash != known {
                    return Err(Stop::Diverged { position });
                }
                page.agrees = true;
                continue;
            }
            let stuck = |why: String| Stop::Stuck { position: at, why };
            let (kind, version): (&str, &str) =
                (row.try_get("event_type")?, row.try_get("event_version")?);
            if !upcast::is_known(kind, version) {
                return Err(stuck(format!("{kind} {version} is newer than this service")));
            }
            let id: &str = row.try_get("aggregate_id")?;
            page.rows.push(LogRow::from(Stored {
                partition: self.partition,
                position: at,
                hash,
                aggregate_id: id.parse().map_err(|error: uuid::Error| stuck(error.to_string()))?,
                dispense_id: row.try_get("dispense_id")?,
                recorded_at: row.try_get("recorded_at")?,
                event_type: kind.to_owned(),
                payload: row.try_get("payload")?,
            }));
            page.end = Some((at, hash));
        }
        if position > 0 && !page.agrees {
            return Err(Stop::Diverged { position });
        }
        Ok(page)
    }

    /// Says why the follower does not go on, and how long it waits.
    fn say(&self, stopped: &Stop) -> Duration {
        let (name, partition) = (self.model.name(), self.partition);
        match stopped {
            Stop::Database(error) => {
                tracing::warn!(follower.name = name, partition, "a follower waits: {error}");
                POLL * 2
            }
            Stop::Stuck { .. } | Stop::Diverged { .. } => {
                self.gauge("dispense_follower_stuck", 1.0);
                tracing::error!(follower.name = name, partition, "a follower stopped: {stopped}");
                STUCK_POLL
            }
        }
    }

    /// Measures the lag, whoever has the lease and whether or not the follower goes on.
    #[allow(clippy::cast_precision_loss, reason = "a lag is far below 2^52")]
    async fn measure(&self) {
        let lag: Result<Option<i64>, _> = sqlx::query_scalar(
            "SELECT h.position - f.position FROM log_head h
             JOIN followers f ON f.partition = h.partition WHERE f.name = $1 AND f.partition = $2",
        )
        .bind(self.model.name())
        .bind(self.partition.cast_signed())
        .fetch_optional(&self.pool)
        .await;
        if let Ok(Some(lag)) = lag {
            self.gauge("dispense_follower_lag_events", lag as f64);
        }
    }

    fn gauge(&self, gauge: &'static str, value: f64) {
        let (name, partition) = (self.model.name(), self.partition.to_string());
        metrics::gauge!(gauge, "follower" => name, "partition" => partition).set(value);
    }
}

/// A page of the log.
#[derive(Default)]
struct Page {
    rows: Vec<LogRow>,
    end: Option<(i64, Hash)>,
    agrees: bool,
}

/// An error of a read model: the event is to blame if the statement is, else the database.
fn poison(position: i64, error: sqlx::Error) -> Stop {
    if let sqlx::Error::Decode(why) = &error {
        return Stop::Stuck { position: position + 1, why: format!("or soon after: {why}") };
    }
    match sqlstate(&error) {
        Some(code) if ["22", "23", "42", "54"].iter().any(|class| code.starts_with(class)) => {
            Stop::Stuck { position: position + 1, why: format!("or soon after: {error}") }
        }
        Some(_) | None => Stop::Database(error),
    }
}
