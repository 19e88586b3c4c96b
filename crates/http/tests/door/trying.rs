//! `POST /api/v1/dispenses?dryRun=true`

mod asking;

use actix_web::test::TestRequest;
use chrono::TimeDelta;
use dispensary::asker::ClientType;
use dispense_domain::decide::create_hold;
use dispense_domain::registry::{DivisionStatus, RequestStatus};
use serde_json::{Value, json};

use super::world::sample::{
    self, AT_ONCE, DIVISION, IN_PARTS, MEDICATION, OTHER_PHARMACY, PARTY, PERSON, REQUEST,
    REQUEST_IN_PARTS, REQUEST_PLANNED, TAX_ID, hold, part,
};
use super::world::{Answer, Ground, WRITE, World, create, record};

const CODE: &str = "4711";

fn dry_run(body: &Value) -> TestRequest {
    create(&body.to_string()).uri("/api/v1/dispenses?dryRun=true")
}

/// The rules of an answer, each with what it says.
fn results(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = answer.json()["rules"].as_array().cloned();
    let rules = rules.unwrap_or_else(|| panic!("{}", answer.text()));
    rules.iter().map(|it| (text(&it["rule"]), text(&it["result"]))).collect()
}

/// What the rule of that number says.
fn rule(answer: &Answer, number: &str) -> Value {
    let rules = answer.json()["rules"].as_array().cloned().unwrap_or_default();
    rules.into_iter().find(|it| it["rule"] == number).unwrap_or_else(|| panic!("{number}"))
}

fn with_code(ground: &mut Ground) {
    ground.request(REQUEST).verification_code = Some(CODE.to_owned().try_into().unwrap());
}

/// Everything that has a copayment stated: what a program without signature asks for.
fn at_once(tablets: u32) -> Value {
    let mut body = part(AT_ONCE, tablets);
    body["copayment"] = json!(1);
    body
}

