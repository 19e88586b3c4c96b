//! `POST /api/v1/dispenses`

use serde_json::{Value, json};

use super::world::sample::{self, AT_ONCE, DIVISION, IN_PARTS, MEDICATION, PARTY, REQUEST};
use super::world::{World, create};

/// The dispense that [`sample::hold`] under the key `k1` leads to.
fn held() -> Value {
    json!({
        "id": "b6d1c4b3-0000-8000-8000-000000000000",
        "prescriptionId": REQUEST,
        "patientId": "00000000-0000-4000-8000-000000000066",
        "programId": null,
        "dispensedAt": "2026-03-02T00:00:00.000000Z",
        "pharmacyId": DIVISION,
        "pharmacyName": "Pharmacy No. 7",
        "pharmacistId": PARTY,
        "pharmacistName": "Shevchenko Olena Petrivna",
        "items": [{
            "id": "",
            "medicineCode": MEDICATION,
            "medicineName": "Amlodipine 5 mg",
            "quantityDispensed": 30,
            "quantityPrescribed": 30,
            "batchNumber": "A-17",
            "expiryDate": "2027-01-31",
            "unitPrice": 4.5,
            "totalPrice": 135.25,
            "discountAmount": 35.2,
            "reimbursementAmount": 0,
            "programMedicationId": null,
        }],
        "totalAmount": 135.25,
        "copayment": 100.05,
        "insuranceCoverage": 35.2,
        "paymentId": null,
        "status": "HELD",
        "expiresAt": "2026-03-02T10:10:00.123456Z",
        "isPartial": false,
        "createdAt": "2026-03-02T10:00:00.123456Z",
        "updatedAt": "2026-03-02T10:00:00.123456Z",
        "version": 1,
    })
}

/// The dispense without the ids that are derived.
fn without_ids(mut dispense: Value) -> Value {
    dispense["id"] = json!("");
    dispense["items"][0]["id"] = json!("");
    dispense
}

