//! The sweep: records the end of holds that nobody came back for.
//!
//! A hold is over when its time has come, not when someone notices; the sweep only writes it down.
//! It looks through a read model, which may lag, so it may only suggest: the log decides.

use std::sync::Arc;
use std::time::Duration;

use dispensary::{AppendError, EventLog, Origin};
use dispense_domain::{Command, Expire, MedicationRequestId};
use futures::{StreamExt, stream};
use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rows::SYSTEM_USER;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// The most holds that it ends in one look, and at once: few enough to leave the queues to those
/// who wait at a counter.
const MOST: i64 = 1_000;
const AT_ONCE: usize = 64;

/// Ends holds that ran out, each second, until `stop` is cancelled.
pub async fn sweep(log: Arc<dyn EventLog>, pool: PgPool, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match lapsed(&pool).await {
            Ok(requests) => end(log.as_ref(), requests).await,
            Err(error) => tracing::warn!("the sweep cannot look for holds to end: {error}"),
        }
    }
}

/// Medication requests with a hold that ran out; counts the open ones by the way.
async fn lapsed(pool: &PgPool) -> Result<Vec<MedicationRequestId>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT medication_request_id FROM open_holds WHERE expires_at < clock_timestamp()
         ORDER BY expires_at LIMIT $1",
    )
    .bind(MOST)
    .fetch_all(pool)
    .await?;
    // The planner's estimate is good enough for a dial, and costs nothing.
    let open: f32 =
        sqlx::query_scalar("SELECT reltuples FROM pg_class WHERE oid = 'open_holds_v1'::regclass")
            .fetch_one(pool)
            .await?;
    metrics::gauge!("dispense_open_holds").set(f64::from(open.max(0.0)));
    rows.iter().map(|row| Ok(row.try_get::<Uuid, _>("medication_request_id")?.into())).collect()
}

async fn end(log: &dyn EventLog, requests: Vec<MedicationRequestId>) {
    let origin = Origin {
        user: SYSTEM_USER.into(),
        client: None,
        client_type: None,
        request_id: "sweep".into(),
        traceparent: None,
    };
    stream::iter(requests)
        .for_each_concurrent(AT_ONCE, |request| {
            let origin = origin.clone();
            async move {
                match log.append(request, Command::Expire(Expire), origin).await {
                    Ok(_) | Err(AppendError::Busy) => {}
                    Err(error) => {
                        tracing::warn!(medication_request.id = %request, "not ended yet: {error}");
                    }
                }
            }
        })
        .await;
}
