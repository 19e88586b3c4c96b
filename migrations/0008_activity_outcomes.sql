-- What became of the activities of care plans: which dispenses were handed over on them, and how much
-- of each is left. The registry record stays as its owner wrote it; this follows the log beside it, and
-- a rebuild brings it back. Searches go on meanwhile; the follower waits.

-- Few dispenses have one, so it costs the others nothing.
CREATE INDEX dispenses_v1_activity ON dispenses_v1 (activity_id) WHERE activity_id IS NOT NULL;

-- Those that were recorded before.
UPDATE dispenses_v1 d
SET activity_id = r.activity_id,
    quantity = (
        SELECT sum((item ->> 'quantity')::numeric)
        FROM events e CROSS JOIN LATERAL json_array_elements(e.payload -> 'items') AS item
        WHERE e.partition = d.partition AND e.position = d.opened_position
    )
FROM medication_requests r
WHERE r.partition = d.partition AND r.id = d.medication_request_id AND r.activity_id IS NOT NULL;

-- One row for each activity. A scheduled one is in progress once something was handed over on it;
-- outcome_reference has the dispenses, the first one first.
CREATE VIEW care_plan_activity_outcomes AS
    SELECT a.id AS activity_id, a.care_plan_id,
           CASE WHEN a.data ->> 'status' = 'scheduled' AND o.dispenses IS NOT NULL
                THEN 'in_progress' ELSE a.data ->> 'status' END AS status,
           (a.data ->> 'quantity')::numeric AS quantity,
           (a.data ->> 'quantity')::numeric - coalesce(o.processed, 0) AS remaining_quantity,
           coalesce(o.dispenses, '{}') AS outcome_reference
    FROM care_plan_activities a
    LEFT JOIN LATERAL (
        SELECT sum(d.quantity) AS processed,
               array_agg(d.dispense_id ORDER BY d.updated_at, d.dispense_id) AS dispenses
        FROM dispenses_v1 d WHERE d.activity_id = a.id AND d.stage = 'processed'
    ) o ON true;

GRANT SELECT ON care_plan_activity_outcomes TO dispense_service;
