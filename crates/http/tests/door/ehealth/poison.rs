//! Bad strings and numbers through every member: refused in the register's words, never a bug, never
//! in the log.

use serde_json::json;

use super::super::poison::{bad_values, nothing_bad_was_logged};
use super::super::world::World;
use super::super::world::sample::AT_ONCE;
use super::{action, create_with, part};

const MEMBERS: [&str; 20] = [
    "/code",
    "/medication_dispense",
    "/medication_dispense/medication_request_id",
    "/medication_dispense/dispensed_at",
    "/medication_dispense/dispensed_by",
    "/medication_dispense/division_id",
    "/medication_dispense/medical_program_id",
    "/medication_dispense/note",
    "/medication_dispense/payment_id",
    "/medication_dispense/payment_amount",
    "/medication_dispense/dispense_details",
    "/medication_dispense/dispense_details/0/medication_id",
    "/medication_dispense/dispense_details/0/program_medication_id",
    "/medication_dispense/dispense_details/0/medication_qty",
    "/medication_dispense/dispense_details/0/sell_price",
    "/medication_dispense/dispense_details/0/sell_amount",
    "/medication_dispense/dispense_details/0/discount_amount",
    "/medication_dispense/dispense_details/0/medication_2d_codes",
    "/medication_dispense/dispense_details/0/batch_number",
    "/medication_dispense/dispense_details/0/expiry_date",
];

fn with(pointer: &str, value: &str) -> String {
    let mut dispense = part(AT_ONCE, 1);
    dispense["payment_amount"] = json!(0);
    let mut body = json!({"medication_dispense": dispense});
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = json!("@@");
    body.to_string().replace("\"@@\"", value)
}

#[actix_web::test]
async fn no_bad_value_gets_further_than_a_refusal_in_the_envelope() {
    let world = World::new().await;
    for value in &bad_values() {
        for member in MEMBERS {
            world.state.get().wrong_codes.clear();
            let answer = world.send(create_with(&with(member, value))).await;
            if answer.status == 201 {
                let text = answer.text();
                assert!(!text.contains("\\u0000") && !text.contains('\u{7f}'), "{member}: {value}");
                continue;
            }
            let (status, kind, _) = answer.error();
            let wrong_code = status == 401 && member == "/code";
            let known = wrong_code || matches!(status, 403 | 409 | 422);
            assert!(known, "{member}: {value}: {status} {kind}");
        }
        let body = format!("{{\"payment_id\": {value}, \"reject_reason\": {value}}}");
        let reject = action("17", "reject", &json!({})).set_payload(body);
        assert!(matches!(world.send(reject).await.error().0, 404 | 422), "{value}");
    }
    nothing_bad_was_logged(&world);
}
