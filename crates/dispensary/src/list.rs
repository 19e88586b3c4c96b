//! Lists of dispenses, page by page, as they stood when the first page was asked for (5.8).

use chrono::{DateTime, NaiveDate, Utc};
use dispense_domain::{
    DispenseId, DivisionId, LegalEntityId, MedicalProgramId, MedicationId, MedicationRequestId,
    PartyId, PersonId, Status, Text,
};
use serde::{Deserialize, Serialize};

use crate::cursor::{ListError, Snapshot};
use crate::search::PageSize;
use crate::{Asker, Dispensary, LogPositions, Shown};

/// What is looked for. All that is stated has to hold; what is absent excludes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Dispenses of this medication request.
    pub medication_request_id: Option<MedicationRequestId>,
    /// Those of this patient.
    pub person_id: Option<PersonId>,
    /// Those of this pharmacy company.
    pub legal_entity_id: Option<LegalEntityId>,
    /// Those of this outlet.
    pub division_id: Option<DivisionId>,
    /// Those of this pharmacist.
    pub party_id: Option<PartyId>,
    /// Those under this program.
    pub medical_program_id: Option<MedicalProgramId>,
    /// Those with this medication.
    pub medication_id: Option<MedicationId>,
    /// Those with this batch; of the medication, if one is stated.
    pub batch_number: Option<Text>,
    /// Those that stood at one of these; an empty list is matched by nothing.
    pub statuses: Option<Vec<Status>>,
    /// Those dispensed on this day or later.
    pub dispensed_from: Option<NaiveDate>,
    /// Those dispensed on this day or earlier.
    pub dispensed_to: Option<NaiveDate>,
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCursor {
    /// What counts.
    pub snapshot: Snapshot,
    /// By which filter the first page walked; the others do as well.
    pub walk: Walk,
    /// When the oldest hold began that was open then, where holds are asked for: what has ended since
    /// is looked for from there on.
    #[serde(with = "chrono::serde::ts_microseconds_option")]
    pub held_since: Option<DateTime<Utc>>,
    /// The last one that was looked at.
    pub after: DispensePlace,
}

/// The place of a dispense in a list: the last day of dispensing first, then what began last, then by
/// id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispensePlace {
    /// Its day of dispensing.
    pub dispensed_on: NaiveDate,
    /// When it began.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub inserted_at: DateTime<Utc>,
    /// Which one it is.
    pub id: DispenseId,
}

/// The filter along whose matches a list is walked; the others are compared on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is a filter, but the last, which is none")]
pub enum Walk {
    Request,
    Person,
    Batch,
    Party,
    Division,
    Medication,
    Program,
    LegalEntity,
    Everything,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The dispenses as they stood then. There may be fewer than asked for, even none, though the list
    /// goes on: a page looks at so many only.
    pub dispenses: Vec<Shown>,
    /// Where the list goes on; it does not if absent.
    pub next: Option<ListCursor>,
    /// What the list looks at.
    pub positions: LogPositions,
}

impl Dispensary {
    /// Lists dispenses: the first page, or the one after a cursor that was handed out for the same
    /// asker and filter. Whoever is shown their own alone is shown nothing else (5.1).
    ///
    /// # Errors
    ///
    /// [`ListError::Gone`] for a cursor whose moment cannot be looked at any more.
    pub async fn list(
        &self,
        asker: &Asker,
        mut filter: Filter,
        after: Option<&ListCursor>,
        size: PageSize,
    ) -> Result<Listed, ListError> {
        if asker.client_type.is_personal() {
            filter.legal_entity_id = Some(asker.client.into());
        }
        self.dispenses.list(&filter, after, size).await
    }
}
