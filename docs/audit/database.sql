-- Writes what docs/audit/database.py checks, as the database has it at one moment, into files of the
-- folder in which psql runs:
--
--     psql "$db" -XAtq -v ON_ERROR_STOP=1 -f docs/audit/database.sql
--
-- Any role that may read will do. While it runs, old versions of rows are kept for it: on a large log
-- run it on a replica.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
\o log.tsv
COPY (SELECT log_id, partitions FROM log_settings) TO STDOUT;
\o events.tsv
COPY (
    SELECT e.partition, e.position, e.sequence, encode(convert_to(e.aggregate_type, 'UTF8'), 'hex'),
           encode(convert_to(e.aggregate_id, 'UTF8'), 'hex'), encode(convert_to(e.event_type, 'UTF8'), 'hex'),
           encode(convert_to(e.event_version, 'UTF8'), 'hex'), encode(convert_to(e.payload::text, 'UTF8'), 'hex'),
           encode(convert_to(e.metadata::text, 'UTF8'), 'hex'), e.event_id, e.dispense_id,
           (extract(epoch FROM e.recorded_at) * 1000000)::bigint, encode(e.hash, 'hex'),
           coalesce(encode(convert_to(b.body::text, 'UTF8'), 'hex'), '')
    FROM events e LEFT JOIN personal_bodies b USING (partition, position)
    ORDER BY e.partition, e.position
) TO STDOUT;
\o erasures.tsv
COPY (
    SELECT number, encode(convert_to(kind, 'UTF8'), 'hex'), id, encode(convert_to(reason, 'UTF8'), 'hex'),
           encode(convert_to(by_user, 'UTF8'), 'hex'), (extract(epoch FROM at) * 1000000)::bigint,
           encode(convert_to(places::text, 'UTF8'), 'hex'), encode(hash, 'hex')
    FROM erasures ORDER BY number
) TO STDOUT;
\o changes.tsv
COPY (
    SELECT partition, number, kind, id, version, encode(digest, 'hex'), by_user, coalesce(by_client::text, ''),
           (extract(epoch FROM at) * 1000000)::bigint, encode(hash, 'hex'),
           coalesce(encode(convert_to(source, 'UTF8'), 'hex'), '')
    FROM registry_changes ORDER BY partition, number
) TO STDOUT;
\o heads.tsv
COPY (
    SELECT 'log', partition, position, encode(hash, 'hex') FROM log_head
    UNION ALL SELECT 'registry', partition, number, encode(hash, 'hex') FROM registry_heads
) TO STDOUT;
COMMIT;
