//! What registries said of a person.

use dispense_domain::registry::RegistryKind;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Erased;
use super::places::{Ledger, Place};
use crate::import::{Bringer, emptied};
use crate::registry_stream::letters;
use crate::settings::LogSettings;

const REQUESTS_KEPT: &str = "what was prescribed, its period, code, block and care plan decide what may be dispensed; \
     what people wrote into it was emptied";
const CARE_PLANS_KEPT: &str = "ids, status and days alone; decisions about the plan count by them";
const JOBS_KEPT: &str = "ids and a code alone; medication requests point at it";

/// Medication requests that name a doctor and can still be dispensed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OpenRequests {
    count: i64,
    last_day: Option<String>,
}

const OPEN: &str = "
SELECT count(*), max(m.data ->> 'dispense_valid_to') FROM medication_requests m
WHERE EXISTS (
          SELECT FROM registry_entries j
          WHERE j.kind = 'employee' AND j.data ->> 'party_id' = $1
                AND j.id::text = m.data ->> 'employee_id'
      )
      AND m.data ->> 'status' = 'ACTIVE'
      AND coalesce((m.data ->> 'dispense_valid_to')::date >= current_date - 1, true)
      AND coalesce(m.data ->> 'intent', 'order') = 'order'";

/// Counts the medication requests that could not be dispensed without that party. It reads the whole
/// table, so it is asked before anything is locked.
pub(super) async fn open_requests(
    db: &mut PgConnection,
    whom: Erased,
) -> Result<OpenRequests, sqlx::Error> {
    match whom {
        Erased::Person(_) => Ok(OpenRequests::default()),
        Erased::Party(id) => {
            let (count, last_day) = sqlx::query_as(OPEN).bind(id.to_string()).fetch_one(db).await?;
            Ok(OpenRequests { count, last_day })
        }
    }
}

/// Empties what the registries say.
pub(super) async fn empty(
    db: &mut PgConnection,
    log: LogSettings,
    whom: Erased,
    open_requests: &OpenRequests,
    ledger: &mut Ledger,
) -> Result<(), sqlx::Error> {
    let emptied = match whom {
        Erased::Person(id) => person(db, log, id.uuid(), ledger).await?,
        Erased::Party(id) => party(db, log, id.uuid(), open_requests, ledger).await?,
    };
    for letter in letters::silence(db, whom.id()).await? {
        ledger.emptied(Place::letter(letter));
    }
    salts(db, &emptied, ledger).await
}

/// Records by kind and id.
type Records = Vec<(RegistryKind, Uuid)>;

async fn person(
    db: &mut PgConnection,
    log: LogSettings,
    id: Uuid,
    ledger: &mut Ledger,
) -> Result<Records, sqlx::Error> {
    let mut records = Records::new();
    let found: Option<Uuid> = sqlx::query_scalar("SELECT id FROM persons WHERE id = $1")
        .bind(id)
        .fetch_optional(&mut *db)
        .await?;
    if found.is_some() {
        records.push((RegistryKind::Person, id));
        emptied::empty(db, log.log_id, &records, BY).await?;
        sqlx::query("DELETE FROM persons WHERE id = $1").bind(id).execute(&mut *db).await?;
        ledger.emptied(Place::record("persons", id));
    }
    for partition in log.partitions.all() {
        for request in emptied::strip(db, log.log_id, partition, id, BY).await? {
            records.push((RegistryKind::MedicationRequest, request));
            let place = Place::record("medication_requests", request);
            ledger.emptied(Place { partition: Some(partition.cast_signed()), ..place });
        }
    }
    ledger.keep(Place::of("medication_requests").kept(REQUESTS_KEPT));
    ledger.keep(Place::of("care_plans").kept(CARE_PLANS_KEPT));
    ledger.keep(Place::of("care_plan_activities").kept(CARE_PLANS_KEPT));
    Ok(records)
}

async fn party(
    db: &mut PgConnection,
    log: LogSettings,
    id: Uuid,
    open: &OpenRequests,
    ledger: &mut Ledger,
) -> Result<Records, sqlx::Error> {
    const OF_PARTY: &str = "
        SELECT kind, id FROM registry_entries
        WHERE (kind = 'party' AND id = $1 AND data::text <> $3)
           OR (kind = 'party_user' AND data ->> 'party_id' = $2)
        ORDER BY kind, id";
    let found: Vec<(String, Uuid)> = sqlx::query_as(OF_PARTY)
        .bind(id)
        .bind(id.to_string())
        .bind(emptied::NOTHING)
        .fetch_all(&mut *db)
        .await?;
    let mut records = Records::new();
    for (kind, id) in found {
        let place = Place::entry(&kind, id);
        match RegistryKind::named(&kind) {
            Some(RegistryKind::Party) if open.count > 0 => ledger.keep(place.kept(&open.why())),
            Some(kind) => {
                records.push((kind, id));
                ledger.emptied(place);
            }
            None => {}
        }
    }
    if !records.is_empty() {
        emptied::empty(db, log.log_id, &records, BY).await?;
    }
    let jobs = Place { kind: Some("employee".to_owned()), ..Place::of("registry_entries") };
    ledger.keep(jobs.kept(JOBS_KEPT));
    Ok(records)
}

impl OpenRequests {
    fn why(&self) -> String {
        let count = self.count;
        let until = match &self.last_day {
            Some(day) => format!("run this again after {day}"),
            None => "run this again when they are over".to_owned(),
        };
        format!(
            "{count} medication requests name this doctor and could not be dispensed without the \
             record; {until}"
        )
    }
}

/// The salts of all that was said before: without them, the digests of what was emptied say nothing.
async fn salts(
    db: &mut PgConnection,
    records: &Records,
    ledger: &mut Ledger,
) -> Result<(), sqlx::Error> {
    const SALTS: &str = "
        DELETE FROM registry_salts s
        USING UNNEST($1::text[], $2::uuid[]) AS r (kind, id)
        CROSS JOIN LATERAL (
            SELECT c.partition, c.number FROM registry_changes c
            WHERE c.kind = r.kind AND c.id = r.id ORDER BY c.number DESC OFFSET 1
        ) earlier
        WHERE s.partition = earlier.partition AND s.number = earlier.number
        RETURNING s.partition, s.number";
    let mut removed: Vec<(i16, i64)> = sqlx::query_as(SALTS)
        .bind(records.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>())
        .bind(records.iter().map(|(_, id)| *id).collect::<Vec<_>>())
        .fetch_all(db)
        .await?;
    removed.sort_unstable();
    for (partition, number) in removed {
        ledger.emptied(Place::salt(partition, number));
    }
    Ok(())
}

/// The service itself says what became of a record: no import did.
const BY: Bringer<'static> = Bringer::itself();
