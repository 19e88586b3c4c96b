//! `POST /api/v1/prescriptions/{id}/qualify`

pub(super) mod scenes;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use dispensary::asker::ClientType;
use serde_json::{Value, json};

use super::world::sample::{
    AT_ONCE, CLINIC, DIVISION, IN_PARTS, MEDICATION, NUMBER, OTHER_PHARMACY, PARTICIPANT, REQUEST,
    REQUEST_IN_PARTS, part,
};
use super::world::{Answer, READ, WRITE, World, record};
use scenes::{FORBIDDEN, Forbidden, NOBODY, REJECTED, add, break_all, say_all};

const DETAILS: &str = "medication_request:details";
const UUID: &str = "string does not match pattern \
                    \"^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$\"";

fn question(key: &str) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1/prescriptions/{key}/qualify"))
}

fn body(programs: &[&str], pharmacy: Option<&str>) -> Value {
    let programs: Vec<Value> = programs.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"programs": programs});
    if let Some(pharmacy) = pharmacy {
        body["pharmacyId"] = json!(pharmacy);
    }
    body
}

/// Asks for the prescription under [`IN_PARTS`], as the pharmacy.
async fn ask(world: &World, body: &Value) -> Answer {
    let token = world.token(DETAILS);
    world.send_as(&token, question(REQUEST_IN_PARTS).set_json(body)).await
}

