//! Holds the topics against the log: every message that the log announces is there once, in order, and
//! says what the log says.
//!
//! ```text
//!   places ─▶ ends ─▶ places      what was announced before the ends has to be there,
//!                                 what was announced after them may be
//!   each topic, from its beginning to that end
//!     └▶ 500 messages ─▶ their events ─▶ made again, compared byte by byte
//!   events that no message led to ─▶ is one missing?
//! ```
//!
//! Nothing is kept of a message but a bit for its position, and nothing is written anywhere.

mod bits;
mod comparing;
mod finding;
mod keys;
pub(crate) mod reading;

use dispensary::announcement::Fact;
use dispensary::relay::{RelayLog, RelayStop};
use dispensary::{LogPosition, Topic};

pub use finding::{Finding, Kind, MOST_NAMED, Report, Verified, Wrong};

use crate::error::StreamError;
use crate::places::places;
use crate::{Place, Settings};
use bits::Bits;
pub(crate) use comparing::Compared;
use reading::{Bounds, all_bounds, read};

/// Events that are asked for at once.
pub(crate) const AT_ONCE: i64 = 500;

/// The same, for lists.
const MOST_ASKED: usize = 500;

/// Why topics cannot be held against the log.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The brokers do not answer.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RelayStop),
    /// An event cannot be told.
    #[error("the event {0} cannot be told")]
    Untold(LogPosition),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many records are going to be read.
    Begins(u64),
    /// So many more were read.
    Read(u64),
    /// Every topic was read; now it is looked for what is missing.
    Seeks,
    /// So many more events were looked at.
    Looked(u64),
}

/// Up to where a partition of the log is announced.
struct Limits {
    /// What has to be there.
    least: Vec<i64>,
    /// What may be there.
    most: Vec<i64>,
}

