//! Preparing a database: tables, the settings of the log, and the role that serves.

use dispense_audit::chain;
use dispense_domain::Partitions;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

/// The migrations of this build.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// How many partitions a log gets that nobody chose for.
pub const DEFAULT_PARTITIONS: u16 = 4;

/// The role that serves, as `DATABASE_URL` names it.
#[derive(Debug, Clone)]
pub struct ServingRole {
    /// Its name.
    pub name: String,
    /// Its password; a role that exists keeps its own if this is none.
    pub password: Option<String>,
}

/// Why a database could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration failed; nothing of it was done.
    #[error("{0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The log has another number of partitions.
    #[error(
        "LOG_PARTITIONS: the log of this database has {actual} partitions, but found `{asked}`; \
         leave the setting out, or move the log as docs/scaling.md says"
    )]
    OtherPartitions {
        /// What the setting says.
        asked: u16,
        /// What the log has.
        actual: i16,
    },
    /// Whoever owns the tables may rewrite history.
    #[error(
        "DATABASE_URL and DATABASE_ADMIN_URL name the same role `{0}`; the service has to run \
         under a lesser one, which this command creates"
    )]
    SameRole(String),
}

/// Prepares the database for this version. Running it again changes nothing.
///
/// # Errors
///
/// Says what failed; a migration that fails leaves nothing behind.
pub async fn migrate(
    admin: &PgConnectOptions,
    serving: Option<&ServingRole>,
    partitions: Option<Partitions>,
) -> Result<(), MigrateError> {
    if let Some(role) = serving.filter(|role| role.name == admin.get_username()) {
        return Err(MigrateError::SameRole(role.name.clone()));
    }
    let mut db = PgConnection::connect_with(admin).await?;
    db.execute("SET lock_timeout = '10s'").await?;
    MIGRATIONS.run(&mut db).await?;
    settle(&mut db, partitions).await?;
    if let Some(role) = serving {
        // Roles belong to the whole server: somebody else may be preparing the same one right now.
        let mut attempts = 0;
        while let Err(error) = prepare_role(&mut db, role).await {
            attempts += 1;
            if attempts == ROLE_ATTEMPTS || !is_race(&error) {
                return Err(error);
            }
        }
    }
    db.close().await?;
    Ok(())
}

/// Writes the settings of the log and its heads, if they are not there.
async fn settle(db: &mut PgConnection, asked: Option<Partitions>) -> Result<(), MigrateError> {
    let mut tx = db.begin().await?;
    tx.execute("LOCK TABLE log_settings IN EXCLUSIVE MODE").await?;
    let actual: Option<i16> =
        sqlx::query_scalar("SELECT partitions FROM log_settings").fetch_optional(&mut *tx).await?;
    if let Some(actual) = actual {
        return match asked {
            Some(asked) if i32::from(asked.count()) != i32::from(actual) => {
                Err(MigrateError::OtherPartitions { asked: asked.count(), actual })
            }
            Some(_) | None => Ok(tx.commit().await?),
        };
    }
    let count = asked.map_or(DEFAULT_PARTITIONS, Partitions::count);
    let log_id: Uuid = sqlx::query_scalar(
        "INSERT INTO log_settings (log_id, partitions, epoch, min_service_version)
         VALUES (gen_random_uuid(), $1, 1, '0.1.0') RETURNING log_id",
    )
    .bind(count.cast_signed())
    .fetch_one(&mut *tx)
    .await?;
    for partition in 0..count {
        sqlx::query(
            "INSERT INTO log_head (partition, position, hash, recorded_at)
             VALUES ($1, 0, $2, 'epoch')",
        )
        .bind(partition.cast_signed())
        .bind(&chain::first(log_id, partition, count)[..])
        .execute(&mut *tx)
        .await?;
    }
    Ok(tx.commit().await?)
}

/// How often two who prepare one role at once try again.
const ROLE_ATTEMPTS: usize = 20;

/// Whether somebody else changed the same role at the same moment.
fn is_race(error: &MigrateError) -> bool {
    match error {
        MigrateError::Database(error) => {
            matches!(crate::fault::sqlstate(error).as_deref(), Some("XX000" | "23505" | "42710"))
        }
        MigrateError::Migration(_)
        | MigrateError::OtherPartitions { .. }
        | MigrateError::SameRole(_) => false,
    }
}

/// Gives the role that serves its rights and its timeouts.
async fn prepare_role(db: &mut PgConnection, role: &ServingRole) -> Result<(), MigrateError> {
    let name = quoted(&role.name, '"');
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)")
            .bind(&role.name)
            .fetch_one(&mut *db)
            .await?;
    let password = role.password.as_ref().map(|password| quoted(password, '\''));
    match (exists, password) {
        (true, None) => {}
        (true, Some(password)) => {
            db.execute(&*format!("ALTER ROLE {name} LOGIN PASSWORD {password}")).await?;
        }
        (false, None) => {
            db.execute(&*format!("CREATE ROLE {name} LOGIN")).await?;
        }
        (false, Some(password)) => {
            db.execute(&*format!("CREATE ROLE {name} LOGIN PASSWORD {password}")).await?;
        }
    }
    db.execute(&*format!("GRANT dispense_service TO {name}")).await?;
    for (setting, value) in [
        ("lock_timeout", "1s"),
        ("statement_timeout", "1s"),
        ("idle_in_transaction_session_timeout", "1s"),
        ("synchronous_commit", "on"),
    ] {
        db.execute(&*format!("ALTER ROLE {name} SET {setting} = '{value}'")).await?;
    }
    Ok(())
}

/// A name or text between quotes, for statements that take no parameters.
fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}
