//! Whether this instance can work: database, schema and registry. A follower that lags does not
//! make it unready; it is a figure and an alarm.

use std::sync::Arc;

use async_trait::async_trait;
use dispense_http::{Check, Health};
use dispense_postgres::{PgRegistry, reachable};
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
        let registries = self.registry.current();
        let (companies, version) = (registries.legal_entities.len(), registries.version);
        let registry = Check {
            name: "registry",
            ok: true,
            detail: format!("version {version}, {companies} legal entities"),
        };
        vec![database, registry]
    }
}
