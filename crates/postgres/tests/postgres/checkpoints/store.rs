//! An object store that can lose things.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use dispensary::{CheckpointCopies, CheckpointKey, Copied, Unavailable};

#[derive(Default)]
pub(super) struct Store {
    /// By their keys as text, and so in the order of their sizes.
    copies: Mutex<BTreeMap<String, String>>,
    silent: AtomicBool,
}

impl Store {
    pub(super) fn texts(&self) -> Vec<String> {
        self.copies.lock().unwrap().values().cloned().collect()
    }

    fn key(&self, n: usize) -> String {
        self.copies.lock().unwrap().keys().nth(n).unwrap().clone()
    }

    pub(super) fn remove(&self, n: usize) {
        let key = self.key(n);
        self.copies.lock().unwrap().remove(&key);
    }

    pub(super) fn overwrite(&self, n: usize, text: &str) {
        let key = self.key(n);
        self.copies.lock().unwrap().insert(key, text.to_owned());
    }

    /// A text under the key of a larger checkpoint than there is.
    pub(super) fn add_beyond(&self, text: &str, size: u64) {
        let last: CheckpointKey = self.key(self.texts().len() - 1).parse().unwrap();
        let key = CheckpointKey { size, ..last };
        self.copies.lock().unwrap().insert(key.to_string(), text.to_owned());
    }

    pub(super) fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub(super) fn speak(&self) {
        self.silent.store(false, Ordering::Relaxed);
    }

    fn heard(&self) -> Result<(), Unavailable> {
        let silent = || Unavailable { what: "the content store", source: "silent".into() };
        if self.silent.load(Ordering::Relaxed) { Err(silent()) } else { Ok(()) }
    }
}

#[async_trait]
impl CheckpointCopies for Store {
    async fn keep(&self, key: CheckpointKey, note: &str) -> Result<Copied, Unavailable> {
        self.heard()?;
        let mut copies = self.copies.lock().unwrap();
        let kept = copies.entry(key.to_string()).or_insert_with(|| note.to_owned());
        Ok(if kept == note { Copied::Kept } else { Copied::Other })
    }

    async fn copy(&self, key: CheckpointKey) -> Result<Option<Vec<u8>>, Unavailable> {
        self.heard()?;
        let copies = self.copies.lock().unwrap();
        Ok(copies.get(&key.to_string()).map(|text| text.clone().into_bytes()))
    }

    async fn larger(&self, than: CheckpointKey) -> Result<Vec<CheckpointKey>, Unavailable> {
        self.heard()?;
        let copies = self.copies.lock().unwrap();
        let keys = copies.keys().filter_map(|key| key.parse::<CheckpointKey>().ok());
        let larger = |key: &CheckpointKey| {
            (key.log_id, key.partition) == (than.log_id, than.partition) && key.size > than.size
        };
        Ok(keys.filter(larger).collect())
    }
}
