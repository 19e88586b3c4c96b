//! What names or describes a person, and all free text: kept beside the log, so that it can be
//! erased. The log holds a digest of it, salted, so that nobody can guess its way back.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::registry::{Division, Employee, LegalEntity, MedicationRequest, Party, Person};
use crate::{
    Carried, Digest, EmployeeId, LegalEntityId, LongText, PartyId, PersonId, Text, UserId,
};

/// The personal side of one event: its digest, and the text where it is at hand.
///
/// An event that was just decided carries the text, for the writer to store; one that was read from
/// the log holds the digest alone. They are the same event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Digest", into = "Digest")]
pub struct Personal {
    digest: Digest,
    text: Option<Arc<str>>,
}

impl Personal {
    /// Seals a body: writes it down with its salt and takes the digest. `None` for one that cannot
    /// be written, which plain data never is.
    #[must_use]
    pub fn seal(body: &impl Serialize) -> Option<Self> {
        let text: Arc<str> = serde_json::to_string(body).ok()?.into();
        Some(Self { digest: Digest::of(&[text.as_bytes()]), text: Some(text) })
    }

    /// SHA-256 of the text.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The text, if this was just sealed.
    #[must_use]
    pub const fn text(&self) -> Option<&Arc<str>> {
        self.text.as_ref()
    }
}

impl PartialEq for Personal {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl From<Digest> for Personal {
    fn from(digest: Digest) -> Self {
        Self { digest, text: None }
    }
}

impl From<Personal> for Digest {
    fn from(personal: Personal) -> Self {
        personal.digest
    }
}

/// 32 random bytes for each command; bodies derive their salts from it.
pub type Salt = [u8; 32];

/// The salt of the body beside an event of this kind.
#[must_use]
pub fn salt_for(salt: &Salt, event_type: &str) -> Digest {
    Digest::of(&[salt, event_type.as_bytes()])
}

/// What stands beside a `HoldCreated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldBody {
    /// Makes the digest impossible to guess.
    pub salt: Digest,
    /// The pharmacist.
    pub party: PartyAsWas,
    /// The pharmacy company.
    pub legal_entity: Arc<LegalEntity>,
    /// The patient.
    pub person: PersonAsWas,
    /// The doctor.
    pub employee: DoctorAsWas,
    /// How to reach the outlet.
    pub division: DivisionContact,
    /// The clinic.
    pub requester_legal_entity: Option<Arc<LegalEntity>>,
    /// The clinic's site.
    pub requester_division: Option<Arc<Division>>,
    /// What the doctor wrote.
    pub medication_request: RequestBody,
    /// Name of the pharmacist, where an owner's account was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispensed_by: Option<Text>,
    /// Free text of the pharmacy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<LongText>,
}

/// How to reach a division, and where: of a small pharmacy, this is its owner's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are those of the registry record")]
pub struct DivisionContact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mountain_group: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phones: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_hours: Option<Carried>,
}

impl From<&Division> for DivisionContact {
    fn from(division: &Division) -> Self {
        Self {
            mountain_group: division.mountain_group.clone(),
            addresses: division.addresses.clone(),
            phones: division.phones.clone(),
            email: division.email.clone(),
            external_id: division.external_id.clone(),
            location: division.location.clone(),
            working_hours: division.working_hours.clone(),
        }
    }
}

/// Free text and personal detail of a medication request; every member only where it says
/// something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names are those of the medication request")]
pub struct RequestBody {
    /// The encounter: carried as it came, so nobody knows what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Carried>,
    /// Care plan and activity, as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub based_on: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dosage_instruction: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_reason: Option<LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_reason_code: Option<Text>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_to: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_by_legal_entity_id: Option<LegalEntityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_reason_code: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_dosage: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior_prescription: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<LongText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inform_with: Option<Carried>,
}

