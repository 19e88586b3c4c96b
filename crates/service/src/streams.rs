//! What is announced, while the service runs: a relay for each partition of the log. Kafka is not asked
//! for anything before they run, so that nothing waits for it.

use std::sync::Arc;

use anyhow::Context;
use dispensary::relay::{RelayLog, Signs};
use dispense_kafka::{Relay, Settings};
use dispense_postgres::notify::Heard;
use dispense_postgres::{PgLog, PgRelayLog};
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

/// The relays, each of which announces until told to stop.
pub(crate) fn announce(
    kafka: &Settings,
    database: &PgConnectOptions,
    log: &Arc<PgLog>,
    heard: Heard,
    signs: &Arc<dyn Signs>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<impl Future<Output = ()> + Send + use<>>> {
    let log = PgRelayLog::new(log.clone(), database).context("the system has no random numbers")?;
    let log: Arc<dyn RelayLog> = Arc::new(log.hearing(heard));
    let relay = |partition| {
        let relay = Relay::new(log.clone(), signs.clone(), kafka.clone(), partition);
        relay.run(stop.clone())
    };
    Ok(log.partitions().all().map(relay).collect())
}
