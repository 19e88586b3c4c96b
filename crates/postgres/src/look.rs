//! The first statement after the lock: the time, and what tables say about medication requests.
//! Questions that pass no writer read with the same statement, so that they see what a decision sees.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use dispensary::{Registries, RequestRecords};
use dispense_domain::decide::MOST_DISPENSES;
use dispense_domain::registry::MedicationRequest;
use dispense_domain::{Care, LegalEntityId, MedicationRequestId, RequestEvidence};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, Row};
use uuid::Uuid;

use crate::wrong_codes::WrongCodes;

/// The most other medication requests of a patient, and of an activity, that are looked at.
const MOST_OF_PATIENT: usize = 128;
const MOST_OF_ACTIVITY: usize = 256;

/// Time, registry version, and the medication requests, each with what large tables say about it:
///
/// * `p`: the patient; `a`, `c`: the activity and the care plan that it is based on;
/// * `o`: other requests of the patient, whatever their partition, with a day of treatment in common
///   and of which something was handed over, by their streams;
/// * `s`: how much was handed over on the other requests of the activity, by their streams;
/// * `w`: what legal entities of this batch lately gave wrong codes.
///
/// Only candidates are chosen here; the rules judge their records. Each part is a look along one
/// index: LIMIT keeps the planner from turning it into a scan, and the order of a stream from
/// reading a partition where the log is young. A column that is null finds nothing and costs
/// nothing.
pub(crate) static TIME_AND_REQUESTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
SELECT (SELECT clock_timestamp()) AS at, (SELECT version FROM registry_version) AS version,
       r.data::text AS request, p.data::text AS person, a.data::text AS activity,
       c.data::text AS care_plan, o.records AS others, s.processed, w.clients, w.tried_at
FROM UNNEST($2::uuid[]) WITH ORDINALITY AS k (id, n)
LEFT JOIN LATERAL (
    SELECT m.data, m.person_id, m.care_plan_id, m.activity_id,
           coalesce(m.started_at, '-infinity'::date) AS first_day,
           coalesce(m.ended_at, 'infinity'::date) AS last_day
    FROM medication_requests m WHERE m.partition = $1 AND m.id = k.id LIMIT 1
) r ON true
LEFT JOIN LATERAL (SELECT t.data FROM persons t WHERE t.id = r.person_id LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT t.data, t.care_plan_id FROM care_plan_activities t WHERE t.id = r.activity_id LIMIT 1
) a ON true
LEFT JOIN LATERAL (
    SELECT t.data FROM care_plans t
    WHERE t.id = CASE WHEN r.activity_id IS NOT NULL THEN coalesce(r.care_plan_id, a.care_plan_id) END
    LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT array_agg(m.data::text) AS records
    FROM (
        SELECT t.partition, t.id, t.data FROM medication_requests t
        WHERE t.person_id = r.person_id AND coalesce(t.ended_at, 'infinity'::date) >= r.first_day
              AND coalesce(t.started_at, '-infinity'::date) <= r.last_day AND t.id <> k.id
        ORDER BY coalesce(t.ended_at, 'infinity'::date) LIMIT {MOST_OF_PATIENT}
    ) m
    CROSS JOIN LATERAL (
        SELECT FROM events v
        WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = m.id::text
              AND v.partition = m.partition AND v.event_type = 'Processed'
        ORDER BY v.sequence LIMIT 1
    ) handed_over
) o ON true
LEFT JOIN LATERAL (
    SELECT sum((item ->> 'quantity')::numeric)::text AS processed
    FROM (
        SELECT t.partition, t.id FROM medication_requests t
        WHERE t.activity_id = r.activity_id AND t.id <> k.id LIMIT {MOST_OF_ACTIVITY}
    ) m
    CROSS JOIN LATERAL (
        SELECT v.dispense_id FROM events v
        WHERE v.aggregate_type = 'dispense' AND v.aggregate_id = m.id::text
              AND v.partition = m.partition AND v.event_type = 'Processed'
        ORDER BY v.sequence LIMIT {MOST_DISPENSES}
    ) handed_over
    CROSS JOIN LATERAL (
        SELECT v.payload FROM events v
        WHERE v.partition = m.partition AND v.dispense_id = handed_over.dispense_id
              AND v.event_type = 'HoldCreated'
        LIMIT 1
    ) held
    CROSS JOIN LATERAL json_array_elements(held.payload -> 'items') AS item
) s ON true
LEFT JOIN LATERAL (
    SELECT array_agg(t.client_id) AS clients, array_agg(tried.at) AS tried_at
    FROM wrong_codes t CROSS JOIN LATERAL UNNEST(t.tried_at) AS tried (at)
    WHERE t.partition = $1 AND t.medication_request_id = k.id AND t.client_id = ANY($3::uuid[])
) w ON true
ORDER BY k.n"
    )
});

