//! The switch: from one moment to the next, queries and followers have the new tables.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, Row};

use super::{LEFT, Place, ROUNDS, Rebuild, RebuildError, Version, last_erasure, page};
use crate::fault::sqlstate;
use crate::follow::{ReadModel, Tables};

/// How often the switch is tried: somebody may read a view for long, and it is not waited for, because
/// everybody else would wait behind.
const ATTEMPTS: usize = 60;

/// How long the others have between two attempts.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long the switch waits for a lock. Queries of the view wait as long.
const LOCKS_WITHIN: &str = "SET LOCAL lock_timeout = '300ms'";

/// What an attempt came to.
enum Attempt {
    Switched,
    /// Too much was written meanwhile.
    TooMuchLeft,
}

impl Rebuild {
    /// Catches up and switches, as often as it takes.
    pub(super) async fn switch(
        &self,
        guard: &mut PgConnection,
        places: &mut [(u16, Place)],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), RebuildError> {
        let mut busy = "too much is written".to_owned();
        for _ in 0..ATTEMPTS {
            self.catch_up(places, progress).await?;
            match self.attempt(guard, places).await {
                Ok(Attempt::Switched) => return Ok(()),
                Ok(Attempt::TooMuchLeft) => {}
                // Somebody had a lock for too long: a query, a follower, or a vacuum.
                Err(RebuildError::Database(error)) if is_busy(&error) => busy = error.to_string(),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        Err(RebuildError::NoMoment(busy))
    }

    /// Reads on until little is left.
    async fn catch_up(
        &self,
        places: &mut [(u16, Place)],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), RebuildError> {
        for _ in 0..ROUNDS {
            if self.read_on(places, progress).await? <= LEFT {
                return Ok(());
            }
        }
        Err(RebuildError::NoMoment("the log grows faster than it is read".to_owned()))
    }

    /// One transaction on the connection that has the claim: if that was lost, nothing is switched.
    async fn attempt(
        &self,
        guard: &mut PgConnection,
        places: &[(u16, Place)],
    ) -> Result<Attempt, RebuildError> {
        let mut tx = guard.begin().await?;
        tx.execute(LOCKS_WITHIN).await?;
        let live = self.lock_followers(&mut tx).await?;
        let next = |model: &dyn ReadModel| self.version(model, Version::Next);
        let (mut ends, mut left) = (Vec::with_capacity(places.len()), 0);
        for (partition, place) in places {
            let stopped = |stop| RebuildError::Stopped { partition: *partition, stop };
            let mut end = *place;
            loop {
                let reading = page(&mut tx, &self.models, &next, *partition, end, i64::MAX);
                let (to, events) = reading.await.map_err(stopped)?;
                if events == 0 {
                    break;
                }
                (end, left) = (to, left + events);
                if left > LEFT {
                    tx.rollback().await?;
                    return Ok(Attempt::TooMuchLeft);
                }
            }
            // Whoever was shown more must not be shown less.
            let shown = live.iter().filter(|(at, _)| at == partition).map(|(_, it)| *it).max();
            if shown.is_some_and(|shown| shown > end.position) {
                let stop = crate::follow::Stop::Diverged { position: end.position };
                return Err(stopped(stop));
            }
            ends.push((*partition, end));
        }
        if last_erasure(&mut tx).await? != self.erasure {
            return Err(RebuildError::Erased);
        }
        for model in &self.models {
            self.turn_views(&mut tx, model.as_ref()).await?;
            let version = self.version(model.as_ref(), Version::Next).version();
            turn_followers(&mut tx, model.name(), version, &ends).await?;
        }
        tx.commit().await?;
        Ok(Attempt::Switched)
    }

    /// Takes the leases of all followers, waiting for those that are at work. The position of each.
    async fn lock_followers(&self, db: &mut PgConnection) -> Result<Vec<(u16, i64)>, RebuildError> {
        let names: Vec<&str> = self.models.iter().map(|model| model.name()).collect();
        let rows = sqlx::query(
            "SELECT name, partition, position, version FROM followers WHERE name = ANY($1)
             ORDER BY partition, name FOR UPDATE",
        )
        .bind(&names)
        .fetch_all(db)
        .await?;
        let mut positions = Vec::with_capacity(rows.len());
        for row in rows {
            let name: &str = row.try_get("name")?;
            let live = names.iter().position(|it| *it == name).and_then(|n| self.live.get(n));
            if live != Some(&row.try_get("version")?) {
                return Err(RebuildError::Torn(name.to_owned()));
            }
            let partition: i16 = row.try_get("partition")?;
            positions.push((partition.cast_unsigned(), row.try_get("position")?));
        }
        Ok(positions)
    }

    /// Lets the views of a model show the new tables. Their columns and rights stay.
    async fn turn_views(
        &self,
        db: &mut PgConnection,
        model: &dyn ReadModel,
    ) -> Result<(), sqlx::Error> {
        let live = self.version(model, Version::Live);
        let next = self.version(model, Version::Next);
        for view in model.tables() {
            let mut definition: String =
                sqlx::query_scalar("SELECT pg_get_viewdef($1::text::regclass)")
                    .bind(view)
                    .fetch_one(&mut *db)
                    .await?;
            for table in model.tables() {
                definition = renamed(db, &definition, table, &live, &next).await?;
            }
            db.execute(&*format!("CREATE OR REPLACE VIEW {view} AS {definition}")).await?;
        }
        Ok(())
    }
}

/// A definition with another version of a table; whole words alone, and the server knows what those are.
async fn renamed(
    db: &mut PgConnection,
    definition: &str,
    table: &str,
    live: &Tables,
    next: &Tables,
) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(r"SELECT regexp_replace($1, '\m' || $2::text || '\M', $3, 'g')")
        .bind(definition)
        .bind(live.name(table))
        .bind(next.name(table))
        .fetch_one(db)
        .await
}

/// Lets the followers of a model go on from there, in the new tables.
async fn turn_followers(
    db: &mut PgConnection,
    name: &str,
    version: i32,
    ends: &[(u16, Place)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE followers f SET position = u.position, hash = u.hash, version = $2
         FROM UNNEST($3::smallint[], $4::bigint[], $5::bytea[]) AS u (partition, position, hash)
         WHERE f.name = $1 AND f.partition = u.partition",
    )
    .bind(name)
    .bind(version)
    .bind(ends.iter().map(|(partition, _)| partition.cast_signed()).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, end)| end.position).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, end)| end.hash.to_vec()).collect::<Vec<_>>())
    .execute(db)
    .await
    .map(|_| ())
}

/// Whether somebody else had what the switch needs.
fn is_busy(error: &sqlx::Error) -> bool {
    matches!(sqlstate(error).as_deref(), Some("55P03" | "40P01" | "57014"))
}
