//! Handing over what was held, signed for: the whole way through either API.
//!
//! ```text
//!   again          one key, one hand-over: signed anew, written anew, after a restart
//!   as_it_was      a registry that changes after the hold alters nothing of it
//!   in_order       which of several broken rules is told
//!   private        what no answer says of anybody
//! ```

mod again;
mod as_it_was;
mod in_order;
mod private;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Answer, Audit, Database, Instance, Order, PAID, Payment, Pharmacy, Terms, World,
};

/// A service with a world, and its first two pharmacies.
pub(crate) async fn opened() -> (Database, Instance, World, Pharmacy, Pharmacy) {
    let database = Database::new().await;
    let world = World::new(2, 4);
    database.import(&world.lines());
    let instance = Instance::start(&database).await;
    let [one, other] = [0, 1].map(|n| world.pharmacies[n].at(&instance));
    (database, instance, world, one, other)
}

/// A dispense as the register's newer paths show it.
async fn under_pharmacy(pharmacy: &Pharmacy, id: Uuid) -> Value {
    let path = format!("/api/pharmacy/medication_dispenses/{id}");
    pharmacy.get(&path).await.expect(200).data().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_on_the_platform() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let id = one.dispense(&what, 20).await.expect(201).id();

    let content = one.content(id).await;
    assert_eq!(content["status"], "NEW");
    assert_eq!((&content["payment_amount"], &content["payment_id"]), (&Value::Null, &Value::Null));
    let container = one.sign(&content, PAID);
    let processed = one.process(id, &container, "the-till").await.expect(200);
    assert_eq!(processed.body["status"], "COMPLETED");
    assert_eq!(processed.body["copayment"], 20);
    assert_eq!(processed.body["paymentId"], "12345");
    assert_eq!(processed.body["version"], 2);
    assert_eq!(processed.header("etag"), Some("\"2-COMPLETED\""));

    assert_eq!(one.look_at(id).await.expect(200).body, processed.body);
    assert_eq!(one.content(id).await, PAID.in_document(&content));
    assert_eq!(one.container(id).await, container, "byte for byte");
    let balance = one.balance(&what).await.expect(200).body;
    assert_eq!((&balance["status"], &balance["dispensed"]), (&json!("ACTIVE"), &json!(20)));
    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Processed"]);
    assert_eq!(database.stored().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_at_the_register() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let held = one.ehealth_hold(&what, 20).await.expect(201);
    let id = held.id();
    let path = format!("/api/medication_dispenses/{id}");
    assert_eq!(held.header("location"), Some(&*path));
    assert_eq!(held.data()["status"], "NEW");

    assert_eq!(one.content(id).await, *held.data(), "what is to be signed is what is shown");
    let container = one.sign(held.data(), PAID);
    let processed = one.ehealth_process(id, &container, "the-till").await.expect(200);
    assert_eq!(processed.data()["status"], "PROCESSED");
    assert_eq!(processed.body["meta"]["idempotency_key"], "the-till");

    assert_eq!(one.ehealth_get(id).await.expect(200).data(), processed.data());
    for list in [
        "/api/medication_dispenses".to_owned(),
        format!("/api/medication_requests/{}/dispenses", what.id),
    ] {
        let listed = one.get(&list).await.expect(200);
        assert_eq!(*listed.data(), json!([processed.data()]), "{list}");
    }
    let request = one.get(&format!("/api/medication_requests/{}", what.id)).await.expect(200);
    assert_eq!(request.data()["medication_info"]["medication_remaining_qty"], 40);
    assert_eq!(Audit::of(&database).await.kinds(what.id), ["HoldCreated", "Processed"]);
}

/// The newer paths show nothing of the doctor's side, and what they show can be signed.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_on_the_newer_paths() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let held = one.send(&one.ehealth_order(&what, 20).under_pharmacy()).await.expect(201);
    let id = held.id();
    assert_eq!(held.header("location"), Some(&*format!("/api/pharmacy/medication_dispenses/{id}")));
    for member in ["legal_entity", "division", "employee"] {
        let whole = one.ehealth_get(id).await.expect(200);
        assert!(whole.data()["medication_request"].get(member).is_some(), "{member}");
        assert_eq!(held.data()["medication_request"].get(member), None, "{member}");
    }

    let container = one.sign(held.data(), PAID);
    let order = Order::processing_in_register(id, &container).under_pharmacy();
    let processed = one.send(&order).await.expect(200);
    assert_eq!(processed.data()["status"], "PROCESSED");
    assert_eq!(under_pharmacy(&one, id).await, *processed.data());
    for list in [
        "/api/pharmacy/medication_dispenses".to_owned(),
        format!("/api/pharmacy/medication_requests/{}/dispenses", what.id),
    ] {
        let listed = one.get(&list).await.expect(200);
        assert_eq!(*listed.data(), json!([processed.data()]), "{list}");
    }
    assert_eq!(one.container(id).await, container, "as it was signed, trimmed");

    let again = one.send(&one.ehealth_order(&what, 20).under_pharmacy()).await.expect(201);
    let reject = Order::rejecting(again.id()).under_pharmacy();
    assert_eq!(one.send(&reject).await.expect(200).data()["status"], "REJECTED");
}

