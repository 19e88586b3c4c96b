-- Registry data that comes through Kafka. Up to where each topic was read stands here, and moves in
-- the transaction that applies what was read: so each message counts once, whatever falls over.

-- The offset that comes next. Whoever moves it names the one that it read on from: who read the same
-- messages at the same time moves nothing, and applies nothing.
CREATE TABLE registry_offsets (
    topic     text COLLATE "C" NOT NULL,
    partition integer          NOT NULL,
    next      bigint           NOT NULL CHECK (next >= 0),
    -- How many offsets were gone before they could be read. An operator sets it to 0 once the
    -- registry was imported anew.
    lost      bigint           NOT NULL DEFAULT 0 CHECK (lost >= 0),
    PRIMARY KEY (topic, partition)
)
WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- Which instance reads, and how long nobody else does.
CREATE TABLE registry_lease (
    leased_by    uuid        NOT NULL,
    leased_until timestamptz NOT NULL
)
WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
CREATE UNIQUE INDEX registry_lease_one_row ON registry_lease ((true));
INSERT INTO registry_lease (leased_by, leased_until)
VALUES ('00000000-0000-0000-0000-000000000000', '-infinity');

-- Messages that cannot be applied, until they were put into the topic of dead letters. What they said
-- is emptied then, or when whom they are about is erased; that there was one stays for a month.
CREATE TABLE registry_dead_letters (
    id        bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text COLLATE "C" NOT NULL,
    partition integer          NOT NULL,
    "offset"  bigint           NOT NULL,
    key       bytea,
    -- At most 64 KiB of it.
    value     bytea,
    code      text COLLATE "C" NOT NULL,
    reason    text             NOT NULL,
    at        timestamptz      NOT NULL,
    buried_at timestamptz
);
CREATE INDEX registry_dead_letters_waiting ON registry_dead_letters (id) WHERE buried_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON registry_offsets TO dispense_service;
GRANT SELECT, UPDATE ON registry_lease TO dispense_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON registry_dead_letters TO dispense_service;
