//! Dispenses by id, and by medication request. Searching has a file of its own.

use serde_json::{Value, json};

use super::{held, opened, outside, without_program};
use crate::harness::world::request;
use crate::harness::{Answer, PAID, Pharmacy, Terms, line};

/// A number that no other medication request has.
const NUMBER: &str = "0000-KMPT-12H4-99AX";

/// The names of the members of an object.
fn members(of: &Value) -> Vec<&str> {
    of.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Every member that the register names, and no other.
#[track_caller]
fn assert_members(of: &Value, expected: &str) {
    let mut expected: Vec<&str> = expected.split_whitespace().collect();
    expected.sort_unstable();
    assert_eq!(members(of), expected, "{of:#?}");
}

const LEGAL_ENTITY: &str = "id name short_name public_name type edrpou status";
const DIVISION: &str = "id name legal_entity_id type status mountain_group addresses phones email \
                        external_id location working_hours dls_id dls_verified";

#[tokio::test(flavor = "multi_thread")]
async fn g_01_a_dispense_is_shown_with_every_member_of_the_register() {
    let (_database, _instance, world, one, _other) = opened().await;
    let (id, _) = held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let seen = one.ehealth_get(id).await.expect(200);
    assert_members(&seen.body, "meta data");
    assert_members(&seen.body["meta"], "code url type request_id");
    assert_eq!(seen.body["meta"]["code"], 200);
    assert_eq!(seen.body["meta"]["type"], "object");
    let data = seen.data();
    assert_eq!(data["id"], json!(id));
    assert_members(
        data,
        "id status dispensed_at dispensed_by payment_id payment_amount note inserted_at \
         inserted_by updated_at updated_by medication_request party legal_entity division \
         medical_program details",
    );
    let request = &data["medication_request"];
    assert_members(
        request,
        "id status request_number intent category created_at started_at ended_at \
         dispense_valid_from dispense_valid_to dosage_instruction is_blocked legal_entity division \
         employee person medication_info medical_program",
    );
    assert_members(&request["legal_entity"], &format!("{LEGAL_ENTITY} accreditation licenses"));
    assert_members(&request["division"], DIVISION);
    assert_members(&request["employee"], "id position party");
    assert_members(&request["employee"]["party"], "id first_name last_name second_name phones");
    assert_members(&request["person"], "id short_name age");
    assert_eq!(request["person"]["short_name"], "Коваль О. П.");
    assert_members(
        &request["medication_info"],
        "medication_id medication_name form dosage medication_qty medication_remaining_qty",
    );
    assert_members(&request["medical_program"], "id name medical_program_settings");
    assert_members(
        &data["party"],
        "id first_name last_name second_name birth_date no_tax_id phones",
    );
    assert_members(&data["legal_entity"], LEGAL_ENTITY);
    assert_members(&data["division"], DIVISION);
    assert_members(
        &data["medical_program"],
        "id name type is_active medication_request_allowed medication_dispense_allowed \
         medical_program_settings",
    );
    assert_members(
        &data["details"][0],
        "medication medication_qty sell_price sell_amount discount_amount reimbursement_amount \
         program_medication_id batch_number expiry_date",
    );
    assert_members(&data["details"][0]["medication"], "id name type manufacturer form container");
}

async fn listed(pharmacy: &Pharmacy, path: &str) -> Answer {
    pharmacy.get(path).await.expect(200)
}

fn statuses(listed: &Answer) -> Vec<&str> {
    let items = listed.data().as_array().unwrap().iter();
    items.map(|item| item["status"].as_str().unwrap()).collect()
}

/// G-03 by medication request; deliberately with the holds of others, so that it is seen who holds
/// what a patient asks for.
#[tokio::test(flavor = "multi_thread")]
async fn g_03_the_dispenses_of_a_medication_request_are_listed_whoever_made_them() {
    let (_database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let mut numbered = request(&what);
    numbered["request_number"] = json!(NUMBER);
    one.import(&line("medication_request", &numbered)).await.expect(200);
    let (first, _) = held(&one, &what).await;
    one.ehealth_reject(first).await.expect(200);
    let (second, _) = held(&other, &what).await;
    other.hand_over(second, PAID).await.expect(200);
    let (third, _) = held(&one, &what).await;

    let path = format!("/api/medication_requests/{}/dispenses", what.id);
    let all = listed(&one, &path).await;
    assert_members(&all.body, "meta data");
    assert_eq!(all.body["meta"]["type"], "list");
    assert_eq!(statuses(&all), ["NEW", "PROCESSED", "REJECTED"]);
    assert_eq!(all.data()[0], *one.ehealth_get(third).await.data());
    assert_eq!(all.data()[1], *other.ehealth_get(second).await.data());
    assert_eq!(all.data()[2], *one.ehealth_get(first).await.data());
    assert_eq!(statuses(&listed(&other, &path).await), statuses(&all));
    let some = listed(&one, &format!("{path}?status=NEW,REJECTED")).await;
    assert_eq!(statuses(&some), ["NEW", "REJECTED"]);
    let by_number = format!("/api/medication_requests/{NUMBER}/dispenses?status=PROCESSED");
    assert_eq!(*listed(&one, &by_number).await.data(), json!([all.data()[1]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn g_04_outside_any_program_there_is_no_program_to_show() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::Whole, 0);
    without_program(&one, &what).await;
    let created = one.send(&outside(&one, &what)).await.expect(201);
    one.hand_over(created.id(), PAID).await.expect(200);
    for list in [
        "/api/medication_dispenses".to_owned(),
        format!("/api/medication_requests/{}/dispenses", what.id),
        format!("/api/medication_dispenses?medication_request_id={}", what.id),
    ] {
        let listed = listed(&one, &list).await;
        let shown = &listed.data()[0];
        assert_eq!(shown["id"], json!(created.id()), "{list}");
        assert_eq!(shown.get("medical_program"), None, "{list}");
        assert_eq!(shown["medication_request"].get("medical_program"), None, "{list}");
        assert_eq!(shown["details"][0].get("program_medication_id"), None, "{list}");
        assert_eq!(shown["details"][0]["reimbursement_amount"], 0, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x_45_what_is_no_id_of_a_medication_request_finds_nothing() {
    let (_database, _instance, world, one, _other) = opened().await;
    held(&one, &world.prescribed(Terms::InParts, 0)).await;
    let text = "There is no such medication request";
    for id in ["17", "no-id", "0000-0000-0000-0000", &one.user.to_string(), "%00"] {
        let path = format!("/api/medication_requests/{id}/dispenses");
        one.get(&path).await.said(404, "not_found", text);
    }
}
