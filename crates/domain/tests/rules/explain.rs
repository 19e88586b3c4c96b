//! What every rule says of a hold that somebody would like to place, and the facts behind it.

use std::sync::Arc;

use dispense_domain::decide::create_hold::{Explained, Verdict, explain, order};
use dispense_domain::registry::{LegalEntity, Party, Person};
use dispense_domain::{CodeTurn, Evidence, Refusal, Stated, Switch};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::care::{activity, followed};
use crate::qualified::other_request;
use crate::sample::{
    OTHER_PHARMACY, PHARMACY, Scene, all_in_order, hryvnias, id, in_parts, noon_and, record, text,
    uuid, without_signature,
};

fn explained(scene: &Scene) -> Vec<Explained> {
    explain(&scene.dispensing(), &scene.hold, &scene.sight)
}

/// The numbers of the rules that say that.
fn rules(scene: &Scene, says: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
    explained(scene).iter().filter(|it| says(&it.verdict)).map(|it| it.rule).collect()
}

fn failed(scene: &Scene) -> Vec<&'static str> {
    rules(scene, |it| matches!(it, Verdict::Failed(_)))
}

fn not_evaluated(scene: &Scene) -> Vec<&'static str> {
    rules(scene, |it| *it == Verdict::NotEvaluated)
}

/// Every refusal that is explained, in order.
fn explained_refusals(scene: &Scene) -> Vec<Refusal> {
    let failed = explained(scene).into_iter().filter_map(|it| match it.verdict {
        Verdict::Failed(refusals) => Some(refusals),
        Verdict::Passed | Verdict::NotEvaluated => None,
    });
    failed.flatten().collect()
}

/// The facts behind a rule.
fn facts(scene: &Scene, rule: &str) -> Value {
    let found = explained(scene).into_iter().find(|it| it.rule == rule);
    Value::Object(found.unwrap().facts.as_ref().clone())
}

#[test]
fn every_rule_is_explained_once_and_in_order() {
    let table: Vec<_> = order().collect();
    let nothing = all_in_order().but(|it| {
        it.sight.evidence = Evidence::none(it.sight.evidence.terms.clone());
    });
    for scene in [all_in_order(), nothing, broken_everywhere()] {
        let told: Vec<_> = explained(&scene).iter().map(|it| it.rule).collect();
        assert_eq!(told, table);
    }
    assert_eq!(table.len(), 45);
    assert_eq!((table[0], table[36], table[44]), ("2", "16a", "limit"));
}

/// The rules that nobody asks for here, or that have nothing to look at.
#[test]
fn a_hold_that_is_granted_breaks_no_rule() {
    let scene = all_in_order();
    assert!(failed(&scene).is_empty());
    assert_eq!(not_evaluated(&scene), ["4b", "10d", "11a", "11b", "14", "5.3", "16b"]);
    scene.granted();

    let strict = all_in_order().but(|it| {
        it.terms().legal_entity_nhs_verify = Switch::On;
        it.terms().division_dls_verify = Switch::On;
        it.terms().program_provision_verify = Switch::On;
        it.settings().license_types_allowed = Some(vec![text("PHARMACY")]);
        it.points_at().care = Some(followed());
    });
    assert!(failed(&strict).is_empty());
    let skipped = not_evaluated(&strict);
    assert_eq!(skipped, ["11b", "13c", "5.3"], "no dosage, provisions instead, no door asks");
    strict.granted();

    let outside = all_in_order().but(Scene::without_program);
    assert!(failed(&outside).is_empty());
    let about_programs = [
        "4b", "10d", "11a", "11b", "12c", "12d", "12e", "13a", "13b", "13c", "14", "5.3", "15d",
        "15e", "15f", "16b", "16c",
    ];
    assert_eq!(not_evaluated(&outside), about_programs);
    outside.granted();
}

