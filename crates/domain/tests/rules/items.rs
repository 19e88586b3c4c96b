//! Rules 5.3, 12c, 15a and 15e+: the program, and each item.

use std::sync::Arc;

use dispense_domain::registry::MedicationType;
use dispense_domain::{Code, DispenseDay, DispenseEvent, Member, Place, Prices, Stated};
use serde_json::json;

use crate::sample::{
    BRAND, PARTICIPANT, PROGRAM, Scene, all_in_order, brand, day, hryvnias, id, moment, params,
    quantity, record, text, uuid,
};

/// 12c, and rules that need the settings of the program are silent: 18 in part, 19 and 21.
#[test]
fn an_unknown_program_is_refused_and_nothing_is_said_that_depends_on_it() {
    let no = all_in_order()
        .but(|it| it.sight.evidence.program = None)
        .but(|it| it.wants(&["1000"]))
        .but(|it| it.hold.payment_amount = Stated::Value(hryvnias("1")))
        .the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::ProgramNotFound, Some(Place::Program)));
    assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM)}));
}

/// 12c.
#[test]
fn a_dispense_outside_any_program_misses_none() {
    assert!(all_in_order().but(Scene::without_program).codes().is_empty());
}

/// 15a: every unknown line is named, and only those.
#[test]
fn unknown_medications_are_refused_line_by_line() {
    let refused = all_in_order()
        .but(|it| it.wants(&["20", "20", "20"]))
        .but(|it| it.sight.evidence.medications = vec![None, Some(brand()), None])
        .refused();
    let places: Vec<_> = refused.iter().map(|no| (no.code, no.place.clone().unwrap())).collect();
    assert_eq!(
        places,
        [0, 2].map(|line| (Code::MedicationNotFound, Place::Item(line, Member::Medication)))
    );
    assert_eq!(params(&refused[0]), json!({"medicationId": uuid(BRAND)}));
}

/// 15a: evidence that is too short is evidence of nothing.
#[test]
fn a_line_without_evidence_is_an_unknown_medication() {
    let scene = all_in_order().but(|it| it.sight.evidence.medications.clear());
    assert_eq!(scene.codes(), ["medication-not-found"]);
}

/// 15a: a brand or what the pharmacy makes itself, never a bare substance.
#[test]
fn a_substance_cannot_be_dispensed_but_a_dosage_and_a_brand_can() {
    let kind = |kind| {
        let mut medication = brand();
        Arc::make_mut(&mut medication).kind = kind;
        all_in_order().but(|it| it.sight.evidence.medications = vec![Some(medication)]).codes()
    };
    assert_eq!(kind(MedicationType::Innm), ["medication-not-found"]);
    assert!(kind(MedicationType::InnmDosage).is_empty());
    assert!(kind(MedicationType::Brand).is_empty());
}

fn good_until(expiry: &str) -> Scene {
    all_in_order().but(|it| it.hold.items[0].expiry_date = Some(day(expiry)))
}

/// 15e+.
#[test]
fn a_medicine_is_good_on_its_expiry_date_and_not_a_day_longer() {
    assert!(good_until("2026-03-10").codes().is_empty());
    let no = good_until("2026-03-09").the_refusal();
    assert_eq!(no.code, Code::MedicineExpired);
    assert_eq!(no.place, Some(Place::Item(0, Member::ExpiryDate)));
    assert_eq!(params(&no), json!({"expiryDate": "2026-03-09", "earliest": "2026-03-10"}));
}

/// 15e+: the later of the stated day and today counts, and today is Kyiv's.
#[test]
fn a_medicine_must_outlast_both_the_stated_day_and_today() {
    let stated_late = good_until("2026-03-14")
        .but(|it| it.hold.dispense_day = DispenseDay::AsStated)
        .but(|it| it.hold.dispensed_on = day("2026-03-15"));
    assert_eq!(stated_late.codes(), ["medicine-expired"]);
    let stated_early = good_until("2026-03-09").but(|it| it.hold.dispensed_on = day("2026-03-05"));
    assert_eq!(stated_early.codes(), ["medicine-expired"]);
    let after_midnight =
        |instant: &str| good_until("2026-03-10").but(|it| it.sight.at = moment(instant)).codes();
    assert!(after_midnight("2026-03-10T21:59:59.999999Z").is_empty());
    assert_eq!(after_midnight("2026-03-10T22:00:00Z"), ["medicine-expired"]);
}

/// 15e+: every expired line is named.
#[test]
fn expired_medicines_are_refused_line_by_line() {
    let refused = all_in_order()
        .but(|it| it.wants(&["20", "20", "20"]))
        .but(|it| it.hold.items[1].expiry_date = Some(day("2026-01-01")))
        .but(|it| it.hold.items[2].expiry_date = Some(day("2026-01-02")))
        .refused();
    let lines: Vec<_> = refused.iter().map(|no| no.place.clone().unwrap()).collect();
    assert_eq!(lines, [1, 2].map(|line| Place::Item(line, Member::ExpiryDate)));
}

