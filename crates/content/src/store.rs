//! The store itself, a folder or a bucket, without limits of time.

use std::sync::Arc;

use dispensary::Copied;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, Result as StoreResult,
};
use tokio::task::spawn_blocking;

use crate::address::Address;
use crate::bucket;
use crate::fault::Fault;
use crate::folder::{Folder, Folders, Identity};
use crate::key::Key;

/// What is written at the start, and removed again.
const PROBE: &[u8] = b"whether containers can be kept here";

/// What the name of a probe begins with; no container has such a key.
const PROBE_NAME: &str = "probe-";

/// A folder or a bucket.
#[derive(Debug)]
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    /// None for a bucket, which is durable by itself.
    folder: Option<Folder>,
}

impl Store {
    pub(crate) async fn open(address: Address) -> Result<Self, Fault> {
        match address {
            Address::Bucket { name, prefix } => {
                Ok(Self { objects: bucket::open(&name, prefix)?, folder: None })
            }
            Address::Folder(path) => {
                let opening = spawn_blocking(move || {
                    let folder = Folder::open(path)?;
                    Ok(Self { objects: folder.objects()?, folder: Some(folder) })
                });
                opening.await?
            }
        }
    }

    /// Writes something, reads it back and removes it.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        // A name of its own for each start: several instances may start at once.
        let name = getrandom::u64().map_err(Fault::NoRandomness)?;
        let path = Path::from(format!("{PROBE_NAME}{name:016x}"));
        self.write(&path, PutPayload::from_static(PROBE), PutMode::Create).await?;
        let back = self.read(&path).await?;
        self.delete(&path).await?;
        if back.is_some_and(|it| it == PROBE) { Ok(()) } else { Err(Fault::Forgetful) }
    }

    pub(crate) async fn put(&self, key: Key, container: Vec<u8>) -> Result<(), Fault> {
        if !key.is_of(&container) {
            return Err(Fault::Misnamed { key: key.into_text() });
        }
        let path = key.path();
        let payload = PutPayload::from(container);
        match self.write(&path, payload.clone(), PutMode::Create).await {
            Err(Fault::Store(Error::AlreadyExists { .. })) => {}
            written => return written,
        }
        let stored = self.read(&path).await?;
        match stored.map(|it| it.iter().eq(payload.iter().flatten())) {
            Some(false) => Err(Fault::Damaged { key: key.into_text() }),
            // What a bucket shows is durable.
            Some(true) if self.folder.is_none() => Ok(()),
            // A process may have been killed before its file was durable, or it was removed in
            // this moment. The same bytes are put in its place, and are durable then.
            Some(true) | None => self.write(&path, payload, PutMode::Overwrite).await,
        }
    }

    pub(crate) async fn get(&self, key: Key) -> Result<Option<Vec<u8>>, Fault> {
        match self.read(&key.path()).await? {
            Some(container) if key.is_of(&container) => Ok(Some(container)),
            Some(_) => Err(Fault::Damaged { key: key.into_text() }),
            None => {
                // Where the whole folder is missing, nothing can be said about what is in it.
                self.standing().await?;
                Ok(None)
            }
        }
    }

    pub(crate) async fn remove(&self, key: Key) -> Result<(), Fault> {
        self.delete(&key.path()).await
    }

    /// Writes what is not there yet; what is there stays as it is. Returns whether it is the same.
    pub(crate) async fn keep(&self, path: &Path, text: Vec<u8>) -> Result<Copied, Fault> {
        let payload = PutPayload::from(text);
        match self.write(path, payload.clone(), PutMode::Create).await {
            Err(Fault::Store(Error::AlreadyExists { .. })) => {}
            written => return written.map(|()| Copied::Kept),
        }
        let stored = self.read(path).await?;
        let is_same = stored.is_some_and(|it| it.iter().eq(payload.iter().flatten()));
        Ok(if is_same { Copied::Kept } else { Copied::Other })
    }

    /// What is kept there, whatever it should be.
    pub(crate) async fn found(&self, path: &Path) -> Result<Option<Vec<u8>>, Fault> {
        let found = self.read(path).await?;
        if found.is_none() {
            // Where the whole folder is missing, nothing can be said about what is in it.
            self.standing().await?;
        }
        Ok(found)
    }

    /// What is kept below `folder` behind `offset`, at most so many.
    pub(crate) async fn behind(
        &self,
        folder: &Path,
        offset: &Path,
        most: usize,
    ) -> Result<Vec<Path>, Fault> {
        let objects = self.objects.list_with_offset(Some(folder), offset);
        let keys: Vec<_> = objects.map_ok(|it| it.location).take(most).try_collect().await?;
        self.standing().await?;
        Ok(keys)
    }

    pub(crate) fn list(&self) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.objects.list(None)
    }

    /// The folders of a folder, to be cleared.
    pub(crate) async fn folders(&self) -> Result<Option<Folders>, Fault> {
        let Some((folder, _)) = self.standing().await? else { return Ok(None) };
        spawn_blocking(move || folder.folders().map(Some)).await?
    }

    /// The folder, if it is one, and if it stands.
    async fn standing(&self) -> Result<Option<(Folder, Identity)>, Fault> {
        let Some(folder) = self.folder.clone() else { return Ok(None) };
        let looking = spawn_blocking(move || folder.standing().map(|it| Some((folder, it))));
        looking.await?
    }

    async fn write(&self, path: &Path, payload: PutPayload, mode: PutMode) -> Result<(), Fault> {
        let standing = self.standing().await?;
        self.objects.put_opts(path, payload, mode.into()).await?;
        match standing {
            Some((folder, before)) => spawn_blocking(move || folder.sync(before)).await?,
            None => Ok(()),
        }
    }

    async fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Fault> {
        match self.objects.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete(&self, path: &Path) -> Result<(), Fault> {
        match self.objects.delete(path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
