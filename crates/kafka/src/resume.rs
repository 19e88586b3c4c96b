//! Tells the brokers again how far the streams are, where they have forgotten it: the topic of the places
//! was lost, or the cluster is a new one.
//!
//! By default it is as far as the topics of events say, whose messages name the events that they tell of,
//! or as far as the database was told, whatever is further. How many messages that were is counted in the
//! log, so that a topic that was lost as well is noticed.

use std::collections::BTreeMap;

use dispensary::announcement::Topic;
use dispensary::relay::{RelayLog, RelayPlace, RelayStop};
use dispensary::{LogHash, LogPosition};

use crate::cluster::blocking;
use crate::error::StreamError;
use crate::places::places;
use crate::scribe::change;
use crate::verify::AT_ONCE;
use crate::verify::reading::{all_bounds, read};
use crate::{Place, Settings};

/// Where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// Behind what was announced.
    Topics,
    /// At the first event: everything is announced again.
    Beginning,
}

/// What becomes of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The streams know how far it is; nothing is changed.
    Known(Place),
    /// Nothing of it was ever announced; its relay begins by itself.
    Begins(u16),
    /// It goes on behind that place.
    Resumes(Place),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many records are going to be read.
    Reads(u64),
    /// So many more were read.
    Read(u64),
    /// So many events are going to be counted.
    Counts(u64),
    /// So many more were counted.
    Counted(u64),
}

/// Why nothing is resumed.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The brokers do not do it.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RelayStop),
    /// The messages are not of this log.
    #[error(
        "the topics have {0}, and the log has another event there or none; see docs/operations.md, \
         after a restore"
    )]
    OtherLog(LogPosition),
    /// Everything would be there twice.
    #[error(
        "the topics have messages up to {0}, which would all be there twice; say --from-topics to go \
         on behind them, or delete the topics and make them anew"
    )]
    NotEmpty(LogPosition),
    /// It knows by now.
    #[error("partition {0} knows how far it is by now; nothing was changed in it")]
    Known(u16),
}

