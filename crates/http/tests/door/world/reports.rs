//! Reports in memory: they look through the log itself, so they never lag.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dispensary::reimbursement::{
    Mark, Portion, ReimbursementAsked, Reimbursements, Standing, Whose,
};
use dispensary::report::{Counted, Group, GroupBy, Reports, Sums};
use dispensary::search::{Matching, PageAsked};
use dispensary::{Recorded, Shown, Unavailable};
use dispense_domain::{Item, Money, Status};
use rust_decimal::Decimal;

use super::State;

pub(super) struct MemoryReports(pub(super) State);

/// So few, that a test meets the end of a portion.
const PORTION: usize = 2;

impl MemoryReports {
    /// Every dispense as it stands now, the first one first.
    fn all(&self) -> Result<Vec<Shown>, Unavailable> {
        let inner = self.0.get();
        if inner.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        let events: Vec<Recorded> = inner.events.iter().map(|(_, it)| it.clone()).collect();
        let opened = events.iter().filter(|it| it.event.name() == "HoldCreated");
        let shown = opened.filter_map(|it| Shown::of(&events, it.event.dispense_id(), inner.now));
        Ok(shown.collect())
    }

    fn asked(&self, asked: &ReimbursementAsked) -> Result<Vec<Shown>, Unavailable> {
        let mut found = self.all()?;
        found.retain(|shown| is_asked(asked, shown));
        Ok(found)
    }
}

fn is_asked(asked: &ReimbursementAsked, shown: &Shown) -> bool {
    let hold = &shown.hold;
    let own = match asked.whose {
        Whose::Prescribed(id) => id == hold.medication_request.legal_entity_id,
        Whose::Dispensed(id) => id == hold.legal_entity_id,
        Whose::Everybody => true,
    };
    let stands = match asked.standing {
        Standing::HandedOver => shown.status == Status::Processed,
        Standing::Anywhere => true,
    };
    let requested = asked.requested.is_none_or(|days| {
        let created = hold.medication_request.created_at;
        created.is_some_and(|day| days.first() <= day && day <= days.last())
    });
    let dispensed = asked
        .dispensed
        .is_none_or(|days| days.first() <= hold.dispensed_on && hold.dispensed_on <= days.last());
    own && stands && requested && dispensed
}

fn sum(items: &[Item], amount: fn(&Item) -> Option<Money>) -> Decimal {
    items.iter().filter_map(amount).map(Money::decimal).sum()
}

#[async_trait]
impl Reports for MemoryReports {
    async fn totals(&self, counted: &Counted) -> Result<BTreeMap<Group, Sums>, Unavailable> {
        let asked = &counted.asked;
        let mut totals: BTreeMap<Group, Sums> = BTreeMap::new();
        for shown in self.all()? {
            let hold = &shown.hold;
            let is_own = counted.legal_entity_id.is_none_or(|id| id == hold.legal_entity_id);
            let is_in_range = asked.from <= hold.dispensed_on && hold.dispensed_on <= asked.to;
            if !is_own || !is_in_range || !asked.statuses.contains(&shown.status) {
                continue;
            }
            let group = match asked.group_by {
                GroupBy::Day => Group::Day(hold.dispensed_on),
                GroupBy::Division => Group::Id(hold.division.id.into()),
                GroupBy::Program => match &hold.medical_program {
                    Some(program) => Group::Id(program.id.into()),
                    None => Group::OutsidePrograms,
                },
                GroupBy::Medication => Group::Id(hold.items[0].medication.id.into()),
                GroupBy::Status => Group::Status(shown.status),
            };
            let total = sum(&hold.items, |item| item.total_price);
            let covered = sum(&hold.items, |item| item.discount_amount);
            totals.entry(group).or_default().add(Sums {
                dispenses: 1,
                quantity: shown.taken(),
                total_amount: total,
                insurance_coverage: covered,
                copayment: shown.payment_amount.map_or(total - covered, Money::decimal),
            });
        }
        Ok(totals)
    }
}

#[async_trait]
impl Reimbursements for MemoryReports {
    async fn page(
        &self,
        asked: &ReimbursementAsked,
        page: PageAsked,
    ) -> Result<Matching, Unavailable> {
        let found = self.asked(asked)?;
        let entries = u64::try_from(found.len()).unwrap();
        let before = usize::try_from(page.skipped()).unwrap();
        let room = usize::try_from(page.room()).unwrap();
        let dispenses = found.into_iter().skip(before).take(room).collect();
        Ok(Matching { dispenses, entries })
    }

    async fn portion(
        &self,
        asked: &ReimbursementAsked,
        after: Option<Mark>,
    ) -> Result<Portion, Unavailable> {
        let found = self.asked(asked)?;
        let id = after.map(|mark| mark.dispense_id);
        let place = found.iter().position(|shown| Some(shown.hold.dispense_id) == id);
        let rest = &found[place.map_or(0, |place| place + 1)..];
        let dispenses: Vec<Shown> = rest.iter().take(PORTION).cloned().collect();
        let last = dispenses.last().filter(|_| rest.len() > PORTION).map(|shown| Mark {
            dispensed_on: shown.hold.dispensed_on,
            inserted_at: shown.created_at,
            dispense_id: shown.hold.dispense_id,
        });
        Ok(Portion { dispenses, last })
    }
}
