//! What the world is told of an event: the messages of the streams.
//!
//! A message is made from the event alone, and from the beginning of its dispense: whoever makes it
//! again gets the same bytes, be it the relay after a crash or whoever compares the streams with the
//! log. Its version is its own: the log is ours, the streams are others'.

mod members;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use dispense_domain::{Digest, DispenseEvent, DispenseId, HoldCreated, MedicationRequestId};
use uuid::Uuid;

use crate::{LogHash, LogPosition};

/// A topic of the streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Medication was handed over.
    Recorded,
    /// Nothing of a medication request remains.
    FullyDispensed,
    /// Medication was reserved.
    HoldCreated,
    /// A hold ran out.
    Expired,
    /// A hold was given back.
    Cancelled,
}

impl Topic {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::Recorded, Self::FullyDispensed, Self::HoldCreated, Self::Expired, Self::Cancelled];

    /// Its name, which is the `ce_type` of its messages too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "ndp.events.dispense.recorded",
            Self::FullyDispensed => "ndp.events.prescription.fully_dispensed",
            Self::HoldCreated => "ndp.events.dispense.hold_created",
            Self::Expired => "ndp.events.dispense.expired",
            Self::Cancelled => "ndp.events.dispense.cancelled",
        }
    }

    /// The last words of its name.
    #[must_use]
    pub const fn last_words(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::FullyDispensed => "fully_dispensed",
            Self::HoldCreated => "hold_created",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An event of the log with what its messages need.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Where it stands.
    pub place: LogPosition,
    /// The hash of its row.
    pub hash: LogHash,
    /// Its id.
    pub event_id: Uuid,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub event: DispenseEvent,
    /// How its dispense began; the event itself, if it is the beginning.
    pub hold: Arc<HoldCreated>,
    /// Of a hand-over: how many dispenses of the medication request were handed over up to it, itself
    /// included. Other events do not need it, and have 0.
    pub handed_over: u32,
    /// The trace of the request that brought it about.
    pub traceparent: Option<String>,
}

impl Fact {
    /// The medication request that it belongs to.
    #[must_use]
    pub fn request(&self) -> MedicationRequestId {
        self.hold.medication_request.id
    }

    /// The topics in which it is told, in the order of its messages. A hold that was processed at once
    /// was never one to others, so that its beginning is told nowhere.
    #[must_use]
    pub fn topics(&self) -> &'static [Topic] {
        match &self.event {
            DispenseEvent::HoldCreated(hold) if hold.processed_at_once => &[],
            DispenseEvent::HoldCreated(_) => &[Topic::HoldCreated],
            DispenseEvent::Processed(event) if event.remaining.is_nothing() => {
                &[Topic::Recorded, Topic::FullyDispensed]
            }
            DispenseEvent::Processed(_) => &[Topic::Recorded],
            DispenseEvent::Cancelled(_) => &[Topic::Cancelled],
            DispenseEvent::Expired(_) => &[Topic::Expired],
        }
    }

    /// What is told of it.
    ///
    /// # Errors
    ///
    /// Never, as long as its members can be written as JSON.
    pub fn announcements(&self, log_id: Uuid) -> serde_json::Result<Vec<Announcement>> {
        let announcement = |topic: &Topic| {
            Ok(Announcement {
                topic: *topic,
                id: format!("{}/{}", self.event_id, topic.last_words()),
                source: format!("/dispense/{log_id}"),
                subject: self.event.dispense_id(),
                key: self.request(),
                place: self.place,
                hash: self.hash,
                time: self.recorded_at,
                traceparent: self.traceparent.clone(),
                data: members::written(*topic, self)?,
            })
        };
        self.topics().iter().map(announcement).collect()
    }
}

/// A message, before anybody has decided how it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its topic.
    pub topic: Topic,
    /// `<event id>/<last words of the topic>`; the same for ever, so that nobody counts it twice.
    pub id: String,
    /// `/dispense/<log id>`.
    pub source: String,
    /// The dispense.
    pub subject: DispenseId,
    /// The medication request: messages of one key keep their order.
    pub key: MedicationRequestId,
    /// Where its event stands in the log.
    pub place: LogPosition,
    /// The hash of that row.
    pub hash: LogHash,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Its members, as JSON.
    pub data: String,
}

/// The media type of `data`.
pub const DATA_TYPE: &str = "application/json";

impl Announcement {
    /// Its `CloudEvents` attributes but for `datacontenttype`, with the names of the specification, in
    /// the order in which they are written. `sequence` and `partitionkey` are extensions that the
    /// specification lists, and so is `traceparent`; `hash` is ours.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let mut attributes = vec![
            ("specversion", "1.0".to_owned()),
            ("id", self.id.clone()),
            ("source", self.source.clone()),
            ("type", self.topic.name().to_owned()),
            ("subject", self.subject.to_string()),
            ("time", instant(self.time)),
            ("sequence", self.place.to_string()),
            ("partitionkey", self.key.to_string()),
            ("hash", Digest::from(self.hash).to_string()),
        ];
        attributes.extend(self.traceparent.clone().map(|trace| ("traceparent", trace)));
        attributes
    }
}

/// As every instant that leaves the service: UTC, to the microsecond.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
