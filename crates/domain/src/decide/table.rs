//! A table of rules: their order is a contract, and each table of a command is it.

use crate::{Refusal, Refusals};

/// What a rule says of a case: what is wrong with it, and nothing where all is well. `None` is said
/// by a rule that does not apply, or whose inputs are missing: another rule says that they are.
pub(crate) type Judgement = Option<Vec<Refusal>>;

/// All is well.
pub(crate) const PASSED: Judgement = Some(Vec::new());

/// One thing is wrong.
#[allow(clippy::unnecessary_wraps, reason = "it is what a rule returns")]
pub(crate) fn failed(refusal: Refusal) -> Judgement {
    Some(vec![refusal])
}

/// A rule: its number in `docs/domain.md`, and what judges it. `R` is the kind of rule.
pub(crate) struct Row<R>(pub(crate) &'static str, pub(crate) R);

/// The numbers of the rules in order.
pub(crate) fn order<R>(rows: &[Row<R>]) -> impl Iterator<Item = &'static str> {
    rows.iter().map(|row| row.0)
}

/// What a rule said.
pub(crate) struct Said {
    pub(crate) rule: &'static str,
    pub(crate) judgement: Judgement,
}

impl Said {
    /// What the rule of this number said: each refusal bears it.
    pub(crate) fn by(rule: &'static str, mut judgement: Judgement) -> Self {
        for refusal in judgement.iter_mut().flatten() {
            refusal.rule = rule;
        }
        Self { rule, judgement }
    }

    /// Whether the rule is broken.
    pub(crate) fn is_no(&self) -> bool {
        self.judgement.as_ref().is_some_and(|refusals| !refusals.is_empty())
    }
}

/// Asks every rule, in order.
pub(crate) fn ask<R>(rows: &[Row<R>], judge: impl Fn(&R) -> Judgement) -> Vec<Said> {
    rows.iter().map(|Row(number, rule)| Said::by(number, judge(rule))).collect()
}

/// The verdict on all that was said.
///
/// # Errors
///
/// Every rule that is broken, in order.
pub(crate) fn verdict(said: Vec<Said>) -> Result<(), Refusals> {
    Refusals::check(said.into_iter().filter_map(|it| it.judgement).flatten().collect())
}
