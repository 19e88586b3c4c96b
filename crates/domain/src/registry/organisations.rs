//! Who works where, and under which contract.

use crate::Carried;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::yes;
use crate::{DivisionId, EmployeeId, LegalEntityId, MedicalProgramId, PartyId, Text, UserId};

/// A company that owns pharmacies or clinics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalEntity {
    /// Its id, which is the client id of its tokens.
    pub id: LegalEntityId,
    /// Full name.
    pub name: Text,
    /// Short name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_name: Option<Text>,
    /// Name on the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<Text>,
    /// `PHARMACY`, `MSP_PHARMACY`, `MSP`, `NHS`, `MIS`, `OUTPATIENT`, `PRIMARY_CARE`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Company code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edrpou: Option<Text>,
    /// Where it stands.
    pub status: LegalEntityStatus,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Whether the payer has verified it.
    #[serde(default)]
    pub nhs_verified: bool,
    /// Historical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mis_verified: Option<Text>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accreditation: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "license")]
    pub licenses: Option<Carried>,
}

/// Where a legal entity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are the register's")]
pub enum LegalEntityStatus {
    Active,
    Suspended,
    Closed,
    Reorganized,
}

/// One outlet of a pharmacy company, or one site of a clinic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    /// Its id.
    pub id: DivisionId,
    /// Who owns it.
    pub legal_entity_id: LegalEntityId,
    /// Its name.
    pub name: Text,
    /// `DRUGSTORE`, `DRUGSTORE_POINT`, `CLINIC`, `AMBULANT_CLINIC`, `FAP`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Where it stands.
    pub status: DivisionStatus,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Its number with the regulator for medicines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dls_id: Option<Text>,
    /// Whether the regulator confirmed its licence; unknown counts as no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dls_verified: Option<bool>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mountain_group: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phones: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Text>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Text>,
    /// Longitude and latitude.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Carried>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_hours: Option<Carried>,
}

/// Where a division stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are the register's")]
pub enum DivisionStatus {
    Active,
    Inactive,
}

/// What a division is licensed to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthcareService {
    /// Its id.
    pub id: uuid::Uuid,
    /// Whose it is.
    pub legal_entity_id: LegalEntityId,
    /// Where it is offered.
    pub division_id: DivisionId,
    /// `ACTIVE` or not.
    pub status: Text,
    /// `SALE` or `PRODUCTION`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// The licence behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_id: Option<Text>,
    /// `PHARMACY`, `PHARMACY_DRUGS`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license_type: Option<Text>,
    /// Where the licence stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensed_healthcare_service: Option<LicensedService>,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
}

/// Where a licence stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicensedService {
    /// `ACTIVE` or not.
    pub status: Text,
}

/// A physical person who works somewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// Given name.
    pub first_name: Text,
    /// Surname.
    pub last_name: Text,
    /// Patronymic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_name: Option<Text>,
    /// Day of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// Tax id; compared with that in a signer's certificate, never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<Text>,
    /// Whether `tax_id` is a passport number instead.
    #[serde(default)]
    pub no_tax_id: bool,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phones: Option<Carried>,
    /// Taken and dropped: no rule needs them, so they are not kept.
    #[serde(default, skip_serializing)]
    pub documents: Option<Carried>,
}

/// Which person a login account belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyUser {
    /// Not used; lines are known by their user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<uuid::Uuid>,
    /// The account.
    pub user_id: UserId,
    /// The person.
    pub party_id: PartyId,
}

/// A person's job in a legal entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employee {
    /// Its id.
    pub id: EmployeeId,
    /// Who works.
    pub party_id: PartyId,
    /// For whom.
    pub legal_entity_id: LegalEntityId,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division_id: Option<DivisionId>,
    /// `PHARMACIST`, `DOCTOR`, …
    pub employee_type: Text,
    /// Position code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Text>,
    /// Where the job stands.
    pub status: EmployeeStatus,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<NaiveDate>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<NaiveDate>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are the register's")]
pub enum EmployeeStatus {
    New,
    Approved,
    Dismissed,
}

/// A contract between a pharmacy company and the payer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its id.
    pub id: uuid::Uuid,
    /// `REIMBURSEMENT`, or another that does not count here.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Its number, which provisions name.
    pub contract_number: Text,
    /// Where it stands.
    pub status: ContractStatus,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Whether payment is suspended.
    #[serde(default)]
    pub is_suspended: bool,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day.
    pub end_date: NaiveDate,
    /// The pharmacy company.
    pub contractor_legal_entity_id: LegalEntityId,
    /// Who signed for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contractor_owner_id: Option<EmployeeId>,
    /// The payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_legal_entity_id: Option<LegalEntityId>,
    /// Who signed for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_signer_id: Option<EmployeeId>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medical_program_id: Option<MedicalProgramId>,
    /// The programs, in the newer form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub medical_programs: Vec<MedicalProgramId>,
    /// Day of the payer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhs_signed_date: Option<NaiveDate>,
    /// The contract that this one amends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_contract_id: Option<uuid::Uuid>,
    /// The divisions that take part.
    #[serde(default)]
    pub division_ids: Vec<DivisionId>,
}

impl Contract {
    /// Whether it holds on that day: both its first and its last day do.
    #[must_use]
    pub fn is_in_force_on(&self, day: NaiveDate) -> bool {
        self.status == ContractStatus::Verified
            && self.is_active
            && self.start_date <= day
            && day <= self.end_date
    }

    /// Whether it is about that program.
    #[must_use]
    pub fn covers(&self, program: MedicalProgramId) -> bool {
        self.medical_program_id == Some(program) || self.medical_programs.contains(&program)
    }
}

/// Where a contract stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the words are the register's")]
pub enum ContractStatus {
    Verified,
    Terminated,
}
