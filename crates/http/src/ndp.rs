//! The platform's API under `/api/v1`: camelCase, JSON, problems as of RFC 9457.
//!
//! One file for each endpoint; `dispense.rs` shows a dispense, `place.rs` says where this API keeps
//! what a rule blames. The words of the platform (prescription, pharmacy, pharmacist) live here.

pub(crate) mod access_log;
mod answers;
pub(crate) mod audit;
pub(crate) mod balance;
pub(crate) mod cancel;
pub(crate) mod content;
pub(crate) mod create;
pub(crate) mod decision;
pub(crate) mod description;
mod dispense;
mod entity_tag;
pub(crate) mod errors;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod messages;
mod ndjson;
mod next_page;
pub(crate) mod patient_history;
pub(crate) mod place;
pub(crate) mod prescription_dispenses;
mod problems;
pub(crate) mod process;
mod qualified;
pub(crate) mod qualify;
pub(crate) mod registry_changes;
pub(crate) mod report;
pub(crate) mod search;
pub(crate) mod verify;

use actix_web::HttpRequest;
use dispensary::RequestKey;
use uuid::Uuid;

use crate::body::kinds::parse_uuid;
use crate::catalogue;
use crate::problem::Problem;

/// Allows to look.
const READ: &str = "medication_dispense:read";
/// Allows to hold medication.
const WRITE: &str = "medication_dispense:write";
/// Allows to hand medication over.
const PROCESS: &str = "medication_dispense:process";
/// Allows to give a hold back.
const REJECT: &str = "medication_dispense:reject";
/// Allows to look at prescriptions, and to ask which programs can pay for them.
const DETAILS: &str = "medication_request:details";
/// Allows to look at the log itself, and at who looked.
const AUDIT: &str = "audit:read";
/// Allows to look at reports.
const REPORT: &str = "reimbursement_report:read";
/// Allows to import registry data.
const IMPORT: &str = "registry:write";

/// The id in the path; a malformed one names nothing.
fn id_in_path(request: &HttpRequest, what: &'static str) -> Result<Uuid, Problem> {
    let missing = || Problem::saying(&catalogue::NOT_FOUND, format!("There is no such {what}"));
    request.match_info().get("id").and_then(parse_uuid).ok_or_else(missing)
}

/// The id or number of a prescription in the path; what is neither names nothing.
fn prescription_in_path(request: &HttpRequest) -> Result<RequestKey, Problem> {
    request.match_info().get("id").and_then(|text| text.parse().ok()).ok_or_else(no_prescription)
}

fn no_prescription() -> Problem {
    Problem::saying(&catalogue::NOT_FOUND, "There is no such prescription")
}
