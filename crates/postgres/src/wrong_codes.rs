//! Wrong verification codes: counted where they are judged, under the lock of the partition.
//!
//! A refused command records nothing, so they stand beside the log. Whoever judges a code has the
//! lock, knows every try that was committed before, and commits its own before anybody hears what
//! became of it: nobody gets more answers than the rule allows, however many ask at once. What was
//! rolled back was not heard and is not counted. Where it stays unknown what became of a COMMIT, a
//! try may count twice.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use dispense_domain::decide::create_hold::MOST_WRONG_CODES;
use dispense_domain::{LegalEntityId, MedicationRequestId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Writes the tries of a batch, all that count of each legal entity. Joined with the head, so that on
/// a cluster it stays one task.
const KEEP: &str = "
INSERT INTO wrong_codes (partition, medication_request_id, client_id, tried_at)
SELECT h.partition, u.request, u.client, array_agg(u.at ORDER BY u.at)
FROM log_head h
CROSS JOIN UNNEST($2::uuid[], $3::uuid[], $4::timestamptz[]) AS u (request, client, at)
WHERE h.partition = $1
GROUP BY h.partition, u.request, u.client
ON CONFLICT (partition, medication_request_id, client_id)
DO UPDATE SET tried_at = excluded.tried_at";

/// The most rows that one look removes.
const MOST_FORGOTTEN: i64 = 1_000;

/// Removes what no rule counts any more. A row that a batch is writing is left to the next look: a
/// writer never waits for this one, and this one never for a writer.
const FORGET: &str = "
DELETE FROM wrong_codes w
USING (
    SELECT o.partition, o.medication_request_id, o.client_id FROM wrong_codes o
    WHERE o.tried_at[cardinality(o.tried_at)] < clock_timestamp() - interval '1 hour'
    LIMIT $1 FOR UPDATE SKIP LOCKED
) over
WHERE w.partition = over.partition AND w.medication_request_id = over.medication_request_id
      AND w.client_id = over.client_id";

type Key = (MedicationRequestId, LegalEntityId);

/// The wrong tries that a batch knows: those that were kept before, and its own.
#[derive(Debug, Default)]
pub(crate) struct WrongCodes {
    tried_at: BTreeMap<Key, Vec<DateTime<Utc>>>,
    added: BTreeSet<Key>,
}

impl WrongCodes {
    /// Takes over a try that was kept.
    pub(crate) fn keep(
        &mut self,
        request: MedicationRequestId,
        client: LegalEntityId,
        at: DateTime<Utc>,
    ) {
        self.tried_at.entry((request, client)).or_default().push(at);
    }

    /// Adds a try of this batch. The latest count, as many as the rule allows.
    pub(crate) fn add(
        &mut self,
        request: MedicationRequestId,
        client: LegalEntityId,
        at: DateTime<Utc>,
    ) {
        let tries = self.tried_at.entry((request, client)).or_default();
        tries.push(at);
        tries.sort_unstable();
        tries.drain(..tries.len().saturating_sub(MOST_WRONG_CODES));
        self.added.insert((request, client));
    }

    /// When that legal entity gave wrong codes for that medication request.
    pub(crate) fn of(
        &self,
        request: MedicationRequestId,
        client: LegalEntityId,
    ) -> Vec<DateTime<Utc>> {
        self.tried_at.get(&(request, client)).cloned().unwrap_or_default()
    }

    /// Writes what the batch added, in its transaction.
    pub(crate) async fn write(
        &self,
        db: &mut PgConnection,
        partition: i16,
    ) -> Result<(), sqlx::Error> {
        if self.added.is_empty() {
            return Ok(());
        }
        let (mut requests, mut clients) = (Vec::<Uuid>::new(), Vec::<Uuid>::new());
        let mut tried_at = Vec::new();
        for key in &self.added {
            for at in self.of(key.0, key.1) {
                requests.push(key.0.uuid());
                clients.push(key.1.uuid());
                tried_at.push(at);
            }
        }
        sqlx::query(KEEP)
            .bind(partition)
            .bind(requests)
            .bind(clients)
            .bind(tried_at)
            .execute(db)
            .await
            .map(|_| ())
    }
}

/// Removes rows that are over for good.
pub(crate) async fn forget(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query(FORGET).bind(MOST_FORGOTTEN).execute(pool).await.map(|_| ())
}
