//! What is left of a medication request.

use dispense_domain::registry::RequestStatus;
use dispense_domain::{DispenseEvent, MedicationRequestId, PersonId, Quantity, Text};
use rust_decimal::Decimal;

use crate::past::{Moment, PastError, Reading};
use crate::{Asker, Dispensary, QueryError, RequestKey, Requested, Stream};

/// How much of a medication request was prescribed, handed over, reserved and is left.
#[derive(Debug, Clone)]
pub struct Balance {
    /// The medication request.
    pub id: MedicationRequestId,
    /// The patient.
    pub person_id: PersonId,
    /// Its effective status: completed once nothing remains, else what its registry says. What that
    /// said in the past is not known.
    pub status: Option<RequestStatus>,
    /// Prescribed, by the log once it knows. What the registry said in the past is not known.
    pub prescribed: Option<Quantity>,
    /// Reserved by a live hold.
    pub held: Decimal,
    /// Handed over.
    pub dispensed: Decimal,
    /// Prescribed − dispensed − held.
    pub available: Option<Decimal>,
    /// In what unit.
    pub unit: Option<Text>,
}

/// What a registry says of a medication request, or the log in its place.
struct Stated {
    status: Option<RequestStatus>,
    prescribed: Option<Quantity>,
    unit: Option<Text>,
}

impl Stated {
    fn now(requested: &Requested) -> Self {
        let medication = requested.evidence.medication.as_ref();
        let primary = medication.and_then(|it| it.primary_ingredient());
        Self {
            status: Some(requested.status()),
            prescribed: Some(requested.prescribed()),
            unit: primary
                .and_then(|ingredient| ingredient.dosage.as_ref()?.denumerator_unit.clone()),
        }
    }

    /// As the events told it by then.
    fn by_the_log(requested: &Requested, stream: &Stream) -> Self {
        let dispensing = &requested.dispensing;
        let hold = stream.events.iter().find_map(|recorded| match &recorded.event {
            DispenseEvent::HoldCreated(hold) => Some(hold),
            DispenseEvent::Processed(_)
            | DispenseEvent::Cancelled(_)
            | DispenseEvent::Expired(_) => None,
        });
        let dosage = hold.and_then(|hold| hold.medication_request.medication.dosage.as_ref());
        Self {
            status: dispensing.is_completed().then_some(RequestStatus::Completed),
            prescribed: dispensing.prescribed(),
            unit: dosage.and_then(|dosage| dosage.denumerator_unit.clone()),
        }
    }
}

impl Dispensary {
    /// The balance of a medication request at that moment, read from the log itself and so always
    /// current.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] if there is none, or if the asker is a clinic that did not issue it.
    /// [`PastError::OutOfRange`] for a moment that the log does not know.
    pub async fn balance(
        &self,
        asker: &Asker,
        key: &RequestKey,
        moment: Moment,
    ) -> Result<Reading<Balance>, PastError> {
        let found = self.visible_at(asker, key, moment).await?;
        let (requested, stream) = found.ok_or(QueryError::NotFound("prescription"))?;
        let stated = match moment {
            Moment::Now => Stated::now(&requested),
            Moment::Past(_) => Stated::by_the_log(&requested, &stream),
        };
        let held = requested.dispensing.held(stream.at);
        let dispensed = requested.dispensing.processed();
        let left = |prescribed: Quantity| {
            prescribed.decimal().saturating_sub(dispensed).saturating_sub(held).normalize()
        };
        let balance = Balance {
            id: requested.evidence.request.id,
            person_id: requested.evidence.request.person_id,
            status: stated.status,
            prescribed: stated.prescribed,
            held: held.normalize(),
            dispensed: dispensed.normalize(),
            available: stated.prescribed.map(left),
            unit: stated.unit,
        };
        Ok(Reading { read: balance, position: stream.position })
    }
}
