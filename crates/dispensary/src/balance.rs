//! What is left of a medication request.

use dispense_domain::registry::RequestStatus;
use dispense_domain::{MedicationRequestId, PersonId, Quantity, Text};
use rust_decimal::Decimal;

use crate::{Asker, Dispensary, QueryError, RequestKey};

/// How much of a medication request was prescribed, handed over, reserved and is left.
#[derive(Debug, Clone)]
pub struct Balance {
    /// The medication request.
    pub id: MedicationRequestId,
    /// The patient.
    pub person_id: PersonId,
    /// Its effective status: completed once nothing remains, else what its registry says.
    pub status: RequestStatus,
    /// Prescribed, by the log once it knows.
    pub prescribed: Quantity,
    /// Reserved by a live hold.
    pub held: Decimal,
    /// Handed over.
    pub dispensed: Decimal,
    /// Prescribed − dispensed − held.
    pub available: Decimal,
    /// In what unit.
    pub unit: Option<Text>,
}

impl Dispensary {
    /// The balance of a medication request, read from the log itself and so always current.
    ///
    /// # Errors
    ///
    /// [`QueryError::NotFound`] if there is none, or if the asker is a clinic that did not issue it.
    pub async fn balance(&self, asker: &Asker, key: &RequestKey) -> Result<Balance, QueryError> {
        const MISSING: QueryError = QueryError::NotFound("prescription");
        let found = self.visible(asker, key).await?;
        let (requested, stream) = found.ok_or(MISSING)?;
        let (prescribed, dispensing) = (requested.prescribed(), &requested.dispensing);
        let (held, dispensed) = (dispensing.held(stream.at), dispensing.processed());
        let medication = requested.evidence.medication.as_ref();
        let primary = medication.and_then(|it| it.primary_ingredient());
        Ok(Balance {
            id: requested.evidence.request.id,
            person_id: requested.evidence.request.person_id,
            status: requested.status(),
            prescribed,
            held: held.normalize(),
            dispensed: dispensed.normalize(),
            available: prescribed
                .decimal()
                .saturating_sub(dispensed)
                .saturating_sub(held)
                .normalize(),
            unit: primary
                .and_then(|ingredient| ingredient.dosage.as_ref()?.denumerator_unit.clone()),
        })
    }
}
