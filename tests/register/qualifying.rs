//! `POST /api/medication_requests/{id}/actions/qualify`, and the same on the platform's API (Q-01 to
//! Q-09, S-21, X-42, X-44).

use chrono::Days;
use serde_json::{Value, json};

use crate::harness::case::{kyiv_today, said_by_platform, tomorrow, unknown};
use crate::harness::{Answer, Case, Opened, Pharmacy};

/// Every member of one item, as the register names them.
const ITEM: [&str; 5] =
    ["participants", "program_id", "program_name", "rejection_reason", "status"];

/// Every member of a participant.
const PARTICIPANT: [&str; 18] = [
    "consumer_price",
    "container_dosage",
    "drlz_sku_id",
    "end_date",
    "estimated_payment_amount",
    "form",
    "id",
    "manufacturer",
    "medication_id",
    "medication_name",
    "package_min_qty",
    "package_qty",
    "package_qty_divisible",
    "registry_number",
    "reimbursement_amount",
    "reimbursement_daily_dosage",
    "start_date",
    "wholesale_price",
];

const NOT_APPROVED: &str = "Innm not on the list of approved innms for program 'Доступні ліки'";

const ONCE_PER_TERM: &str = "For the patient at the same term there can be only 1 dispensed \
                             medication request per one and the same innm!";

fn names(of: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A body with one program.
fn one_program(case: &Opened) -> Value {
    json!({"programs": [{"id": case.id("program")}]})
}

/// Asks with one program, through both APIs, which must say the same: status and reason, and how
/// many participants.
async fn standing(case: &Opened, pharmacy: &Pharmacy) -> (String, String, usize) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let count = |value: &Value| value["participants"].as_array().unwrap().len();
    let register = case.qualify(pharmacy, &one_program(case)).await.expect(200);
    let platform = case.platform_qualify(pharmacy, &one_program(case)).await.expect(200);
    let (found, on_platform) = (&register.data()[0], &platform.body["items"][0]);
    assert_eq!(found["program_id"], json!(case.id("program")));
    assert_eq!(on_platform["programId"], found["program_id"]);
    let told = (text(&found["status"]), text(&found["rejection_reason"]), count(found));
    let said = &on_platform["rejectionReason"];
    assert_eq!(told, (text(&on_platform["status"]), text(said), count(on_platform)));
    told
}

/// The clinic that has prescribed it.
fn clinic(case: &Opened) -> Pharmacy {
    let token = case.one.token().with("client_type", "MSP");
    case.one.with_token(&token.with("client_id", case.id("clinic").to_string()))
}

#[tokio::test]
async fn q_01_a_clinic_asks_for_a_program_with_or_without_participants() {
    let case = Case::new().without("participant").open().await;
    let invalid = ("INVALID".to_owned(), NOT_APPROVED.to_owned(), 0);
    assert_eq!(standing(&case, &clinic(&case)).await, invalid);

    let case = Case::new().open().await;
    let qualified = case.qualify(&clinic(&case), &one_program(&case)).await.expect(200);
    assert_eq!(qualified.body["meta"]["type"], "list");
    let found = &qualified.data()[0];
    assert_eq!(names(found), ITEM);
    assert_eq!(found["program_name"], "Доступні ліки");
    assert_eq!((&found["status"], &found["rejection_reason"]), (&json!("VALID"), &json!("")));
    let participant = &found["participants"][0];
    assert_eq!(names(participant), PARTICIPANT);
    assert_eq!(participant["id"], json!(case.id("participant")));
    assert_eq!(participant["medication_id"], json!(case.id("brand")));
    assert_eq!(participant["manufacturer"], json!({"name": "Фармак", "country": "UA"}));
    assert_eq!(participant["reimbursement_amount"], 150);
    assert_eq!(participant["package_qty"], 30);
}

#[tokio::test]
async fn q_03_the_payer_asks_for_what_any_clinic_prescribed() {
    let case = Case::new().open().await;
    let payer =
        case.one.token().with("client_type", "NHS").with("client_id", unknown().to_string());
    let payer = case.one.with_token(&payer);
    assert_eq!(standing(&case, &payer).await, ("VALID".to_owned(), String::new(), 1));
}

#[tokio::test]
async fn q_05_programs_have_to_be_named() {
    let case = Case::new().open().await;
    let path = format!("/medication_requests/{}/actions/qualify", case.id("request"));
    let text = "required property programs was not present";
    let without_body = Answer::to(case.one.ehealth("POST", &path)).await.unwrap();
    without_body.blames(&[["$.programs", "required", text]]);
    let asked = async |body: Value| case.qualify(&case.one, &body).await;
    asked(json!({})).await.blames(&[["$.programs", "required", text]]);
    let none = "expected a minimum of 1 items but got 0";
    asked(json!({"programs": []})).await.blames(&[["$.programs", "length", none]]);
    let text = "schema does not allow additional properties";
    let extra = json!({"programs": [{"id": unknown()}], "shoe_size": 42});
    asked(extra).await.blames(&[["$.shoe_size", "schema", text]]);
    case.platform_qualify(&case.one, &json!({})).await.refused(422, "schema");
}

