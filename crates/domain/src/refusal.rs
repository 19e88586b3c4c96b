//! Saying no: one [`Code`] for each rule, and what a refusal tells the caller.
//!
//! The texts are the register's where it has one; pharmacy systems match on them.

mod catalogue;

pub use catalogue::{Definition, Kind};

use std::sync::Arc;

use serde_json::{Map, Value};

/// The stable name of a rule that a command can break. Names never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is explained by its Definition")]
pub enum Code {
    DispenseDay,
    LegalEntityNotFound,
    LegalEntityClosed,
    LegalEntityNotActive,
    LegalEntityNotVerified,
    LegalEntityType,
    PartyNotFound,
    MedicationRequestNotFound,
    MedicationRequestNotActive,
    OutsideDispensePeriod,
    MedicationRequestInvalid,
    MedicationRequestBlocked,
    MedicationRequestIsPlan,
    EmployeeNotAuthorised,
    DivisionNotFound,
    DivisionNotActive,
    DivisionForeign,
    DivisionNotDlsVerified,
    LicenceMissing,
    ProductionLicenceMissing,
    ProgramNotFound,
    ProgramNotActive,
    ProgramMismatch,
    NoContract,
    ContractSuspended,
    DivisionNotInContract,
    ProgramMisconfigured,
    ProvisionMissing,
    ProvisionWithoutContract,
    ProvisionContractSuspended,
    PriceMissing,
    MedicationNotFound,
    MedicationNotActive,
    MedicationMismatch,
    MedicationNotInProgram,
    ProgramMedicationInvalid,
    ProgramMedicationExpired,
    MedicineExpired,
    DiscountOutOfBounds,
    WrongCode,
    TooManyWrongCodes,
    CarePlanStatus,
    CarePlanExpired,
    ActivityStatus,
    ActivityQuantity,
    NotQualified,
    AlreadyHeld,
    NothingLeft,
    QuantityExceedsAvailable,
    QuantityNotEqual,
    QuantityNotDivisible,
    PaymentNotAllowed,
    PaymentRequired,
    TooManyDispenses,
    DispenseNotFound,
    SignatureCount,
    SignatureInvalid,
    SignerUnknown,
    SignerTaxIdMissing,
    SignerTaxId,
    SignerSurnameMissing,
    SignerSurname,
    WrongStatus,
    ContentSchema,
    ContentMismatch,
    IdempotencyKeyReused,
}

/// The part of a command that is to blame. Each API has its own path for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Who asks.
    Asker,
    /// The medication request.
    Request,
    /// The quantity, all items together.
    Quantity,
    /// The outlet.
    Division,
    /// The program.
    Program,
    /// The program in that place of those to qualify for.
    ProgramAt(usize),
    /// The verification code.
    Code,
    /// The day of dispensing.
    DispensedAt,
    /// What the patient paid.
    PaymentAmount,
    /// The receipt number.
    PaymentId,
    /// A member of the item in that place.
    Item(usize, Member),
    /// The signed content.
    Content,
    /// A member of the signed document: its path there, as `$.medication_request.id`.
    Document(Arc<str>),
}

/// A member of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the item")]
pub enum Member {
    Medication,
    ProgramMedication,
    Quantity,
    ExpiryDate,
    UnitPrice,
    TotalPrice,
    DiscountAmount,
}

/// A rule that a command would break.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Which rule, by its name.
    pub code: Code,
    /// Which rule, by its number in `docs/domain.md`.
    pub rule: &'static str,
    /// Where.
    pub place: Option<Place>,
    /// What is wrong and what would be right, for people.
    pub message: String,
    /// The numbers that matter, for programs.
    pub params: Map<String, Value>,
    /// The kind of violation, where the schema of a document is broken: `required`, `cast` …
    pub schema_rule: Option<&'static str>,
}

impl Refusal {
    /// A refusal with the rule's own text.
    #[must_use]
    pub fn of(code: Code) -> Self {
        Self::saying(code, code.definition().title)
    }

    /// A refusal with a text that names values.
    #[must_use]
    pub fn saying(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            rule: code.definition().rule,
            place: None,
            message: message.into(),
            params: Map::new(),
            schema_rule: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says which rule of a schema is broken.
    #[must_use]
    pub(crate) const fn by_schema(mut self, rule: &'static str) -> Self {
        self.schema_rule = Some(rule);
        self
    }

    /// Adds a value that matters.
    #[must_use]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "callers pass ids and amounts, which are Copy"
    )]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.params.insert(name.to_owned(), Value::String(value.to_string()));
        self
    }
}

/// Every rule that a command would break, in the order of the rules; at least one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", .0.first().map_or("", |first| first.message.as_str()))]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// The first, which decides where only one may be given.
    #[must_use]
    pub fn first(&self) -> &Refusal {
        &self.0[0]
    }

    /// All of them, the decisive one first.
    #[must_use]
    pub fn all(&self) -> &[Refusal] {
        &self.0
    }

    /// `Err` if there are any.
    pub(crate) fn check(broken: Vec<Refusal>) -> Result<(), Self> {
        if broken.is_empty() { Ok(()) } else { Err(Self(broken)) }
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }
}
