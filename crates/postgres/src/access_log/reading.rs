//! Who looked, as auditors read it.

use chrono::{DateTime, Utc};
use dispensary::access::{Look, LookPlace, LooksAsked, Unusual, UnusualAsked};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, QueryBuilder, Row};
use uuid::Uuid;

/// What is read of a look.
const COLUMNS: &str = "
    at, number, user_id, client_id, client_type, request_id, purpose, looked, patients,
    medication_requests, dispenses, beyond";

/// A page of looks. What a patient is found by has no order of its own, so all looks at the patient
/// are taken out first and sorted: left to itself, the planner may walk through the whole log in the
/// order of time, because it does not know how few there are. Looks of a user are walked through in
/// their order, to where the page ends.
pub(super) async fn looks(pool: &PgPool, asked: &LooksAsked) -> Result<Vec<Look>, sqlx::Error> {
    let mut query = QueryBuilder::new("");
    if let Some(patient) = asked.whose.patient() {
        query.push("WITH found AS MATERIALIZED (SELECT").push(COLUMNS);
        query.push(" FROM access_log WHERE patients @> ARRAY[");
        query.push_bind(patient.uuid()).push("]) SELECT").push(COLUMNS).push(" FROM found");
    } else {
        query.push("SELECT").push(COLUMNS).push(" FROM access_log");
    }
    query.push(" WHERE true");
    if let Some(user) = asked.whose.user() {
        query.push(" AND user_id = ").push_bind(user.uuid());
    }
    if let Some(from) = asked.from {
        query.push(" AND at >= ").push_bind(from);
    }
    if let Some(to) = asked.to {
        query.push(" AND at <= ").push_bind(to);
    }
    if let Some(LookPlace { at, number }) = asked.after {
        query.push(" AND (at, number) < (").push_bind(at).push(", ");
        query.push_bind(number).push(")");
    }
    query.push(" ORDER BY at DESC, number DESC LIMIT ").push_bind(i64::from(asked.limit));
    query.build().fetch_all(pool).await?.iter().map(look).collect()
}

fn look(row: &PgRow) -> Result<Look, sqlx::Error> {
    let id = |column: &str| row.try_get::<Uuid, _>(column);
    let ids = |column: &str| row.try_get::<Vec<Uuid>, _>(column);
    let beyond: i64 = row.try_get("beyond")?;
    Ok(Look {
        place: LookPlace { at: row.try_get("at")?, number: row.try_get("number")? },
        user: id("user_id")?.into(),
        client: id("client_id")?.into(),
        client_type: row.try_get("client_type")?,
        request_id: row.try_get("request_id")?,
        purpose: row.try_get("purpose")?,
        looked: row.try_get("looked")?,
        patients: ids("patients")?.into_iter().map(Into::into).collect(),
        medication_requests: ids("medication_requests")?.into_iter().map(Into::into).collect(),
        dispenses: ids("dispenses")?.into_iter().map(Into::into).collect(),
        beyond: u32::try_from(beyond).unwrap_or(u32::MAX),
    })
}

/// Each look counts in the two spans that it lies in, which begin half a span apart: whoever looks at
/// so many within half a span cannot hide behind a border.
const UNUSUAL: &str = "
WITH looked AS (
    SELECT l.user_id, l.client_id, l.number, p.id AS patient,
           floor(extract(epoch FROM l.at) / $3)::bigint AS half
    FROM access_log l CROSS JOIN LATERAL UNNEST(l.patients) AS p (id)
    WHERE l.at > $1 AND l.at <= $2
), spans AS (
    SELECT l.user_id, l.client_id, b.half, count(DISTINCT l.patient) AS patients,
           count(DISTINCT l.number) AS looks
    FROM looked l CROSS JOIN LATERAL (VALUES (l.half - 1), (l.half)) AS b (half)
    GROUP BY l.user_id, l.client_id, b.half
    HAVING count(DISTINCT l.patient) >= $4
), worst AS (
    SELECT DISTINCT ON (user_id, client_id) user_id, client_id, half, patients, looks
    FROM spans ORDER BY user_id, client_id, patients DESC, half
)
SELECT user_id, client_id, to_timestamp(half * $3::float8) AS begins,
       to_timestamp((half + 2) * $3::float8) AS ends, patients, looks
FROM worst ORDER BY patients DESC, user_id, client_id LIMIT $5";

/// Users who looked at many patients in a short time.
pub(super) async fn unusual(
    pool: &PgPool,
    asked: &UnusualAsked,
) -> Result<Vec<Unusual>, sqlx::Error> {
    let to: DateTime<Utc> = match asked.to {
        Some(to) => to,
        None => sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?,
    };
    let rows = sqlx::query(UNUSUAL)
        .bind(to - chrono::TimeDelta::hours(asked.hours.into()))
        .bind(to)
        .bind(i32::try_from(asked.minutes.saturating_mul(30)).unwrap_or(i32::MAX))
        .bind(i64::from(asked.patients))
        .bind(i64::from(asked.limit))
        .fetch_all(pool)
        .await?;
    let of = |row: &PgRow| {
        let count = |column: &str| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
        Ok(Unusual {
            user: row.try_get::<Uuid, _>("user_id")?.into(),
            client: row.try_get::<Uuid, _>("client_id")?.into(),
            from: row.try_get("begins")?,
            to: row.try_get("ends")?,
            patients: count("patients")?,
            looks: count("looks")?,
        })
    };
    rows.iter().map(of).collect()
}
