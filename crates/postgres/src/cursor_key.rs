//! What vouches for the cursors of lists: one key for all instances on a database.

use sqlx::PgPool;

use crate::statements::hash_of;

/// The key, which the first migration of lists has drawn.
///
/// # Errors
///
/// The database does not answer, or is not migrated.
pub async fn cursor_key(pool: &PgPool) -> Result<[u8; 32], sqlx::Error> {
    let key: Vec<u8> = sqlx::query_scalar("SELECT key FROM cursor_key").fetch_one(pool).await?;
    hash_of(&key)
}
