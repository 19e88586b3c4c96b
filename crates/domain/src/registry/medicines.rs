//! Substances, dosages and brands.

use crate::Carried;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{ProgramMedication, yes};
use crate::{MedicationId, Quantity, Text, exact_option};

/// A substance (INNM), a dosage of it (`INNM_DOSAGE`), or a product of a manufacturer (BRAND).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medication {
    /// Its id; on the NDP wire `medicineCode`.
    pub id: MedicationId,
    /// Its name.
    pub name: Text,
    /// Which of the three it is.
    #[serde(rename = "type")]
    pub kind: MedicationType,
    /// Form, as in the dictionary `MEDICATION_FORM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Text>,
    /// Whether the record counts.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingredients: Vec<Ingredient>,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<Manufacturer>,
    /// One container of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Carried>,
    /// Units in a whole package.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub package_qty: Option<Decimal>,
    /// Units in the smallest part that cannot be divided.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub package_min_qty: Option<Decimal>,
    /// ATC codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_atc: Option<Carried>,
    /// Registration certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Text>,
    /// When the certificate ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_expired_at: Option<NaiveDate>,
    /// Rendered, not judged.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub daily_dosage: Option<Decimal>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drlz_sku_id: Option<Text>,
    /// Rendered, not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_pharm: Option<Text>,
    /// Of a substance: its SNOMED CT id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sctid: Option<Text>,
    /// Of a substance: its international name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_original: Option<Text>,
}

impl Medication {
    /// The ingredient that matters.
    #[must_use]
    pub fn primary_ingredient(&self) -> Option<&Ingredient> {
        self.ingredients.iter().find(|ingredient| ingredient.is_primary)
    }

    /// Of a brand: the dosage that it is dispensed for.
    #[must_use]
    pub fn dosage_id(&self) -> Option<MedicationId> {
        self.primary_ingredient()?.medication_child_id
    }

    /// Of a dosage: its substance.
    #[must_use]
    pub fn innm_id(&self) -> Option<MedicationId> {
        self.primary_ingredient()?.innm_child_id
    }

    /// P: units in a whole package. None where the registry has a hole or a number that is none.
    #[must_use]
    pub fn whole_package(&self) -> Option<Quantity> {
        self.package_qty.and_then(|qty| Quantity::try_from(qty).ok())
    }

    /// What a quantity must be a multiple of (7.3); none where the registry does not say it. A
    /// participant may forbid to divide a package.
    #[must_use]
    pub fn step(&self, participant: Option<&ProgramMedication>) -> Option<Quantity> {
        match participant {
            Some(participant) if !participant.is_divisible() => self.whole_package(),
            Some(_) | None => self.package_min_qty.and_then(|qty| Quantity::try_from(qty).ok()),
        }
    }
}

/// What kind of medication a record describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MedicationType {
    /// A substance.
    #[serde(rename = "INNM")]
    Innm,
    /// A substance in a strength and form: what a doctor prescribes.
    #[serde(rename = "INNM_DOSAGE")]
    InnmDosage,
    /// A product of a manufacturer: what a pharmacy dispenses.
    #[serde(rename = "BRAND")]
    Brand,
}

/// One ingredient of a medication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingredient {
    /// Not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<uuid::Uuid>,
    /// Of a brand: the dosage in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medication_child_id: Option<MedicationId>,
    /// Of a dosage: the substance in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub innm_child_id: Option<MedicationId>,
    /// Whether it is the one that matters.
    #[serde(default)]
    pub is_primary: bool,
    /// How much of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dosage: Option<Dosage>,
}

/// How much of an ingredient there is in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dosage {
    /// Such as `MG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerator_unit: Option<Text>,
    /// How many of them.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub numerator_value: Option<Decimal>,
    /// Such as `PILL`: the unit in which quantities are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denumerator_unit: Option<Text>,
    /// In how many of them.
    #[serde(default, with = "exact_option", skip_serializing_if = "Option::is_none")]
    pub denumerator_value: Option<Decimal>,
}

/// Who makes a brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manufacturer {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Text>,
}
