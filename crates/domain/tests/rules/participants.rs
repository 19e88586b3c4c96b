//! Rules 15d, 15e and 6.1: the terms on which a program pays for a brand.

use std::sync::Arc;

use dispense_domain::registry::ProgramMedication;
use dispense_domain::{Code, DispenseEvent, Item, Member, Place};
use serde_json::json;

use crate::sample::{
    BRAND, PARTICIPANT, PROGRAM, Scene, all_in_order, hryvnias, id, params, participant, quantity,
    record, uuid,
};

/// A participant that pays so much from that day to that one; its packages are not divided.
fn terms(number: u128, pays: u32, from: Option<&str>, to: Option<&str>) -> Arc<ProgramMedication> {
    record(&json!({
        "id": uuid(number), "medication_id": uuid(BRAND), "medical_program_id": uuid(PROGRAM),
        "reimbursement": {"type": "FIXED", "reimbursement_amount": pays},
        "start_date": from, "end_date": to, "package_qty_divisible": false
    }))
}

/// The registry knows those participants of the brand in the program, and all of them pay enough.
fn among(known: &[Arc<ProgramMedication>]) -> Scene {
    let one = hryvnias("1").decimal().try_into().unwrap();
    let mut scene = all_in_order().but(|it| it.terms().deviation = one);
    scene.sight.evidence.participants[0] = known.to_vec();
    scene.hold.items[0].discount_amount = Some(hryvnias("0"));
    scene
}

fn naming(scene: Scene, number: u128) -> Scene {
    scene.but(|it| it.hold.items[0].program_medication_id = Some(id(number)))
}

#[track_caller]
fn the_item(scene: &Scene) -> Item {
    let events = scene.granted();
    let Some(DispenseEvent::HoldCreated(hold)) = events.last() else { panic!("{events:?}") };
    hold.items[0].clone()
}

/// 15d: one row that counts is enough, whatever day it is for.
#[test]
fn a_brand_takes_part_in_the_program() {
    let mut inactive = participant();
    Arc::make_mut(&mut inactive).is_active = false;
    for known in [&[][..], &[inactive.clone()]] {
        let no = among(known).the_refusal();
        assert_eq!(no.code, Code::MedicationNotInProgram);
        assert_eq!(no.message, "medication is not a participant of program");
        assert_eq!(no.place, Some(Place::Item(0, Member::Medication)));
        assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM)}));
    }
    assert_eq!(among(&[inactive, terms(PARTICIPANT + 1, 150, None, None)]).codes(), [""; 0]);
}

/// 15d, 15e: outside any program there is nothing to take part in, and a name means nothing.
#[test]
fn outside_any_program_no_participant_is_asked_for() {
    let scene = naming(all_in_order().but(Scene::without_program), PARTICIPANT);
    assert_eq!(the_item(&scene).program_medication_id, None);
    assert_eq!(the_item(&scene).step, Some(quantity("10")));
}

/// 15e: of another brand or another program is all the same: it is not among those known here.
#[test]
fn a_participant_that_is_named_is_one_of_this_brand_and_program() {
    let no = naming(among(&[participant()]), 0xBAD).the_refusal();
    assert_eq!(no.code, Code::ProgramMedicationInvalid);
    assert_eq!(no.message, "Invalid program medication id");
    assert_eq!(no.place, Some(Place::Item(0, Member::ProgramMedication)));
    assert_eq!(params(&no), json!({"programMedicationId": uuid(0xBAD)}));
    assert_eq!(naming(among(&[participant()]), PARTICIPANT).codes(), [""; 0]);
    let nobody = naming(among(&[]), PARTICIPANT);
    assert_eq!(nobody.codes(), ["medication-not-in-program", "program-medication-invalid"]);
}

/// 15e: both the first and the last day belong to a participant; an open end is open.
#[test]
fn a_participant_counts_from_its_first_to_its_last_day() {
    let (yesterday, today, tomorrow) = ("2026-03-09", "2026-03-10", "2026-03-11");
    for (from, to, counts) in [
        (None, None, true),
        (Some(today), Some(today), true),
        (Some(today), None, true),
        (None, Some(today), true),
        (Some(yesterday), Some(tomorrow), true),
        (Some(tomorrow), None, false),
        (None, Some(yesterday), false),
        (Some(tomorrow), Some(yesterday), false),
    ] {
        let scene = among(&[terms(PARTICIPANT, 150, from, to)]);
        for scene in [scene.clone(), naming(scene, PARTICIPANT)] {
            if counts {
                assert_eq!(the_item(&scene).program_medication_id, Some(id(PARTICIPANT)));
                continue;
            }
            let no = scene.the_refusal();
            assert_eq!(no.code, Code::ProgramMedicationExpired, "{from:?} {to:?}");
            let text = "There are no active program medications for this program and medication";
            assert_eq!(no.message, text);
            assert_eq!(no.place, Some(Place::Item(0, Member::ProgramMedication)));
            assert_eq!(params(&no), json!({"today": today}));
        }
    }
}

/// 15e: what is named is meant; that another row would do does not help.
#[test]
fn a_named_participant_that_does_not_count_is_not_replaced() {
    let good = terms(PARTICIPANT, 150, None, None);
    let over = terms(PARTICIPANT + 1, 150, None, Some("2026-03-09"));
    let mut inactive = terms(PARTICIPANT + 2, 150, None, None);
    Arc::make_mut(&mut inactive).is_active = false;
    let scene = among(&[good, over, inactive]);
    assert_eq!(naming(scene.clone(), PARTICIPANT).codes(), [""; 0]);
    for other in [PARTICIPANT + 1, PARTICIPANT + 2] {
        assert_eq!(naming(scene.clone(), other).codes(), ["program-medication-expired"]);
    }
}

/// 6.1: the newest of those that count today, unless the pharmacy names another; its terms are
/// judged and recorded.
#[test]
fn the_newest_participant_counts_unless_one_is_named() {
    let open = terms(PARTICIPANT + 9, 200, None, None);
    let older = terms(PARTICIPANT + 8, 300, Some("2026-01-01"), None);
    let mut newer = terms(PARTICIPANT, 400, Some("2026-02-01"), None);
    Arc::make_mut(&mut newer).package_qty_divisible = None;
    let tomorrow = terms(PARTICIPANT + 7, 500, Some("2026-03-11"), None);
    let mut known = vec![open, older, newer, tomorrow];
    for _ in 0..known.len() {
        known.rotate_left(1);
        let item = the_item(&among(&known));
        assert_eq!(item.program_medication_id, Some(id(PARTICIPANT)), "whatever their order");
        assert_eq!(item.reimbursement_amount, hryvnias("400"));
        assert_eq!((item.package_qty, item.step), (Some(quantity("30")), Some(quantity("10"))));
        for (named, pays) in [(PARTICIPANT + 9, "200"), (PARTICIPANT + 8, "300")] {
            let item = the_item(&naming(among(&known), named));
            assert_eq!(item.program_medication_id, Some(id(named)));
            assert_eq!(item.reimbursement_amount, hryvnias(pays));
            assert_eq!(item.step, Some(quantity("30")), "its packages are not divided");
        }
    }
    // Of two that began on one day it is always the same.
    known.push(terms(PARTICIPANT + 5, 600, Some("2026-02-01"), None));
    for _ in 0..2 {
        assert_eq!(the_item(&among(&known)).program_medication_id, Some(id(PARTICIPANT + 5)));
        known.reverse();
    }
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
        assert_eq!(the_item(&among(&[participant])).reimbursement_amount, hryvnias("0"));
    }
}
