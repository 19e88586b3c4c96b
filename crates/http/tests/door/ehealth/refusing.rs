//! Rules that forbid a create, as the register says them: status, type, path, rule and text, the
//! first failing step alone.

use std::sync::Arc;

use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::super::world::sample::{DIVISION, IN_PARTS, MEDICATION, REQUEST_PLANNED};
use super::super::world::{READ, WRITE, World, record};
use super::{blamed, create, detail, hold, part, said};

/// In no registry.
const UNKNOWN: &str = "00000000-0000-4000-8000-0000000000ff";

/// C-01
#[actix_web::test]
async fn a_token_of_no_legal_entity_is_refused() {
    let world = World::new().await;
    let token = world.token_of(UNKNOWN, ClientType::Pharmacy, WRITE);
    let answer = world.send_as(&token, create(&hold())).await;
    let expected = blamed("$.legal_entity_id", "invalid", "Legal entity not found");
    assert_eq!(answer.invalid(), [expected]);
}

/// C-02
#[actix_web::test]
async fn a_medication_request_that_nobody_knows_is_refused() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["medication_request_id"] = json!(UNKNOWN);
    let answer = world.held("k1", &dispense).await;
    let expected = blamed("$.medication_request_id", "invalid", "Medication request not found");
    assert_eq!(answer.invalid(), [expected]);
}

/// C-04
#[actix_web::test]
async fn outside_its_days_nothing_is_dispensed() {
    let world = World::new().await;
    world.state.get().now = "2026-02-28T10:00:00Z".parse().unwrap();
    let answer = world.held("k1", &hold()).await;
    assert_eq!(answer.error(), said(409, "request_conflict", "Invalid dispense period"));
    assert_eq!(answer.code(), "outside-dispense-period");
    assert_eq!(answer.json()["error"].get("invalid"), None);
}

/// C-05
#[actix_web::test]
async fn a_user_without_a_party_is_refused_before_the_medication_request_is_looked_at() {
    let world = World::with(|registries| registries.party_users.clear()).await;
    let mut dispense = hold();
    dispense["medication_request_id"] = json!(UNKNOWN);
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.error(), said(400, "request_malformed", "Party not found"));
    assert_eq!(
        answer.json()["error"]["invalid"],
        json!([{"entry_type": "request", "rules": [{"rule": "json"}]}])
    );
}

/// C-07
#[actix_web::test]
async fn a_division_that_nobody_knows_is_refused_before_the_program() {
    let world = World::new().await;
    let mut dispense = part(UNKNOWN, 10);
    dispense["division_id"] = json!(UNKNOWN);
    let answer = world.held("k1", &dispense).await;
    assert_eq!(answer.invalid(), [blamed("$.division_id", "invalid", "Division not found")]);
}

/// C-08
#[actix_web::test]
async fn a_division_that_is_closed_does_not_dispense() {
    let world = World::with(|registries| {
        let id = DIVISION.parse::<uuid::Uuid>().unwrap().into();
        Arc::make_mut(registries.divisions.get_mut(&id).unwrap()).is_active = false;
    })
    .await;
    let answer = world.held("k1", &hold()).await;
    assert_eq!(answer.error(), said(409, "request_conflict", "Division is not active"));
}

/// C-10
#[actix_web::test]
async fn a_program_that_nobody_knows_is_refused() {
    let world = World::new().await;
    let answer = world.held("k1", &part(UNKNOWN, 10)).await;
    let expected = blamed("$.medical_program_id", "invalid", "Medical program not found");
    assert_eq!(answer.invalid(), [expected]);
}

/// C-14
#[actix_web::test]
async fn a_medication_that_nobody_knows_is_refused() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["dispense_details"][0]["medication_id"] = json!(UNKNOWN);
    let answer = world.held("k1", &dispense).await;
    let path = "$.dispense_details.[0].medication_id";
    assert_eq!(answer.invalid(), [blamed(path, "invalid", "Medication not found")]);
    assert_eq!(answer.code(), "medication-not-found");
}

/// C-20
#[actix_web::test]
async fn a_plan_is_not_dispensed() {
    let world = World::new().await;
    let mut dispense = hold();
    dispense["medication_request_id"] = json!(REQUEST_PLANNED);
    let answer = world.held("k1", &dispense).await;
    let text = "Medication request with intent PLAN cannot be dispensed";
    assert_eq!(answer.error(), said(409, "request_conflict", text));
}

///
#[actix_web::test]
async fn a_payment_before_the_signature_is_refused_member_by_member() {
    let world = World::new().await;
    let mut dispense = part(IN_PARTS, 10);
    dispense["payment_id"] = Value::Null;
    dispense["payment_amount"] = json!(20);
    let answer = world.held("k1", &dispense).await;
    let text = "schema does not allow additional properties";
    let mut invalid = answer.invalid();
    invalid.sort();
    assert_eq!(
        invalid,
        [blamed("$.payment_amount", "schema", text), blamed("$.payment_id", "schema", text)]
    );
}

