//! Containers that no event names: removed after a day.
//!
//! A container is stored before its event is committed. Where the commit fails or is refused, or
//! where another container of the same dispense was first, it is left over.
//!
//! Could one be removed that an event is just about to name? A retry may put the same bytes again,
//! and a bucket then keeps the time of the first one. But nothing is put for a dispense whose hold
//! is over, and a hold lives at most a day, the bound of its setting. So after a day the hold is
//! over. The log says that as well, for itself: only what it knows to be over counts, and where it
//! is merely the time that ran out, an hour more has to have passed. A command that was decided
//! upon before has long since been written by then, or never will be.

use chrono::{DateTime, TimeDelta, Utc};
use dispense_domain::DispenseId;
use futures::TryStreamExt;
use uuid::Uuid;

use crate::{CheckpointKey, Contents, EventLog, Kept, Unavailable, Unnamed};

/// How old a container has to be.
const REMOVED_AFTER: TimeDelta = TimeDelta::hours(24);

/// How many keys the log is asked about at once: as many as it can look up on a slow disk within
/// the second that a statement has.
const AT_ONCE: usize = 100;

/// How many strange objects are named in one look; all of them are counted.
const STRANGE_NAMED: u64 = 10;

/// What one look through all that is kept has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orphans {
    /// How many objects are kept, of whatever age.
    pub looked_at: u64,
    /// How many were removed, because no event names them nor ever will.
    pub removed: u64,
    /// How many old ones belong to dispenses that the log does not know. They are never touched: of
    /// hand-overs that a log has lost, they are all that is left.
    pub unknown: u64,
    /// How many old ones are no containers of ours, by their keys. They are never touched.
    pub strange: u64,
}

/// Removes the containers that are older than a day and that no event names, nor ever will.
///
/// # Errors
///
/// The log or the store does not answer. What was removed until then was rightly removed.
pub async fn remove_orphans(
    log: &dyn EventLog,
    contents: &dyn Contents,
    at: DateTime<Utc>,
) -> Result<Orphans, Unavailable> {
    remove_older(log, contents, at - REMOVED_AFTER).await
}

/// The dispense that a container belongs to, if its key has the form of ours:
/// `<dispense id>/<SHA-256 of the container in hexadecimal>`.
#[must_use]
pub fn dispense_of_key(key: &str) -> Option<DispenseId> {
    let (dispense, digest) = key.split_once('/')?;
    let id: Uuid = dispense.parse().ok()?;
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    // An id can be written in several ways, and only one of them is ours.
    let is_ours =
        id.to_string() == dispense && digest.len() == 64 && digest.bytes().all(is_hexadecimal);
    is_ours.then(|| id.into())
}

async fn remove_older(
    log: &dyn EventLog,
    contents: &dyn Contents,
    before: DateTime<Utc>,
) -> Result<Orphans, Unavailable> {
    let mut orphans = Orphans::default();
    let mut page = Vec::with_capacity(AT_ONCE);
    let mut kept = contents.kept();
    while let Some(Kept { key, since }) = kept.try_next().await? {
        orphans.looked_at += 1;
        // Copies of checkpoints are kept for ever, in the same store.
        if since >= before || key.parse::<CheckpointKey>().is_ok() {
            continue;
        }
        if dispense_of_key(&key).is_none() {
            orphans.strange += 1;
            if orphans.strange <= STRANGE_NAMED {
                tracing::warn!(content.key = %key, "this is no signed container; look who put it");
            }
            continue;
        }
        page.push(key);
        if page.len() == AT_ONCE {
            remove(log, contents, std::mem::take(&mut page), &mut orphans).await?;
        }
    }
    if !page.is_empty() {
        remove(log, contents, page, &mut orphans).await?;
    }
    Ok(orphans)
}