/// Holds topics against the log.
///
/// # Errors
///
/// If one of both cannot be read, or the log is not the one that was announced.
pub async fn verify(
    settings: &Settings,
    log: &dyn RelayLog,
    topics: &[Topic],
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Report, VerifyError> {
    let before = known(settings, log).await?;
    let names: Vec<String> = topics.iter().map(|topic| settings.topic(topic.name())).collect();
    let then = all_bounds(settings, names.clone()).await?;
    let after = known(settings, log).await?;
    let mut limits = Limits { least: Vec::new(), most: Vec::new() };
    let (mut without_place, mut not_announced_yet) = (Vec::new(), 0);
    for (partition, (before, after)) in log.partitions().all().zip(before.iter().zip(&after)) {
        let origin = LogPosition { partition, position: 0 };
        let (events, _) = log.lag(origin).await.map_err(RelayStop::from)?;
        let least = match before {
            Some(place) => log.goes_on(partition, Some(place.relay)).await?.place.position,
            None => 0,
        };
        if after.is_none() && events > 0 {
            without_place.push(partition);
        }
        // Without a place nobody knows what may be there but whoever looks at the log.
        let most = after.as_ref().map_or(events, |after| after.relay.place.position);
        limits.least.push(least.min(most));
        limits.most.push(most);
        not_announced_yet += (events - most).max(0);
    }
    let total = then.iter().flatten().flatten();
    progress(Step::Begins(total.map(|bounds| bounds.records()).sum()));
    let mut looked = Looked::new(log);
    let mut compared = Vec::new();
    for ((topic, name), bounds) in topics.iter().zip(&names).zip(then) {
        let mut topic = Compared::new(*topic, log, &limits.most);
        if let Some(bounds) = bounds {
            let mut pages = read(settings, name, &bounds);
            while let Some(page) = pages.recv().await {
                let page = page?;
                topic.look(page.messages, |fact| looked.at(fact)).await?;
                progress(Step::Read(page.records));
            }
        } else {
            topic.verified.is_there = false;
        }
        compared.push(topic);
    }
    // What has become too old since a topic was begun is not missing.
    let now = all_bounds(settings, names).await?;
    let begins = |bounds: Option<Vec<Bounds>>| {
        bounds.into_iter().flatten().map(|bounds| bounds.begin).collect::<Vec<i64>>()
    };
    let mut compared: Vec<_> = compared.into_iter().zip(now.into_iter().map(begins)).collect();
    progress(Step::Seeks);
    seek(log, &limits.least, &looked, &mut compared, progress).await?;
    let mut report =
        Report { topics: Vec::new(), not_announced_yet, without_place, findings: Vec::new() };
    for (topic, _) in compared {
        report.topics.push(topic.verified);
        let room = MOST_NAMED.saturating_sub(report.findings.len());
        report.findings.extend(topic.findings.into_iter().take(room));
    }
    Ok(report)
}

/// Up to where each partition is announced; nobody knows it where the topic of places is not there.
async fn known(settings: &Settings, log: &dyn RelayLog) -> Result<Vec<Option<Place>>, StreamError> {
    match places(settings, log.log_id(), log.partitions()).await {
        Err(StreamError::NoTopic { .. }) => Ok(log.partitions().all().map(|_| None).collect()),
        known => known,
    }
}

/// The events that messages led to, and in which topics they are told.
struct Looked {
    at: Vec<Bits>,
    told: Vec<(Topic, Vec<Bits>)>,
}

impl Looked {
    fn new(log: &dyn RelayLog) -> Self {
        let none = vec![Bits::default(); usize::from(log.partitions().count())];
        Self { at: none.clone(), told: Topic::ALL.map(|it| (it, none.clone())).to_vec() }
    }

    fn at(&mut self, fact: &Fact) {
        let LogPosition { partition, position } = fact.place;
        let position = u64::try_from(position).unwrap_or_default();
        let add = |bits: &mut Vec<Bits>| {
            bits.get_mut(usize::from(partition)).map(|bits| bits.add(position))
        };
        add(&mut self.at);
        for (topic, bits) in &mut self.told {
            if fact.topics().contains(topic) {
                add(bits);
            }
        }
    }

    /// Whether a message of that event may be missing in one of the topics.
    fn may_miss(
        &self,
        partition: u16,
        position: u64,
        compared: &[(Compared<'_>, Vec<i64>)],
    ) -> bool {
        let has =
            |bits: &[Bits]| bits.get(usize::from(partition)).is_some_and(|bits| bits.has(position));
        let told = |topic: Topic| self.told.iter().any(|it| it.0 == topic && has(&it.1));
        let misses = |it: &Compared<'_>| !has(&it.met) && told(it.topic);
        !has(&self.at) || compared.iter().any(|(topic, _)| misses(topic))
    }
}

/// Looks for messages that are missing: at the events that no message led to, and at those that are told
/// in one topic and were not met in another.
async fn seek(
    log: &dyn RelayLog,
    least: &[i64],
    looked: &Looked,
    compared: &mut [(Compared<'_>, Vec<i64>)],
    progress: &(dyn Fn(Step) + Sync),
) -> Result<(), VerifyError> {
    for (partition, least) in log.partitions().all().zip(least) {
        let mut position = 1;
        while position <= *least {
            let mut positions = Vec::new();
            let from = position;
            while position <= *least && positions.len() < MOST_ASKED {
                let asked = u64::try_from(position).unwrap_or_default();
                if looked.may_miss(partition, asked, compared) {
                    positions.push(position);
                }
                position += 1;
            }
            for fact in log.facts_at(partition, &positions).await? {
                let place = u64::try_from(fact.place.position).unwrap_or_default();
                for (topic, begins) in &mut *compared {
                    let met = topic.met.get(usize::from(partition));
                    let is_met = met.is_some_and(|met| met.has(place));
                    if fact.topics().contains(&topic.topic) && !is_met {
                        topic.misses(&fact, begins);
                    }
                }
            }
            progress(Step::Looked(u64::try_from(position - from).unwrap_or_default()));
        }
    }
    Ok(())
}
