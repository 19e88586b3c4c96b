//! Rule 20: each item is a multiple of what cannot be divided (7.3).

use std::sync::Arc;

use dispense_domain::registry::MedicationType;
use dispense_domain::{Code, DispenseEvent, Member, Place};
use rust_decimal::Decimal;
use serde_json::json;

use crate::sample::{
    PARTICIPANT, Scene, all_in_order, day, id, in_parts, params, participant, quantity,
};

const PARTS: &str =
    "Requested medication brand quantity must be a multiplier of package minimal quantity";
const WHOLE_PACKAGES: &str = "Requested medication brand quantity must be a multiplier of \
     package_min_qty (or package_qty if program_medication.package_quantity_divisible = false)";

/// Packages of so many units, of which so many cannot be divided; as much as anybody may want, in
/// parts.
fn packed(package: &str, least: &str) -> Scene {
    let mut scene = all_in_order().but(|it| it.under(in_parts()));
    scene.request().medication_qty = quantity("9999");
    scene.brand().package_qty = package.parse().ok();
    scene.brand().package_min_qty = least.parse().ok();
    scene
}

/// What the participant says about dividing a package.
fn divisible(scene: Scene, says: Option<bool>) -> Scene {
    scene.but(|it| it.participant().package_qty_divisible = says)
}

/// The brand has another price than the fixture's items state: it is not what matters here.
fn whatever_it_costs(scene: Scene) -> Scene {
    scene.but(|it| it.participant().reimbursement.kind = "EXTERNAL".try_into().unwrap())
}

#[track_caller]
fn accepts(scene: &Scene, quantities: &[&str]) {
    for wanted in quantities {
        let scene = whatever_it_costs(scene.clone()).but(|it| it.wants(&[wanted]));
        assert_eq!(scene.codes(), [""; 0], "{wanted}");
    }
}

#[track_caller]
fn refuses(scene: &Scene, quantities: &[&str], step: &str, text: &str) {
    for wanted in quantities {
        let scene = whatever_it_costs(scene.clone()).but(|it| it.wants(&[wanted]));
        let no = scene.the_refusal();
        assert_eq!((no.code, no.rule), (Code::QuantityNotDivisible, "20"), "{wanted}");
        assert_eq!(no.message, text);
        assert_eq!(no.place, Some(Place::Item(0, Member::Quantity)));
        assert_eq!(params(&no), json!({"actual": wanted, "step": step}));
    }
}

/// 7.3, the examples: a package of 30 in blisters of 10.
#[test]
fn a_package_is_divided_down_to_its_smallest_part() {
    for says in [None, Some(true)] {
        let scene = divisible(packed("30", "10"), says);
        accepts(&scene, &["10", "20", "30", "40", "9990"]);
        refuses(&scene, &["15", "9", "11", "0.0001", "9.9999", "10.0001"], "10", PARTS);
    }
}

/// 7.3: a participant may forbid to divide a package, and then the text is another one.
#[test]
fn a_participant_may_forbid_to_divide_a_package() {
    let whole = divisible(packed("30", "10"), Some(false));
    accepts(&whole, &["30", "60"]);
    refuses(&whole, &["20", "10", "40", "29.9999"], "30", WHOLE_PACKAGES);

    let (may, may_not) = (Some(true), Some(false));
    accepts(&divisible(packed("28", "14"), may), &["42", "14", "28"]);
    refuses(&divisible(packed("28", "14"), may_not), &["42", "14"], "28", WHOLE_PACKAGES);
    accepts(&divisible(packed("28", "14"), may_not), &["28", "56"]);
}

/// 7.3: outside any program nobody forbids it.
#[test]
fn outside_any_program_a_package_may_be_divided() {
    let scene = packed("30", "10").but(Scene::without_program);
    let scene = scene.but(|it| it.terms().multi_dispense_without_program = true);
    assert_eq!(scene.clone().but(|it| it.wants(&["20"])).codes(), [""; 0]);
    let no = scene.but(|it| it.wants(&["25"])).the_refusal();
    assert_eq!((no.code, no.message.as_str()), (Code::QuantityNotDivisible, PARTS));
}

/// 7.3: where the registry does not say what a part is, every quantity will do.
#[test]
fn without_a_usable_step_every_quantity_will_do() {
    for step in ["", "0", "-10", "0.00001", "10000000", "79228162514264337593543950335"] {
        for says in [None, Some(true)] {
            let scene = divisible(packed("30", step), says);
            accepts(&scene, &["0.0001", "7", "9998.9999"]);
        }
        // It is the size of the package that counts, and that is known.
        let whole = divisible(packed("30", step), Some(false));
        refuses(&whole, &["7"], "30", WHOLE_PACKAGES);
        // And the other way round.
        let unknown = divisible(packed(step, "10"), Some(false));
        accepts(&unknown, &["7", "10", "0.0001"]);
    }
}

/// 7.3: decimals are divided exactly, which floats would not.
#[test]
fn parts_that_are_no_whole_number_are_divided_exactly() {
    accepts(&packed("30", "2.5"), &["7.5", "2.5", "10", "5"]);
    refuses(&packed("30", "2"), &["7.5", "3", "1"], "2", PARTS);
    refuses(&packed("30", "2.5"), &["7", "7.4999", "7.5001"], "2.5", PARTS);
    accepts(&packed("30", "0.1"), &["0.3", "0.7", "1.1"]);
    refuses(&packed("30", "0.1"), &["0.35"], "0.1", PARTS);
    accepts(&packed("1", "0.0001"), &["0.0001", "9998.9999"]);
    refuses(&packed("1", "0.0003"), &["0.0001", "0.0004"], "0.0003", PARTS);
    accepts(&packed("1", "3.0000"), &["9.0"]);
}

