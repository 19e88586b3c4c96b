//! The record of one partition of the log in the topic of positions, for whoever writes it.

use std::time::Duration;

use uuid::Uuid;

use crate::error::StreamError;
use crate::place::Place;
use crate::producer::{Outgoing, Producer};
use crate::reader::{ANSWERS_WITHIN, Readers};
use crate::{POSITIONS_TOPIC, Settings};

/// Where the place of a partition of the log is written.
pub(crate) struct Positions {
    topic: String,
    partition: i32,
    key: String,
    log_id: Uuid,
    log_partition: u16,
}

impl Positions {
    /// Finds where it is.
    pub(crate) fn find(
        settings: &Settings,
        readers: &Readers,
        log_id: Uuid,
        log_partition: u16,
    ) -> Result<Self, StreamError> {
        let topic = settings.topic(POSITIONS_TOPIC);
        let of = readers.partitions(&topic, ANSWERS_WITHIN)?;
        let partition = Place::kafka_partition(log_partition, of);
        let key = Place::key(log_id, log_partition);
        Ok(Self { topic, partition, key, log_id, log_partition })
    }

    /// What stands there once all is over that was begun under the producer's name before it took that
    /// over.
    pub(crate) fn kept(
        &self,
        settings: &Settings,
        readers: &Readers,
        producer: &Producer,
        held_back: Duration,
    ) -> Result<Option<Place>, StreamError> {
        let (log_id, partition) = (self.log_id, self.log_partition);
        let key = Place::key_of_mark(log_id, partition);
        let mark = Some(producer.mark(&self.topic, self.partition, &key)?);
        Place::kept(readers, settings, log_id, partition, mark, held_back)
    }

    /// The value of the record of a place.
    pub(crate) fn written(&self, place: &Place) -> Result<String, StreamError> {
        place.written().map_err(|error| StreamError::Place {
            topic: self.topic.clone(),
            key: self.key.clone(),
            why: error.to_string(),
        })
    }

    /// The record with that value.
    pub(crate) fn record<'a>(&'a self, written: &'a str) -> Outgoing<'a> {
        Outgoing {
            topic: &self.topic,
            partition: Some(self.partition),
            key: self.key.as_bytes(),
            headers: None,
            payload: written.as_bytes(),
        }
    }
}
