//! The rules for a hold, in order of precedence.

mod asker;
mod items;
mod quantity;
mod record;
mod request;

use super::table::Row::{self, Awaited, Judged};
use super::{MOST_DISPENSES, asked_before, expire, standing, table};
use crate::{Code, CreateHold, DispenseEvent, Dispensing, Question, Refusal, Refusals, Sight};

/// What a rule looks at.
struct Case<'a> {
    dispensing: &'a Dispensing,
    command: &'a CreateHold,
    sight: &'a Sight,
}

type Rule = fn(&Case<'_>) -> Vec<Refusal>;

/// The order of refusals is a contract: this table is it.
const ORDER: &[Row<Rule>] = &[
    Judged("2", request::dispense_day),
    Judged("3a", asker::legal_entity_exists),
    Judged("3b", asker::legal_entity_not_closed),
    Judged("4a", asker::legal_entity_active),
    Awaited("4b"),
    Judged("4c", asker::legal_entity_may_dispense),
    Judged("5", asker::party_exists),
    Judged("6a", request::exists),
    Judged("6b", request::active),
    Judged("6c", request::in_its_period),
    Judged("6d", request::resolves),
    Judged("7", |case| standing::not_blocked(case.sight, case.command.client)),
    Judged("8", request::is_order),
    Judged("9", asker::employee_authorised),
    Judged("10a", |case| standing::division_exists(&case.sight.evidence, case.command.division_id)),
    Judged("10b", |case| standing::division_active(&case.sight.evidence)),
    Judged("10c", |case| standing::division_of(&case.sight.evidence, case.command.client)),
    Awaited("10d"),
    Awaited("11a"),
    Awaited("11b"),
    Awaited("12b"),
    Judged("12c", items::program_exists),
    Awaited("12d"),
    Awaited("12e"),
    Awaited("13a"),
    Awaited("13b"),
    Awaited("13c"),
    Awaited("14"),
    Judged("5.3", items::prices_stated),
    Judged("15a", items::medication_exists),
    Awaited("15b"),
    Awaited("15c"),
    Awaited("15d"),
    Awaited("15e"),
    Judged("15e+", items::medicine_good),
    Awaited("15f"),
    Awaited("16a"),
    Awaited("16b"),
    Awaited("16c"),
    Judged("17", quantity::one_hold_at_a_time),
    Judged("18", quantity::something_left),
    Judged("19", quantity::fits),
    Awaited("20"),
    Judged("21", quantity::payment_members),
    Judged("limit", not_too_many),
];

/// The numbers of the rules in order, each with whether this version judges it.
pub fn order() -> impl Iterator<Item = (&'static str, bool)> {
    table::order(ORDER)
}

/// Holds what is wanted; under a program without signature, records it as handed over.
pub(super) fn create_hold(
    dispensing: &Dispensing,
    command: &CreateHold,
    sight: &Sight,
) -> Result<Vec<DispenseEvent>, Refusals> {
    let asked = Question { key: command.key_digest, request: command.request_digest() };
    let answered = dispensing.get(command.dispense_id).map(|dispense| dispense.opened_by);
    if asked_before(answered, asked)? {
        return Ok(Vec::new());
    }
    let case = Case { dispensing, command, sight };
    table::judge(ORDER, |rule| rule(&case))?;

    // Make room first: the hold that ran out is recorded as such together with the new one.
    let mut events = expire(dispensing, sight.at);
    events.extend(record::events(&case, asked)?);
    Ok(events)
}

/// Limit: one medication request has at most [`MOST_DISPENSES`] dispenses.
fn not_too_many(case: &Case<'_>) -> Vec<Refusal> {
    if case.dispensing.dispenses().len() < MOST_DISPENSES {
        return Vec::new();
    }
    vec![Refusal::of(Code::TooManyDispenses).with("limit", MOST_DISPENSES)]
}