#[test]
fn what_cannot_be_judged_is_not_evaluated() {
    let nobody = all_in_order().but(|it| {
        it.sight.evidence = Evidence::none(it.sight.evidence.terms.clone());
        it.sight.evidence.medications = vec![None];
        it.sight.evidence.participants = vec![Vec::new()];
    });
    assert_eq!(failed(&nobody), ["3a", "5", "6a", "10a", "12c", "15a"]);
    let passed = rules(&nobody, |it| *it == Verdict::Passed);
    assert_eq!(passed, ["2", "15b", "15e+", "17", "limit"]);

    let no_program = all_in_order().but(|it| it.sight.evidence.program = None);
    assert_eq!(failed(&no_program), ["12c"]);
    for rule in ["12d", "12e", "13a", "14", "15d", "15e", "15f", "16a", "19", "20", "21"] {
        assert!(not_evaluated(&no_program).contains(&rule), "{rule}");
    }
    assert!(!not_evaluated(&no_program).contains(&"16c"), "the program of the request is there");
}

#[test]
fn a_rule_that_comes_later_is_judged_all_the_same() {
    let scene = all_in_order().but(|it| {
        it.request().is_blocked = true;
        it.wants(&["50"]);
        it.hold.items[0].discount_amount = None;
    });
    assert_eq!(failed(&scene), ["7", "15f", "19"]);
    assert!(not_evaluated(&scene).contains(&"16a"), "who cannot dispense learns nothing of a code");
}

fn broken_everywhere() -> Scene {
    let mut scene = all_in_order().but(Scene::without_program);
    scene.request().status = dispense_domain::registry::RequestStatus::Rejected;
    scene.request().verification_code = Some(text("8156"));
    scene.hold.verification_code = Some(text("7364"));
    scene.outlet().legal_entity_id = id(OTHER_PHARMACY);
    scene.wants(&["50", "5"]);
    scene.hold.payment_amount = Stated::Null;
    scene
}

#[test]
fn the_facts_of_quantities_are_the_numbers_that_were_compared() {
    let mut scene = all_in_order().but(|it| {
        it.under(without_signature());
        it.settings().multi_medication_dispense_allowed = Some(true);
        it.hold.payment_amount = Stated::Value(hryvnias("0"));
        it.wants(&["30"]);
    });
    scene.happens();
    scene.under(in_parts());
    scene.hold.payment_amount = Stated::Absent;
    scene.asks(PHARMACY, "second");
    scene.wants(&["10", "10.0"]);
    scene.happens();
    scene.asks(PHARMACY, "third");
    let expected = json!({
        "prescribed": "60", "requested": "20", "dispensed": "30", "held": "20", "available": "30",
        "partsAllowed": true, "dispenses": 2, "limit": 500,
    });
    for rule in ["17", "18", "19", "limit"] {
        assert_eq!(facts(&scene, rule), expected, "{rule}");
    }
    let outside = all_in_order().but(Scene::without_program);
    assert_eq!(facts(&outside, "19")["partsAllowed"], false);
    let outside = outside.but(|it| it.terms().multi_dispense_without_program = true);
    assert_eq!(facts(&outside, "19")["partsAllowed"], true);
}

#[test]
fn the_facts_of_a_code_count_the_tries_that_count() {
    let scene = all_in_order().but(|it| {
        it.request().verification_code = Some(text("8156"));
        it.sight.evidence.wrong_codes = vec![noon_and(-16), noon_and(-15), noon_and(-14)];
    });
    let expected = json!({"hasCode": true, "codeGiven": false, "wrongCodesLately": 1, "limit": 5});
    assert_eq!(facts(&scene, "16a"), expected);
}

#[test]
fn the_facts_of_a_care_plan_are_what_it_was_judged_by() {
    let scene = all_in_order().but(|it| {
        let mut care = crate::care::until(Some("2026-04-01"));
        care.processed = Decimal::new(4050, 2);
        activity(&mut care).quantity = Some(crate::sample::quantity("100"));
        it.points_at().care = Some(care);
        let based_on = json!([
            {"type": "care_plan", "id": uuid(0xA_0001)}, {"type": "activity", "id": uuid(0xA_0002)}
        ]);
        it.request().based_on = serde_json::from_str(&based_on.to_string()).unwrap();
        it.points_at().others = vec![other_request()];
    });
    let expected = json!({
        "carePlanId": uuid(0xA_0001), "carePlanStatus": "active", "carePlanEnd": "2026-04-01",
        "activityId": uuid(0xA_0002), "activityStatus": "scheduled", "today": "2026-03-10",
    });
    assert_eq!(facts(&scene, "16b"), expected);
    let expected = json!({
        "medicalProgramId": uuid(crate::sample::PROGRAM), "isActive": true,
        "skipsTreatmentPeriod": false, "prescribed": "60", "participants": 1,
        "otherRequestsOfSubstance": 1, "activityQuantity": "100", "activityDispensed": "40.5",
    });
    assert_eq!(facts(&scene, "16c"), expected);
    let alone = scene.but(|it| it.points_at().others[0].innm_id = None);
    assert_eq!(facts(&alone, "16c")["otherRequestsOfSubstance"], 0);
}

