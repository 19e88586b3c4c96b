//! Containers, and a folder to keep them in.

use std::path::Path;

use dispensary::{Contents, Kept, Unavailable};
use dispense_content::ObjectContents;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A dispense.
pub(crate) const DISPENSE: &str = "0b49f4f3-5cf3-8f10-8a2e-1f6d7c3b9a01";

/// A container of `length` bytes that are `filled` with one value.
pub(crate) fn container(filled: u8, length: usize) -> Vec<u8> {
    vec![filled; length]
}

/// The key of that container.
pub(crate) fn key_of(container: &[u8]) -> String {
    format!("{DISPENSE}/{}", hex::encode(Sha256::digest(container)))
}

/// A folder that goes away with the test, and containers in it.
pub(crate) async fn contents() -> (TempDir, ObjectContents) {
    let folder = TempDir::new().unwrap();
    let contents = opened(folder.path()).await;
    (folder, contents)
}

/// Containers in that folder.
pub(crate) async fn opened(folder: &Path) -> ObjectContents {
    ObjectContents::open(&address(folder)).await.unwrap()
}

/// The address of a folder.
pub(crate) fn address(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

/// All that is kept.
pub(crate) async fn kept(contents: &ObjectContents) -> Result<Vec<Kept>, Unavailable> {
    contents.kept().try_collect().await
}

/// The keys of all that is kept.
pub(crate) async fn keys(contents: &ObjectContents) -> Vec<String> {
    kept(contents).await.unwrap().into_iter().map(|it| it.key).collect()
}

/// The error and all its causes, as the log has them.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |it| it.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
