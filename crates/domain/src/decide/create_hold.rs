//! The rules for a hold, in order of precedence.

mod asker;
mod facts;
mod items;
mod licences;
mod line;
mod participant;
mod patient;
mod price;
mod program;
mod quantity;
mod record;
mod request;

use std::ptr;
use std::sync::Arc;

use chrono::NaiveDate;

use super::table::{self, Judgement, PASSED, Row, Said, failed};
use super::{MOST_DISPENSES, asked_before, expire, standing};
use crate::registry::Division;
use crate::{
    Code, CodeTurn, CreateHold, DispenseEvent, Dispensing, Question, Refusal, Refusals, Sight,
};
pub use facts::Facts;
use line::each;
pub use patient::{MOST_WRONG_CODES, WRONG_CODES_COUNT_FOR};

/// What a rule looks at.
struct Case<'a> {
    dispensing: &'a Dispensing,
    command: &'a CreateHold,
    sight: &'a Sight,
    /// The civil date of the decision: many rules ask, some of them for each item.
    today: NaiveDate,
}

impl<'a> Case<'a> {
    fn of(dispensing: &'a Dispensing, command: &'a CreateHold, sight: &'a Sight) -> Self {
        Self { dispensing, command, sight, today: sight.evidence.today(sight.at) }
    }

    /// The outlet, if it is the asker's own. Of another's nothing is judged but what it is itself
    /// (10): its licences and contracts are nobody else's business.
    fn own_outlet(&self) -> Option<&'a Division> {
        let outlet = self.sight.evidence.division.as_deref()?;
        (outlet.legal_entity_id == self.command.client).then_some(outlet)
    }
}

/// What tells facts of a case.
type Look = fn(&Case<'_>) -> Facts;

/// What judges a case, and what tells the facts that it looks at.
struct Rule {
    judge: fn(&Case<'_>) -> Judgement,
    facts: Look,
}

const fn rule(number: &'static str, judge: fn(&Case<'_>) -> Judgement, facts: Look) -> Row<Rule> {
    Row(number, Rule { judge, facts })
}

/// The number of the rule that judges the verification code, which has a turn of its own.
const CODE: &str = "16a";

/// The rules about who asks.
const ABOUT_ASKER: [&str; 7] = ["3a", "3b", "4a", "4b", "4c", "5", "9"];

/// The order of refusals is a contract: this table is it.
const ORDER: &[Row<Rule>] = &[
    rule("2", request::dispense_day, facts::day),
    rule("3a", asker::legal_entity_exists, facts::legal_entity),
    rule("3b", asker::legal_entity_not_closed, facts::legal_entity),
    rule("4a", asker::legal_entity_active, facts::legal_entity),
    rule("4b", asker::legal_entity_verified, facts::legal_entity),
    rule("4c", asker::legal_entity_may_dispense, facts::legal_entity),
    rule("5", asker::party_exists, facts::party),
    rule("6a", request::exists, facts::request),
    rule("6b", request::active, facts::request),
    rule("6c", request::in_its_period, facts::request),
    rule("6d", request::resolves, facts::request),
    rule("7", |case| standing::not_blocked(case.sight, case.command.client), facts::block),
    rule("8", request::is_order, facts::request),
    rule("9", asker::employee_authorised, facts::employees),
    rule("10a", division_exists, facts::division),
    rule("10b", division_active, facts::division),
    rule("10c", division_own, facts::division),
    rule("10d", |case| standing::dls_verified(&case.sight.evidence), facts::division),
    rule("11a", licences::may_sell, facts::licences),
    rule("11b", licences::may_produce, facts::licences),
    rule("12b", program::stated, facts::program),
    rule("12c", program::exists, facts::program),
    rule("12d", program::active, facts::program),
    rule("12e", program::of_request, facts::program),
    rule("13a", program::contract_exists, facts::contracts),
    rule("13b", program::contract_not_suspended, facts::contracts),
    rule("13c", program::division_in_contract, facts::contracts),
    rule("14", program::provided, facts::provisions),
    rule("5.3", items::prices_stated, facts::items),
    rule("15a", items::medication_exists, facts::items),
    rule("15b", items::medication_active, facts::items),
    rule("15c", items::medication_prescribed, facts::items),
    rule("15d", items::medication_in_program, facts::items),
    rule("15e", items::participant_usable, facts::items),
    rule("15e+", items::medicine_good, facts::items),
    rule("15f", price::within_bounds, facts::items),
    rule(CODE, patient::code_is_right, facts::code),
    rule("16b", patient::care_plan_runs, facts::care),
    rule("16c", patient::qualified, facts::qualification),
    rule("17", quantity::one_hold_at_a_time, facts::quantity),
    rule("18", quantity::something_left, facts::quantity),
    rule("19", quantity::fits, facts::quantity),
    rule("20", quantity::divisible, facts::items),
    rule("21", quantity::payment_members, facts::payment),
    rule("limit", not_too_many, facts::quantity),
];

/// The numbers of the rules in order.
pub fn order() -> impl Iterator<Item = &'static str> {
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
    let case = Case::of(dispensing, command, sight);
    table::verdict(judge(&case))?;

    // Make room first: the hold that ran out is recorded as such together with the new one.
    let mut events = expire(dispensing, sight.at);
    events.extend(record::events(&case, asked)?);
    Ok(events)
}

