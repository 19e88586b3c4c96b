-- What lists of dispenses need: by patient, pharmacist, program, medicine and batch, and all that
-- happened to a patient's dispenses. This migration takes the short locks, under which nobody can
-- search; 0018 reads what is there and builds the indexes.

-- Read model dispenses, second table: one row for each medication and batch of a dispense. What stands
-- here never changes, while each end of a dispense writes a row of dispenses_v1 anew, and with it an
-- entry of each of its indexes: an index here costs the follower half of what it would cost there.
CREATE TABLE dispense_items_v1 (
    partition           smallint    NOT NULL,
    dispense_id         uuid        NOT NULL,
    -- Its place among the different ones of the dispense, from 1.
    item                smallint    NOT NULL,
    legal_entity_id     uuid        NOT NULL,
    division_id         uuid        NOT NULL,
    person_id           uuid        NOT NULL,
    party_id            uuid        NOT NULL,
    medical_program_id  uuid,
    medication_id       uuid        NOT NULL,
    batch_number        text COLLATE "C",
    dispensed_on        date        NOT NULL,
    inserted_at         timestamptz NOT NULL,
    -- Whether it is the first of that medication, or of that batch, in the dispense: a walk by one of
    -- them meets each dispense once.
    first_of_medication boolean     NOT NULL,
    first_of_batch      boolean     NOT NULL,
    PRIMARY KEY (partition, dispense_id, item)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE VIEW dispense_items AS
    SELECT partition, dispense_id, item, legal_entity_id, division_id, person_id, party_id,
           medical_program_id, medication_id, batch_number, dispensed_on, inserted_at,
           first_of_medication, first_of_batch
    FROM dispense_items_v1;

-- Who keeps dispenses_v1 keeps dispense_items_v1 in the same transaction. An older instance knows the
-- first alone: it cannot say in which shape it writes, is stopped here and says so, and a newer one
-- goes on in its place. Otherwise there were dispenses that no list shows.
ALTER TABLE dispenses_v1 ADD COLUMN shape smallint NOT NULL DEFAULT 1;
ALTER TABLE dispenses_v1 ALTER COLUMN shape DROP DEFAULT;

-- Read model history: one row for each event of a patient's dispenses. Ids and places alone; what is
-- shown is read from the log.
CREATE TABLE history_v1 (
    partition       smallint    NOT NULL,
    dispense_id     uuid        NOT NULL,
    position        bigint      NOT NULL,
    -- The event that opened the dispense: it knows patient, outlet and prescription.
    opened_position bigint      NOT NULL,
    person_id       uuid        NOT NULL,
    legal_entity_id uuid        NOT NULL,
    recorded_at     timestamptz NOT NULL,
    PRIMARY KEY (partition, dispense_id, position)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE VIEW history AS
    SELECT partition, dispense_id, position, opened_position, person_id, legal_entity_id, recorded_at
    FROM history_v1;

-- What vouches for the cursors of lists: all instances on this database share it. A cursor holds
-- nothing secret; the key makes it impossible to make one up.
CREATE TABLE cursor_key (
    key bytea NOT NULL CHECK (octet_length(key) = 32)
);
CREATE UNIQUE INDEX cursor_key_one_row ON cursor_key ((true));
INSERT INTO cursor_key (key)
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
              || uuid_send(gen_random_uuid()));

GRANT SELECT, INSERT, UPDATE, DELETE ON dispense_items_v1, history_v1 TO dispense_service;
GRANT SELECT ON dispense_items, history, cursor_key TO dispense_service;
