//! Everything but medication requests: read, merge, write.

use chrono::{DateTime, Utc};
use dispense_domain::registry::RegistryKind;
use sqlx::PgConnection;
use uuid::Uuid;

use super::bringer::Bringer;
use super::changes::{ChainHead, Moment};
use super::fault::Stopped;
use super::found_by::FoundBy;
use super::merge::{Entry, Kept, Merged, Written};

/// Where a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    /// The small registries.
    Entries,
    Persons,
    CarePlans,
    CarePlanActivities,
    /// Not here: [`super::requests`].
    MedicationRequests,
}

/// Applies lines under the lock of their chain.
pub(super) async fn apply(
    db: &mut PgConnection,
    head: ChainHead,
    entries: &[Entry],
    by: Bringer<'_>,
) -> Result<(), Stopped> {
    let mut merged = kept(db, entries).await?;
    for entry in entries {
        merged.lay(entry);
    }
    let written = merged.written();
    if written.is_empty() {
        return Ok(());
    }
    let moment = moment(db, &written).await?;
    for (table, upsert) in [
        (Table::Entries, UPSERT_ENTRIES),
        (Table::Persons, UPSERT_PERSONS),
        (Table::CarePlans, UPSERT_CARE_PLANS),
        (Table::CarePlanActivities, UPSERT_CARE_PLAN_ACTIVITIES),
    ] {
        let rows = Rows::of(table, &written, moment.version);
        if !rows.ids.is_empty() {
            rows.write(db, upsert).await?;
        }
    }
    head.append(db, &written, moment, by).await
}

/// What is kept of the records that the lines describe: one look into an index for each.
async fn kept<'a>(db: &mut PgConnection, entries: &'a [Entry]) -> Result<Merged<'a>, sqlx::Error> {
    type Row = (i64, String, i64, Option<DateTime<Utc>>);
    let (places, kinds, ids) = places(entries);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT wanted.place, kept.data::text, kept.version, kept.updated_at
         FROM UNNEST($1::bigint[], $2::text[], $3::uuid[]) AS wanted (place, kind, id)
         CROSS JOIN LATERAL (
             SELECT data, version, updated_at FROM registry_entries
             WHERE kind = wanted.kind AND id = wanted.id
             UNION ALL
             SELECT data, version, updated_at FROM persons
             WHERE wanted.kind = 'person' AND id = wanted.id
             UNION ALL
             SELECT data, version, updated_at FROM care_plans
             WHERE wanted.kind = 'care_plan' AND id = wanted.id
             UNION ALL
             SELECT data, version, updated_at FROM care_plan_activities
             WHERE wanted.kind = 'care_plan_activity' AND id = wanted.id
             LIMIT 1
         ) kept",
    )
    .bind(places)
    .bind(kinds)
    .bind(ids)
    .fetch_all(db)
    .await?;
    let mut merged = Merged::default();
    for (place, data, version, updated_at) in rows {
        let place = usize::try_from(place).ok();
        if let Some(entry) = place.and_then(|place| entries.get(place)) {
            let found_by = FoundBy::default();
            merged.keep(entry.kind, entry.id, Kept { data, version, updated_at, found_by });
        }
    }
    Ok(merged)
}

/// The version with which these records can be seen, and the time.
async fn moment(db: &mut PgConnection, written: &[Written<'_>]) -> Result<Moment, sqlx::Error> {
    let is_small_change = written
        .iter()
        .any(|record| record.stays_at.is_none() && Table::of(record.entry.kind) == Table::Entries);
    let statement = if is_small_change {
        "UPDATE registry_version SET version = version + 1 RETURNING version, clock_timestamp()"
    } else {
        "SELECT version, clock_timestamp() FROM registry_version"
    };
    let (version, at) = sqlx::query_as(statement).fetch_one(db).await?;
    Ok(Moment { version, at })
}

/// Place, kind and id of each line.
fn places(entries: &[Entry]) -> (Vec<i64>, Vec<&'static str>, Vec<Uuid>) {
    let places = (0..).take(entries.len()).collect();
    let kinds = entries.iter().map(|entry| entry.kind.as_str()).collect();
    (places, kinds, entries.iter().map(|entry| entry.id).collect())
}

/// Columns of the records to write.
#[derive(Debug, Default)]
struct Rows<'a> {
    kinds: Vec<&'static str>,
    ids: Vec<Uuid>,
    data: Vec<&'a str>,
    versions: Vec<i64>,
    updated_at: Vec<Option<DateTime<Utc>>>,
}

