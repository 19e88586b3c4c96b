//! Read model `reports`: daily totals.
//!
//! What came to its end is counted in `report_totals`, and by medication in `report_medications`. What
//! did not stands in `report_holds`, one row for each dispense: whether it is held or ran out is
//! decided by whoever reads, by the time. So each dispense is counted in one place, at any moment.

mod counted;
mod read;
mod reimbursements;

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispense_domain::{DispenseEvent, Processed, Status};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::follow::{LogRow, ReadModel, Tables};
use counted::{Hold, MedicationKey, TotalKey, Totals};
pub use read::PgReports;
pub use reimbursements::PgReimbursements;

/// Its name, which is that of its follower.
const NAME: &str = "reports";
/// Totals of what came to its end.
const TOTALS: &str = "report_totals";
/// The same by medication.
const MEDICATIONS: &str = "report_medications";
/// What did not come to its end.
const HOLDS: &str = "report_holds";

/// Keeps `reports` up to date.
#[derive(Debug, Clone, Copy)]
pub struct Reports;

/// How the model writes down how a dispense ended.
const fn word(ended: Status) -> Option<&'static str> {
    match ended {
        Status::Held => None,
        Status::Processed => Some("processed"),
        Status::Cancelled => Some("cancelled"),
        Status::Expired => Some("expired"),
    }
}

/// How an event ends a dispense, and what the patient paid then, if that is known.
#[derive(Clone, Copy)]
struct End {
    stage: &'static str,
    paid: Option<Decimal>,
}

fn end(event: &DispenseEvent) -> Option<End> {
    let (stage, paid) = match event {
        DispenseEvent::HoldCreated(_) => (Status::Held, None),
        DispenseEvent::Processed(Processed { payment_amount, .. }) => {
            (Status::Processed, payment_amount.map(Decimal::from))
        }
        DispenseEvent::Cancelled(_) => (Status::Cancelled, None),
        DispenseEvent::Expired(_) => (Status::Expired, None),
    };
    word(stage).map(|stage| End { stage, paid })
}

/// What a batch adds up to.
#[derive(Default)]
struct Counts {
    totals: BTreeMap<TotalKey, Totals>,
    medications: BTreeMap<MedicationKey, Totals>,
}

impl Counts {
    fn add(&mut self, hold: &Hold, End { stage, paid }: End) {
        let own = hold.amounts();
        let paid = paid.unwrap_or_else(|| own.left_to_pay());
        self.totals.entry(hold.key(stage)).or_default().add(own, paid);
        for (medication, amounts) in &hold.medications {
            let key = hold.medication_key(*medication, stage);
            // A payment is for the whole dispense, and is not divided among its medications.
            self.medications.entry(key).or_default().add(*amounts, Decimal::ZERO);
        }
    }
}

#[async_trait]
impl ReadModel for Reports {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TOTALS, MEDICATIONS, HOLDS]
    }

    /// A whole batch in four statements at most: what it ended that had begun before, what it opened and
    /// left open, and what both add to the totals.
    async fn apply(
        &self,
        db: &mut PgConnection,
        tables: &Tables,
        batch: &[LogRow],
    ) -> Result<(), sqlx::Error> {
        let Some(partition) = batch.first().map(|row| row.partition.cast_signed()) else {
            return Ok(());
        };
        let (mut opened, mut ended) = (BTreeMap::new(), BTreeMap::new());
        let mut counts = Counts::default();
        for row in batch {
            let event = row.event()?;
            match (event, end(event)) {
                (DispenseEvent::HoldCreated(hold), _) => {
                    opened.insert(row.dispense_id, Hold::from(hold.as_ref()));
                }
                (_, Some(end)) => match opened.remove(&row.dispense_id) {
                    Some(hold) => counts.add(&hold, end),
                    None => {
                        ended.insert(row.dispense_id, end);
                    }
                },
                (_, None) => {}
            }
        }
        if !ended.is_empty() {
            let ids: Vec<Uuid> = ended.keys().copied().collect();
            let before = counted::take(db, &tables.name(HOLDS), partition, &ids).await?;
            if before.len() != ended.len() {
                let why = format!("{} dispenses ended, and {} began", ended.len(), before.len());
                return Err(sqlx::Error::Decode(why.into()));
            }
            for (id, hold) in &before {
                if let Some(end) = ended.get(id) {
                    counts.add(hold, *end);
                }
            }
        }
        if !opened.is_empty() {
            counted::keep(db, &tables.name(HOLDS), partition, &opened).await?;
        }
        if !counts.totals.is_empty() {
            counted::add_totals(db, &tables.name(TOTALS), partition, &counts.totals).await?;
            let medications = tables.name(MEDICATIONS);
            counted::add_medications(db, &medications, partition, &counts.medications).await?;
        }
        Ok(())
    }
}
