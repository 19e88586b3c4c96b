-- What is left of each medication request, and what reports count: both follow the log. This migration
-- makes tables, which costs nothing, and widens one under a short lock; 0019 fills what it widened.

-- Read model balances: the quantity invariant, looked at a second time. held is what the log says: a
-- hold that ran out counts until that is recorded. Whoever decides folds the log, and never looks here.
CREATE TABLE balances_v1 (
    partition             smallint NOT NULL,
    medication_request_id uuid     NOT NULL,
    prescribed            numeric  NOT NULL,
    held                  numeric  NOT NULL CHECK (held >= 0),
    processed             numeric  NOT NULL CHECK (processed >= 0),
    -- What is held, by dispense: the end of a hold does not say how much it had taken.
    holds                 jsonb    NOT NULL,
    -- The last event of the medication request that was counted.
    position              bigint   NOT NULL,
    PRIMARY KEY (partition, medication_request_id),
    CHECK (held + processed <= prescribed)
);

-- Read model reports: totals of each day on which was dispensed, of what has come to its end. Few
-- columns may change in a row, and none of a key, so that no index is written when it is counted up.
CREATE TABLE report_totals_v1 (
    day                date             NOT NULL,
    legal_entity_id    uuid             NOT NULL,
    division_id        uuid             NOT NULL,
    -- All zeros: outside any program. A key cannot be null.
    medical_program_id uuid             NOT NULL,
    stage              text COLLATE "C" NOT NULL
        CHECK (stage IN ('processed', 'cancelled', 'expired')),
    partition          smallint         NOT NULL,
    dispenses          bigint           NOT NULL,
    quantity           numeric          NOT NULL,
    total_amount       numeric          NOT NULL,
    insurance_coverage numeric          NOT NULL,
    copayment          numeric          NOT NULL,
    PRIMARY KEY (day, legal_entity_id, division_id, medical_program_id, stage, partition)
)
WITH (fillfactor = 70);

-- The same by medication: a dispense of two medications is counted for each of them here, and so
-- nowhere else.
CREATE TABLE report_medications_v1 (
    day                date             NOT NULL,
    legal_entity_id    uuid             NOT NULL,
    medication_id      uuid             NOT NULL,
    stage              text COLLATE "C" NOT NULL
        CHECK (stage IN ('processed', 'cancelled', 'expired')),
    partition          smallint         NOT NULL,
    dispenses          bigint           NOT NULL,
    quantity           numeric          NOT NULL,
    total_amount       numeric          NOT NULL,
    insurance_coverage numeric          NOT NULL,
    PRIMARY KEY (day, legal_entity_id, medication_id, stage, partition)
)
WITH (fillfactor = 70);

-- What has not come to its end in the log. Whoever reads compares expires_at with the time: a hold that
-- ran out is over before that is recorded. Without expires_at it is processed by the next event of its
-- commit, and nobody is shown what lies between.
CREATE TABLE report_holds_v1 (
    partition          smallint    NOT NULL,
    dispense_id        uuid        NOT NULL,
    day                date        NOT NULL,
    legal_entity_id    uuid        NOT NULL,
    division_id        uuid        NOT NULL,
    medical_program_id uuid        NOT NULL,
    expires_at         timestamptz,
    quantity           numeric     NOT NULL,
    total_amount       numeric     NOT NULL,
    insurance_coverage numeric     NOT NULL,
    -- The same for each medication.
    medications        jsonb       NOT NULL,
    PRIMARY KEY (partition, dispense_id)
);
CREATE INDEX report_holds_v1_day ON report_holds_v1 (day, legal_entity_id);

CREATE VIEW balances AS
    SELECT partition, medication_request_id, prescribed, held, processed, holds, position
    FROM balances_v1;
CREATE VIEW report_totals AS
    SELECT day, legal_entity_id, division_id, medical_program_id, stage, partition, dispenses, quantity,
           total_amount, insurance_coverage, copayment
    FROM report_totals_v1;
CREATE VIEW report_medications AS
    SELECT day, legal_entity_id, medication_id, stage, partition, dispenses, quantity, total_amount,
           insurance_coverage
    FROM report_medications_v1;
CREATE VIEW report_holds AS
    SELECT partition, dispense_id, day, legal_entity_id, division_id, medical_program_id, expires_at,
           quantity, total_amount, insurance_coverage, medications
    FROM report_holds_v1;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON balances_v1, report_totals_v1, report_medications_v1, report_holds_v1 TO dispense_service;
GRANT SELECT ON balances, report_totals, report_medications, report_holds TO dispense_service;

-- The reimbursement report looks for the dispenses of a clinic's medication requests, and by the day on
-- which was prescribed.
ALTER TABLE dispenses_v1
    ADD COLUMN requester_legal_entity_id uuid,
    ADD COLUMN requested_on              date;

-- The view with both, whatever else it has by then.
DO $$
BEGIN
    EXECUTE (
        SELECT format('CREATE OR REPLACE VIEW dispenses AS
                           SELECT %s, requester_legal_entity_id, requested_on FROM dispenses_v1',
                      string_agg(quote_ident(attname), ', ' ORDER BY attnum))
        FROM pg_attribute
        WHERE attrelid = 'dispenses'::regclass AND attnum > 0 AND NOT attisdropped
    );
END
$$;
