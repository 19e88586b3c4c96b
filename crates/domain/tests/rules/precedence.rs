//! The order of refusals is a contract: one command that breaks every rule, mended rule by rule.

use std::sync::Arc;

use dispense_domain::decide::create_hold;
use dispense_domain::registry::{
    CarePlan, DivisionStatus, EmployeeStatus, Intent, LegalEntityStatus, MedicationType,
    RequestStatus,
};
use dispense_domain::{Care, CodeTurn, DispenseEvent, DispenseId, Prices, Refusal, Stated, Switch};
use serde_json::json;

use crate::sample::{
    DOSAGE, OTHER_PHARMACY, PHARMACY, PROGRAM, REQUEST, Scene, all_in_order, brand, day, hryvnias,
    id, noon_and, quantity, record, text, uuid,
};

type Mend = fn(&mut Scene);

/// Which rule refuses first, with which code, and what mends it. A thing that was missing appears
/// broken: its own rules follow. So rule 11a comes late, because the program says which licences it
/// asks for.
const MENDS: &[(&str, &str, Mend)] = &[
    ("2", "schema", |it| it.hold.dispensed_on = day("2026-03-10")),
    ("3a", "legal-entity-not-found", |it| {
        it.sight.evidence.legal_entity = all_in_order().sight.evidence.legal_entity;
        break_company(it);
        it.company().status = LegalEntityStatus::Closed;
    }),
    ("3b", "legal-entity-closed", |it| it.company().status = LegalEntityStatus::Suspended),
    ("4a", "legal-entity-not-active", |it| it.company().status = LegalEntityStatus::Active),
    ("4b", "legal-entity-not-verified", |it| it.company().nhs_verified = true),
    ("4c", "legal-entity-type", |it| it.company().kind = text("PHARMACY")),
    ("5", "party-not-found", |it| {
        it.sight.evidence.party = all_in_order().sight.evidence.party;
        it.sight.evidence.employees = all_in_order().sight.evidence.employees;
        it.job().status = EmployeeStatus::Dismissed;
    }),
    ("6a", "medication-request-not-found", |it| {
        it.sight.evidence.request = all_in_order().sight.evidence.request;
        break_request(it);
    }),
    ("6b", "medication-request-not-active", |it| it.request().status = RequestStatus::Active),
    ("6c", "outside-dispense-period", |it| {
        it.request().dispense_valid_to = Some(day("2026-03-10"));
    }),
    ("6d", "medication-request-invalid", |it| {
        it.points_at().person = all_in_order().points_at().person.take();
    }),
    ("7", "medication-request-blocked", |it| it.request().is_blocked = false),
    ("8", "medication-request-is-plan", |it| it.request().intent = Intent::Order),
    ("9", "employee-not-authorised", |it| it.job().status = EmployeeStatus::Approved),
    ("10a", "division-not-found", |it| {
        it.sight.evidence.division = all_in_order().sight.evidence.division;
        break_outlet(it);
    }),
    ("10b", "division-not-active", |it| it.outlet().status = DivisionStatus::Active),
    ("10c", "division-foreign", |it| it.outlet().legal_entity_id = id(PHARMACY)),
    ("10d", "division-not-dls-verified", |it| it.outlet().dls_verified = Some(true)),
    ("11b", "production-licence-missing", |it| it.production().is_active = true),
    ("12b", "program-mismatch", |it| it.hold.medical_program_id = Some(id(PROGRAM))),
    ("12c", "program-not-found", |it| {
        it.sight.evidence.program = all_in_order().sight.evidence.program;
        break_program(it);
    }),
    ("11a", "licence-missing", |it| it.sale().is_active = true),
    ("12d", "program-not-active", |it| it.program().is_active = true),
    ("12e", "program-mismatch", |it| it.request().medical_program_id = Some(id(PROGRAM))),
    ("13a", "no-contract", |it| it.contract().is_active = true),
    ("13b", "contract-suspended", |it| it.contract().is_suspended = false),
    // Provisions are asked for instead.
    ("13c", "division-not-in-contract", |it| {
        it.terms().program_provision_verify = Switch::On;
    }),
    ("14", "provision-missing", |it| {
        it.sight.evidence.provisions = all_in_order().sight.evidence.provisions;
    }),
    ("5.3", "schema", |it| it.hold.items[0].unit_price = Some(hryvnias("18.65"))),
    ("15a", "medication-not-found", |it| {
        it.sight.evidence.medications[0] = Some(brand());
        break_brand(it);
    }),
    ("15b", "medication-not-active", |it| it.brand().is_active = true),
    ("15c", "medication-mismatch", |it| it.brand().ingredients.clone_from(&brand().ingredients)),
    ("15d", "medication-not-in-program", |it| {
        it.sight.evidence.participants = vec![it.sight.evidence.participants[1].clone(); 2];
        it.participant().end_date = Some(day("2026-03-09"));
    }),
    ("15e", "program-medication-invalid", |it| it.hold.items[0].program_medication_id = None),
    ("15e", "program-medication-expired", |it| it.participant().end_date = None),
    ("15e+", "medicine-expired", |it| it.hold.items[0].expiry_date = None),
    ("15e+", "medicine-expired", |it| it.hold.items[1].expiry_date = Some(day("2026-03-10"))),
    ("15f", "discount-out-of-bounds", |it| {
        it.hold.items[0].discount_amount = Some(hryvnias("140"));
    }),
    ("16a", "too-many-wrong-codes", |it| it.sight.evidence.wrong_codes.clear()),
    ("16a", "wrong-code", |it| it.hold.verification_code = Some(text("4711"))),
    ("16b", "care-plan-status", |it| plan(it).status = text("active")),
    ("16b", "care-plan-expired", |it| plan(it).period = None),
    ("16b", "activity-status", |it| {
        it.points_at().care.as_mut().unwrap().activity = Some(record(&json!({
            "id": uuid(0xb_0002), "care_plan_id": uuid(0xb_0001), "status": "scheduled"
        })));
    }),
    ("16c", "not-qualified", |it| {
        it.points_at().approved = all_in_order().points_at().approved.clone();
    }),
    ("17", "already-held", |it| it.sight.at = noon_and(11)),
    ("18", "nothing-left", |it| {
        it.given.retain(|event| !matches!(event, DispenseEvent::Processed(_)));
    }),
    ("19", "quantity-not-equal", |it| it.hold.items[1].quantity = quantity("29")),
    ("20", "quantity-not-divisible", |it| {
        (it.hold.items[0].quantity, it.hold.items[1].quantity) = (quantity("30"), quantity("30"));
    }),
    ("21", "payment-not-allowed", |it| it.hold.payment_id = Stated::Absent),
    ("21", "payment-not-allowed", |it| it.hold.payment_amount = Stated::Absent),
    ("limit", "too-many-dispenses", |it| it.given.truncate(400)),
];

