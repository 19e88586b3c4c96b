-- An index that begins with the partition looks as good as the primary key to a planner that knows
-- nothing of the table yet, and what it plans then is kept: each end of a dispense would be looked for
-- in a whole partition. One that begins with the medication request is only good for what it is for.
-- The next migration puts it in place of the other: searches go on while it is built.
CREATE INDEX dispenses_v1_request_anew ON dispenses_v1 (medication_request_id, partition);