impl From<&MedicationRequest> for RequestBody {
    fn from(request: &MedicationRequest) -> Self {
        Self {
            context: request.context.clone(),
            based_on: request.based_on.clone(),
            dosage_instruction: request.dosage_instruction.clone(),
            rejected_at: request.rejected_at.clone(),
            rejected_by: request.rejected_by,
            reject_reason: request.reject_reason.clone(),
            reject_reason_code: request.reject_reason_code.clone(),
            is_blocked: request.is_blocked,
            blocked_to: request.blocked_to.clone(),
            blocked_by_legal_entity_id: request.blocked_by_legal_entity_id,
            block_reason: request.block_reason.clone(),
            block_reason_code: request.block_reason_code.clone(),
            container_dosage: request.container_dosage.clone(),
            priority: request.priority.clone(),
            prior_prescription: request.prior_prescription.clone(),
            note: request.note.clone(),
            inform_with: request.inform_with.clone(),
        }
    }
}

/// A person who works in a pharmacy or clinic, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartyAsWas {
    /// Its id.
    pub id: PartyId,
    /// Given name.
    pub first_name: Text,
    /// Surname.
    pub last_name: Text,
    /// Patronymic.
    pub second_name: Option<Text>,
    /// Day of birth.
    pub birth_date: Option<NaiveDate>,
    /// Whether there is no tax id; the tax id itself is never kept. Left out for a doctor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_tax_id: Option<bool>,
    /// Phones.
    pub phones: Option<Carried>,
}

impl PartyAsWas {
    /// Surname, given name and patronymic.
    #[must_use]
    pub fn full_name(&self) -> String {
        let mut name = format!("{} {}", self.last_name, self.first_name);
        if let Some(second) = &self.second_name {
            name.push(' ');
            name.push_str(second.as_str());
        }
        name
    }
}

impl From<&Party> for PartyAsWas {
    fn from(party: &Party) -> Self {
        Self {
            id: party.id,
            first_name: party.first_name.clone(),
            last_name: party.last_name.clone(),
            second_name: party.second_name.clone(),
            birth_date: party.birth_date,
            no_tax_id: Some(party.no_tax_id),
            phones: party.phones.clone(),
        }
    }
}

/// The patient, as shown: never the full name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonAsWas {
    /// Its id.
    pub id: PersonId,
    /// Surname and initials: `Koval O. P.`
    pub short_name: String,
    /// Full years on the day of prescribing.
    pub age: i32,
}

impl PersonAsWas {
    /// The patient of a request made on `day`.
    #[must_use]
    pub fn on(person: &Person, day: NaiveDate) -> Self {
        let birth = person.birth_date;
        let had_birthday = (day.month(), day.day()) >= (birth.month(), birth.day());
        Self {
            id: person.id,
            short_name: short_name(person),
            age: day.year() - birth.year() - i32::from(!had_birthday),
        }
    }
}

/// The surname, then the initials of first and second name, each with a dot; parts of a compound
/// name are joined by a hyphen.
fn short_name(person: &Person) -> String {
    let mut short = person.last_name.as_str().to_owned();
    for name in [Some(&person.first_name), person.second_name.as_ref()].into_iter().flatten() {
        let initials: Vec<String> = name
            .as_str()
            .split('-')
            .filter_map(|part| part.trim().chars().next())
            .map(|initial| format!("{}.", initial.to_uppercase()))
            .collect();
        // Registries write a dash for a name that somebody does not have.
        if !initials.is_empty() {
            short.push(' ');
            short.push_str(&initials.join("-"));
        }
    }
    short
}

/// The doctor, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoctorAsWas {
    /// The doctor's job.
    pub id: EmployeeId,
    /// Position code.
    pub position: Option<Text>,
    /// The person.
    pub party: PartyAsWas,
}

impl DoctorAsWas {
    /// The doctor in that job. Day of birth and tax marks of a doctor are nobody's business here.
    #[must_use]
    pub fn of(employee: &Employee, party: &Party) -> Self {
        Self {
            id: employee.id,
            position: employee.position.clone(),
            party: PartyAsWas { birth_date: None, no_tax_id: None, ..PartyAsWas::from(party) },
        }
    }
}

/// What stands beside a `Processed` that knows a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessedBody {
    /// Makes the digest impossible to guess.
    pub salt: Digest,
    /// Receipt number.
    pub payment_id: Option<Text>,
}

/// What stands beside a `Cancelled` that says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelledBody {
    /// Makes the digest impossible to guess.
    pub salt: Digest,
    /// Receipt number.
    pub payment_id: Option<Text>,
    /// Free text.
    pub reason: Option<LongText>,
}
