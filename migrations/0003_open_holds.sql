-- Read model open_holds: holds that are neither processed, cancelled nor recorded as expired. The
-- sweep looks here for holds to end; it may suggest, only the log decides.
CREATE TABLE open_holds_v1 (
    partition             smallint    NOT NULL,
    dispense_id           uuid        NOT NULL,
    medication_request_id uuid        NOT NULL,
    expires_at            timestamptz NOT NULL,
    PRIMARY KEY (partition, dispense_id)
);
CREATE INDEX open_holds_v1_expires_at ON open_holds_v1 (expires_at);
CREATE VIEW open_holds AS
    SELECT partition, dispense_id, medication_request_id, expires_at FROM open_holds_v1;

GRANT SELECT, INSERT, UPDATE, DELETE ON open_holds_v1 TO dispense_service;
GRANT SELECT ON open_holds TO dispense_service;
