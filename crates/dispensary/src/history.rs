//! What happened to a dispense, event by event.

use dispense_domain::{
    CancelledBody, DispenseEvent, DispenseId, HoldBody, LongText, ProcessedBody,
};
use dispense_domain::{Status, Text};

use crate::past::{Moment, PastError, Reading};
use crate::{Asker, Dispensary, Recorded, Shown};

/// The events of a dispense, and how it stands after them.
#[derive(Debug, Clone)]
pub struct History {
    /// The dispense. A hold that ran out is over, whether or not that was recorded; the steps end with
    /// what was.
    pub shown: Shown,
    /// In order; the first one opened it.
    pub steps: Vec<Step>,
}

/// One event of a dispense.
#[derive(Debug, Clone)]
pub struct Step {
    /// The event, as it stands in the log.
    pub recorded: Recorded,
    /// The dispense right before it; none if it began with this one.
    pub before: Option<Shown>,
    /// The dispense right after it.
    pub after: Shown,
}

/// What somebody wrote down with an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Why it was given back.
    pub reason: Option<LongText>,
    /// Receipt number.
    pub payment_id: Option<Text>,
    /// Free text of the pharmacy.
    pub note: Option<LongText>,
}

impl Step {
    fn of(events: &[Recorded], id: DispenseId) -> Option<Self> {
        let (last, earlier) = events.split_last()?;
        Some(Self {
            recorded: last.clone(),
            before: Shown::of(earlier, id, last.recorded_at).map(as_anybody_saw_it),
            after: Shown::of(events, id, last.recorded_at).map(as_anybody_saw_it)?,
        })
    }

    /// What was written down, as far as it was not erased.
    #[must_use]
    pub fn remarks(&self) -> Remarks {
        let recorded = &self.recorded;
        match &recorded.event {
            DispenseEvent::HoldCreated(_) => recorded
                .body::<HoldBody>()
                .map(|body| Remarks { note: body.note, ..Remarks::default() }),
            DispenseEvent::Processed(_) => recorded
                .body::<ProcessedBody>()
                .map(|body| Remarks { payment_id: body.payment_id, ..Remarks::default() }),
            DispenseEvent::Cancelled(_) => recorded.body::<CancelledBody>().map(
                |CancelledBody { reason, payment_id, .. }| Remarks {
                    reason,
                    payment_id,
                    note: None,
                },
            ),
            DispenseEvent::Expired(_) => None,
        }
        .unwrap_or_default()
    }
}

/// The two events of a dispense that was processed at once stand in one commit: nobody saw a hold.
fn as_anybody_saw_it(mut shown: Shown) -> Shown {
    if shown.hold.processed_at_once {
        shown.status = Status::Processed;
    }
    shown
}

impl Dispensary {
    /// What happened to a dispense up to that moment, read from the log itself.
    ///
    /// # Errors
    ///
    /// As [`Dispensary::dispense`].
    pub async fn history(
        &self,
        asker: &Asker,
        id: DispenseId,
        moment: Moment,
    ) -> Result<Reading<History>, PastError> {
        let (stream, shown) = self.seen_at(asker, id, moment).await?;
        let own: Vec<Recorded> =
            stream.events.into_iter().filter(|it| it.event.dispense_id() == id).collect();
        let steps = (1..=own.len()).filter_map(|count| Step::of(&own[..count], id)).collect();
        Ok(Reading { read: History { shown, steps }, position: stream.position })
    }
}
