//! Registry data that comes in messages, in PostgreSQL.
//!
//! ```text
//!   lease, release   registry_lease          who reads; it only spares work
//!   places           registry_offsets        up to where
//!   apply            import/messages.rs      data, place and dead letters in one transaction
//!   dead_letters     registry_dead_letters   what waits to be put where its senders look for it
//!   buried           the same                what was put there, is emptied
//! ```

mod lease;
pub(crate) mod letters;
pub(crate) mod places;

use std::sync::Arc;

use async_trait::async_trait;
use dispensary::registry_stream::{DeadLetter, Messages, NotApplied, ReadPlace, RegistryStream};
use dispensary::{FaultyLine, Unavailable};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::import::messages::Destination;
use crate::log::within;
use crate::{LogSettings, PgRegistry, pool};

/// One applies, one has the lease, one sees to the dead letters.
const CONNECTIONS: u32 = 3;

/// The local copy of the registries in PostgreSQL, for messages.
#[derive(Debug)]
pub struct PgRegistryStream {
    pool: PgPool,
    log: LogSettings,
    registry: Arc<PgRegistry>,
    /// Who leases.
    holder: Uuid,
}

impl PgRegistryStream {
    /// A stream that has no lease yet; `registry` sees at once what it applies.
    ///
    /// # Errors
    ///
    /// The system has no random numbers, by which processes tell their leases apart.
    pub fn new(
        options: &PgConnectOptions,
        log: LogSettings,
        registry: Arc<PgRegistry>,
    ) -> Result<Self, getrandom::Error> {
        let mut drawn = [0; 16];
        getrandom::fill(&mut drawn)?;
        let holder = uuid::Builder::from_random_bytes(drawn).into_uuid();
        Ok(Self { pool: pool(options, CONNECTIONS), log, registry, holder })
    }
}

#[async_trait]
impl RegistryStream for PgRegistryStream {
    async fn lease(&self) -> Result<bool, Unavailable> {
        within(lease::take(&self.pool, self.holder)).await
    }

    async fn release(&self) -> Result<(), Unavailable> {
        within(lease::let_go(&self.pool, self.holder)).await
    }

    async fn places(&self) -> Result<Vec<ReadPlace>, Unavailable> {
        within(places::all(&self.pool)).await
    }

    async fn apply(&self, messages: Messages) -> Result<Vec<FaultyLine>, NotApplied> {
        let LogSettings { partitions, log_id, .. } = self.log;
        let destination = Destination { pool: &self.pool, partitions, log_id };
        let faulty = destination.apply(messages).await?;
        // The lines are applied, and writers look for the new version by themselves.
        if let Err(error) = self.registry.refresh().await {
            tracing::warn!(%error, "the registries could not be refreshed after messages");
        }
        Ok(faulty)
    }

    async fn dead_letters(&self, most: u32) -> Result<Vec<DeadLetter>, Unavailable> {
        within(letters::waiting(&self.pool, most)).await
    }

    async fn buried(&self, ids: &[i64]) -> Result<(), Unavailable> {
        within(letters::bury(&self.pool, ids)).await
    }
}
