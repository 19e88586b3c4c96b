//! What the endpoints answer, for the API description: the dispense, the headers, and the errors,
//! written from the catalogue and the register's words.

mod dispense;
mod medication_request;
mod organisations;

use std::collections::{BTreeMap, BTreeSet};

use dispense_domain::Code;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use super::envelope::{Meta, Paging};
use super::error::ErrorObject;
use super::qualified::QualifiedProgram;
use super::reimbursement::row::Row;
use super::words::Words;
use crate::catalogue::{self, Entry, broken};
use crate::headers::{self, Told};

pub(super) use dispense::MedicationDispense;
pub(super) use medication_request::MedicationRequest;

/// The header of this API that names a command.
const KEY: &str = "X-Idempotency-Key";

type Responses = BTreeMap<String, RefOr<Response>>;

/// One dispense.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `answered` writes")]
pub(super) struct DispenseAnswer {
    meta: Meta,
    data: MedicationDispense,
}

/// A page of dispenses.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `list` writes")]
pub(super) struct DispensesFound {
    meta: Meta,
    data: Vec<MedicationDispense>,
    paging: Paging,
}

/// The dispenses of a medication request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `list` writes")]
pub(super) struct DispensesOfRequest {
    meta: Meta,
    #[schema(max_items = 500)]
    data: Vec<MedicationDispense>,
}

/// A page of the reimbursement report; a download has no pages.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `list` and the streamed list write")]
pub(super) struct ReimbursementsFound {
    meta: Meta,
    data: Vec<Row<'static>>,
    #[schema(nullable = false)]
    paging: Option<Paging>,
}

/// One medication request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `object` writes")]
pub(super) struct MedicationRequestAnswer {
    meta: Meta,
    data: MedicationRequest,
}

/// What became of each program.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `list` writes")]
pub(super) struct ProgramsQualified {
    meta: Meta,
    #[schema(min_items = 1, max_items = 100)]
    data: Vec<QualifiedProgram<'static>>,
}

/// What is answered in place of a success.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what `failure` writes")]
pub(super) struct ErrorAnswer {
    meta: Meta,
    error: ErrorObject<'static>,
}

/// A dispense that began.
pub(super) struct DispenseCreated;

/// A dispense that was changed.
pub(super) struct DispenseChanged;

/// What can go wrong with a create.
pub(super) struct CreateErrors;

/// What can go wrong with a hand-over.
pub(super) struct ProcessErrors;

/// What can go wrong with a reject.
pub(super) struct RejectErrors;

/// What can go wrong with a question for programs.
pub(super) struct QualifyErrors;

/// What can go wrong with a search.
pub(super) struct SearchErrors;

/// What can go wrong with the reimbursement report.
pub(super) struct ReimbursementErrors;

/// What can go wrong with the reimbursement report of all.
pub(super) struct DownloadErrors;

/// What can go wrong with a question.
pub(super) struct GetErrors;

/// The errors of a look at a medication request.
pub(super) struct RequestErrors;

/// What can go wrong with a question for some of many.
pub(super) struct ListErrors;

impl IntoResponses for DispenseCreated {
    fn responses() -> Responses {
        let says = "The medication is held, or was recorded as handed over";
        dispense(201, says, [headers::LOCATION].into_iter().chain(headers::of_command(KEY)))
    }
}

impl IntoResponses for DispenseChanged {
    fn responses() -> Responses {
        dispense(200, "The dispense as it is now", headers::of_command(KEY))
    }
}

impl IntoResponses for CreateErrors {
    fn responses() -> Responses {
        errors_of_command(&broken::by_holding())
    }
}

impl IntoResponses for ProcessErrors {
    fn responses() -> Responses {
        let mut responses = errors_of_command(&broken::by_handing_over());
        let own = [said_by_door(&catalogue::CONTENT_NOT_STORED)].into_iter();
        responses.extend(errors_with(of_refused_command, own));
        responses
    }
}

impl IntoResponses for RejectErrors {
    fn responses() -> Responses {
        errors_of_command(&broken::by_giving_back())
    }
}

impl IntoResponses for QualifyErrors {
    fn responses() -> Responses {
        let door = catalogue::OF_ALL.into_iter().chain(catalogue::OF_BODIES);
        let door = door.chain([catalogue::NOT_FOUND]);
        let rules = broken::BY_QUALIFYING.iter().map(|it| (Words::of(*it), it.definition().code));
        errors(door.map(|entry| said_by_door(&entry)).chain(rules))
    }
}