/// 7.3: more than there is of it is no multiple of a huge step.
#[test]
fn a_step_may_be_larger_than_what_is_wanted() {
    refuses(&packed("30", "9999999.9999"), &["9999", "0.0001"], "9999999.9999", PARTS);
}

/// 20: every item that cannot be divided so is told, in order, with its own step.
#[test]
fn every_item_that_cannot_be_divided_so_is_told() {
    let mut scene =
        whatever_it_costs(packed("30", "10")).but(|it| it.wants(&["15", "20", "20", "7", "30"]));
    let evidence = &mut scene.sight.evidence;
    Arc::make_mut(&mut evidence.participants[2][0]).package_qty_divisible = Some(false);
    Arc::make_mut(evidence.medications[3].as_mut().unwrap()).package_min_qty =
        Some(Decimal::from(14));
    let told: Vec<_> = scene
        .refused()
        .into_iter()
        .map(|no| (no.place.clone().unwrap(), no.message.clone(), params(&no)["step"].clone()))
        .collect();
    let at = |index| Place::Item(index, Member::Quantity);
    assert_eq!(
        told,
        [
            (at(0), PARTS.to_owned(), json!("10")),
            (at(2), WHOLE_PACKAGES.to_owned(), json!("30")),
            (at(3), PARTS.to_owned(), json!("14")),
        ]
    );
}

/// 20: items are not pooled: two halves of a blister are not a blister.
#[test]
fn each_item_is_divided_by_itself() {
    let scene = whatever_it_costs(packed("30", "10")).but(|it| it.wants(&["5", "5"]));
    assert_eq!(scene.codes(), ["quantity-not-divisible"; 2]);
}

/// 7.3 with 6.1: the participant that is named says whether, or else the newest.
#[test]
fn the_participant_that_is_taken_says_whether_a_package_is_divided() {
    let mut older = participant();
    let mut newer = participant();
    for (row, number, start, says) in
        [(&mut older, 0, "2026-01-01", true), (&mut newer, 1, "2026-03-10", false)]
    {
        let row = Arc::make_mut(row);
        row.id = id(PARTICIPANT + number);
        row.start_date = Some(day(start));
        row.package_qty_divisible = Some(says);
    }
    let scene = |named: Option<u128>| {
        let mut scene = packed("30", "10").but(|it| it.wants(&["20"]));
        scene.sight.evidence.participants[0] = vec![newer.clone(), older.clone()];
        scene.hold.items[0].program_medication_id = named.map(id);
        scene
    };
    assert_eq!(scene(None).the_refusal().message, WHOLE_PACKAGES, "the newest");
    assert_eq!(scene(Some(PARTICIPANT + 1)).the_refusal().message, WHOLE_PACKAGES);
    assert_eq!(scene(Some(PARTICIPANT)).codes(), [""; 0]);
    let the_day_before = scene(None)
        .but(|it| it.sight.at -= chrono::TimeDelta::days(1))
        .but(|it| it.hold.dispensed_on = day("2026-03-09"));
    assert_eq!(the_day_before.codes(), [""; 0], "the newer one does not count yet");
}

/// 20: of what a pharmacy makes itself the registry knows no packages.
#[test]
fn what_a_pharmacy_makes_itself_has_no_step() {
    let mut scene = whatever_it_costs(packed("30", "10")).but(|it| it.wants(&["7.25"]));
    let medication = scene.points_at().medication.clone().unwrap();
    assert_eq!(medication.kind, MedicationType::InnmDosage);
    scene.hold.items[0].medication_id = medication.id;
    scene.sight.evidence.medications[0] = Some(medication);
    assert_eq!(scene.codes(), [""; 0]);
}

/// 20 with 12c: under an unknown program nobody knows whether a package may be divided.
#[test]
fn nothing_is_said_of_parts_under_an_unknown_program() {
    let scene = packed("30", "10").but(|it| it.wants(&["25"]));
    let unknown = scene.but(|it| it.sight.evidence.program = None);
    assert_eq!(unknown.codes(), ["program-not-found"]);
}

/// 20 with 19: both are told, the whole before the parts.
#[test]
fn what_is_too_much_may_be_indivisible_too() {
    let scene = packed("30", "10").but(|it| it.request().medication_qty = quantity("60"));
    let scene = scene.but(|it| it.wants(&["65"]));
    assert_eq!(scene.codes(), ["quantity-exceeds-available", "quantity-not-divisible"]);
    let rest = scene.but(|it| it.wants(&["60"]));
    assert_eq!(rest.codes(), [""; 0]);
}

/// 7.3: the step that was judged is recorded, for whoever reads the dispense later.
#[test]
fn the_step_is_recorded_with_the_item() {
    for (says, step) in [(None, "10"), (Some(true), "10"), (Some(false), "30")] {
        let scene = divisible(packed("30", "10"), says).but(|it| it.wants(&["30"]));
        let events = scene.granted();
        let DispenseEvent::HoldCreated(hold) = &events[0] else { panic!("{events:?}") };
        assert_eq!(hold.items[0].step, Some(quantity(step)));
    }
}
