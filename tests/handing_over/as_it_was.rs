//! A dispense stays as it was when it was held, whatever the registries say later: nobody has signed
//! what he did not see.

use dispense_signing::development::{Holder, Profile};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{opened, under_pharmacy};
use crate::harness::{Audit, Order, PAID, Pharmacy, Terms, World, authority, line, sign_as};

/// What is put behind every name.
const LATER: &str = " (пізніше)";

/// The whole registry, later: everything and everybody has another name, and is found elsewhere.
fn later(world: &World) -> String {
    let mut lines = String::new();
    for record in world.lines().lines() {
        let mut record: Value = serde_json::from_str(record).unwrap();
        let kind = record["kind"].as_str().unwrap().to_owned();
        let record = record["data"].as_object_mut().unwrap();
        for name in ["name", "first_name", "last_name", "second_name"] {
            if let Some(Value::String(text)) = record.get_mut(name) {
                text.push_str(LATER);
            }
        }
        let moved = match kind.as_str() {
            "division" => json!({
                "addresses": [{"type": "RESIDENCE", "settlement": "Львів", "street": "Зелена"}],
                "phones": [{"type": "LAND_LINE", "number": "+380322400000"}],
                "email": "later@example.org", "working_hours": {"mon": [["10.00", "11.00"]]},
                "dls_id": "9999",
            }),
            "party" => json!({"phones": [{"type": "MOBILE", "number": "+380679999999"}]}),
            "legal_entity" => json!({"short_name": "Пізніше", "edrpou": "39999999"}),
            "medication" => json!({"form": "CAPSULE"}),
            "medication_request" => json!({
                "dosage_instruction": [{"sequence": 1, "text": "two at night"}],
                "request_number": "0000-9999-9999-9999", "ended_at": crate::harness::today(),
            }),
            "program_medication" => json!({
                "reimbursement": {"type": "FIXED", "reimbursement_amount": 99},
            }),
            _ => json!({}),
        };
        record.extend(moved.as_object().unwrap().clone());
        lines.push_str(&line(&kind, &json!(record)));
    }
    lines
}

/// Everything that shows a dispense.
async fn shown(pharmacy: &Pharmacy, id: Uuid, request: Uuid) -> Vec<Value> {
    let mut shown = vec![
        pharmacy.look_at(id).await.expect(200).body,
        pharmacy.ehealth_get(id).await.expect(200).data().clone(),
        under_pharmacy(pharmacy, id).await,
        pharmacy.content(id).await,
    ];
    for list in [
        format!("/api/medication_dispenses?id={id}"),
        format!("/api/pharmacy/medication_dispenses?id={id}"),
        format!("/api/medication_requests/{request}/dispenses"),
        format!("/api/pharmacy/medication_requests/{request}/dispenses"),
    ] {
        let listed = pharmacy.get(&list).await.expect(200);
        let items = listed.data().as_array().unwrap();
        let own = items.iter().find(|item| item["id"] == id.to_string());
        shown.push(own.unwrap_or_else(|| panic!("{id} is not in {list}")).clone());
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_changes_after_the_hold_alters_nothing_of_it() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let held = one.dispense(&what, 20).await.expect(201).id();
    let before = shown(&one, held, what.id).await;
    let document = one.content(held).await;
    one.import(&later(&world)).await.expect(200);
    assert_eq!(shown(&one, held, what.id).await, before);

    // What was read before the change is what has to be signed; by the pharmacist as the registry
    // knows her now.
    let surname = format!("{}{LATER}", one.person.surname);
    let married = Holder { surname, ..one.person.clone() };
    let married = authority().issue(&Profile::of(&married)).unwrap();
    let container = sign_as(&married, &document, PAID);
    let mut renamed = document.clone();
    renamed["division"]["name"] = json!(format!("Аптека № 7{LATER}"));
    let text = "Signed content does not match the previously created content";
    let order = Order::processing_in_register(held, &sign_as(&married, &renamed, PAID));
    one.send(&order).await.blames(&[["$.content", "invalid", text]]);
    one.process(held, &one.sign(&document, PAID), "p1").await.refused(422, "signer-surname");
    one.process(held, &container, "p1").await.expect(200);

    assert_eq!(one.content(held).await, PAID.in_document(&document));
    let processed = one.ehealth_get(held).await.expect(200);
    for member in ["medication_request", "party", "division", "medical_program", "details"] {
        assert_eq!(processed.data()[member], before[1][member], "{member}");
    }
    Audit::of(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_changes_between_two_holds_shows_in_the_second_alone() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let first = one.dispense(&what, 20).await.expect(201).id();
    one.cancel(first).await.expect(200);
    let before = one.ehealth_get(first).await.expect(200).data().clone();
    one.import(&later(&world)).await.expect(200);
    // 99 for a package of 30, which the later terms pay.
    let mut order = one.order(&what, 20);
    order.body["items"][0]["discountAmount"] = json!(66);
    let second = one.send(&order).await.expect(201);
    let after = one.ehealth_get(second.id()).await.expect(200).data().clone();
    assert_eq!(*one.ehealth_get(first).await.expect(200).data(), before);

    for pointer in [
        "/medication_request/division/name",
        "/medication_request/employee/party/first_name",
        "/medication_request/employee/party/last_name",
        "/medication_request/legal_entity/name",
        "/medication_request/medication_info/medication_name",
        "/medication_request/medical_program/name",
        "/party/first_name",
        "/party/second_name",
        "/party/last_name",
        "/legal_entity/name",
        "/division/name",
        "/medical_program/name",
        "/details/0/medication/name",
    ] {
        let [before, after] = [&before, &after].map(|it| it.pointer(pointer).unwrap());
        let before = before.as_str().unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(*after, json!(format!("{before}{LATER}")), "{pointer}");
    }
    for (pointer, expected) in [
        ("/medication_request/person/short_name", json!(format!("Коваль{LATER} О. П."))),
        ("/medication_request/request_number", json!("0000-9999-9999-9999")),
        ("/medication_request/dosage_instruction/0/text", json!("two at night")),
        ("/medication_request/employee/party/phones/0/number", json!("+380679999999")),
        ("/medication_request/medication_info/form", json!("CAPSULE")),
        ("/party/phones/0/number", json!("+380679999999")),
        ("/division/addresses/0/settlement", json!("Львів")),
        ("/division/email", json!("later@example.org")),
        ("/division/dls_id", json!("9999")),
        ("/legal_entity/edrpou", json!("39999999")),
        ("/details/0/medication/form", json!("CAPSULE")),
        ("/details/0/reimbursement_amount", json!(99)),
    ] {
        assert_ne!(before.pointer(pointer), Some(&expected), "{pointer}");
        assert_eq!(after.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(second.body["pharmacyName"], json!(format!("Аптека № 7{LATER}")));
}
