//! The verifier: the port, and how much of it runs at once.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dispensary::{Opened, ReadDocument, Signatures, Unavailable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::in_force::InForce;
use crate::judge;
use crate::trust::LoadError;

/// How many containers are checked at once at least, whatever the number of cores.
const LEAST_AT_ONCE: usize = 2;

/// How many may wait besides. At a millisecond for each, the last one waits a moment.
const MAX_WAITING: usize = 256;

/// Where a verifier finds whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierSettings {
    /// A PEM file with the certificates of the authorities that are trusted; without it, nobody is.
    pub trust_anchors: Option<PathBuf>,
    /// A file, or a folder with files, of lists of revoked certificates, in PEM or DER. Where it is
    /// set, every authority between a signer and a trust anchor, and the anchor, needs a current one.
    pub crls: Option<PathBuf>,
}

/// Says who signed a container, or what is wrong with it.
#[derive(Clone)]
pub struct Verifier {
    inner: Arc<Inner>,
}

struct Inner {
    in_force: InForce,
    /// A place for each container that is checked or waits.
    places: Arc<Semaphore>,
    /// A turn for each that is checked.
    turns: Arc<Semaphore>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

/// There is no place to wait.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_WAITING} containers wait to be checked already")]
struct Crowded;

fn unavailable(source: Box<dyn std::error::Error + Send + Sync>) -> Unavailable {
    Unavailable { what: "the verification of signatures", source }
}

impl Verifier {
    /// Reads trust anchors and lists of revoked certificates.
    ///
    /// # Errors
    ///
    /// What is wrong with which file.
    pub fn load(settings: VerifierSettings) -> Result<Self, LoadError> {
        let at_once = available_parallelism().map_or(LEAST_AT_ONCE, usize::from).max(LEAST_AT_ONCE);
        Ok(Self {
            inner: Arc::new(Inner {
                in_force: InForce::load(settings)?,
                places: Arc::new(Semaphore::new(at_once + MAX_WAITING)),
                turns: Arc::new(Semaphore::new(at_once)),
            }),
        })
    }

    /// Looks whether trust anchors or lists of revoked certificates have changed, and reads them if so,
    /// as opening a container does: for whoever wants to hear of it before somebody hands over. It
    /// blocks.
    pub fn look_again(&self) {
        let _in_force = self.inner.in_force.trust();
    }

    /// Opens a container on this thread, and judges its signature as of an instant that has passed.
    fn open_here_as_of(&self, container: &[u8], at: SystemTime) -> Result<Opened, Unavailable> {
        let past = self.inner.in_force.trust().as_of(at);
        let past = past.map_err(|source| unavailable(source.into()))?;
        Ok(judge::open(container, &past, at))
    }

    /// A place for one container more, and its turn.
    async fn turn(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Unavailable> {
        let place = Arc::clone(&self.inner.places).try_acquire_owned();
        let place = place.map_err(|_| unavailable(Crowded.into()))?;
        let turn = Arc::clone(&self.inner.turns).acquire_owned().await;
        Ok((place, turn.map_err(|closed| unavailable(closed.into()))?))
    }

    /// Opens a container on this thread, which takes about a millisecond.
    #[must_use]
    pub fn open_here(&self, container: &[u8]) -> Opened {
        let since = Instant::now();
        let opened = judge::open(container, &self.inner.in_force.trust(), SystemTime::now());
        metrics::histogram!("dispense_signature_seconds").record(since.elapsed());
        opened
    }
}

#[async_trait]
impl Signatures for Verifier {
    async fn open(&self, container: Vec<u8>) -> Result<Opened, Unavailable> {
        self.open_and_read(container, Box::new(|_| ())).await
    }

    async fn open_and_read(
        &self,
        container: Vec<u8>,
        read: ReadDocument,
    ) -> Result<Opened, Unavailable> {
        let turn = self.turn().await?;
        let verifier = self.clone();
        // Place and turn go along: a caller that goes away does not make room for another one
        // before the thread has.
        let opened = tokio::task::spawn_blocking(move || {
            let opened = verifier.open_here(&container);
            if let Some(document) = &opened.document {
                read(document);
            }
            drop(turn);
            opened
        });
        opened.await.map_err(|panicked| unavailable(panicked.into()))
    }

    async fn open_as_of(
        &self,
        container: Vec<u8>,
        at: DateTime<Utc>,
    ) -> Result<Opened, Unavailable> {
        let turn = self.turn().await?;
        let verifier = self.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let opened = verifier.open_here_as_of(&container, at.into());
            drop(turn);
            opened
        });
        opened.await.map_err(|panicked| unavailable(panicked.into()))?
    }
}
