//! A log that goes on without a tail that it lost: what no longer fits it, and the decision to go on.
//!
//! Nobody here decides whether events are lost for good. Whoever does says so by the number of the next
//! epoch; from then on checkpoints are signed again, and read models that had read more begin anew.

use std::time::Duration;

use chrono::{DateTime, Utc};
use dispensary::LogPosition;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};

use crate::connect;
use crate::fault::sqlstate;
use crate::follow::Tables;
use crate::read_models::read_models;
use crate::rebuild::{self, RebuildError};
use crate::relay;
use crate::settings::LogSettings;

/// How often the tables of read models are tried to be emptied: queries that go on are not waited for,
/// because others would wait behind.
const ATTEMPTS: usize = 30;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How a log stands after a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStands {
    /// Its epoch.
    pub epoch: i64,
    /// Where each partition ends, and when its last event was recorded.
    pub heads: Vec<(LogPosition, DateTime<Utc>)>,
    /// Followers that have read what the log does not have.
    pub followers: Vec<Beyond>,
    /// What the last look at the checkpoints found, by partition.
    pub checkpoints: Vec<(u16, String)>,
}

/// A follower that has read what the log does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// Its name, which is that of its read model, or of the relay.
    pub name: String,
    /// The last event that it has read.
    pub place: LogPosition,
}

impl Beyond {
    /// Whether it keeps a read model, and does not announce.
    #[must_use]
    pub fn is_read_model(&self) -> bool {
        self.name != relay::NAME
    }
}

/// Why a log was not accepted as it is.
#[derive(Debug, thiserror::Error)]
pub enum NotAccepted {
    /// Another epoch is next.
    #[error("the epoch is {epoch}, so the next one is {next}; nothing was changed", next = .epoch + 1)]
    OtherEpoch {
        /// The epoch of the log.
        epoch: i64,
    },
    /// The tables of read models are in use.
    #[error("queries do not let go of the read models ({0}); nothing was changed, try again")]
    InUse(sqlx::Error),
    /// The database cannot be looked at.
    #[error(transparent)]
    Unprepared(#[from] RebuildError),
    /// The database does not do it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Looks at a log, and changes nothing.
///
/// # Errors
///
/// The database does not answer, or is not prepared for this version.
pub async fn look(admin: &PgConnectOptions) -> Result<LogStands, NotAccepted> {
    let pool = connect::rebuilding(admin, 1);
    let settings = rebuild::log_settings(&pool).await?;
    let mut db = pool.acquire().await?;
    stands(&mut db, settings.epoch).await
}

/// Goes on with the log as it is, as epoch `epoch`, and lets followers begin anew that have read more.
/// Returns how it stood, with the names of those.
///
/// # Errors
///
/// [`NotAccepted`]; nothing was changed.
pub async fn accept(admin: &PgConnectOptions, epoch: i64) -> Result<LogStands, NotAccepted> {
    let pool = connect::rebuilding(admin, 1);
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt(&pool, epoch).await {
            Err(NotAccepted::Database(error)) if is_in_use(&error) => {
                if attempts == ATTEMPTS {
                    return Err(NotAccepted::InUse(error));
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            outcome => return outcome,
        }
    }
}

async fn attempt(pool: &PgPool, epoch: i64) -> Result<LogStands, NotAccepted> {
    let settings = rebuild::log_settings(pool).await?;
    if epoch != settings.epoch + 1 {
        return Err(NotAccepted::OtherEpoch { epoch: settings.epoch });
    }
    let mut db = pool.acquire().await?;
    let mut tx = db.begin().await?;
    // One who accepts, and no batch: what is written down is where every partition ends.
    sqlx::query("SELECT epoch FROM log_settings FOR UPDATE").execute(&mut *tx).await?;
    sqlx::query("SELECT position FROM log_head ORDER BY partition FOR UPDATE")
        .execute(&mut *tx)
        .await?;
    let found = stands(&mut tx, settings.epoch).await?;
    sqlx::query(
        "INSERT INTO log_epochs (epoch, partition, position, hash, accepted_at)
         SELECT $1, partition, position, hash, clock_timestamp() FROM log_head",
    )
    .bind(epoch)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE log_settings SET epoch = $1").bind(epoch).execute(&mut *tx).await?;
    for model in read_models() {
        if found.followers.iter().any(|it| it.name == model.name()) {
            begin_anew(&mut tx, settings, model.name(), model.tables()).await?;
        }
    }
    tx.commit().await?;
    Ok(found)
}

/// Empties the live tables of a read model, and lets its followers read from the beginning.
async fn begin_anew(
    db: &mut PgConnection,
    settings: LogSettings,
    name: &str,
    tables: &[&str],
) -> Result<(), sqlx::Error> {
    let versions: Vec<i32> = sqlx::query_scalar(
        "SELECT version FROM followers WHERE name = $1 ORDER BY partition FOR UPDATE",
    )
    .bind(name)
    .fetch_all(&mut *db)
    .await?;
    let live = Tables::of_version(versions.into_iter().max().unwrap_or(1));
    let tables: Vec<String> = tables.iter().map(|table| live.name(table)).collect();
    sqlx::raw_sql(&format!("TRUNCATE {}", tables.join(", "))).execute(&mut *db).await?;
    for partition in settings.partitions.all() {
        sqlx::query(
            "UPDATE followers SET position = 0, hash = $3 WHERE name = $1 AND partition = $2",
        )
        .bind(name)
        .bind(partition.cast_signed())
        .bind(&rebuild::beginning(settings, partition).hash[..])
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn stands(db: &mut PgConnection, epoch: i64) -> Result<LogStands, NotAccepted> {
    let heads: Vec<(i16, i64, DateTime<Utc>)> =
        sqlx::query_as("SELECT partition, position, recorded_at FROM log_head ORDER BY partition")
            .fetch_all(&mut *db)
            .await?;
    let followers: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT f.name, f.partition, f.position FROM followers f
         LEFT JOIN events e ON e.partition = f.partition AND e.position = f.position
         WHERE f.position > 0 AND e.hash IS DISTINCT FROM f.hash ORDER BY f.name, f.partition",
    )
    .fetch_all(&mut *db)
    .await?;
    let checkpoints: Vec<(i16, String)> = sqlx::query_as(
        "SELECT partition, diverged FROM checkpoint_rounds WHERE diverged IS NOT NULL
         ORDER BY partition",
    )
    .fetch_all(db)
    .await?;
    let place =
        |partition: i16, position| LogPosition { partition: partition.cast_unsigned(), position };
    Ok(LogStands {
        epoch,
        heads: heads.into_iter().map(|(number, end, at)| (place(number, end), at)).collect(),
        followers: followers
            .into_iter()
            .map(|(name, number, position)| Beyond { name, place: place(number, position) })
            .collect(),
        checkpoints: checkpoints.into_iter().map(|(it, why)| (it.cast_unsigned(), why)).collect(),
    })
}

/// Whether somebody else has what is to be emptied.
fn is_in_use(error: &sqlx::Error) -> bool {
    matches!(sqlstate(error).as_deref(), Some("55P03" | "40P01"))
}
