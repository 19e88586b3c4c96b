//! Hand-overs that break a rule which looks at other medication requests.
//!
//! Such a rule is judged at the hold, on what was handed over by then. Two holds on two requests can
//! be open at the same time, and both be handed over: nobody locks all requests of a patient or of an
//! activity. How often that happens is counted here, where the log is followed: by then each of the
//! two hand-overs is in the log, so that whichever is followed later finds the other.

use sqlx::PgConnection;
use uuid::Uuid;

/// Of the dispenses that were handed over: those of a patient who was given the same substance on
/// another medication request with a day of treatment in common, unless the program of the request
/// allows it; and those by which more was handed over on an activity than it has.
const OVERLAPS: &str = "
SELECT count(*) FILTER (WHERE twice.found) AS one_innm,
       count(*) FILTER (WHERE spent.processed > spent.quantity) AS activity_quantity
FROM UNNEST($2::uuid[]) AS u (dispense_id)
CROSS JOIN LATERAL (
    SELECT t.medication_request_id, t.opened_position, t.activity_id FROM {dispenses} t
    WHERE t.partition = $1 AND t.dispense_id = u.dispense_id LIMIT 1
) d
CROSS JOIN LATERAL (
    SELECT t.person_id, coalesce(t.started_at, '-infinity'::date) AS first_day,
           coalesce(t.ended_at, 'infinity'::date) AS last_day
    FROM medication_requests t WHERE t.partition = $1 AND t.id = d.medication_request_id LIMIT 1
) r
LEFT JOIN LATERAL (
    SELECT true AS found
    FROM (
        SELECT t.partition, t.id FROM medication_requests t
        WHERE t.person_id = r.person_id AND coalesce(t.ended_at, 'infinity'::date) >= r.first_day
              AND coalesce(t.started_at, '-infinity'::date) <= r.last_day
              AND t.id <> d.medication_request_id
        ORDER BY coalesce(t.ended_at, 'infinity'::date) LIMIT 128
    ) m
    CROSS JOIN LATERAL (
        SELECT v.dispense_id FROM events v
        WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = m.id::text
              AND v.partition = m.partition AND v.event_type = 'Processed'
        ORDER BY v.sequence LIMIT 1
    ) handed_over
    CROSS JOIN LATERAL (
        SELECT v.payload -> 'medication_request' AS request FROM events v
        WHERE v.partition = m.partition AND v.dispense_id = handed_over.dispense_id
              AND v.event_type = 'HoldCreated'
        LIMIT 1
    ) other
    CROSS JOIN LATERAL (
        SELECT v.payload AS hold, v.payload -> 'medication_request' AS request FROM events v
        WHERE v.partition = $1 AND v.position = d.opened_position LIMIT 1
    ) own
    WHERE own.request #>> '{medication,innm_id}' = other.request #>> '{medication,innm_id}'
          AND own.request ->> 'medical_program_id' IS NOT NULL
          AND coalesce(own.request #>> '{medical_program,settings,skip_treatment_period}',
                       own.hold #>> '{medical_program,settings,skip_treatment_period}',
                       'false') <> 'true'
    LIMIT 1
) twice ON true
LEFT JOIN LATERAL (
    SELECT sum(t.quantity) AS processed,
           (SELECT (a.data ->> 'quantity')::numeric FROM care_plan_activities a
            WHERE a.id = d.activity_id LIMIT 1) AS quantity
    FROM {dispenses} t WHERE t.activity_id = d.activity_id AND t.stage = 'processed'
) spent ON true";

/// Counts those among the dispenses that were handed over in a batch. A batch that is rolled back and
/// followed again counts twice.
pub(super) async fn count(
    db: &mut PgConnection,
    dispenses: &str,
    partition: i16,
    handed_over: &[Uuid],
) -> Result<(), sqlx::Error> {
    let statement = OVERLAPS.replace("{dispenses}", dispenses);
    let (one_innm, activity_quantity): (i64, i64) =
        sqlx::query_as(&statement).bind(partition).bind(handed_over).fetch_one(db).await?;
    for (rule, found) in [("one-innm", one_innm), ("activity-quantity", activity_quantity)] {
        let counter = metrics::counter!("dispense_rule_overlaps_total", "rule" => rule);
        counter.increment(found.unsigned_abs());
        if found > 0 {
            tracing::warn!(partition, rule, found, "hand-overs that this rule would now refuse");
        }
    }
    Ok(())
}
