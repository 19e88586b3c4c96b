//! The figures of a report, a few days with each statement.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use dispensary::Unavailable;
use dispensary::report::{Counted, Group, GroupBy, Reports, Sums};
use dispense_domain::Status;
use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::log::within;

/// How many days are added up by one statement, of one company and of the whole country: so that each
/// statement is short, and none holds up what is cleaned away behind it.
const DAYS_OF_ONE: usize = 31;
const DAYS_OF_ALL: usize = 1;

/// Daily totals, in PostgreSQL.
#[derive(Debug)]
pub struct PgReports {
    pool: PgPool,
}

impl PgReports {
    /// Those in that database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The first and the last day in the range on which anything was dispensed.
    async fn days(&self, counted: &Counted) -> Result<Option<(NaiveDate, NaiveDate)>, Unavailable> {
        let asked = &counted.asked;
        let reading = sqlx::query(DAYS).bind(asked.from).bind(asked.to).fetch_one(&self.pool);
        let row = within(reading).await?;
        let found = || Ok((row.try_get("first")?, row.try_get("last")?));
        let (first, last): (Option<NaiveDate>, Option<NaiveDate>) =
            found().map_err(|error: sqlx::Error| Unavailable::database(error))?;
        Ok(first.zip(last))
    }
}

const DAYS: &str = "
SELECT least(
           (SELECT day FROM report_totals WHERE day >= $1 AND day <= $2 ORDER BY day LIMIT 1),
           (SELECT day FROM report_holds WHERE day >= $1 AND day <= $2 ORDER BY day LIMIT 1)
       ) AS first,
       greatest(
           (SELECT day FROM report_totals WHERE day >= $1 AND day <= $2 ORDER BY day DESC LIMIT 1),
           (SELECT day FROM report_holds WHERE day >= $1 AND day <= $2 ORDER BY day DESC LIMIT 1)
       ) AS last";

#[async_trait]
impl Reports for PgReports {
    async fn totals(&self, counted: &Counted) -> Result<BTreeMap<Group, Sums>, Unavailable> {
        let mut totals: BTreeMap<Group, Sums> = BTreeMap::new();
        let Some((first, last)) = self.days(counted).await? else { return Ok(totals) };
        let statement = statement(counted);
        let stages: Vec<&str> = counted.asked.statuses.iter().map(|it| word(*it)).collect();
        let step = if counted.legal_entity_id.is_some() { DAYS_OF_ONE } else { DAYS_OF_ALL };
        let mut days = first.iter_days().take_while(|day| *day <= last);
        loop {
            let some: Vec<NaiveDate> = days.by_ref().take(step).collect();
            if some.is_empty() {
                return Ok(totals);
            }
            let reading = sqlx::query(&statement)
                .bind(some)
                .bind(counted.legal_entity_id.map(Uuid::from))
                .bind(&stages)
                // Planned for these very values: a day of a company is not a day of a country.
                .persistent(false)
                .fetch_all(&self.pool);
            for row in within(reading).await? {
                let (group, sums) =
                    line(&row, counted.asked.group_by).map_err(Unavailable::database)?;
                totals.entry(group).or_default().add(sums);
            }
        }
    }
}

/// Every status.
const EVERY: [Status; 4] = [Status::Held, Status::Processed, Status::Cancelled, Status::Expired];

const fn word(status: Status) -> &'static str {
    match status {
        Status::Held => "held",
        Status::Processed => "processed",
        Status::Cancelled => "cancelled",
        Status::Expired => "expired",
    }
}

/// Adds up what ended and what did not in one look: whatever ends meanwhile, each dispense has one day,
/// and so is counted once. What did not end has run out by the instant of its partition, or is held.
fn statement(counted: &Counted) -> String {
    let company = if counted.legal_entity_id.is_some() { "AND legal_entity_id = $2" } else { "" };
    let did_not_end = "
        (SELECT v.*, CASE WHEN v.expires_at < greatest(clock_timestamp(), p.recorded_at)
                          THEN 'expired' ELSE 'held' END AS stage
         FROM report_holds v JOIN log_head p ON p.partition = v.partition
         WHERE v.expires_at IS NOT NULL AND v.day = ANY($1)) h";
    let (key, ended, holds) = match counted.asked.group_by {
        GroupBy::Medication => (
            "medication_id::text",
            "medication_id, stage, dispenses, quantity, total_amount, insurance_coverage,
             total_amount - insurance_coverage AS copayment FROM report_medications",
            format!(
                "m.key::uuid, h.stage, 1, (m.value ->> 'quantity')::numeric,
                 (m.value ->> 'total_amount')::numeric, (m.value ->> 'insurance_coverage')::numeric,
                 (m.value ->> 'total_amount')::numeric - (m.value ->> 'insurance_coverage')::numeric
                 FROM {did_not_end} CROSS JOIN LATERAL jsonb_each(h.medications) m"
            ),
        ),
        GroupBy::Day | GroupBy::Division | GroupBy::Program | GroupBy::Status => (
            key_of(counted.asked.group_by),
            "day, division_id, medical_program_id, stage, dispenses, quantity, total_amount,
             insurance_coverage, copayment FROM report_totals",
            format!(
                "h.day, h.division_id, h.medical_program_id, h.stage, 1, h.quantity, h.total_amount,
                 h.insurance_coverage, h.total_amount - h.insurance_coverage FROM {did_not_end}"
            ),
        ),
    };
    format!(
        "SELECT {key} AS key, sum(dispenses)::bigint AS dispenses, sum(quantity) AS quantity,
                sum(total_amount) AS total_amount, sum(insurance_coverage) AS insurance_coverage,
                sum(copayment) AS copayment
         FROM (
             SELECT {ended} WHERE day = ANY($1) AND stage = ANY($3) {company}
             UNION ALL
             SELECT {holds} WHERE h.stage = ANY($3) {company}
         ) c
         GROUP BY 1"
    )
}

/// What tells the groups apart.
const fn key_of(group_by: GroupBy) -> &'static str {
    match group_by {
        GroupBy::Day => "day::text",
        GroupBy::Division => "division_id::text",
        GroupBy::Program => "medical_program_id::text",
        GroupBy::Medication => "medication_id::text",
        GroupBy::Status => "stage",
    }
}

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

fn line(row: &PgRow, group_by: GroupBy) -> Result<(Group, Sums), Unreadable> {
    let dispenses: i64 = row.try_get("dispenses")?;
    let amount = |column: &str| row.try_get::<Decimal, _>(column);
    let sums = Sums {
        dispenses: dispenses.cast_unsigned(),
        quantity: amount("quantity")?,
        total_amount: amount("total_amount")?,
        insurance_coverage: amount("insurance_coverage")?,
        copayment: amount("copayment")?,
    };
    Ok((group(row.try_get("key")?, group_by)?, sums))
}

fn group(key: &str, group_by: GroupBy) -> Result<Group, Unreadable> {
    match group_by {
        GroupBy::Day => Ok(Group::Day(key.parse()?)),
        GroupBy::Status => {
            let found = EVERY.into_iter().find(|it| word(*it) == key);
            Ok(Group::Status(found.ok_or_else(|| format!("{key} is no stage"))?))
        }
        GroupBy::Program if key.parse::<Uuid>()?.is_nil() => Ok(Group::OutsidePrograms),
        GroupBy::Division | GroupBy::Program | GroupBy::Medication => Ok(Group::Id(key.parse()?)),
    }
}