/// Removes what no event names of those keys, nor ever will.
async fn remove(
    log: &dyn EventLog,
    contents: &dyn Contents,
    keys: Vec<String>,
    orphans: &mut Orphans,
) -> Result<(), Unavailable> {
    let Unnamed { over, unknown } = log.unnamed(keys).await?;
    for key in unknown {
        orphans.unknown += 1;
        metrics::counter!("dispense_orphans_unknown_total").increment(1);
        if orphans.unknown <= STRANGE_NAMED {
            tracing::error!(
                content.key = %key,
                "the log does not know the dispense of this container: is this the store of another \
                 log, or did the log lose its tail?"
            );
        }
    }
    for key in over {
        metrics::counter!("dispense_orphans_found_total").increment(1);
        contents.remove(&key).await?;
        orphans.removed += 1;
        metrics::counter!("dispense_orphans_removed_total").increment(1);
        tracing::warn!(content.key = %key, "no event names this container; it was removed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in tests")]

    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use dispense_domain::{Command, CreateHold, MedicationRequestId};
    use futures::StreamExt;
    use futures::executor::block_on;
    use futures::stream::{self, BoxStream};

    use super::*;
    use crate::past::{Subject, Told};
    use crate::{AppendError, Appended, Origin, Stream, Tried};

    /// A log that names the keys that end in a letter, does not know those that end in 9, and
    /// remembers how many it was asked about.
    #[derive(Default)]
    struct Log(Mutex<Vec<usize>>);

    #[async_trait]
    impl EventLog for Log {
        async fn append(
            &self,
            _: MedicationRequestId,
            _: Command,
            _: Origin,
        ) -> Result<Appended, AppendError> {
            Err(AppendError::Bug)
        }

        async fn try_out(
            &self,
            _: MedicationRequestId,
            _: Arc<CreateHold>,
            _: Origin,
        ) -> Result<Tried, AppendError> {
            Err(AppendError::Bug)
        }

        async fn request_of(
            &self,
            _: DispenseId,
        ) -> Result<Option<MedicationRequestId>, Unavailable> {
            Ok(None)
        }

        async fn stream(&self, _: MedicationRequestId) -> Result<Stream, Unavailable> {
            Err(Unavailable::database("no stream is needed"))
        }

        async fn told(&self) -> Result<Told, Unavailable> {
            Err(Unavailable::database("no past is needed"))
        }

        async fn settle(&self, _: Subject) -> Result<(), Unavailable> {
            Err(Unavailable::database("no past is needed"))
        }

        async fn unnamed(&self, keys: Vec<String>) -> Result<Unnamed, Unavailable> {
            self.0.lock().unwrap().push(keys.len());
            let ending = |last: &[char]| {
                keys.iter().filter(|key| key.ends_with(last)).cloned().collect::<Vec<_>>()
            };
            Ok(Unnamed { over: ending(&['0']), unknown: ending(&['9']) })
        }
    }

    /// What is kept, with its time; a key that cannot be removed.
    #[derive(Default)]
    struct Store {
        kept: Mutex<BTreeMap<String, DateTime<Utc>>>,
        stuck: Option<String>,
    }

    impl Store {
        fn with(self, key: impl Into<String>, since: DateTime<Utc>) -> Self {
            self.kept.lock().unwrap().insert(key.into(), since);
            self
        }

        fn keys(&self) -> Vec<String> {
            self.kept.lock().unwrap().keys().cloned().collect()
        }
    }

    #[async_trait]
    impl Contents for Store {
        async fn put(&self, _: &str, _: Vec<u8>) -> Result<(), Unavailable> {
            Ok(())
        }

        async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, Unavailable> {
            Ok(None)
        }

        fn kept(&self) -> BoxStream<'_, Result<Kept, Unavailable>> {
            let kept = self.kept.lock().unwrap().clone();
            stream::iter(kept).map(|(key, since)| Ok(Kept { key, since })).boxed()
        }

        async fn remove(&self, key: &str) -> Result<(), Unavailable> {
            if self.stuck.as_deref() == Some(key) {
                return Err(Unavailable { what: "the content store", source: "stuck".into() });
            }
            self.kept.lock().unwrap().remove(key);
            Ok(())
        }
    }

    fn at() -> DateTime<Utc> {
        "2026-01-31T10:00:00Z".parse().unwrap()
    }

    fn key(number: u128, last: char) -> String {
        format!("{}/{}{last}", Uuid::from_u128(number), "0".repeat(63))
    }

    fn remove_at(log: &Log, store: &Store) -> Result<Orphans, Unavailable> {
        block_on(remove_orphans(log, store, at()))
    }

    #[test]
    fn only_what_is_older_than_a_day_and_named_by_no_event_is_removed() {
        let day = TimeDelta::hours(24);
        let moment = TimeDelta::microseconds(1);
        let store = Store::default()
            .with(key(1, '0'), at() - day - moment)
            .with(key(2, 'a'), at() - day - moment)
            .with(key(3, '0'), at() - day)
            .with(key(4, '0'), at())
            .with(key(5, '9'), at() - day - moment);
        let orphans = remove_at(&Log::default(), &store).unwrap();
        assert_eq!(orphans, Orphans { looked_at: 5, removed: 1, unknown: 1, strange: 0 });
        assert_eq!(store.keys(), [key(2, 'a'), key(3, '0'), key(4, '0'), key(5, '9')]);
    }

    #[test]
    fn what_has_no_key_of_ours_is_counted_and_never_touched() {
        let long_ago = at() - TimeDelta::days(9);
        let strange = [
            "0".to_owned(),
            key(0xA, '0').to_uppercase(),
            key(1, '0').replace('-', ""),
            key(1, 'G'),
            key(1, '0') + "0",
            format!("{}/0", key(1, '0')),
            format!("probe/{}", "0".repeat(64)),
        ];
        let store = strange.iter().fold(Store::default(), |it, key| it.with(key, long_ago));
        let log = Log::default();
        let orphans = remove_at(&log, &store).unwrap();
        assert_eq!(orphans, Orphans { looked_at: 7, removed: 0, unknown: 0, strange: 7 });
        assert_eq!(store.keys().len(), strange.len());
        assert!(log.0.lock().unwrap().is_empty(), "the log was asked about them");
    }

    #[test]
    fn a_copy_of_a_checkpoint_is_no_stranger_and_never_touched() {
        let of = CheckpointKey {
            log_id: Uuid::from_u128(1),
            partition: 0,
            size: 256,
            epoch: 1,
            erasures: 0,
            signed_by: [7; 4],
        };
        let store = Store::default().with(of.to_string(), at() - TimeDelta::days(9));
        let orphans = remove_at(&Log::default(), &store).unwrap();
        assert_eq!(orphans, Orphans { looked_at: 1, removed: 0, unknown: 0, strange: 0 });
        assert_eq!(store.keys(), [of.to_string()]);
    }

    #[test]
    fn the_log_is_asked_page_by_page() {
        let long_ago = at() - TimeDelta::days(9);
        let keys = (0..250).map(|number| key(number, '0'));
        let store = keys.fold(Store::default(), |it, key| it.with(key, long_ago));
        let log = Log::default();
        let orphans = remove_at(&log, &store).unwrap();
        assert_eq!(orphans, Orphans { looked_at: 250, removed: 250, unknown: 0, strange: 0 });
        assert_eq!(*log.0.lock().unwrap(), [100, 100, 50]);
        assert!(store.keys().is_empty());
    }

    #[test]
    fn a_store_that_fails_is_reported() {
        let long_ago = at() - TimeDelta::days(9);
        let store = Store { stuck: Some(key(1, '0')), ..Store::default() };
        let store = store.with(key(1, '0'), long_ago);
        let error = remove_at(&Log::default(), &store).unwrap_err();
        assert_eq!(error.what, "the content store");
    }
}