fn items(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_program_that_can_pay_is_shown_with_its_brands_and_all_that_is_known_of_them() {
    let world = World::on(say_all).await;
    let answer = ask(&world, &body(&[IN_PARTS], None)).await;
    let expected = json!({"items": [{
        "programId": IN_PARTS,
        "programName": "Affordable medicines",
        "status": "VALID",
        "rejectionReason": "",
        "participants": [{
            "id": PARTICIPANT,
            "medicationId": MEDICATION,
            "medicationName": "Amlodipine 5 mg",
            "form": "TABLET",
            "manufacturer": {"name": "Pharma JSC", "country": "UA"},
            "reimbursementAmount": 35.2,
            "wholesalePrice": 30.5,
            "consumerPrice": 40.1,
            "reimbursementDailyDosage": 1.173,
            "estimatedPaymentAmount": 0,
            "packageQty": 30,
            "packageMinQty": 2.5,
            "startDate": "2026-01-01",
            "endDate": "2026-12-31",
            "registryNumber": "17",
            "containerDosage": {"numerator_unit": "PILL", "numerator_value": 1},
            "drlzSkuId": "9876",
            "packageQtyDivisible": true,
        }],
    }]});
    assert_eq!(answer.json(), expected, "{}", answer.text());
    for exact in ["\"reimbursementAmount\":35.2,", "\"packageQty\":30,", "\"packageMinQty\":2.5,"] {
        assert!(answer.text().contains(exact), "{exact} in {}", answer.text());
    }
    assert_eq!(answer.header("content-type"), Some("application/json"));
    for absent in ["dispense-position", "idempotency-key", "etag", "location"] {
        assert_eq!(answer.header(absent), None, "{absent}");
    }
}

#[actix_web::test]
async fn what_a_registry_does_not_say_is_null() {
    let world = World::with(|registries| {
        let brand = record(&mut registries.medications, MEDICATION);
        brand.form = None;
        brand.package_min_qty = None;
    })
    .await;
    let items = items(&ask(&world, &body(&[IN_PARTS], None)).await);
    let participant = items[0]["participants"][0].as_object().unwrap().clone();
    assert_eq!(participant.len(), 18);
    let said: Vec<&str> =
        participant.iter().filter(|(_, it)| !it.is_null()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(said, ["id", "medicationId", "medicationName", "packageQty", "reimbursementAmount"]);
}

/// a program that cannot pay is an answer.
#[actix_web::test]
async fn each_program_is_answered_in_the_order_in_which_it_was_asked_for() {
    let world = World::with(|registries| {
        registries.program_medications.remove(&PARTICIPANT.parse::<uuid::Uuid>().unwrap());
    })
    .await;
    let answer = ask(&world, &body(&[AT_ONCE, IN_PARTS, AT_ONCE], None)).await;
    let shown: Vec<[Value; 2]> =
        items(&answer).iter().map(|it| [it["programId"].clone(), it["status"].clone()]).collect();
    let expected = [(AT_ONCE, "VALID"), (IN_PARTS, "INVALID"), (AT_ONCE, "VALID")];
    assert_eq!(shown, expected.map(|(id, status)| [json!(id), json!(status)]));
    assert_eq!(items(&answer)[1]["participants"], json!([]));
}

/// one brand with two rows that count is shown twice.
#[actix_web::test]
async fn every_row_of_a_brand_is_a_participant_of_its_own() {
    let world = World::with(|registries| {
        let row = json!({"id": NOBODY, "medication_id": MEDICATION, "medical_program_id": IN_PARTS,
            "reimbursement": {"type": "EXTERNAL", "reimbursement_amount": null}});
        add(&mut registries.program_medications, &row);
    })
    .await;
    let items = items(&ask(&world, &body(&[IN_PARTS], None)).await);
    let participants = items[0]["participants"].as_array().unwrap();
    let ids: Vec<&Value> = participants.iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [PARTICIPANT, NOBODY]);
    assert_eq!(participants[1]["reimbursementAmount"], 0);
}

#[actix_web::test]
async fn a_brand_of_which_no_whole_parts_remain_is_no_longer_shown() {
    let world = World::new().await;
    let mut ten = part(AT_ONCE, 10);
    ten["copayment"] = json!(1);
    assert_eq!(world.create("k", &ten).await.status, 201);
    for (step, shown) in [(20, 1), (15, 0), (4, 1), (3, 0)] {
        world.change(|ground| {
            record(&mut ground.registries.medications, MEDICATION).package_min_qty =
                Some(step.into());
        });
        let items = items(&ask(&world, &body(&[IN_PARTS], None)).await);
        assert_eq!(items[0]["status"], "VALID");
        assert_eq!(items[0]["participants"].as_array().unwrap().len(), shown, "steps of {step}");
    }
}

/// and each reason is gone once it is mended.
#[actix_web::test]
async fn each_reason_why_a_program_cannot_pay_is_told_in_the_words_of_the_register() {
    for rejected in REJECTED {
        let world = World::on(rejected.change).await;
        let asked = body(&[IN_PARTS], rejected.division);
        let broken = items(&ask(&world, &asked_with_other(&asked, rejected.reason)).await);
        assert_eq!(broken[0]["status"], "INVALID", "{}", rejected.reason);
        assert_eq!(broken[0]["rejectionReason"], rejected.reason);
        assert_eq!(broken[0]["participants"], json!([]));
        let mended = World::on(|ground| {
            (rejected.change)(ground);
            (rejected.mend)(ground);
        })
        .await;
        let mended = items(&ask(&mended, &asked).await);
        assert_eq!(mended[0]["status"], "VALID", "{}", rejected.reason);
        assert_eq!(mended[0]["rejectionReason"], "");
    }
}

/// The regulator's word stops the whole question, unless one of the programs does without it.
fn asked_with_other(asked: &Value, reason: &str) -> Value {
    let mut asked = asked.clone();
    if reason.contains("DLS") {
        asked["programs"] = json!([{"id": IN_PARTS}, {"id": AT_ONCE}]);
    }
    asked
}

fn path_of(scene: &Forbidden, index: Option<usize>) -> String {
    match (index, &scene.rule[..2]) {
        (Some(index), _) => format!("$.programs.[{index}].id"),
        (None, "Q9") => "$.pharmacyId".to_owned(),
        (None, _) => "$.prescriptionId".to_owned(),
    }
}

#[actix_web::test]
async fn each_rule_that_forbids_to_look_at_programs_is_told_with_its_place() {
    for scene in FORBIDDEN {
        let world = World::on(scene.change).await;
        let answer = ask(&world, &body(scene.programs, scene.division)).await;
        assert_eq!(answer.problem(), (scene.status, scene.code.to_owned()), "{}", scene.rule);
        let places: Vec<Option<usize>> = match scene.programs_at {
            [] => vec![None],
            places => places.iter().copied().map(Some).collect(),
        };
        let expected: Vec<(String, String, String)> = places
            .into_iter()
            .map(|it| (path_of(scene, it), scene.rule.to_owned(), scene.message.to_owned()))
            .collect();
        assert_eq!(answer.violations(), expected);
        assert_eq!(answer.header("dispense-position"), None);
    }
}

#[actix_web::test]
async fn all_rules_that_are_broken_are_told_at_once_in_order() {
    let world = World::on(break_all).await;
    let answer = ask(&world, &body(&[IN_PARTS, NOBODY], Some(DIVISION))).await;
    assert_eq!(answer.problem(), (409, "medication-request-not-active".to_owned()));
    let rules: Vec<String> = answer.violations().into_iter().map(|(_, rule, _)| rule).collect();
    assert_eq!(rules, ["Q3", "Q4", "Q6", "Q7", "Q7", "Q7", "Q8", "Q9b", "Q9c", "Q9d"]);
}

#[actix_web::test]
async fn what_was_handed_over_whole_is_active_no_more() {
    let world = World::new().await;
    let mut whole = part(AT_ONCE, 30);
    whole["copayment"] = json!(1);
    assert_eq!(world.create("k", &whole).await.status, 201);
    let answer = ask(&world, &body(&[IN_PARTS], None)).await;
    assert_eq!(answer.problem(), (409, "medication-request-not-active".to_owned()));
    assert_eq!(answer.json()["errors"][0]["params"], json!({"status": "COMPLETED"}));
}

#[actix_web::test]
async fn a_prescription_is_known_by_its_id_and_by_its_number() {
    let world = World::new().await;
    let token = world.token(DETAILS);
    let asked = body(&[IN_PARTS], None);
    let bare = REQUEST_IN_PARTS.replace('-', "");
    for key in [REQUEST_IN_PARTS, &bare, NUMBER] {
        let answer = world.send_as(&token, question(key).set_json(&asked)).await;
        assert_eq!(answer.status, 200, "{key}");
    }
    for key in ["17", NOBODY, "0000-AAAA-AAAA-AAAA", "0000-243P-1X53", "%7B%7D"] {
        let answer = world.send_as(&token, question(key).set_json(&asked)).await;
        assert_eq!(answer.problem(), (404, "not-found".to_owned()), "{key}");
        assert_eq!(answer.json()["detail"], "There is no such prescription");
    }
}

#[actix_web::test]
async fn a_clinic_asks_for_its_own_prescriptions_alone() {
    let world = World::on(|ground| {
        let foreign = ground.request(REQUEST);
        foreign.legal_entity_id = OTHER_PHARMACY.parse::<uuid::Uuid>().unwrap().into();
    })
    .await;
    let asked = body(&[IN_PARTS], None);
    for (client, client_type, own, foreign) in [
        (CLINIC, ClientType::Msp, 200, 404),
        (OTHER_PHARMACY, ClientType::Pharmacy, 200, 200),
        (CLINIC, ClientType::Nhs, 200, 200),
    ] {
        let token = world.token_of(client, client_type, DETAILS);
        for (key, status) in [(REQUEST_IN_PARTS, own), (REQUEST, foreign)] {
            let answer = world.send_as(&token, question(key).set_json(&asked)).await;
            assert_eq!(answer.status, status, "{client_type:?} {key}");
        }
    }
}

#[actix_web::test]
async fn token_and_scope_come_first_then_the_prescription_then_the_schema_then_the_rules() {
    let world = World::on(break_all).await;
    let wrong =
        |key: &str| TestRequest::post().uri(&format!("/api/v1/prescriptions/{key}/qualify?x=1"));
    let bare = world.send_bare(wrong("17")).await;
    assert_eq!(bare.problem(), (401, "invalid-token".to_owned()));
    let other = world.send_as(&world.token(&[READ, WRITE].join(" ")), wrong("17")).await;
    assert_eq!(other.problem(), (403, "missing-scope".to_owned()));
    assert_eq!(other.json()["errors"][0]["params"], json!({"scope": DETAILS}));
    let token = world.token(DETAILS);
    let missing = world.send_as(&token, wrong(NOBODY)).await;
    assert_eq!(missing.problem(), (404, "not-found".to_owned()));
    let query = world.send_as(&token, wrong(REQUEST_IN_PARTS)).await;
    assert_eq!(query.problem(), (422, "schema".to_owned()));
    assert_eq!(query.violations()[0].0, "?x");
    let schema = ask(&world, &json!({})).await;
    assert_eq!(schema.problem(), (422, "schema".to_owned()));
    let newer = world.token("medication_request:details_pharm");
    let rules = question(REQUEST_IN_PARTS).set_json(body(&[IN_PARTS], None));
    assert_eq!(world.send_as(&newer, rules).await.problem().0, 409);
}

#[actix_web::test]
async fn every_violation_of_the_schema_is_told_at_once() {
    let world = World::new().await;
    let asked = json!({"programs": [{"id": "x", "name": "y"}, 1, {}], "pharmacyId": 1, "a": 1});
    let answer = ask(&world, &asked).await;
    assert_eq!(answer.problem(), (422, "schema".to_owned()));
    let unknown = "schema does not allow additional properties";
    let expected = [
        ("$.programs.[0].id", "format", UUID),
        ("$.programs.[0].name", "schema", unknown),
        ("$.programs.[1]", "cast", "type mismatch. Expected object but got integer"),
        ("$.programs.[2].id", "required", "required property id was not present"),
        ("$.pharmacyId", "cast", "type mismatch. Expected string, null but got integer"),
        ("$.a", "schema", unknown),
    ];
    let told = answer.violations();
    let told: Vec<(&str, &str, &str)> =
        told.iter().map(|it| (it.0.as_str(), it.1.as_str(), it.2.as_str())).collect();
    assert_eq!(told, expected);

    let many = vec![IN_PARTS; 101];
    let required = "required property programs was not present";
    for (asked, rule, message) in [
        (json!({}), "required", required),
        (json!({"programs": null}), "cast", "type mismatch. Expected array but got null"),
        (json!({"programs": []}), "length", "expected a minimum of 1 items but got 0"),
        (body(&many, None), "length", "expected a maximum of 100 items but got 101"),
    ] {
        let expected = ("$.programs".to_owned(), rule.to_owned(), message.to_owned());
        assert_eq!(ask(&world, &asked).await.violations(), [expected]);
    }
    assert_eq!(ask(&world, &body(&many[..100], None)).await.status, 200);
    let mut null = body(&[IN_PARTS], None);
    null["pharmacyId"] = json!(null);
    assert_eq!(ask(&world, &null).await.status, 200);
}

#[actix_web::test]
async fn a_body_is_json_that_is_neither_too_large_nor_too_deep() {
    let world = World::new().await;
    let token = world.token(DETAILS);
    let json = ("content-type", "application/json");
    let deep = "[".repeat(33) + &"]".repeat(33);
    for (request, expected) in [
        (question(NUMBER), (415, "unsupported-media-type")),
        (question(NUMBER).insert_header(json), (400, "malformed-json")),
        (question(NUMBER).insert_header(json).set_payload("{"), (400, "malformed-json")),
        (question(NUMBER).insert_header(json).set_payload(deep), (400, "malformed-json")),
        (question(NUMBER).insert_header(json).set_payload(" ".repeat(300_000)), (413, "too-large")),
    ] {
        let answer = world.send_as(&token, request).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()));
    }
    let got = world.send_as(&token, question(NUMBER).method(Method::GET)).await;
    assert_eq!(got.problem(), (405, "method-not-allowed".to_owned()));
    assert_eq!(got.header("allow"), Some("POST"));
}

