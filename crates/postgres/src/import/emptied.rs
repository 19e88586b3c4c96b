//! Records of an erased person: emptied in the tables, and told in the chain of changes, so that an
//! auditor sees from when on a registry said no more.

use dispense_domain::registry::{MedicationRequest, RegistryKind};
use sqlx::PgConnection;
use uuid::Uuid;

use super::bringer::Bringer;
use super::changes::{ChainHead, Moment};
use super::fault::Stopped;
use super::found_by::FoundBy;
use super::merge::Entry;
use super::{Part, entries, requests};

/// What stands in place of a record that was erased: JSON's null. Readers take it for a record that
/// is not there.
pub(crate) const NOTHING: &str = "null";

/// Empties records that are not medication requests.
pub(crate) async fn empty(
    db: &mut PgConnection,
    log_id: Uuid,
    records: &[(RegistryKind, Uuid)],
    by: Bringer<'_>,
) -> Result<(), sqlx::Error> {
    let entry = |(kind, id): &(RegistryKind, Uuid)| Entry {
        line: 0,
        kind: *kind,
        id: *id,
        data: NOTHING.to_owned(),
        found_by: FoundBy::default(),
        updated_at: None,
    };
    let emptied: Vec<Entry> = records.iter().map(entry).collect();
    let written = async {
        let head = ChainHead::lock(db, Part::Rest, log_id).await?;
        entries::apply(db, head, &emptied, by).await
    };
    written.await.map_err(in_the_database)
}

/// Takes out of the medication requests of that patient what people wrote, and says which of them
/// that changed. What a decision looks at stays: a record without its code, its block or its care
/// plan would allow what was forbidden. The caller has the head lock of the partition.
pub(crate) async fn strip(
    db: &mut PgConnection,
    log_id: Uuid,
    partition: u16,
    patient: Uuid,
    by: Bringer<'_>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let stripped = async {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM medication_requests WHERE partition = $1 AND person_id = $2 ORDER BY id",
        )
        .bind(partition.cast_signed())
        .bind(patient)
        .fetch_all(&mut *db)
        .await?;
        let kept = requests::kept(db, partition.cast_signed(), &ids).await?;
        let mut emptied = Vec::new();
        for (id, record) in kept.texts() {
            let request: MedicationRequest = serde_json::from_str(&record.data)?;
            let silent = without_words(&request);
            if silent != request {
                let (data, found_by) = (serde_json::to_string(&silent)?, record.found_by);
                let kind = RegistryKind::MedicationRequest;
                emptied.push(Entry { line: 0, kind, id, data, found_by, updated_at: None });
            }
        }
        if emptied.is_empty() {
            return Ok(Vec::new());
        }
        emptied.sort_by_key(|entry| entry.id);
        let mut merged = kept;
        for entry in &emptied {
            merged.lay(entry);
        }
        let head = ChainHead::lock(db, Part::Requests(partition), log_id).await?;
        let moment: Moment = requests::moment(db).await?;
        let written = merged.written();
        requests::write(db, partition.cast_signed(), &written).await?;
        head.append(db, &written, moment, by).await?;
        Ok(emptied.iter().map(|entry| entry.id).collect())
    };
    stripped.await.map_err(in_the_database)
}

/// The record without free text, and without what was carried as it came.
fn without_words(request: &MedicationRequest) -> MedicationRequest {
    MedicationRequest {
        context: None,
        dosage_instruction: None,
        rejected_by: None,
        reject_reason: None,
        block_reason: None,
        container_dosage: None,
        prior_prescription: None,
        note: None,
        inform_with: None,
        ..request.clone()
    }
}

fn in_the_database(stopped: Stopped) -> sqlx::Error {
    match stopped {
        Stopped::Busy(error) | Stopped::TooLong(error) | Stopped::Database(error) => error,
        other @ (Stopped::UnknownEvent { .. } | Stopped::Unreadable(_) | Stopped::Random(_)) => {
            sqlx::Error::Decode(Box::new(other))
        }
    }
}
