//! Rules 12b to 12e: the program; and that the program of the dispense decides how it is dispensed.

use dispense_domain::registry::ProgramSettings;
use dispense_domain::{Code, DispenseEvent, Place, Stated};
use serde_json::json;

use crate::sample::{
    PROGRAM, Scene, all_in_order, hryvnias, id, in_parts, params, record, uuid, without_signature,
};

const OTHER: u128 = PROGRAM + 1;

/// Prescribed under another program than the one that it is dispensed under.
fn prescribed_under_another() -> Scene {
    all_in_order().but(|it| {
        it.request().medical_program_id = Some(id(OTHER));
        it.points_at().program = Some(record(&json!({"id": uuid(OTHER), "name": "Diabetes"})));
    })
}

/// The same, and the program of the dispense takes it over.
fn taken_over() -> Scene {
    prescribed_under_another()
        .but(|it| it.settings().medical_program_change_on_dispense_allowed = Some(true))
}

fn prescribed_outside() -> Scene {
    all_in_order().but(|it| {
        it.request().medical_program_id = None;
        it.points_at().program = None;
    })
}

/// 12b.
#[test]
fn what_was_prescribed_under_a_program_is_dispensed_under_one() {
    let scene = all_in_order().but(|it| {
        it.hold.medical_program_id = None;
        it.sight.evidence.program = None;
    });
    let no = scene.the_refusal();
    assert_eq!(
        (no.code, no.rule, no.place.clone()),
        (Code::ProgramMismatch, "12b", Some(Place::Program))
    );
    assert_eq!(params(&no), json!({"prescribed": uuid(PROGRAM)}));
    assert!(scene.but(Scene::without_program).codes().is_empty(), "neither names one");
}

/// 12b and 12e say nothing of an unknown medication request.
#[test]
fn nobody_compares_with_the_program_of_an_unknown_request() {
    let unknown = prescribed_under_another().but(|it| it.sight.evidence.request = None);
    assert_eq!(unknown.codes(), ["medication-request-not-found"]);
    let unknown = unknown.but(|it| it.hold.medical_program_id = None);
    let unknown = unknown.but(|it| it.sight.evidence.program = None);
    assert_eq!(unknown.codes(), ["medication-request-not-found"]);
}

/// 12c: what the program alone could tell, nobody says.
#[test]
fn an_unknown_program_is_refused_alone() {
    let no = all_in_order().but(|it| it.sight.evidence.program = None).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::ProgramNotFound, Some(Place::Program)));
    assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM)}));
}

/// 12d.
#[test]
fn a_program_that_is_not_active_is_refused() {
    let no = all_in_order().but(|it| it.program().is_active = false).the_refusal();
    assert_eq!((no.code, no.place.clone()), (Code::ProgramNotActive, Some(Place::Program)));
    assert_eq!(params(&no), json!({"medicalProgramId": uuid(PROGRAM)}));
}

/// 12e.
#[test]
fn another_program_than_the_prescribed_one_needs_leave_to_take_over() {
    let no = prescribed_under_another().the_refusal();
    assert_eq!(
        (no.code, no.rule, no.place.clone()),
        (Code::ProgramMismatch, "12e", Some(Place::Program))
    );
    assert_eq!(params(&no), json!({"prescribed": uuid(OTHER), "requested": uuid(PROGRAM)}));
    for setting in [None, Some(false)] {
        let scene = prescribed_under_another()
            .but(|it| it.settings().medical_program_change_on_dispense_allowed = setting);
        assert_eq!(scene.codes(), ["program-mismatch"], "{setting:?}");
    }
    assert!(taken_over().codes().is_empty());
}

/// 12e: it is the program of the dispense that takes over.
#[test]
fn the_prescribed_program_cannot_give_leave() {
    let scene = prescribed_under_another().but(|it| {
        let settings = ProgramSettings {
            medical_program_change_on_dispense_allowed: Some(true),
            ..ProgramSettings::default()
        };
        it.prescribed_program().medical_program_settings = settings.into();
    });
    assert_eq!(scene.codes(), ["program-mismatch"]);
}

/// 12e, case X-15: what was prescribed outside any program may be dispensed under one.
#[test]
fn a_request_without_a_program_may_be_dispensed_under_any() {
    assert!(prescribed_outside().codes().is_empty());
    let events = prescribed_outside().granted();
    let DispenseEvent::HoldCreated(hold) = &events[0] else { panic!("{events:?}") };
    assert_eq!(hold.medical_program.as_ref().map(|it| it.id), Some(id(PROGRAM)));
    assert_eq!(hold.medication_request.medical_program_id, None);
}

/// 19: the mode is that of the program of the dispense.
#[test]
fn parts_are_allowed_by_the_program_of_the_dispense() {
    let mut allows = taken_over().but(|it| it.wants(&["30"]));
    allows.settings().multi_medication_dispense_allowed = Some(true);
    assert!(allows.codes().is_empty());
    let mut forbids = taken_over().but(|it| it.wants(&["30"]));
    forbids.prescribed_program().medical_program_settings = in_parts().into();
    assert_eq!(forbids.codes(), ["quantity-not-equal"]);
}

/// 21: so is the signature.
#[test]
fn the_signature_is_skipped_by_the_program_of_the_dispense() {
    let paid = |it: &mut Scene| it.hold.payment_amount = Stated::Value(hryvnias("20"));
    let mut skips = taken_over().but(paid);
    skips.settings().skip_medication_dispense_sign = Some(true);
    let events = skips.granted();
    assert!(matches!(events[..], [DispenseEvent::HoldCreated(_), DispenseEvent::Processed(_)]));
    let mut asks = taken_over().but(paid);
    asks.prescribed_program().medical_program_settings = without_signature().into();
    assert_eq!(asks.codes(), ["payment-not-allowed"]);
}
