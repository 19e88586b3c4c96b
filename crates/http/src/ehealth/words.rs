//! The register's words: in which form it says each no, and how much of what is wrong it tells.
//!
//! The texts of the rules are not here: a refusal brings its own, which is the register's.

use actix_web::http::StatusCode;
use dispense_domain::{Code, Place, Refusal, Refusals};

use crate::catalogue::{self, Entry};

/// The text above every list of members that are to blame.
pub(super) const VALIDATION_FAILED: &str = "Validation failed. You can find validators description \
     at our API Manifest: http://docs.apimanifest.apiary.io/#introduction/interacting-with-api/errors.";

/// What an error shows of what is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The members that broke a rule of this name.
    Member(&'static str),
    /// The members that a schema does not allow; each has its own rule.
    Schema,
    /// The request as a whole.
    Request,
    /// No more than a text.
    Message,
}

impl Form {
    /// The rule that a member broke.
    pub(super) const fn member_rule(self) -> Option<&'static str> {
        match self {
            Self::Member(rule) => Some(rule),
            Self::Schema | Self::Request | Self::Message => None,
        }
    }
}

/// How many of the refusals the register tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The first alone.
    First,
    /// The first of each line, as far as they belong to one step.
    EachLine,
    /// All that have this code.
    All,
}

/// How the register says a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// The status.
    pub(super) status: StatusCode,
    /// What is shown.
    pub(super) form: Form,
    extent: Extent,
}

impl Words {
    const fn first(status: StatusCode, form: Form) -> Self {
        Self { status, form, extent: Extent::First }
    }

    const fn member(rule: &'static str) -> Self {
        Self::first(StatusCode::UNPROCESSABLE_ENTITY, Form::Member(rule))
    }

    const fn line(rule: &'static str) -> Self {
        Self { extent: Extent::EachLine, ..Self::member(rule) }
    }

    const fn all(form: Form) -> Self {
        let first = Self::first(StatusCode::UNPROCESSABLE_ENTITY, form);
        Self { extent: Extent::All, ..first }
    }

    const fn malformed(status: StatusCode) -> Self {
        Self::first(status, Form::Request)
    }

    const fn conflict() -> Self {
        Self::first(StatusCode::CONFLICT, Form::Message)
    }

    pub(super) const fn forbidden() -> Self {
        Self::first(StatusCode::FORBIDDEN, Form::Message)
    }

    /// How the register says that a rule is broken.
    pub(super) const fn of(code: Code) -> Self {
        match code {
            Code::LegalEntityNotFound
            | Code::LegalEntityClosed
            | Code::MedicationRequestNotFound
            | Code::DivisionNotFound
            | Code::ProgramNotFound
            | Code::ProgramMismatch
            | Code::DispenseDay
            | Code::ContentMismatch => Self::member("invalid"),
            Code::MedicationRequestInvalid
            | Code::QuantityExceedsAvailable
            | Code::QuantityNotEqual => Self::member("required"),
            Code::MedicationNotFound
            | Code::MedicationMismatch
            | Code::MedicationNotInProgram
            | Code::ProgramMedicationInvalid
            | Code::ProgramMedicationExpired
            | Code::MedicineExpired => Self::line("invalid"),
            Code::MedicationNotActive | Code::DiscountOutOfBounds | Code::QuantityNotDivisible => {
                Self::line("required")
            }
            Code::PaymentNotAllowed => Self::all(Form::Member("schema")),
            Code::PaymentRequired => Self::all(Form::Member("required")),
            Code::PriceMissing | Code::ContentSchema => Self::all(Form::Schema),
            Code::MedicationRequestBlocked
            | Code::SignerTaxIdMissing
            | Code::SignerTaxId
            | Code::SignerSurnameMissing
            | Code::SignerSurname => Self::malformed(StatusCode::UNPROCESSABLE_ENTITY),
            Code::PartyNotFound | Code::SignatureCount | Code::SignatureInvalid => {
                Self::malformed(StatusCode::BAD_REQUEST)
            }
            Code::LegalEntityNotActive
            | Code::LegalEntityNotVerified
            | Code::LegalEntityType
            | Code::MedicationRequestNotActive
            | Code::OutsideDispensePeriod
            | Code::MedicationRequestIsPlan
            | Code::DivisionNotActive
            | Code::DivisionForeign
            | Code::DivisionNotDlsVerified
            | Code::LicenceMissing
            | Code::ProductionLicenceMissing
            | Code::ProgramNotActive
            | Code::NoContract
            | Code::ContractSuspended
            | Code::DivisionNotInContract
            | Code::ProgramMisconfigured
            | Code::ProvisionMissing
            | Code::ProvisionWithoutContract
            | Code::ProvisionContractSuspended
            | Code::CarePlanStatus
            | Code::CarePlanExpired
            | Code::ActivityStatus
            | Code::ActivityQuantity
            | Code::NotQualified
            | Code::TooManyDispenses
            | Code::WrongStatus
            | Code::IdempotencyKeyReused => Self::conflict(),
            Code::EmployeeNotAuthorised
            | Code::AlreadyHeld
            | Code::NothingLeft
            | Code::SignerUnknown => Self::forbidden(),
            Code::DispenseNotFound => Self::first(StatusCode::NOT_FOUND, Form::Message),
            Code::WrongCode => Self::first(StatusCode::UNAUTHORIZED, Form::Message),
            Code::TooManyWrongCodes => Self::first(StatusCode::TOO_MANY_REQUESTS, Form::Message),
        }
    }