#[tokio::test]
async fn q_06_what_is_not_visible_is_not_found_whatever_the_body() {
    let case = Case::new().open().await;
    let stranger = case.with_claim("client_type", "MSP");
    let text = "There is no such medication request";
    for body in [json!({}), one_program(&case)] {
        case.qualify(&stranger, &body).await.said(404, "not_found", text);
        case.platform_qualify(&stranger, &body).await.refused(404, "not-found");
    }
    let path = format!("/medication_requests/{}/actions/qualify", case.id("request"));
    let without_body = Answer::to(stranger.ehealth("POST", &path)).await.unwrap();
    without_body.said(404, "not_found", text);
}

#[tokio::test]
async fn q_08_a_plan_is_not_qualified_whatever_the_programs() {
    let case = Case::new().but("request", &json!({"intent": "plan"})).open().await;
    let text = "Medication request with type (intent) PLAN cannot be qualified";
    let unknown = json!({"programs": [{"id": unknown()}]});
    case.qualify(&case.one, &unknown).await.said(409, "request_conflict", text);
    case.qualify(&case.one, &json!({})).await.said(409, "request_conflict", text);
    let rules = [
        ("medication-request-is-plan", "$.prescriptionId"),
        ("program-not-found", "$.programs.[0].id"),
    ];
    let platform = case.platform_qualify(&case.one, &unknown).await;
    said_by_platform(platform, 409, text, &rules);
}

#[tokio::test]
async fn q_09_a_brand_with_two_valid_rows_is_two_participants() {
    let second = json!({"reimbursement": {"reimbursement_amount": 120}, "registry_number": "2"});
    let case = Case::new().with("second row", "participant", &second);
    let over = json!({"end_date": kyiv_today() - Days::new(1)});
    let case = case.with("row that has ended", "participant", &over).open().await;
    assert_eq!(standing(&case, &case.one).await, ("VALID".to_owned(), String::new(), 2));
    let qualified = case.qualify(&case.one, &one_program(&case)).await;
    let rows = qualified.data()[0]["participants"].as_array().unwrap().iter();
    let mut amounts: Vec<_> = rows.map(|it| it["reimbursement_amount"].as_i64()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [Some(120), Some(150)]);
}

/// Another request of the same patient for the same substance in the same days, of which something
/// was handed over.
async fn with_another_dispensed(members: &Value, settings: &Value) -> Opened {
    let case = Case::new().settings(settings).with_other_request(members).discount(50);
    let case = case.open().await;
    let held = case.asks().request(case.id("other request")).held().await;
    case.process(&held).await.expect(200);
    case
}

#[tokio::test]
async fn x_42_a_patient_is_given_one_substance_once_at_a_time() {
    let case = with_another_dispensed(&json!({}), &json!({})).await;
    let invalid = ("INVALID".to_owned(), ONCE_PER_TERM.to_owned(), 0);
    assert_eq!(standing(&case, &case.one).await, invalid);
}

#[tokio::test]
async fn x_44_what_does_not_qualify_is_not_held() {
    let case = with_another_dispensed(&json!({}), &json!({})).await;
    let text = "Medication request can not be dispensed. Invoke qualify medication request API to \
                get detailed info";
    case.asks().refused(409, text, &[("not-qualified", "$.prescriptionId")]).await;
    let platform = case.asks().ndp().await;
    assert_eq!(platform.body["errors"][0]["params"]["reason"], ONCE_PER_TERM);
    // Its own first part does not stand in its way: only other requests count.
    let case = Case::new().in_parts().request_quantity(20).discount(50).open().await;
    let first = case.asks().quantity(10).held().await;
    case.process(&first).await.expect(200);
    case.asks().quantity(10).held().await;
}

/// The register's store looks for dispensed requests whose days overlap. Here the same is asked with
/// every qualification: a day in common is enough, and what was not handed over does not count.
#[tokio::test]
async fn s_21_only_what_was_handed_over_in_overlapping_days_counts() {
    let days = |from, to| json!({"started_at": from, "ended_at": to});
    let touching = days(tomorrow(), tomorrow() + Days::new(5));
    let case = with_another_dispensed(&touching, &json!({})).await;
    assert_eq!(standing(&case, &case.one).await.1, ONCE_PER_TERM, "a day in common");

    let valid = ("VALID".to_owned(), String::new(), 1);
    let later = days(tomorrow() + Days::new(1), tomorrow() + Days::new(5));
    let case = with_another_dispensed(&later, &json!({})).await;
    assert_eq!(standing(&case, &case.one).await, valid, "no day in common");

    let case = with_another_dispensed(&json!({}), &json!({"skip_treatment_period": true})).await;
    assert_eq!(standing(&case, &case.one).await, valid, "the program does not ask");

    let case = Case::new().with_other_request(&json!({})).discount(50).open().await;
    let held = case.asks().request(case.id("other request")).held().await;
    assert_eq!(standing(&case, &case.one).await, valid, "held is not handed over");
    case.one.ehealth_reject(held.id()).await.expect(200);
    assert_eq!(standing(&case, &case.one).await, valid, "nor is what was given back");
}