#[test]
fn the_facts_of_an_item_are_what_its_discount_and_its_step_were_judged_by() {
    let scene = all_in_order().but(|it| {
        it.hold.items[0].total_price = Some(hryvnias("416.33"));
        it.hold.items[0].expiry_date = Some("2026-04-01".parse().unwrap());
    });
    let expected = json!({
        "prescribedMedicationId": uuid(crate::sample::DOSAGE), "dispensedOn": "2026-03-10",
        "today": "2026-03-10", "isFundedElsewhere": false, "deviation": "0.1", "tolerance": "0.01",
        "items": [{
            "medicationId": uuid(crate::sample::BRAND), "found": true, "type": "BRAND",
            "isActive": true, "dosageId": uuid(crate::sample::DOSAGE), "packageQty": "30",
            "step": "10", "programMedicationId": uuid(crate::sample::PARTICIPANT),
            "reimbursementType": "FIXED", "reimbursementAmount": "150", "quantity": "60",
            "totalPrice": "416.33", "discountAmount": "300", "expiryDate": "2026-04-01",
        }],
    });
    for rule in ["5.3", "15a", "15b", "15c", "15d", "15e", "15e+", "15f", "20"] {
        assert_eq!(facts(&scene, rule), expected, "{rule}");
    }
}

#[test]
fn the_facts_of_a_contract_are_what_it_was_judged_by() {
    let scene = all_in_order().but(|it| {
        let mut other = crate::records::contract();
        Arc::make_mut(&mut other).medical_program_id = Some(id(0x4_0009));
        it.sight.evidence.contracts = [crate::records::contract(), other].into();
    });
    let contract = json!({
        "contractNumber": crate::records::CONTRACT_NUMBER, "type": "REIMBURSEMENT",
        "status": "VERIFIED", "isActive": true, "isSuspended": false, "startDate": "2026-01-01",
        "endDate": "2026-12-31",
    });
    let mut of_program = contract.clone();
    of_program["divisionTakesPart"] = true.into();
    let expected = json!({"isSkipped": false, "contracts": [of_program], "today": "2026-03-10"});
    for rule in ["13a", "13b", "13c"] {
        assert_eq!(facts(&scene, rule), expected, "{rule}");
    }
    let told = facts(&scene, "14");
    assert_eq!(told["provisions"][0]["contracts"], json!([contract]));
    assert_eq!((&told["provisionIsAskedFor"], &told["isSkipped"]), (&json!(false), &json!(false)));
}

/// Something that may be wrong with a hold, or unusual.
type Change = fn(&mut Scene);

/// In an order in which none looks for what an earlier one has taken away.
const CHANGES: [Change; 31] = [
    |it| it.hold.dispensed_on = "2026-03-11".parse().unwrap(),
    |it| it.company().is_active = false,
    |it| it.request().is_blocked = true,
    |it| it.request().dispense_valid_to = Some("2026-03-09".parse().unwrap()),
    |it| it.points_at().person = None,
    |it| it.job().is_active = false,
    |it| it.outlet().dls_verified = None,
    |it| it.terms().division_dls_verify = Switch::On,
    |it| it.terms().program_provision_verify = Switch::On,
    |it| it.terms().legal_entity_nhs_verify = Switch::On,
    |it| it.sight.evidence.contracts = Arc::default(),
    |it| it.sight.evidence.provisions = Arc::default(),
    |it| it.wants(&["20", "40"]),
    |it| it.wants(&["5"]),
    |it| it.hold.items[0].discount_amount = Some(hryvnias("9000")),
    |it| it.hold.items[0].expiry_date = Some("2026-03-09".parse().unwrap()),
    |it| it.hold.verification_code = None,
    |it| it.hold.verification_code = Some(text("7364")),
    |it| it.hold.code_turn = CodeTurn::InPlace,
    |it| it.sight.evidence.wrong_codes = vec![noon_and(-1); 5],
    |it| it.points_at().others = vec![other_request()],
    |it| {
        let mut care = followed();
        activity(&mut care).status = text("completed");
        it.points_at().care = Some(care);
    },
    |it| it.hold.payment_amount = Stated::Value(hryvnias("1")),
    |it| it.hold.payment_id = Stated::Null,
    |it| it.sight.evidence.party = None,
    |it| it.sight.evidence.medications[0] = None,
    |it| it.sight.evidence.participants[0].clear(),
    |it| it.sight.evidence.request = None,
    |it| it.sight.evidence.division = None,
    |it| it.sight.evidence.program = None,
    |it| it.hold.medical_program_id = None,
];

