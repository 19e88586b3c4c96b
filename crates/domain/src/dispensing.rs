//! The aggregate: all dispenses of one medication request.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    Command, Digest, DispenseEvent, DispenseId, HoldCreated, LegalEntityId, Quantity, Refusals,
    Remaining, Sight, decide,
};

/// All dispenses of one medication request, in the order in which they began.
///
/// What decisions need, and no more: rendering reads the events themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispensing {
    prescribed: Option<Quantity>,
    dispenses: Vec<Dispense>,
}

/// One dispense, as far as decisions need to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispense {
    /// Its id.
    pub id: DispenseId,
    /// Whose it is.
    pub client: LegalEntityId,
    /// How much it takes, all items together.
    pub taken: Decimal,
    /// When its hold runs out.
    pub expires_at: Option<DateTime<Utc>>,
    /// The question that began it.
    pub opened_by: Question,
    /// The question that ended it, if one did.
    pub closed_by: Option<Question>,
    /// Number of its events.
    pub version: u32,
    stage: Status,
}

/// A question that was answered: asked again, it gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Digest of client and idempotency key.
    pub key: Digest,
    /// Digest of what was asked.
    pub request: Digest,
}

/// Where a dispense stands, in the order of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Reserved.
    Held,
    /// Handed over; final.
    Processed,
    /// Given back; final.
    Cancelled,
    /// Ran out; final.
    Expired,
}

impl Dispense {
    /// Where it stands at that instant. A hold includes its last instant; after it, it is over for
    /// everyone, whether or not that has been recorded (D-06).
    #[must_use]
    pub fn status(&self, at: DateTime<Utc>) -> Status {
        match (self.stage, self.expires_at) {
            (Status::Held, Some(expires_at)) if at > expires_at => Status::Expired,
            (stage, _) => stage,
        }
    }

    /// Whether the log says so already.
    #[must_use]
    pub const fn recorded_status(&self) -> Status {
        self.stage
    }
}

impl Dispensing {
    /// The prescribed quantity, once a dispense has begun; the registry's until then.
    #[must_use]
    pub const fn prescribed(&self) -> Option<Quantity> {
        self.prescribed
    }

    /// All dispenses, in the order in which they began.
    #[must_use]
    pub fn dispenses(&self) -> &[Dispense] {
        &self.dispenses
    }

    /// The dispense of this id.
    #[must_use]
    pub fn get(&self, id: DispenseId) -> Option<&Dispense> {
        self.dispenses.iter().find(|dispense| dispense.id == id)
    }

    /// The hold that is alive at that instant. There is never more than one.
    #[must_use]
    pub fn live_hold(&self, at: DateTime<Utc>) -> Option<&Dispense> {
        self.dispenses.iter().find(|dispense| dispense.status(at) == Status::Held)
    }

    /// How much was handed over.
    #[must_use]
    pub fn processed(&self) -> Decimal {
        self.sum(|dispense| dispense.stage == Status::Processed)
    }

    /// How much is reserved at that instant.
    #[must_use]
    pub fn held(&self, at: DateTime<Utc>) -> Decimal {
        self.sum(|dispense| dispense.status(at) == Status::Held)
    }

    fn sum(&self, counts: impl Fn(&Dispense) -> bool) -> Decimal {
        self.dispenses
            .iter()
            .filter(|dispense| counts(dispense))
            .fold(Decimal::ZERO, |sum, dispense| sum.saturating_add(dispense.taken))
    }

    /// What was not handed over yet, of the stream's own prescribed quantity or else of `registry`.
    #[must_use]
    pub fn remaining(&self, registry: Quantity) -> Remaining {
        Remaining::after(self.prescribed.unwrap_or(registry), self.processed())
    }

    /// Whether nothing remains: then the medication request counts as completed, whatever its
    /// registry says.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.prescribed.is_some_and(|whole| Remaining::after(whole, self.processed()).is_nothing())
    }

    fn open(&mut self, hold: &HoldCreated) {
        self.prescribed.get_or_insert(hold.prescribed);
        let taken = hold
            .items
            .iter()
            .fold(Decimal::ZERO, |sum, item| sum.saturating_add(item.quantity.decimal()));
        self.dispenses.push(Dispense {
            id: hold.dispense_id,
            client: hold.legal_entity_id,
            taken,
            expires_at: hold.expires_at,
            opened_by: Question { key: hold.key_digest, request: hold.request_digest },
            closed_by: None,
            version: 1,
            stage: Status::Held,
        });
    }

    fn close(&mut self, id: DispenseId, stage: Status, closed_by: Option<Question>) {
        if let Some(dispense) = self.dispenses.iter_mut().find(|dispense| dispense.id == id) {
            dispense.stage = stage;
            dispense.closed_by = closed_by;
            dispense.version += 1;
        }
    }
}

/// The state after `event`. It cannot fail: the event has happened.
#[must_use]
pub fn evolve(mut dispensing: Dispensing, event: &DispenseEvent) -> Dispensing {
    match event {
        DispenseEvent::HoldCreated(hold) => dispensing.open(hold),
        DispenseEvent::Processed(event) => {
            let question = event.key_digest.zip(event.request_digest);
            let question = question.map(|(key, request)| Question { key, request });
            dispensing.close(event.dispense_id, Status::Processed, question);
        }
        DispenseEvent::Cancelled(event) => {
            let question = Question { key: event.key_digest, request: event.request_digest };
            dispensing.close(event.dispense_id, Status::Cancelled, Some(question));
        }
        DispenseEvent::Expired(event) => {
            dispensing.close(event.dispense_id, Status::Expired, None);
        }
    }
    dispensing
}

impl Aggregate for Dispensing {
    const TYPE: &'static str = "dispense";
    type Command = Command;
    type Event = DispenseEvent;
    type Error = Refusals;
    /// What this one decision may look at.
    type Services = Sight;

    async fn handle(
        &mut self,
        command: Self::Command,
        sight: &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        for event in decide(self, &command, sight)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        *self = evolve(std::mem::take(self), &event);
    }
}
