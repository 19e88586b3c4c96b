//! What each code means and what to do about it. The error catalogue and `docs/problems.md` are
//! written from this page.

use super::Code;

/// What kind of no it is; the doors choose a status by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be served as it is (400).
    Unacceptable,
    /// The asker may not, or somebody was faster (403).
    Forbidden,
    /// There is no such thing for this asker (404).
    Unknown,
    /// The state of things forbids it now (409).
    Conflict,
    /// A member of the request is wrong (422).
    Invalid,
}

/// The entry of a code in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The code as it is written, in kebab case.
    pub code: &'static str,
    /// The number of the rule in `docs/domain.md`.
    pub rule: &'static str,
    /// What kind of no it is.
    pub kind: Kind,
    /// The register's text, or ours where it has none.
    pub title: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// The values that come with it.
    pub params: &'static [&'static str],
}

const fn define(
    code: &'static str,
    rule: &'static str,
    kind: Kind,
    title: &'static str,
    remedy: &'static str,
    params: &'static [&'static str],
) -> Definition {
    Definition { code, rule, kind, title, remedy, params }
}

impl Code {
    /// Every code, in the order of the rules.
    pub const ALL: [Self; 29] = [
        Self::DispenseDay,
        Self::LegalEntityNotFound,
        Self::LegalEntityClosed,
        Self::LegalEntityNotActive,
        Self::LegalEntityType,
        Self::PartyNotFound,
        Self::MedicationRequestNotFound,
        Self::MedicationRequestNotActive,
        Self::OutsideDispensePeriod,
        Self::MedicationRequestInvalid,
        Self::MedicationRequestBlocked,
        Self::MedicationRequestIsPlan,
        Self::EmployeeNotAuthorised,
        Self::DivisionNotFound,
        Self::DivisionNotActive,
        Self::DivisionForeign,
        Self::ProgramNotFound,
        Self::MedicationNotFound,
        Self::MedicineExpired,
        Self::AlreadyHeld,
        Self::NothingLeft,
        Self::QuantityExceedsAvailable,
        Self::QuantityNotEqual,
        Self::PaymentNotAllowed,
        Self::PaymentRequired,
        Self::TooManyDispenses,
        Self::DispenseNotFound,
        Self::WrongStatus,
        Self::IdempotencyKeyReused,
    ];

