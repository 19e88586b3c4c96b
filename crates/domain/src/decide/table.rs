//! A table of rules: their order is a contract, and each table of a command is it.

use crate::{Refusal, Refusals};

/// What stands in a row. `R` is the kind of rule: it looks at a case and says what is wrong, if it
/// can see it; one whose inputs are missing says nothing, because another rule has said so already.
pub(super) enum Row<R> {
    /// A rule with its number in `docs/domain.md`.
    Judged(&'static str, R),
    /// The place of a rule that this version does not judge yet.
    Awaited(&'static str),
}

/// The numbers of the rules in order, each with whether this version judges it.
pub(super) fn order<R>(rows: &[Row<R>]) -> impl Iterator<Item = (&'static str, bool)> {
    rows.iter().map(|row| match row {
        Row::Judged(number, _) => (*number, true),
        Row::Awaited(number) => (*number, false),
    })
}

/// Asks every rule.
///
/// # Errors
///
/// Every rule that is broken, in order.
pub(super) fn judge<R>(rows: &[Row<R>], ask: impl Fn(&R) -> Vec<Refusal>) -> Result<(), Refusals> {
    let broken = rows.iter().flat_map(|row| match row {
        Row::Judged(_, rule) => ask(rule),
        Row::Awaited(_) => Vec::new(),
    });
    Refusals::check(broken.collect())
}
