-- Read model dispenses: one row for each dispense, as its last event left it. The search looks here
-- for what matches; what it shows is read from the log. Ids alone, nothing that names a person.
CREATE TABLE dispenses_v1 (
    partition             smallint         NOT NULL,
    dispense_id           uuid             NOT NULL,
    medication_request_id uuid             NOT NULL,
    legal_entity_id       uuid             NOT NULL,
    division_id           uuid             NOT NULL,
    person_id             uuid             NOT NULL,
    -- The pharmacist.
    party_id              uuid             NOT NULL,
    medical_program_id    uuid,
    -- What the medication request is based on. It stands in the personal body, so it is not found
    -- again by a rebuild after that was erased.
    care_plan_id          uuid,
    dispensed_on          date             NOT NULL,
    inserted_at           timestamptz      NOT NULL,
    updated_at            timestamptz      NOT NULL,
    -- What its last event says. A hold that ran out is over before that is recorded: who reads
    -- compares expires_at with the time.
    stage                 text COLLATE "C" NOT NULL
        CHECK (stage IN ('held', 'processed', 'cancelled', 'expired')),
    expires_at            timestamptz,
    -- Its events in the log.
    opened_position       bigint           NOT NULL,
    closed_position       bigint,
    PRIMARY KEY (partition, dispense_id)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- One for each filter of the search, in the order of its pages: newest first, then by id, because
-- what one batch recorded has one time. A page costs as much as it has rows, whatever the table.
-- They know the stage, because what stands at one may be rare among very many; without a status,
-- those of the stages are merged. A medication request has few dispenses; they are sorted. Every
-- index costs the follower time that the writer wants: weigh another one.
CREATE INDEX dispenses_v1_request ON dispenses_v1 (partition, medication_request_id);
CREATE INDEX dispenses_v1_care_plan ON dispenses_v1 (care_plan_id, inserted_at DESC, dispense_id)
    WHERE care_plan_id IS NOT NULL;
CREATE INDEX dispenses_v1_division
    ON dispenses_v1 (division_id, stage, inserted_at DESC, dispense_id);
CREATE INDEX dispenses_v1_legal_entity
    ON dispenses_v1 (legal_entity_id, stage, inserted_at DESC, dispense_id);
CREATE INDEX dispenses_v1_stage ON dispenses_v1 (stage, inserted_at DESC, dispense_id);

-- The same for days, the last one first. Pharmacies may state any day, so the order of pages does
-- not lead to an old one.
CREATE INDEX dispenses_v1_division_day
    ON dispenses_v1 (division_id, stage, dispensed_on DESC, inserted_at DESC, dispense_id);
CREATE INDEX dispenses_v1_legal_entity_day
    ON dispenses_v1 (legal_entity_id, stage, dispensed_on DESC, inserted_at DESC, dispense_id);
CREATE INDEX dispenses_v1_day
    ON dispenses_v1 (stage, dispensed_on DESC, inserted_at DESC, dispense_id);

CREATE VIEW dispenses AS
    SELECT partition, dispense_id, medication_request_id, legal_entity_id, division_id, person_id,
           party_id, medical_program_id, care_plan_id, dispensed_on, inserted_at, updated_at, stage,
           expires_at, opened_position, closed_position
    FROM dispenses_v1;

GRANT SELECT, INSERT, UPDATE, DELETE ON dispenses_v1 TO dispense_service;
GRANT SELECT ON dispenses TO dispense_service;
