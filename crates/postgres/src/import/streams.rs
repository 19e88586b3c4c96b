//! What was dispensed under medication requests, as far as their import has to know it.

use std::collections::HashMap;

use dispense_domain::{
    DispenseEvent, Dispensing, HoldCreated, MedicationId, PersonId, Quantity, evolve,
};
use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::fault::Stopped;

/// The dispenses of a medication request that has any.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the first dispense relied on; so do all others.
    pub opened_on: OpenedOn,
    /// All of them.
    pub dispensing: Dispensing,
}

/// What may not change under a dispense.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenedOn {
    /// The quantity.
    pub prescribed: Quantity,
    /// The dosage.
    pub medication: MedicationId,
    /// The patient.
    pub person: PersonId,
}

impl From<&HoldCreated> for OpenedOn {
    fn from(hold: &HoldCreated) -> Self {
        Self {
            prescribed: hold.prescribed,
            medication: hold.medication_request.medication.id,
            person: hold.medication_request.person_id,
        }
    }
}

/// The streams of those requests that have events. They are folded row by row, so that long ones
/// take no room.
pub(super) async fn of(
    db: &mut PgConnection,
    partition: i16,
    requests: &[Uuid],
) -> Result<HashMap<Uuid, Stream>, Stopped> {
    let keys: Vec<String> = requests.iter().map(Uuid::to_string).collect();
    // The order within the lateral part keeps it from being pulled up, so it stays one walk along
    // the index for each request, and its rows come as they stand there.
    let mut events = sqlx::query_as::<_, (Uuid, String)>(
        "SELECT wanted.id, event.payload::text
         FROM UNNEST($2::uuid[], $3::text[]) AS wanted (id, key)
         CROSS JOIN LATERAL (
             SELECT payload FROM events
             WHERE aggregate_type = 'dispense' AND aggregate_id = wanted.key AND partition = $1
             ORDER BY sequence
         ) event",
    )
    .bind(partition)
    .bind(requests)
    .bind(keys)
    .fetch(db);

    let mut streams: HashMap<Uuid, Stream> = HashMap::new();
    while let Some((request, payload)) = events.try_next().await? {
        let event = DispenseEvent::from_json(&payload)
            .map_err(|source| Stopped::UnknownEvent { request: request.to_string(), source })?;
        if let Some(stream) = streams.get_mut(&request) {
            stream.dispensing = evolve(std::mem::take(&mut stream.dispensing), &event);
        } else if let DispenseEvent::HoldCreated(hold) = &event {
            let dispensing = evolve(Dispensing::default(), &event);
            streams.insert(request, Stream { opened_on: hold.as_ref().into(), dispensing });
        }
    }
    Ok(streams)
}