#[actix_web::test]
async fn a_hold_is_answered_with_the_dispense() {
    let world = World::new().await;
    let answer = world.create("k1", &sample::hold()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(without_ids(answer.json()), without_ids(held()));
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/dispenses/{id}").as_str()));
    assert_eq!(answer.header("etag"), Some("\"1-HELD\""));
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
    assert_eq!(answer.header("idempotency-key"), Some("k1"));
    assert_eq!(answer.header("idempotency-replayed"), None);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(world.look(&id).await.json(), answer.json());
}

#[actix_web::test]
async fn amounts_are_written_exactly_and_without_trailing_zeros() {
    let world = World::new().await;
    let body = sample::hold().to_string().replace(":4.5", ":4.5000").replace(":35.2", ":0.1e2");
    let answer = world.send(create(&body)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    for exact in [
        "\"quantityDispensed\":30,",
        "\"unitPrice\":4.5,",
        "\"totalPrice\":135.25,",
        "\"discountAmount\":10,",
        "\"copayment\":125.25,",
    ] {
        assert!(answer.text().contains(exact), "{exact} in {}", answer.text());
    }
}

#[actix_web::test]
async fn the_members_of_an_answer_stand_in_the_order_of_the_contract() {
    let world = World::new().await;
    let answer = world.create("k1", &sample::hold()).await;
    let expected = [
        "id",
        "prescriptionId",
        "patientId",
        "programId",
        "dispensedAt",
        "pharmacyId",
        "pharmacyName",
        "pharmacistId",
        "pharmacistName",
        "items",
        "totalAmount",
        "copayment",
        "insuranceCoverage",
        "paymentId",
        "status",
        "expiresAt",
        "isPartial",
        "createdAt",
        "updatedAt",
        "version",
    ];
    let text = answer.text();
    let places: Vec<usize> =
        expected.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[actix_web::test]
async fn under_a_program_without_signature_it_is_completed_at_once() {
    let world = World::new().await;
    let mut body = sample::part(AT_ONCE, 10);
    body["copayment"] = json!(12.5);
    body["paymentId"] = json!("receipt 9");
    let answer = world.create("k1", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let dispense = answer.json();
    assert_eq!(dispense["status"], "COMPLETED");
    assert_eq!(dispense["copayment"], 12.5);
    assert_eq!(dispense["paymentId"], "receipt 9");
    assert_eq!(dispense["programId"], AT_ONCE);
    assert_eq!(dispense["isPartial"], true);
    assert_eq!(dispense["expiresAt"], Value::Null);
    assert_eq!(answer.header("etag"), Some("\"2-COMPLETED\""));
    assert_eq!(answer.header("dispense-position"), Some("0:2"));
}

#[actix_web::test]
async fn asked_again_it_answers_as_it_did_first_and_says_where_the_dispense_stands_now() {
    let world = World::new().await;
    let first = world.create("k1", &sample::hold()).await;
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(world.cancel(&id, "k2").await.status, 200);

    let again = world.create("k1", &sample::hold()).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.body, first.body);
    for name in ["etag", "location", "dispense-position", "idempotency-key"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("dispense-status"), Some("CANCELLED"));
}

#[actix_web::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let world = World::new().await;
    world.create("k1", &sample::hold()).await;
    let mut other = sample::hold();
    other["note"] = json!("something else");
    let answer = world.create("k1", &other).await;
    assert_eq!(answer.problem(), (422, "idempotency-key-reused".to_owned()));
    assert_eq!(answer.header("idempotency-key"), Some("k1"));
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
}

#[actix_web::test]
async fn every_broken_rule_is_named_in_order_and_the_first_decides() {
    let world = World::new().await;
    world.create("k1", &sample::part(IN_PARTS, 20)).await;
    let mut body = sample::part(IN_PARTS, 31);
    body["items"][0]["expiryDate"] = json!("2026-03-01");
    body["copayment"] = json!(1);
    let answer = world.create("k2", &body).await;
    assert_eq!(answer.problem(), (422, "medicine-expired".to_owned()));
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
    let problem = answer.json();
    let codes: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["medicine-expired", "already-held", "quantity-exceeds-available", "payment-not-allowed"]
    );
    let paths: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["$.items.[0].expiryDate", "$.prescriptionId", "$.items", "$.copayment"]);
    assert_eq!(problem["type"], "/api/v1/errors#medicine-expired");
    assert_eq!(problem["errors"][1]["params"]["expiresAt"], "2026-03-02T10:10:00.123456Z");
    assert_eq!(
        problem["errors"][2],
        json!({
            "code": "quantity-exceeds-available",
            "path": "$.items",
            "message": "Dispensed medication quantity must be lower or equal to medication quantity in \
                        Medication Request. Available quantity is 30",
            "rule": "19",
            "params": {"available": 30, "requested": 31},
        })
    );
}

#[actix_web::test]
async fn a_command_carries_who_asked_and_which_request_and_trace_it_was() {
    let world = World::new().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = create(&sample::hold().to_string())
        .insert_header(("x-request-id", "till-4/77"))
        .insert_header(("traceparent", trace));
    assert_eq!(world.send(request).await.status, 201);
    let origin = world.last_origin();
    assert_eq!(origin.user, super::world::user());
    assert_eq!(&*origin.request_id, "till-4/77");
    assert_eq!(origin.traceparent.as_deref(), Some(trace));

    let request = create(&sample::hold().to_string()).insert_header(("traceparent", "00-nonsense"));
    world.send(request).await;
    assert_eq!(world.last_origin().traceparent, None);
}

#[actix_web::test]
async fn a_time_counts_as_its_day_in_the_zone_of_the_service() {
    let world = World::new().await;
    let mut body = sample::hold();
    // Half past midnight in Kyiv, still the first of March in London.
    body["dispensedAt"] = json!("2026-03-01T22:30:00Z");
    let answer = world.create("k1", &body).await;
    assert_eq!(answer.json()["dispensedAt"], "2026-03-02T00:00:00.000000Z", "{}", answer.text());
}
