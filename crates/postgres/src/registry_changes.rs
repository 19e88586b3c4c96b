//! The chains of registry changes, as auditors read them.

use async_trait::async_trait;
use dispensary::Unavailable;
use dispensary::registry_changes::{
    Change, ChangePlace, Changed, ChangesAsked, Known, RegistryChanges,
};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, QueryBuilder, Row};

use crate::log::within;
use crate::statements::hash_of;

/// The chains of registry changes, in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PgRegistryChanges {
    pool: PgPool,
}

impl PgRegistryChanges {
    /// The chains of that database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl RegistryChanges for PgRegistryChanges {
    async fn changes(&self, asked: &ChangesAsked) -> Result<Vec<Change>, Unavailable> {
        within(page(&self.pool, asked)).await
    }
}

/// A page along one of two indexes: a record has few changes, which are taken out and sorted; a chain
/// is walked through from its end.
async fn page(pool: &PgPool, asked: &ChangesAsked) -> Result<Vec<Change>, sqlx::Error> {
    const COLUMNS: &str =
        " partition, number, kind, id, version, digest, by_user, by_client, source, at, hash ";
    let mut query = QueryBuilder::new("");
    match asked.of {
        Changed::Record(kind, id) => {
            query.push("WITH found AS MATERIALIZED (SELECT").push(COLUMNS);
            query.push("FROM registry_changes WHERE kind = ").push_bind(kind.as_str());
            query.push(" AND id = ").push_bind(id);
            query.push(") SELECT").push(COLUMNS).push("FROM found WHERE true");
        }
        Changed::Chain { partition, from, to } => {
            query.push("SELECT").push(COLUMNS).push("FROM registry_changes WHERE partition = ");
            query.push_bind(partition).push(" AND number >= ").push_bind(from);
            query.push(" AND number <= ").push_bind(to);
        }
    }
    match asked.known {
        Known::Ever => {}
        Known::AtVersion(version) => drop(query.push(" AND version <= ").push_bind(version)),
        Known::At(instant) => drop(query.push(" AND at <= ").push_bind(instant)),
    }
    if let Some(ChangePlace { partition, number }) = asked.after {
        query.push(" AND (partition, number) < (").push_bind(partition).push(", ");
        query.push_bind(number).push(")");
    }
    // A record, as a chain, is in one partition: the order is that of the numbers.
    query.push(" ORDER BY partition DESC, number DESC LIMIT ").push_bind(i64::from(asked.limit));
    query.build().fetch_all(pool).await?.iter().map(change).collect()
}

fn change(row: &PgRow) -> Result<Change, sqlx::Error> {
    let digest = |column: &str| hash_of(row.try_get(column)?).map(Into::into);
    Ok(Change {
        place: ChangePlace { partition: row.try_get("partition")?, number: row.try_get("number")? },
        kind: row.try_get("kind")?,
        id: row.try_get("id")?,
        version: row.try_get("version")?,
        digest: digest("digest")?,
        by_user: row.try_get("by_user")?,
        by_client: row.try_get("by_client")?,
        source: row.try_get("source")?,
        at: row.try_get("at")?,
        hash: digest("hash")?,
    })
}
