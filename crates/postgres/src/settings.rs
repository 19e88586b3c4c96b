//! What the database says about the log, and whether this service may serve it.

use dispense_domain::Partitions;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::migrate::MIGRATIONS;

/// The version of this service, which a database can ask for.
pub(crate) const SERVICE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the rules, recorded with every event: raised when one is added or judged otherwise, so
/// that an auditor knows what an event had to pass.
pub(crate) const RULES_VERSION: &str = "2";

/// What is written into the database once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// Names this log.
    pub log_id: Uuid,
    /// How many partitions it has.
    pub partitions: Partitions,
    /// Raised when a log lost its tail and goes on.
    pub epoch: i64,
}

/// Why this service may not serve that database.
#[derive(Debug, thiserror::Error)]
pub enum NotServable {
    /// It does not answer.
    #[error("the database does not answer: {0}")]
    Unreachable(#[from] sqlx::Error),
    /// It was never prepared, or not for this version.
    #[error("the database is not prepared for this version ({0}); run `dispense migrate`")]
    NotMigrated(String),
    /// It was prepared by a later service.
    #[error(
        "the database asks for service version {asked} or later, and this is {SERVICE_VERSION}; \
         start a newer one"
    )]
    TooOld {
        /// The least version that may serve.
        asked: String,
    },
    /// It may lose what it has acknowledged.
    #[error(
        "the server runs with fsync = off, so that a crash would lose acknowledged dispenses; \
         set fsync = on"
    )]
    NotDurable,
    /// The role may rewrite history.
    #[error(
        "the role `{0}` of DATABASE_URL may change the log; use the lesser role that \
         `dispense migrate` prepares, not the owner of the tables"
    )]
    RoleTooMighty(String),
    /// The role waits for ever.
    #[error(
        "the role `{role}` of DATABASE_URL has no {setting}; run `dispense migrate` with this \
         DATABASE_URL, which sets it"
    )]
    RoleWithoutTimeout {
        /// The role.
        role: String,
        /// The setting.
        setting: &'static str,
    },
    /// The setting names another number of partitions than the log has.
    #[error(
        "LOG_PARTITIONS: the log of this database has {actual} partitions, but found `{asked}`; \
         leave the setting out, or move the log as docs/scaling.md says"
    )]
    OtherPartitions {
        /// What the setting says.
        asked: u16,
        /// What the log has.
        actual: u16,
    },
}

/// Reads the settings of the log, and looks whether it may be served.
///
/// # Errors
///
/// Why it may not; each says what to do.
pub(crate) async fn read(
    pool: &PgPool,
    partitions: Option<Partitions>,
) -> Result<LogSettings, NotServable> {
    migrated(pool).await?;
    let row = sqlx::query(
        "SELECT log_id, partitions, epoch, min_service_version, current_user::text AS role,
                current_setting('fsync') AS fsync,
                current_setting('lock_timeout') AS lock_timeout,
                current_setting('statement_timeout') AS statement_timeout,
                current_setting('idle_in_transaction_session_timeout') AS idle_timeout,
                has_table_privilege('events', 'UPDATE') OR has_table_privilege('events', 'DELETE')
                    OR has_table_privilege('events', 'TRUNCATE') AS mighty
         FROM log_settings",
    )
    .fetch_optional(pool)
    .await?
    .ok_or_else(|| NotServable::NotMigrated("log_settings is empty".to_owned()))?;

    let asked: String = row.try_get("min_service_version")?;
    if version(&asked) > version(SERVICE_VERSION) {
        return Err(NotServable::TooOld { asked });
    }
    if row.try_get::<String, _>("fsync")? != "on" {
        return Err(NotServable::NotDurable);
    }
    let role: String = row.try_get("role")?;
    if row.try_get("mighty")? {
        return Err(NotServable::RoleTooMighty(role));
    }
    for (column, setting) in [
        ("lock_timeout", "lock_timeout"),
        ("statement_timeout", "statement_timeout"),
        ("idle_timeout", "idle_in_transaction_session_timeout"),
    ] {
        if row.try_get::<String, _>(column)? == "0" {
            return Err(NotServable::RoleWithoutTimeout { role, setting });
        }
    }
    let count: i16 = row.try_get("partitions")?;
    let actual = u16::try_from(count)
        .ok()
        .and_then(Partitions::new)
        .ok_or_else(|| NotServable::NotMigrated(format!("log_settings has {count} partitions")))?;
    match partitions {
        Some(asked) if asked != actual => {
            Err(NotServable::OtherPartitions { asked: asked.count(), actual: actual.count() })
        }
        Some(_) | None => Ok(LogSettings {
            log_id: row.try_get("log_id")?,
            partitions: actual,
            epoch: row.try_get("epoch")?,
        }),
    }
}

/// Whether every migration of this build has been run.
pub(crate) async fn migrated(pool: &PgPool) -> Result<(), NotServable> {
    let done: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(pool)
            .await
            .map_err(|error| match crate::fault::sqlstate(&error).as_deref() {
                Some("42P01" | "42501") => NotServable::NotMigrated("no migration was run".into()),
                _ => error.into(),
            })?;
    let missing = MIGRATIONS.iter().find(|migration| !done.contains(&migration.version));
    match missing {
        Some(migration) => Err(NotServable::NotMigrated(format!(
            "migration {:04} ({}) is missing",
            migration.version, migration.description
        ))),
        None => Ok(()),
    }
}

/// A version as numbers that compare; what is no number counts as 0.
fn version(text: &str) -> Vec<u64> {
    text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