#[actix_web::test]
async fn a_dry_run_of_what_could_be_held_tells_every_rule_in_order() {
    let world = World::new().await;
    let answer = world.send(dry_run(&hold()).insert_header(("idempotency-key", "k1"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["dryRun"], true);
    assert_eq!(body["wouldBe"], "HELD");
    assert_eq!(body.as_object().unwrap().len(), 3);
    let results = results(&answer);
    assert!(results.iter().map(|(rule, _)| rule.as_str()).eq(create_hold::order()));
    let result = |number: &str| &results.iter().find(|(rule, _)| rule == number).unwrap().1;
    assert_eq!(result("6c"), "passed");
    assert_eq!(result("16a"), "passed");
    assert_eq!(result("12c"), "not-evaluated", "there is no program");
    assert!(results.iter().all(|(_, result)| result != "failed"));
    assert_eq!(
        rule(&answer, "6c"),
        json!({
            "rule": "6c",
            "result": "passed",
            "title": "Today is one of the days of dispensing of the prescription",
            "facts": {
                "medicationRequestId": REQUEST,
                "found": true,
                "status": "ACTIVE",
                "isActive": true,
                "isCompleted": false,
                "intent": "order",
                "dispenseValidFrom": "2026-03-01",
                "dispenseValidTo": "2026-03-31",
                "today": "2026-03-02",
            },
        })
    );
}

#[actix_web::test]
async fn a_dry_run_tells_where_the_log_ends_and_no_more_in_its_headers() {
    let world = World::new().await;
    assert_eq!(world.create("k0", &part(IN_PARTS, 10)).await.status, 201);
    let answer = world.send(dry_run(&hold()).insert_header(("idempotency-key", "k1"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("dispense-position"), Some("0:1"));
    assert_eq!(answer.header("idempotency-key"), Some("k1"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    for absent in ["location", "etag", "idempotency-replayed", "dispense-status"] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
    let refused = world.send(dry_run(&part(IN_PARTS, 31))).await;
    assert_eq!(refused.header("dispense-position"), Some("0:1"));
    assert!(refused.header("idempotency-key").is_some(), "drawn");
}

#[actix_web::test]
async fn a_dry_run_tells_where_the_dispense_would_begin() {
    let world = World::new().await;
    for (body, status) in [(part(IN_PARTS, 10), "HELD"), (at_once(10), "COMPLETED")] {
        let tried = world.send(dry_run(&body)).await;
        assert_eq!(tried.json()["wouldBe"], status, "{}", tried.text());
        let created = World::new().await.create("k", &body).await;
        assert_eq!(created.json()["status"], status, "{}", created.text());
    }
}

/// What is changed, the body, and the codes of the refusals.
type Scene = (fn(&mut Ground), fn() -> Value, &'static [&'static str]);

const SCENES: &[Scene] = &[
    (|_| (), || part(IN_PARTS, 31), &["quantity-exceeds-available"]),
    (|_| (), || part(AT_ONCE, 10), &["payment-required"]),
    (
        |_| (),
        || {
            let mut body = hold();
            body["prescriptionId"] = json!(REQUEST_PLANNED);
            body
        },
        &["medication-request-is-plan"],
    ),
    (
        |_| (),
        || {
            let mut body = hold();
            body["prescriptionId"] = json!(PERSON);
            body["pharmacyId"] = json!(PERSON);
            body["items"][0]["medicineCode"] = json!(PERSON);
            body
        },
        &["medication-request-not-found", "division-not-found", "medication-not-found"],
    ),
    (
        |ground| {
            ground.request(REQUEST_IN_PARTS).status = RequestStatus::Rejected;
            ground.request(REQUEST_IN_PARTS).is_blocked = true;
            record(&mut ground.registries.divisions, DIVISION).status = DivisionStatus::Inactive;
            record(&mut ground.registries.medications, MEDICATION).is_active = false;
            ground.registries.contracts.clear();
        },
        || {
            let mut body = part(IN_PARTS, 31);
            body["items"][0]["discountAmount"] = json!(0.01);
            body["items"][0]["expiryDate"] = json!("2026-01-31");
            body["verificationCode"] = json!(CODE);
            body
        },
        &[
            "medication-request-not-active",
            "medication-request-blocked",
            "division-not-active",
            "no-contract",
            "medication-not-active",
            "medicine-expired",
        ],
    ),
    (with_code, hold, &["wrong-code"]),
    (|ground| ground.registries.parties.clear(), hold, &["party-not-found"]),
    (
        |_| (),
        || {
            let mut body = part(IN_PARTS, 20);
            body["items"] = json!([sample::item(10), sample::item(10)]);
            body["items"][0]["discountAmount"] = json!(0.01);
            body["items"][1]["discountAmount"] = json!(99);
            body
        },
        &["discount-out-of-bounds", "discount-out-of-bounds"],
    ),
];

#[actix_web::test]
async fn a_dry_run_meets_the_very_problem_of_the_create() {
    for (change, body, codes) in SCENES {
        let world = World::on(change).await;
        let tried = world.send(dry_run(&body())).await;
        let created = World::on(change).await.create("k", &body()).await;
        assert_eq!(tried.problem(), created.problem());
        let named = created.json()["errors"].as_array().unwrap().clone();
        let named: Vec<&str> = named.iter().map(|it| it["code"].as_str().unwrap()).collect();
        assert!(codes.iter().all(|code| named.contains(code)), "{codes:?} in {named:?}");
        let told = rule_errors(&tried);
        let mut problem = tried.json();
        let added = problem.as_object_mut().unwrap();
        assert_eq!(added.remove("dryRun"), Some(json!(true)));
        assert!(added.remove("rules").is_some());
        let mut expected = created.json();
        problem["requestId"] = json!(null);
        expected["requestId"] = json!(null);
        assert_eq!(problem, expected);
        assert_eq!(json!(told), expected["errors"], "each rule tells its own");
        for name in ["www-authenticate", "retry-after", "dispense-position"] {
            assert_eq!(tried.header(name), created.header(name), "{name}");
        }
    }
}

/// What the rules that failed tell, one after the other.
fn rule_errors(answer: &Answer) -> Vec<Value> {
    let rules = answer.json()["rules"].as_array().unwrap().clone();
    let errors = rules.iter().map(|it| {
        assert_eq!(it["result"] == "failed", it.get("errors").is_some(), "{it}");
        it["errors"].as_array().cloned().unwrap_or_default()
    });
    errors.flatten().collect()
}

#[actix_web::test]
async fn a_failed_rule_tells_how_it_is_broken() {
    let world = World::new().await;
    let answer = world.send(dry_run(&part(IN_PARTS, 31))).await;
    assert_eq!(answer.problem(), (422, "quantity-exceeds-available".to_owned()));
    let failed: Vec<(String, String)> =
        results(&answer).into_iter().filter(|(_, result)| result == "failed").collect();
    assert_eq!(failed, [("19".to_owned(), "failed".to_owned())]);
    assert_eq!(rule(&answer, "19")["errors"], answer.json()["errors"]);
    assert_eq!(rule(&answer, "16a")["result"], "not-evaluated");
    assert!(rule(&answer, "16a").get("errors").is_none());
}

#[actix_web::test]
async fn a_dry_run_is_refused_while_a_hold_lives_and_names_it_to_its_owner() {
    let world = World::new().await;
    let held = world.create("k1", &part(IN_PARTS, 10)).await;
    let answer = world.send(dry_run(&part(IN_PARTS, 10))).await;
    assert_eq!(answer.problem(), (403, "already-held".to_owned()));
    assert_eq!(answer.json()["errors"][0]["params"]["dispenseId"], held.json()["id"]);
    world.state.get().now += TimeDelta::minutes(11);
    assert_eq!(world.send(dry_run(&part(IN_PARTS, 10))).await.status, 200);
    assert_eq!(world.state.get().events.len(), 1, "not even that the hold ran out is written");
}

#[actix_web::test]
async fn nothing_is_written_by_a_dry_run() {
    for (change, body, _) in SCENES {
        let world = World::on(change).await;
        world.send(dry_run(&body())).await;
        assert!(world.state.get().events.is_empty());
    }
    let world = World::new().await;
    assert_eq!(world.send(dry_run(&at_once(10))).await.status, 200);
    assert!(world.state.get().events.is_empty());
    assert_eq!(world.create("k", &at_once(10)).await.status, 201, "there is room as before");
    let log = world.state.get().events.len();
    assert_eq!(world.send(dry_run(&part(IN_PARTS, 10))).await.status, 200);
    assert_eq!(world.state.get().events.len(), log);
}

#[actix_web::test]
async fn a_key_is_neither_used_nor_asked_for() {
    let world = World::new().await;
    let keyed = |body: &Value| dry_run(body).insert_header(("idempotency-key", "k1"));
    assert_eq!(world.send(keyed(&part(IN_PARTS, 10))).await.status, 200);
    let created = world.create("k1", &part(IN_PARTS, 20)).await;
    assert_eq!(created.status, 201, "the key was not spent: {}", created.text());
    assert_eq!(created.header("idempotency-replayed"), None);
    let again = world.send(keyed(&part(IN_PARTS, 20))).await;
    assert_eq!(again.problem(), (403, "already-held".to_owned()), "no replay");
    let malformed = dry_run(&hold()).insert_header(("idempotency-key", "a b"));
    assert_eq!(world.send(malformed).await.problem(), (400, "idempotency-key-invalid".to_owned()));
}

#[actix_web::test]
async fn a_wrong_code_counts_in_a_dry_run_too() {
    let world = World::on(with_code).await;
    let mut guess = hold();
    guess["verificationCode"] = json!("0815");
    for left in (0..5).rev() {
        let answer = world.send(dry_run(&guess)).await;
        assert_eq!(answer.problem(), (401, "wrong-code".to_owned()), "{}", answer.text());
        assert_eq!(answer.json()["errors"][0]["params"]["triesLeft"], left);
        assert_eq!(answer.json()["errors"], rule(&answer, "16a")["errors"]);
    }
    let mut right = hold();
    right["verificationCode"] = json!(CODE);
    for answer in [world.send(dry_run(&right)).await, world.create("k", &right).await] {
        assert_eq!(answer.problem(), (429, "too-many-wrong-codes".to_owned()));
        assert_eq!(answer.header("retry-after"), Some("900"));
    }
    world.state.get().now += TimeDelta::minutes(15);
    assert_eq!(world.send(dry_run(&right)).await.status, 200);
}

#[actix_web::test]
async fn who_could_not_dispense_anyway_learns_nothing_about_the_code() {
    let world = World::on(with_code).await;
    let mut answers = Vec::new();
    for code in [CODE, "0815"] {
        let mut body = hold();
        body["items"] = json!([sample::item(29)]);
        body["verificationCode"] = json!(code);
        let answer = world.send(dry_run(&body)).await;
        assert_eq!(answer.problem(), (422, "quantity-not-equal".to_owned()));
        assert_eq!(rule(&answer, "16a")["result"], "not-evaluated");
        answers.push(answer.json()["rules"].clone());
    }
    assert_eq!(answers[0], answers[1], "right and wrong");
    assert!(world.state.get().wrong_codes.is_empty());
}

#[actix_web::test]
async fn the_facts_name_no_person_and_no_code() {
    let world = World::on(|ground| {
        with_code(ground);
        ground.request(REQUEST).note = Some("free text".to_owned().try_into().unwrap());
    })
    .await;
    let mut body = hold();
    body["verificationCode"] = json!(CODE);
    body["note"] = json!("a word about the patient");
    let granted = world.send(dry_run(&body)).await;
    assert_eq!(granted.status, 200, "{}", granted.text());
    body["items"][0]["medicineCode"] = json!(PERSON);
    let refused = world.send(dry_run(&body)).await;
    assert_eq!(refused.status, 422);
    let secret = [
        CODE,
        TAX_ID,
        "Koval",
        "Ivan",
        "Shevchenko",
        "Olena",
        "Petrivna",
        "Bondar",
        "1961-05-04",
        "free text",
        "a word",
    ];
    for answer in [granted, refused] {
        for secret in secret {
            assert!(!answer.text().contains(secret), "{secret} in {}", answer.text());
        }
        assert!(answer.text().contains(PARTY), "who asked is told by id");
    }
}

#[actix_web::test]
async fn a_dry_run_is_decided_for_who_asks() {
    let world = World::new().await;
    let other = world.token_of(OTHER_PHARMACY, ClientType::Pharmacy, WRITE);
    let answer = world.send_as(&other, dry_run(&hold())).await;
    assert_eq!(answer.problem(), (403, "employee-not-authorised".to_owned()));
    assert_eq!(rule(&answer, "10c")["result"], "failed");
    assert_eq!(rule(&answer, "3a")["facts"]["legalEntityId"], OTHER_PHARMACY);
    assert_eq!(rule(&answer, "6b")["facts"], json!({}), "it may not dispense");
    assert_eq!(
        world.last_origin().client,
        Some(OTHER_PHARMACY.parse::<uuid::Uuid>().unwrap().into())
    );
}

/// Every member that is shown is described, and every one that is always there is shown.
#[actix_web::test]
async fn what_the_description_says_of_a_dry_run_is_what_is_answered() {
    let world = World::new().await;
    let schemas =
        serde_json::to_value(dispense_http::openapi()).unwrap()["components"]["schemas"].clone();
    let names = |object: &Value| -> Vec<String> {
        let mut names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let granted = world.send(dry_run(&hold())).await.json();
    assert_eq!(names(&granted), names(&schemas["GrantedDryRun"]["properties"]));
    let refused = world.send(dry_run(&part(IN_PARTS, 31))).await;
    let failed = rule(&refused, "19");
    assert_eq!(names(&failed), names(&schemas["JudgedRule"]["properties"]));
    assert_eq!(schemas["JudgedRule"]["required"], json!(["rule", "result", "title", "facts"]));
    let parts = schemas["RefusedDryRun"]["allOf"].as_array().unwrap();
    assert_eq!(parts[0]["$ref"], "#/components/schemas/Problem");
    assert_eq!(names(&parts[1]["properties"]), ["dryRun", "rules"]);
}
