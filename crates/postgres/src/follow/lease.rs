//! Rows of `followers`: how far each read model has read a partition. The lock on a row is the lease.

use sqlx::{PgConnection, PgPool, Row};

use super::page::Place;
use super::read_model::Tables;
use crate::statements::hash_of;

/// A row that this transaction holds.
#[derive(Debug)]
pub(super) struct Leased {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) tables: Tables,
}

const LEASE: &str = "
SELECT name, position, hash, version FROM followers WHERE partition = $1 AND name = ANY($2)
FOR UPDATE SKIP LOCKED";

/// Takes the leases of those models that nobody else has, the foremost first.
pub(super) async fn take(
    db: &mut PgConnection,
    partition: u16,
    names: &[&str],
) -> Result<Vec<Leased>, sqlx::Error> {
    let rows =
        sqlx::query(LEASE).bind(partition.cast_signed()).bind(names).fetch_all(&mut *db).await?;
    let leased = |row: &sqlx::postgres::PgRow| {
        Ok(Leased {
            name: row.try_get("name")?,
            place: Place {
                position: row.try_get("position")?,
                hash: hash_of(row.try_get("hash")?)?,
            },
            tables: Tables::of_version(row.try_get("version")?),
        })
    };
    let mut leased: Vec<Leased> = rows.iter().map(leased).collect::<Result<_, sqlx::Error>>()?;
    leased.sort_by_key(|it| std::cmp::Reverse(it.place));
    Ok(leased)
}

/// All of them have read that far.
pub(super) async fn move_to(
    db: &mut PgConnection,
    partition: u16,
    names: &[&str],
    end: Place,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE followers SET position = $3, hash = $4 WHERE partition = $1 AND name = ANY($2)",
    )
    .bind(partition.cast_signed())
    .bind(names)
    .bind(end.position)
    .bind(&end.hash[..])
    .execute(db)
    .await
    .map(|_| ())
}

/// How far a model is behind the head of its partition.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) name: String,
    /// How many events it has not read.
    pub(super) events: i64,
    /// How old the first of them is.
    pub(super) seconds: f64,
    /// Whether there is anything to do: events to read, or a log that is not the one it knows.
    pub(super) has_work: bool,
}

const LOOK: &str = "
SELECT f.name, h.position - f.position AS events,
       f.position <> h.position OR f.hash <> h.hash AS has_work,
       CASE WHEN f.position < h.position THEN (
           SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8 FROM events e
           WHERE e.partition = h.partition AND e.position = f.position + 1
       ) END AS seconds
FROM log_head h JOIN followers f ON f.partition = h.partition
WHERE h.partition = $1 AND f.name = ANY($2)";

/// Looks how far those models are that have a row, without a lock.
pub(super) async fn look(
    pool: &PgPool,
    partition: u16,
    names: &[&str],
) -> Result<Vec<Behind>, sqlx::Error> {
    let rows = sqlx::query(LOOK).bind(partition.cast_signed()).bind(names).fetch_all(pool).await?;
    let behind = |row: &sqlx::postgres::PgRow| {
        Ok(Behind {
            name: row.try_get("name")?,
            events: row.try_get("events")?,
            seconds: row.try_get::<Option<f64>, _>("seconds")?.unwrap_or_default().max(0.0),
            has_work: row.try_get("has_work")?,
        })
    };
    rows.iter().map(behind).collect()
}

/// A model that was never followed begins with nothing, in the tables that its view shows.
const REGISTER: &str = r"
INSERT INTO followers (name, partition, position, hash, version)
SELECT u.name, $1, 0, $4,
       coalesce(substring(pg_get_viewdef(to_regclass(u.shown))
                          FROM '\m' || u.shown || '_v([0-9]+)\M')::integer, 1)
FROM UNNEST($2::text[], $3::text[]) AS u (name, shown)
ON CONFLICT DO NOTHING";

/// Gives those models their rows; each with the first of its tables, or its name.
pub(crate) async fn register(
    db: &mut PgConnection,
    partition: u16,
    names: &[&str],
    shown: &[&str],
    first: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query(REGISTER)
        .bind(partition.cast_signed())
        .bind(names)
        .bind(shown)
        .bind(first)
        .execute(db)
        .await
        .map(|_| ())
}
