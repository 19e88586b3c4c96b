//! Containers in a folder or a bucket, with a limit of time on every call.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dispensary::{Contents, Kept, Stored, Unavailable};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::address::{Address, NoAddress};
use crate::fault::Fault;
use crate::key::Key;
use crate::store::Store;

/// How long a call may take.
pub(crate) const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// How long the next part of a list may take: a thousand objects, on a slow disk or over a network.
pub(crate) const LISTED_WITHIN: Duration = Duration::from_secs(30);

/// How many calls are at work at once. A file system that hangs holds a thread for each, and must
/// not take all that the process has.
const AT_ONCE: usize = 64;

/// Where signed containers are kept: a folder or an S3 bucket.
#[derive(Debug, Clone)]
pub struct ObjectContents {
    pub(crate) store: Arc<Store>,
    turns: Arc<Semaphore>,
}

/// Why no container can be kept there.
#[derive(Debug, thiserror::Error)]
pub enum NotUsable {
    /// The address names no place.
    #[error(transparent)]
    NoAddress(#[from] NoAddress),
    /// The place cannot be written to.
    #[error(
        "CONTENT_STORE_URL: signed documents cannot be kept at `{address}`; it has to be there, \
         and this process has to be allowed to write, read and remove in it"
    )]
    NotWritable {
        /// What the setting says.
        address: String,
        /// What the place says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ObjectContents {
    /// Opens the place that `CONTENT_STORE_URL` names, and proves that it can be written to.
    ///
    /// # Errors
    ///
    /// Why it cannot be used; each says what would be right.
    pub async fn open(address: &str) -> Result<Self, NotUsable> {
        let place = Address::parse(address)?;
        let not_writable = |fault: Fault| NotUsable::NotWritable {
            address: address.to_owned(),
            source: fault.into(),
        };
        let opening = async move {
            let store = Store::open(place).await?;
            store.probe().await?;
            Ok(store)
        };
        let opened = timeout(ANSWERED_WITHIN, opening).await;
        let store = opened.unwrap_or(Err(Fault::Silent(ANSWERED_WITHIN))).map_err(not_writable)?;
        Ok(Self { store: Arc::new(store), turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Does that work, one of few at a time. The work goes on to its end even where nobody waits
    /// for it any more, and keeps its turn for as long.
    pub(crate) async fn within<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let turns = self.turns.clone();
        let working = async move {
            // The semaphore is never closed: there always is a turn, sooner or later.
            let turn = turns.acquire_owned().await;
            let done = tokio::spawn(async move {
                let done = work.await;
                drop(turn);
                done
            });
            done.await?
        };
        let done = timeout(limit, working).await.unwrap_or(Err(Fault::Silent(limit)));
        done.map_err(Unavailable::from)
    }

    /// All objects, each part within its time.
    fn listed(&self) -> impl futures::Stream<Item = Result<Kept, Fault>> + Send + 'static {
        stream::try_unfold(self.store.list(), |mut objects| async {
            let next = timeout(LISTED_WITHIN, objects.try_next()).await;
            let next = next.map_err(|_| Fault::Silent(LISTED_WITHIN))??;
            Ok(next.map(|object| (kept(object), objects)))
        })
    }

    /// Removes what killed processes left in a folder. Nothing else walks through it, so it happens
    /// where the containers are listed.
    async fn clear(&self) -> Result<(), Unavailable> {
        let store = self.store.clone();
        let mut folders = self.within(LISTED_WITHIN, async move { store.folders().await }).await?;
        while let Some(rest) = folders {
            let clearing = async { spawn_blocking(|| rest.clear()).await? };
            folders = self.within(LISTED_WITHIN, clearing).await?;
        }
        Ok(())
    }
}

fn kept(object: ObjectMeta) -> Kept {
    Kept { key: object.location.into(), since: object.last_modified }
}

#[async_trait]
impl Contents for ObjectContents {
    async fn put(&self, key: &str, container: Vec<u8>) -> Result<(), Unavailable> {
        let (store, key) = (self.store.clone(), Key::parse(key)?);
        self.within(ANSWERED_WITHIN, async move { store.put(key, container).await }).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Unavailable> {
        let (store, key) = (self.store.clone(), Key::parse(key)?);
        self.within(ANSWERED_WITHIN, async move { store.get(key).await }).await
    }

    async fn look_at(&self, key: &str) -> Result<Stored, Unavailable> {
        let (store, key) = (self.store.clone(), Key::parse(key)?);
        let looking = async move {
            match store.get(key).await {
                Ok(found) => Ok(found.map_or(Stored::Missing, Stored::Whole)),
                Err(Fault::Damaged { .. }) => Ok(Stored::Damaged),
                Err(fault) => Err(fault),
            }
        };
        self.within(ANSWERED_WITHIN, looking).await
    }

    fn kept(&self) -> BoxStream<'_, Result<Kept, Unavailable>> {
        stream::once(self.clear())
            .map_ok(|()| self.listed().map_err(Unavailable::from))
            .try_flatten()
            .boxed()
    }

    async fn remove(&self, key: &str) -> Result<(), Unavailable> {
        let (store, key) = (self.store.clone(), Key::parse(key)?);
        self.within(ANSWERED_WITHIN, async move { store.remove(key).await }).await
    }
}
