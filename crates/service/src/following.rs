//! What reads on from the log while the service runs.

use std::sync::Arc;
use std::time::Duration;

use dispense_postgres::faults::Faults;
use dispense_postgres::follow::{Follower, Woken};
use dispense_postgres::notify::Heard;
use dispense_postgres::{PgLog, PgRegistry, follower_pool, notify, read_models, sweep};
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections that the followers and the sweep share.
const CONNECTIONS: u32 = 3;

/// How often the registries are read, for questions that pass no writer.
const REGISTRY_EVERY: Duration = Duration::from_secs(2);

/// Starts everything that follows the log, and what wakes it; returns what others can be woken by.
pub(crate) fn follow(
    log: &Arc<PgLog>,
    options: &PgConnectOptions,
    registry: &Arc<PgRegistry>,
    faults: &Faults,
    stop: &CancellationToken,
) -> anyhow::Result<(JoinSet<()>, Heard)> {
    let mut running = JoinSet::new();
    let (heard, telling) = notify::between_instances(options, log, stop.clone())?;
    running.spawn(telling);
    let pool = follower_pool(options, CONNECTIONS);
    let settings = log.log_settings();
    for partition in settings.partitions.all() {
        let (written, heard) = (log.written(partition), heard.of(partition));
        let Some((written, heard)) = written.zip(heard) else { continue };
        let woken = Woken { written, heard };
        let (pool, faults) = (pool.clone(), faults.clone());
        let follower = Follower::new(read_models(), pool, settings, partition, woken, faults);
        running.spawn(follower.run(stop.clone()));
    }
    running.spawn(sweep(log.clone(), pool, stop.clone()));
    running.spawn(registry.clone().keep_fresh(REGISTRY_EVERY, stop.clone()));
    Ok((running, heard))
}
