-- Read model log_tree: the Merkle tree over the log of each partition (RFC 6962), from 256 leaves
-- upwards. Below stand the rows themselves: a leaf follows from events.hash, and what lies between
-- two kept levels from at most 256 hashes. So a root or a proof of any size costs a handful of
-- reads, and the follower writes one row for 256 events.
CREATE TABLE log_tree_v1 (
    partition smallint NOT NULL,
    -- 1: over 256 leaves, 2: over 256 of those, and so on. Only full ones are kept: they never change.
    level     smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
    index     bigint   NOT NULL CHECK (index >= 0),
    hash      bytea    NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (partition, level, index)
);
CREATE VIEW log_tree AS SELECT partition, level, index, hash FROM log_tree_v1;

GRANT SELECT, INSERT, UPDATE, DELETE ON log_tree_v1 TO dispense_service;
GRANT SELECT ON log_tree TO dispense_service;
