-- Which activity of a care plan a dispense is for. This migration takes the short locks, under which
-- nobody can search; the next one reads what is here.
ALTER TABLE dispenses_v1
    -- The activity that the medication request is based on. As care_plan_id, it stands in the personal
    -- body.
    ADD COLUMN activity_id uuid,
    -- How much the dispense takes, all items together; only where it is based on an activity.
    ADD COLUMN quantity    numeric;
