-- The event log: the one place where a dispense is changed, and the only table that is never
-- rebuilt. The first seven columns are those that postgres-es reads and writes; json, not jsonb,
-- because the hash covers the text.
CREATE TABLE events (
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id   text COLLATE "C" NOT NULL,
    sequence       bigint           NOT NULL CHECK (sequence > 0),
    event_type     text COLLATE "C" NOT NULL,
    event_version  text COLLATE "C" NOT NULL,
    payload        json             NOT NULL,
    metadata       json             NOT NULL,
    -- The part of the log, and the place in it. Followers remember how far they have read.
    partition      smallint         NOT NULL,
    position       bigint           NOT NULL CHECK (position > 0),
    event_id       uuid             NOT NULL,
    dispense_id    uuid             NOT NULL,
    recorded_at    timestamptz      NOT NULL,
    -- Covers this row and the one before it: docs/audit.md.
    hash           bytea            NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (partition, position),
    CONSTRAINT events_stream UNIQUE (aggregate_type, aggregate_id, sequence, partition)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Callers know a dispense by its own id; its stream is that of its medication request.
CREATE UNIQUE INDEX events_dispense ON events (partition, dispense_id)
    WHERE event_type = 'HoldCreated';

-- What names a person, and free text: beside the log, so that it can be erased. The event holds
-- its digest.
CREATE TABLE personal_bodies (
    partition smallint NOT NULL,
    position  bigint   NOT NULL,
    body      json     NOT NULL,
    PRIMARY KEY (partition, position)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Events and bodies are a few kilobytes of words that repeat: LZ4 halves them for less than it costs
-- to write the other half, and what is stored inside its row is never looked for elsewhere. A
-- server without LZ4 stores them as they are: the older compression would cost more than it saves.
DO $$
BEGIN
    ALTER TABLE events ALTER payload SET COMPRESSION lz4, ALTER payload SET STORAGE MAIN;
    ALTER TABLE personal_bodies ALTER body SET COMPRESSION lz4, ALTER body SET STORAGE MAIN;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN
    ALTER TABLE events SET (toast_tuple_target = 8160);
    ALTER TABLE personal_bodies SET (toast_tuple_target = 8160);
END
$$;

-- One row for each partition, updated by every batch: room on the page for its next versions, and
-- a vacuum that comes often.
CREATE TABLE log_head (
    partition   smallint    NOT NULL PRIMARY KEY,
    position    bigint      NOT NULL,
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL
)
WITH (
    fillfactor = 10,
    autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_cost_delay = 0
);

-- Written once by the first migration, and read from here ever after.
CREATE TABLE log_settings (
    log_id              uuid     NOT NULL,
    partitions          smallint NOT NULL CHECK (partitions BETWEEN 1 AND 1024),
    epoch               bigint   NOT NULL,
    min_service_version text     NOT NULL
);
CREATE UNIQUE INDEX log_settings_one_row ON log_settings ((true));

-- How far each follower has read. The lock on a row is the lease.
CREATE TABLE followers (
    name      text COLLATE "C" NOT NULL,
    partition smallint         NOT NULL,
    position  bigint           NOT NULL,
    hash      bytea            NOT NULL,
    PRIMARY KEY (name, partition)
)
WITH (
    fillfactor = 10,
    autovacuum_vacuum_threshold = 200,
    autovacuum_vacuum_scale_factor = 0
);

-- What has happened stays as it was written.
CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER personal_bodies_no_truncate BEFORE TRUNCATE ON personal_bodies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER log_head_no_delete BEFORE DELETE ON log_head
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();

-- The role that serves: it can add to the log, and never change it. Roles belong to the whole
-- server, so another database may have made it already.
DO $$
BEGIN
    CREATE ROLE dispense_service NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO dispense_service;
GRANT SELECT, INSERT ON events, personal_bodies TO dispense_service;
GRANT SELECT, UPDATE ON log_head TO dispense_service;
GRANT SELECT ON log_settings, _sqlx_migrations TO dispense_service;
GRANT SELECT, INSERT, UPDATE ON followers TO dispense_service;
