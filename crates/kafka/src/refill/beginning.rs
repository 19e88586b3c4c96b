//! What a topic that is filled again has already.

use dispensary::Topic;
use dispensary::relay::RelayLog;

use super::{NOT_LOOKED, RefillError};
use crate::cluster::blocking;
use crate::reader::Readers;
use crate::verify::reading::{bounds, read};
use crate::verify::{AT_ONCE, Compared, Finding, Wrong};
use crate::{Place, Settings};

/// Up to where a topic has everything of a partition of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct From {
    /// The last event.
    pub(super) position: i64,
    /// How many messages that is.
    pub(super) messages: u64,
}

/// Up to where a topic has everything of each partition: as the note says, else as the topic itself says,
/// which has to have everything up to there.
pub(super) async fn beginnings(
    settings: &Settings,
    log: &dyn RelayLog,
    topic: Topic,
    noted: &[Place],
) -> Result<Vec<(Place, From)>, RefillError> {
    let name = settings.topic(topic.name());
    let of = settings.clone();
    let asked = name.clone();
    let bounds = blocking(move || bounds(&Readers::new(&of)?, &asked)).await?;
    let ends: i64 = bounds.iter().map(|bounds| bounds.end).sum();
    let noted_in = |place: &Place| {
        let note = place.refilling.get(topic.name()).copied();
        note.filter(|note| *note != NOT_LOOKED)
    };
    let announced = |place: &Place| place.announced_in(topic);
    let written: u64 = noted.iter().filter(|it| noted_in(it).is_some()).map(announced).sum();
    // A topic that was lost once more has less than was written into it.
    let counts = u64::try_from(ends).is_ok_and(|ends| ends >= written);
    let noted_in = |place: &Place| noted_in(place).filter(|_| counts);

    let mut limits = vec![0; usize::from(log.partitions().count())];
    for place in noted {
        if let Some(limit) = limits.get_mut(usize::from(place.relay.place.partition)) {
            *limit = place.relay.place.position;
        }
    }
    let mut compared = Compared::new(topic, log, &limits);
    if ends > 0 && noted.iter().any(|place| noted_in(place).is_none()) {
        let mut pages = read(settings, &name, &bounds);
        while let Some(page) = pages.recv().await {
            compared.look(page?.messages, |_| {}).await?;
        }
    }
    let mut begun = Vec::new();
    for place in noted {
        let from = match noted_in(place) {
            Some(position) => From { position, messages: place.announced_in(topic) },
            None => whole(log, &compared, place.relay.place.partition).await?.map_err(|why| {
                RefillError::NoBeginning { topic: name.clone(), why: why.to_string() }
            })?,
        };
        begun.push((place.clone(), from));
    }
    Ok(begun)
}

/// How much of a partition is in the topic, if nothing is missing before its end there.
async fn whole(
    log: &dyn RelayLog,
    compared: &Compared<'_>,
    partition: u16,
) -> Result<Result<From, Finding>, RefillError> {
    if let Some(finding) = compared.findings.first() {
        return Ok(Err(finding.clone()));
    }
    let Some(met) = compared.met.get(usize::from(partition)) else {
        return Ok(Ok(From { position: 0, messages: 0 }));
    };
    let end = i64::try_from(met.largest()).unwrap_or(i64::MAX);
    let mut from = From { position: 0, messages: 0 };
    while from.position < end {
        let to = end.min(from.position + AT_ONCE);
        let positions: Vec<i64> = (from.position + 1..=to).collect();
        for fact in log.facts_at(partition, &positions).await? {
            if !fact.topics().contains(&compared.topic) {
                continue;
            }
            if !met.has(u64::try_from(fact.place.position).unwrap_or_default()) {
                let (topic, place) = (compared.topic, Some(fact.place));
                return Ok(Err(Finding { topic, at: None, place, wrong: Wrong::Missing }));
            }
            from.messages += 1;
        }
        from.position = to;
    }
    Ok(Ok(from))
}
