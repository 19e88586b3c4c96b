//! The search in memory: it looks through the log itself, so it never lags.

use std::cmp::Reverse;

use async_trait::async_trait;
use dispensary::cursor::ListError;
use dispensary::list::{DispensePlace, Filter, ListCursor, Listed, Walk};
use dispensary::search::{Criteria, Dispenses, Matching, PageAsked, PageSize};
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

    async fn list(
        &self,
        filter: &Filter,
        after: Option<&ListCursor>,
        size: PageSize,
    ) -> Result<Listed, ListError> {
        let inner = self.0.get();
        let now = inner.snapshot()?;
        let snapshot = match after {
            Some(cursor) if !cursor.snapshot.is_within(&now) => return Err(ListError::Gone),
            Some(cursor) => cursor.snapshot.clone(),
            None => now,
        };
        let events = inner.events.iter().map(|(_, it)| it.clone());
        let counts = |it: &Recorded| it.place.position <= snapshot.positions[0];
        let events: Vec<Recorded> = events.filter(counts).collect();
        let opened = events.iter().filter(|it| it.event.name() == "HoldCreated");
        let mut found: Vec<Shown> = opened
            .filter_map(|it| Shown::of(&events, it.event.dispense_id(), snapshot.at))
            .filter(|shown| is_listed(filter, shown))
            .filter(|shown| after.is_none_or(|last| order(&last.after) < order(&place(shown))))
            .collect();
        found.sort_by_key(|shown| order(&place(shown)));
        let room = usize::try_from(size.get()).unwrap();
        let has_more = found.len() > room;
        found.truncate(room);
        let last = found.last().filter(|_| has_more).map(place);
        let positions = snapshot.log_positions();
        let next = last.map(|after| ListCursor {
            snapshot,
            walk: Walk::Everything,
            held_since: None,
            after,
        });
        Ok(Listed { dispenses: found, next, positions })
    }
}

fn place(shown: &Shown) -> DispensePlace {
    DispensePlace {
        dispensed_on: shown.hold.dispensed_on,
        inserted_at: shown.created_at,
        id: shown.hold.dispense_id,
    }
}

fn order(place: &DispensePlace) -> impl Ord + use<> {
    (Reverse(place.dispensed_on), Reverse(place.inserted_at), place.id)
}

fn is_listed(filter: &Filter, shown: &Shown) -> bool {
    let hold = &shown.hold;
    let program = hold.medical_program.as_ref().map(|it| it.id);
    let has_item = hold.items.iter().any(|item| {
        filter.medication_id.is_none_or(|id| id == item.medication.id)
            && filter.batch_number.as_ref().is_none_or(|it| item.batch_number.as_ref() == Some(it))
    });
    filter.medication_request_id.is_none_or(|id| id == hold.medication_request.id)
        && filter.person_id.is_none_or(|id| id == hold.medication_request.person_id)
        && filter.legal_entity_id.is_none_or(|id| id == hold.legal_entity_id)
        && filter.division_id.is_none_or(|id| id == hold.division.id)
        && filter.party_id.is_none_or(|id| id == hold.party_id)
        && filter.medical_program_id.is_none_or(|id| Some(id) == program)
        && has_item
        && filter.statuses.as_ref().is_none_or(|statuses| statuses.contains(&shown.status))
        && filter.dispensed_from.is_none_or(|day| day <= hold.dispensed_on)
        && filter.dispensed_to.is_none_or(|day| day >= hold.dispensed_on)
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
