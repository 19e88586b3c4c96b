//! `POST /api/medication_requests/{id}/actions/qualify`

use actix_web::http::Method;
use actix_web::test::TestRequest;
use dispensary::asker::ClientType;
use dispense_domain::registry::{DivisionStatus, Intent, RequestStatus};
use serde_json::{Value, json};

use super::super::qualifying::scenes::{FORBIDDEN, NOBODY, REJECTED, break_all, say_all};
use super::super::world::sample::{
    AT_ONCE, CLINIC, DIVISION, IN_PARTS, MEDICATION, NUMBER, OTHER_PHARMACY, PARTICIPANT, PHARMACY,
    REQUEST, REQUEST_IN_PARTS,
};
use super::super::world::{Answer, Ground, READ, WRITE, World, record};
use super::describing::is_described;
use super::{PREFIXES, blamed, said};

const DETAILS: &str = "medication_request:details";
const REQUIRED: &str = "required property programs was not present";

fn question(key: &str) -> TestRequest {
    TestRequest::post().uri(&format!("/api/medication_requests/{key}/actions/qualify"))
}

fn body(programs: &[&str], division: Option<&str>) -> Value {
    let programs: Vec<Value> = programs.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"programs": programs});
    if let Some(division) = division {
        body["division_id"] = json!(division);
    }
    body
}

async fn ask(world: &World, body: &Value) -> Answer {
    let token = world.token(DETAILS);
    world.send_as(&token, question(REQUEST_IN_PARTS).set_json(body)).await
}

fn data(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].as_array().unwrap().clone()
}

/// both prefixes answer the same list in the envelope.
#[actix_web::test]
async fn a_program_that_can_pay_is_shown_with_its_brands_under_both_prefixes() {
    let world = World::on(say_all).await;
    let token = world.token(DETAILS);
    let expected = json!([{
        "program_id": IN_PARTS,
        "program_name": "Affordable medicines",
        "status": "VALID",
        "rejection_reason": "",
        "participants": [{
            "id": PARTICIPANT,
            "medication_id": MEDICATION,
            "medication_name": "Amlodipine 5 mg",
            "form": "TABLET",
            "manufacturer": {"name": "Pharma JSC", "country": "UA"},
            "reimbursement_amount": 35.2,
            "wholesale_price": 30.5,
            "consumer_price": 40.1,
            "reimbursement_daily_dosage": 1.173,
            "estimated_payment_amount": 0,
            "package_qty": 30,
            "package_min_qty": 2.5,
            "start_date": "2026-01-01",
            "end_date": "2026-12-31",
            "registry_number": "17",
            "container_dosage": {"numerator_unit": "PILL", "numerator_value": 1},
            "drlz_sku_id": "9876",
            "package_qty_divisible": true,
        }],
    }]);
    for prefix in PREFIXES {
        let uri = format!("{prefix}/medication_requests/{NUMBER}/actions/qualify");
        let asked = TestRequest::post().uri(&uri).set_json(body(&[IN_PARTS], Some(DIVISION)));
        let answer = world.send_as(&token, asked).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        assert_eq!(json["data"], expected, "{}", answer.text());
        assert_eq!(json["meta"]["code"], 200);
        assert_eq!(json["meta"]["type"], "list");
        assert_eq!(json["meta"]["url"], format!("http://localhost:8080{uri}"));
        assert_eq!(json["meta"].get("idempotency_key"), None);
        assert_eq!(json.get("paging"), None);
        assert!(answer.text().contains("\"reimbursement_amount\":35.2,"), "{}", answer.text());
        for absent in ["dispense-position", "x-idempotency-key", "etag"] {
            assert_eq!(answer.header(absent), None, "{absent}");
        }
    }
}

#[actix_web::test]
async fn what_a_registry_does_not_say_is_null() {
    let world = World::new().await;
    let data = data(&ask(&world, &body(&[IN_PARTS], None)).await);
    let participant = data[0]["participants"][0].as_object().unwrap().clone();
    assert_eq!(participant.len(), 18);
    for absent in ["manufacturer", "wholesale_price", "start_date", "package_qty_divisible"] {
        assert_eq!(participant.get(absent), Some(&Value::Null), "{absent}");
    }
}

/// a program that cannot pay is an answer, and each stands where it was asked for.
#[actix_web::test]
async fn each_program_is_answered_in_the_order_in_which_it_was_asked_for() {
    let world = World::with(|registries| {
        registries.program_medications.remove(&PARTICIPANT.parse::<uuid::Uuid>().unwrap());
    })
    .await;
    let data = data(&ask(&world, &body(&[AT_ONCE, IN_PARTS], None)).await);
    let shown: Vec<[&Value; 2]> =
        data.iter().map(|it| [&it["program_id"], &it["status"]]).collect();
    assert_eq!(shown, [[AT_ONCE, "VALID"], [IN_PARTS, "INVALID"]]);
    assert_eq!(data[1]["participants"], json!([]));
}

