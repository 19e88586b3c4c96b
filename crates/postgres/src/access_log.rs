//! Who looked: written in batches beside the requests, and read by auditors.

mod reading;
mod watch;
mod writing;

use std::time::Duration;

use async_trait::async_trait;
use dispensary::Unavailable;
use dispensary::access::{Access, AccessLog, Look, LooksAsked, Unusual, UnusualAsked};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::connect;
use crate::log::within;
use writing::Waiting;

/// The most records that wait to be written.
const LENGTH: usize = 1024;

/// How long a request waits for room among them.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

/// How long it waits for its record then: longer than the database may take.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3);

/// Who looked, in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PgAccessLog {
    queue: mpsc::Sender<Waiting>,
    pool: PgPool,
}

impl PgAccessLog {
    /// The access log of that database, and what writes it: that has to run, and ends once `stop` is
    /// cancelled and nothing waits any more. It has connections of its own, so that neither those who
    /// read keep it waiting, nor auditors whose questions take long.
    pub fn new(
        options: &PgConnectOptions,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::channel(LENGTH);
        let log = Self { queue, pool: connect::auditing_pool(options) };
        (log, writing::write(connect::access_pool(options), waiting, stop))
    }
}

#[async_trait]
impl AccessLog for PgAccessLog {
    async fn record(&self, access: Access) -> Result<(), Unavailable> {
        let (answer, written) = oneshot::channel();
        let waiting = Waiting { access, answer };
        match self.queue.send_timeout(waiting, ROOM_WITHIN).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                return Err(silent("no room in time"));
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(silent("it has stopped")),
        }
        match tokio::time::timeout(WRITTEN_WITHIN, written).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(cause))) => Err(silent(cause)),
            Ok(Err(_)) => Err(silent("its writer is gone")),
            Err(_) => Err(silent("not written in time")),
        }
    }

    async fn looks(&self, asked: &LooksAsked) -> Result<Vec<Look>, Unavailable> {
        within(reading::looks(&self.pool, asked)).await
    }

    async fn unusual(&self, asked: &UnusualAsked) -> Result<Vec<Unusual>, Unavailable> {
        within(reading::unusual(&self.pool, asked)).await
    }
}

fn silent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unavailable {
    Unavailable { what: "the access log", source: source.into() }
}