impl<'a> Rows<'a> {
    fn of(table: Table, written: &[Written<'a>], version: i64) -> Self {
        let mut rows = Self::default();
        for record in written.iter().filter(|record| Table::of(record.entry.kind) == table) {
            rows.kinds.push(record.entry.kind.as_str());
            rows.ids.push(record.entry.id);
            rows.data.push(&record.entry.data);
            rows.versions.push(record.stays_at.unwrap_or(version));
            rows.updated_at.push(record.updated_at);
        }
        rows
    }

    async fn write(&self, db: &mut PgConnection, upsert: &str) -> Result<(), sqlx::Error> {
        sqlx::query(upsert)
            .bind(&self.kinds)
            .bind(&self.ids)
            .bind(&self.data)
            .bind(&self.versions)
            .bind(&self.updated_at)
            .execute(db)
            .await?;
        Ok(())
    }
}

impl Table {
    const fn of(kind: RegistryKind) -> Self {
        match kind {
            RegistryKind::LegalEntity
            | RegistryKind::Division
            | RegistryKind::HealthcareService
            | RegistryKind::Party
            | RegistryKind::PartyUser
            | RegistryKind::Employee
            | RegistryKind::Contract
            | RegistryKind::MedicalProgram
            | RegistryKind::MedicalProgramProvision
            | RegistryKind::Medication
            | RegistryKind::ProgramMedication => Self::Entries,
            RegistryKind::Person => Self::Persons,
            RegistryKind::CarePlan => Self::CarePlans,
            RegistryKind::CarePlanActivity => Self::CarePlanActivities,
            RegistryKind::MedicationRequest => Self::MedicationRequests,
        }
    }
}

const UPSERT_ENTRIES: &str = "
    INSERT INTO registry_entries (kind, id, data, version, updated_at)
    SELECT kind, id, data::json, version, updated_at
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
        AS record (kind, id, data, version, updated_at)
    ON CONFLICT (kind, id) DO UPDATE
    SET data = excluded.data, version = excluded.version, updated_at = excluded.updated_at";

const UPSERT_PERSONS: &str = "
    INSERT INTO persons (id, data, version, updated_at)
    SELECT id, data::json, version, updated_at
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
        AS record (kind, id, data, version, updated_at)
    ON CONFLICT (id) DO UPDATE
    SET data = excluded.data, version = excluded.version, updated_at = excluded.updated_at";

const UPSERT_CARE_PLANS: &str = "
    INSERT INTO care_plans (id, data, version, updated_at)
    SELECT id, data::json, version, updated_at
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
        AS record (kind, id, data, version, updated_at)
    ON CONFLICT (id) DO UPDATE
    SET data = excluded.data, version = excluded.version, updated_at = excluded.updated_at";

const UPSERT_CARE_PLAN_ACTIVITIES: &str = "
    INSERT INTO care_plan_activities (id, care_plan_id, data, version, updated_at)
    SELECT id, (data::json ->> 'care_plan_id')::uuid, data::json, version, updated_at
    FROM UNNEST($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[])
        AS record (kind, id, data, version, updated_at)
    ON CONFLICT (id) DO UPDATE
    SET care_plan_id = excluded.care_plan_id, data = excluded.data, version = excluded.version,
        updated_at = excluded.updated_at";