/// Asks every rule; that about the code is heard when its turn has come.
fn judge(case: &Case<'_>) -> Vec<Said> {
    let mut said = table::ask(ORDER, |rule| (rule.judge)(case));
    let Some(place) = said.iter().position(|it| it.rule == CODE) else { return said };
    let kept = |rules: &[Said]| rules.iter().all(|it| !it.is_no());
    let has_turn = match case.command.code_turn {
        CodeTurn::InPlace => kept(&said[..place]),
        CodeTurn::Last => kept(&said[..place]) && kept(&said[place + 1..]),
    };
    if !has_turn {
        // Who cannot dispense anyway learns nothing about the code.
        said[place].judgement = None;
    }
    said
}

fn division_exists(case: &Case<'_>) -> Judgement {
    standing::division_exists(case.sight.evidence.division.as_deref(), case.command.division_id)
}

fn division_active(case: &Case<'_>) -> Judgement {
    standing::division_active(case.sight.evidence.division.as_deref())
}

fn division_own(case: &Case<'_>) -> Judgement {
    standing::division_of(case.sight.evidence.division.as_deref(), case.command.client)
}

/// Limit: one medication request has at most [`MOST_DISPENSES`] dispenses.
fn not_too_many(case: &Case<'_>) -> Judgement {
    if case.dispensing.dispenses().len() < MOST_DISPENSES {
        return PASSED;
    }
    failed(Refusal::of(Code::TooManyDispenses).with("limit", MOST_DISPENSES))
}

/// What one rule says of a hold that somebody would like to place.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The number of the rule in `docs/domain.md`.
    pub rule: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// What it looked at; shared by the rules that look at the same.
    pub facts: Arc<Facts>,
}

/// What a rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is kept.
    Passed,
    /// It is broken: in each of these places.
    Failed(Vec<Refusal>),
    /// It does not apply, or what it would look at is missing.
    NotEvaluated,
}

/// What every rule would say of that hold, in order. Nothing is decided and nothing changes; whether
/// it was asked for before does not matter.
#[must_use]
pub fn explain(dispensing: &Dispensing, command: &CreateHold, sight: &Sight) -> Vec<Explained> {
    let case = Case::of(dispensing, command, sight);
    let mut told = Told::default();
    let said = judge(&case).into_iter();
    said.zip(ORDER)
        .map(|(said, Row(rule, Rule { facts, .. }))| Explained {
            rule,
            verdict: match said.judgement {
                None => Verdict::NotEvaluated,
                Some(refusals) if refusals.is_empty() => Verdict::Passed,
                Some(refusals) => Verdict::Failed(refusals),
            },
            facts: told.by(*facts, &case),
        })
        .collect()
}

/// The facts that were told so far. They are put together while a partition is locked, and those of
/// items are many: each is told once, however many rules look at it.
#[derive(Default)]
struct Told(Vec<(Look, Arc<Facts>)>);

impl Told {
    fn by(&mut self, look: Look, case: &Case<'_>) -> Arc<Facts> {
        if let Some((_, facts)) = self.0.iter().find(|(known, _)| ptr::fn_addr_eq(*known, look)) {
            return facts.clone();
        }
        let facts = Arc::new(look(case));
        self.0.push((look, facts.clone()));
        facts
    }
}

/// What the asker itself is told of that. The facts of a medication request are for those who may
/// dispense at all: who breaks a rule about the asker gets the facts of those rules alone.
#[must_use]
pub fn told_to_asker(mut rules: Vec<Explained>) -> Vec<Explained> {
    let about_asker = |it: &Explained| ABOUT_ASKER.contains(&it.rule);
    let broken = |it: &Explained| matches!(it.verdict, Verdict::Failed(_));
    if rules.iter().any(|it| about_asker(it) && broken(it)) {
        for other in rules.iter_mut().filter(|it| !about_asker(it)) {
            other.facts = Arc::default();
        }
    }
    rules
}
