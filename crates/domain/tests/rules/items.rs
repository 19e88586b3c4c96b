//! Rules 5.3, 12c and 15: the program, and each item.

use std::sync::Arc;

use dispense_domain::registry::{Medication, MedicationType};
use dispense_domain::{Code, DispenseDay, Member, Place, Prices, Stated};
use serde_json::json;

use crate::sample::{
    BRAND, DOSAGE, PROGRAM, SUBSTANCE, Scene, all_in_order, brand, day, hryvnias, id, moment,
    params, quantity, record, text, uuid,
};

/// Which rules are broken, and where, in the order in which they are told.
fn told(scene: &Scene) -> Vec<(Code, Place)> {
    scene.refused().into_iter().map(|no| (no.code, no.place.unwrap())).collect()
}

/// 12c, and rules that need the program are silent: 15d to 15f, 18 in part, and 19 to 21.
#[test]
fn an_unknown_program_is_refused_and_nothing_is_said_that_depends_on_it() {
    let no = all_in_order()
        .but(|it| it.sight.evidence.program = None)
        .but(|it| it.wants(&["1001"]))
        .but(|it| it.hold.items[0].discount_amount = Some(hryvnias("9999")))
        .but(|it| it.hold.items[0].program_medication_id = Some(id(0xBAD)))
        .but(|it| it.sight.evidence.participants[0].clear())
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

/// What a pharmacy makes itself: the prescribed dosage.
fn made_here() -> Arc<Medication> {
    record(&json!({
        "id": uuid(DOSAGE), "name": "Metformin 500 mg", "type": "INNM_DOSAGE",
        "ingredients": [{"innm_child_id": uuid(SUBSTANCE), "is_primary": true}]
    }))
}

/// Item by item, these medications are wanted, twenty of each.
fn of(medications: &[Arc<Medication>]) -> Scene {
    let mut scene = all_in_order().but(|it| it.wants(&vec!["20"; medications.len()]));
    for (item, medication) in scene.hold.items.iter_mut().zip(medications) {
        item.medication_id = medication.id;
    }
    scene.request().medication_qty = quantity(&(20 * medications.len()).to_string());
    scene.sight.evidence.medications = medications.iter().cloned().map(Some).collect();
    for known in &mut scene.sight.evidence.participants {
        Arc::make_mut(&mut known[0]).reimbursement.kind = text("EXTERNAL");
    }
    scene
}

fn changed(
    mut medication: Arc<Medication>,
    change: impl FnOnce(&mut Medication),
) -> Arc<Medication> {
    change(Arc::make_mut(&mut medication));
    medication
}

/// A brand with those ingredients: the dosage in each, and whether it is the one that matters.
fn containing(ingredients: &[(Option<u128>, bool)]) -> Arc<Medication> {
    let listed = ingredients.iter().map(|(dosage, is_primary)| {
        json!({"medication_child_id": dosage.map(uuid), "is_primary": is_primary})
    });
    let listed = serde_json::from_value(listed.collect()).unwrap();
    changed(brand(), |it| it.ingredients = listed)
}

/// 15a: a brand or what the pharmacy makes itself, never a bare substance.
#[test]
fn a_substance_cannot_be_dispensed_but_a_dosage_and_a_brand_can() {
    let substance = changed(made_here(), |it| it.kind = MedicationType::Innm);
    assert_eq!(of(&[substance]).codes(), ["medication-not-found"]);
    assert_eq!(of(&[made_here()]).codes(), [""; 0]);
    assert_eq!(of(&[brand()]).codes(), [""; 0]);
}

/// 15b: each thing that the record of a medication can lack.
#[test]
fn a_medication_is_active_and_says_what_matters_in_it() {
    let inactive = |it: &mut Medication| it.is_active = false;
    let empty = |it: &mut Medication| it.ingredients.clear();
    for (medication, missing) in [
        (changed(brand(), inactive), "is_active"),
        (changed(made_here(), inactive), "is_active"),
        (changed(changed(brand(), inactive), empty), "is_active"),
        (changed(brand(), empty), "primary ingredient"),
        (changed(made_here(), empty), "primary ingredient"),
        (containing(&[(Some(DOSAGE), false)]), "primary ingredient"),
        (containing(&[(None, true)]), "primary ingredient"),
        (containing(&[(Some(DOSAGE), false), (None, true)]), "primary ingredient"),
    ] {
        let no = of(std::slice::from_ref(&medication)).the_refusal();
        assert_eq!(no.code, Code::MedicationNotActive, "{medication:?}");
        assert_eq!(no.message, "medication is not active");
        assert_eq!(no.place, Some(Place::Item(0, Member::Medication)));
        assert_eq!(params(&no), json!({"medicationId": medication.id, "missing": missing}));
    }
}

/// 15c: whatever else is in a brand, its primary ingredient is what was prescribed.
#[test]
fn only_the_primary_ingredient_of_a_brand_counts() {
    let other = DOSAGE + 0x10;
    let good = containing(&[(Some(other), false), (Some(DOSAGE), true)]);
    assert_eq!(of(&[good]).codes(), [""; 0]);
    let no = of(&[containing(&[(Some(DOSAGE), false), (Some(other), true)])]).the_refusal();
    assert_eq!(no.code, Code::MedicationMismatch);
    assert_eq!(no.message, "Medication doesn't match the one in medication request");
    assert_eq!(no.place, Some(Place::Item(0, Member::Medication)));
    assert_eq!(params(&no), json!({"prescribed": uuid(DOSAGE), "contained": uuid(other)}));
}

/// 15c: 850 mg are not 500 mg, though it is the same substance; whoever made it.
#[test]
fn another_dosage_of_the_same_substance_is_another_medication() {
    let stronger = changed(made_here(), |it| it.id = id(DOSAGE + 0x10));
    let no = of(&[stronger]).the_refusal();
    assert_eq!(no.code, Code::MedicationMismatch);
    assert_eq!(params(&no)["contained"], uuid(DOSAGE + 0x10));
    // A brand is no dosage, though a record may bear the same id.
    let misnamed = changed(containing(&[(Some(BRAND), true)]), |it| it.id = id(DOSAGE));
    assert_eq!(of(&[misnamed]).codes(), ["medication-mismatch"]);
    let unknown_request = of(&[brand()]).but(|it| it.request().medication_id = id(SUBSTANCE));
    assert_eq!(unknown_request.codes(), ["medication-mismatch"]);
}

/// 15c: several brands of one dosage may go together.
#[test]
fn brands_of_different_manufacturers_are_dispensed_together() {
    let other_brand = changed(brand(), |it| it.id = id(BRAND + 0x10));
    assert_eq!(of(&[brand(), other_brand, made_here()]).codes(), [""; 0]);
}

/// 15: rule by rule, and within a rule item by item.
#[test]
fn every_item_that_breaks_a_rule_is_told_in_order() {
    let inactive = changed(brand(), |it| it.is_active = false);
    let other = containing(&[(Some(SUBSTANCE), true)]);
    let substance = changed(brand(), |it| it.kind = MedicationType::Innm);
    let scene = of(&[other.clone(), inactive.clone(), substance, brand(), inactive, other])
        .but(|it| it.sight.evidence.participants[5].clear())
        .but(|it| it.hold.items[3].program_medication_id = Some(id(0xBAD)));
    let at = |index| Place::Item(index, Member::Medication);
    assert_eq!(
        told(&scene),
        [
            (Code::MedicationNotFound, at(2)),
            (Code::MedicationNotActive, at(1)),
            (Code::MedicationNotActive, at(4)),
            (Code::MedicationMismatch, at(0)),
            (Code::MedicationMismatch, at(5)),
            (Code::MedicationNotInProgram, at(5)),
            (Code::ProgramMedicationInvalid, Place::Item(3, Member::ProgramMedication)),
        ]
    );
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

/// Rule 5.3, which the register's API alone asks for.
#[test]
fn prices_are_stated_unless_somebody_else_than_the_payer_funds_the_program() {
    let priced = |change: fn(&mut Scene)| {
        all_in_order()
            .but(|it| it.hold.prices = Prices::UnlessFundedElsewhere)
            .but(|it| it.participant().reimbursement.reimbursement_amount = hryvnias("0"))
            .but(|it| it.hold.items[0].discount_amount = None)
            .but(change)
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
