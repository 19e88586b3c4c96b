//! The version of a dispense as HTTP has it.

use actix_web::http::header::{HeaderMap, IF_NONE_MATCH};
use dispensary::Shown;

use super::dispense::status_word;

/// The entity tag of a dispense, in the words of this API.
pub(super) fn entity_tag(shown: &Shown) -> String {
    crate::answer::entity_tag(shown, status_word)
}

/// Whether the caller has this version already. Tags are compared weakly, as RFC 9110 wants here.
pub(super) fn has_already(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
