//! What the tables of a moment say.

use chrono::{DateTime, Utc};
use dispensary::LogPositions;
use rust_decimal::Decimal;
use sqlx::PgPool;
use uuid::Uuid;

use super::Moment;
use crate::follow::Tables;

/// The state of a moment in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// How far each partition had come.
    pub positions: LogPositions,
    /// The instant.
    pub at: Option<DateTime<Utc>>,
    /// Partitions that were left out.
    pub left_out: Vec<u16>,
    /// Events up to there.
    pub events: i64,
    /// Medication requests of which something had been held or handed over.
    pub medication_requests: i64,
    /// Those of them of which nothing remained.
    pub fully_dispensed: i64,
    /// Dispenses that were held.
    pub held: i64,
    /// Dispenses that were handed over.
    pub processed: i64,
    /// Dispenses that were given back.
    pub cancelled: i64,
    /// Dispenses that had run out, recorded or not.
    pub expired: i64,
    /// Holds that the sweep would still look after: none of those whose end is in the same commit.
    pub open_holds: i64,
    /// When the next of the holds would run out.
    pub next_expiry: Option<DateTime<Utc>>,
    /// By program, those outside any program first.
    pub programs: Vec<OfProgram>,
}

/// What was dispensed under a program.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct OfProgram {
    /// Which one; none: outside any program.
    pub medical_program_id: Option<Uuid>,
    /// Dispenses that were handed over.
    pub dispenses: i64,
    /// How much was handed over.
    pub quantity: Decimal,
    /// What the pharmacies asked for that.
    pub total_amount: Decimal,
    /// What the program pays of it.
    pub insurance_coverage: Decimal,
    /// What the patients paid.
    pub copayment: Decimal,
    /// How much was held.
    pub held: Decimal,
}

#[derive(sqlx::FromRow)]
struct Counts {
    held: i64,
    processed: i64,
    cancelled: i64,
    expired: i64,
    next_expiry: Option<DateTime<Utc>>,
}

/// Sums up what is there.
pub(super) async fn of(
    pool: &PgPool,
    moment: &Moment,
    tables: &Tables,
) -> Result<Summary, sqlx::Error> {
    let [totals, holds, balances, open] =
        ["report_totals", "report_holds", "balances", "open_holds"].map(|it| tables.name(it));
    // A hold without an end is processed by the next event of its commit.
    let live = "(expires_at IS NULL OR expires_at >= $1)";
    let counts: Counts = sqlx::query_as(&format!(
        "SELECT h.live AS held, t.processed, t.cancelled, t.expired + h.over AS expired,
                h.next_expiry
         FROM (SELECT coalesce(sum(dispenses) FILTER (WHERE stage = 'processed'), 0)::bigint
                          AS processed,
                      coalesce(sum(dispenses) FILTER (WHERE stage = 'cancelled'), 0)::bigint
                          AS cancelled,
                      coalesce(sum(dispenses) FILTER (WHERE stage = 'expired'), 0)::bigint
                          AS expired
               FROM {totals}) t
         CROSS JOIN (SELECT count(*) FILTER (WHERE {live}) AS live,
                            count(*) FILTER (WHERE NOT {live}) AS over,
                            min(expires_at) FILTER (WHERE {live}) AS next_expiry
                     FROM {holds}) h"
    ))
    .bind(moment.at)
    .fetch_one(pool)
    .await?;
    let programs: Vec<OfProgram> = sqlx::query_as(&format!(
        "SELECT nullif(medical_program_id, '00000000-0000-0000-0000-000000000000'::uuid)
                    AS medical_program_id,
                sum(dispenses)::bigint AS dispenses, sum(quantity) AS quantity,
                sum(total_amount) AS total_amount, sum(insurance_coverage) AS insurance_coverage,
                sum(copayment) AS copayment, sum(held) AS held
         FROM (SELECT medical_program_id, dispenses, quantity, total_amount, insurance_coverage,
                      copayment, 0::numeric AS held
               FROM {totals} WHERE stage = 'processed'
               UNION ALL
               SELECT medical_program_id, 0, 0, 0, 0, 0, quantity FROM {holds} WHERE {live}) parts
         GROUP BY 1 ORDER BY 1 NULLS FIRST"
    ))
    .bind(moment.at)
    .fetch_all(pool)
    .await?;
    let (medication_requests, fully_dispensed): (i64, i64) = sqlx::query_as(&format!(
        "SELECT count(*), count(*) FILTER (WHERE processed = prescribed) FROM {balances}"
    ))
    .fetch_one(pool)
    .await?;
    let open_holds: i64 =
        sqlx::query_scalar(&format!("SELECT count(*) FROM {open} WHERE expires_at >= $1"))
            .bind(moment.at)
            .fetch_one(pool)
            .await?;
    let Counts { held, processed, cancelled, expired, next_expiry } = counts;
    Ok(Summary {
        positions: moment.positions.clone(),
        at: moment.at,
        left_out: moment.left_out.clone(),
        events: moment.events().cast_signed(),
        medication_requests,
        fully_dispensed,
        held,
        processed,
        cancelled,
        expired,
        open_holds,
        next_expiry,
        programs,
    })
}