impl IntoResponses for SearchErrors {
    fn responses() -> Responses {
        let own = [catalogue::SCHEMA, catalogue::POSITION_INVALID, catalogue::READ_MODEL_BEHIND];
        let of_door = catalogue::OF_ALL.into_iter().chain(own);
        errors(of_door.map(|entry| said_by_door(&entry)))
    }
}

impl IntoResponses for ReimbursementErrors {
    fn responses() -> Responses {
        let own = [Code::LegalEntityType, Code::LegalEntityNotActive, Code::EmployeeNotAuthorised];
        let unknown = Code::LegalEntityNotFound;
        let unknown = [(Words::of(unknown), unknown.definition().code)];
        errors(of_report().chain(unknown).chain(own.into_iter().map(forbidden)))
    }
}

impl IntoResponses for DownloadErrors {
    fn responses() -> Responses {
        errors(of_report().chain([forbidden(Code::LegalEntityType)]))
    }
}

/// What can go wrong with every report.
fn of_report() -> impl Iterator<Item = (Words, &'static str)> {
    let own = [
        catalogue::SCHEMA,
        catalogue::POSITION_INVALID,
        catalogue::READ_MODEL_BEHIND,
        catalogue::BUSY,
    ];
    catalogue::OF_ALL.into_iter().chain(own).map(|entry| said_by_door(&entry))
}

/// A rule that is told as forbidding.
fn forbidden(code: Code) -> (Words, &'static str) {
    (Words::forbidden(), code.definition().code)
}

impl IntoResponses for GetErrors {
    fn responses() -> Responses {
        let own = [catalogue::NOT_FOUND, catalogue::POSITION_INVALID];
        let of_door = catalogue::OF_ALL.into_iter().chain(own);
        errors(of_door.map(|entry| said_by_door(&entry)))
    }
}

impl IntoResponses for RequestErrors {
    fn responses() -> Responses {
        let own = [catalogue::NOT_FOUND, catalogue::ERASED, catalogue::POSITION_INVALID];
        let of_door = catalogue::OF_ALL.into_iter().chain(own);
        errors(of_door.map(|entry| said_by_door(&entry)))
    }
}

impl IntoResponses for ListErrors {
    fn responses() -> Responses {
        let own = [catalogue::NOT_FOUND, catalogue::SCHEMA, catalogue::POSITION_INVALID];
        let of_door = catalogue::OF_ALL.into_iter().chain(own);
        errors(of_door.map(|entry| said_by_door(&entry)))
    }
}

fn errors_of_command(rules: &[Code]) -> Responses {
    let door = catalogue::OF_ALL.into_iter();
    let door = door.chain(catalogue::OF_COMMANDS).chain(catalogue::OF_BODIES);
    let rules = rules.iter().map(|code| (Words::of(*code), code.definition().code));
    errors_with(of_refused_command, door.map(|entry| said_by_door(&entry)).chain(rules))
}

fn of_refused_command(status: u16) -> Vec<Told> {
    headers::of_refused_command(KEY, status)
}

fn said_by_door(entry: &Entry) -> (Words, &'static str) {
    (Words::of_door(entry), entry.code)
}

/// A response for each status, which names the types and codes that come with it.
fn errors(said: impl Iterator<Item = (Words, &'static str)>) -> Responses {
    errors_with(headers::of_problem, said)
}

fn errors_with(
    headers: fn(u16) -> Vec<Told>,
    said: impl Iterator<Item = (Words, &'static str)>,
) -> Responses {
    let mut by_status: BTreeMap<u16, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (words, code) in said {
        let of_status = by_status.entry(words.status.as_u16()).or_default();
        of_status.entry(words.kind()).or_default().insert(code);
    }
    let responses = by_status.into_iter().map(|(status, kinds)| {
        let kinds = kinds.into_iter().map(|(kind, codes)| {
            let codes: Vec<String> = codes.into_iter().map(|code| format!("`{code}`")).collect();
            format!("{kind}: {}", codes.join(", "))
        });
        let says = kinds.collect::<Vec<_>>().join("; ");
        (status.to_string(), response(&says, "ErrorAnswer", headers(status)))
    });
    responses.collect()
}

fn dispense(status: u16, says: &str, headers: impl IntoIterator<Item = Told>) -> Responses {
    BTreeMap::from([(status.to_string(), response(says, "DispenseAnswer", headers))])
}

fn response(says: &str, schema: &str, headers: impl IntoIterator<Item = Told>) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let response = ResponseBuilder::new().description(says).content("application/json", content);
    RefOr::T(headers::with(response, headers).build())
}
