//! Qualifying a medication request, and trying a hold out: who may, and on what it rests.

use std::sync::Arc;

use dispensary::{
    AppendError, ClientType, CommandError, Origin, Qualifiable, QueryError, RequestKey, WantedHold,
};
use dispense_domain::decide::create_hold::{Verdict, order};
use dispense_domain::qualify::Qualified;
use dispense_domain::registry::Intent;
use dispense_domain::{
    CodeTurn, DispenseDay, MedicalProgramId, MedicationRequestId, NewItem, Prices, Quantity,
    Refusals, Stated, Text,
};
use futures::executor::block_on;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::document::{full, processed};
use crate::outside::{Asked, World, asker, dispensary, silent, world};
use crate::registries::{
    CLINIC, OTHER_PHARMACY, OTHER_PROGRAM, OUTLET, PHARMACY, PROGRAM, REQUEST, USER, evidence_of,
    id, request,
};

fn by_id() -> RequestKey {
    RequestKey::Id(id::<MedicationRequestId>(REQUEST))
}

fn qualifiable_for(
    world: World,
    client: u128,
    client_type: ClientType,
    key: &RequestKey,
) -> Result<Qualifiable, QueryError> {
    let asker = asker(client, client_type);
    block_on(dispensary(&Arc::new(world)).qualifiable(&asker, key))
}

fn in_order() -> World {
    world(evidence_of(request()))
}

/// A pharmacy asks for those programs, at that outlet.
fn qualified(
    world: World,
    client: u128,
    programs: &[u128],
    division: Option<u128>,
) -> Result<Vec<Qualified>, Refusals> {
    let found = qualifiable_for(world, client, ClientType::Pharmacy, &by_id()).unwrap();
    found.check().unwrap();
    let programs = programs.iter().map(|number| id::<MedicalProgramId>(*number)).collect();
    found.qualify(programs, division.map(id))
}

fn rules(refused: Result<Vec<Qualified>, Refusals>) -> Vec<&'static str> {
    refused.unwrap_err().all().iter().map(|it| it.rule).collect()
}

#[test]
fn whoever_may_see_a_request_may_ask_which_programs_pay_for_it() {
    let number: Text = "0000-243P-1X53-EH38".try_into().unwrap();
    let unknown: Text = "0000-243P-1X53-EH39".try_into().unwrap();
    let number = RequestKey::Number(number);
    let nobodys =
        [RequestKey::Number(unknown), RequestKey::Id(id::<MedicationRequestId>(0x1_0009))];
    for (client, kind, sees) in [
        (PHARMACY, ClientType::Pharmacy, true),
        (OTHER_PHARMACY, ClientType::MspPharmacy, true),
        (CLINIC, ClientType::Msp, true),
        (PHARMACY, ClientType::Msp, false),
        (PHARMACY, ClientType::Nhs, true),
    ] {
        for key in [by_id(), number.clone()] {
            let found = qualifiable_for(in_order(), client, kind, &key);
            assert_eq!(found.is_ok(), sees, "{client:x} {kind} {key:?}");
            if let Err(error) = found {
                assert!(matches!(error, QueryError::NotFound("medication request")), "{error}");
            }
        }
        for key in &nobodys {
            let found = qualifiable_for(in_order(), client, kind, key);
            assert!(matches!(found, Err(QueryError::NotFound(_))), "{kind} {key:?}");
        }
    }
}

#[test]
fn a_silent_log_is_no_missing_request() {
    let world = in_order().but(|it| it.answers = silent);
    let found = qualifiable_for(world, PHARMACY, ClientType::Pharmacy, &by_id());
    assert!(matches!(found, Err(QueryError::Unavailable(_))));
}

#[test]
fn whether_a_request_can_be_asked_for_is_known_before_the_programs_are() {
    let mut plan = request();
    Arc::make_mut(&mut plan).intent = Intent::Plan;
    let world = world(evidence_of(plan));
    let found = qualifiable_for(world, PHARMACY, ClientType::Pharmacy, &by_id()).unwrap();
    assert_eq!(found.check().unwrap_err().first().rule, "Q4");
    assert_eq!(rules(found.qualify(vec![id(0x4_0009)], None)), ["Q4", "Q6"]);
}

#[test]
fn programs_are_answered_in_their_order_with_the_brands_of_the_registries() {
    let programs = [OTHER_PROGRAM, PROGRAM, OTHER_PROGRAM];
    let all = qualified(in_order(), PHARMACY, &programs, Some(OUTLET)).unwrap();
    let ids: Vec<Uuid> = all.iter().map(|it| it.program.id.uuid()).collect();
    assert_eq!(ids, programs.map(Uuid::from_u128));
    let brands: Vec<u128> = all[1]
        .standing
        .as_ref()
        .unwrap()
        .iter()
        .map(|it| it.participant.id.uuid().as_u128())
        .collect();
    assert_eq!(brands, [1, 6, 11, 16, 21, 26, 31, 36]);
}