fn break_company(scene: &mut Scene) {
    let company = scene.company();
    company.status = LegalEntityStatus::Suspended;
    company.nhs_verified = false;
    company.kind = text("MSP");
}

fn break_request(scene: &mut Scene) {
    let request = scene.request();
    request.status = RequestStatus::Rejected;
    request.dispense_valid_to = Some(day("2026-03-09"));
    request.is_blocked = true;
    request.intent = Intent::Plan;
    request.medical_program_id = Some(id(PROGRAM + 1));
    request.verification_code = Some(text("4711"));
    let found = scene.points_at();
    found.person = None;
    found.approved = Arc::default();
    let ended = json!({
        "id": uuid(0xb_0001), "person_id": uuid(0x7_0001), "status": "completed",
        "period": {"end": "2026-03-09"}
    });
    found.care = Some(Care { plan: Some(record(&ended)), activity: None, processed: 0.into() });
}

fn plan(scene: &mut Scene) -> &mut CarePlan {
    Arc::make_mut(scene.points_at().care.as_mut().unwrap().plan.as_mut().unwrap())
}

fn break_outlet(scene: &mut Scene) {
    let outlet = scene.outlet();
    outlet.status = DivisionStatus::Inactive;
    outlet.legal_entity_id = id(OTHER_PHARMACY);
    outlet.dls_verified = None;
}

fn break_program(scene: &mut Scene) {
    scene.program().is_active = false;
    scene.settings().license_types_allowed = Some(vec![text("PHARMACY")]);
}

fn break_brand(scene: &mut Scene) {
    scene.brand().is_active = false;
    scene.brand().ingredients[0].medication_child_id = Some(id(DOSAGE + 1));
}

