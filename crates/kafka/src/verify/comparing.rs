//! Holds the messages of a topic against the events that they tell of.

use std::collections::{BTreeMap, HashMap};

use dispensary::announcement::Fact;
use dispensary::relay::RelayLog;
use dispensary::{LogPosition, Topic};

use super::VerifyError;
use super::bits::Bits;
use super::finding::{Finding, MOST_NAMED, Verified, Wrong};
use super::keys::partition_of;
use super::reading::Read;
use crate::Record;

/// What is known of a topic.
pub(crate) struct Compared<'a> {
    pub(crate) topic: Topic,
    log: &'a dyn RelayLog,
    source: String,
    /// Up to where each partition of the log may be announced.
    limits: &'a [i64],
    /// The messages that were met, for each partition of the log.
    pub(crate) met: Vec<Bits>,
    /// The first and the last position of each partition of the log in each partition of the topic.
    ends: HashMap<(i32, u16), (i64, i64)>,
    pub(super) verified: Verified,
    pub(crate) findings: Vec<Finding>,
}

/// A message whose event is to be looked at.
struct Told {
    at: (i32, i64),
    place: LogPosition,
    record: Record,
}

impl<'a> Compared<'a> {
    pub(crate) fn new(topic: Topic, log: &'a dyn RelayLog, limits: &'a [i64]) -> Self {
        let verified = Verified {
            topic,
            is_there: true,
            messages: 0,
            foreign: 0,
            no_longer_kept: 0,
            wrong: BTreeMap::new(),
        };
        Self {
            topic,
            log,
            source: format!("/dispense/{}", log.log_id()),
            limits,
            met: vec![Bits::default(); usize::from(log.partitions().count())],
            ends: HashMap::new(),
            verified,
            findings: Vec::new(),
        }
    }

    pub(super) fn found(&mut self, at: Option<(i32, i64)>, place: Option<LogPosition>, it: Wrong) {
        *self.verified.wrong.entry(it.kind()).or_default() += 1;
        if self.findings.len() < MOST_NAMED {
            self.findings.push(Finding { topic: self.topic, at, place, wrong: it });
        }
    }

    /// Looks at messages in the order in which they stand; tells which events were looked at.
    pub(crate) async fn look(
        &mut self,
        messages: Vec<Read>,
        mut each: impl FnMut(&Fact),
    ) -> Result<(), VerifyError> {
        let mut told: BTreeMap<u16, Vec<Told>> = BTreeMap::new();
        for message in messages {
            if let Some(of_ours) = self.placed(message) {
                told.entry(of_ours.place.partition).or_default().push(of_ours);
            }
        }
        for (partition, told) in told {
            let mut positions: Vec<i64> = told.iter().map(|it| it.place.position).collect();
            positions.sort_unstable();
            positions.dedup();
            let facts = self.log.facts_at(partition, &positions).await?;
            facts.iter().for_each(&mut each);
            let facts: HashMap<i64, Fact> =
                facts.into_iter().map(|fact| (fact.place.position, fact)).collect();
            for message in told {
                let fact = facts.get(&message.place.position);
                if let Some(wrong) = self.wrong(&message.record, fact)? {
                    self.found(Some(message.at), Some(message.place), wrong);
                }
            }
        }
        Ok(())
    }

    /// What can be said of a message without its event. None if there is nothing more to be said.
    fn placed(&mut self, message: Read) -> Option<Told> {
        let Read { partition, offset, record } = message;
        let at = (partition, offset);
        match record.source() {
            Some(source) if source == self.source => {}
            Some(_) => {
                self.verified.foreign += 1;
                return None;
            }
            None => {
                self.found(Some(at), None, Wrong::Unknown("it has no ce_source".to_owned()));
                return None;
            }
        }
        self.verified.messages += 1;
        let Some(place) = record.place() else {
            let why = "it has no ce_sequence".to_owned();
            self.found(Some(at), None, Wrong::Unknown(why));
            return None;
        };
        let limit = self.limits.get(usize::from(place.partition)).copied();
        let position = u64::try_from(place.position).ok().filter(|position| *position > 0);
        let (Some(position), Some(limit)) = (position, limit) else {
            let why = "the log has no such place".to_owned();
            self.found(Some(at), Some(place), Wrong::Unknown(why));
            return None;
        };
        if place.position > limit {
            let why = format!("it is announced up to {limit}");
            self.found(Some(at), Some(place), Wrong::Unknown(why));
            return None;
        }
        let is_new =
            self.met.get_mut(usize::from(place.partition)).is_none_or(|met| met.add(position));
        let ends = self.ends.entry((partition, place.partition));
        let (_, last) = ends.or_insert((place.position, place.position - 1));
        if place.position > *last {
            *last = place.position;
        } else if is_new {
            let behind = LogPosition { position: *last, ..place };
            self.found(Some(at), Some(place), Wrong::OutOfOrder(behind));
        }
        if !is_new {
            self.found(Some(at), Some(place), Wrong::Doubled);
        }
        Some(Told { at, place, record })
    }

