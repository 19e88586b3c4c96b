//! Rule 16c: whether the program of a medication request could pay for it (5.10).

use std::sync::Arc;

use dispense_domain::decide::create_hold::Verdict;
use dispense_domain::registry::MedicationRequest;
use dispense_domain::{Care, Code, MedicationId, OtherRequest, Place, Quantity, Stated};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::care::{activity, followed, following, verdict};
use crate::records::sixty_tablets;
use crate::sample::{
    PHARMACY, REQUEST, SUBSTANCE, Scene, all_in_order, hryvnias, id, in_parts, params, quantity,
    text,
};

/// Another medication request of the patient, for all of March, of which something was handed over.
pub(crate) fn other_request() -> OtherRequest {
    let request: MedicationRequest = MedicationRequest {
        id: id(0x1_0002),
        started_at: Some("2026-03-01".parse().unwrap()),
        ended_at: Some("2026-03-31".parse().unwrap()),
        ..sixty_tablets().as_ref().clone()
    };
    OtherRequest { request: request.into(), innm_id: Some(id(SUBSTANCE)) }
}

/// Why the program could not pay; none if it could.
#[track_caller]
fn reason(scene: &Scene) -> Option<String> {
    if verdict(scene, "16c") == Verdict::Passed {
        assert_eq!(scene.codes(), [""; 0]);
        return None;
    }
    let refusal = scene.the_refusal();
    assert_eq!((refusal.code, refusal.rule), (Code::NotQualified, "16c"));
    assert_eq!(refusal.place, Some(Place::Request));
    assert_eq!(
        refusal.message,
        "Medication request can not be dispensed. Invoke qualify medication request API to get \
         detailed info",
    );
    assert_eq!(refusal.params.len(), 1);
    Some(refusal.params["reason"].as_str().unwrap().to_owned())
}

/// What is dispensed is paid by another program, which takes over what was prescribed under this.
#[test]
fn a_program_that_has_ended_could_not_pay() {
    let mut scene = all_in_order().but(|it| {
        it.settings().medical_program_change_on_dispense_allowed = Some(true);
        it.request().medical_program_id = Some(id(0x4_0002));
        it.prescribed_program().id = id(0x4_0002);
    });
    assert_eq!(reason(&scene), None);
    scene.prescribed_program().is_active = false;
    assert_eq!(reason(&scene).unwrap(), "Medical program not found");
}

#[test]
fn a_request_outside_any_program_need_not_qualify() {
    let scene = all_in_order().but(Scene::without_program);
    let scene = scene.but(|it| it.points_at().others = vec![other_request()]);
    assert_eq!(verdict(&scene, "16c"), Verdict::NotEvaluated);
    assert!(scene.codes().is_empty());
    let under = all_in_order().but(|it| {
        it.request().medical_program_id = None;
        it.points_at().program = None;
        it.points_at().approved = Arc::default();
    });
    assert_eq!(verdict(&under, "16c"), Verdict::NotEvaluated);
    assert!(under.codes().is_empty(), "whatever the program of the dispense");
}

#[test]
fn a_program_pays_with_a_brand_that_takes_part_today() {
    let today: fn(&mut Scene, Option<&str>, Option<&str>) = |it, start, end| {
        let participant = Arc::make_mut(&mut it.approved().participant);
        participant.start_date = start.map(|day| day.parse().unwrap());
        participant.end_date = end.map(|day| day.parse().unwrap());
    };
    let not_approved = "Innm not on the list of approved innms for program 'Affordable Medicines'";
    for (start, end, counts) in [
        (None, None, true),
        (Some("2026-03-10"), Some("2026-03-10"), true),
        (Some("2026-03-11"), None, false),
        (None, Some("2026-03-09"), false),
    ] {
        let scene = all_in_order().but(|it| today(it, start, end));
        let expected = (!counts).then(|| not_approved.to_owned());
        assert_eq!(reason(&scene), expected, "{start:?} {end:?}");
    }
    let broken: [fn(&mut Scene); 5] = [
        |it| it.points_at().approved = Arc::default(),
        |it| Arc::make_mut(&mut it.approved().participant).is_active = false,
        |it| Arc::make_mut(&mut it.approved().brand).is_active = false,
        |it| Arc::make_mut(&mut it.approved().brand).ingredients.clear(),
        |it| Arc::make_mut(&mut it.approved().brand).package_qty = None,
    ];
    for (place, breaking) in broken.into_iter().enumerate() {
        let scene = all_in_order().but(breaking);
        assert_eq!(reason(&scene).as_deref(), Some(not_approved), "{place}");
    }
}