fn participant(number: u128, from: Option<&str>, to: Option<&str>) -> Scene {
    let participant = record(&json!({
        "id": uuid(number), "medication_id": uuid(BRAND), "medical_program_id": uuid(PROGRAM),
        "reimbursement": {"type": "FIXED", "reimbursement_amount": number % 0x100},
        "start_date": from, "end_date": to, "package_qty_divisible": false
    }));
    all_in_order().but(|it| it.sight.evidence.participants[0].push(participant))
}

#[track_caller]
fn the_item(scene: &Scene) -> dispense_domain::Item {
    let events = scene.granted();
    let Some(DispenseEvent::HoldCreated(hold)) = events.last() else { panic!("{events:?}") };
    hold.items[0].clone()
}

/// 6.1: what is recorded of a line comes from the participant that counts today.
#[test]
fn the_participant_whose_days_cover_today_is_recorded() {
    let covering = participant(PARTICIPANT, Some("2026-03-10"), Some("2026-03-10"));
    let item = the_item(&covering);
    assert_eq!(item.program_medication_id, Some(id(PARTICIPANT)));
    assert_eq!(item.reimbursement_amount, hryvnias("1"));
    assert_eq!(item.package_qty, Some(quantity("30")));
    assert_eq!(item.step, Some(quantity("30")), "this participant cannot be divided");

    for (from, to) in [(Some("2026-03-11"), None), (None, Some("2026-03-09"))] {
        let item = the_item(&participant(PARTICIPANT, from, to));
        assert_eq!(item.program_medication_id, None, "{from:?} {to:?}");
        assert_eq!(item.reimbursement_amount, hryvnias("0"));
        assert_eq!(item.step, Some(quantity("10")), "nothing forbids to divide");
    }
}

/// 6.1: the newest wins, unless the pharmacy names another.
#[test]
fn the_newest_participant_counts_unless_one_is_named() {
    let mut scene = participant(PARTICIPANT, Some("2026-01-01"), None);
    let newer = participant(PARTICIPANT + 1, Some("2026-02-01"), None);
    scene.sight.evidence.participants[0].extend(newer.sight.evidence.participants[0].clone());
    assert_eq!(the_item(&scene).program_medication_id, Some(id(PARTICIPANT + 1)));

    scene.hold.items[0].program_medication_id = Some(id(PARTICIPANT));
    assert_eq!(the_item(&scene).program_medication_id, Some(id(PARTICIPANT)));
}

/// 6.4: where the payer sets the amount elsewhere, the registry need not know it.
#[test]
fn a_participant_without_an_amount_is_reimbursed_nothing_here() {
    for reimbursement in
        [json!({"type": "EXTERNAL"}), json!({"type": "EXTERNAL", "reimbursement_amount": null})]
    {
        let participant = record(&json!({
            "id": uuid(PARTICIPANT), "medication_id": uuid(BRAND),
            "medical_program_id": uuid(PROGRAM), "reimbursement": reimbursement
        }));
        let scene = all_in_order().but(|it| it.sight.evidence.participants[0].push(participant));
        assert_eq!(the_item(&scene).reimbursement_amount, hryvnias("0"));
    }
}

/// Rule 5.3, which the register's API alone asks for.
#[test]
fn prices_are_stated_unless_somebody_else_than_the_payer_funds_the_program() {
    let priced = |change: fn(&mut Scene)| {
        all_in_order().but(|it| it.hold.prices = Prices::UnlessFundedElsewhere).but(change)
    };
    let nothing = priced(|_| {}).refused();
    let told: Vec<_> = nothing.iter().map(|no| (no.message.as_str(), no.schema_rule)).collect();
    let wanted = [
        "required property sell_price was not present",
        "required property sell_amount was not present",
        "required property discount_amount was not present",
    ];
    assert_eq!(told, wanted.map(|text| (text, Some("required"))));
    assert_eq!(nothing[1].place, Some(Place::Item(0, Member::TotalPrice)));
    let funded = |source: Option<&str>| {
        let mut scene = priced(|_| {});
        let program = Arc::make_mut(scene.sight.evidence.program.as_mut().unwrap());
        program.funding_source = source.map(text);
        scene.codes()
    };
    assert_eq!(funded(None).len(), 3);
    assert_eq!(funded(Some("NHS")).len(), 3);
    assert!(funded(Some("LOCAL")).is_empty());
    assert_eq!(priced(Scene::without_program).codes().len(), 3);
    let unknown = priced(|it| it.sight.evidence.program = None);
    assert_eq!(unknown.codes(), ["program-not-found"]);
    assert!(all_in_order().codes().is_empty(), "the platform's API asks for prices itself");
}
