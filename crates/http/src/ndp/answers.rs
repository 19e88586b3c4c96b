//! The answers to commands, for the API description.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::headers::{self, Told};

type Responses = BTreeMap<String, RefOr<Response>>;

/// A dispense that began.
pub(super) struct Held;

/// Medication that was handed over.
pub(super) struct Processed;

/// A hold that was given back.
pub(super) struct Cancelled;

impl IntoResponses for Held {
    fn responses() -> Responses {
        let says = "The medication is held, or was recorded as handed over";
        let headers = [headers::LOCATION].into_iter().chain(headers::of_command(KEY));
        dispense(201, says, headers)
    }
}

impl IntoResponses for Processed {
    fn responses() -> Responses {
        dispense(200, "The medication was handed over", headers::of_command(KEY))
    }
}

impl IntoResponses for Cancelled {
    fn responses() -> Responses {
        dispense(200, "The hold was given back", headers::of_command(KEY))
    }
}

/// The header of this API that names a command.
pub(super) const KEY: &str = "Idempotency-Key";

fn dispense(status: u16, says: &str, headers: impl IntoIterator<Item = Told>) -> Responses {
    let schema = Ref::from_schema_name("Dispense");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(says).content("application/json", content);
    BTreeMap::from([(status.to_string(), RefOr::T(headers::with(response, headers).build()))])
}
