//! Rules 15 and 6: brands, and on what terms a program pays for them.

use chrono::Days;
use serde_json::{Value, json};

use crate::harness::case::{kyiv_today, tomorrow, unknown, yesterday};
use crate::harness::{Case, OVER};

const MEDICATION: &str = "$.dispense_details.[0].medication_id";
const PARTICIPANT: &str = "$.dispense_details.[0].program_medication_id";
const DISCOUNT: &str = "$.dispense_details.[0].discount_amount";

const OUT_OF_BOUNDS: &str =
    "Requested discount price does not satisfy allowed reimbursement amount";

const NOT_QUALIFIED: (&str, &str) = ("not-qualified", "$.prescriptionId");

/// A second dosage of the substance, and a brand of it in the same program.
fn with_other_dosage(case: Case) -> Case {
    let dosage = case.id("other dosage");
    let brand = json!({"ingredients": [{"medication_child_id": dosage, "is_primary": true}]});
    let (case, id) = (case.with("other dosage", "dosage", &json!({})), "other brand");
    let case = case.with(id, "brand", &brand);
    let participant = json!({"medication_id": case.id(id)});
    case.with("other participant", "participant", &participant)
}

#[tokio::test]
async fn a_brand_of_another_dosage_is_not_what_was_prescribed() {
    let case = with_other_dosage(Case::new()).discount(50).open().await;
    let text = "Medication doesn't match the one in medication request";
    let rules = [("medication-mismatch", "$.items.[0].medicineCode")];
    let asks = case.asks().medication(case.id("other brand"));
    asks.blamed(&[[MEDICATION, "invalid", text]], &rules).await;
    // A bare substance cannot be dispensed at all.
    let rules = [("medication-not-found", "$.items.[0].medicineCode")];
    let asks = case.asks().medication(case.id("substance"));
    asks.blamed(&[[MEDICATION, "invalid", "Medication not found"]], &rules).await;
}

#[tokio::test]
async fn a_brand_whose_record_has_holes_is_not_active() {
    let secondary = json!({"ingredients": []});
    let rules = [("medication-not-active", "$.items.[0].medicineCode"), NOT_QUALIFIED];
    let member = [MEDICATION, "required", "medication is not active"];
    for members in [secondary, json!({"package_qty": null}), json!({"package_qty": 0})] {
        let case = Case::new().but("brand", &members).discount(50).open().await;
        case.asks().blamed(&[member], &rules).await;
    }
}

#[tokio::test]
async fn the_participant_that_is_named_counts_or_else_the_newest() {
    let newer = json!({"start_date": kyiv_today() - Days::new(3),
        "reimbursement": {"reimbursement_amount": 300}});
    let case = Case::new().with("newer", "participant", &newer).open().await;
    // 10 of 30: 50 by the older terms, 100 by the newer ones.
    let too_little = [DISCOUNT, "required", OUT_OF_BOUNDS];
    case.asks().discount(50).blamed(&[too_little], &[OVER]).await;
    let named = case.asks().participant(case.id("participant"));
    named.clone().discount(100).blamed(&[too_little], &[OVER]).await;
    let held = named.discount(50).held().await;
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 150);
    let named = &held.data()["details"][0]["program_medication_id"];
    assert_eq!(named, &json!(case.id("participant")));
    case.one.ehealth_reject(held.id()).await.expect(200);
    let held = case.asks().discount(100).held().await;
    assert_eq!(held.data()["details"][0]["reimbursement_amount"], 300);
}

#[tokio::test]
async fn a_participant_that_is_named_is_one_of_brand_and_program() {
    let case = with_other_dosage(Case::new()).open().await;
    let text = "Invalid program medication id";
    let rules = [("program-medication-invalid", "$.items.[0].programMedicationId")];
    for id in [unknown(), case.id("other participant")] {
        let asks = case.asks().participant(id);
        asks.blamed(&[[PARTICIPANT, "invalid", text]], &rules).await;
    }
}

#[tokio::test]
async fn a_participant_counts_from_its_first_day_to_its_last() {
    let text = "There are no active program medications for this program and medication";
    let member = [PARTICIPANT, "invalid", text];
    let expired = ("program-medication-expired", "$.items.[0].programMedicationId");
    for days in [json!({"end_date": yesterday()}), json!({"start_date": tomorrow()})] {
        let case = Case::new().but("participant", &days).open().await;
        case.asks().blamed(&[member], &[expired, NOT_QUALIFIED]).await;
        let named = case.asks().participant(case.id("participant"));
        named.blamed(&[member], &[expired, NOT_QUALIFIED]).await;
    }
    let today = json!({"start_date": kyiv_today(), "end_date": kyiv_today()});
    Case::new().but("participant", &today).discount(50).open().await.asks().held().await;
}

