//! Writes the place of a partition of the log by hand, with messages or without: for whoever mends the
//! streams while the relay stands still.

use std::time::Duration;

use uuid::Uuid;

use crate::error::StreamError;
use crate::place::Place;
use crate::positions::Positions;
use crate::producer::{GivenUp, Outgoing, Producer};
use crate::reader::{ANSWERS_WITHIN, READABLE_WITHIN, Readers};
use crate::{Record, Settings};

/// How often somebody else may be quicker: a relay that was fenced begins anew once.
const TRIES: u32 = 10;

/// How long is waited until it is tried again.
const TRIES_AFTER: Duration = Duration::from_millis(200);

/// Under which name a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// That of the relay: it can no longer commit then.
    Relay,
    /// One of its own, by which others who mend the same are kept away. The relay stands still.
    Refill,
}

/// Writes the place of one partition of the log. Its calls block.
pub(crate) struct Scribe {
    producer: Producer,
    positions: Positions,
}

impl Scribe {
    /// Whoever wrote under that name before can no longer commit.
    pub(crate) fn new(
        settings: &Settings,
        log_id: Uuid,
        partition: u16,
        name: Name,
        readers: &Readers,
        given_up: GivenUp,
    ) -> Result<Self, StreamError> {
        let id = Producer::id(settings, log_id, partition);
        let id = match name {
            Name::Relay => id,
            Name::Refill => format!("{id}-refill"),
        };
        let producer = Producer::new(settings, id, ANSWERS_WITHIN, given_up)?;
        let positions = Positions::find(settings, readers, log_id, partition)?;
        Ok(Self { producer, positions })
    }

    /// Writes messages into a topic, and the place, in one transaction.
    pub(crate) fn write(
        &self,
        topic: &str,
        messages: &[Record],
        place: &Place,
    ) -> Result<(), StreamError> {
        let written = self.positions.written(place)?;
        let messages = messages.iter().map(|record| Outgoing {
            topic,
            partition: None,
            key: &record.key,
            headers: Some(record.owned_headers()),
            payload: &record.payload,
        });
        let place = self.positions.record(&written);
        self.producer.commit(messages.chain([place]), |_| Ok(())).map_err(|not| not.error)
    }

    /// The place of the partition, once all is over that was begun before this took over the name.
    pub(crate) fn kept(
        &self,
        readers: &Readers,
        settings: &Settings,
    ) -> Result<Option<Place>, StreamError> {
        self.positions.kept(settings, readers, &self.producer, READABLE_WITHIN)
    }

    pub(crate) fn listen(&self) {
        self.producer.listen();
    }
}

/// Changes the place of a partition while nobody else can; returns what stands there then. `change` is
/// told what stands there, and answers with what should, if that is something else. It is asked again
/// where that has changed meanwhile.
pub(crate) fn change(
    settings: &Settings,
    log_id: Uuid,
    partition: u16,
    change: impl Fn(Option<&Place>) -> Option<Place>,
) -> Result<Option<Place>, StreamError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match changed(settings, log_id, partition, &change) {
            Err(StreamError::Fenced(_)) if tries < TRIES => std::thread::sleep(TRIES_AFTER),
            done => return done,
        }
    }
}

fn changed(
    settings: &Settings,
    log_id: Uuid,
    partition: u16,
    change: &impl Fn(Option<&Place>) -> Option<Place>,
) -> Result<Option<Place>, StreamError> {
    let readers = Readers::new(settings)?;
    let scribe =
        |name| Scribe::new(settings, log_id, partition, name, &readers, GivenUp::default());
    let is_filled = |kept: &Option<Place>| kept.as_ref().is_some_and(|it| !it.refilling.is_empty());
    let mut writes = scribe(Name::Relay)?;
    // After the fence: what was begun before is over, and nobody else goes on.
    let mut kept = writes.kept(&readers, settings)?;
    let mut wanted = change(kept.as_ref());
    if wanted.is_some() && is_filled(&kept) {
        // Nobody else but who fills the topic: how far that is must not go back.
        let fills = scribe(Name::Refill)?;
        kept = fills.kept(&readers, settings)?;
        wanted = change(kept.as_ref());
        if is_filled(&kept) {
            writes = fills;
        }
    }
    match wanted {
        Some(place) => {
            writes.write("", &[], &place)?;
            Ok(Some(place))
        }
        None => Ok(kept),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::cell::Cell;

    use dispensary::LogPosition;
    use dispensary::relay::RelayPlace;
    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::POSITIONS_TOPIC;

    #[test]
    fn how_far_a_topic_is_filled_does_not_go_back_where_another_is_begun() {
        let brokers = MockCluster::new(1).unwrap();
        let settings = Settings::plain(brokers.bootstrap_servers());
        brokers.create_topic(POSITIONS_TOPIC, 1, 1).unwrap();
        let log_id = Uuid::from_u128(1);
        let readers = Readers::new(&settings).unwrap();
        let place = LogPosition { partition: 0, position: 9 };
        let filled_to = |position| {
            let mut place = Place::new(RelayPlace { place, hash: [7; 32], epoch: 1 });
            place.refilling.insert("one".to_owned(), position);
            place
        };
        let fills =
            Scribe::new(&settings, log_id, 0, Name::Refill, &readers, GivenUp::default()).unwrap();
        fills.write("", &[], &filled_to(1)).unwrap();
        let asked = Cell::new(0);
        let begin_another = |stands: Option<&Place>| {
            asked.set(asked.get() + 1);
            if asked.get() == 1 {
                fills.write("", &[], &filled_to(2)).unwrap();
            }
            let mut place = stands?.clone();
            place.refilling.insert("other".to_owned(), -1);
            Some(place)
        };
        let stands = change(&settings, log_id, 0, begin_another).unwrap().unwrap();
        assert_eq!((stands.refilling["one"], stands.refilling["other"]), (2, -1));
        let kept = Place::kept(&readers, &settings, log_id, 0, None, ANSWERS_WITHIN).unwrap();
        assert_eq!(kept, Some(stands));
    }
}
