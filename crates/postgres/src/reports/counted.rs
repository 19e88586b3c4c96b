//! What is counted, and the statements that count it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use dispense_domain::{HoldCreated, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// What a dispense, or one medication of it, comes to.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Amounts {
    pub(super) quantity: Decimal,
    pub(super) total_amount: Decimal,
    pub(super) insurance_coverage: Decimal,
}

impl Amounts {
    fn add(&mut self, other: Self) {
        self.quantity = self.quantity.saturating_add(other.quantity);
        self.total_amount = self.total_amount.saturating_add(other.total_amount);
        self.insurance_coverage = self.insurance_coverage.saturating_add(other.insurance_coverage);
    }

    /// What the program leaves to the patient.
    pub(super) fn left_to_pay(&self) -> Decimal {
        self.total_amount.saturating_sub(self.insurance_coverage)
    }
}

/// A dispense, as far as it is counted.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    day: NaiveDate,
    legal_entity_id: Uuid,
    division_id: Uuid,
    /// All zeros outside any program.
    medical_program_id: Uuid,
    expires_at: Option<DateTime<Utc>>,
    /// By medication: two lines of one medication are one dispense of it.
    pub(super) medications: BTreeMap<Uuid, Amounts>,
}

/// What is counted together, in one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TotalKey {
    day: NaiveDate,
    legal_entity_id: Uuid,
    division_id: Uuid,
    medical_program_id: Uuid,
    stage: &'static str,
}

/// The same by medication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MedicationKey {
    day: NaiveDate,
    legal_entity_id: Uuid,
    medication_id: Uuid,
    stage: &'static str,
}

/// What several dispenses come to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    dispenses: i64,
    amounts: Amounts,
    copayment: Decimal,
}

impl Totals {
    pub(super) fn add(&mut self, amounts: Amounts, copayment: Decimal) {
        self.dispenses += 1;
        self.amounts.add(amounts);
        self.copayment = self.copayment.saturating_add(copayment);
    }
}

impl From<&HoldCreated> for Hold {
    fn from(hold: &HoldCreated) -> Self {
        let amount = |money: Option<Money>| money.map(Decimal::from).unwrap_or_default();
        let mut medications: BTreeMap<Uuid, Amounts> = BTreeMap::new();
        for item in &hold.items {
            medications.entry(item.medication.id.into()).or_default().add(Amounts {
                quantity: item.quantity.decimal(),
                total_amount: amount(item.total_price),
                insurance_coverage: amount(item.discount_amount),
            });
        }
        let program = hold.medical_program.as_ref().map(|program| program.id.into());
        Self {
            day: hold.dispensed_on,
            legal_entity_id: hold.legal_entity_id.into(),
            division_id: hold.division.id.into(),
            medical_program_id: program.unwrap_or_default(),
            expires_at: hold.expires_at,
            medications,
        }
    }
}

impl Hold {
    /// All its medications together.
    pub(super) fn amounts(&self) -> Amounts {
        let mut all = Amounts::default();
        self.medications.values().for_each(|amounts| all.add(*amounts));
        all
    }

    pub(super) const fn key(&self, stage: &'static str) -> TotalKey {
        let Self { day, legal_entity_id, division_id, medical_program_id, .. } = *self;
        TotalKey { day, legal_entity_id, division_id, medical_program_id, stage }
    }

    pub(super) const fn medication_key(
        &self,
        medication_id: Uuid,
        stage: &'static str,
    ) -> MedicationKey {
        let Self { day, legal_entity_id, .. } = *self;
        MedicationKey { day, legal_entity_id, medication_id, stage }
    }
}

/// A column of what is written together.
fn all<'a, T, U: 'a>(of: impl IntoIterator<Item = &'a U>, column: impl Fn(&'a U) -> T) -> Vec<T> {
    of.into_iter().map(column).collect()
}

const KEEP: &str = "
INSERT INTO {table}
    (partition, dispense_id, day, legal_entity_id, division_id, medical_program_id, expires_at,
     quantity, total_amount, insurance_coverage, medications)
SELECT $1, u.dispense_id, u.day, u.legal_entity_id, u.division_id, u.medical_program_id, u.expires_at,
       u.quantity, u.total_amount, u.insurance_coverage, u.medications