/// Whatever was read, and wherever: with the payment in it, it is the document.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_anywhere_can_be_signed_and_sent_anywhere() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    for (read, send) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
        let hold = if send == 0 { one.ehealth_order(&what, 10) } else { one.order(&what, 10) };
        let id = one.send(&hold).await.expect(201).id();
        let document = match read {
            0 => one.content(id).await,
            1 => one.ehealth_get(id).await.expect(200).data().clone(),
            _ => under_pharmacy(&one, id).await,
        };
        let container = one.sign(&document, PAID);
        let order = match send {
            0 => Order::processing(id, &container),
            _ => Order::processing_in_register(id, &container),
        };
        one.send(&order).await.expect(200);
    }
    let audit = Audit::of(&database).await;
    assert_eq!((audit.count("HoldCreated"), audit.count("Processed")), (6, 6));
    assert_eq!(database.stored().len(), 6);
}

/// Members of one thing under the names of both APIs.
fn assert_same(platform: &Answer, register: &Answer) {
    let (shown, data) = (&platform.body, register.data());
    let (item, detail) = (&shown["items"][0], &data["details"][0]);
    let request = &data["medication_request"];
    for (name, here, there) in [
        ("id", &shown["id"], &data["id"]),
        ("medication request", &shown["prescriptionId"], &request["id"]),
        ("patient", &shown["patientId"], &request["person"]["id"]),
        ("program", &shown["programId"], &data["medical_program"]["id"]),
        ("outlet", &shown["pharmacyId"], &data["division"]["id"]),
        ("its name", &shown["pharmacyName"], &data["division"]["name"]),
        ("pharmacist", &shown["pharmacistId"], &data["party"]["id"]),
        ("payment", &shown["copayment"], &data["payment_amount"]),
        ("receipt", &shown["paymentId"], &data["payment_id"]),
        ("created", &shown["createdAt"], &data["inserted_at"]),
        ("updated", &shown["updatedAt"], &data["updated_at"]),
        ("medication", &item["medicineCode"], &detail["medication"]["id"]),
        ("its name", &item["medicineName"], &detail["medication"]["name"]),
        ("quantity", &item["quantityDispensed"], &detail["medication_qty"]),
        ("prescribed", &item["quantityPrescribed"], &request["medication_info"]["medication_qty"]),
        ("price", &item["unitPrice"], &detail["sell_price"]),
        ("sum", &item["totalPrice"], &detail["sell_amount"]),
        ("discount", &item["discountAmount"], &detail["discount_amount"]),
        ("refund", &item["reimbursementAmount"], &detail["reimbursement_amount"]),
        ("participant", &item["programMedicationId"], &detail["program_medication_id"]),
        ("batch", &item["batchNumber"], &detail["batch_number"]),
        ("good until", &item["expiryDate"], &detail["expiry_date"]),
    ] {
        assert!(!here.is_null(), "{name} is null: {platform:#?}");
        assert_eq!(here, there, "{name}");
    }
    let words = (shown["status"].as_str().unwrap(), data["status"].as_str().unwrap());
    let known = [("COMPLETED", "PROCESSED"), ("CANCELLED", "REJECTED")];
    assert!(known.contains(&words), "{words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dispense_is_the_same_from_both_sides() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let payment = Payment { amount: "136.50", receipt: Some("R-7") };
    for hold in [one.order(&what, 20), one.ehealth_order(&what, 20)] {
        let id = one.send(&hold).await.expect(201).id();
        one.hand_over(id, payment).await.expect(200);
        let platform = one.look_at(id).await.expect(200);
        assert_eq!(platform.body["copayment"], 136.5);
        assert_same(&platform, &one.ehealth_get(id).await.expect(200));
    }
}

/// A key names one question, through whichever API it is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_asked_for_again_through_the_other_api_is_the_same_hold() {
    let (database, _instance, world, one, _other) = opened().await;
    for (n, what) in [0, 1].map(|n| (n, world.prescribed(Terms::InParts, n))) {
        let mut orders = [one.order(&what, 20), one.ehealth_order(&what, 20)];
        orders[1].key = orders[0].key.clone();
        orders.rotate_left(n);
        let first = one.send(&orders[0]).await.expect(201);
        let again = one.send(&orders[1]).await.expect(201);
        assert_eq!(again.id(), first.id());
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("dispense-position"), first.header("dispense-position"));
    }
    assert_eq!(Audit::of(&database).await.count("HoldCreated"), 2);
}
