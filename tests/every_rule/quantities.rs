//! Rules 17 to 20: how much, in which parts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Case, Switches, eventually};

/// How long the read models may lag behind the log here.
const FOLLOWED_WITHIN: Duration = Duration::from_mins(1);

const QUANTITY: &str = "$.medication_request.medication_qty";

const WHOLE: &str = "Dispensed medication quantity must be equal to medication quantity in \
                     Medication Request";

fn exceeds(available: &str) -> String {
    format!(
        "Dispensed medication quantity must be lower or equal to medication quantity in \
         Medication Request. Available quantity is {available}"
    )
}

#[tokio::test]
async fn without_parts_exactly_what_was_prescribed_is_held() {
    let case = Case::new().request_quantity(20).open().await;
    for (quantity, discount) in [(10, 50), (30, 150)] {
        let asks = case.asks().quantity(quantity).discount(discount);
        let rules = [("quantity-not-equal", "$.items")];
        asks.blamed(&[[QUANTITY, "required", WHOLE]], &rules).await;
    }
    // All lines count together.
    let asks = case.asks().quantity(10).discount(50);
    asks.and_line(|_| ()).held().await;
}

#[tokio::test]
async fn in_parts_no_more_than_what_is_left_is_held() {
    let case = Case::new().in_parts().request_quantity(60).open().await;
    for (quantity, discount) in [(20, 100), (10, 50)] {
        let held = case.asks().quantity(quantity).discount(discount).held().await;
        case.process(&held).await.expect(200);
    }
    let given_back = case.asks().quantity(30).discount(150).held().await;
    case.one.ehealth_reject(given_back.id()).await.expect(200);
    let asks = case.asks().quantity(40).discount(200);
    let member = [QUANTITY, "required", &exceeds("30")];
    asks.blamed(&[member], &[("quantity-exceeds-available", "$.items")]).await;
    let held = case.asks().quantity(30).discount(150).held().await;
    case.process(&held).await.expect(200);
    assert_eq!(case.request().await["status"], "COMPLETED");
}

#[tokio::test]
async fn what_is_left_is_told_as_a_plain_decimal() {
    let brand = json!({"package_min_qty": 0.5});
    let case = Case::new().in_parts().but("brand", &brand).request_quantity(7.5).open().await;
    let asks = case.asks().quantity(8).discount(40);
    let member = [QUANTITY, "required", &exceeds("7.5")];
    asks.blamed(&[member], &[("quantity-exceeds-available", "$.items")]).await;
    case.asks().discount(37.5).held().await;
}

/// Where parts come to be forbidden after the first, nothing more is dispensed.
#[tokio::test]
async fn where_parts_are_not_allowed_nothing_is_left_after_the_first() {
    let case = Case::new().in_parts().request_quantity(20).discount(50).open().await;
    let held = case.asks().quantity(10).held().await;
    case.process(&held).await.expect(200);
    let whole = json!({"medical_program_settings": {"multi_medication_dispense_allowed": false}});
    case.change("program", &whole).await;
    let text = "No more medication dispense could be done with this medication request";
    let rules = [("nothing-left", "$.prescriptionId"), ("quantity-not-equal", "$.items")];
    case.asks().quantity(10).refused(403, text, &rules).await;
}

#[tokio::test]
async fn a_package_that_may_not_be_divided_is_dispensed_whole() {
    let whole = json!({"package_qty_divisible": false});
    let text = "Requested medication brand quantity must be a multiplier of package_min_qty (or \
                package_qty if program_medication.package_quantity_divisible = false)";
    let path = "$.dispense_details.[0].medication_qty";
    let rules = [("quantity-not-divisible", "$.items.[0].quantityDispensed")];
    let case = Case::new().but("participant", &whole).request_quantity(20).discount(100);
    case.open().await.asks().blamed(&[[path, "required", text]], &rules).await;
    let case = Case::new().but("participant", &whole).request_quantity(60).discount(300);
    case.open().await.asks().held().await;
}

/// Each line is a multiple by itself, and every one that is not is told.
#[tokio::test]
async fn each_line_is_a_multiple_of_what_can_be_divided_off() {
    let case = Case::new().without_program().request_quantity(20).open().await;
    let asks = case.asks().quantity(5).and_line(|line| line.quantity = json!(15));
    let line = |index: usize| format!("$.dispense_details.[{index}].medication_qty");
    let text = "Requested medication brand quantity must be a multiplier of package minimal \
                quantity";
    let members = [[&*line(0), "required", text], [&*line(1), "required", text]];
    let rules = [
        ("quantity-not-divisible", "$.items.[0].quantityDispensed"),
        ("quantity-not-divisible", "$.items.[1].quantityDispensed"),
    ];
    asks.blamed(&members, &rules).await;
    // Where the registry does not say what can be divided off, everything can.
    for step in [Value::Null, json!(0)] {
        let brand = json!({"package_min_qty": step});
        let case = Case::new().without_program().but("brand", &brand).request_quantity(7);
        case.open().await.asks().held().await;
    }
}

#[tokio::test]
async fn outside_any_program_parts_are_dispensed_where_the_installation_allows_it() {
    let case = || Case::new().without_program().request_quantity(20);
    let usual = case().open().await;
    let rules = [("quantity-not-equal", "$.items")];
    usual.asks().quantity(10).blamed(&[[QUANTITY, "required", WHOLE]], &rules).await;
    let in_parts = case().open_with(Switches::PartsWithoutProgram).await;
    for _ in 0..2 {
        let held = in_parts.asks().quantity(10).held().await;
        in_parts.process(&held).await.expect(200);
    }
    assert_eq!(in_parts.request().await["status"], "COMPLETED");
}

/// Two requests for one substance in the same days can both be held, because only what was handed
/// over counts: the first hand-over is in nobody's way, nor is the second. How often that happens is
/// counted where the log is followed.
#[tokio::test]
async fn two_holds_of_one_substance_that_are_open_at_once_are_both_handed_over() {
    let case = Case::new().with_other_request(&json!({})).discount(50).open().await;
    let first = case.asks().held().await;
    let second = case.asks().request(case.id("other request")).held().await;
    let outrun = r#"dispense_rule_overlaps_total{rule="one-innm"}"#;
    let before = case.one.figure(outrun).await;
    case.process(&first).await.expect(200);
    case.process(&second).await.expect(200);
    // Other cases never hand two over, so that these two alone count.
    eventually("the second hand-over is counted", FOLLOWED_WITHIN, async || {
        (case.one.figure(outrun).await > before).then_some(())
    })
    .await;
}

/// Another pharmacy may dispense the next part; whose the hold is matters only as long as it lives.
#[tokio::test]
async fn the_next_part_may_come_from_another_pharmacy() {
    let case = Case::new().in_parts().request_quantity(20).discount(50).open().await;
    let first = case.asks().quantity(10).held().await;
    let text = "Active medication dispense already exists";
    let held = [("already-held", "$.prescriptionId")];
    case.other_asks().quantity(10).refused(403, text, &held).await;
    let own = case.asks().quantity(10).ndp().await.refused(403, "already-held");
    assert_eq!(own.body["errors"][0]["params"]["dispenseId"], json!(first.id()));
    case.process(&first).await.expect(200);
    case.other_asks().quantity(10).held().await;
}
