//! The register's own API, under `/api` and once more under `/api/pharmacy`: `snake_case`, an
//! envelope around every answer, and the register's statuses, types, paths and texts.
//!
//! One file for each endpoint. `envelope.rs` and `error.rs` are the shapes, `words.rs` the one table
//! of how each rule says no, `place.rs` the paths; `refused.rs` puts them together. An endpoint is
//! written once and mounted under both prefixes; [`side`] tells them apart where it matters.

mod answered;
mod create;
mod described;
mod description;
mod envelope;
mod error;
mod get;
mod list_by_request;
mod medication_request;
mod place;
mod process;
mod qualified;
mod qualify;
mod refused;
mod reimbursement;
mod reject;
mod search;
mod words;

use actix_web::HttpRequest;
use dispensary::document::Side;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::body::kinds::parse_uuid;
use crate::catalogue;
use crate::problem::Problem;
use crate::routes::Way;

pub(crate) use answered::answer;
pub use description::ehealth_openapi;

/// Allows to look.
const READ: &str = "medication_dispense:read";
/// Allows to hold medication.
const WRITE: &str = "medication_dispense:write";
/// Allows to hand it over.
const PROCESS: &str = "medication_dispense:process";
/// Allows to give a hold back.
const REJECT: &str = "medication_dispense:reject";

/// The newer paths.
const PHARMACY: &str = "/api/pharmacy";

/// Every path of this API. A test holds it against the API description.
pub(crate) const WAYS: &[Way] = &[
    Way { pattern: "/api/openapi.json", allow: "GET" },
    Way { pattern: "/api/medication_dispenses", allow: "GET, POST" },
    Way { pattern: "/api/medication_dispenses/{id}", allow: "GET" },
    Way { pattern: "/api/medication_dispenses/{id}/actions/process", allow: "PATCH" },
    Way { pattern: "/api/medication_dispenses/{id}/actions/reject", allow: "PATCH" },
    Way { pattern: "/api/medication_requests/{id}", allow: "GET" },
    Way { pattern: "/api/medication_requests/{id}/dispenses", allow: "GET" },
    Way { pattern: "/api/medication_requests/{id}/actions/qualify", allow: "POST" },
    Way { pattern: "/api/reimbursement_report", allow: "GET" },
    Way { pattern: "/api/reimbursement_report_download", allow: "GET" },
    Way { pattern: "/api/pharmacy/medication_dispenses", allow: "GET, POST" },
    Way { pattern: "/api/pharmacy/medication_dispenses/{id}", allow: "GET" },
    Way { pattern: "/api/pharmacy/medication_dispenses/{id}/actions/process", allow: "PATCH" },
    Way { pattern: "/api/pharmacy/medication_dispenses/{id}/actions/reject", allow: "PATCH" },
    Way { pattern: "/api/pharmacy/medication_requests/{id}", allow: "GET" },
    Way { pattern: "/api/pharmacy/medication_requests/{id}/dispenses", allow: "GET" },
    Way { pattern: "/api/pharmacy/medication_requests/{id}/actions/qualify", allow: "POST" },
    Way { pattern: "/api/pharmacy/reimbursement_report", allow: "GET" },
    Way { pattern: "/api/pharmacy/reimbursement_report_download", allow: "GET" },
];

/// Mounts this API. What the platform's API has under `/api/v1` must be mounted before.
pub(crate) fn mount(config: &mut ServiceConfig<'_>) {
    config
        .service(description::get_ehealth_openapi)
        .service(scope(PHARMACY).configure(endpoints))
        .service(scope("/api").configure(endpoints));
}

/// Every endpoint, without the prefix.
fn endpoints(config: &mut ServiceConfig<'_>) {
    config
        .service(create::create_medication_dispense)
        .service(get::get_medication_dispense)
        .service(list_by_request::list_dispenses_by_medication_request)
        .service(medication_request::get_medication_request)
        .service(process::process_medication_dispense)
        .service(qualify::qualify_medication_request)
        .service(reimbursement::get_reimbursement_report)
        .service(reimbursement::download::download_reimbursement_report)
        .service(reject::reject_medication_dispense)
        .service(search::search_medication_dispenses);
}

/// Whether a path belongs to this API, be there something or not. What is below a version belongs to
/// the platform.
pub(crate) fn is_below(path: &str) -> bool {
    let is_version = |segment: &str| {
        let number = segment.strip_prefix('v').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
    };
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("api") && !segments.next().is_some_and(is_version)
}

/// How much of the prescriber the path that was taken shows.
fn side(request: &HttpRequest) -> Side {
    let newer = request.path().strip_prefix(PHARMACY).is_some_and(|it| it.starts_with('/'));
    if newer { Side::WithoutPrescriber } else { Side::Whole }
}

/// The id in the path; a malformed one names nothing.
fn id_in_path(request: &HttpRequest, what: &'static str) -> Result<Uuid, Problem> {
    let missing = || Problem::saying(&catalogue::NOT_FOUND, format!("There is no such {what}"));
    request.match_info().get("id").and_then(parse_uuid).ok_or_else(missing)
}