/// Everybody and everything that is nobody's business has a mark that is found nowhere else.
fn marked() -> Scene {
    let person = |number: u128, mark: &str| {
        json!({
            "id": uuid(number), "first_name": format!("{mark}-first"),
            "last_name": format!("{mark}-last"), "second_name": format!("{mark}-second"),
            "birth_date": "1971-07-17"
        })
    };
    let worker = |number, mark: &str| {
        let mut it = person(number, mark);
        it["tax_id"] = format!("{mark}-tax").into();
        it["phones"] = json!([{"number": format!("{mark}-phone")}]);
        it["documents"] = json!([{"number": format!("{mark}-passport")}]);
        it
    };
    let company = |number, mark: &str| -> Arc<LegalEntity> {
        record(&json!({
            "id": uuid(number), "name": format!("{mark}-name"), "type": "PHARMACY",
            "short_name": format!("{mark}-short"), "edrpou": format!("{mark}-edrpou"),
            "status": "ACTIVE", "nhs_verified": true,
            "licenses": [{"number": format!("{mark}-licence")}]
        }))
    };
    all_in_order().but(|it| {
        it.hold.dispensed_by = Some(text("mark-dispensed-by"));
        it.hold.note = Some(text("mark-note"));
        it.hold.verification_code = Some(text("8156"));
        it.request().verification_code = Some(text("8156"));
        it.request().block_reason = Some(text("mark-block-reason"));
        it.request().reject_reason = Some(text("mark-reject-reason"));
        it.request().note = Some(text("mark-doctors-note"));
        it.outlet().name = text("mark-outlet");
        it.outlet().email = Some(text("mark-outlet-email"));
        it.sight.evidence.legal_entity = Some(company(PHARMACY, "mark-pharmacy"));
        it.sight.evidence.party = Some(record::<Party>(&worker(0x6_0002, "mark-pharmacist")));
        let request = it.points_at();
        request.person = Some(record::<Person>(&person(0x7_0001, "mark-patient")));
        request.doctor = Some(record::<Party>(&worker(0x7_0005, "mark-doctor")));
        request.legal_entity = Some(company(0x7_0004, "mark-clinic"));
    })
}

/// What nobody may read out of an explanation.
const SECRETS: [&str; 4] = ["mark-", "8156", "7364", "1971"];

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever is wrong, an explanation and a decision say the same of it, and neither tells whose
    /// name, code or phone the registries have.
    #[test]
    fn an_explanation_is_what_a_decision_would_say_and_names_nobody(
        changes in prop::sample::subsequence(CHANGES.to_vec(), 0..6),
    ) {
        let scene = changes.into_iter().fold(marked(), Scene::but);
        let told = explained_refusals(&scene);
        if told.is_empty() {
            prop_assert_eq!(scene.codes(), Vec::<&str>::new());
        } else {
            prop_assert_eq!(&told, &scene.refused());
        }
        for it in explained(&scene) {
            let facts = Value::Object(it.facts.as_ref().clone()).to_string();
            let told = format!("{facts} {:?}", it.verdict);
            prop_assert!(SECRETS.iter().all(|secret| !told.contains(secret)), "{}: {}", it.rule, told);
        }
    }
}
