//! The row of `registry_lease`: which instance reads.

use dispensary::relay::LEASED_FOR;
use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

/// The instant is read before the row is written: whoever waits for the row meanwhile has less of a
/// lease than it thinks, and nobody more.
const TAKE: &str = "
UPDATE registry_lease SET leased_by = $1, leased_until = (SELECT clock_timestamp()) + $2
WHERE leased_by = $1 OR leased_until <= (SELECT clock_timestamp())";

const LET_GO: &str = "UPDATE registry_lease SET leased_until = '-infinity' WHERE leased_by = $1";

/// Takes the lease, or keeps it; false if another one has it.
pub(super) async fn take(pool: &PgPool, holder: Uuid) -> Result<bool, sqlx::Error> {
    let lasts = PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(LEASED_FOR.as_micros()).unwrap_or(i64::MAX),
    };
    let taken = sqlx::query(TAKE).bind(holder).bind(lasts).execute(pool).await?;
    Ok(taken.rows_affected() == 1)
}

/// Lets go of it.
pub(super) async fn let_go(pool: &PgPool, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(LET_GO).bind(holder).execute(pool).await.map(|_| ())
}