/// What that statement read.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) at: DateTime<Utc>,
    pub(crate) registry_version: i64,
    pub(crate) requests: HashMap<MedicationRequestId, RequestTexts>,
    pub(crate) wrong_codes: WrongCodes,
}

/// A medication request and what tables say about it, as text.
#[derive(Debug)]
pub(crate) struct RequestTexts {
    request: Option<String>,
    person: Option<String>,
    activity: Option<String>,
    care_plan: Option<String>,
    others: Option<Vec<String>>,
    processed: Option<String>,
}

/// Reads what is known about those medication requests of a partition, and the wrong codes that
/// those legal entities gave for them.
pub(crate) async fn look(
    db: impl PgExecutor<'_>,
    partition: i16,
    requests: &[MedicationRequestId],
    clients: &[LegalEntityId],
) -> Result<Looked, sqlx::Error> {
    let ids: Vec<Uuid> = requests.iter().map(|id| id.uuid()).collect();
    let clients: Vec<Uuid> = clients.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query(&TIME_AND_REQUESTS)
        .bind(partition)
        .bind(ids)
        .bind(clients)
        .fetch_all(db)
        .await?;
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let mut looked = Looked {
        at: first.try_get("at")?,
        registry_version: first.try_get("version")?,
        requests: HashMap::with_capacity(requests.len()),
        wrong_codes: WrongCodes::default(),
    };
    for (id, row) in requests.iter().zip(&rows) {
        looked.requests.insert(*id, RequestTexts::of(row)?);
        let clients: Option<Vec<Uuid>> = row.try_get("clients")?;
        let tried_at: Option<Vec<DateTime<Utc>>> = row.try_get("tried_at")?;
        let tries = clients.unwrap_or_default().into_iter().zip(tried_at.unwrap_or_default());
        for (client, at) in tries {
            looked.wrong_codes.keep(*id, client.into(), at);
        }
    }
    Ok(looked)
}

impl RequestTexts {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            request: row.try_get("request")?,
            person: row.try_get("person")?,
            activity: row.try_get("activity")?,
            care_plan: row.try_get("care_plan")?,
            others: row.try_get("others")?,
            processed: row.try_get("processed")?,
        })
    }

    /// What it says, with what the small registries say. A record that cannot be read counts as not
    /// found, loudly.
    pub(crate) fn evidence(
        &self,
        id: MedicationRequestId,
        registries: &Registries,
    ) -> Option<RequestEvidence> {
        let request: Arc<MedicationRequest> = parsed(id, self.request.as_ref())?;
        let read = self.others.iter().flatten().filter_map(|text| parsed(id, Some(text)));
        let mut others: Vec<Arc<MedicationRequest>> = read.collect();
        others.sort_unstable_by_key(|other| other.id);
        Some(registries.request_evidence(RequestRecords {
            person: parsed(id, self.person.as_ref()),
            others,
            care: request.is_based_on().activity.map(|_| self.care(id)),
            request,
        }))
    }

    fn care(&self, id: MedicationRequestId) -> Care {
        // More than a decimal holds is more than any activity has.
        let sum = |text: &String| text.parse().unwrap_or(Decimal::MAX);
        Care {
            plan: parsed(id, self.care_plan.as_ref()),
            activity: parsed(id, self.activity.as_ref()),
            processed: self.processed.as_ref().map_or(Decimal::ZERO, sum),
        }
    }
}

fn parsed<T: DeserializeOwned>(id: MedicationRequestId, text: Option<&String>) -> Option<Arc<T>> {
    serde_json::from_str(text?)
        .inspect_err(|error| {
            tracing::error!(medication_request.id = %id, "a registry record is unreadable: {error}");
        })
        .ok()
        .map(Arc::new)
}
