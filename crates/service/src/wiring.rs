//! Which adapter stands behind which port.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dispensary::relay::Signs;
use dispensary::{Contents, Dispensary, Outside};
use dispense_content::ObjectContents;
use dispense_http::auth::{Authenticator, ClientTypes};
use dispense_http::{CursorKey, Door, Readers};
use dispense_postgres::faults::Faults;
use dispense_postgres::{
    CheckpointKeeper, LogSettings, PgAccessLog, PgDispenses, PgHistories, PgLog, PgPositions,
    PgProofs, PgRegistry, PgRegistryChanges, PgReimbursements, PgReports, Running, cursor_key,
    pool,
};
use dispense_signing::{Verifier, VerifierSettings};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checkpoints;
use crate::config::{Checkpoints, Settings, Signing};
use crate::following::follow;
use crate::health::{Behind, Streams};
use crate::orphans;
use crate::registry_stream;
use crate::stream_signs::StreamSigns;
use crate::streams;

/// How often trust anchors and lists of revoked certificates are looked at.
const TRUST_EVERY: Duration = Duration::from_secs(2);

/// A service that runs, but for its door.
pub(crate) struct Wired {
    pub(crate) door: Door,
    pub(crate) writers: Running,
    pub(crate) followers: JoinSet<()>,
}

/// What stops it: first the writers, then what follows them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stops {
    pub(crate) writers: CancellationToken,
    pub(crate) followers: CancellationToken,
}

/// Wires a service on a database that may be served.
pub(crate) async fn wire(
    settings: &Settings,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    stops: &Stops,
) -> anyhow::Result<Wired> {
    let serving = &settings.serving;
    let pool = pool(&settings.database, serving.connections);
    let log_settings = PgLog::settings(&pool, serving.partitions).await?;
    let registry =
        Arc::new(PgRegistry::new(pool.clone(), log_settings.partitions, log_settings.log_id));
    registry.refresh().await.context("the registries cannot be read")?;

    let (log, writers) = PgLog::start(
        pool.clone(),
        &settings.database,
        log_settings,
        &registry,
        &serving.terms,
        &stops.writers,
    );
    let log = Arc::new(log);
    let faults = Faults::default();
    let (mut followers, heard) =
        follow(&log, &settings.database, &registry, &faults, &stops.followers)?;

    let (access, recording) = PgAccessLog::new(&settings.database, stops.followers.clone());
    followers.spawn(recording);

    let verifier = verifier(&serving.signing)?;
    followers.spawn(keep_looking(verifier.clone(), stops.followers.clone()));
    let store = Arc::new(ObjectContents::open(&serving.signing.store).await?);
    let contents: Arc<dyn Contents> = store.clone();
    followers.spawn(orphans::remove(log.clone(), contents.clone(), stops.followers.clone()));
    let proofs = prove(&pool, log_settings, &serving.checkpoints);
    if let Some(key) = &serving.checkpoints.key {
        let keeper = CheckpointKeeper::new(pool.clone(), log_settings, key.clone(), store);
        let (every, stop) = (serving.checkpoints.every, stops.followers.clone());
        let partitions = log_settings.partitions.count();
        followers.spawn(checkpoints::keep(keeper, partitions, every, faults.clone(), stop));
    }

    let streams = if serving.kafka.is_some() { Streams::SetUp } else { Streams::NotSetUp };
    if let Some(kafka) = &serving.kafka {
        let signs: Arc<dyn Signs> = Arc::new(StreamSigns(faults.clone()));
        let (database, stop) = (&settings.database, &stops.followers);
        let relays = streams::announce(kafka, database, &log, heard, &signs, stop)?;
        for relay in relays {
            followers.spawn(relay);
        }
        let reading = registry_stream::read(kafka, database, log_settings, &registry, signs, stop)?;
        if let Some(reading) = reading {
            followers.spawn(reading);
        }
    }

    let client_types: Arc<dyn ClientTypes> = {
        let registry = registry.clone();
        Arc::new(move |client: Uuid| dispensary::Registry::client_type(&*registry, client.into()))
    };
    let authenticator = Authenticator::start(settings.auth.clone(), client_types).await?;
    let door = Door {
        dispensary: Dispensary::new(Outside {
            dispenses: Arc::new(PgDispenses::new(pool.clone(), &log)),
            histories: Arc::new(PgHistories::new(pool.clone(), &log)),
            positions: Arc::new(PgPositions::new(pool.clone(), log_settings)),
            reports: Arc::new(PgReports::new(pool.clone())),
            reimbursements: Arc::new(PgReimbursements::new(pool.clone())),
            pages: log.clone(),
            facts: log.clone(),
            log,
            registry: registry.clone(),
            signatures: Arc::new(verifier),
            contents,
            proofs: Arc::new(proofs),
            terms: serving.terms.clone(),
        }),
        access: Arc::new(access),
        registry_changes: Arc::new(PgRegistryChanges::new(pool.clone())),
        authenticator: Arc::new(authenticator),
        cursors: CursorKey::new(&cursor_key(&pool).await?),
        readers: Readers::new(stops.writers.clone()),
        health: Arc::new(Behind { pool: pool.clone(), registry, faults, streams }),
        metrics: figures(pool, metrics),
        zone: serving.terms.zone,
    };
    Ok(Wired { door, writers, followers })
}

/// What the log can prove.
fn prove(pool: &PgPool, log: LogSettings, checkpoints: &Checkpoints) -> PgProofs {
    if checkpoints.key.is_none() {
        tracing::warn!("CHECKPOINT_KEY is not set: no checkpoints of the log are signed");
    }
    let key = checkpoints.key.as_ref().map(|key| key.verifier().clone());
    PgProofs::new(pool.clone(), log, key)
}

/// Who is believed to have signed.
fn verifier(signing: &Signing) -> anyhow::Result<Verifier> {
    let Signing { trust_anchors, crls, store: _ } = signing.clone();
    if trust_anchors.is_none() {
        tracing::warn!("SIGNATURE_TRUST_ANCHORS is not set: nobody's signature is believed");
    } else if crls.is_none() {
        tracing::warn!("SIGNATURE_CRLS is not set: certificates count that were revoked");
    }
    Verifier::load(VerifierSettings { trust_anchors, crls })
        .context("SIGNATURE_TRUST_ANCHORS, SIGNATURE_CRLS: they cannot be used")
}

/// Has changes of the files noticed while nobody hands over: an operator should not hear of a file
/// that cannot be read from the first pharmacy of the day.
async fn keep_looking(verifier: Verifier, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TRUST_EVERY) => {}
        }
        let verifier = verifier.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || verifier.look_again()).await {
            tracing::error!("the look at trust anchors and revocation lists died: {error}");
        }
    }
}

/// The figures, with those of the pool read when they are asked for.
fn figures(
    pool: PgPool,
    render: Arc<dyn Fn() -> String + Send + Sync>,
) -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(move || {
        metrics::gauge!("dispense_pool_connections").set(f64::from(pool.size()));
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        metrics::gauge!("dispense_pool_idle").set(f64::from(idle));
        render()
    })
}
