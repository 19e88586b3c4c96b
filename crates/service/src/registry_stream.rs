//! What the registries announce, while the service runs.

use std::sync::Arc;

use anyhow::Context;
use dispensary::relay::Signs;
use dispense_kafka::{RegistryReader, Settings};
use dispense_postgres::{LogSettings, PgRegistry, PgRegistryStream};
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

/// What reads registry data from its topics until told to stop; none where the settings say that it
/// comes otherwise.
pub(crate) fn read(
    kafka: &Settings,
    database: &PgConnectOptions,
    log: LogSettings,
    registry: &Arc<PgRegistry>,
    signs: Arc<dyn Signs>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<impl Future<Output = ()> + Send + 'static>> {
    if !kafka.registry {
        return Ok(None);
    }
    let stream = PgRegistryStream::new(database, log, registry.clone());
    let stream = Arc::new(stream.context("the system has no random numbers")?);
    let reader = RegistryReader::new(kafka.clone(), stream, signs);
    Ok(Some(reader.run(stop.clone())))
}
