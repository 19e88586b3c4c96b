//! The problems of each endpoint, for the API description: written from the catalogue.

use std::collections::BTreeMap;

use dispense_domain::Code;
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::answers::KEY;
use crate::catalogue::{self, Entry, OF_ALL, OF_BODIES, OF_COMMANDS, broken};
use crate::headers::{self, Told};
use crate::problem::MEDIA_TYPE;

type Responses = BTreeMap<String, RefOr<Response>>;

/// The problems of a create.
pub(super) struct CreateProblems;

/// The problems of a cancel.
pub(super) struct CancelProblems;

/// The problems of a hand-over.
pub(super) struct ProcessProblems;

/// The problems of a question for programs.
pub(super) struct QualifyProblems;

/// The problems of a question for a document.
pub(super) struct ContentProblems;

/// The problems of a look at the log.
pub(super) struct EventsProblems;

/// The problems of a list of dispenses.
pub(super) struct ListProblems;

/// The problems of a patient's history.
pub(super) struct PatientProblems;

/// The problems of a question that may be asked for the past.
pub(super) struct PastProblems;

/// The problems of a list that may be asked for the past.
pub(super) struct PastListProblems;

/// The problems of a report.
pub(super) struct ReportProblems;

/// The problems of a report for auditors.
pub(super) struct AuditListProblems;

/// The problems of a list for auditors.
pub(super) struct AuditPageProblems;

/// The problems of an import.
pub(super) struct ImportProblems;

/// The problems of a proof.
pub(super) struct ProofProblems;

/// The problems of a look at the evidence.
pub(super) struct VerifyProblems;

impl IntoResponses for CreateProblems {
    fn responses() -> Responses {
        of_command([], &broken::by_holding())
    }
}

impl IntoResponses for CancelProblems {
    fn responses() -> Responses {
        of_command([], &broken::by_giving_back())
    }
}

impl IntoResponses for ProcessProblems {
    fn responses() -> Responses {
        of_command([catalogue::CONTENT_NOT_STORED], &broken::by_handing_over())
    }
}

impl IntoResponses for QualifyProblems {
    fn responses() -> Responses {
        let door = OF_ALL.into_iter().chain(OF_BODIES).chain([catalogue::NOT_FOUND]);
        responses(door.chain(rules(&broken::BY_QUALIFYING)))
    }
}

impl IntoResponses for ContentProblems {
    fn responses() -> Responses {
        let own = [catalogue::NOT_FOUND, catalogue::ERASED, catalogue::SCHEMA];
        responses(OF_ALL.into_iter().chain(own))
    }
}

impl IntoResponses for EventsProblems {
    fn responses() -> Responses {
        let of_places = [catalogue::SCHEMA, catalogue::POSITION_INVALID, catalogue::BUSY];
        responses(OF_ALL.into_iter().chain(of_places))
    }
}

impl IntoResponses for AuditListProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain([catalogue::SCHEMA]))
    }
}

/// What can go wrong with every list that is asked for page by page.
const OF_LISTS: [Entry; 4] = [
    catalogue::CURSOR_INVALID,
    catalogue::POSITION_INVALID,
    catalogue::SCHEMA,
    catalogue::READ_MODEL_BEHIND,
];

impl IntoResponses for ListProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain(OF_LISTS))
    }
}

impl IntoResponses for PatientProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain(OF_LISTS).chain([catalogue::NOT_FOUND]))
    }
}

impl IntoResponses for AuditPageProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain([catalogue::SCHEMA, catalogue::CURSOR_INVALID]))
    }
}

impl IntoResponses for PastListProblems {
    fn responses() -> Responses {
        let own = [
            catalogue::NOT_FOUND,
            catalogue::CURSOR_INVALID,
            catalogue::POSITION_INVALID,
            catalogue::SCHEMA,
            catalogue::AS_OF_OUT_OF_RANGE,
        ];
        responses(OF_ALL.into_iter().chain(own))
    }
}

impl IntoResponses for PastProblems {
    fn responses() -> Responses {
        let own = [
            catalogue::NOT_FOUND,
            catalogue::POSITION_INVALID,
            catalogue::SCHEMA,
            catalogue::AS_OF_OUT_OF_RANGE,
        ];
        responses(OF_ALL.into_iter().chain(own))
    }
}

impl IntoResponses for ReportProblems {
    fn responses() -> Responses {
        let own = [catalogue::SCHEMA, catalogue::POSITION_INVALID, catalogue::READ_MODEL_BEHIND];
        responses(OF_ALL.into_iter().chain(own))
    }
}

impl IntoResponses for ProofProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain([catalogue::SCHEMA, catalogue::LOG_DIVERGED]))
    }
}

impl IntoResponses for VerifyProblems {
    fn responses() -> Responses {
        let own = [catalogue::NOT_FOUND, catalogue::POSITION_INVALID];
        responses(OF_ALL.into_iter().chain(OF_BODIES).chain(own))
    }
}

impl IntoResponses for ImportProblems {
    fn responses() -> Responses {
        let of_lines = [
            catalogue::INCOMPLETE_BODY,
            catalogue::TIMEOUT,
            catalogue::UNSUPPORTED_MEDIA_TYPE,
            catalogue::SCHEMA,
        ];
        responses(OF_ALL.into_iter().chain(of_lines))
    }
}

/// What can go wrong with a command: whatever the rules say, with this one alone, and by those rules.
fn of_command<const OWN: usize>(own: [Entry; OWN], broken: &[Code]) -> Responses {
    let door = OF_ALL.into_iter().chain(OF_COMMANDS).chain(OF_BODIES);
    let entries = door.chain(own).chain(rules(broken));
    responses_with(|status| headers::of_refused_command(KEY, status), entries)
}

/// The entries of those rules. What shares its name with a problem of the door has its entry.
fn rules(codes: &[Code]) -> impl Iterator<Item = Entry> {
    codes.iter().map(|code| *Entry::of(*code))
}

/// A response for each status, which names the codes that come with it.
fn responses(entries: impl Iterator<Item = Entry>) -> Responses {
    responses_with(headers::of_problem, entries)
}

fn responses_with(
    headers: fn(u16) -> Vec<Told>,
    entries: impl Iterator<Item = Entry>,
) -> Responses {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        let codes = by_status.entry(entry.status).or_default();
        if !codes.contains(&entry.code) {
            codes.push(entry.code);
        }
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(response(&codes, headers(status)))))
        .collect()
}

fn response(codes: &[&str], headers: Vec<Told>) -> Response {
    let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response =
        ResponseBuilder::new().description(codes.join(", ")).content(MEDIA_TYPE, problem);
    headers::with(response, headers).build()
}
