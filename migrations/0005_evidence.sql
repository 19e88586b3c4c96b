-- What decisions look for beside the medication request itself: others of the same patient and of the
-- same activity, and who lately gave wrong verification codes for it. This migration takes the short
-- locks; the next one fills what is here.

-- They repeat the record, as request_number and person_id do. A day that a record does not say bounds
-- nothing.
ALTER TABLE medication_requests
    ADD COLUMN care_plan_id uuid,
    ADD COLUMN activity_id  uuid,
    ADD COLUMN started_at   date,
    ADD COLUMN ended_at     date;

-- Nobody looks for the requests of a patient in one partition.
DROP INDEX medication_requests_person;

-- Wrong verification codes: for each medication request, what each legal entity lately tried. Beside
-- the log, because a refused command records nothing; written under the head lock of the partition.
-- A time is of no use after some minutes, and the sweep removes it. Few rows, which change often:
-- room on the page for their next versions, and no index that would have to follow.
CREATE TABLE wrong_codes (
    partition             smallint      NOT NULL,
    medication_request_id uuid          NOT NULL,
    client_id             uuid          NOT NULL,
    -- The latest, the earliest of them first.
    tried_at              timestamptz[] NOT NULL CHECK (cardinality(tried_at) BETWEEN 1 AND 5),
    PRIMARY KEY (partition, medication_request_id, client_id)
)
WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

GRANT SELECT, INSERT, UPDATE, DELETE ON wrong_codes TO dispense_service;