    /// How the register says this no: by its code, but a program that is asked for among others is
    /// said to be missing.
    pub(super) const fn of_refusal(refusal: &Refusal) -> Self {
        if matches!(refusal.place, Some(Place::ProgramAt(_))) {
            return Self::all(Form::Member("required"));
        }
        Self::of(refusal.code)
    }

    /// How the door's own problems are said.
    pub(super) fn of_door(entry: &Entry) -> Self {
        let status =
            StatusCode::from_u16(entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let form = match status {
            StatusCode::BAD_REQUEST => Form::Request,
            _ if entry.code == catalogue::SCHEMA.code => Form::Schema,
            _ => Form::Message,
        };
        Self::first(status, form)
    }

    /// The `type` of the error.
    pub(super) fn kind(self) -> &'static str {
        match (self.form, self.status.as_u16()) {
            // A message with 422 is none of the register's own: an instant that the log does not know.
            (Form::Member(_) | Form::Schema, _) | (Form::Message, 422) => "validation_failed",
            (Form::Request, _) => "request_malformed",
            (Form::Message, 401) => "access_denied",
            (Form::Message, 403) => "forbidden",
            (Form::Message, 404) => "not_found",
            (Form::Message, 405) => "method_not_allowed",
            (Form::Message, 408) => "request_timeout",
            (Form::Message, 409) => "request_conflict",
            (Form::Message, 410) => "gone",
            (Form::Message, 413) => "request_too_large",
            (Form::Message, 415) => "content_type_invalid",
            (Form::Message, 429) => "too_many_requests",
            (Form::Message, 502) => "bad_gateway",
            (Form::Message, 503) => "service_unavailable",
            (Form::Message, _) => "internal_error",
        }
    }
}

/// What the register tells of what is wrong: the first failing step alone, but of the steps that
/// look at lines every line with its first fault, in the order of the lines.
pub(super) fn told(refusals: &Refusals) -> Vec<&Refusal> {
    let first = refusals.first();
    let all = refusals.all().iter();
    match Words::of_refusal(first).extent {
        Extent::First => vec![first],
        Extent::All => all.filter(|it| it.code == first.code).collect(),
        Extent::EachLine => {
            let mut lines: Vec<&Refusal> = Vec::new();
            for refusal in all.filter(|it| step(it) == step(first)) {
                if lines.iter().all(|known| line(known) != line(refusal)) {
                    lines.push(refusal);
                }
            }
            lines.sort_by_key(|refusal| line(refusal));
            lines
        }
    }
}

/// The number of the step that a rule belongs to: `15e+` to 15.
fn step(refusal: &Refusal) -> &'static str {
    refusal.rule.trim_end_matches(|it: char| !it.is_ascii_digit())
}

/// The line that is to blame.
fn line(refusal: &Refusal) -> Option<usize> {
    match refusal.place {
        Some(Place::Item(index, _)) => Some(index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use dispense_domain::Kind;

    use super::*;

    /// The rules whose status is another one than that of their kind.
    const OTHERWISE: [(Code, u16); 1] = [(Code::IdempotencyKeyReused, 409)];

    #[test]
    fn every_code_is_said_with_the_status_of_its_kind_but_for_those_listed() {
        for code in Code::ALL {
            let of_kind = match code.definition().kind {
                Kind::Unacceptable => 400,
                Kind::Unproven => 401,
                Kind::Forbidden => 403,
                Kind::Unknown => 404,
                Kind::Conflict => 409,
                Kind::Invalid => 422,
                Kind::TooOften => 429,
            };
            let otherwise = OTHERWISE.into_iter().find(|(known, _)| *known == code);
            let expected = otherwise.map_or(of_kind, |(_, status)| status);
            assert_eq!(Words::of(code).status.as_u16(), expected, "{code:?}");
        }
    }

    #[test]
    fn every_code_has_a_type_that_fits_its_status() {
        for code in Code::ALL {
            let words = Words::of(code);
            let expected = match words.status.as_u16() {
                400 => &["request_malformed"][..],
                401 => &["access_denied"],
                403 => &["forbidden"],
                404 => &["not_found"],
                409 => &["request_conflict"],
                422 => &["validation_failed", "request_malformed"],
                429 => &["too_many_requests"],
                other => panic!("{code:?} is said with {other}"),
            };
            assert!(expected.contains(&words.kind()), "{code:?}");
        }
    }

    #[test]
    fn programs_to_qualify_for_are_said_to_be_missing_and_all_are_told() {
        let unknown = |place| Refusal::of(Code::ProgramNotFound).at(place);
        let words = Words::of_refusal(&unknown(Place::ProgramAt(1)));
        assert_eq!((words.form, words.extent), (Form::Member("required"), Extent::All));
        let words = Words::of_refusal(&unknown(Place::Program));
        assert_eq!((words.form, words.extent), (Form::Member("invalid"), Extent::First));
    }

    #[test]
    fn every_problem_of_the_door_has_a_type_of_its_own_status() {
        for entry in &catalogue::DOOR {
            let words = Words::of_door(entry);
            assert_eq!(words.status.as_u16(), entry.status, "{}", entry.code);
            let internal = words.kind() == "internal_error";
            assert_eq!(internal, entry.status == 500, "{}", entry.code);
        }
    }

    #[test]
    fn a_step_is_the_number_that_a_rule_begins_with() {
        let step_of = |code| step(&Refusal::of(code));
        assert_eq!(step_of(Code::MedicationNotFound), "15");
        assert_eq!(step_of(Code::MedicineExpired), "15");
    }
}
