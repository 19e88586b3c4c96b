//! Old shapes to the shape of today.

use cqrs_es::persist::EventUpcaster;

/// Lifts every event ever written to the shape that [`crate::DispenseEvent`] has today, oldest step
/// first. All shapes are still the first ones, so there is nothing to lift yet; a reader that asks
/// here will not have to change when there is.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    Vec::new()
}

/// Whether this build knows an event of this kind and version. A writer that meets one it does not
/// know leaves the partition to others.
#[must_use]
pub fn is_known(event_type: &str, version: &str) -> bool {
    matches!(event_type, "HoldCreated" | "Processed" | "Cancelled" | "Expired") && version == "1.0"
}
