//! The registries as the service sees them: the small ones whole and in memory, the large ones read
//! when they are asked for.

mod pages;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use dispensary::{
    ClientType, FaultyLine, Line, LogPosition, Origin, Registries, Registry, Unavailable,
};
use dispense_domain::{LegalEntityId, MedicationRequestId, Partitions, RequestEvidence, Text};
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::connect;
use crate::import::Importer;
use crate::log::within;
use crate::look::look;

/// The registries, on `PostgreSQL`.
///
/// What is held in memory is an immutable snapshot behind a plain lock: a reader holds the lock for
/// no longer than it takes to count one more owner, a writer for as long as it takes to put one
/// pointer in place of another, and nobody waits while holding it. That is cheap enough for every
/// command of every thread, and asks for no further library.
#[derive(Debug)]
pub struct PgRegistry {
    pool: PgPool,
    looking: PgPool,
    importer: Importer,
    partitions: Partitions,
    held: RwLock<Arc<Registries>>,
    refreshing: Mutex<()>,
}

impl PgRegistry {
    /// The registries of that database; empty until the first [`PgRegistry::refresh`].
    #[must_use]
    pub fn new(pool: PgPool, partitions: Partitions, log_id: Uuid) -> Self {
        Self {
            importer: Importer::new(pool.clone(), partitions, log_id),
            looking: connect::looking(&pool),
            pool,
            partitions,
            held: RwLock::default(),
            refreshing: Mutex::default(),
        }
    }

    /// What the small registries said when this was last refreshed.
    #[must_use]
    pub fn current(&self) -> Arc<Registries> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what has changed. Several calls at once take turns, and those that come later find
    /// little left to do.
    ///
    /// # Errors
    ///
    /// The database does not answer; what was held before is still held.
    pub async fn refresh(&self) -> Result<Arc<Registries>, sqlx::Error> {
        let _turn = self.refreshing.lock().await;
        self.read_on().await
    }

    /// The registries at that version or a later one; asks the database only if those held are
    /// older. A version that the database does not have (yet) is no error: look at the answer's.
    ///
    /// # Errors
    ///
    /// The database does not answer; what was held before is still held.
    pub async fn at_least(&self, version: i64) -> Result<Arc<Registries>, sqlx::Error> {
        let held = self.current();
        if held.version >= version {
            return Ok(held);
        }
        let _turn = self.refreshing.lock().await;
        let held = self.current();
        if held.version >= version { Ok(held) } else { self.read_on().await }
    }

    /// Refreshes every so often until told to stop, so that questions that pass no writer are
    /// answered from registries that are not older than that.
    pub async fn keep_fresh(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the registries could not be refreshed; trying again");
            }
        }
    }

    /// What applies registry lines, for those who have to do with nothing else.
    #[must_use]
    pub const fn importer(&self) -> &Importer {
        &self.importer
    }

    /// Must be called by one at a time: the newest snapshot is the last one read.
    async fn read_on(&self) -> Result<Arc<Registries>, sqlx::Error> {
        let held = self.current();
        let newer = pages::after(&self.pool, held.clone()).await?;
        if !Arc::ptr_eq(&held, &newer) {
            tracing::info!(registry.version = newer.version, "registries refreshed");
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = newer.clone();
        }
        Ok(newer)
    }
}

#[async_trait]
impl Registry for PgRegistry {
    async fn request(
        &self,
        request: MedicationRequestId,
    ) -> Result<Option<RequestEvidence>, Unavailable> {
        // As the writer reads it; and with the version, because another instance may have imported
        // since this one looked.
        let partition = self.partitions.of_request(request).cast_signed();
        let looked = within(look(&self.looking, partition, &[request], &[])).await?;
        let small = within(self.at_least(looked.registry_version)).await?;
        Ok(looked.requests.get(&request).and_then(|texts| texts.evidence(request, &small)))
    }

    async fn request_by_number(
        &self,
        number: &Text,
    ) -> Result<Option<MedicationRequestId>, Unavailable> {
        // Numbers are the registry's: nothing here keeps two requests from having the same one.
        let reading = sqlx::query_scalar::<_, Uuid>(
            "SELECT id FROM medication_requests WHERE request_number = $1 LIMIT 2",
        )
        .bind(number.as_str())
        .fetch_all(&self.pool);
        match within(reading).await?.as_slice() {
            [] => Ok(None),
            [id] => Ok(Some((*id).into())),
            several => {
                tracing::warn!(requests = ?several, "several medication requests have one number");
                Ok(None)
            }
        }
    }

    async fn was_erased(&self, id: Uuid) -> Result<bool, Unavailable> {
        const ERASED: &str = "SELECT EXISTS (
            SELECT FROM erasures WHERE kind IN ('person', 'party') AND id = $1
        )";
        within(sqlx::query_scalar(ERASED).bind(id).fetch_one(&self.pool)).await
    }

    async fn container_was_erased(&self, key: &str) -> Result<bool, Unavailable> {
        // Looking for the text of a key spares reading the JSON of most records.
        const REMOVED: &str = "SELECT EXISTS (
            SELECT FROM (SELECT places FROM erasures WHERE strpos(places::text, $1) > 0) e
            CROSS JOIN LATERAL json_array_elements(e.places) AS p
            WHERE p ->> 'place' = 'contents' AND p ->> 'key' = $1 AND p ->> 'kept' IS NULL
        )";
        within(sqlx::query_scalar(REMOVED).bind(key).fetch_one(&self.pool)).await
    }

    async fn body_was_erased(&self, place: LogPosition) -> Result<bool, Unavailable> {
        // A record is read where its text has such a position at all.
        const EMPTIED: &str = "SELECT EXISTS (
            SELECT FROM (
                SELECT places FROM erasures
                WHERE strpos(places::text, '\"position\":' || $2::text) > 0
            ) e
            CROSS JOIN LATERAL json_array_elements(e.places) AS p
            WHERE p ->> 'place' = 'personal_bodies' AND (p ->> 'partition')::int = $1
                  AND (p ->> 'position')::bigint = $2 AND p ->> 'kept' IS NULL
        )";
        let asking = sqlx::query_scalar(EMPTIED)
            .bind(i32::from(place.partition))
            .bind(place.position)
            .fetch_one(&self.pool);
        within(asking).await
    }

    fn small(&self) -> Arc<Registries> {
        self.current()
    }

    fn client_type(&self, legal_entity: LegalEntityId) -> Option<ClientType> {
        let registries = self.current();
        ClientType::of_legal_entity(registries.legal_entities.get(&legal_entity)?.kind.as_str())
    }

    async fn import(&self, lines: Vec<Line>, by: &Origin) -> Result<Vec<FaultyLine>, Unavailable> {
        let faulty = self.importer.import(lines, by).await?;
        // The lines are applied, and writers look for the new version by themselves; so a refresh
        // that fails is nothing that the importer has to hear of.
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "the registries could not be refreshed after an import");
        }
        Ok(faulty)
    }
}
