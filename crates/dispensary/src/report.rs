//! What was dispensed, in figures (R1 to R4).

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use dispense_domain::{LegalEntityId, Status, Text};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{Asker, Dispensary, QueryError, Registries, Unavailable};

/// By what dispenses are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// By the day of dispensing.
    Day,
    /// By outlet.
    Division,
    /// By who pays.
    Program,
    /// By what was dispensed.
    Medication,
    /// By where they stand.
    Status,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportAsked {
    /// The first day of dispensing.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
    /// By what they are added up.
    pub group_by: GroupBy,
    /// Which dispenses count: those that stand at one of these.
    pub statuses: Vec<Status>,
}

/// Which dispenses are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What was asked.
    pub asked: ReportAsked,
    /// Those of this pharmacy company; of all if absent.
    pub legal_entity_id: Option<LegalEntityId>,
}

/// What is added up in one line; lines are in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// What was dispensed on that day.
    Day(NaiveDate),
    /// What stands there; in the order of a dispense's life.
    Status(Status),
    /// What that outlet dispensed, that program pays, or was dispensed of that medication.
    Id(Uuid),
    /// What was dispensed outside any program.
    OutsidePrograms,
}

/// What dispenses add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many there are.
    pub dispenses: u64,
    /// How much of the medications.
    pub quantity: Decimal,
    /// What pharmacies asked for.
    pub total_amount: Decimal,
    /// What programs pay of it.
    pub insurance_coverage: Decimal,
    /// What patients paid.
    pub copayment: Decimal,
}

impl Sums {
    /// These too.
    pub fn add(&mut self, other: Self) {
        self.dispenses = self.dispenses.saturating_add(other.dispenses);
        self.quantity = self.quantity.saturating_add(other.quantity);
        self.total_amount = self.total_amount.saturating_add(other.total_amount);
        self.insurance_coverage = self.insurance_coverage.saturating_add(other.insurance_coverage);
        self.copayment = self.copayment.saturating_add(other.copayment);
    }
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// What is added up.
    pub group: Group,
    /// What the registries call it now.
    pub name: Option<Text>,
    /// What it comes to.
    pub sums: Sums,
}

/// Daily totals.
#[async_trait]
pub trait Reports: Send + Sync {
    /// What those dispenses add up to, group by group; no group without a dispense. Each dispense is
    /// counted as it stands at one moment, and in several groups only where it is of several
    /// medications.
    async fn totals(&self, counted: &Counted) -> Result<BTreeMap<Group, Sums>, Unavailable>;
}

impl Dispensary {
    /// Adds up dispenses. There are no more lines than days in the range, or records in a registry.
    /// Whoever is shown their own alone gets the figures of their own legal entity (R4).
    ///
    /// # Errors
    ///
    /// [`QueryError::Unavailable`] alone.
    pub async fn report(
        &self,
        asker: &Asker,
        wanted: ReportAsked,
    ) -> Result<Vec<ReportLine>, QueryError> {
        let group_by = wanted.group_by;
        let is_personal = asker.client_type.is_personal();
        let legal_entity_id = is_personal.then(|| LegalEntityId::from(asker.client));
        let totals = self.reports.totals(&Counted { asked: wanted, legal_entity_id }).await?;
        let registries = self.registry.small();
        let line =
            |(group, sums)| ReportLine { group, name: name(group, group_by, &registries), sums };
        Ok(totals.into_iter().map(line).collect())
    }
}

/// What the registries call a group now.
fn name(group: Group, group_by: GroupBy, registries: &Registries) -> Option<Text> {
    let Group::Id(id) = group else { return None };
    match group_by {
        GroupBy::Day | GroupBy::Status => None,
        GroupBy::Division => registries.divisions.get(&id.into()).map(|it| it.name.clone()),
        GroupBy::Program => registries.medical_programs.get(&id.into()).map(|it| it.name.clone()),
        GroupBy::Medication => registries.medications.get(&id.into()).map(|it| it.name.clone()),
    }
}