/// The payer sets elsewhere what it pays: the discount is bounded by the price alone.
#[tokio::test]
async fn an_external_channel_bounds_the_discount_by_the_price() {
    for kind in ["EXTERNAL", "PERCENTAGE"] {
        let external = json!({"reimbursement": {"type": kind}});
        let case = Case::new().but("participant", &external).open().await;
        let asks = case.asks().discount(186.51);
        asks.blamed(&[[DISCOUNT, "required", OUT_OF_BOUNDS]], &[OVER]).await;
        for discount in [json!(186.5), json!(0)] {
            let held = case.asks().discount(discount).held().await;
            assert_eq!(held.data()["details"][0]["reimbursement_amount"], 150);
            case.one.ehealth_reject(held.id()).await.expect(200);
        }
    }
    let unset = json!({"reimbursement": {"type": "EXTERNAL", "reimbursement_amount": null}});
    let case = Case::new().but("participant", &unset).discount(1).open().await;
    assert_eq!(case.asks().held().await.data()["details"][0]["reimbursement_amount"], 0);
}

/// R, P and Q with the discounts just within the bounds, and those just outside.
#[tokio::test]
async fn the_bounds_of_a_discount_are_exact() {
    for (reimbursed, package, quantity, refused, granted) in [
        (json!(150), 30, 10, [44.99, 50.02], [45.0, 50.01]),
        (json!(150), 30, 100, [449.99, 500.02], [450.0, 500.01]),
        (json!(10), 30, 10, [2.99, 3.35], [3.0, 3.34]),
        (json!(35.71), 30, 10, [10.71, 11.92], [10.72, 11.91]),
        (json!(22.35), 60, 14, [4.69, 5.23], [4.7, 5.22]),
    ] {
        let brand = json!({"package_qty": package, "package_min_qty": 1});
        let case = Case::new().participant(reimbursed).but("brand", &brand);
        let case = case.request_quantity(quantity).open().await;
        for discount in refused {
            let asks = case.asks().discount(discount);
            asks.blamed(&[[DISCOUNT, "required", OUT_OF_BOUNDS]], &[OVER]).await;
        }
        for discount in granted {
            let held = case.asks().discount(discount).held().await;
            case.one.ehealth_reject(held.id()).await.expect(200);
        }
    }
}

/// Each line is judged alone; the register tells each with its first fault.
#[tokio::test]
async fn discounts_of_several_lines_are_not_pooled() {
    let case = Case::new().request_quantity(20).open().await;
    let asks = case.asks().quantity(10).discount(40);
    let asks = asks.and_line(|line| line.discount = json!(60));
    let second = "$.dispense_details.[1].discount_amount";
    let members = [[DISCOUNT, "required", OUT_OF_BOUNDS], [second, "required", OUT_OF_BOUNDS]];
    let rules = [OVER, ("discount-out-of-bounds", "$.items.[1].discountAmount")];
    asks.blamed(&members, &rules).await;

    let asks = case.asks().quantity(10).discount(40).and_line(|line| {
        line.medication = unknown();
    });
    let unknown = "$.dispense_details.[1].medication_id";
    // Each line with the rule that it broke itself.
    let members =
        [[DISCOUNT, "required", OUT_OF_BOUNDS], [unknown, "invalid", "Medication not found"]];
    asks.ehealth().await.refused(422, "medication-not-found").blames(&members);
    let platform = asks.ndp().await.refused(422, "medication-not-found");
    assert_eq!(platform.codes(), ["medication-not-found", OVER.0], "rule by rule");
}

#[tokio::test]
async fn brands_of_several_makers_are_held_together() {
    let maker = json!({"manufacturer": {"name": "Дарниця", "country": "UA"}});
    let case = Case::new().with("second brand", "brand", &maker);
    let second = case.id("second brand");
    let participant = json!({"medication_id": second});
    let case = case.with("second participant", "participant", &participant);
    let case = case.request_quantity(20).open().await;
    let asks = case.asks().quantity(10).discount(50);
    let held = asks.and_line(|line| line.medication = second).held().await;
    let details = held.data()["details"].as_array().unwrap().iter();
    let makers: Vec<&Value> = details.map(|it| &it["medication"]["manufacturer"]["name"]).collect();
    assert_eq!(makers, ["Фармак", "Дарниця"]);
}
