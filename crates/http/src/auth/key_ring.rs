//! The keys of now, and the tokens that were checked with them.
//!
//! Checking a signature for each request would cost a fifth of the machine at full load, so the
//! result is kept until the token expires. The checked tokens belong to the key set that checked
//! them: with a new key set comes an empty cache, and what an older set still finishes cannot get
//! into it. They are found by the SHA-256 of the token; the token itself is not kept.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dispensary::asker::Asker;
use lru::LruCache;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use super::config::{DevelopmentKeys, JwtConfig};
use super::key_set::KeySet;
use super::source::{KeysError, Source};

/// Tokens that are remembered: one for each device that is busy in a quarter of an hour.
const MAX_CHECKED_TOKENS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// What reading the keys again has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// The keys are those that were here.
    Unchanged,
    /// There are new keys, and no token counts as checked any more.
    Changed,
}

/// The keys of now, and how to get those of tomorrow.
#[derive(Debug)]
pub(super) struct KeyRing {
    source: Source,
    source_name: String,
    development_keys: DevelopmentKeys,
    unknown_key_at_most_every: Duration,
    now: RwLock<Arc<Keys>>,
    /// Held while the source is read, so that one reads at a time and nothing old follows the new.
    turn: tokio::sync::Mutex<Option<Attempt>>,
}

/// The last reading that an unknown key has caused.
#[derive(Debug)]
struct Attempt {
    at: Instant,
    failed: bool,
}

/// A key set with the tokens that it has checked.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) set: KeySet,
    document: [u8; 32],
    checked: Mutex<LruCache<[u8; 32], Checked>>,
}

/// What a token said, and for how long it counts.
#[derive(Debug)]
struct Checked {
    asker: Asker,
    expires_at: u64,
}

impl Keys {
    fn new(set: KeySet, document: [u8; 32]) -> Self {
        Self { set, document, checked: Mutex::new(LruCache::new(MAX_CHECKED_TOKENS)) }
    }

    /// Returns what a token said when it was checked with these keys, unless it has expired since.
    pub(super) fn recall(&self, token: &[u8; 32], now: u64) -> Option<Asker> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        match checked.get(token) {
            Some(known) if now < known.expires_at => Some(known.asker.clone()),
            Some(_) => {
                checked.pop(token);
                None
            }
            None => None,
        }
    }

    /// Remembers what a token said; `expires_at` in seconds since 1970.
    pub(super) fn remember(&self, token: [u8; 32], asker: Asker, expires_at: u64) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.put(token, Checked { asker, expires_at });
    }
}

impl KeyRing {
    /// Reads the first key set.
    pub(super) async fn load(config: &JwtConfig) -> Result<Self, KeysError> {
        let source = Source::open(&config.jwks)?;
        let document = source.read().await?;
        let set = KeySet::parse(&document, config.development_keys)?;
        let source_name = config.jwks.to_string();
        report_loaded(&source_name, &set);
        Ok(Self {
            source,
            source_name,
            development_keys: config.development_keys,
            unknown_key_at_most_every: config.schedule.unknown_key_at_most_every,
            now: RwLock::new(Arc::new(Keys::new(set, Sha256::digest(&document).into()))),
            turn: tokio::sync::Mutex::new(None),
        })
    }

    /// Returns the keys of now.
    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the keys again. If that fails, the old ones stay: an issuer that is away for an hour
    /// must not stop the pharmacies.
    async fn refresh(&self) -> Result<Refreshed, KeysError> {
        let _turn = self.turn.lock().await;
        self.read_again().await
    }

    /// Reads the keys again because `seen` lacks one, and returns those of now; `None` if they
    /// could not be read.
    ///
    /// Runs to its end even if the request that asked is gone: a reading that was broken off would
    /// not count, and clients that hang up could make any number of them.
    pub(super) async fn after_unknown_key(self: &Arc<Self>, seen: Arc<Keys>) -> Option<Arc<Keys>> {
        let ring = Arc::clone(self);
        tokio::spawn(async move { ring.read_for_unknown_key(&seen).await }).await.ok().flatten()
    }

