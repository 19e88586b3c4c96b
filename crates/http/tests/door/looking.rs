//! `GET /api/v1/dispenses/{id}` and `GET /api/v1/prescriptions/{id}`

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::asker::ClientType;
use rust_decimal::Decimal;
use serde_json::json;

use super::world::sample::{
    self, AT_ONCE, CLINIC, IN_PARTS, MEDICATION, NUMBER, OTHER_PHARMACY, REQUEST_IN_PARTS,
};
use super::world::{READ, World, record};

fn look(id: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/api/v1/dispenses/{id}"))
}

async fn held(world: &World) -> String {
    let answer = world.create("hold", &sample::hold()).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let world = World::new().await;
    let id = held(&world).await;
    for known in ["\"1-HELD\"", "W/\"1-HELD\"", "\"x\", \"1-HELD\"", "\"x\" ,W/\"1-HELD\" ", "*"] {
        let answer = world.send(look(&id).insert_header(("if-none-match", known))).await;
        assert_eq!(answer.status, 304, "{known}");
        assert_eq!(answer.header("etag"), Some("\"1-HELD\""));
        assert_eq!(answer.text(), "");
    }
    for other in ["\"2-HELD\"", "1-HELD", "\"\"", ""] {
        let answer = world.send(look(&id).insert_header(("if-none-match", other))).await;
        assert_eq!(answer.status, 200, "{other}");
    }
}

#[actix_web::test]
async fn a_hold_that_ran_out_is_another_version_without_an_event() {
    let world = World::new().await;
    let id = held(&world).await;
    world.state.get().now += TimeDelta::minutes(11);
    let answer = world.send(look(&id).insert_header(("if-none-match", "\"1-HELD\""))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "EXPIRED");
    assert_eq!(answer.header("etag"), Some("\"1-EXPIRED\""));
}

#[actix_web::test]
async fn an_erased_name_is_null() {
    let world = World::new().await;
    let id = held(&world).await;
    world.state.get().events[0].1.body = None;
    assert_eq!(world.look(&id).await.json()["pharmacistName"], json!(null));
}

#[actix_web::test]
async fn an_id_may_be_written_in_every_form() {
    let world = World::new().await;
    let id = held(&world).await;
    for form in [id.clone(), id.to_uppercase(), id.replace('-', "")] {
        assert_eq!(world.look(&form).await.status, 200, "{form}");
    }
    for malformed in ["17", "x", "%20", "urn:uuid:00000000-0000-4000-8000-0000000000e1", "%00"] {
        let answer = world.look(malformed).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{malformed}");
        assert_eq!(answer.json()["detail"], "There is no such dispense");
    }
    let braced = world.look(&format!("%7B{id}%7D")).await;
    assert_eq!(braced.problem(), (404, "not-found".to_owned()));
}

#[actix_web::test]
async fn what_is_not_ones_own_does_not_exist_unless_one_sees_all() {
    let world = World::new().await;
    let id = held(&world).await;
    for (client_type, status) in [
        (ClientType::Pharmacy, 404),
        (ClientType::MspPharmacy, 404),
        (ClientType::Msp, 404),
        (ClientType::Nhs, 200),
        (ClientType::Mis, 200),
        (ClientType::Cabinet, 200),
    ] {
        let token = world.token_of(OTHER_PHARMACY, client_type, READ);
        assert_eq!(world.send_as(&token, look(&id)).await.status, status, "{client_type}");
    }
}

#[actix_web::test]
async fn the_balance_tells_what_is_left() {
    let world = World::with(|registries| {
        record(&mut registries.medications, MEDICATION).package_min_qty = Some(Decimal::new(25, 1));
    })
    .await;
    let mut done = sample::part(AT_ONCE, 5);
    done["items"][0]["quantityDispensed"] = json!(7.5);
    done["items"][0]["discountAmount"] = json!(8.8);
    done["copayment"] = json!(0);
    assert_eq!(world.create("k1", &done).await.status, 201);
    assert_eq!(world.create("k2", &sample::part(IN_PARTS, 10)).await.status, 201);
    let balance = |id: &str| TestRequest::get().uri(&format!("/api/v1/prescriptions/{id}"));
    for key in [REQUEST_IN_PARTS, &REQUEST_IN_PARTS.replace('-', ""), NUMBER] {
        let answer = world.send(balance(key)).await;
        assert_eq!(
            answer.text(),
            format!(
                "{{\"id\":\"{REQUEST_IN_PARTS}\",\"status\":\"ACTIVE\",\"prescribed\":30,\"held\":10,\
                 \"dispensed\":7.5,\"available\":12.5,\"unit\":\"PILL\"}}"
            ),
            "{key}"
        );
    }
    let unknown = world.send(balance("00000000-0000-4000-8000-0000000000ff")).await;
    assert_eq!(unknown.problem(), (404, "not-found".to_owned()));
    assert_eq!(unknown.json()["detail"], "There is no such prescription");
    for key in ["17", "0000-AAAA-AAAA-AAAA", &NUMBER.to_lowercase()] {
        let unknown = world.send(balance(key)).await;
        assert_eq!(unknown.problem(), (404, "not-found".to_owned()), "{key}");
    }

    let own_clinic = world.token_of(CLINIC, ClientType::Msp, READ);
    assert_eq!(world.send_as(&own_clinic, balance(REQUEST_IN_PARTS)).await.status, 200);
    let other_clinic = world.token_of(OTHER_PHARMACY, ClientType::Msp, READ);
    assert_eq!(world.send_as(&other_clinic, balance(REQUEST_IN_PARTS)).await.status, 404);
}
