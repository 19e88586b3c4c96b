//! What both APIs say of a program that was asked for.

use dispense_domain::Approved;
use dispense_domain::qualify::Qualified;
use serde::Serialize;
use utoipa::ToSchema;

/// Whether a program can pay.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ProgramStatus {
    /// It can.
    Valid,
    /// It cannot.
    Invalid,
}

/// Whether the program can pay, why it cannot (empty if it can), and the brands that can be dispensed
/// under it (none if it cannot), each as the API shows it.
pub(crate) fn standing<'a, T>(
    qualified: &'a Qualified,
    shown: impl Fn(&'a Approved) -> T,
) -> (ProgramStatus, String, Vec<T>) {
    match &qualified.standing {
        Ok(approved) => (ProgramStatus::Valid, String::new(), approved.iter().map(shown).collect()),
        Err(reason) => (ProgramStatus::Invalid, reason.to_string(), Vec::new()),
    }
}
