//! Which rules each operation can break, whatever API it comes through: by the tables of the domain,
//! so that a new rule is described as soon as it is judged.

use std::collections::BTreeSet;

use dispense_domain::Code;
use dispense_domain::decide::{create_hold, process};

/// What a hold can break besides the rules in order: the key. The number of attempts is in order.
const OF_HOLDING: [&str; 1] = ["key"];

/// What every other command can break: whose it is, where it stands, and the key.
const OF_CHANGING: [&str; 3] = ["D-10", "4.1", "key"];

/// The rules that forbid to look at programs at all. They have numbers of their own there.
pub(crate) const BY_QUALIFYING: [Code; 11] = [
    Code::MedicationRequestNotActive,
    Code::MedicationRequestIsPlan,
    Code::ProgramNotFound,
    Code::CarePlanStatus,
    Code::CarePlanExpired,
    Code::ActivityStatus,
    Code::ActivityQuantity,
    Code::DivisionNotFound,
    Code::DivisionNotActive,
    Code::DivisionForeign,
    Code::DivisionNotDlsVerified,
];

/// The rules that a hold can break.
pub(crate) fn by_holding() -> Vec<Code> {
    numbered(create_hold::order().chain(OF_HOLDING))
}

/// The rules that a hand-over can break.
pub(crate) fn by_handing_over() -> Vec<Code> {
    numbered(process::order().chain(OF_CHANGING))
}

/// The rules that giving back can break.
pub(crate) fn by_giving_back() -> Vec<Code> {
    numbered(OF_CHANGING.into_iter())
}

/// The codes of the rules with those numbers.
fn numbered(numbers: impl Iterator<Item = &'static str>) -> Vec<Code> {
    let numbers: BTreeSet<&str> = numbers.collect();
    Code::ALL.into_iter().filter(|code| numbers.contains(code.definition().rule)).collect()
}
