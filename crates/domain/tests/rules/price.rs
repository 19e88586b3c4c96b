//! Rule 15f: the discount of an item lies within what the program pays for it (6).

use std::sync::Arc;

use dispense_domain::registry::Medication;
use dispense_domain::{Code, DispenseEvent, Item, Member, Money, Place, Prices, Refusal};
use rust_decimal::Decimal;
use serde_json::json;

use crate::sample::{Scene, all_in_order, hryvnias, in_parts, params, quantity, text};

/// The whole of a medication request is asked for: the program pays so much for a package of so
/// many units.
fn paid(reimbursement: &str, package: &str, whole: &str) -> Scene {
    let mut scene = all_in_order();
    scene.in_any_quantity();
    scene.request().medication_qty = quantity(whole);
    scene.hold.items[0].quantity = quantity(whole);
    scene.brand().package_qty = Some(number(package));
    scene.participant().reimbursement.reimbursement_amount = hryvnias(reimbursement);
    scene
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

impl Scene {
    fn discounted(self, discount: &str) -> Self {
        self.but(|it| it.hold.items[0].discount_amount = Some(hryvnias(discount)))
    }

    /// What is paid is set by the rules of another type of reimbursement.
    fn paid_as(self, kind: &str) -> Self {
        self.but(|it| it.participant().reimbursement.kind = text(kind))
    }
}

#[track_caller]
fn accepts(scene: Scene, discount: &str) {
    assert_eq!(scene.discounted(discount).codes(), [""; 0], "{discount}");
}

#[track_caller]
fn refuses(scene: Scene, discount: &str) -> Refusal {
    let no = scene.discounted(discount).the_refusal();
    assert_eq!(no.code, Code::DiscountOutOfBounds, "{discount}");
    no
}

#[track_caller]
fn recorded(scene: &Scene) -> Item {
    let events = scene.granted();
    let Some(DispenseEvent::HoldCreated(hold)) = events.last() else { panic!("{events:?}") };
    hold.items[0].clone()
}

/// 6.6: reimbursement of a package, units in it, units dispensed; what is too little, what will do,
/// what is too much.
type Example =
    ([&'static str; 3], &'static [&'static str], &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const EXAMPLES: [Example; 7] = [
    (["150", "30", "10"], &["44.99"], &["45", "50", "50.01"], &["50.02", "150"]),
    (["150", "30", "100"], &["449.99"], &["450", "500.01"], &["500.02"]),
    (["16.56", "30", "90"], &["44.71"], &["44.72", "49.68", "49.69"], &["49.70"]),
    (["10", "30", "10"], &["2.99"], &["3.00", "3.34"], &["3.35", "150"]),
    (["35.71", "30", "10"], &["10.71"], &["10.72", "11.90", "11.91"], &["11.92"]),
    (["22.35", "60", "14"], &["4.69"], &["4.70", "5.21", "5.22"], &["5.23"]),
    (["0", "30", "10"], &[], &["0", "0.01"], &["0.02"]),
];

/// 6.6, examples 1 to 7.
#[test]
fn every_worked_example_comes_out() {
    for ([reimbursement, package, whole], too_little, enough, too_much) in EXAMPLES {
        let scene = paid(reimbursement, package, whole);
        for discount in too_little.iter().chain(too_much) {
            let no = refuses(scene.clone(), discount);
            let text = "Requested discount price does not satisfy allowed reimbursement amount";
            assert_eq!(no.message, text);
            assert_eq!(no.place, Some(Place::Item(0, Member::DiscountAmount)));
            assert_eq!(no.rule, "15f");
            assert_eq!(params(&no)["actual"], hryvnias(discount).to_string());
            assert_eq!(params(&no)["reimbursementAmount"], reimbursement);
            assert_eq!(params(&no)["packageQty"], package);
        }
        for discount in enough {
            accepts(scene.clone(), discount);
            let item = recorded(&scene.clone().discounted(discount));
            assert_eq!(item.reimbursement_amount, hryvnias(reimbursement), "unscaled");
            assert_eq!(item.discount_amount, Some(hryvnias(discount)));
        }
    }
}

/// 6.6, example 8: outside any program nobody pays, and nothing is judged.
#[test]
fn outside_any_program_every_discount_will_do_and_nothing_is_reimbursed() {
    for discount in ["0", "44.99", "150", "999999999.9999"] {
        let scene = paid("150", "30", "10").but(Scene::without_program).discounted(discount);
        let item = recorded(&scene);
        assert_eq!(item.reimbursement_amount, hryvnias("0"));
        assert_eq!(item.discount_amount, Some(hryvnias(discount)));
    }
}

/// 6.5: sums that floats get wrong.
#[test]
fn a_discount_of_the_full_price_is_never_a_float_too_much() {
    let exact = |scene: Scene| scene.but(|it| it.terms().tolerance = Money::ZERO);
    let exact =
        |scene| exact(scene).but(|it| it.terms().deviation = number("0").try_into().unwrap());
    for (reimbursement, package, whole, full) in
        [("16.56", "30", "90", "49.68"), ("0.1", "3", "9", "0.3"), ("1.1", "10", "70", "7.7")]
    {
        accepts(exact(paid(reimbursement, package, whole)), full);
        let above = (number(full) + number("0.0001")).to_string();
        let below = (number(full) - number("0.0001")).to_string();
        refuses(exact(paid(reimbursement, package, whole)), &above);
        refuses(exact(paid(reimbursement, package, whole)), &below);
    }
}

/// 6.5: nothing is rounded on its way in: four decimal places count.
#[test]
fn a_ten_thousandth_decides() {
    let scene = || paid("150", "30", "10");
    refuses(scene(), "44.9999");
    accepts(scene(), "45.0000");
    accepts(scene(), "50.0100");
    refuses(scene(), "50.0101");
}

/// 15f: what the refusal names as bounds will do, and what lies a ten-thousandth outside will not.
#[test]
fn the_bounds_that_are_named_are_acceptable_themselves() {
    for [reimbursement, package, whole] in [
        ["150", "30", "10"],
        ["10", "30", "10"],
        ["35.71", "30", "10"],
        ["22.35", "60", "14"],
        ["0", "30", "10"],
        ["0.0001", "7", "3"],
        ["99.99", "0.7", "0.0003"],
        ["123456.7891", "13", "7.7777"],
    ] {
        let scene = paid(reimbursement, package, whole);
        let no = params(&refuses(scene.clone(), "99999999"));
        let (least, most) = (no["least"].as_str().unwrap(), no["most"].as_str().unwrap());
        accepts(scene.clone(), least);
        accepts(scene.clone(), most);
        let further = number("0.0001");
        refuses(scene.clone(), &(number(most) + further).to_string());
        if number(least) >= further {
            refuses(scene, &(number(least) - further).to_string());
        }
    }
}

/// 15f: bounds are rounded inwards, to what can be stated.
#[test]
fn bounds_are_named_as_they_can_be_stated() {
    let bounds = |scene| {
        let no = params(&refuses(scene, "150"));
        (no["least"].clone(), no["most"].clone())
    };
    assert_eq!(bounds(paid("150", "30", "10")), (json!("45"), json!("50.01")));
    assert_eq!(bounds(paid("10", "30", "10")), (json!("3"), json!("3.3433")));
    assert_eq!(bounds(paid("35.71", "30", "10")), (json!("10.713"), json!("11.9133")));
    assert_eq!(bounds(paid("22.35", "70", "14")), (json!("4.023"), json!("4.48")));
    assert_eq!(bounds(paid("1", "7", "1")), (json!("0.1286"), json!("0.1528")));
}

/// 15f: how far a discount may stay below is a setting, from nothing to everything.
#[test]
fn the_deviation_is_a_share_of_what_is_paid() {
    let scene = |deviation: &str| {
        let deviation = number(deviation).try_into().unwrap();
        paid("150", "30", "10").but(|it| it.terms().deviation = deviation)
    };
    refuses(scene("0"), "49.9999");
    accepts(scene("0"), "50");
    refuses(scene("0.01"), "49.4999");
    accepts(scene("0.01"), "49.5");
    refuses(scene("0.99"), "0.4999");
    accepts(scene("0.99"), "0.5");
    accepts(scene("1"), "0");
    refuses(scene("1"), "50.0101");
}

/// 15f: how far it may lie above is a setting too, of money, whatever the quantity.
#[test]
fn the_tolerance_is_an_amount_for_each_item() {
    let scene = |tolerance: &str, whole: &str| {
        paid("150", "30", whole).but(|it| it.terms().tolerance = hryvnias(tolerance))
    };
    accepts(scene("0", "10"), "50");
    refuses(scene("0", "10"), "50.0001");
    accepts(scene("2.5", "10"), "52.5");
    refuses(scene("2.5", "10"), "52.5001");
    accepts(scene("2.5", "1000"), "5002.5");
    refuses(scene("2.5", "1000"), "5002.5001");
}

/// 6.3: an item of which nothing is reimbursed is refunded nothing, up to the tolerance.
#[test]
fn a_participant_that_reimburses_nothing_refunds_nothing() {
    let strict = || paid("0", "30", "10").but(|it| it.terms().tolerance = Money::ZERO);
    accepts(strict(), "0");
    refuses(strict(), "0.0001");
}

/// 6.3: what is not stated is 0 where the payer funds the program, and is not judged where somebody
/// else does.
#[test]
fn a_missing_discount_is_none_under_the_payer_and_unjudged_elsewhere() {
    let scene = |source: Option<&str>| {
        paid("150", "30", "10").but(|it| it.hold.items[0].discount_amount = None).but(|it| {
            it.program().funding_source = source.map(text);
        })
    };
    for source in [None, Some("NHS")] {
        let no = scene(source).the_refusal();
        assert_eq!((no.code, &params(&no)["actual"]), (Code::DiscountOutOfBounds, &json!("0")));
        let nothing_paid = scene(source)
            .but(|it| it.participant().reimbursement.reimbursement_amount = Money::ZERO);
        assert_eq!(nothing_paid.codes(), [""; 0]);
    }
    for source in ["LOCAL", "nhs", "CHARITY"] {
        assert_eq!(recorded(&scene(Some(source))).discount_amount, None, "{source}");
    }
    // One that is stated is judged wherever it comes from.
    refuses(scene(Some("LOCAL")), "44.99");
    accepts(scene(Some("LOCAL")), "45");
}

/// 6.3 with 5.3: where a price is missing that must be stated, both rules speak.
#[test]
fn a_missing_discount_that_must_be_stated_is_told_first_as_missing() {
    let mut scene = paid("150", "30", "10").but(|it| it.hold.items[0].discount_amount = None);
    scene.hold.prices = Prices::UnlessFundedElsewhere;
    scene.hold.items[0].unit_price = Some(hryvnias("18.65"));
    scene.hold.items[0].total_price = Some(hryvnias("186.50"));
    assert_eq!(scene.codes(), ["schema", "discount-out-of-bounds"]);
}

/// 6.3: bounds are not pooled: what one item leaves, another does not get.
#[test]
fn each_item_is_judged_alone() {
    let scene = |discounts: [&str; 3]| {
        let mut scene = all_in_order().but(|it| it.wants(&["20", "20", "20"]));
        for (item, discount) in scene.hold.items.iter_mut().zip(discounts) {
            item.discount_amount = Some(hryvnias(discount));
        }
        scene
    };
    let places = |scene: Scene| {
        let said = scene.refused().into_iter();
        said.map(|no| (no.code, no.place.unwrap())).collect::<Vec<_>>()
    };
    let at = |index| (Code::DiscountOutOfBounds, Place::Item(index, Member::DiscountAmount));
    assert_eq!(scene(["90", "95", "100.01"]).codes(), [""; 0]);
    assert_eq!(places(scene(["90", "110", "100"])), [at(1)], "300 in all");
    assert_eq!(places(scene(["89.99", "100", "110.01"])), [at(0), at(2)]);
    assert_eq!(places(scene(["0", "300", "0"])), [at(0), at(1), at(2)], "300 in all");
}

/// 6.3: each item has the price of its own participant.
#[test]
fn each_item_is_paid_by_its_own_participant() {
    let mut scene = all_in_order().but(|it| it.wants(&["30", "30"]));
    let cheaper = Arc::make_mut(&mut scene.sight.evidence.participants[1][0]);
    cheaper.reimbursement.reimbursement_amount = hryvnias("15");
    let no = scene.clone().the_refusal();
    assert_eq!(no.place, Some(Place::Item(1, Member::DiscountAmount)));
    assert_eq!(params(&no)["most"], "15.01");
    scene.hold.items[1].discount_amount = Some(hryvnias("15"));
    assert_eq!(scene.codes(), [""; 0]);
}

/// 6.3: a brand without a usable package is a mistake of the registry (15b), not of the pharmacy.
#[test]
fn without_a_size_of_package_no_bounds_are_named() {
    let sized = |size: Option<&str>| {
        let mut scene = paid("150", "30", "10").discounted("999");
        scene.brand().package_qty = size.map(number);
        scene
    };
    let absurd = ["0", "-30", "0.00001", "10000000", "79228162514264337593543950335"];
    for size in absurd.map(Some).into_iter().chain([None]) {
        let no = sized(size).the_refusal();
        assert_eq!(no.code, Code::MedicationNotActive, "{size:?}");
        assert_eq!(no.place, Some(Place::Item(0, Member::Medication)));
        assert_eq!(params(&no)["missing"], "package_qty");
    }
    let smallest =
        sized(Some("0.0001")).but(|it| it.terms().deviation = number("1").try_into().unwrap());
    assert_eq!(smallest.codes(), [""; 0], "absurd, but a number");
}

/// 6.4: where the payer sets the amount elsewhere, the price of the item bounds its discount.
#[test]
fn an_amount_set_elsewhere_is_bounded_by_the_price_alone() {
    for kind in ["EXTERNAL", "PERCENTAGE", "fixed", "SOMETHING_NEW"] {
        let scene = |price: Option<&str>| {
            paid("150", "30", "10").paid_as(kind).but(|it| {
                it.hold.items[0].total_price = price.map(hryvnias);
            })
        };
        for discount in ["0", "1", "186.4999", "186.5"] {
            accepts(scene(Some("186.5")), discount);
        }
        let no = refuses(scene(Some("186.5")), "186.5001");
        assert_eq!(
            params(&no),
            json!({"actual": "186.5001", "least": "0", "most": "186.5"}),
            "{kind}"
        );
        accepts(scene(None), "999999999.9999");
        let item = recorded(&scene(None));
        assert_eq!(item.reimbursement_amount, hryvnias("150"), "as the registry has it");
        let no_package = scene(None).but(|it| it.brand().package_qty = None);
        assert_eq!(no_package.codes(), [""; 0], "the size of a package has no part in it");
    }
}

/// 6.4: prices and payments are believed: pharmacies round for each package.
#[test]
fn a_discount_above_the_price_of_the_item_is_not_refused() {
    let mut scene = paid("150", "30", "10").discounted("50");
    scene.hold.items[0].unit_price = Some(hryvnias("4"));
    scene.hold.items[0].total_price = Some(hryvnias("40"));
    assert_eq!(scene.codes(), [""; 0]);
}

/// 6.5: the largest amounts there are stay exact.
#[test]
fn the_largest_amounts_are_judged_exactly() {
    let (money, units) = ("999999999.9999", "9999999.9999");
    // As many units as there are in a package: the program pays just its amount.
    let whole = || paid(money, units, units).but(|it| it.terms().tolerance = Money::ZERO);
    accepts(whole(), money);
    accepts(whole(), "900000000");
    refuses(whole(), "899999999.9999");
    let no = refuses(paid(money, units, units), "0");
    assert_eq!(
        params(&no),
        json!({
            "actual": "0", "least": "900000000", "most": "1000000000.0099",
            "reimbursementAmount": money, "packageQty": units
        })
    );
    // The least package there is: far more is paid than can be stated.
    let no = refuses(paid(money, "0.0001", units), money);
    assert_eq!(params(&no)["least"], "89999999999091000000.0001");
    assert_eq!(params(&no)["most"], "99999999998990000000.0101");
    // All the money as tolerance.
    accepts(paid("0", units, units).but(|it| it.terms().tolerance = hryvnias(money)), money);
}

/// 15f with 19: a discount is judged whatever is wrong with the quantity.
#[test]
fn parts_are_paid_in_parts() {
    let scene = all_in_order()
        .but(|it| it.under(in_parts()))
        .but(|it| it.wants(&["10"]))
        .discounted("50.02");
    assert_eq!(scene.codes(), ["discount-out-of-bounds"]);
    let too_much = scene.but(|it| it.hold.items[0].quantity = quantity("70"));
    assert_eq!(too_much.codes(), ["discount-out-of-bounds", "quantity-exceeds-available"]);
}

/// 15f: rules that have spoken of the item before are not repeated as a wrong discount.
#[test]
fn nothing_is_said_of_the_discount_of_what_is_unknown() {
    let scene = || paid("150", "30", "10").discounted("999");
    let unknown = scene().but(|it| it.sight.evidence.medications[0] = None::<Arc<Medication>>);
    assert_eq!(unknown.codes(), ["medication-not-found"]);
    let foreign = scene().but(|it| it.sight.evidence.participants[0].clear());
    assert_eq!(foreign.codes(), ["medication-not-in-program"]);
    let over = scene().but(|it| it.participant().end_date = Some("2026-03-09".parse().unwrap()));
    assert_eq!(over.codes(), ["program-medication-expired"]);
}
