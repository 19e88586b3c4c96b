-- Signed checkpoints: what the log of a partition was, at a size, in a form that whoever keeps it can
-- hold the log to. There is a copy of each in the store of the signed containers.
CREATE TABLE checkpoints (
    partition     smallint    NOT NULL,
    number        bigint      NOT NULL CHECK (number > 0),
    -- How many rows it covers, and the root of the tree over them.
    size          bigint      NOT NULL CHECK (size > 0),
    root          bytea       NOT NULL CHECK (octet_length(root) = 32),
    epoch         bigint      NOT NULL,
    -- How many erasures were recorded, and the hash of the last.
    erasures      bigint      NOT NULL CHECK (erasures >= 0),
    erasures_hash bytea       NOT NULL CHECK (octet_length(erasures_hash) = 32),
    -- The signed note, letter by letter, and the id of the key that signed it.
    note          text        NOT NULL,
    signed_by     bytea       NOT NULL CHECK (octet_length(signed_by) = 4),
    at            timestamptz NOT NULL,
    PRIMARY KEY (partition, number)
);
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER checkpoints_no_truncate BEFORE TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();

-- Whose turn it is to look after the checkpoints of a partition, and what the last look found: the
-- instances share the work, and all of them say what is wrong.
CREATE TABLE checkpoint_rounds (
    partition smallint    NOT NULL PRIMARY KEY,
    due_at    timestamptz NOT NULL,
    -- Why nothing is signed any more: the log is not what a checkpoint says.
    diverged  text,
    -- The copies are looked through from the newest to the oldest, a few in each round.
    walked    bigint      NOT NULL DEFAULT 0,
    -- Those whose copy is missing or another one, and what is wrong with the first.
    lost      bigint[]    NOT NULL DEFAULT '{}',
    lost_why  text
)
WITH (fillfactor = 50);

GRANT SELECT, INSERT ON checkpoints TO dispense_service;
GRANT SELECT, INSERT, UPDATE ON checkpoint_rounds TO dispense_service;