#[actix_web::test]
async fn each_reason_why_a_program_cannot_pay_is_told_in_the_words_of_the_register() {
    for rejected in REJECTED {
        let world = World::on(rejected.change).await;
        // Of the regulator's word a program is told alone where another one does without it.
        let asked = body(&[IN_PARTS, AT_ONCE], rejected.division);
        let data = data(&ask(&world, &asked).await);
        assert_eq!(data[0]["status"], "INVALID", "{}", rejected.reason);
        assert_eq!(data[0]["rejection_reason"], rejected.reason);
        assert_eq!(data[0]["participants"], json!([]));
    }
}

#[actix_web::test]
async fn each_rule_that_forbids_to_look_at_programs_is_told_as_the_register_tells_it() {
    for scene in FORBIDDEN {
        let world = World::on(scene.change).await;
        let answer = ask(&world, &body(scene.programs, scene.division)).await;
        assert_eq!(answer.status, scene.status, "{}", answer.text());
        if scene.status == 409 {
            assert_eq!(answer.error(), said(409, "request_conflict", scene.message));
            assert_eq!(answer.json()["error"].get("invalid"), None);
        } else if scene.programs_at.is_empty() {
            assert_eq!(answer.invalid(), [blamed("$.division_id", "invalid", scene.message)]);
        } else {
            let places = scene.programs_at.iter();
            let places = places.map(|index| format!("$.programs.[{index}].id"));
            let expected: Vec<_> =
                places.map(|place| blamed(&place, "required", scene.message)).collect();
            assert_eq!(answer.invalid(), expected);
        }
        assert_eq!(answer.code(), scene.code);
    }
}

/// The steps in order, each mended once it was told.
#[actix_web::test]
async fn only_the_first_step_that_fails_is_told_and_the_body_comes_after_the_request() {
    let world = World::on(break_all).await;
    let bad = json!({"division_id": 1});
    let bad_programs = body(&[IN_PARTS, NOBODY], Some(DIVISION));
    let good = body(&[IN_PARTS], Some(DIVISION));
    let mend = |mended: fn(&mut Ground)| world.change(mended);

    let status = "Invalid status Medication request for qualify action!";
    assert_eq!(ask(&world, &bad).await.error(), said(409, "request_conflict", status));
    mend(|ground| {
        ground.request(REQUEST_IN_PARTS).status = RequestStatus::Active;
    });
    let plan = "Medication request with type (intent) PLAN cannot be qualified";
    assert_eq!(ask(&world, &bad).await.error(), said(409, "request_conflict", plan));
    assert_eq!(ask(&world, &bad_programs).await.error().2, plan);
    mend(|ground| ground.request(REQUEST_IN_PARTS).intent = Intent::Order);
    let number = "type mismatch. Expected string but got integer";
    let expected =
        [blamed("$.programs", "required", REQUIRED), blamed("$.division_id", "cast", number)];
    assert_eq!(ask(&world, &bad).await.invalid(), expected);
    let unknown = blamed("$.programs.[1].id", "required", "Medical program not found");
    assert_eq!(ask(&world, &bad_programs).await.invalid(), [unknown]);
    assert_eq!(ask(&world, &good).await.error().2, "Invalid care plan status");
    mend(|ground| ground.records(REQUEST_IN_PARTS).care = None);
    assert_eq!(ask(&world, &good).await.error().2, "Division is not active");
    mend(|ground| {
        let division = record(&mut ground.registries.divisions, DIVISION);
        division.status = DivisionStatus::Active;
    });
    let foreign = "Division does not belong to user's legal entity";
    assert_eq!(ask(&world, &good).await.error().2, foreign);
    mend(|ground| {
        let division = record(&mut ground.registries.divisions, DIVISION);
        division.legal_entity_id = PHARMACY.parse::<uuid::Uuid>().unwrap().into();
    });
    assert_eq!(ask(&world, &good).await.error().2, "Division is not verified in DLS");
    mend(|ground| {
        record(&mut ground.registries.divisions, DIVISION).dls_verified = Some(true);
    });
    assert_eq!(data(&ask(&world, &good).await)[0]["status"], "VALID");
}