/// The size of a package matters only where the registry says what is paid for one.
#[test]
fn a_brand_without_a_package_is_paid_where_the_price_is_set_elsewhere() {
    let scene = all_in_order().but(|it| {
        Arc::make_mut(&mut it.approved().brand).package_qty = None;
        let participant = Arc::make_mut(&mut it.approved().participant);
        participant.reimbursement.kind = text("EXTERNAL");
    });
    assert_eq!(reason(&scene), None);
}

/// March, and another medication request of that patient, changed in that way.
fn beside(change: impl FnOnce(&mut OtherRequest)) -> Scene {
    let mut other = other_request();
    change(&mut other);
    all_in_order().but(|it| {
        it.request().started_at = Some("2026-03-01".parse().unwrap());
        it.request().ended_at = Some("2026-03-30".parse().unwrap());
        it.points_at().others = vec![other];
    })
}

type Change = fn(&mut OtherRequest);

fn changed(other: &mut OtherRequest) -> &mut MedicationRequest {
    Arc::make_mut(&mut other.request)
}

const ONCE_PER_TERM: &str = "For the patient at the same term there can be only 1 dispensed \
                             medication request per one and the same innm!";

#[test]
fn one_substance_is_dispensed_once_in_the_same_term() {
    for (start, end, overlaps) in [
        ("2026-02-01", "2026-02-28", false),
        ("2026-02-01", "2026-03-01", true),
        ("2026-03-10", "2026-03-11", true),
        ("2026-01-01", "2026-12-31", true),
        ("2026-03-30", "2026-04-30", true),
        ("2026-03-31", "2026-04-30", false),
    ] {
        let scene = beside(|other| {
            changed(other).started_at = Some(start.parse().unwrap());
            changed(other).ended_at = Some(end.parse().unwrap());
        });
        let expected = overlaps.then(|| ONCE_PER_TERM.to_owned());
        assert_eq!(reason(&scene), expected, "{start} to {end}");
    }
}

#[test]
fn a_day_that_a_record_does_not_say_bounds_nothing() {
    let day = |text: &str| Some(text.parse().unwrap());
    let rows = [
        (None, None, true),
        (None, day("2026-02-28"), false),
        (None, day("2026-03-01"), true),
        (day("2026-03-31"), None, false),
        (day("2026-03-30"), None, true),
    ];
    for (start, end, overlaps) in rows {
        let scene = beside(|other| {
            (changed(other).started_at, changed(other).ended_at) = (start, end);
        });
        assert_eq!(reason(&scene).is_some(), overlaps, "{start:?} to {end:?}");
    }
    let open = beside(|other| changed(other).started_at = day("2031-01-01"));
    assert_eq!(reason(&open.clone()), None);
    let open = open.but(|it| it.request().ended_at = None);
    assert_eq!(reason(&open).as_deref(), Some(ONCE_PER_TERM));
    let open = beside(|other| changed(other).ended_at = day("2021-01-01"));
    assert_eq!(reason(&open), None);
    let open = open.but(|it| it.request().started_at = None);
    assert_eq!(reason(&open).as_deref(), Some(ONCE_PER_TERM));
}

#[test]
fn only_what_counts_of_the_same_substance_stands_in_the_way() {
    use dispense_domain::registry::RequestStatus::{Active, Completed, Expired, Rejected};
    for (status, counts) in [(Active, true), (Completed, true), (Rejected, false), (Expired, false)]
    {
        let scene = beside(|other| changed(other).status = status);
        assert_eq!(reason(&scene).is_some(), counts, "{status:?}");
    }
    let cases: [(Change, bool); 5] = [
        (|other| changed(other).is_active = false, false),
        (|other| changed(other).medication_id = id(0x5_0009), true),
        (|other| other.innm_id = Some(id(0x5_0008)), false),
        (|other| other.innm_id = None, false),
        (|other| changed(other).id = id(REQUEST), false),
    ];
    for (place, (change, counts)) in cases.into_iter().enumerate() {
        assert_eq!(reason(&beside(change)).is_some(), counts, "{place}");
    }
}

