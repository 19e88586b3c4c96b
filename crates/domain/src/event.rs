//! What has happened.
//!
//! Events are kept for ever. A field is never renamed, retyped or removed: a new shape gets a new
//! version in [`DispenseEvent::version`], an upcaster in [`crate::upcast`], and a sample of the old
//! shape in `tests/golden/`. No event names a person: what does is in the personal body beside it,
//! whose digest the event holds. Members that say nothing are left out.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::content::AmountPaid;
use crate::registry::{
    Intent, Manufacturer, MedicationType, ProgramSettings, RequestStatus, funded_elsewhere,
};
use crate::{
    Carried, Digest, DispenseId, DivisionId, EmployeeId, ItemId, LegalEntityId, MedicalProgramId,
    MedicationId, MedicationRequestId, Money, PartyId, PersonId, Personal, ProgramMedicationId,
    Quantity, Remaining, Text,
};

/// A fact about one dispense of a medication request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum DispenseEvent {
    /// Medication was reserved, or, where the program needs no signature, is about to be recorded
    /// as handed over by the next event of the same commit.
    HoldCreated(Arc<HoldCreated>),
    /// The medication was handed over.
    Processed(Processed),
    /// The hold was given back.
    Cancelled(Cancelled),
    /// The hold ran out.
    Expired(Expired),
}

/// The member by which events are told apart.
#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize)]
enum Kind {
    HoldCreated,
    Processed,
    Cancelled,
    Expired,
}

impl DispenseEvent {
    /// Reads an event of the log. The same as its `Deserialize`, which copies all members before it
    /// knows what to make of them: whoever reads thousands of events spends half of its time with that.
    ///
    /// # Errors
    ///
    /// It is no such event.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        let Tag { kind } = serde_json::from_str(json)?;
        match kind {
            Kind::HoldCreated => serde_json::from_str(json).map(Self::HoldCreated),
            Kind::Processed => serde_json::from_str(json).map(Self::Processed),
            Kind::Cancelled => serde_json::from_str(json).map(Self::Cancelled),
            Kind::Expired => serde_json::from_str(json).map(Self::Expired),
        }
    }

    /// The dispense that it is about.
    #[must_use]
    pub fn dispense_id(&self) -> DispenseId {
        match self {
            Self::HoldCreated(event) => event.dispense_id,
            Self::Processed(event) => event.dispense_id,
            Self::Cancelled(event) => event.dispense_id,
            Self::Expired(event) => event.dispense_id,
        }
    }

    /// Its kind, as in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HoldCreated(_) => "HoldCreated",
            Self::Processed(_) => "Processed",
            Self::Cancelled(_) => "Cancelled",
            Self::Expired(_) => "Expired",
        }
    }

    /// The version of its shape.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        match self {
            Self::HoldCreated(_) | Self::Processed(_) | Self::Cancelled(_) | Self::Expired(_) => {
                "1.0"
            }
        }
    }

    /// The personal body that belongs beside it, if it has one.
    #[must_use]
    pub fn personal(&self) -> Option<&Personal> {
        match self {
            Self::HoldCreated(event) => Some(&event.personal),
            Self::Processed(event) => event.personal.as_ref(),
            Self::Cancelled(event) => event.personal.as_ref(),
            Self::Expired(_) => None,
        }
    }
}

impl DomainEvent for DispenseEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        self.version().to_owned()
    }
}

/// Medication was reserved: enough to render the dispense for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldCreated {
    /// The dispense that began.
    pub dispense_id: DispenseId,
    /// Digest of client and idempotency key.
    pub key_digest: Digest,
    /// Digest of what was asked.
    pub request_digest: Digest,
    /// Whether the next event of the same commit processes it: then no hold was ever seen.
    pub processed_at_once: bool,
    /// How much was prescribed.
    pub prescribed: Quantity,
    /// When the hold runs out; its last instant is that one. Absent if it was processed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// The pharmacist.
    pub party_id: PartyId,
    /// The pharmacist's job.
    pub employee_id: EmployeeId,
    /// The pharmacy company.
    pub legal_entity_id: LegalEntityId,
    /// The outlet.
    pub division: DivisionAsWas,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical_program: Option<ProgramAsWas>,
    /// Day of dispensing, as stated by the pharmacy.
    pub dispensed_on: NaiveDate,
    /// What is reserved.
    pub items: Vec<Item>,
    /// What it was prescribed on.
    pub medication_request: RequestAsWas,
    /// The personal body.
    pub personal: Personal,
}

