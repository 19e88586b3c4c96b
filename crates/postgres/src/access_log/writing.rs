//! Writes down who looked, a batch at a time: while one batch commits, the next one gathers. Whoever
//! waits is told once the commit is known, and only then shows anything.

use std::fmt::Display;
use std::time::Instant;

use dispensary::access::{Access, Named};
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::watch::Watch;

/// The most records that one statement writes.
const BATCH: usize = 256;

/// The ids come as the text of an array each: an array of arrays would have to be of one length.
const WRITE: &str = "
INSERT INTO access_log
    (at, user_id, client_id, client_type, request_id, purpose, looked, patients,
     medication_requests, dispenses, beyond)
SELECT now.at, u.user_id, u.client_id, u.client_type, u.request_id, u.purpose, u.looked,
       u.patients::uuid[], u.medication_requests::uuid[], u.dispenses::uuid[], u.beyond
FROM (SELECT clock_timestamp() AS at) now
CROSS JOIN UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                  $7::text[], $8::text[], $9::text[], $10::bigint[])
    AS u (user_id, client_id, client_type, request_id, purpose, looked, patients,
          medication_requests, dispenses, beyond)";

/// A record that waits, and who waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) access: Access,
    pub(super) answer: oneshot::Sender<Result<(), String>>,
}

/// Writes what waits, until `stop` is cancelled and nothing waits any more.
pub(super) async fn write(
    pool: PgPool,
    mut queue: mpsc::Receiver<Waiting>,
    stop: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut watch = Watch::default();
    loop {
        tokio::select! {
            // What waits is written first; without waiters nothing keeps it from stopping.
            biased;
            taken = queue.recv_many(&mut batch, BATCH) => if taken == 0 { return },
            () = stop.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        }
        metrics::gauge!("dispense_access_log_waiting").set(whole(queue.len()));
        let began = Instant::now();
        // A commit whose outcome stayed unknown may stand there twice then, which misleads nobody.
        let written = match insert(&pool, &batch).await {
            Ok(()) => Ok(()),
            Err(_) => insert(&pool, &batch).await,
        };
        metrics::histogram!("dispense_access_log_write_seconds").record(began.elapsed());
        let records = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let outcome = match written {
            Ok(()) => {
                metrics::counter!("dispense_access_log_records_total").increment(records);
                Ok(())
            }
            Err(error) => {
                metrics::counter!("dispense_access_log_failures_total").increment(records);
                tracing::error!("who looked cannot be recorded, so nothing is shown: {error}");
                Err(error.to_string())
            }
        };
        for waiting in batch.drain(..) {
            if watch.notes(&waiting.access, began) {
                tell_of(&waiting.access);
            }
            // One that has gone away was shown nothing.
            let _ = waiting.answer.send(outcome.clone());
        }
    }
}

/// Says who looked at many patients in a short time; somebody should ask why.
fn tell_of(access: &Access) {
    metrics::counter!("dispense_access_unusual_total").increment(1);
    tracing::warn!(
        user.id = %access.user, client.id = %access.client,
        "a user looked at very many patients within an hour; see GET /api/v1/access-log/unusual"
    );
}

#[allow(clippy::cast_precision_loss, reason = "the queue is far shorter than 2^52")]
fn whole(count: usize) -> f64 {
    count as f64
}

async fn insert(pool: &PgPool, batch: &[Waiting]) -> Result<(), sqlx::Error> {
    let all = || batch.iter().map(|waiting| &waiting.access);
    let users: Vec<Uuid> = all().map(|it| it.user.uuid()).collect();
    let clients: Vec<Uuid> = all().map(|it| it.client.uuid()).collect();
    let client_types: Vec<&str> = all().map(|it| it.client_type.as_str()).collect();
    let request_ids: Vec<&str> = all().map(|it| &*it.request_id).collect();
    let purposes: Vec<Option<&str>> = all().map(|it| it.purpose.as_deref()).collect();
    let looked: Vec<&str> = all().map(|it| it.looked.as_str()).collect();
    let patients: Vec<String> = all().map(|it| array(&it.patients)).collect();
    let requests: Vec<String> = all().map(|it| array(&it.medication_requests)).collect();
    let dispenses: Vec<String> = all().map(|it| array(&it.dispenses)).collect();
    let beyond: Vec<i64> = all().map(beyond).collect();
    sqlx::query(WRITE)
        .bind(users)
        .bind(clients)
        .bind(client_types)
        .bind(request_ids)
        .bind(purposes)
        .bind(looked)
        .bind(patients)
        .bind(requests)
        .bind(dispenses)
        .bind(beyond)
        .execute(pool)
        .await
        .map(|_| ())
}

fn beyond(access: &Access) -> i64 {
    let patients = access.patients.beyond();
    let (requests, dispenses) = (access.medication_requests.beyond(), access.dispenses.beyond());
    i64::from(patients) + i64::from(requests) + i64::from(dispenses)
}

/// The ids as the database writes an array.
fn array<T: Copy + Eq + Display>(named: &Named<T>) -> String {
    let ids: Vec<String> = named.ids().iter().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}
