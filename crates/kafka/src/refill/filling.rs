//! Fills a topic with what a partition of the log announced in it.

use dispensary::Topic;
use dispensary::relay::RelayLog;
use tokio_util::sync::CancellationToken;

use super::beginning::From;
use super::{RefillError, Step, elsewhere};
use crate::producer::OwnThread;
use crate::reader::Readers;
use crate::scribe::{Name, Scribe};
use crate::verify::VerifyError;
use crate::{Place, Record, Settings};

/// Events that are looked at together, and whose messages stand in one transaction.
const AT_ONCE: i64 = crate::verify::AT_ONCE;

/// Writes what is left of a partition; returns how many messages that was.
pub(super) async fn fill(
    settings: &Settings,
    log: &dyn RelayLog,
    topic: Topic,
    place: Place,
    from: From,
    progress: &(dyn Fn(Step) + Sync),
    stop: &CancellationToken,
) -> Result<u64, RefillError> {
    let thread = OwnThread::start("refill".to_owned(), Scribe::listen);
    let thread = thread.map_err(RefillError::NoThread)?;
    let filling = Filling { settings, log, topic, thread: &thread };
    let filled = filling.run(place, from, progress, stop).await;
    thread.end().await;
    filled
}

struct Filling<'a> {
    settings: &'a Settings,
    log: &'a dyn RelayLog,
    topic: Topic,
    thread: &'a OwnThread<Scribe>,
}

impl Filling<'_> {
    async fn run(
        &self,
        place: Place,
        from: From,
        progress: &(dyn Fn(Step) + Sync),
        stop: &CancellationToken,
    ) -> Result<u64, RefillError> {
        let (partition, end) = (place.relay.place.partition, place.relay.place.position);
        let name = self.topic.name().to_owned();
        let (settings, log_id) = (self.settings.clone(), self.log.log_id());
        let begin = move |living: &mut Option<Scribe>, given_up| {
            let readers = Readers::new(&settings)?;
            let scribe =
                Scribe::new(&settings, log_id, partition, Name::Refill, &readers, given_up)?;
            // After the fence: whoever filled it before writes nothing more.
            let kept = scribe.kept(&readers, &settings);
            *living = Some(scribe);
            kept
        };
        let kept = self.thread.run(begin).await?.map_err(elsewhere)?;
        let note = |place: &Place| place.refilling.get(&name).copied();
        // What else stands there now may be newer than what was found at first: another topic may have
        // been filled since.
        let same = kept.filter(|kept| note(kept) == note(&place));
        let Some(mut place) = same.map(|kept| Place { relay: place.relay, ..kept }) else {
            return Err(RefillError::Elsewhere);
        };
        let mut messages = from.messages;
        let mut position = from.position;
        loop {
            if stop.is_cancelled() {
                return Err(RefillError::Interrupted);
            }
            let behind = position;
            position = end.min(position + AT_ONCE);
            let records = self.records(partition, behind + 1, position).await?;
            messages += u64::try_from(records.len()).unwrap_or_default();
            place.announced.insert(name.clone(), messages);
            place.ends.remove(&name);
            if position < end {
                place.refilling.insert(name.clone(), position);
            } else {
                place.refilling.remove(&name);
                place.filled.insert(name.clone(), place.filled(&name) + 1);
            }
            // The last one is written in any case: it takes the note away.
            if !records.is_empty() || position == end {
                self.write(records, place.clone()).await?;
            }
            progress(Step::Looked(u64::try_from(position - behind).unwrap_or_default()));
            if position == end {
                return Ok(messages - from.messages);
            }
        }
    }

    /// What was announced of those events in this topic.
    async fn records(
        &self,
        partition: u16,
        from: i64,
        to: i64,
    ) -> Result<Vec<Record>, RefillError> {
        let positions: Vec<i64> = (from..=to).collect();
        let mut records = Vec::new();
        for fact in self.log.facts_at(partition, &positions).await? {
            let announcements = fact.announcements(self.log.log_id());
            let announcements = announcements.map_err(|_| VerifyError::Untold(fact.place))?;
            let here = announcements.into_iter().filter(|it| it.topic == self.topic);
            records.extend(here.map(Record::from));
        }
        Ok(records)
    }

    async fn write(&self, records: Vec<Record>, place: Place) -> Result<(), RefillError> {
        let topic = self.settings.topic(self.topic.name());
        let writing = move |living: &mut Option<Scribe>, _| {
            living.as_ref().map(|scribe| scribe.write(&topic, &records, &place))
        };
        self.thread.run(writing).await?.ok_or(RefillError::ThreadGone)?.map_err(elsewhere)
    }
}