impl HoldCreated {
    /// Whether a hand-over must say what the patient paid (K-13).
    #[must_use]
    pub fn amount_paid(&self) -> AmountPaid {
        let source = self.medical_program.as_ref().map(|program| &program.funding_source);
        match source {
            Some(source) if funded_elsewhere(source.as_ref()) => AmountPaid::Optional,
            Some(_) | None => AmountPaid::Required,
        }
    }
}

/// The outlet, as it was. How to reach it is in the personal body: an address or a phone may be a
/// person's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct DivisionAsWas {
    pub id: DivisionId,
    pub name: Text,
    pub legal_entity_id: LegalEntityId,
    #[serde(rename = "type")]
    pub kind: Text,
    pub status: crate::registry::DivisionStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dls_id: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dls_verified: Option<bool>,
}

/// Who pays, as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct ProgramAsWas {
    pub id: MedicalProgramId,
    pub name: Text,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    pub is_active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_request_allowed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_dispense_allowed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mr_blank_type: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding_source: Option<Text>,
    pub settings: Arc<ProgramSettings>,
}

/// The medication request, as it was. What the doctor wrote, what it is based on, the encounter
/// and a block are in the personal body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct RequestAsWas {
    pub id: MedicationRequestId,
    pub status: RequestStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_number: Option<Text>,
    pub intent: Intent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispense_valid_from: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispense_valid_to: Option<NaiveDate>,
    pub person_id: PersonId,
    pub employee_id: EmployeeId,
    pub division_id: DivisionId,
    pub legal_entity_id: LegalEntityId,
    pub medication: PrescribedMedication,
    /// What was left before this dispense.
    pub remaining: Remaining,
    /// The program that the doctor chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical_program_id: Option<MedicalProgramId>,
    /// That program, where it is not the one of the dispense, which stands beside: nothing is
    /// written twice into a log that is kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical_program: Option<ProgramAsWas>,
}

/// What was prescribed, as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct PrescribedMedication {
    pub id: MedicationId,
    pub name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Text>,
    /// Of the primary ingredient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dosage: Option<DosageAsWas>,
    /// The substance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub innm_id: Option<MedicationId>,
}

/// How much of the ingredient there is in a unit, as it was. Its numbers are strings, as all in an
/// event: a number that keeps its digits could not be read back from behind the tag of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct DosageAsWas {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator_unit: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator_value: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denumerator_unit: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denumerator_value: Option<Decimal>,
}

/// One medication of a dispense.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Derived from the dispense and its place.
    pub id: ItemId,
    /// What it is.
    pub medication: MedicationAsWas,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of one unit that cannot be divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
    /// What the pharmacy asks for the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_price: Option<Money>,
    /// The part of it that the program pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_amount: Option<Money>,
    /// R of the participant: what the program pays for a whole package; 0 without a program.
    pub reimbursement_amount: Money,
    /// The participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program_medication_id: Option<ProgramMedicationId>,
    /// P: units in a whole package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_qty: Option<Quantity>,
    /// Units in the part that could not be divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Quantity>,
    /// Batch, as printed on the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_number: Option<Text>,
    /// Last day on which the medicine may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<NaiveDate>,
    /// Codes read from the packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub medication_2d_codes: Vec<Text>,
}

/// A brand, as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct MedicationAsWas {
    pub id: MedicationId,
    pub name: Text,
    #[serde(rename = "type")]
    pub kind: MedicationType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<Manufacturer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Carried>,
}

/// The medication was handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processed {
    /// Which dispense.
    pub dispense_id: DispenseId,
    /// Whether it was signed for.
    pub signed: bool,
    /// What the patient paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_amount: Option<Money>,
    /// What is left of the medication request; 0 means fully dispensed.
    pub remaining: Remaining,
    /// The signed document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<StoredContent>,
    /// Digest of client and idempotency key; absent if it was processed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_digest: Option<Digest>,
    /// Digest of what was asked; absent if it was processed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<Digest>,
    /// The personal body: the receipt number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Personal>,
}

/// Where a signed document is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredContent {
    /// Its key in the object store.
    pub key: String,
    /// SHA-256 of the container.
    pub digest: Digest,
}

/// The hold was given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Which dispense.
    pub dispense_id: DispenseId,
    /// Digest of client and idempotency key.
    pub key_digest: Digest,
    /// Digest of what was asked.
    pub request_digest: Digest,
    /// The personal body: receipt number and reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Personal>,
}

/// The hold ran out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Which dispense.
    pub dispense_id: DispenseId,
    /// When it had run out; it was recorded later.
    pub expires_at: DateTime<Utc>,
}
