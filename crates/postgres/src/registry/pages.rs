//! Reading on in the small registries, page by page.

use std::sync::Arc;

use dispensary::Registries;
use dispense_domain::registry::RegistryKind;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;

use crate::import::emptied;

/// Records on a page: each statement stays far below the time that the serving role has, however
/// large the registry is.
const PAGE: i64 = 2_000;

/// The version of the registries, and one record of the page if it has any.
type Row = (i64, Option<i64>, Option<String>, Option<Uuid>, Option<String>);

/// Where a page ended.
#[derive(Debug)]
struct Place {
    version: i64,
    kind: String,
    id: Uuid,
}

impl Place {
    /// Behind all records of a version: no kind comes after a tilde, no id after the greatest.
    fn behind(version: i64) -> Self {
        Self { version, kind: "~".to_owned(), id: Uuid::max() }
    }

    fn of(row: &Row) -> Option<Self> {
        let (_, Some(version), Some(kind), Some(id), _) = row else { return None };
        Some(Self { version: *version, kind: kind.clone(), id: *id })
    }
}

/// What the registries say now: `held` itself if it is that.
///
/// # Errors
///
/// The database does not answer.
pub(super) async fn after(
    pool: &PgPool,
    held: Arc<Registries>,
) -> Result<Arc<Registries>, sqlx::Error> {
    let first = page(pool, &Place::behind(held.version)).await?;
    let version = first.first().map_or(0, |row| row.0);
    if version == held.version {
        return Ok(held);
    }
    if version < held.version {
        tracing::error!(
            registry.version = version,
            held.version = held.version,
            "the database has older registries than this service held: it was restored; reading \
             all of them again"
        );
        let first = page(pool, &Place::behind(0)).await?;
        return read_on(pool, first, Arc::default()).await;
    }
    read_on(pool, first, held).await
}

/// Puts page after page onto `registries`.
///
/// No transaction spans the pages, and none is needed. Records are read in the order of their
/// versions, none is ever removed, and importers take turns, so whatever changes behind our back
/// moves to the end of that order. When a page is not full, it and the pages before it agree with
/// the version that the same statement read.
async fn read_on(
    pool: &PgPool,
    first: Vec<Row>,
    mut registries: Arc<Registries>,
) -> Result<Arc<Registries>, sqlx::Error> {
    let mut rows = first;
    loop {
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
        let next = rows.last().and_then(Place::of).filter(|_| is_full);
        let is_last = next.is_none();
        let building = tokio::task::spawn_blocking(move || add(registries, rows, is_last));
        registries = building.await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        match next {
            Some(place) => rows = page(pool, &place).await?,
            None => return Ok(registries),
        }
    }
}

/// One page and the version. `LIMIT 1` tells the planner that there is one: for a table that was
/// never analysed it expects thousands of rows, and prepares for them longer than it reads.
async fn page(pool: &PgPool, place: &Place) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as(
        "SELECT now.version, entry.version, entry.kind, entry.id, entry.data::text
         FROM (SELECT version FROM registry_version LIMIT 1) now
         LEFT JOIN LATERAL (
             SELECT version, kind, id, data
             FROM registry_entries
             WHERE (version, kind, id) > ($1, $2, $3)
             ORDER BY version, kind, id
             LIMIT $4
         ) entry ON true
         ORDER BY entry.version, entry.kind, entry.id",
    )
    .bind(place.version)
    .bind(&place.kind)
    .bind(place.id)
    .bind(PAGE)
    .fetch_all(pool)
    .await
}

fn add(registries: Arc<Registries>, rows: Vec<Row>, is_last: bool) -> Arc<Registries> {
    // The first page finds a snapshot that others hold, and copies it; the next ones do not.
    let mut registries = Arc::unwrap_or_clone(registries);
    for row in rows {
        registries.version = row.0;
        take(&mut registries, row);
    }
    if is_last {
        registries.index();
    }
    registries.into()
}

/// Puts a record where it belongs. One that cannot be read is left out: what it was is not what the
/// registry says any more.
fn take(registries: &mut Registries, row: Row) {
    let (_, _, Some(kind), Some(id), Some(data)) = row else { return };
    let Some(known) = RegistryKind::named(&kind) else {
        tracing::error!(registry.kind = kind, registry.id = %id, "unknown kind of record; skipped");
        return;
    };
    if let Err(error) = put(registries, known, id, &data) {
        tracing::error!(
            %error, registry.kind = kind, registry.id = %id,
            "this record cannot be read and is skipped; import it again"
        );
    }
}

fn put(
    registries: &mut Registries,
    kind: RegistryKind,
    id: Uuid,
    data: &str,
) -> Result<(), serde_json::Error> {
    match kind {
        RegistryKind::LegalEntity => swap(&mut registries.legal_entities, id, data),
        RegistryKind::Division => swap(&mut registries.divisions, id, data),
        RegistryKind::HealthcareService => swap(&mut registries.healthcare_services, id, data),
        RegistryKind::Party => swap(&mut registries.parties, id, data),
        RegistryKind::PartyUser => swap(&mut registries.party_users, id, data),
        RegistryKind::Employee => swap(&mut registries.employees, id, data),
        RegistryKind::Contract => swap(&mut registries.contracts, id, data),
        RegistryKind::MedicalProgram => swap(&mut registries.medical_programs, id, data),
        RegistryKind::MedicalProgramProvision => swap(&mut registries.provisions, id, data),
        RegistryKind::Medication => swap(&mut registries.medications, id, data),
        RegistryKind::ProgramMedication => swap(&mut registries.program_medications, id, data),
        RegistryKind::Person
        | RegistryKind::MedicationRequest
        | RegistryKind::CarePlan
        | RegistryKind::CarePlanActivity => Ok(()),
    }
}

fn swap<Id, Record>(
    records: &mut std::collections::HashMap<Id, Arc<Record>>,
    id: Uuid,
    data: &str,
) -> Result<(), serde_json::Error>
where
    Id: From<Uuid> + Eq + std::hash::Hash,
    Record: DeserializeOwned,
{
    let id = id.into();
    // Whatever comes of it, the old record is not what the registry says.
    records.remove(&id);
    if data == emptied::NOTHING {
        return Ok(());
    }
    records.insert(id, Arc::new(serde_json::from_str(data)?));
    Ok(())
}