/// Breaks every rule as far as a rule can speak.
fn all_wrong(turn: CodeTurn) -> Scene {
    let mut scene = all_in_order();
    let events = scene.granted();
    let [DispenseEvent::HoldCreated(hold)] = events.as_slice() else { panic!("{events:?}") };
    // 499 holds that ran out, one of a part that was handed over, and one that lives.
    for attempt in 0..500 {
        let mut hold = hold.as_ref().clone();
        hold.dispense_id = DispenseId::asked_for(id(REQUEST), id(PHARMACY), &attempt.to_string());
        hold.expires_at = Some(noon_and(if attempt == 0 { 10 } else { -1 }));
        hold.items[0].quantity = quantity("10");
        scene.given.push(DispenseEvent::HoldCreated(hold.into()));
    }
    let part = DispenseId::asked_for(id(REQUEST), id(PHARMACY), "1");
    scene.given.push(crate::golden::processed_signed(part));
    scene.asks(PHARMACY, "mine");
    scene.wants(&["31", "30"]);
    let hold = &mut scene.hold;
    hold.code_turn = turn;
    hold.verification_code = Some(text("1174"));
    hold.dispensed_on = day("2026-03-11");
    hold.prices = Prices::UnlessFundedElsewhere;
    hold.payment_id = Stated::Null;
    hold.payment_amount = Stated::Value(hryvnias("1"));
    for (item, discount) in hold.items.iter_mut().zip(["200", "140"]) {
        item.unit_price = Some(hryvnias("18.65"));
        item.total_price = Some(hryvnias("600"));
        item.discount_amount = Some(hryvnias(discount));
        item.expiry_date = Some(day("2026-03-09"));
    }
    hold.items[0].unit_price = None;
    hold.items[0].program_medication_id = Some(id(0xdead));
    // The second item is made by the pharmacy itself.
    let mut made_here = brand();
    let made = Arc::make_mut(&mut made_here);
    (made.id, made.kind) = (id(DOSAGE), MedicationType::InnmDosage);
    scene.sight.evidence.medications = vec![None, Some(made_here)];
    scene.sight.evidence.participants[0].clear();
    scene.sight.evidence.wrong_codes = vec![noon_and(-1); 5];
    scene.sight.evidence.provisions = Arc::default();
    scene.terms().legal_entity_nhs_verify = Switch::On;
    scene.terms().division_dls_verify = Switch::On;
    scene.contract().is_active = false;
    scene.contract().is_suspended = true;
    scene.contract().division_ids.clear();
    scene.sale().is_active = false;
    scene.production().is_active = false;
    scene.hold.medical_program_id = None;
    let evidence = &mut scene.sight.evidence;
    evidence.legal_entity = None;
    evidence.party = None;
    evidence.employees.clear();
    evidence.request = None;
    evidence.division = None;
    evidence.program = None;
    scene
}

/// The mends in the order in which rules have their turn: that about the code is heard last, or in
/// its place.
fn mends(turn: CodeTurn) -> Vec<(&'static str, &'static str, Mend)> {
    let (code, others): (Vec<_>, Vec<_>) = MENDS.iter().partition(|(number, ..)| *number == "16a");
    match turn {
        CodeTurn::InPlace => MENDS.to_vec(),
        CodeTurn::Last => others.into_iter().chain(code).copied().collect(),
    }
}

/// Every stage from all wrong to all but in order.
pub(crate) fn every_stage(turn: CodeTurn) -> Vec<Scene> {
    let mut scene = all_wrong(turn);
    let mut stages = vec![scene.clone()];
    for (_, _, mend) in mends(turn) {
        mend(&mut scene);
        stages.push(scene.clone());
    }
    stages.pop();
    stages
}

pub(crate) const TURNS: [CodeTurn; 2] = [CodeTurn::Last, CodeTurn::InPlace];

fn place(number: &str) -> usize {
    create_hold::order().position(|it| it == number).unwrap()
}

fn is_about_the_code(refusal: &Refusal) -> bool {
    refusal.rule == "16a"
}

#[test]
fn a_hold_mended_rule_by_rule_is_refused_in_the_order_of_the_rules() {
    for turn in TURNS {
        let mut scene = all_wrong(turn);
        for (number, code, mend) in mends(turn) {
            let refused = scene.refused();
            let first = &refused[0];
            assert_eq!((first.rule, first.code.definition().code), (number, code), "{turn:?}");
            mend(&mut scene);
        }
        assert_eq!(scene.codes(), Vec::<&str>::new());
    }
}