///
#[actix_web::test]
async fn a_scope_that_is_missing_is_named() {
    let world = World::new().await;
    let answer = world.send_as(&world.token(READ), create(&hold())).await;
    let text = "Your scope does not allow to access this resource. Missing allowances: \
                medication_dispense:write";
    assert_eq!(answer.error(), said(403, "forbidden", text));
}

///
#[actix_web::test]
async fn what_is_held_already_is_forbidden() {
    let world = World::new().await;
    world.held("k1", &part(IN_PARTS, 10)).await;
    let answer = world.held("k2", &part(IN_PARTS, 10)).await;
    assert_eq!(answer.error(), said(403, "forbidden", "Active medication dispense already exists"));
}

#[actix_web::test]
async fn a_quantity_is_blamed_on_the_medication_request() {
    let world = World::new().await;
    let answer = world.held("k1", &part(IN_PARTS, 31)).await;
    let text = "Dispensed medication quantity must be lower or equal to medication quantity in \
                Medication Request. Available quantity is 30";
    let path = "$.medication_request.medication_qty";
    assert_eq!(answer.invalid(), [blamed(path, "required", text)]);
    assert_eq!(
        answer.json()["error"]["invalid"][0]["rules"][0],
        json!({"rule": "required", "description": text, "params": []})
    );
}

#[actix_web::test]
async fn the_first_failing_step_is_told_alone() {
    let world = World::new().await;
    world.held("k1", &part(IN_PARTS, 10)).await;
    let mut dispense = part(IN_PARTS, 31);
    dispense["payment_id"] = json!("12345");
    dispense["dispense_details"][0]["expiry_date"] = json!("2026-03-01");
    let answer = world.held("k2", &dispense).await;
    let path = "$.dispense_details.[0].expiry_date";
    assert_eq!(answer.invalid(), [blamed(path, "invalid", "Medication is expired")]);

    dispense["dispense_details"][0]["expiry_date"] = json!("2026-03-02");
    let answer = world.held("k2", &dispense).await;
    assert_eq!(answer.error().0, 403, "{}", answer.text());
}

///
#[actix_web::test]
async fn every_line_is_told_with_its_first_fault_in_the_order_of_the_lines() {
    let world = World::new().await;
    let mut expired = detail(10);
    expired["expiry_date"] = json!("2026-03-01");
    let mut both = expired.clone();
    both["medication_id"] = json!(UNKNOWN);
    let mut unknown = detail(10);
    unknown["medication_id"] = json!(UNKNOWN);
    let mut dispense = part(IN_PARTS, 10);
    dispense["dispense_details"] = json!([expired, detail(10), both, unknown]);
    let answer = world.held("k1", &dispense).await;
    assert_eq!(
        answer.invalid(),
        [
            blamed("$.dispense_details.[0].expiry_date", "invalid", "Medication is expired"),
            blamed("$.dispense_details.[2].medication_id", "invalid", "Medication not found"),
            blamed("$.dispense_details.[3].medication_id", "invalid", "Medication not found"),
        ]
    );
}

/// Step 20 as step 15, which comes before it.
#[actix_web::test]
async fn every_line_that_divides_a_package_is_told() {
    let world = World::with(|registries| {
        record(&mut registries.medications, MEDICATION).package_min_qty = Some(10.into());
    })
    .await;
    let mut dispense = part(IN_PARTS, 10);
    dispense["dispense_details"] = json!([detail(5), detail(10), detail(15)]);
    let answer = world.held("k1", &dispense).await;
    let text = "Requested medication brand quantity must be a multiplier of package minimal \
                quantity";
    let path = |line: usize| format!("$.dispense_details.[{line}].medication_qty");
    assert_eq!(
        answer.invalid(),
        [blamed(&path(0), "required", text), blamed(&path(2), "required", text)]
    );

    dispense["dispense_details"][1]["discount_amount"] = json!(0);
    let answer = world.held("k2", &dispense).await;
    let text = "Requested discount price does not satisfy allowed reimbursement amount";
    let path = "$.dispense_details.[1].discount_amount";
    assert_eq!(answer.invalid(), [blamed(path, "required", text)]);
}

#[actix_web::test]
async fn every_price_that_is_missing_is_told_where_the_payer_funds() {
    let world = World::new().await;
    let mut dispense = part(IN_PARTS, 10);
    let detail = dispense["dispense_details"][0].as_object_mut().unwrap();
    detail.remove("sell_price");
    detail.remove("discount_amount");
    let answer = world.held("k1", &dispense).await;
    let text = |name: &str| format!("required property {name} was not present");
    let path = |name: &str| format!("$.dispense_details.[0].{name}");
    assert_eq!(
        answer.invalid(),
        [
            blamed(&path("sell_price"), "required", &text("sell_price")),
            blamed(&path("discount_amount"), "required", &text("discount_amount")),
        ]
    );
}
