//! Medication requests: under the head lock of their partition, so that no decision is made while
//! one changes, and none of them changes under a dispense that relies on it.

use chrono::{DateTime, NaiveDate, Utc};
use dispensary::FaultyLine;
use dispense_domain::registry::{MedicationRequest, RegistryKind, RequestStatus};
use sqlx::PgConnection;
use uuid::Uuid;

use super::bringer::Bringer;
use super::changes::{ChainHead, Moment};
use super::fault::Stopped;
use super::found_by::FoundBy;
use super::merge::{Entry, Kept, Merged, Written};
use super::streams::{self, Stream};

const IN_USE: &str = "medication-request-in-use";

/// Lines that were held against what is kept and what was dispensed.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    partition: i16,
    merged: Merged<'a>,
    moment: Moment,
    /// The lines that dispenses forbid.
    pub faulty: Vec<FaultyLine>,
}

/// Takes the head lock of the partition and judges the lines, one after the other.
pub(super) async fn judge<'a>(
    db: &mut PgConnection,
    partition: u16,
    entries: &'a [Entry],
) -> Result<Judged<'a>, Stopped> {
    let partition = partition.cast_signed();
    let recorded_at = lock(db, partition).await?;
    let mut moment = moment(db).await?;
    // As every decision: never before the last event of the partition.
    moment.at = moment.at.max(recorded_at);

    let mut ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut merged = kept(db, partition, &ids).await?;
    let streams = streams::of(db, partition, &ids).await?;
    let mut faulty = Vec::new();
    for entry in entries {
        if merged.is_outdated(entry) {
            continue;
        }
        let forbidden = match streams.get(&entry.id) {
            Some(stream) => forbidden(&serde_json::from_str(&entry.data)?, stream, moment.at),
            None => None,
        };
        match forbidden {
            Some(message) => faulty.push(FaultyLine { line: entry.line, code: IN_USE, message }),
            None => merged.lay(entry),
        }
    }
    Ok(Judged { partition, merged, moment, faulty })
}

/// Writes what was found good.
pub(super) async fn apply(
    db: &mut PgConnection,
    head: ChainHead,
    judged: &Judged<'_>,
    by: Bringer<'_>,
) -> Result<(), Stopped> {
    let written = judged.merged.written();
    if written.is_empty() {
        return Ok(());
    }
    write(db, judged.partition, &written).await?;
    head.append(db, &written, judged.moment, by).await
}

/// The lock that the writer of the partition takes too, in a statement that reads nothing else.
async fn lock(db: &mut PgConnection, partition: i16) -> Result<DateTime<Utc>, Stopped> {
    let (_, _, recorded_at): (i64, Vec<u8>, DateTime<Utc>) = sqlx::query_as(
        "SELECT position, hash, recorded_at FROM log_head WHERE partition = $1 FOR UPDATE",
    )
    .bind(partition)
    .fetch_one(db)
    .await
    .map_err(Stopped::waiting)?;
    Ok(recorded_at)
}

pub(super) async fn moment(db: &mut PgConnection) -> Result<Moment, sqlx::Error> {
    let (version, at) = sqlx::query_as("SELECT version, clock_timestamp() FROM registry_version")
        .fetch_one(db)
        .await?;
    Ok(Moment { version, at })
}

/// A request as it is kept: its id, its text and time, and the four by which it is found.
type KeptRow = (
    Uuid,
    String,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    Option<Uuid>,
    Option<NaiveDate>,
    Option<NaiveDate>,
);

