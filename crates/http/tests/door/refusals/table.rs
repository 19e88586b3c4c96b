//! Every way to break a rule, in the order of the rules.

mod hand_over;
mod items;
mod patient;
mod program;
mod quantity;
mod standing;

use super::case::Case;

/// In no registry.
const UNKNOWN: &str = "00000000-0000-4000-8000-0000000000ff";

/// Every way, the one that the catalogue shows for a code first.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    standing::cases()
        .into_iter()
        .chain(program::cases())
        .chain(items::cases())
        .chain(patient::cases())
        .chain(quantity::cases())
        .chain(hand_over::cases())
}
