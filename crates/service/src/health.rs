//! Whether this instance can work: database, schema and registry. A follower that lags does not
//! make it unready; it is a figure and an alarm.

use std::sync::Arc;

use async_trait::async_trait;
use dispense_http::{Check, Health};
use dispense_postgres::{PgLog, PgRegistry, reachable};
use sqlx::PgPool;

/// Looks at what stands behind the door.
pub(crate) struct Behind {
    pub(crate) pool: PgPool,
    pub(crate) registry: Arc<PgRegistry>,
}

#[async_trait]
impl Health for Behind {
    async fn check(&self) -> Vec<Check> {
        let database = match reachable(&self.pool).await {
            Ok(()) => Check { name: "database", ok: true, detail: "answers".to_owned() },
            Err(error) => {
                Check { name: "database", ok: false, detail: format!("does not answer: {error}") }
            }
        };
        let schema = match PgLog::settings(&self.pool, None).await {
            Ok(settings) => Check {
                name: "schema",
                ok: true,
                detail: format!("{} partitions", settings.partitions.count()),
            },
            Err(error) => Check { name: "schema", ok: false, detail: error.to_string() },
        };
        let registries = self.registry.current();
        let (companies, version) = (registries.legal_entities.len(), registries.version);
        let registry = Check {
            name: "registry",
            ok: true,
            detail: format!("version {version}, {companies} legal entities"),
        };
        vec![database, schema, registry]
    }
}