    /// What it means and what to do about it.
    #[must_use]
    #[rustfmt::skip]
    #[allow(clippy::too_many_lines, reason = "a table, one entry for each code")]
    pub const fn definition(self) -> Definition {
        use Kind::{Conflict, Forbidden, Invalid, Unacceptable, Unknown};
        match self {
            Self::DispenseDay => define("schema", "2", Invalid,
                "The day of dispensing is not possible",
                "State the day on which the medicine is dispensed: not after today, and not before the medication request was created.",
                &["earliest", "latest", "actual"]),
            Self::LegalEntityNotFound => define("legal-entity-not-found", "3a", Invalid,
                "Legal entity not found",
                "The token's client_id names no legal entity of the registry. Use a token of a registered pharmacy company.",
                &["legalEntityId"]),
            Self::LegalEntityClosed => define("legal-entity-closed", "3b", Invalid,
                "Legal entity is not active",
                "The company is closed or reorganised. Its successor dispenses with a token of its own.",
                &["status"]),
            Self::LegalEntityNotActive => define("legal-entity-not-active", "4a", Conflict,
                "Legal entity is not active",
                "The company is suspended. Ask the registry what is missing.",
                &["status"]),
            Self::LegalEntityType => define("legal-entity-type", "4c", Conflict,
                "Invalid legal entity type",
                "Only companies of the allowed types may dispense.",
                &["type", "allowed"]),
            Self::PartyNotFound => define("party-not-found", "5", Unacceptable,
                "Party not found",
                "The token's user is linked with no person. Have the account linked in the registry.",
                &["userId"]),
            Self::MedicationRequestNotFound => define("medication-request-not-found", "6a", Invalid,
                "Medication request not found",
                "Check the id; it must be that of the medication request, not its number.",
                &["medicationRequestId"]),
            Self::MedicationRequestNotActive => define("medication-request-not-active", "6b", Conflict,
                "Medication request is not active",
                "It was completed, rejected or has expired. The patient needs a new one.",
                &["status"]),
            Self::OutsideDispensePeriod => define("outside-dispense-period", "6c", Conflict,
                "Invalid dispense period",
                "Dispense between the two days, both included.",
                &["from", "to", "today"]),
            Self::MedicationRequestInvalid => define("medication-request-invalid", "6d", Invalid,
                "Medication request is not valid",
                "The registry record points at something that the registry does not have. Report it to the registry.",
                &["missing"]),
            Self::MedicationRequestBlocked => define("medication-request-blocked", "7", Invalid,
                "Medication request is blocked",
                "Only who blocked it may dispense, or wait until the block ends.",
                &["blockedTo"]),
            Self::MedicationRequestIsPlan => define("medication-request-is-plan", "8", Conflict,
                "Medication request with intent PLAN cannot be dispensed",
                "The doctor has to turn the plan into an order first.",
                &[]),
            Self::EmployeeNotAuthorised => define("employee-not-authorised", "9", Forbidden,
                "Employee id doesn't match",
                "The user has no approved, active job in this legal entity. Have it approved in the registry.",
                &["partyId"]),
            Self::DivisionNotFound => define("division-not-found", "10a", Invalid,
                "Division not found",
                "Check the id of the pharmacy.",
                &["divisionId"]),
            Self::DivisionNotActive => define("division-not-active", "10b", Conflict,
                "Division is not active",
                "The pharmacy is closed in the registry. Dispense at another one.",
                &["status"]),
            Self::DivisionForeign => define("division-foreign", "10c", Conflict,
                "Division does not belong to user's legal entity",
                "Name a pharmacy of the company that the token belongs to.",
                &[]),
            Self::ProgramNotFound => define("program-not-found", "12c", Invalid,
                "Medical program not found",
                "Check the id of the medical program.",
                &["medicalProgramId"]),
            Self::MedicationNotFound => define("medication-not-found", "15a", Invalid,
                "Medication not found",
                "Name the id of a brand.",
                &["medicationId"]),
            Self::MedicineExpired => define("medicine-expired", "15e+", Invalid,
                "Medication is expired",
                "Dispense a package that has not run out; the expiry date itself is still good.",
                &["expiryDate", "earliest"]),
            Self::AlreadyHeld => define("already-held", "17", Forbidden,
                "Active medication dispense already exists",
                "Wait until the hold ends, or cancel it if it is yours: then its id and end are given.",
                &["dispenseId", "expiresAt"]),
            Self::NothingLeft => define("nothing-left", "18", Forbidden,
                "No more medication dispense could be done with this medication request",
                "Everything was dispensed. The patient needs a new medication request.",
                &["prescribed", "dispensed"]),
            Self::QuantityExceedsAvailable => define("quantity-exceeds-available", "19", Invalid,
                "Dispensed medication quantity must be lower or equal to medication quantity in Medication Request",
                "Dispense at most the available quantity.",
                &["requested", "available"]),
            Self::QuantityNotEqual => define("quantity-not-equal", "19", Invalid,
                "Dispensed medication quantity must be equal to medication quantity in Medication Request",
                "This program knows no parts: dispense exactly what was prescribed.",
                &["requested", "prescribed"]),
            Self::PaymentNotAllowed => define("payment-not-allowed", "21", Invalid,
                "schema does not allow additional properties",
                "This program needs a signature: state the payment when the hold is processed.",
                &[]),
            Self::PaymentRequired => define("payment-required", "21", Invalid,
                "required property payment_amount was not present",
                "This program records the dispense at once: state what the patient paid, 0 if nothing.",
                &[]),
            Self::TooManyDispenses => define("too-many-dispenses", "limit", Conflict,
                "Too many dispenses of this medication request",
                "A medication request can have no more attempts than this. The patient needs a new one.",
                &["limit"]),
            Self::DispenseNotFound => define("not-found", "D-10", Unknown,
                "There is no such dispense",
                "Check the id; dispenses of other legal entities are not shown.",
                &[]),
            Self::WrongStatus => define("wrong-status", "4.1", Conflict,
                "Can't update medication dispense status",
                "Only a live hold can be changed. Read the dispense to see what became of it.",
                &["from", "to"]),
            Self::IdempotencyKeyReused => define("idempotency-key-reused", "key", Invalid,
                "The idempotency key was used for another request",
                "Send the request as it was, or with a new key.",
                &[]),
        }
    }
}
