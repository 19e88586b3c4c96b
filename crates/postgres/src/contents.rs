//! Which containers no event names: asked of the log itself, never of a read model, because what it
//! answers is removed.

use dispensary::{Unavailable, Unnamed, dispense_of_key};
use dispense_domain::Partitions;
use sqlx::PgPool;
use uuid::Uuid;

use crate::log::within;

/// Those keys whose dispense is unknown, and those whose dispense is over for good without an event
/// with that key in it.
///
/// An event that names a key has it in its payload, in whatever member: what a later version writes
/// counts as well. Where nothing but the time has ended a hold, an hour more has to have passed:
/// longer than any command could have been waiting that found it alive.
///
/// LIMIT and aggregate keep the planner from turning the look-ups into a join of whole tables.
const UNNAMED: &str = "
SELECT k.key, h.aggregate_id IS NULL AS is_unknown
FROM UNNEST($1::smallint[], $2::uuid[], $3::text[]) AS k (partition, dispense_id, key)
LEFT JOIN LATERAL (
    SELECT v.aggregate_id FROM events v
    WHERE v.partition = k.partition AND v.dispense_id = k.dispense_id
      AND v.event_type = 'HoldCreated'
    LIMIT 1
) h ON true
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(strpos(v.payload::text, k.key) > 0), false) AS is_named,
           coalesce(bool_or(v.event_type IN ('Processed', 'Cancelled', 'Expired')), false)
             OR coalesce(max((v.payload ->> 'expires_at')::timestamptz)
                         < (SELECT clock_timestamp()) - interval '1 hour', false) AS is_over
    FROM events v
    WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = h.aggregate_id
      AND v.partition = k.partition AND v.dispense_id = k.dispense_id
) e
WHERE h.aggregate_id IS NULL OR (e.is_over AND NOT e.is_named)";

/// Which of those keys no event names, nor ever will.
pub(crate) async fn unnamed(
    pool: &PgPool,
    partitions: Partitions,
    keys: Vec<String>,
) -> Result<Unnamed, Unavailable> {
    let (mut places, mut dispenses, mut ours) = (Vec::new(), Vec::<Uuid>::new(), Vec::new());
    for key in keys {
        if let Some(dispense) = dispense_of_key(&key) {
            places.push(partitions.of_dispense(dispense).cast_signed());
            dispenses.push(dispense.uuid());
            ours.push(key);
        }
    }
    // Planned anew each time: it is asked seldom, and a plan of a young table serves no old one.
    let asking = sqlx::query_as::<_, (String, bool)>(UNNAMED)
        .persistent(false)
        .bind(places)
        .bind(dispenses)
        .bind(ours)
        .fetch_all(pool);
    let mut unnamed = Unnamed::default();
    for (key, is_unknown) in within(asking).await? {
        if is_unknown { &mut unnamed.unknown } else { &mut unnamed.over }.push(key);
    }
    Ok(unnamed)
}
