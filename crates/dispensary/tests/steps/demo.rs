//! The demo registry, judged by the rules: what it says can be dispensed can be, and what it shows
//! is refused for the reason that it says.

mod country;

use std::collections::HashMap;

use dispense_demo::{Demo, Dispensable, Pharmacy, Program, Shows};
use dispense_domain::{
    CodeTurn, CreateHold, DispenseDay, DispenseId, NewItem, Prices, Refusals, Stated, Switch,
    Terms, command::key_digest,
};

use country::{Country, decimal, today};

/// Every rule is asked for that an installation can ask for.
fn strict() -> Terms {
    Terms {
        division_dls_verify: Switch::On,
        program_provision_verify: Switch::On,
        legal_entity_nhs_verify: Switch::On,
        ..Terms::default()
    }
}

/// An order as the demo says that it has to be.
fn order(pharmacy: &Pharmacy, wanted: &Dispensable, quantity: u32) -> CreateHold {
    let client = pharmacy.legal_entity_id.into();
    let request = wanted.medication_request_id.into();
    let offer = wanted.offer(quantity);
    let money = |amount: dispense_demo::Money| decimal(&amount.to_string()).try_into().unwrap();
    let paid = wanted.program.skips_signature().then(|| money(offer.payment_amount));
    CreateHold {
        dispense_id: DispenseId::asked_for(request, client, "demo"),
        medication_request_id: request,
        user: pharmacy.user_id.into(),
        client,
        division_id: pharmacy.division_id.into(),
        medical_program_id: Some(wanted.medical_program_id.into()),
        dispensed_on: today(),
        dispense_day: DispenseDay::Bounded,
        dispensed_by: None,
        verification_code: None,
        code_turn: CodeTurn::Last,
        items: vec![NewItem {
            medication_id: wanted.brand_id.into(),
            quantity: decimal(&quantity.to_string()).try_into().unwrap(),
            unit_price: Some(money(offer.sell_price)),
            total_price: Some(money(offer.sell_amount)),
            discount_amount: Some(money(offer.discount_amount)),
            program_medication_id: None,
            batch_number: Some("UA15544".try_into().unwrap()),
            expiry_date: Some(today()),
            medication_2d_codes: Vec::new(),
        }],
        prices: Prices::UnlessFundedElsewhere,
        note: None,
        payment_id: Stated::Absent,
        payment_amount: paid.map_or(Stated::Absent, Stated::Value),
        key_digest: key_digest(client, "demo"),
    }
}

fn assert_granted(country: &Country, order: &CreateHold, wanted: &Dispensable) {
    for terms in [Terms::default(), strict()] {
        let decided = country.decide(order, terms);
        assert!(decided.is_ok(), "{wanted:?}: {decided:?}");
    }
}

#[test]
fn whatever_is_holdable_is_granted_to_every_pharmacy_whatever_is_asked_for() {
    let demo = Demo::new(today());
    let mut country = Country::of(&demo);
    let mut programs = HashMap::<Program, usize>::new();
    let pharmacies: Vec<_> = demo.pharmacies().collect();
    for (wanted, pharmacy) in demo.holdable(2_000).zip(pharmacies.iter().cycle()) {
        assert_granted(&country, &order(pharmacy, &wanted, wanted.quantity), &wanted);
        if wanted.program.multi_dispense() {
            let part = order(pharmacy, &wanted, wanted.package_min_qty);
            assert_granted(&country, &part, &wanted);
        }
        // What was handed over stands in the way of whatever has the same substance.
        country.hand_over(&wanted);
        *programs.entry(wanted.program).or_default() += 1;
    }
    assert_eq!(programs.len(), Program::ALL.len() - 1);
    assert!(programs.values().all(|&count| count > 100), "{programs:?}");
}

#[test]
fn a_program_with_fresh_requests_only_is_granted_whole() {
    for program in Program::ALL {
        let demo =
            Demo::new(today()).with_requests(200).with_program(program).with_fresh_requests_only();
        let mut country = Country::of(&demo);
        let tour = demo.tour();
        for wanted in demo.holdable(usize::MAX).chain([tour.hold.clone(), tour.at_once.clone()]) {
            for pharmacy in [&tour.pharmacy, &tour.other_pharmacy] {
                assert_granted(&country, &order(pharmacy, &wanted, wanted.quantity), &wanted);
            }
            country.hand_over(&wanted);
        }
    }
}

fn first(refused: Result<(), Refusals>) -> Option<&'static str> {
    refused.err().map(|refusals| refusals.first().code.definition().code)
}

#[test]
fn each_example_shows_what_it_says() {
    let demo = Demo::new(today());
    let country = Country::of(&demo);
    let shown: Vec<_> = demo.examples().collect();
    assert!(shown.iter().map(|example| example.shows).eq(Shows::ALL));
    let tour = demo.tour();
    for (example, pharmacy) in
        shown.iter().flat_map(|it| [(it, &tour.pharmacy), (it, &tour.other_pharmacy)])
    {
        let wanted = &example.wanted;
        let mut order = order(pharmacy, wanted, wanted.quantity);
        for terms in [Terms::default(), strict()] {
            let refused = country.decide(&order, terms);
            assert_eq!(first(refused), example.shows.refused_as(), "{example:?}");
        }
        if let Some(code) = &example.verification_code {
            order.verification_code = Some(code.as_str().try_into().unwrap());
            assert_granted(&country, &order, wanted);
        }
    }
}

#[test]
fn the_second_part_of_a_medication_request_is_granted_as_well() {
    let demo = Demo::new(today()).with_requests(2);
    let mut country = Country::of(&demo);
    let tour = demo.tour();
    country.hand_over(&tour.hold);
    assert_granted(&country, &order(&tour.pharmacy, &tour.hold, 20), &tour.hold);
}

#[test]
fn what_the_switches_ask_for_is_missing_somewhere() {
    let demo = Demo::new(today());
    let country = Country::of(&demo);
    let codes = country.pharmacists().filter_map(|pharmacy| {
        let wanted = order(&pharmacy, &demo.tour().hold, 10);
        let [lenient, strict] = [Terms::default(), strict()];
        let granted = country.decide(&wanted, lenient).is_ok();
        granted.then(|| first(country.decide(&wanted, strict))).flatten()
    });
    let codes: std::collections::BTreeSet<_> = codes.collect();
    let missing = ["division-not-dls-verified", "legal-entity-not-verified", "provision-missing"];
    assert!(codes.into_iter().eq(missing));
}
