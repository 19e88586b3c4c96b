//! The problems of each endpoint, for the API description: written from the catalogue.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::catalogue::{self, Entry, OF_ALL, OF_BODIES, OF_COMMANDS};
use crate::headers;
use crate::problem::MEDIA_TYPE;

/// The rules that end a hold, by code.
const OF_CANCELLING: [&str; 2] = ["wrong-status", "idempotency-key-reused"];

/// The rules of a hand-over that other commands do not know, by code.
const OF_PROCESSING: [&str; 8] = [
    "signature-count",
    "signature-invalid",
    "signer-unknown",
    "signer-tax-id-missing",
    "signer-tax-id",
    "signer-surname-missing",
    "signer-surname",
    "content-mismatch",
];

/// The rules that a hand-over shares with a hold, by code.
const OF_STANDING: [&str; 4] =
    ["division-not-found", "division-not-active", "division-foreign", "medication-request-blocked"];

/// The rules that forbid to look at programs at all, by code.
const OF_QUALIFYING: [&str; 11] = [
    "medication-request-not-active",
    "medication-request-is-plan",
    "program-not-found",
    "care-plan-status",
    "care-plan-expired",
    "activity-status",
    "activity-quantity",
    "division-not-found",
    "division-not-active",
    "division-foreign",
    "division-not-dls-verified",
];

type Responses = BTreeMap<String, RefOr<Response>>;

/// The problems of a create.
pub(super) struct CreateProblems;

/// The problems of a cancel.
pub(super) struct CancelProblems;

/// The problems of a hand-over.
pub(super) struct ProcessProblems;

/// The problems of a question for programs.
pub(super) struct QualifyProblems;

/// The problems of a question.
pub(super) struct GetProblems;

/// The problems of an import.
pub(super) struct ImportProblems;

impl IntoResponses for CreateProblems {
    fn responses() -> Responses {
        let elsewhere = [
            "wrong-status",
            "not-found",
            "method-not-allowed",
            "content-not-stored",
            "activity-quantity",
        ];
        let elsewhere = elsewhere.iter().chain(&OF_PROCESSING);
        let elsewhere: Vec<&str> = elsewhere.copied().collect();
        responses(catalogue::all().iter().copied().filter(|entry| !elsewhere.contains(&entry.code)))
    }
}

impl IntoResponses for CancelProblems {
    fn responses() -> Responses {
        let rules = catalogue::all().iter().copied().filter(|it| OF_CANCELLING.contains(&it.code));
        let door = OF_ALL.into_iter().chain(OF_COMMANDS).chain(OF_BODIES);
        responses(door.chain([catalogue::NOT_FOUND]).chain(rules))
    }
}

impl IntoResponses for ProcessProblems {
    fn responses() -> Responses {
        let codes = OF_CANCELLING.iter().chain(&OF_PROCESSING).chain(&OF_STANDING);
        let codes: Vec<&str> = codes.copied().collect();
        let rules = catalogue::all().iter().copied().filter(|it| codes.contains(&it.code));
        let door = OF_ALL.into_iter().chain(OF_COMMANDS).chain(OF_BODIES);
        let own = [catalogue::NOT_FOUND, catalogue::CONTENT_NOT_STORED];
        responses(door.chain(own).chain(rules))
    }
}

impl IntoResponses for QualifyProblems {
    fn responses() -> Responses {
        let rules = catalogue::all().iter().copied().filter(|it| OF_QUALIFYING.contains(&it.code));
        let door = OF_ALL.into_iter().chain(OF_BODIES).chain([catalogue::NOT_FOUND]);
        responses(door.chain(rules))
    }
}

impl IntoResponses for GetProblems {
    fn responses() -> Responses {
        responses(OF_ALL.into_iter().chain([catalogue::NOT_FOUND, catalogue::SCHEMA]))
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

/// A response for each status, which names the codes that come with it.
fn responses(entries: impl Iterator<Item = Entry>) -> Responses {
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        by_status.entry(entry.status).or_default().push(entry.code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(response(status, &codes))))
        .collect()
}

fn response(status: u16, codes: &[&str]) -> Response {
    let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response =
        ResponseBuilder::new().description(codes.join(", ")).content(MEDIA_TYPE, problem);
    headers::with(response, headers::of_problem(status)).build()
}
