//! Rules 12 and 13: the program, and the contract for it; and prices, which the program may do
//! without (5.3).

use serde_json::{Value, json};

use crate::harness::case::{tomorrow, unknown, yesterday};
use crate::harness::{Case, OVER, Switches};

#[tokio::test]
async fn a_program_may_take_over_what_was_prescribed_under_another() {
    let case = Case::new().with_second_program().discount(50).open().await;
    let text = "Medical program in dispense doesn't match the one in medication request";
    let asks = case.asks().program(case.id("second program"));
    let member = ["$.medical_program_id", "invalid", text];
    asks.blamed(&[member], &[("program-mismatch", "$.programId")]).await;

    // The setting of the program that pays counts, not that of the one that was prescribed under.
    let takes_over = json!({"medical_program_change_on_dispense_allowed": true});
    case.change("program", &json!({"medical_program_settings": takes_over})).await;
    asks.blamed(&[member], &[("program-mismatch", "$.programId")]).await;
    case.change("second program", &json!({"medical_program_settings": takes_over})).await;
    let held = asks.held().await;
    assert_eq!(held.data()["medical_program"]["id"], json!(case.id("second program")));
    let prescribed = &held.data()["medication_request"]["medical_program"]["id"];
    assert_eq!(prescribed, &json!(case.id("program")));
}

#[tokio::test]
async fn only_a_contract_for_the_program_that_is_in_force_today_counts() {
    let text = "Program cannot be used - no active contract exists";
    let rules = [("no-contract", "$.programId"), OVER];
    Case::new().without("contract").open().await.asks().refused(409, text, &rules).await;
    for members in [
        json!({"type": "CAPITATION"}),
        json!({"status": "TERMINATED"}),
        json!({"is_active": false}),
        json!({"end_date": yesterday()}),
        json!({"start_date": tomorrow()}),
        json!({"medical_programs": [unknown()]}),
        json!({"contractor_legal_entity_id": unknown()}),
    ] {
        let case = Case::new().but("contract", &members).open().await;
        case.asks().refused(409, text, &rules).await;
    }
    // The older form names one program.
    let case = Case::new().discount(50);
    let older = json!({"medical_programs": null, "medical_program_id": case.id("program")});
    case.but("contract", &older).open().await.asks().held().await;
}

#[tokio::test]
async fn of_several_contracts_one_that_is_not_suspended_is_enough() {
    let second = json!({"contract_number": unknown(), "is_suspended": true});
    let case = Case::new().with("second contract", "contract", &second).discount(50);
    case.open().await.asks().held().await;
}

#[tokio::test]
async fn the_outlet_takes_part_in_a_contract_that_counts() {
    let text = "Division should be participant of a contract to create dispense";
    let rules = [("division-not-in-contract", "$.pharmacyId")];
    let outside = json!({"division_ids": []});
    let case = Case::new().but("contract", &outside).discount(50);
    case.clone().open().await.asks().refused(409, text, &rules).await;
    // To take part in one that is suspended is not enough.
    let suspended = json!({"contract_number": unknown(), "is_suspended": true,
        "division_ids": [case.id("division")]});
    let case = case.with("second contract", "contract", &suspended);
    case.open().await.asks().refused(409, text, &rules).await;
    // Where provisions are asked for, they say it instead.
    let case = Case::new().but("contract", &outside).discount(50);
    case.open_with(Switches::Provisions).await.asks().held().await;
}

#[tokio::test]
async fn prices_are_stated_unless_somebody_else_than_the_payer_funds_the_program() {
    let without_prices = |case: &crate::harness::Opened| {
        case.asks().line(|line| {
            line.price = Value::Null;
            line.amount = Value::Null;
            line.discount = Value::Null;
        })
    };
    let case = Case::new().open().await;
    let missing = ["sell_price", "sell_amount", "discount_amount"].map(|name| {
        let text = format!("required property {name} was not present");
        (format!("$.dispense_details.[0].{name}"), text)
    });
    let members: Vec<[&str; 3]> =
        missing.iter().map(|(path, text)| [&**path, "required", &**text]).collect();
    without_prices(&case).ehealth().await.blames(&members);
    without_prices(&case).ndp().await.refused(422, "schema");

    let local = json!({"funding_source": "LOCAL"});
    let case = Case::new().but("program", &local).open().await;
    let held = without_prices(&case).held().await;
    assert_eq!(held.data()["details"][0]["discount_amount"], Value::Null);
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 150);
}