    /// What is wrong with what a message says.
    fn wrong(&self, record: &Record, fact: Option<&Fact>) -> Result<Option<Wrong>, VerifyError> {
        let Some(fact) = fact else {
            return Ok(Some(Wrong::Unknown("the log has no such event".to_owned())));
        };
        let announcements = fact.announcements(self.log.log_id());
        let announcements = announcements.map_err(|_| VerifyError::Untold(fact.place))?;
        let Some(ours) = announcements.into_iter().find(|it| it.topic == self.topic) else {
            let why = "its event is not told in this topic".to_owned();
            return Ok(Some(Wrong::Unknown(why)));
        };
        Ok(altered(&Record::from(ours), record).map(Wrong::Altered))
    }

    /// A message that should be there is not.
    pub(super) fn misses(&mut self, fact: &Fact, begins: &[i64]) {
        let key = fact.request().to_string();
        let partition = partition_of(key.as_bytes(), begins.len());
        let has_lost = begins.get(partition).is_some_and(|begin| *begin > 0);
        let partition = i32::try_from(partition).unwrap_or(i32::MAX);
        let first = self.ends.get(&(partition, fact.place.partition)).map(|ends| ends.0);
        // Positions of one partition of the log rise within a partition of the topic, and what is too
        // old is taken away from its beginning.
        if has_lost && first.is_none_or(|first| fact.place.position < first) {
            self.verified.no_longer_kept += 1;
        } else {
            self.found(None, Some(fact.place), Wrong::Missing);
        }
    }
}

/// What a message has otherwise than it should.
fn altered(ours: &Record, theirs: &Record) -> Option<String> {
    // First what a consumer compares that has nothing but the log.
    if ours.hash() != theirs.hash() {
        return Some("its ce_hash is not that of the event".to_owned());
    }
    if ours.key != theirs.key {
        return Some("its key is not the medication request".to_owned());
    }
    for (name, value) in &ours.headers {
        let is_it = |header: &&(String, Vec<u8>)| header.0 == *name;
        match theirs.headers.iter().find(is_it) {
            None => return Some(format!("it has no header {name}")),
            Some((_, other)) if other != value => return Some(format!("its header {name}")),
            Some(_) => {}
        }
    }
    if ours.headers != theirs.headers {
        return Some("its headers are others, or in another order".to_owned());
    }
    (ours.payload != theirs.payload).then(|| "its payload".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Record {
            key: b"key".to_vec(),
            headers: vec![header("ce_id", "1"), header("ce_hash", &"ab".repeat(32))],
            payload: b"{}".to_vec(),
        }
    }

    /// What somebody does to a record.
    type Alter = fn(&mut Record);

    #[test]
    fn whatever_differs_is_named() {
        assert_eq!(altered(&record(), &record()), None);
        let altering: [(&str, Alter); 6] = [
            ("its key", |it| it.key = b"other".to_vec()),
            ("its ce_hash", |it| it.headers[1].1 = "cd".repeat(32).into_bytes()),
            ("no header ce_id", |it| it.headers[0].0 = "ce_ID".to_owned()),
            ("its header ce_id", |it| it.headers[0].1 = b"2".to_vec()),
            ("or in another order", |it| it.headers.reverse()),
            ("its payload", |it| it.payload = b"{ }".to_vec()),
        ];
        for (expected, alter) in altering {
            let mut theirs = record();
            alter(&mut theirs);
            let told = altered(&record(), &theirs).unwrap();
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
}
