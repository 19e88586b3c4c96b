-- What lists need of the dispenses that were recorded before, and the indexes for it. Searches and
-- commands go on meanwhile; the follower of dispenses waits, so that what it reads next is what is
-- missing here.
SELECT 1 FROM followers WHERE name = 'dispenses' FOR UPDATE;

INSERT INTO dispense_items_v1
    (partition, dispense_id, item, legal_entity_id, division_id, person_id, party_id,
     medical_program_id, medication_id, batch_number, dispensed_on, inserted_at,
     first_of_medication, first_of_batch)
SELECT d.partition, d.dispense_id, i.item, d.legal_entity_id, d.division_id, d.person_id, d.party_id,
       d.medical_program_id, i.medication_id, i.batch_number, d.dispensed_on, d.inserted_at,
       i.first_of_medication, i.first_of_batch
FROM dispenses d
JOIN events e ON e.partition = d.partition AND e.position = d.opened_position
CROSS JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY p.place) AS item, p.medication_id, p.batch_number,
           row_number() OVER (PARTITION BY p.medication_id ORDER BY p.place) = 1
               AS first_of_medication,
           p.batch_number IS NOT NULL
               AND row_number() OVER (PARTITION BY p.batch_number ORDER BY p.place) = 1
               AS first_of_batch
    FROM (
        SELECT min(t.place) AS place, (t.item #>> '{medication,id}')::uuid AS medication_id,
               t.item ->> 'batch_number' AS batch_number
        FROM json_array_elements(e.payload -> 'items') WITH ORDINALITY AS t (item, place)
        GROUP BY 2, 3
    ) p
) i;

-- One for each filter, in the order of lists: the last day of dispensing first, then what began last.
-- By patient, pharmacist and program each dispense is met once.
CREATE INDEX dispense_items_v1_person
    ON dispense_items_v1 (person_id, dispensed_on DESC, inserted_at DESC) WHERE item = 1;
CREATE INDEX dispense_items_v1_party
    ON dispense_items_v1 (party_id, dispensed_on DESC, inserted_at DESC) WHERE item = 1;
CREATE INDEX dispense_items_v1_program
    ON dispense_items_v1 (medical_program_id, dispensed_on DESC, inserted_at DESC)
    WHERE item = 1 AND medical_program_id IS NOT NULL;
CREATE INDEX dispense_items_v1_medication
    ON dispense_items_v1 (medication_id, dispensed_on DESC, inserted_at DESC);
CREATE INDEX dispense_items_v1_batch
    ON dispense_items_v1 (batch_number, dispensed_on DESC, inserted_at DESC)
    WHERE batch_number IS NOT NULL;

-- The events that the follower has read. What is processed at once is kept as ended before the event
-- is read that says so.
INSERT INTO history_v1
    (partition, dispense_id, position, opened_position, person_id, legal_entity_id, recorded_at)
SELECT d.partition, d.dispense_id, e.position, d.opened_position, d.person_id, d.legal_entity_id, e.at
FROM dispenses d
JOIN followers f ON f.name = 'dispenses' AND f.partition = d.partition
CROSS JOIN LATERAL (
    VALUES (d.opened_position, d.inserted_at), (d.closed_position, d.updated_at)
) AS e (position, at)
WHERE e.position <= f.position;

INSERT INTO followers (name, partition, position, hash)
SELECT 'history', partition, position, hash FROM followers WHERE name = 'dispenses';

CREATE INDEX history_v1_person
    ON history_v1 (person_id, recorded_at DESC, partition, position DESC);
