-- The index of the migration before takes the place of the one that began with the partition. It takes
-- a lock that stops searches, and keeps it for a moment.
DROP INDEX dispenses_v1_request;
ALTER INDEX dispenses_v1_request_anew RENAME TO dispenses_v1_request;
