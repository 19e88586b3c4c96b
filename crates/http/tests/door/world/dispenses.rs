//! The search in memory: it looks through the log itself, so it never lags.

use std::cmp::Reverse;

use async_trait::async_trait;
use dispensary::search::{Criteria, Dispenses, Matching, PageAsked};
use dispensary::{Recorded, Shown, Unavailable};

use super::State;

pub(super) struct MemoryDispenses(pub(super) State);

#[async_trait]
impl Dispenses for MemoryDispenses {
    async fn search(&self, criteria: &Criteria, page: PageAsked) -> Result<Matching, Unavailable> {
        let inner = self.0.get();
        if inner.failure.is_some() {
            return Err(Unavailable::database("connection refused (secret detail)"));
        }
        let events: Vec<Recorded> = inner.events.iter().map(|(_, it)| it.clone()).collect();
        let opened = events.iter().filter(|it| it.event.name() == "HoldCreated");
        let mut found: Vec<Shown> = opened
            .filter_map(|it| Shown::of(&events, it.event.dispense_id(), inner.now))
            .filter(|shown| matches(criteria, shown))
            .collect();
        found.sort_by_key(|shown| (Reverse(shown.created_at), shown.hold.dispense_id));
        let entries = u64::try_from(found.len()).unwrap();
        let before = usize::try_from(page.skipped()).unwrap();
        let room = usize::try_from(page.room()).unwrap();
        let dispenses = found.into_iter().skip(before).take(room).collect();
        Ok(Matching { dispenses, entries })
    }
}

/// Nothing in this world is based on a care plan.
fn matches(criteria: &Criteria, shown: &Shown) -> bool {
    let hold = &shown.hold;
    criteria.id.is_none_or(|id| id == hold.dispense_id)
        && criteria.medication_request_id.is_none_or(|id| id == hold.medication_request.id)
        && criteria.legal_entity_id.is_none_or(|id| id == hold.legal_entity_id)
        && criteria.division_id.is_none_or(|id| id == hold.division.id)
        && criteria.statuses.as_ref().is_none_or(|statuses| statuses.contains(&shown.status))
        && criteria.dispensed_from.is_none_or(|day| day <= hold.dispensed_on)
        && criteria.dispensed_to.is_none_or(|day| day >= hold.dispensed_on)
        && criteria.care_plan_id.is_none()
}
