//! Who pays, and on what terms.

use crate::Carried;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::yes;
use crate::{
    DivisionId, MedicalProgramId, MedicationId, Money, ProgramMedicationId, Text, exact,
    exact_option,
};

/// A reimbursement program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedicalProgram {
    /// Its id.
    pub id: MedicalProgramId,
    /// Its name.
    pub name: Text,
    /// `MEDICATION`, `SERVICE`, `DEVICE`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// `NHS`, `LOCAL` or another; absent counts as NHS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding_source: Option<Text>,
    /// Whether doctors may prescribe under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_request_allowed: Option<bool>,
    /// Whether pharmacies may dispense under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_dispense_allowed: Option<bool>,
    /// Form of the prescription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mr_blank_type: Option<Text>,
    /// How it is dispensed under this program.
    #[serde(default, deserialize_with = "null_is_none_set")]
    pub medical_program_settings: Arc<ProgramSettings>,
}

impl MedicalProgram {
    /// Whether somebody else than the payer funds it; unless it says so, the payer does.
    #[must_use]
    pub fn is_funded_elsewhere(&self) -> bool {
        funded_elsewhere(self.funding_source.as_ref())
    }
}

/// Whether that source of funding is somebody else than the payer; none means the payer.
pub(crate) fn funded_elsewhere(source: Option<&Text>) -> bool {
    source.is_some_and(|source| source.as_str() != "NHS")
}

fn null_is_none_set<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Arc<ProgramSettings>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The settings of a program. Absent and null mean false, or no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "the names are the register's; docs/domain.md explains those judged"
)]
pub struct ProgramSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_medication_dispense_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_medication_dispense_sign: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_contract_provision_verify: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_types_allowed: Option<Vec<Text>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_dispense_division_dls_verify: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medical_program_change_on_dispense_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", alias = "skip_mnn_in_treatment_period")]
    pub skip_treatment_period: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medication_dispense_period_day: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none", alias = "request_max_period_day")]
    pub medication_request_max_period_day: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub care_plan_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", alias = "employee_types_to_create_request")]
    pub employee_types_to_create_medication_request: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speciality_types_allowed: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions_icd10_am_allowed: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions_icpc2_allowed: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providing_conditions_allowed: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_categories_allowed: Option<Carried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_employee_validation: Option<bool>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        alias = "skip_request_employee_declaration_verify"
    )]
    pub skip_medication_request_employee_declaration_verify: Option<bool>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        alias = "skip_request_legal_entity_declaration_verify"
    )]
    pub skip_medication_request_legal_entity_declaration_verify: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", alias = "request_notification_disabled")]
    pub medication_request_notification_disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_request_allowed_code_types: Option<Carried>,
}

impl ProgramSettings {
    /// Whether a medication request may be dispensed in several parts.
    #[must_use]
    pub fn multi_dispense(&self) -> bool {
        self.multi_medication_dispense_allowed == Some(true)
    }

    /// Whether nobody asks for contract and provision.
    #[must_use]
    pub fn skips_contract_and_provision(&self) -> bool {
        self.skip_contract_provision_verify == Some(true)
    }

    /// Whether an outlet need not be confirmed by the regulator for medicines.
    #[must_use]
    pub fn skips_division_dls_verify(&self) -> bool {
        self.skip_dispense_division_dls_verify == Some(true)
    }

    /// Whether it may pay for what was prescribed under another program.
    #[must_use]
    pub fn takes_over_from_others(&self) -> bool {
        self.medical_program_change_on_dispense_allowed == Some(true)
    }

    /// Whether a patient may have one substance of several medication requests at a time.
    #[must_use]
    pub fn skips_treatment_period(&self) -> bool {
        self.skip_treatment_period == Some(true)
    }

    /// Whether a dispense is recorded at once, without signature.
    #[must_use]
    pub fn skips_signature(&self) -> bool {
        self.skip_medication_dispense_sign == Some(true)
    }
}

/// Statement that a division provides a program under a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MedicalProgramProvision {
    /// Its id.
    pub id: uuid::Uuid,
    /// The program.
    pub medical_program_id: MedicalProgramId,
    /// The division.
    pub division_id: DivisionId,
    /// The contract; not needed for local funding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_number: Option<Text>,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivate_reason: Option<Text>,
}

/// A participant: a brand in a program, with what is reimbursed for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramMedication {
    /// Its id.
    pub id: ProgramMedicationId,
    /// The brand.
    pub medication_id: MedicationId,
    /// The program.
    pub medical_program_id: MedicalProgramId,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Whether doctors may prescribe it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_request_allowed: Option<bool>,
    /// What is reimbursed.
    pub reimbursement: Reimbursement,
    /// Shown only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub wholesale_price: Option<Decimal>,
    /// Shown only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub consumer_price: Option<Decimal>,
    /// Shown only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub reimbursement_daily_dosage: Option<Decimal>,
    /// Shown only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub estimated_payment_amount: Option<Decimal>,
    /// First day; open if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<NaiveDate>,
    /// Last day; open if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<NaiveDate>,
    /// Number in the national list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_number: Option<Text>,
    /// Whether a package may be divided; absent counts as yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_qty_divisible: Option<bool>,
    /// For prescribing only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub max_daily_dosage: Option<Decimal>,
    /// For prescribing only.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub max_request_dosage: Option<Decimal>,
}

impl ProgramMedication {
    /// Whether it counts on that day: both its first and its last day do.
    #[must_use]
    pub fn is_usable_on(&self, day: NaiveDate) -> bool {
        self.is_active
            && self.start_date.is_none_or(|start| start <= day)
            && self.end_date.is_none_or(|end| day <= end)
    }

    /// Whether a package may be divided; one that does not say may.
    #[must_use]
    pub fn is_divisible(&self) -> bool {
        self.package_qty_divisible != Some(false)
    }
}

/// What a program pays for a whole package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reimbursement {
    /// `FIXED`, `EXTERNAL`, or one that is not known yet.
    #[serde(rename = "type")]
    pub kind: Text,
    /// For a whole package. Nothing where the payer sets it elsewhere (`EXTERNAL`).
    #[serde(default, deserialize_with = "null_is_nothing", serialize_with = "exact::serialize")]
    pub reimbursement_amount: Money,
}

impl Reimbursement {
    /// Who sets what is paid.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self.kind.as_str() {
            "FIXED" => Channel::Fixed,
            _ => Channel::SetElsewhere,
        }
    }
}

/// How it is known what a program pays (6.2, 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The registry says it, for a whole package.
    Fixed,
    /// The payer says it elsewhere: `EXTERNAL`, and every type that is not known yet.
    SetElsewhere,
}

fn null_is_nothing<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    Ok(exact_option::deserialize(deserializer)?.unwrap_or_default())
}