    async fn read_for_unknown_key(&self, seen: &Arc<Keys>) -> Option<Arc<Keys>> {
        let mut turn = self.turn.lock().await;
        let now = self.keys();
        if !Arc::ptr_eq(&now, seen) {
            return Some(now);
        }
        if let Some(last) = &*turn
            && last.at.elapsed() < self.unknown_key_at_most_every
        {
            return if last.failed { None } else { Some(now) };
        }
        let failed = self.read_again().await.is_err();
        *turn = Some(Attempt { at: Instant::now(), failed });
        if failed { None } else { Some(self.keys()) }
    }

    /// Reads the source, takes the keys over if the document is another, and reports either way.
    async fn read_again(&self) -> Result<Refreshed, KeysError> {
        let outcome = self.read_and_replace().await;
        let label = if outcome.is_ok() { "ok" } else { "failed" };
        metrics::counter!("auth_key_refreshes_total", "outcome" => label).increment(1);
        if let Err(error) = &outcome {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                key_set = self.source_name,
                "the keys for access tokens could not be read again; the old ones stay"
            );
        }
        outcome
    }

    async fn read_and_replace(&self) -> Result<Refreshed, KeysError> {
        let read = self.source.read().await?;
        let document: [u8; 32] = Sha256::digest(&read).into();
        if document == self.keys().document {
            metrics::gauge!("auth_keys_read_timestamp_seconds").set(unix_time().as_secs_f64());
            return Ok(Refreshed::Unchanged);
        }
        let set = KeySet::parse(&read, self.development_keys)?;
        report_loaded(&self.source_name, &set);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Keys::new(set, document));
        Ok(Refreshed::Changed)
    }
}

/// Keeps a key ring fresh until it is dropped.
#[derive(Debug)]
pub(super) struct Refresher {
    ring: Arc<KeyRing>,
    task: JoinHandle<()>,
}

impl Refresher {
    /// Starts to read the keys again, `every` so often.
    pub(super) fn start(ring: Arc<KeyRing>, every: Duration) -> Self {
        let task = tokio::spawn({
            let ring = Arc::clone(&ring);
            async move {
                loop {
                    tokio::time::sleep(every).await;
                    // A failure has been reported, and the next turn is the remedy.
                    let _reported = ring.refresh().await;
                }
            }
        });
        Self { ring, task }
    }

    /// Reads the keys again at once.
    pub(super) async fn refresh(&self) -> Result<Refreshed, KeysError> {
        self.ring.refresh().await
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns the time since 1970 by the clock of the process: tokens are judged before there is a
/// writer whose time could be asked.
pub(super) fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn report_loaded(source_name: &str, set: &KeySet) {
    metrics::gauge!("auth_keys_read_timestamp_seconds").set(unix_time().as_secs_f64());
    tracing::info!(keys = set.len(), key_set = source_name, "keys for access tokens are loaded");
}

#[cfg(test)]
mod tests {
    use dispensary::asker::{ClientType, Scopes};
    use uuid::Uuid;

    use super::*;

    fn keys() -> Keys {
        let document = br#"{"keys":[{"kty":"OKP","crv":"Ed25519",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        Keys::new(KeySet::parse(document, DevelopmentKeys::Refused).unwrap(), [0; 32])
    }

    fn asker() -> Asker {
        Asker {
            user: Uuid::from_u128(1),
            client: Uuid::from_u128(2),
            client_type: ClientType::Pharmacy,
            scopes: Scopes::parse(""),
        }
    }

    #[test]
    fn a_checked_token_counts_until_it_expires() {
        let keys = keys();
        keys.remember([1; 32], asker(), 100);
        assert_eq!(keys.recall(&[1; 32], 99), Some(asker()));
        assert_eq!(keys.recall(&[2; 32], 99), None);
        assert_eq!(keys.recall(&[1; 32], 100), None);
        assert_eq!(keys.recall(&[1; 32], 99), None, "it is forgotten");
    }

    #[test]
    fn no_more_tokens_are_remembered_than_there_is_room() {
        let keys = keys();
        for number in 0..=MAX_CHECKED_TOKENS.get() {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_be_bytes());
            keys.remember(token, asker(), 100);
        }
        assert_eq!(keys.recall(&[0; 32], 0), None, "the oldest made room");
        assert_eq!(keys.checked.lock().unwrap().len(), MAX_CHECKED_TOKENS.get());
    }
}
