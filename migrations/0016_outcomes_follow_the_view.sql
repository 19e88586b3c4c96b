-- A rebuild fills the next version of a read model's tables, and then has its view show them. What looks
-- at the tables themselves would be left behind with the old ones, so the outcomes of activities look at
-- the view now, which for that shows what they need. Quick: nothing is read.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = 'dispenses'::regclass AND attname = 'activity_id'
    ) THEN
        EXECUTE (
            SELECT format('CREATE OR REPLACE VIEW dispenses AS
                               SELECT %s, activity_id, quantity FROM dispenses_v1',
                          string_agg(quote_ident(attname), ', ' ORDER BY attnum))
            FROM pg_attribute
            WHERE attrelid = 'dispenses'::regclass AND attnum > 0 AND NOT attisdropped
        );
    END IF;
END
$$;

CREATE OR REPLACE VIEW care_plan_activity_outcomes AS
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
        FROM dispenses d WHERE d.activity_id = a.id AND d.stage = 'processed'
    ) o ON true;
