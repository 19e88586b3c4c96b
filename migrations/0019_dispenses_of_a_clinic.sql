-- Which clinic prescribed, and when, of what was dispensed before: the reimbursement report looks for it.
-- Searches go on meanwhile; the followers wait.
UPDATE dispenses_v1 d
SET requester_legal_entity_id = (e.payload #>> '{medication_request,legal_entity_id}')::uuid,
    requested_on = (e.payload #>> '{medication_request,created_at}')::date
FROM events e
WHERE e.partition = d.partition AND e.position = d.opened_position
      AND d.requester_legal_entity_id IS NULL;

-- A clinic's report walks from the first day of its range, through whatever stage.
CREATE INDEX dispenses_v1_requester
    ON dispenses_v1 (requester_legal_entity_id, dispensed_on DESC, inserted_at DESC, dispense_id);
