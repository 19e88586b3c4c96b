-- The registries: a local copy of what others own. Decisions are made from it, so it stands beside
-- the log, and every change of it leaves a row in a hash chain of its own: an auditor can see what
-- was known when. Members of a record are looked up by its text (json, as the log's); the columns
-- beside it repeat what is searched by.

-- Raised by each import that changes a small registry, in the import's own transaction. Importers
-- take turns, so a version that can be read has all versions before it.
CREATE TABLE registry_version (
    version bigint NOT NULL
)
WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
CREATE UNIQUE INDEX registry_version_one_row ON registry_version ((true));
INSERT INTO registry_version (version) VALUES (0);

-- The small registries, which every instance holds in memory. `id` of a party_user is its user_id.
CREATE TABLE registry_entries (
    kind       text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    data       json             NOT NULL,
    -- The registry_version that brought it.
    version    bigint           NOT NULL,
    -- What the owner of the record said; null if it never did.
    updated_at timestamptz,
    PRIMARY KEY (kind, id)
);
-- What is newer than a snapshot, page by page.
CREATE INDEX registry_entries_version ON registry_entries (version, kind, id);

-- The large registries, read when they are needed; they do not raise registry_version. `version` is
-- the one that stood when the record came.
CREATE TABLE persons (
    id         uuid   NOT NULL PRIMARY KEY,
    data       json   NOT NULL,
    version    bigint NOT NULL,
    updated_at timestamptz
);

CREATE TABLE care_plans (
    id         uuid   NOT NULL PRIMARY KEY,
    data       json   NOT NULL,
    version    bigint NOT NULL,
    updated_at timestamptz
);

CREATE TABLE care_plan_activities (
    id           uuid   NOT NULL PRIMARY KEY,
    care_plan_id uuid   NOT NULL,
    data         json   NOT NULL,
    version      bigint NOT NULL,
    updated_at   timestamptz
);
CREATE INDEX care_plan_activities_care_plan ON care_plan_activities (care_plan_id);

-- Written under the head lock of their partition only, so that no decision sees them change.
CREATE TABLE medication_requests (
    partition      smallint NOT NULL,
    id             uuid     NOT NULL,
    request_number text COLLATE "C",
    person_id      uuid     NOT NULL,
    data           json     NOT NULL,
    updated_at     timestamptz,
    PRIMARY KEY (partition, id)
);
CREATE INDEX medication_requests_person ON medication_requests (partition, person_id);
CREATE INDEX medication_requests_number ON medication_requests (request_number);

-- Every change, for ever. Each partition of the log has a chain for its medication requests, so
-- that their imports never wait for each other; partition -1 is the chain of everything else.
-- `digest` is SHA-256(salt ‖ data, as it was written): registry_salts.
CREATE TABLE registry_changes (
    partition smallint         NOT NULL,
    number    bigint           NOT NULL CHECK (number > 0),
    kind      text COLLATE "C" NOT NULL,
    id        uuid             NOT NULL,
    -- The registry_version with which the change can be seen; for large registries, the one that
    -- stood.
    version   bigint           NOT NULL,
    digest    bytea            NOT NULL CHECK (octet_length(digest) = 32),
    by_user   uuid             NOT NULL,
    by_client uuid,
    at        timestamptz      NOT NULL,
    -- Covers this row and the one before it; the bytes stand at `ChainHead::next` in the crate
    -- dispense-postgres.
    hash      bytea            NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (partition, number)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX registry_changes_record ON registry_changes (kind, id);

-- A digest of a name, a tax id or a code of four digits could be guessed back. So each digest is
-- salted, and the salt stands here, where it can be erased without touching the chain.
CREATE TABLE registry_salts (
    partition smallint NOT NULL,
    number    bigint   NOT NULL,
    salt      bytea    NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (partition, number)
)
WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- The end of each chain. Whoever adds to a chain locks its row first.
CREATE TABLE registry_heads (
    partition smallint NOT NULL PRIMARY KEY,
    number    bigint   NOT NULL,
    hash      bytea    NOT NULL CHECK (octet_length(hash) = 32)
)
WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

CREATE TRIGGER registry_changes_append_only BEFORE UPDATE OR DELETE ON registry_changes
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER registry_changes_no_truncate BEFORE TRUNCATE ON registry_changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER registry_heads_no_delete BEFORE DELETE ON registry_heads
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();

GRANT SELECT, UPDATE ON registry_version TO dispense_service;
GRANT SELECT, INSERT, UPDATE
    ON registry_entries, persons, care_plans, care_plan_activities, medication_requests,
       registry_heads
    TO dispense_service;
GRANT SELECT, INSERT ON registry_changes, registry_salts TO dispense_service;
