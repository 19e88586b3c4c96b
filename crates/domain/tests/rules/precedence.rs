//! The order of refusals is a contract: one command that breaks every rule, mended rule by rule.

use std::sync::Arc;

use dispense_domain::registry::{
    DivisionStatus, EmployeeStatus, Intent, LegalEntityStatus, MedicationType, RequestStatus,
};
use dispense_domain::{DispenseEvent, DispenseId, Stated};

use crate::sample::{
    OTHER_PHARMACY, PHARMACY, REQUEST, Scene, all_in_order, brand, day, hryvnias, id, noon_and,
    text,
};

type Mend = fn(&mut Scene);

/// What is first refused, and what mends it. A thing that was missing appears broken: its own rules
/// follow.
const MENDS: [(&str, Mend); 27] = [
    ("schema", |it| it.hold.dispensed_on = day("2026-03-10")),
    ("legal-entity-not-found", |it| {
        it.sight.evidence.legal_entity = all_in_order().sight.evidence.legal_entity;
        it.company().status = LegalEntityStatus::Closed;
        it.company().kind = text("MSP");
    }),
    ("legal-entity-closed", |it| it.company().status = LegalEntityStatus::Suspended),
    ("legal-entity-not-active", |it| it.company().status = LegalEntityStatus::Active),
    ("legal-entity-type", |it| it.company().kind = text("PHARMACY")),
    ("party-not-found", |it| {
        it.sight.evidence.party = all_in_order().sight.evidence.party;
        it.sight.evidence.employees = all_in_order().sight.evidence.employees;
        it.job().status = EmployeeStatus::Dismissed;
    }),
    ("medication-request-not-found", |it| {
        it.sight.evidence.request = all_in_order().sight.evidence.request;
        let request = it.request();
        request.status = RequestStatus::Rejected;
        request.dispense_valid_to = Some(day("2026-03-09"));
        request.is_blocked = true;
        request.intent = Intent::Plan;
        it.points_at().person = None;
    }),
    ("medication-request-not-active", |it| it.request().status = RequestStatus::Active),
    ("outside-dispense-period", |it| it.request().dispense_valid_to = Some(day("2026-03-10"))),
    ("medication-request-invalid", |it| {
        it.points_at().person = all_in_order().points_at().person.take();
    }),
    ("medication-request-blocked", |it| it.request().is_blocked = false),
    ("medication-request-is-plan", |it| it.request().intent = Intent::Order),
    ("employee-not-authorised", |it| it.job().status = EmployeeStatus::Approved),
    ("division-not-found", |it| {
        it.sight.evidence.division = all_in_order().sight.evidence.division;
        it.outlet().status = DivisionStatus::Inactive;
        it.outlet().legal_entity_id = id(OTHER_PHARMACY);
    }),
    ("division-not-active", |it| it.outlet().status = DivisionStatus::Active),
    ("division-foreign", |it| it.outlet().legal_entity_id = id(PHARMACY)),
    ("program-not-found", |it| it.sight.evidence.program = all_in_order().sight.evidence.program),
    ("medication-not-found", |it| {
        it.sight.evidence.medications = vec![None, Some(brand())];
    }),
    ("medication-not-found", |it| {
        it.sight.evidence.medications = vec![Some(brand()), Some(brand())];
    }),
    ("medicine-expired", |it| it.hold.items[0].expiry_date = None),
    ("medicine-expired", |it| it.hold.items[1].expiry_date = Some(day("2026-03-10"))),
    ("already-held", |it| it.sight.at = noon_and(11)),
    ("nothing-left", |it| {
        it.given.retain(|event| !matches!(event, DispenseEvent::Processed(_)));
    }),
    ("quantity-not-equal", |it| it.hold.items[1].quantity = crate::sample::quantity("30")),
    ("payment-not-allowed", |it| it.hold.payment_id = Stated::Absent),
    ("payment-not-allowed", |it| it.hold.payment_amount = Stated::Absent),
    ("too-many-dispenses", |it| it.given.truncate(400)),
];

