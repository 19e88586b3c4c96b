//! Copies of signed checkpoints: written once, never removed, and never put right.

use async_trait::async_trait;
use dispensary::{CheckpointCopies, CheckpointKey, Copied, Unavailable};
use object_store::path::Path;

use crate::contents::{ANSWERED_WITHIN, LISTED_WITHIN, ObjectContents};

/// The most copies that are listed at once. Few are ever larger than the last one that is known.
const MOST_LISTED: usize = 10_000;

fn path(key: CheckpointKey) -> Path {
    Path::from(key.to_string())
}

#[async_trait]
impl CheckpointCopies for ObjectContents {
    async fn keep(&self, key: CheckpointKey, note: &str) -> Result<Copied, Unavailable> {
        let (store, note) = (self.store.clone(), note.as_bytes().to_vec());
        self.within(ANSWERED_WITHIN, async move { store.keep(&path(key), note).await }).await
    }

    async fn copy(&self, key: CheckpointKey) -> Result<Option<Vec<u8>>, Unavailable> {
        let store = self.store.clone();
        self.within(ANSWERED_WITHIN, async move { store.found(&path(key)).await }).await
    }

    async fn larger(&self, than: CheckpointKey) -> Result<Vec<CheckpointKey>, Unavailable> {
        let store = self.store.clone();
        let folder = CheckpointKey::folder(than.log_id, than.partition);
        // Keys stand in the order of their sizes: all of the next size come behind its bare number.
        let offset = Path::from(format!("{folder}{:012}", than.size + 1));
        let folder = Path::from(folder);
        let listing = async move { store.behind(&folder, &offset, MOST_LISTED).await };
        let found = self.within(LISTED_WITHIN, listing).await?;
        // A stranger in this folder says nothing about the log.
        Ok(found.into_iter().filter_map(|it| it.as_ref().parse().ok()).collect())
    }
}