FROM UNNEST($2::uuid[], $3::date[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[],
            $8::numeric[], $9::numeric[], $10::numeric[], $11::jsonb[])
     AS u (dispense_id, day, legal_entity_id, division_id, medical_program_id, expires_at, quantity,
           total_amount, insurance_coverage, medications)";

/// Keeps what did not come to its end.
pub(super) async fn keep(
    db: &mut PgConnection,
    table: &str,
    partition: i16,
    holds: &BTreeMap<Uuid, Hold>,
) -> Result<(), sqlx::Error> {
    let amounts: Vec<Amounts> = all(holds.values(), Hold::amounts);
    sqlx::query(&KEEP.replace("{table}", table))
        .bind(partition)
        .bind(all(holds.keys(), |id| *id))
        .bind(all(holds.values(), |it| it.day))
        .bind(all(holds.values(), |it| it.legal_entity_id))
        .bind(all(holds.values(), |it| it.division_id))
        .bind(all(holds.values(), |it| it.medical_program_id))
        .bind(all(holds.values(), |it| it.expires_at))
        .bind(all(&amounts, |it| it.quantity))
        .bind(all(&amounts, |it| it.total_amount))
        .bind(all(&amounts, |it| it.insurance_coverage))
        .bind(all(holds.values(), |it| Json(&it.medications)))
        .execute(db)
        .await
        .map(|_| ())
}

/// LIMIT keeps the planner from turning the look-ups into a scan. Nobody else moves a row meanwhile:
/// the follower holds the lease.
const TAKE: &str = "
DELETE FROM {table} h
USING UNNEST($2::uuid[]) AS u (dispense_id)
CROSS JOIN LATERAL (
    SELECT v.ctid FROM {table} v
    WHERE v.partition = $1 AND v.dispense_id = u.dispense_id LIMIT 1
) k
WHERE h.ctid = k.ctid AND h.partition = $1
RETURNING h.dispense_id, h.day, h.legal_entity_id, h.division_id, h.medical_program_id, h.expires_at,
          h.medications";

/// Takes out what came to its end.
pub(super) async fn take(
    db: &mut PgConnection,
    table: &str,
    partition: i16,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, Hold)>, sqlx::Error> {
    let statement = TAKE.replace("{table}", table);
    let rows = sqlx::query(&statement).bind(partition).bind(ids).fetch_all(db).await?;
    let hold = |row: &sqlx::postgres::PgRow| {
        let hold = Hold {
            day: row.try_get("day")?,
            legal_entity_id: row.try_get("legal_entity_id")?,
            division_id: row.try_get("division_id")?,
            medical_program_id: row.try_get("medical_program_id")?,
            expires_at: row.try_get("expires_at")?,
            medications: row.try_get::<Json<_>, _>("medications")?.0,
        };
        Ok((row.try_get("dispense_id")?, hold))
    };
    rows.iter().map(hold).collect()
}

const ADD_TOTALS: &str = "
INSERT INTO {table} AS t
    (day, legal_entity_id, division_id, medical_program_id, stage, partition, dispenses, quantity,
     total_amount, insurance_coverage, copayment)
SELECT u.day, u.legal_entity_id, u.division_id, u.medical_program_id, u.stage, $1, u.dispenses,
       u.quantity, u.total_amount, u.insurance_coverage, u.copayment
FROM UNNEST($2::date[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::numeric[],
            $9::numeric[], $10::numeric[], $11::numeric[])
     AS u (day, legal_entity_id, division_id, medical_program_id, stage, dispenses, quantity,
           total_amount, insurance_coverage, copayment)
ON CONFLICT (day, legal_entity_id, division_id, medical_program_id, stage, partition) DO UPDATE
SET dispenses = t.dispenses + excluded.dispenses, quantity = t.quantity + excluded.quantity,
    total_amount = t.total_amount + excluded.total_amount,
    insurance_coverage = t.insurance_coverage + excluded.insurance_coverage,
    copayment = t.copayment + excluded.copayment";

/// Counts up the totals of each outlet and program.
pub(super) async fn add_totals(
    db: &mut PgConnection,
    table: &str,
    partition: i16,
    totals: &BTreeMap<TotalKey, Totals>,
) -> Result<(), sqlx::Error> {
    let (keys, sums) = (|| totals.keys(), || totals.values());
    sqlx::query(&ADD_TOTALS.replace("{table}", table))
        .bind(partition)
        .bind(all(keys(), |it| it.day))
        .bind(all(keys(), |it| it.legal_entity_id))
        .bind(all(keys(), |it| it.division_id))
        .bind(all(keys(), |it| it.medical_program_id))
        .bind(all(keys(), |it| it.stage))
        .bind(all(sums(), |it| it.dispenses))
        .bind(all(sums(), |it| it.amounts.quantity))
        .bind(all(sums(), |it| it.amounts.total_amount))
        .bind(all(sums(), |it| it.amounts.insurance_coverage))
        .bind(all(sums(), |it| it.copayment))
        .execute(db)
        .await
        .map(|_| ())
}

const ADD_MEDICATIONS: &str = "
INSERT INTO {table} AS t
    (day, legal_entity_id, medication_id, stage, partition, dispenses, quantity, total_amount,
     insurance_coverage)
SELECT u.day, u.legal_entity_id, u.medication_id, u.stage, $1, u.dispenses, u.quantity,
       u.total_amount, u.insurance_coverage
FROM UNNEST($2::date[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::numeric[],
            $8::numeric[], $9::numeric[])
     AS u (day, legal_entity_id, medication_id, stage, dispenses, quantity, total_amount,
           insurance_coverage)
ON CONFLICT (day, legal_entity_id, medication_id, stage, partition) DO UPDATE
SET dispenses = t.dispenses + excluded.dispenses, quantity = t.quantity + excluded.quantity,
    total_amount = t.total_amount + excluded.total_amount,
    insurance_coverage = t.insurance_coverage + excluded.insurance_coverage";

/// Counts up the totals of each company and medication.
pub(super) async fn add_medications(
    db: &mut PgConnection,
    table: &str,
    partition: i16,
    totals: &BTreeMap<MedicationKey, Totals>,
) -> Result<(), sqlx::Error> {
    let (keys, sums) = (|| totals.keys(), || totals.values());
    sqlx::query(&ADD_MEDICATIONS.replace("{table}", table))
        .bind(partition)
        .bind(all(keys(), |it| it.day))
        .bind(all(keys(), |it| it.legal_entity_id))
        .bind(all(keys(), |it| it.medication_id))
        .bind(all(keys(), |it| it.stage))
        .bind(all(sums(), |it| it.dispenses))
        .bind(all(sums(), |it| it.amounts.quantity))
        .bind(all(sums(), |it| it.amounts.total_amount))
        .bind(all(sums(), |it| it.amounts.insurance_coverage))
        .execute(db)
        .await
        .map(|_| ())
}