/// Breaks every judged rule as far as a rule can speak.
fn all_wrong() -> Scene {
    let mut scene = all_in_order();
    let events = scene.granted();
    let [DispenseEvent::HoldCreated(hold)] = events.as_slice() else { panic!("{events:?}") };
    // 499 holds that ran out, one of a part that was handed over, and one that lives.
    for attempt in 0..500 {
        let mut hold = hold.as_ref().clone();
        hold.dispense_id = DispenseId::asked_for(id(REQUEST), id(PHARMACY), &attempt.to_string());
        hold.expires_at = Some(noon_and(if attempt == 0 { 10 } else { -1 }));
        hold.items[0].quantity = crate::sample::quantity("10");
        scene.given.push(DispenseEvent::HoldCreated(hold.into()));
    }
    scene.given.push(crate::golden::processed_signed(DispenseId::asked_for(
        id(REQUEST),
        id(PHARMACY),
        "1",
    )));
    scene.asks(PHARMACY, "mine");
    scene.wants(&["30", "31"]);
    scene.hold.dispensed_on = day("2026-03-11");
    scene.hold.payment_id = Stated::Null;
    scene.hold.payment_amount = Stated::Value(hryvnias("1"));
    for item in &mut scene.hold.items {
        item.expiry_date = Some(day("2026-03-09"));
    }
    let evidence = &mut scene.sight.evidence;
    evidence.legal_entity = None;
    evidence.party = None;
    evidence.employees.clear();
    evidence.request = None;
    evidence.division = None;
    evidence.program = None;
    let mut substance = brand();
    Arc::make_mut(&mut substance).kind = MedicationType::Innm;
    evidence.medications = vec![None, Some(substance)];
    scene
}

/// Every stage from all wrong to all but in order.
pub(crate) fn every_stage() -> Vec<Scene> {
    let mut scene = all_wrong();
    let mut stages = vec![scene.clone()];
    for (_, mend) in MENDS {
        mend(&mut scene);
        stages.push(scene.clone());
    }
    stages.pop();
    stages
}

#[test]
fn a_hold_mended_rule_by_rule_is_refused_in_the_order_of_the_rules() {
    let mut scene = all_wrong();
    for (number, (code, mend)) in MENDS.into_iter().enumerate() {
        assert_eq!(scene.codes().first(), Some(&code), "after {number} mends");
        mend(&mut scene);
    }
    assert_eq!(scene.codes(), Vec::<&str>::new());
}

/// Every judged rule has its turn.
#[test]
fn no_rule_is_left_out() {
    let mended: Vec<_> = MENDS.iter().map(|(code, _)| *code).collect();
    let rules = dispense_domain::decide::create_hold::order();
    for number in rules {
        let spoken = dispense_domain::Code::ALL
            .iter()
            .map(|code| code.definition())
            .any(|it| it.rule == number && mended.contains(&it.code));
        assert!(spoken, "rule {number}");
    }
}

/// All violations of one command are told, in the order of the table, whatever was mended.
#[test]
fn all_violations_come_in_the_order_of_the_table() {
    let order: Vec<_> = dispense_domain::decide::create_hold::order().collect();
    let place = |number: &str| order.iter().position(|it| *it == number).unwrap();
    for scene in every_stage() {
        let rules: Vec<_> = scene.refused().iter().map(|no| place(no.rule)).collect();
        assert!(rules.is_sorted(), "{:?}", scene.codes());
    }
}

/// Once everything can be seen, everything that is still wrong is told at once.
#[test]
fn everything_that_can_be_seen_is_told_at_once() {
    let told = all_in_order_but_all_wrong().codes();
    let wanted = "schema legal-entity-not-active legal-entity-type medication-request-not-active \
                  outside-dispense-period medication-request-invalid medication-request-blocked \
                  medication-request-is-plan employee-not-authorised division-not-active \
                  division-foreign medication-not-found medicine-expired medicine-expired \
                  already-held nothing-left quantity-not-equal payment-not-allowed \
                  payment-not-allowed too-many-dispenses";
    assert_eq!(told, wanted.split_whitespace().collect::<Vec<_>>());
}

fn all_in_order_but_all_wrong() -> Scene {
    let mut scene = all_wrong();
    let Scene { sight, .. } = all_in_order();
    scene.sight = sight;
    scene.sight.evidence.medications = vec![None, Some(brand())];
    scene.company().status = LegalEntityStatus::Suspended;
    scene.company().kind = text("MSP");
    scene.job().is_active = false;
    scene.outlet().is_active = false;
    scene.outlet().legal_entity_id = id(OTHER_PHARMACY);
    scene.points_at().person = None;
    let request = scene.request();
    request.status = RequestStatus::Rejected;
    request.dispense_valid_to = Some(day("2026-03-09"));
    request.is_blocked = true;
    request.intent = Intent::Plan;
    scene
}
