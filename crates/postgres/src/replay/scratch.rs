//! A schema for the state of a moment: empty tables of every read model.

use std::sync::Arc;

use sqlx::{Connection, PgConnection, PgPool};

use crate::follow::{ReadModel, Tables};
use crate::rebuild;

/// Tables here have one version.
const VERSION: i32 = 1;

/// What is said of a schema that is not to be kept.
const UNDER_WAY: &str = "dispense log replay: under way";

/// What is said of one that is.
const KEPT: &str = "dispense log replay: kept";

/// The kind of lock under which a schema is filled; the other half is the number of the schema.
const LOCKS: i32 = 0x0d15_9e45;

/// A schema of its own. It is there until [`Scratch::remove`]; whoever comes next removes one whose
/// process died.
#[derive(Debug)]
pub struct Scratch {
    name: String,
    /// The tables that were live when it was made, by model.
    live: Vec<(&'static str, Tables)>,
    /// Holds the lock that says that somebody works here.
    connection: PgConnection,
}

impl Scratch {
    /// Makes one with an empty table for each of those that `models` keep.
    ///
    /// # Errors
    ///
    /// The database does not answer, or the role may not make a schema.
    pub async fn make(pool: &PgPool, models: &[Arc<dyn ReadModel>]) -> Result<Self, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
        let mut tx = connection.begin().await?;
        // Whoever has this connection is the only one to draw this name now.
        let name: String = sqlx::query_scalar(
            "SELECT 'replay_' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS')
                    || '_' || pg_backend_pid()",
        )
        .fetch_one(&mut *tx)
        .await?;
        sqlx::raw_sql(&format!(
            "CREATE SCHEMA \"{name}\"; COMMENT ON SCHEMA \"{name}\" IS '{UNDER_WAY}'"
        ))
        .execute(&mut *tx)
        .await?;
        // Before anybody else can see it.
        sqlx::query("SELECT pg_advisory_lock($1, oid::int) FROM pg_namespace WHERE nspname = $2")
            .bind(LOCKS)
            .bind(&name)
            .execute(&mut *tx)
            .await?;
        let tables = Tables::in_schema(name.clone(), VERSION);
        let mut live = Vec::with_capacity(models.len());
        for model in models {
            let shown = live_tables(&mut tx, model.as_ref()).await?;
            rebuild::make(&mut tx, model.as_ref(), &shown, &tables).await?;
            live.push((model.name(), shown));
        }
        tx.commit().await?;
        Ok(Self { name, live, connection })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its tables.
    #[must_use]
    pub fn tables(&self) -> Tables {
        Tables::in_schema(self.name.clone(), VERSION)
    }

    /// The live tables of a model.
    pub(super) fn live(&self, model: &dyn ReadModel) -> Tables {
        let known = self.live.iter().find(|(name, _)| *name == model.name());
        known.map_or(Tables::of_version(VERSION), |(_, tables)| tables.clone())
    }

    /// Removes it with all that is in it.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn remove(mut self) -> Result<(), sqlx::Error> {
        remove(&mut self.connection, &self.name).await?;
        self.connection.close().await
    }

    /// Leaves it to whoever asked for it.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn keep(mut self) -> Result<(), sqlx::Error> {
        let saying = format!("COMMENT ON SCHEMA \"{}\" IS '{KEPT}'", self.name);
        sqlx::raw_sql(&saying).execute(&mut self.connection).await?;
        self.connection.close().await
    }

    /// Removes what processes left behind that died. Returns the names.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn sweep(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
        let mut db = PgConnection::connect_with(&pool.connect_options()).await?;
        let left: Vec<(String, i32)> = sqlx::query_as(
            "SELECT nspname::text, oid::int FROM pg_namespace
             WHERE nspname LIKE 'replay\\_%' AND obj_description(oid, 'pg_namespace') = $1
             ORDER BY nspname",
        )
        .bind(UNDER_WAY)
        .fetch_all(&mut db)
        .await?;
        let mut removed = Vec::new();
        for (name, number) in left {
            let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
                .bind(LOCKS)
                .bind(number)
                .fetch_one(&mut db)
                .await?;
            if free {
                remove(&mut db, &name).await?;
                removed.push(name);
            }
        }
        db.close().await?;
        Ok(removed)
    }
}

async fn remove(db: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    // What was interrupted may still be at a page of it; another sweep may have been faster.
    let dropping = format!("SET lock_timeout = '30s'; DROP SCHEMA IF EXISTS \"{name}\" CASCADE");
    sqlx::raw_sql(&dropping).execute(db).await.map(|_| ())
}

/// The tables of a model that are live now; those of its first version if nobody follows it yet.
async fn live_tables(db: &mut PgConnection, model: &dyn ReadModel) -> Result<Tables, sqlx::Error> {
    let version: Option<i32> =
        sqlx::query_scalar("SELECT max(version) FROM followers WHERE name = $1")
            .bind(model.name())
            .fetch_one(db)
            .await?;
    Ok(Tables::of_version(version.unwrap_or(VERSION)))
}
