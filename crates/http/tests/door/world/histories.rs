//! The events of patients in memory: read from the log itself.

use std::cmp::Reverse;

use async_trait::async_trait;
use dispensary::cursor::ListError;
use dispensary::patient_history::{
    Happening, HappeningPlace, Happenings, HappeningsAsked, Histories, HistoryCursor,
};
use dispensary::search::PageSize;
use dispensary::{Recorded, Unavailable};
use dispense_domain::{DispenseEvent, PersonId};

use super::State;

pub(super) struct MemoryHistories(pub(super) State);

fn place(recorded: &Recorded) -> HappeningPlace {
    let place = recorded.place;
    HappeningPlace {
        recorded_at: recorded.recorded_at,
        partition: place.partition,
        position: place.position,
    }
}

const fn order(place: &HappeningPlace) -> (Reverse<chrono::DateTime<chrono::Utc>>, Reverse<i64>) {
    (Reverse(place.recorded_at), Reverse(place.position))
}

#[async_trait]
impl Histories for MemoryHistories {
    async fn happenings(
        &self,
        asked: &HappeningsAsked,
        after: Option<&HistoryCursor>,
        size: PageSize,
    ) -> Result<Happenings, ListError> {
        let inner = self.0.get();
        let snapshot = inner.snapshot()?;
        let snapshot = match after {
            Some(cursor) if !cursor.snapshot.is_within(&snapshot) => return Err(ListError::Gone),
            Some(cursor) => cursor.snapshot.clone(),
            None => snapshot,
        };
        let events: Vec<&Recorded> = inner.events.iter().map(|(_, it)| it).collect();
        let hold_of = |recorded: &Recorded| {
            events.iter().find_map(|it| match &it.event {
                DispenseEvent::HoldCreated(hold)
                    if hold.dispense_id == recorded.event.dispense_id() =>
                {
                    Some(hold.clone())
                }
                _ => None,
            })
        };
        let mut found: Vec<Happening> = events
            .iter()
            .filter(|it| it.place.position <= snapshot.positions[0])
            .map(|it| Happening { recorded: (*it).clone(), hold: hold_of(it).unwrap() })
            .filter(|it| it.hold.medication_request.person_id == asked.person)
            .filter(|it| asked.legal_entity.is_none_or(|own| own == it.hold.legal_entity_id))
            .filter(|it| asked.from.is_none_or(|from| it.recorded.recorded_at >= from))
            .filter(|it| asked.before.is_none_or(|before| it.recorded.recorded_at < before))
            .filter(|it| after.is_none_or(|last| order(&last.after) < order(&place(&it.recorded))))
            .collect();
        found.sort_by_key(|it| order(&place(&it.recorded)));
        let room = usize::try_from(size.get()).unwrap();
        let has_more = found.len() > room;
        found.truncate(room);
        let last = found.last().filter(|_| has_more).map(|it| place(&it.recorded));
        let positions = snapshot.log_positions();
        let next = last.map(|after| HistoryCursor { snapshot, after });
        Ok(Happenings { happenings: found, next, positions })
    }

    async fn knows(&self, person: PersonId) -> Result<bool, Unavailable> {
        let inner = self.0.get();
        Ok(inner.patients.contains(&person))
    }
}
