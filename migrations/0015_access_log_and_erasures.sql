-- Who looked: a row for each answer that shows a patient's dispenses, written before it is given.
-- Outside the event log, because a look changes nothing; ids alone, no names. `patients` and the
-- others name at most 500 ids each; `beyond` is how many more there were.
CREATE TABLE access_log (
    -- Tells rows of one instant apart; gaps mean nothing.
    number              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at                  timestamptz      NOT NULL,
    user_id             uuid             NOT NULL,
    client_id           uuid             NOT NULL,
    client_type         text COLLATE "C" NOT NULL,
    request_id          text COLLATE "C" NOT NULL,
    -- The header X-Purpose-Of-Use, as it came; null if it did not.
    purpose             text COLLATE "C",
    looked              text COLLATE "C" NOT NULL,
    patients            uuid[]           NOT NULL,
    medication_requests uuid[]           NOT NULL,
    dispenses           uuid[]           NOT NULL,
    beyond              bigint           NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Who looked at a patient; what a user looked at; all of a span of time.
CREATE INDEX access_log_patients ON access_log USING gin (patients);
CREATE INDEX access_log_user ON access_log (user_id, at, number);
CREATE INDEX access_log_at ON access_log (at);

CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE ON access_log
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER access_log_no_truncate BEFORE TRUNCATE ON access_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();

-- What was erased of whom, when and why. Chained by hashes, as docs/audit.md says; checkpoints cover
-- the chain, so that a theft never looks like an erasure.
CREATE TABLE erasures (
    number  bigint           NOT NULL PRIMARY KEY CHECK (number > 0),
    kind    text COLLATE "C" NOT NULL CHECK (kind IN ('person', 'party')),
    id      uuid             NOT NULL,
    reason  text             NOT NULL,
    by_user text COLLATE "C" NOT NULL,
    at      timestamptz      NOT NULL,
    -- A list of the places that were emptied, and of those that were kept, with the reason.
    places  json             NOT NULL,
    hash    bytea            NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX erasures_of ON erasures (kind, id);

CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE ON erasures
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER erasures_no_truncate BEFORE TRUNCATE ON erasures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();

GRANT SELECT, INSERT ON access_log TO dispense_service;
-- Only the owner of the tables erases.
GRANT SELECT ON erasures TO dispense_service;
