-- The medication requests that were imported before their days, care plans and activities were kept
-- beside them. Decisions go on meanwhile; imports wait.

-- Other requests of a patient, whatever their partition, from the one that ends first: those that
-- were over before a treatment began are not even looked at, nor are rows read of those that begin
-- after it.
CREATE INDEX medication_requests_person
    ON medication_requests (person_id, (coalesce(ended_at, 'infinity'::date)),
                            (coalesce(started_at, '-infinity'::date)));
CREATE INDEX medication_requests_activity ON medication_requests (activity_id)
    WHERE activity_id IS NOT NULL;

-- The day in a member; none if there is none, or nothing that can be read.
CREATE FUNCTION pg_temp.day_in(source json, member text) RETURNS date LANGUAGE plpgsql AS $$
BEGIN
    IF source ->> member ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN (source ->> member)::date;
    END IF;
    RETURN NULL;
EXCEPTION WHEN others THEN
    RETURN NULL;
END
$$;

-- A list as its members, and what is none as one.
CREATE FUNCTION pg_temp.each_of(value json) RETURNS SETOF json LANGUAGE sql AS $$
    SELECT json_array_elements(
        CASE json_typeof(value) WHEN 'array' THEN value ELSE json_build_array(value) END)
$$;

-- Whether a word, plain or coded as FHIR does, is that one.
CREATE FUNCTION pg_temp.is_of(coded json, kind text) RETURNS boolean LANGUAGE sql AS $$
    SELECT coalesce(json_typeof(coded) = 'string' AND coded #>> '{}' = kind, false)
           OR coalesce(json_typeof(coded -> 'coding') = 'array', false)
              AND EXISTS (SELECT FROM pg_temp.each_of(coded -> 'coding') AS coding
                          WHERE json_typeof(coding -> 'code') = 'string'
                                AND coding ->> 'code' = kind)
$$;

-- What a medication request is based on, of that kind: `{type, id}`, or `{identifier: {type, value}}`.
-- What is not understood refers to nothing, as `BasedOn` in the crate dispense-domain has it.
CREATE FUNCTION pg_temp.based_on(source json, kind text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    reference json;
    id        json;
BEGIN
    FOR reference IN SELECT pg_temp.each_of(source -> 'based_on') LOOP
        id := CASE
            WHEN pg_temp.is_of(reference -> 'type', kind) THEN reference -> 'id'
            WHEN pg_temp.is_of(reference #> '{identifier,type}', kind)
                THEN reference #> '{identifier,value}'
        END;
        IF json_typeof(id) = 'string'
           AND id #>> '{}' ~* '^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$' THEN
            RETURN (id #>> '{}')::uuid;
        END IF;
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN others THEN
    RETURN NULL;
END
$$;

UPDATE medication_requests
SET started_at = pg_temp.day_in(data, 'started_at'),
    ended_at = pg_temp.day_in(data, 'ended_at'),
    care_plan_id = pg_temp.based_on(data, 'care_plan'),
    activity_id = pg_temp.based_on(data, 'activity')
-- Few records say none of this.
WHERE strpos(data::text, '"based_on"') > 0 OR strpos(data::text, 'ed_at"') > 0;

DROP FUNCTION pg_temp.based_on(json, text);
DROP FUNCTION pg_temp.is_of(json, text);
DROP FUNCTION pg_temp.each_of(json);
DROP FUNCTION pg_temp.day_in(json, text);
