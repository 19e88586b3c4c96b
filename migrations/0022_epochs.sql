-- Where the log stood when it was accepted without a tail that it had lost: one row for each partition
-- and epoch. Whoever has read further read events that this log does not have; up to there all agree.
CREATE TABLE log_epochs (
    epoch       bigint      NOT NULL,
    partition   smallint    NOT NULL,
    -- The end of the partition, before anything was written in this epoch.
    position    bigint      NOT NULL,
    hash        bytea       NOT NULL,
    accepted_at timestamptz NOT NULL,
    PRIMARY KEY (epoch, partition)
);
CREATE TRIGGER log_epochs_append_only BEFORE UPDATE OR DELETE ON log_epochs
    FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER log_epochs_no_truncate BEFORE TRUNCATE ON log_epochs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
GRANT SELECT ON log_epochs TO dispense_service;
