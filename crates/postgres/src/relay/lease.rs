//! The rows `relay` of `followers`: who announces a partition, and up to where it was announced.

use chrono::{DateTime, TimeDelta, Utc};
use dispensary::LogPosition;
use dispensary::relay::{LEASED_FOR, RelayPlace};
use sqlx::Row;
use uuid::Uuid;

use super::{NAME, PgRelayLog};
use crate::{follow, rebuild};

/// The instant is read before the row is written, and given to the statement that writes: whoever waits
/// for the row meanwhile has less of a lease than it thinks, and nobody more.
const LOOK: &str = "
SELECT clock_timestamp() AS now, f.name IS NOT NULL AS is_there, f.leased_by, f.leased_until
FROM log_head h LEFT JOIN followers f ON f.partition = h.partition AND f.name = $2
WHERE h.partition = $1";

/// Two that take at once wait for each other's row, and the second looks at what the first left.
const TAKE: &str = "
UPDATE followers SET leased_by = $3, leased_until = $4
WHERE name = $2 AND partition = $1
      AND (leased_by IS NULL OR leased_by = $3 OR leased_until <= $5)";

const LET_GO: &str = "
UPDATE followers SET leased_by = NULL, leased_until = NULL
WHERE name = $2 AND partition = $1 AND leased_by = $3";

/// The row says nothing that the log does not have: it bounds what a log that lost its tail has to tell
/// again. Whoever has the lease says how far it is, back too, because it may have gone back. One whose
/// lease is over can only have been slow: what it announced counts if nobody was further.
const MOVE: &str = "
UPDATE followers SET position = $4, hash = $5
WHERE name = $2 AND partition = $1 AND (leased_by = $3 OR position < $4)
      AND ($4 = 0 OR EXISTS (
          SELECT 1 FROM events e WHERE e.partition = $1 AND e.position = $4 AND e.hash = $5
      ))";

const LAG: &str = "
SELECT h.position - $2 AS events, (
           SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8 FROM events e
           WHERE e.partition = $1 AND e.position = $2 + 1
       ) AS seconds
FROM log_head h WHERE h.partition = $1";

impl PgRelayLog {
    pub(super) async fn take(&self, partition: u16) -> Result<bool, sqlx::Error> {
        let number = partition.cast_signed();
        let row = sqlx::query(LOOK).bind(number).bind(NAME).fetch_one(&self.pool).await?;
        let now: DateTime<Utc> = row.try_get("now")?;
        if !row.try_get::<bool, _>("is_there")? {
            let first = rebuild::beginning(self.log.log_settings(), partition).hash;
            let mut db = self.pool.acquire().await?;
            follow::register(&mut db, partition, &[NAME], &[NAME], &first).await?;
        }
        let by: Option<Uuid> = row.try_get("leased_by")?;
        let until: Option<DateTime<Utc>> = row.try_get("leased_until")?;
        let is_elsewhere = by.is_some_and(|by| by != self.holder);
        if is_elsewhere && until.is_some_and(|until| until > now) {
            return Ok(false);
        }
        let lasts = TimeDelta::from_std(LEASED_FOR).unwrap_or_default();
        let taken = sqlx::query(TAKE)
            .bind(number)
            .bind(NAME)
            .bind(self.holder)
            .bind(now + lasts)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    pub(super) async fn let_go(&self, partition: u16) -> Result<(), sqlx::Error> {
        let releasing = sqlx::query(LET_GO).bind(partition.cast_signed());
        releasing.bind(NAME).bind(self.holder).execute(&self.pool).await.map(|_| ())
    }

    pub(super) async fn move_to(&self, reached: RelayPlace) -> Result<(), sqlx::Error> {
        let LogPosition { partition, position } = reached.place;
        sqlx::query(MOVE)
            .bind(partition.cast_signed())
            .bind(NAME)
            .bind(self.holder)
            .bind(position)
            .bind(&reached.hash[..])
            .execute(&self.pool)
            .await
            .map(|_| ())
    }

    pub(super) async fn behind(&self, after: LogPosition) -> Result<(i64, f64), sqlx::Error> {
        let LogPosition { partition, position } = after;
        let looking = sqlx::query(LAG).bind(partition.cast_signed()).bind(position);
        let row = looking.fetch_one(&self.pool).await?;
        let seconds = row.try_get::<Option<f64>, _>("seconds")?.unwrap_or_default();
        Ok((row.try_get::<i64, _>("events")?.max(0), seconds.max(0.0)))
    }
}