/// What is kept of the requests: one look into the index for each.
pub(super) async fn kept<'a>(
    db: &mut PgConnection,
    partition: i16,
    ids: &[Uuid],
) -> Result<Merged<'a>, sqlx::Error> {
    let rows: Vec<KeptRow> = sqlx::query_as(
        "SELECT wanted.id, kept.data::text, kept.updated_at, kept.care_plan_id, kept.activity_id,
                kept.started_at, kept.ended_at
         FROM UNNEST($2::uuid[]) AS wanted (id)
         CROSS JOIN LATERAL (
             SELECT data, updated_at, care_plan_id, activity_id, started_at, ended_at
             FROM medication_requests
             WHERE partition = $1 AND id = wanted.id
             LIMIT 1
         ) kept",
    )
    .bind(partition)
    .bind(ids)
    .fetch_all(db)
    .await?;
    let mut merged = Merged::default();
    for (id, data, updated_at, care_plan, activity, started_at, ended_at) in rows {
        let found_by = FoundBy { care_plan, activity, started_at, ended_at };
        // A medication request keeps no version: it is read afresh for each decision.
        let kept = Kept { data, version: 0, updated_at, found_by };
        merged.keep(RegistryKind::MedicationRequest, id, kept);
    }
    Ok(merged)
}

/// What the dispenses of a request have against a new record of it.
fn forbidden(new: &MedicationRequest, stream: &Stream, at: DateTime<Utc>) -> Option<String> {
    let was = &stream.opened_on;
    let changed = [
        ("medication_qty", was.prescribed.to_string(), new.medication_qty.to_string()),
        ("medication_id", was.medication.to_string(), new.medication_id.to_string()),
        ("person_id", was.person.to_string(), new.person_id.to_string()),
    ];
    if let Some((member, was, is)) = changed.into_iter().find(|(_, was, is)| was != is) {
        return Some(format!(
            "data.{member}: expected {was}, with which dispensing began, but found {is}; a \
             medication request that has dispenses keeps its quantity, medication and person"
        ));
    }
    if new.status != RequestStatus::Rejected {
        return None;
    }
    if let Some(hold) = stream.dispensing.live_hold(at) {
        return Some(format!(
            "data.status: REJECTED is not possible while a dispense is held ({}); let its pharmacy \
             cancel it, or wait until it has expired",
            hold.id
        ));
    }
    let processed = stream.dispensing.processed();
    (!processed.is_zero()).then(|| {
        format!(
            "data.status: REJECTED is not possible any more, because {} was dispensed; leave the \
             medication request as it is",
            processed.normalize()
        )
    })
}

pub(super) async fn write(
    db: &mut PgConnection,
    partition: i16,
    written: &[Written<'_>],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = written.iter().map(|record| record.entry.id).collect();
    let data: Vec<&str> = written.iter().map(|record| record.entry.data.as_str()).collect();
    let updated_at: Vec<_> = written.iter().map(|record| record.updated_at).collect();
    let found_by = || written.iter().map(|record| record.entry.found_by);
    sqlx::query(
        "INSERT INTO medication_requests
             (partition, id, request_number, person_id, data, updated_at, care_plan_id, activity_id,
              started_at, ended_at)
         SELECT head.partition, record.id, record.data::json ->> 'request_number',
                (record.data::json ->> 'person_id')::uuid, record.data::json, record.updated_at,
                record.care_plan_id, record.activity_id, record.started_at, record.ended_at
         FROM log_head head
         CROSS JOIN UNNEST($2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[],
                           $7::date[], $8::date[])
             AS record (id, data, updated_at, care_plan_id, activity_id, started_at, ended_at)
         WHERE head.partition = $1
         ON CONFLICT (partition, id) DO UPDATE
         SET request_number = excluded.request_number, person_id = excluded.person_id,
             data = excluded.data, updated_at = excluded.updated_at,
             care_plan_id = excluded.care_plan_id, activity_id = excluded.activity_id,
             started_at = excluded.started_at, ended_at = excluded.ended_at",
    )
    .bind(partition)
    .bind(&ids)
    .bind(&data)
    .bind(&updated_at)
    .bind(found_by().map(|it| it.care_plan).collect::<Vec<_>>())
    .bind(found_by().map(|it| it.activity).collect::<Vec<_>>())
    .bind(found_by().map(|it| it.started_at).collect::<Vec<_>>())
    .bind(found_by().map(|it| it.ended_at).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