/// no body at all is an object without members.
#[actix_web::test]
async fn what_the_schema_does_not_allow_is_told_without_a_wrapper() {
    let world = World::new().await;
    let token = world.token(DETAILS);
    let nothing = world.send_as(&token, question(NUMBER)).await;
    assert_eq!(nothing.invalid(), [blamed("$.programs", "required", REQUIRED)]);
    let unknown = "schema does not allow additional properties";
    for (asked, expected) in [
        (
            json!({"programs": []}),
            vec![blamed("$.programs", "length", "expected a minimum of 1 items but got 0")],
        ),
        (
            json!({"programs": {}}),
            vec![blamed("$.programs", "cast", "type mismatch. Expected array but got object")],
        ),
        (
            body(&[IN_PARTS; 101], None),
            vec![blamed("$.programs", "length", "expected a maximum of 100 items but got 101")],
        ),
        (
            json!({"programs": [{"name": "x"}], "a": 1, "division_id": null}),
            vec![
                blamed("$.programs.[0].id", "required", "required property id was not present"),
                blamed("$.programs.[0].name", "schema", unknown),
                blamed("$.division_id", "cast", "type mismatch. Expected string but got null"),
                blamed("$.a", "schema", unknown),
            ],
        ),
    ] {
        assert_eq!(ask(&world, &asked).await.invalid(), expected);
    }
}

/// who may not see the medication request learns nothing else.
#[actix_web::test]
async fn token_and_scope_come_first_then_whether_the_request_can_be_seen() {
    let world = World::on(|ground| {
        let foreign = ground.request(REQUEST);
        foreign.legal_entity_id = OTHER_PHARMACY.parse::<uuid::Uuid>().unwrap().into();
    })
    .await;
    let bare = world.send_bare(question("17")).await;
    assert_eq!(bare.error(), said(401, "access_denied", "Invalid access token"));
    let other = world.send_as(&world.token(&[READ, WRITE].join(" ")), question("17")).await;
    let allowance = "Your scope does not allow to access this resource. Missing allowances: \
                     medication_request:details";
    assert_eq!(other.error(), said(403, "forbidden", allowance));
    let clinic = world.token_of(CLINIC, ClientType::Msp, DETAILS);
    let missing = said(404, "not_found", "There is no such medication request");
    for key in ["17", NOBODY, "0000-AAAA-AAAA-AAAA", REQUEST] {
        assert_eq!(world.send_as(&clinic, question(key)).await.error(), missing, "{key}");
    }
    let asked = body(&[IN_PARTS], None);
    let own = world.send_as(&clinic, question(REQUEST_IN_PARTS).set_json(&asked)).await;
    assert_eq!(data(&own).len(), 1);
    for client_type in [ClientType::Nhs, ClientType::Pharmacy] {
        let token = world.token_of(OTHER_PHARMACY, client_type, DETAILS);
        let foreign = world.send_as(&token, question(REQUEST).set_json(&asked)).await;
        assert_eq!(foreign.status, 200, "{client_type:?}");
    }
}

#[actix_web::test]
async fn a_body_is_json_that_is_neither_too_large_nor_too_deep() {
    let world = World::new().await;
    let token = world.token(DETAILS);
    let json = ("content-type", "application/json");
    let deep = "[".repeat(33) + &"]".repeat(33);
    for (request, status, code) in [
        (question(NUMBER).set_payload("{}"), 415, "unsupported-media-type"),
        (question(NUMBER).insert_header(json).set_payload("{"), 400, "malformed-json"),
        (question(NUMBER).insert_header(json).set_payload(deep), 400, "malformed-json"),
        (question(NUMBER).insert_header(json).set_payload(" ".repeat(300_000)), 413, "too-large"),
    ] {
        let answer = world.send_as(&token, request).await;
        assert_eq!((answer.error().0, answer.code().as_str()), (status, code));
    }
    let got = world.send_as(&token, question(NUMBER).method(Method::PATCH)).await;
    assert_eq!(got.error().0, 405);
    assert_eq!(got.header("allow"), Some("POST"));
}

/// A key names a command, and this is none.
#[actix_web::test]
async fn a_question_changes_nothing_and_needs_no_key() {
    let world = World::new().await;
    let asked = question(NUMBER).insert_header(("x-idempotency-key", "a b"));
    let answer =
        world.send_as(&world.token(DETAILS), asked.set_json(body(&[IN_PARTS], None))).await;
    assert_eq!(data(&answer)[0]["status"], "VALID");
    assert_eq!(answer.header("x-idempotency-key"), None);
    assert!(world.state.get().origins.is_empty());
    assert!(world.state.get().events.is_empty());
}

#[actix_web::test]
async fn what_the_description_says_of_an_answer_is_what_is_answered() {
    let world = World::on(say_all).await;
    let description = serde_json::to_value(dispense_http::ehealth_openapi()).unwrap();
    let schemas = &description["components"]["schemas"];
    let answer = ask(&world, &body(&[IN_PARTS, AT_ONCE], None)).await;
    is_described(schemas, &schemas["ProgramsQualified"], &answer.json(), "$");
    let asked = &schemas["NewQualification"];
    assert_eq!(asked["additionalProperties"], false);
    assert_eq!(asked["required"], json!(["programs"]));
    let members: Vec<&String> = asked["properties"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["division_id", "programs"]);
}
