//! The sweep: records the end of holds that nobody came back for.
//!
//! A hold is over when its time has come, not when someone notices; the sweep only writes it down.
//! It looks through a read model, which may lag, so it may only suggest: the log decides. Now and
//! then it removes wrong verification codes that count no more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dispensary::{AppendError, EventLog, Origin};
use dispense_domain::{Command, Expire, MedicationRequestId};
use futures::{StreamExt, stream};
use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rows::SYSTEM_USER;
use crate::wrong_codes;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);

/// How often it counts the open holds.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// How often it removes wrong verification codes.
const FORGET_EVERY: Duration = Duration::from_mins(1);

/// The most holds that it ends in one look, and at once: few enough to leave the queues to those
/// who wait at a counter.
const MOST: i64 = 1_000;
const AT_ONCE: usize = 64;

/// Ends holds that ran out, each second, and removes wrong codes that are over, until `stop` is
/// cancelled.
pub async fn sweep(log: Arc<dyn EventLog>, pool: PgPool, stop: CancellationToken) {
    let (mut counted, mut forgotten): (Option<Instant>, Option<Instant>) = (None, None);
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            count(&pool).await;
            counted = Some(Instant::now());
        }
        if forgotten.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            if let Err(error) = wrong_codes::forget(&pool).await {
                tracing::warn!("the sweep cannot remove old wrong codes: {error}");
            }
            forgotten = Some(Instant::now());
        }
        match lapsed(&pool).await {
            Ok(requests) => end(log.as_ref(), requests).await,
            Err(error) => tracing::warn!("the sweep cannot look for holds to end: {error}"),
        }
    }
}

/// Medication requests with a hold that ran out.
async fn lapsed(pool: &PgPool) -> Result<Vec<MedicationRequestId>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT medication_request_id FROM open_holds WHERE expires_at < (SELECT clock_timestamp())
         ORDER BY expires_at LIMIT $1",
    )
    .bind(MOST)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid, _>("medication_request_id")?.into())).collect()
}

/// Counts the open holds, for the dial, and those that ran out and should long have been ended.
#[allow(clippy::cast_precision_loss, reason = "a count is far below 2^52")]
async fn count(pool: &PgPool) {
    let counted = sqlx::query_as::<_, (i64, i64)>(
        "SELECT count(*), count(*) FILTER (WHERE expires_at < s.at - interval '1 minute')
         FROM open_holds, (SELECT clock_timestamp() AS at) s",
    );
    if let Ok((open, lapsed)) = counted.fetch_one(pool).await {
        metrics::gauge!("dispense_open_holds").set(open as f64);
        metrics::gauge!("dispense_lapsed_holds").set(lapsed as f64);
    }
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