#[actix_web::test]
async fn a_question_changes_nothing() {
    let world = World::new().await;
    let held = world.create("k", &part(IN_PARTS, 10)).await;
    assert_eq!(held.status, 201);
    let asked = question(NUMBER).set_json(body(&[IN_PARTS], Some(DIVISION)));
    let answer = world.send_as(&world.token(DETAILS), asked).await;
    assert_eq!(items(&answer)[0]["status"], "VALID", "a live hold is no reason");
    assert_eq!(world.state.get().events.len(), 1);
    assert_eq!(world.state.get().origins.len(), 1);
}

#[actix_web::test]
async fn what_the_description_says_of_an_answer_is_what_is_answered() {
    let world = World::on(say_all).await;
    let description = serde_json::to_value(dispense_http::openapi()).unwrap();
    let schemas = &description["components"]["schemas"];
    let names =
        |object: &Value| -> Vec<String> { object.as_object().unwrap().keys().cloned().collect() };
    let shown = items(&ask(&world, &body(&[IN_PARTS], None)).await).remove(0);
    for (schema, shown) in [
        ("QualifiedProgram", &shown),
        ("Participant", &shown["participants"][0]),
        ("Manufacturer", &shown["participants"][0]["manufacturer"]),
    ] {
        assert_eq!(names(&schemas[schema]["properties"]), names(shown), "{schema}");
        let required = schemas[schema]["required"].as_array().unwrap();
        assert_eq!(required.len(), names(shown).len(), "all of {schema} is always there");
    }
    let asked = &schemas["NewQualification"];
    assert_eq!(asked["additionalProperties"], false);
    assert_eq!(asked["required"], json!(["programs"]));
    assert_eq!(names(&asked["properties"]), ["pharmacyId", "programs"]);
}
