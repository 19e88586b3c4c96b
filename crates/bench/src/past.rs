//! The read side: how fast read models are made anew next to a plain COPY of the same events, and what
//! a search costs in a log that has grown.
//!
//! The log of the rounds before is thrown away. Holds out of it are patterns, from which a log of so
//! many dispenses is written, each with ids of its own, over the days of a year. Its hashes fit
//! nothing, which nobody looks at here.

mod growth;
mod rebuilding;
mod searching;

use anyhow::ensure;

use crate::database::{DISPENSE, Database};
use crate::figures::Latencies;
use crate::options::Plan;
use crate::report::progress;
use crate::stage::Stage;

pub(crate) use growth::Growth;
pub(crate) use rebuilding::Rebuilt;

/// Patterns of each partition.
const PATTERNS: usize = 100;

/// Dispenses that are written by one statement: it is one transaction.
const AT_ONCE: usize = 100_000;

/// What the read side has shown.
#[derive(Debug)]
pub(crate) struct Past {
    /// How many dispenses there were first, and how many then.
    pub(crate) dispenses: [usize; 2],
    /// Of the larger log.
    pub(crate) rebuilt: Rebuilt,
    /// Searches in the smaller log, and in the larger one.
    pub(crate) searches: Option<[Latencies; 2]>,
    pub(crate) growth: Growth,
}

/// Measures the read side, where nothing else runs. The service must have stopped.
pub(crate) fn measure(stage: &Stage, plan: &Plan) -> anyhow::Result<Past> {
    let database = &stage.database;
    let partitions = begin(database)?;
    let [few, many] = plan.dispenses;
    write(database, partitions, 0, few)?;
    let mut searches = Vec::new();
    if plan.wants(crate::options::Row::Search) {
        rebuilding::rebuild(stage)?;
        searches.push(searching::search(stage)?);
    }
    write(database, partitions, few, many)?;
    let rebuilt = rebuilding::measure(stage)?;
    if plan.wants(crate::options::Row::Search) {
        searches.push(searching::search(stage)?);
    }
    let growth = Growth::of(database)?;
    Ok(Past { dispenses: [few, many], rebuilt, searches: searches.try_into().ok(), growth })
}

/// Keeps the patterns, and empties the log. Returns how many partitions it has.
fn begin(database: &Database) -> anyhow::Result<usize> {
    progress("keeping patterns, and emptying the log");
    database.tell(
        DISPENSE,
        &format!(
            "SET session_replication_role = replica;
             CREATE TABLE patterns AS
             SELECT e.*, b.body, row_number() OVER (PARTITION BY e.partition ORDER BY position) - 1 AS n
             FROM events e JOIN personal_bodies b USING (partition, position)
             WHERE e.event_type = 'HoldCreated' AND e.position <= 4 * {PATTERNS};
             DELETE FROM patterns WHERE n >= {PATTERNS};
             TRUNCATE events, personal_bodies;
             UPDATE log_head SET position = 0"
        ),
    )?;
    let count =
        |what: &str| -> anyhow::Result<usize> { Ok(database.ask(DISPENSE, what)?.trim().parse()?) };
    let partitions = count("SELECT count(*) FROM log_head")?;
    let least = count(
        "SELECT coalesce(min(found), 0) FROM (SELECT count(p.n) AS found FROM log_head h
         LEFT JOIN patterns p ON p.partition = h.partition GROUP BY h.partition) counted",
    )?;
    ensure!(least == PATTERNS, "a partition has {least} patterns only; let the rounds be longer");
    Ok(partitions)
}

/// Writes dispenses into the log until there are so many.
fn write(database: &Database, partitions: usize, from: usize, to: usize) -> anyhow::Result<()> {
    progress(&format!("writing a log of {to} dispenses"));
    let mut written = from;
    while written < to {
        let next = (written + AT_ONCE).min(to);
        database.tell(DISPENSE, &statements(written / partitions, next / partitions))?;
        written = next;
    }
    // Followers have nothing to read: a rebuild is to be measured, and not they.
    database.tell(
        DISPENSE,
        "UPDATE followers f SET position = h.position, hash = h.hash FROM log_head h
         WHERE h.partition = f.partition",
    )?;
    database.tell(DISPENSE, "VACUUM ANALYZE")
}

/// Writes the dispenses of each partition from one number to another. The last digits of an id tell its
/// partition, so they stay.
fn statements(from: usize, to: usize) -> String {
    format!(
        "CREATE TEMP TABLE copies AS
         SELECT p.partition, h.position + 2 * (k - {from}) + 1 AS position, k, p.n,
                overlay(md5(p.dispense_id::text || k)::uuid::text
                        PLACING right(p.dispense_id::text, 4) FROM 33)::uuid AS dispense_id,
                md5(p.aggregate_id || k)::uuid::text AS request_id,
                md5((p.payload #>> '{{medication_request,person_id}}') || k / 5)::uuid AS person_id,
                h.recorded_at + k * interval '1 microsecond' AS recorded_at
         FROM log_head h
         CROSS JOIN generate_series({from}, {to} - 1) k
         JOIN patterns p ON p.partition = h.partition AND p.n = k % {PATTERNS};
         INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
             payload, metadata, partition, position, event_id, dispense_id, recorded_at, hash)
         SELECT 'dispense', c.request_id, s.sequence, s.kind, '1.0', s.payload::json, p.metadata,
                c.partition, c.position + s.sequence - 1,
                md5(c.dispense_id::text || s.kind)::uuid, c.dispense_id, c.recorded_at,
                sha256((c.dispense_id::text || s.kind)::bytea)
         FROM copies c JOIN patterns p ON p.partition = c.partition AND p.n = c.n
         CROSS JOIN LATERAL (VALUES
             (1, 'HoldCreated', regexp_replace(replace(replace(replace(p.payload::text,
                 p.dispense_id::text, c.dispense_id::text), p.aggregate_id, c.request_id),
                 p.payload #>> '{{medication_request,person_id}}', c.person_id::text),
                 '\"dispensed_on\":\"[^\"]*\"',
                 '\"dispensed_on\":\"' || (c.recorded_at::date - c.k % 365) || '\"')),
             (2, 'Processed', '{{\"type\":\"Processed\",\"dispense_id\":\"' || c.dispense_id
                 || '\",\"signed\":false,\"payment_amount\":\"20\",\"remaining\":\"0\"}}')
         ) s (sequence, kind, payload)
         ORDER BY c.partition, c.position, s.sequence;
         INSERT INTO personal_bodies (partition, position, body)
         SELECT c.partition, c.position, p.body
         FROM copies c JOIN patterns p ON p.partition = c.partition AND p.n = c.n
         ORDER BY c.partition, c.position;
         UPDATE log_head h SET position = e.position, hash = e.hash, recorded_at = e.recorded_at
         FROM events e
         WHERE e.partition = h.partition AND e.position = h.position + 2 * ({to} - {from});
         DROP TABLE copies"
    )
}
