//! The register's document of a dispense and of a medication request: what its API shows as `data`,
//! and what pharmacists sign.
//!
//! A dispense is rendered from its events and its personal body alone, so that no change of a
//! registry ever alters what somebody has read, or signed. The order of members, and which of them
//! are left out, is part of that: what was signed years ago is compared with what is rendered today.
//!
//! Where the personal body was erased, every member that stood in it is null or left out, and the
//! rest stays: ids, quantities, prices and times still tell what was dispensed, and by whom. Such a
//! document says `erased`, so that nobody takes the gap for what was signed.

mod dispense;
mod organisations;
mod persons;
mod request;

use dispense_domain::DispenseId;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{Recorded, Requested, Shown, Unavailable};

/// How much of the prescriber is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Clinic, site and doctor too.
    Whole,
    /// None of them, as on the paths of pharmacies.
    WithoutPrescriber,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The events have no such dispense.
    #[error("there is no such dispense among the events")]
    NoHold,
    /// The personal body is there, but is not one.
    #[error("the personal body of the dispense cannot be read")]
    BodyUnreadable(#[source] serde_json::Error),
    /// Plain data could not be written down, which it always can.
    #[error("the document cannot be written")]
    Unwritable(#[source] serde_json::Error),
    /// The registries do not have all that the document shows.
    #[error(transparent)]
    BrokenReference(#[from] BrokenReference),
}

/// A medication request points at something that the registries do not have.
#[derive(Debug, thiserror::Error)]
#[error("Could not load remote reference for medication_request")]
pub struct BrokenReference(#[from] Missing);

impl BrokenReference {
    /// What the registries do not have.
    #[must_use]
    pub const fn missing(&self) -> &Missing {
        &self.0
    }
}

/// What the registries do not have: for us alone.
#[derive(Debug, thiserror::Error)]
#[error("{what} {id} is not in the registries")]
pub struct Missing {
    /// What it is to the medication request.
    pub what: &'static str,
    /// The id that leads nowhere.
    pub id: Uuid,
}

/// The document of a dispense as it stands.
///
/// # Errors
///
/// The personal body is there, but cannot be read.
pub fn dispense(shown: &Shown, side: Side) -> Result<Box<RawValue>, DocumentError> {
    let body = shown.body().map_err(DocumentError::BodyUnreadable)?;
    written(&dispense::Dispense::of(shown, body.as_ref(), side))
}

/// The document of a dispense as it was right after its hold began, whatever happened since: what
/// is signed, but for the payment.
///
/// # Errors
///
/// There is no such dispense, or its personal body is there, but cannot be read.
pub fn frozen(
    events: &[Recorded],
    id: DispenseId,
    side: Side,
) -> Result<Box<RawValue>, DocumentError> {
    dispense(&held(events, id)?, side)
}

/// As [`frozen`], on both sides out of one reading: the whole one first.
///
/// # Errors
///
/// As [`frozen`].
pub(crate) fn frozen_sides(
    events: &[Recorded],
    id: DispenseId,
) -> Result<[Box<RawValue>; 2], DocumentError> {
    let held = held(events, id)?;
    let body = held.body().map_err(DocumentError::BodyUnreadable)?;
    let on = |side| written(&dispense::Dispense::of(&held, body.as_ref(), side));
    Ok([on(Side::Whole)?, on(Side::WithoutPrescriber)?])
}

/// As [`frozen`], with the payment of a hand-over, if it was signed for: what was signed.
///
/// # Errors
///
/// As [`frozen`].
pub fn signed(
    events: &[Recorded],
    shown: &Shown,
    side: Side,
) -> Result<Box<RawValue>, DocumentError> {
    let mut held = held(events, shown.hold.dispense_id)?;
    // The receipt of a cancel is no part of what was signed, because nothing was.
    if shown.content.is_some() {
        held.erased = shown.erased;
        held.payment_amount = shown.payment_amount;
        held.payment_id.clone_from(&shown.payment_id);
    }
    dispense(&held, side)
}

/// The dispense as it was right after its hold began.
fn held(events: &[Recorded], id: DispenseId) -> Result<Shown, DocumentError> {
    let first = events.iter().find(|recorded| recorded.event.dispense_id() == id);
    let first = first.ok_or(DocumentError::NoHold)?;
    let shown = Shown::of(std::slice::from_ref(first), id, first.recorded_at);
    shown.ok_or(DocumentError::NoHold)
}

/// The document of a medication request: what its registry says now, with status and remaining
/// quantity from the log.
///
/// # Errors
///
/// [`BrokenReference`] if something that is shown is not in the registries.
pub fn medication_request(
    requested: &Requested,
    side: Side,
) -> Result<Box<RawValue>, DocumentError> {
    let now = request::AsNow::of(requested, side)?;
    written(&now.shown(side))
}

fn written(document: &impl Serialize) -> Result<Box<RawValue>, DocumentError> {
    serde_json::value::to_raw_value(document).map_err(DocumentError::Unwritable)
}

/// A document of ours that cannot be shown: for an operator to look into.
pub(crate) fn unreadable(error: DocumentError) -> Unavailable {
    Unavailable { what: "the document of the dispense", source: Box::new(error) }
}