/// Finds out where partitions go on; changes nothing.
///
/// # Errors
///
/// If that cannot be known.
pub async fn plan(
    settings: &Settings,
    log: &dyn RelayLog,
    beginning: &(dyn Fn(u16) -> RelayPlace + Sync),
    wanted: &[u16],
    whence: Whence,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Vec<Plan>, ResumeError> {
    let known = places(settings, log.log_id(), log.partitions()).await?;
    let known: BTreeMap<u16, Place> = log
        .partitions()
        .all()
        .zip(known)
        .filter_map(|(partition, place)| Some((partition, place?)))
        .collect();
    let forgotten = wanted.iter().any(|partition| !known.contains_key(partition));
    let topics = if forgotten { ends(settings, log, progress).await? } else { BTreeMap::new() };
    let mut plans = Vec::new();
    for partition in wanted {
        let plan = if let Some(place) = known.get(partition) {
            Plan::Known(place.clone())
        } else {
            let told = topics.get(partition).copied();
            forgotten_one(log, beginning(*partition), told, whence, progress).await?
        };
        plans.push(plan);
    }
    Ok(plans)
}

/// Where a partition goes on of which the streams know nothing.
async fn forgotten_one(
    log: &dyn RelayLog,
    begin: RelayPlace,
    told: Option<(i64, Option<LogHash>)>,
    whence: Whence,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Plan, ResumeError> {
    let LogPosition { partition, .. } = begin.place;
    let at = |position| LogPosition { partition, position };
    let in_database = match log.goes_on(partition, None).await {
        Ok(_) => 0,
        Err(RelayStop::PlaceLost { position }) => position,
        Err(stop) => return Err(stop.into()),
    };
    match (whence, told) {
        (Whence::Beginning, Some((position, _))) => Err(ResumeError::NotEmpty(at(position))),
        (Whence::Beginning | Whence::Topics, None) if in_database == 0 => {
            Ok(Plan::Begins(partition))
        }
        (Whence::Beginning, None) => Ok(Plan::Resumes(Place::new(begin))),
        (Whence::Topics, told) => {
            let (in_topics, hash) = told.unwrap_or_default();
            let place = at(in_topics.max(in_database));
            if in_topics > 0 {
                let facts = log.facts_at(partition, &[in_topics]).await?;
                let is_it = facts.first().is_some_and(|fact| Some(fact.hash) == hash);
                if !is_it {
                    return Err(ResumeError::OtherLog(at(in_topics)));
                }
            }
            Ok(Plan::Resumes(counted(log, begin, place, progress).await?))
        }
    }
}

/// A place with all that was announced up to there.
async fn counted(
    log: &dyn RelayLog,
    begin: RelayPlace,
    end: LogPosition,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Place, ResumeError> {
    progress(Step::Counts(u64::try_from(end.position).unwrap_or_default()));
    let mut place = Place::new(begin);
    let mut position = 0;
    while position < end.position {
        let behind = position;
        position = end.position.min(position + AT_ONCE);
        let positions: Vec<i64> = (behind + 1..=position).collect();
        for fact in log.facts_at(end.partition, &positions).await? {
            fact.topics().iter().for_each(|topic| place.count(*topic));
            place.relay = RelayPlace { place: fact.place, hash: fact.hash, ..place.relay };
        }
        progress(Step::Counted(u64::try_from(position - behind).unwrap_or_default()));
    }
    if place.relay.place == end { Ok(place) } else { Err(ResumeError::OtherLog(end)) }
}

/// The last event of each partition of the log that is told in a topic, with the hash that the message
/// has.
async fn ends(
    settings: &Settings,
    log: &dyn RelayLog,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<BTreeMap<u16, (i64, Option<LogHash>)>, ResumeError> {
    let source = format!("/dispense/{}", log.log_id());
    let names = Topic::ALL.map(|topic| settings.topic(topic.name())).to_vec();
    // One that was lost is noticed by what is counted.
    let bounds = all_bounds(settings, names.clone()).await?;
    let topics: Vec<_> =
        names.into_iter().zip(bounds).filter_map(|(name, bounds)| Some((name, bounds?))).collect();
    let records = topics.iter().flat_map(|topic| &topic.1).map(|bounds| bounds.records());
    progress(Step::Reads(records.sum()));
    let mut ends = BTreeMap::new();
    for (name, bounds) in topics {
        let mut pages = read(settings, &name, &bounds);
        while let Some(page) = pages.recv().await {
            let page = page?;
            let ours = page.messages.iter().filter(|it| it.record.source() == Some(&*source));
            for message in ours {
                let Some(LogPosition { partition, position }) = message.record.place() else {
                    continue;
                };
                let end = ends.entry(partition).or_insert((0, None));
                if position > end.0 {
                    *end = (position, message.record.hash());
                }
            }
            progress(Step::Read(page.records));
        }
    }
    Ok(ends)
}

/// Tells the brokers what was planned; answers how many partitions go on.
///
/// # Errors
///
/// If they do not take it. What they took until then stays: run it again.
pub async fn resume(
    settings: &Settings,
    log: &dyn RelayLog,
    plans: &[Plan],
) -> Result<usize, ResumeError> {
    let mut resumed = 0;
    for plan in plans {
        let Plan::Resumes(wanted) = plan else { continue };
        let partition = wanted.relay.place.partition;
        let (of, log_id, new) = (settings.clone(), log.log_id(), wanted.clone());
        let telling = move || {
            change(&of, log_id, partition, |place| match place {
                None => Some(new.clone()),
                Some(_) => None,
            })
        };
        if blocking(telling).await?.as_ref() != Some(wanted) {
            return Err(ResumeError::Known(partition));
        }
        resumed += 1;
    }
    Ok(resumed)
}
