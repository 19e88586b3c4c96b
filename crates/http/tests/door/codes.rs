//! The code of the patient: when it is judged, and how often it can be guessed. Both doors share
//! the tries.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::world::sample::{self, IN_PARTS, MEDICATION, REQUEST_IN_PARTS};
use super::world::{Answer, World, create};

const RIGHT: &str = "4821";
const WRONG: &str = "9073";

async fn guarded() -> World {
    World::on(|ground| {
        ground.request(REQUEST_IN_PARTS).verification_code = Some(RIGHT.try_into().unwrap());
    })
    .await
}

/// Through the platform's API.
async fn ask_platform(world: &World, code: Option<&str>, change: fn(&mut Value)) -> Answer {
    let mut body = sample::part(IN_PARTS, 10);
    body["verificationCode"] = json!(code);
    change(&mut body);
    world.send(create(&body.to_string())).await
}

/// Through the register's.
async fn ask_register(world: &World, code: Option<&str>, change: fn(&mut Value)) -> Answer {
    let mut dispense = json!({
        "medication_request_id": REQUEST_IN_PARTS,
        "dispensed_at": "2026-03-02",
        "division_id": sample::DIVISION,
        "medical_program_id": IN_PARTS,
        "dispense_details": [{
            "medication_id": MEDICATION,
            "medication_qty": 10,
            "sell_price": 4.5,
            "sell_amount": 135.25,
            "discount_amount": sample::paid_for(10),
        }],
    });
    change(&mut dispense);
    let body = json!({"code": code, "medication_dispense": dispense});
    world.send(create(&body.to_string()).uri("/api/medication_dispenses")).await
}

fn tries(world: &World) -> usize {
    world.state.get().wrong_codes.len()
}

fn params(answer: &Answer) -> Value {
    answer.json()["errors"][0]["params"].clone()
}

#[actix_web::test]
async fn the_platforms_api_judges_a_code_only_if_all_else_is_in_order() {
    let world = guarded().await;
    let expired = |body: &mut Value| body["items"][0]["expiryDate"] = json!("2026-03-01");
    let answer = ask_platform(&world, Some(WRONG), expired).await;
    let codes: Vec<String> = answer.violations().into_iter().map(|it| it.1).collect();
    assert_eq!((answer.status.as_u16(), codes), (422, vec!["15e+".to_owned()]));

    // A rule after it in order comes before it as well.
    let with_payment = |body: &mut Value| body["copayment"] = json!(1);
    let answer = ask_platform(&world, Some(WRONG), with_payment).await;
    assert_eq!(answer.problem(), (422, "payment-not-allowed".to_owned()));
    assert_eq!(tries(&world), 0, "what nobody learnt anything from is no try");

    assert_eq!(ask_platform(&world, Some(RIGHT), |_| ()).await.status, 201);
    let answer = ask_platform(&world, Some(WRONG), |_| ()).await;
    assert_eq!(answer.problem(), (403, "already-held".to_owned()));
}

#[actix_web::test]
async fn the_registers_api_judges_a_code_in_its_place() {
    let world = guarded().await;
    let expired =
        |dispense: &mut Value| dispense["dispense_details"][0]["expiry_date"] = json!("2026-03-01");
    let answer = ask_register(&world, Some(WRONG), expired).await;
    assert_eq!(answer.code(), "medicine-expired");
    assert_eq!(tries(&world), 0);

    assert_eq!(ask_register(&world, Some(RIGHT), |_| ()).await.status, 201);
    let denied = (401, "access_denied".to_owned(), "Incorrect code".to_owned());
    let answer = ask_register(&world, Some(WRONG), |_| ()).await;
    assert_eq!(answer.error(), denied, "before the hold is spoken of");
    assert_eq!(tries(&world), 1);
    let answer = ask_register(&world, Some(RIGHT), |_| ()).await;
    assert_eq!(answer.code(), "already-held");
}

#[actix_web::test]
async fn no_code_is_wrong_where_there_is_one_but_no_try() {
    let world = guarded().await;
    let answer = ask_platform(&world, None, |_| ()).await;
    assert_eq!(answer.problem(), (401, "wrong-code".to_owned()));
    assert_eq!(params(&answer), json!({"triesLeft": 5}));
    assert_eq!(ask_register(&world, None, |_| ()).await.error().0, 401);
    assert_eq!(tries(&world), 0);
}

#[actix_web::test]
async fn after_five_wrong_codes_both_doors_wait() {
    let world = guarded().await;
    for left in [4, 3, 2] {
        let answer = ask_platform(&world, Some(WRONG), |_| ()).await;
        assert_eq!(answer.problem(), (401, "wrong-code".to_owned()));
        assert_eq!(params(&answer), json!({"triesLeft": left}));
        assert_eq!(answer.header("www-authenticate"), Some("VerificationCode"));
    }
    world.state.get().now += TimeDelta::milliseconds(1500);
    for _ in 0..2 {
        let answer = ask_register(&world, Some(WRONG), |_| ()).await;
        assert_eq!(answer.error().0, 401);
        assert_eq!(answer.header("www-authenticate"), Some("VerificationCode"));
    }

    world.state.get().now += TimeDelta::minutes(1);
    let platform = ask_platform(&world, Some(RIGHT), |_| ()).await;
    assert_eq!(platform.problem(), (429, "too-many-wrong-codes".to_owned()));
    let expected = json!({"limit": 5, "retryAfter": 839, "retryAt": "2026-03-02T10:15:00.123456Z"});
    assert_eq!(params(&platform), expected, "838.5 seconds are not enough yet");
    let register = ask_register(&world, Some(RIGHT), |_| ()).await;
    assert_eq!(register.error().1, "too_many_requests");
    for answer in [platform, register] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("839")));
    }
    assert_eq!(tries(&world), 5, "what is refused unjudged is no try");

    world.state.get().now += TimeDelta::seconds(839);
    assert_eq!(ask_register(&world, Some(RIGHT), |_| ()).await.status, 201);
}