#[test]
fn an_outlet_is_the_askers_or_it_is_refused() {
    let asked = |client, division| qualified(in_order(), client, &[PROGRAM], division);
    assert!(asked(PHARMACY, Some(OUTLET)).is_ok());
    assert!(asked(OTHER_PHARMACY, None).is_ok());
    assert_eq!(rules(asked(OTHER_PHARMACY, Some(OUTLET))), ["Q9c"]);
    assert_eq!(rules(asked(PHARMACY, Some(0x3_0009))), ["Q9a"]);
}

/// The day is that of the reading, and what remains is what the log says.
#[test]
fn a_qualification_rests_on_the_log_and_its_clock() {
    let world = |at: &str, given: bool| {
        let mut world = in_order().but(|it| it.at = at.parse().unwrap());
        let participant = world.registries.program_medications.get_mut(&Uuid::from_u128(1));
        let participant = Arc::make_mut(participant.unwrap());
        participant.end_date = Some("2026-03-10".parse().unwrap());
        participant.package_qty_divisible = Some(false);
        world.registries.index();
        if given {
            world.events = vec![full(), processed()];
        }
        world
    };
    let listed = |world| {
        let all = qualified(world, PHARMACY, &[PROGRAM], None).unwrap();
        let listed = all[0].standing.as_ref().unwrap().clone();
        listed.iter().any(|it| it.participant.id == id(1))
    };
    assert!(listed(world("2026-03-10T21:59:59Z", false)), "the last second of the day in Kyiv");
    assert!(!listed(world("2026-03-10T22:00:00Z", false)), "the first of the next");
    assert!(!listed(world("2026-03-10T10:10:00Z", true)), "29.5 remain, and 30 make a package");
}

fn wanted() -> WantedHold {
    WantedHold {
        medication_request_id: id(REQUEST),
        division_id: id(OUTLET),
        medical_program_id: Some(id(PROGRAM)),
        dispensed_on: "2026-03-10".parse().unwrap(),
        dispense_day: DispenseDay::Bounded,
        dispensed_by: None,
        verification_code: Some("4711".try_into().unwrap()),
        code_turn: CodeTurn::InPlace,
        items: vec![NewItem {
            medication_id: id(0x5_0001),
            quantity: Quantity::try_from(Decimal::from(60)).unwrap(),
            unit_price: None,
            total_price: None,
            discount_amount: None,
            program_medication_id: None,
            batch_number: None,
            expiry_date: None,
            medication_2d_codes: Vec::new(),
        }],
        prices: Prices::UnlessFundedElsewhere,
        note: None,
        payment_id: Stated::Null,
        payment_amount: Stated::Absent,
    }
}

fn origin() -> Origin {
    Origin {
        user: id(USER),
        client: Some(id(PHARMACY)),
        client_type: Some(ClientType::Pharmacy),
        request_id: "a request".into(),
        traceparent: None,
    }
}

#[test]
fn what_is_tried_out_is_what_would_be_held_and_nothing_is_appended() {
    let world = Arc::new(in_order());
    let (dispensary, asker) = (dispensary(&world), asker(PHARMACY, ClientType::Pharmacy));
    let tried = block_on(dispensary.try_hold(&asker, wanted(), "key", origin())).unwrap();
    let told: Vec<_> = tried.rules.iter().map(|it| it.rule).collect();
    assert_eq!(told, order().collect::<Vec<_>>());
    assert_eq!((tried.position.to_string().as_str(), tried.at), ("3:7", world.at));
    let failed = |rule| {
        let found = tried.rules.iter().find(|it| it.rule == rule).unwrap();
        matches!(found.verdict, Verdict::Failed(_))
    };
    assert!(failed("3a") && failed("6d") && !failed("10a") && !failed("16c"));
    assert!(matches!(world.asked().as_slice(), [Asked::Try(..)]));

    let held = block_on(dispensary.hold(&asker, wanted(), "key", origin()));
    assert!(matches!(held, Err(CommandError::NotAppended(AppendError::Busy))));
    let heard = world.asked();
    let [Asked::Try(tried, from), Asked::Append(held, held_from)] = heard.as_slice() else {
        panic!("{heard:?}")
    };
    assert_eq!(format!("{tried:?}"), format!("{held:?}"));
    assert_eq!(format!("{from:?}"), format!("{held_from:?}"));
    assert_eq!(tried.verification_code, wanted().verification_code);
    assert_eq!(
        (tried.code_turn, tried.client, tried.user),
        (CodeTurn::InPlace, id(PHARMACY), id(USER))
    );
}

#[test]
fn a_log_that_cannot_say_is_told_as_such() {
    let world = Arc::new(in_order().but(|it| it.answers = silent));
    let asker = asker(PHARMACY, ClientType::Pharmacy);
    let tried = block_on(dispensary(&world).try_hold(&asker, wanted(), "key", origin()));
    assert!(matches!(tried, Err(CommandError::NotAppended(AppendError::Unavailable(_)))));
}