/// Two that nobody knows are not the same.
#[test]
fn a_dosage_of_no_known_substance_stands_in_nobodys_way() {
    let mut scene = beside(|other| other.innm_id = None);
    let medication = Arc::make_mut(scene.points_at().medication.as_mut().unwrap());
    medication.ingredients[0].innm_child_id = None::<MedicationId>;
    assert_eq!(reason(&scene), None);
}

#[test]
fn a_program_may_skip_the_treatment_period() {
    for (setting, skips) in [(Some(true), true), (Some(false), false), (None, false)] {
        let mut scene = beside(|_| ());
        let settings = &mut scene.prescribed_program().medical_program_settings;
        Arc::make_mut(settings).skip_treatment_period = setting;
        assert_eq!(reason(&scene).is_none(), skips, "{setting:?}");
    }
}

/// Sixty tablets, thirty of which were handed over.
fn second_part() -> Scene {
    let mut scene = all_in_order();
    let mut settings = in_parts();
    settings.skip_medication_dispense_sign = Some(true);
    scene.under(settings);
    scene.wants(&["30"]);
    scene.hold.payment_amount = Stated::Value(hryvnias("0"));
    scene.happens();
    scene.asks(PHARMACY, "second");
    scene
}

#[test]
fn the_first_part_does_not_stand_in_the_way_of_the_second() {
    let mut scene = second_part();
    let own =
        OtherRequest { request: scene.points_at().request.clone(), innm_id: Some(id(SUBSTANCE)) };
    scene.points_at().others = vec![own];
    assert_eq!(scene.dispensing().processed(), Decimal::from(30));
    assert_eq!(reason(&scene), None);
}

/// Sixty tablets of an activity that allows for so many, of which others were handed over.
fn budget(scene: Scene, limit: Option<Quantity>, dispensed: &str) -> Scene {
    let mut care = followed();
    activity(&mut care).quantity = limit;
    care.processed = dispensed.parse().unwrap();
    scene.but(|it| it.points_at().care = Some(care))
}

const NO_ROOM: &str = "The total amount of the dispensed medication quantity exceeds quantity in \
                       care plan activity";

#[test]
fn an_activity_has_room_up_to_its_quantity() {
    for (limit, dispensed, room) in [
        (None, "1000000", true),
        (Some("60"), "0", true),
        (Some("60.0"), "0.00", true),
        (Some("60"), "0.0001", false),
        (Some("59.9999"), "0", false),
        (Some("100"), "40", true),
        (Some("100"), "40.5", false),
    ] {
        let scene = budget(all_in_order(), limit.map(quantity), dispensed);
        let expected = (!room).then(|| NO_ROOM.to_owned());
        assert_eq!(reason(&scene), expected, "{limit:?} {dispensed}");
    }
    let unknown = Care { activity: None, ..followed() };
    assert_eq!(verdict(&following(unknown), "16c"), Verdict::Passed, "no limit that is known");
}

/// What is compared is the whole medication request, its own parts included: they are in it.
#[test]
fn own_parts_are_not_counted_twice() {
    let limit = Some(quantity("60"));
    assert_eq!(reason(&budget(second_part(), limit, "0")), None);
    assert_eq!(reason(&budget(second_part(), limit, "1")).as_deref(), Some(NO_ROOM));
}

/// Only the first reason is told.
#[test]
fn reasons_are_looked_for_in_order() {
    let mut scene = beside(|_| ());
    let mut care = followed();
    activity(&mut care).quantity = Some(quantity("59"));
    let approved = std::mem::take(&mut scene.points_at().approved);
    scene.points_at().care = Some(care);
    scene.prescribed_program().is_active = false;
    let mut told = Vec::<Value>::new();
    let mut tell = |scene: &Scene| told.push(params(&scene.the_refusal())["reason"].clone());
    tell(&scene);
    scene.prescribed_program().is_active = true;
    tell(&scene);
    scene.points_at().care = None;
    tell(&scene);
    scene.points_at().approved = approved;
    tell(&scene);
    scene.points_at().others.clear();
    assert!(scene.codes().is_empty());
    let not_approved = "Innm not on the list of approved innms for program 'Affordable Medicines'";
    assert_eq!(told, ["Medical program not found", NO_ROOM, not_approved, ONCE_PER_TERM]);
}