/// Every rule has its turn, in the order of the table.
#[test]
fn no_rule_is_left_out() {
    let mut mended: Vec<_> = MENDS.iter().map(|(number, ..)| *number).collect();
    mended.dedup();
    assert!(mended.iter().filter(|number| **number != "11a").is_sorted_by_key(|it| place(it)));
    mended.sort_by_key(|number| place(number));
    assert_eq!(mended, create_hold::order().collect::<Vec<_>>());
}

/// All violations of one command are told, in the order of the table, whatever was mended.
#[test]
fn all_violations_come_in_the_order_of_the_table() {
    for scene in TURNS.into_iter().flat_map(every_stage) {
        let rules = scene.refused();
        assert!(rules.is_sorted_by_key(|no| place(no.rule)), "{:?}", scene.codes());
    }
}

/// The code's turn is the last: who cannot dispense anyway learns nothing about it.
#[test]
fn a_code_whose_turn_is_last_is_judged_alone() {
    let stages = every_stage(CodeTurn::Last);
    let about_code =
        |scene: &Scene| scene.refused().iter().filter(|no| is_about_the_code(no)).count();
    let judged = stages.iter().map(about_code);
    let wanted = (1..=MENDS.len()).map(|stage| usize::from(stage > MENDS.len() - 2));
    assert!(judged.eq(wanted), "at the last two stages, and before them never");
    assert!(stages[MENDS.len() - 2..].iter().all(|scene| scene.refused().len() == 1));
}

/// In its place it is judged if all before it is kept, whatever comes after it.
#[test]
fn a_code_in_its_place_is_judged_if_all_rules_before_it_are_kept() {
    let mut beside_others = 0;
    for scene in every_stage(CodeTurn::InPlace) {
        let refused = scene.refused();
        let kept_before = refused.iter().all(|no| place(no.rule) >= place("16a"));
        let code_is_right = scene.hold.verification_code == Some(text("4711"));
        let judged = refused.iter().any(is_about_the_code);
        assert_eq!(judged, kept_before && !code_is_right, "{refused:?}");
        beside_others += usize::from(judged && refused.len() > 1);
    }
    assert_eq!(beside_others, 2);
}

/// Once everything can be seen, everything that is still wrong is told at once; of an outlet of
/// another company, nothing about its licences and provisions.
#[test]
fn everything_that_can_be_seen_is_told_at_once() {
    let told = all_in_sight_and_all_wrong().codes();
    let wanted = "schema legal-entity-not-active legal-entity-not-verified legal-entity-type \
                  medication-request-not-active outside-dispense-period medication-request-invalid \
                  medication-request-blocked medication-request-is-plan employee-not-authorised \
                  division-not-active division-foreign division-not-dls-verified \
                  program-not-active program-mismatch no-contract schema medication-not-active \
                  medication-mismatch program-medication-expired medicine-expired medicine-expired care-plan-status \
                  care-plan-expired activity-status not-qualified already-held nothing-left \
                  quantity-not-equal quantity-not-divisible payment-not-allowed \
                  payment-not-allowed too-many-dispenses";
    assert_eq!(told, wanted.split_whitespace().collect::<Vec<_>>());
}

fn all_in_sight_and_all_wrong() -> Scene {
    let mut scene = all_wrong(CodeTurn::InPlace);
    let found = all_in_order().sight.evidence;
    scene.hold.medical_program_id = Some(id(PROGRAM));
    scene.hold.items[0].program_medication_id = None;
    scene.terms().program_provision_verify = Switch::On;
    let evidence = &mut scene.sight.evidence;
    evidence.legal_entity = found.legal_entity;
    evidence.party = found.party;
    evidence.employees = found.employees;
    evidence.request = found.request;
    evidence.division = found.division;
    evidence.program = found.program;
    evidence.medications[0] = Some(brand());
    evidence.participants = vec![evidence.participants[1].clone(); 2];
    scene.participant().end_date = Some(day("2026-03-09"));
    scene.job().is_active = false;
    break_company(&mut scene);
    break_request(&mut scene);
    break_outlet(&mut scene);
    break_program(&mut scene);
    break_brand(&mut scene);
    scene
}
