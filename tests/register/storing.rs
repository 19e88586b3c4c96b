//! What the register's store is known to do, as far as it is seen through the API. Its jobs and
//! internal calls (S-20 to S-26) have no counterpart here.

use serde_json::{Value, json};

use super::{held, opened, outside, without_program};
use crate::harness::{Audit, Order, PAID, Terms};

#[tokio::test(flavor = "multi_thread")]
async fn s_10_a_dispense_needs_no_program() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::Whole, 0);
    without_program(&one, &what).await;
    let created = one.send(&outside(&one, &what)).await.expect(201);
    assert_eq!(created.data()["status"], "NEW");
    assert_eq!(created.data().get("medical_program"), None);
    let shown = one.look_at(created.id()).await.expect(200).body;
    assert_eq!(shown["programId"], Value::Null);
    let audit = Audit::of(&database).await;
    assert_eq!(audit.of_request(what.id)[0].payload.get("medical_program"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s_11_optional_members_that_were_not_sent_are_null_or_absent() {
    let (_database, _instance, world, one, _other) = opened().await;
    let mut order = one.ehealth_order(&world.prescribed(Terms::InParts, 0), 20);
    let dispense = order.body["medication_dispense"].as_object_mut().unwrap();
    dispense.remove("note");
    let detail = dispense["dispense_details"][0].as_object_mut().unwrap();
    for name in ["program_medication_id", "batch_number", "expiry_date"] {
        detail.remove(name);
    }
    let created = one.send(&order).await.expect(201);
    for name in ["payment_id", "payment_amount", "dispensed_by"] {
        assert_eq!(created.data().get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(created.data().get("note"), None);
    for name in ["batch_number", "expiry_date", "medication_2d_codes"] {
        assert_eq!(created.data()["details"][0].get(name), None, "{name}");
    }
    let shown = one.look_at(created.id()).await.expect(200).body;
    for name in ["batchNumber", "expiryDate"] {
        assert_eq!(shown["items"][0].get(name), Some(&Value::Null), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s_12_an_empty_body_lacks_every_required_member() {
    let (database, _instance, world, one, _other) = opened().await;
    let order = one.ehealth_order(&world.prescribed(Terms::InParts, 0), 20);
    let missing = |wrapper: &str, names: &[&str]| -> Vec<[String; 3]> {
        let text = |name: &str| format!("required property {name} was not present");
        let entry = |name: &&str| [format!("{wrapper}.{name}"), "required".to_owned(), text(name)];
        names.iter().map(entry).collect()
    };
    for (body, wrapper, names) in [
        (json!({}), "$", &["medication_dispense"][..]),
        (
            json!({"medication_dispense": {}}),
            "$.medication_dispense",
            &["medication_request_id", "dispensed_at", "division_id", "dispense_details"],
        ),
    ] {
        let refused = one.send(&Order { body, ..order.clone() }).await;
        let expected = missing(wrapper, names);
        let expected: Vec<[&str; 3]> =
            expected.iter().map(|it| [&it[0], &it[1], &it[2]].map(String::as_str)).collect();
        refused.blames(&expected);
    }
    assert!(Audit::of(&database).await.entries.is_empty());
}

/// Whoever made it ends it: nobody says that nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn s_14_the_same_user_may_change_what_she_made() {
    let (_database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    for processes in [true, false] {
        let (id, document) = held(&one, &what).await;
        assert_eq!(document["updated_at"], document["inserted_at"]);
        let changed = if processes {
            one.ehealth_process(id, &one.sign(&document, PAID), "s-14").await.expect(200)
        } else {
            one.ehealth_reject(id).await.expect(200)
        };
        let data = changed.data();
        assert_eq!(data["updated_by"], json!(one.user));
        assert_eq!(data["inserted_by"], document["inserted_by"]);
        assert_eq!(data["inserted_at"], document["inserted_at"]);
        let [before, after] =
            [&data["inserted_at"], &data["updated_at"]].map(|it| it.as_str().unwrap());
        assert!(after > before, "{after} is not after {before}");
    }
}

/// The register tells of two things then: the dispense is processed, the request completed. Here one
/// event says both, with nothing that remains.
#[tokio::test(flavor = "multi_thread")]
async fn s_15_what_leaves_nothing_completes_the_medication_request() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::Whole, 0);
    let created = one.ehealth_hold(&what, 60).await.expect(201);
    let container = one.sign(created.data(), PAID);
    let processed = one.ehealth_process(created.id(), &container, "s-15").await.expect(200);
    assert_eq!(processed.data()["status"], "PROCESSED");
    // The document shows the request as it was: what has become of it, the request itself says.
    assert_eq!(processed.data()["medication_request"]["status"], "ACTIVE");
    let request = one.get(&format!("/api/medication_requests/{}", what.id)).await.expect(200);
    assert_eq!(request.data()["status"], "COMPLETED");
    assert_eq!(request.data()["medication_info"]["medication_remaining_qty"], 0);
    let balance = one.balance(&what).await.expect(200).body;
    assert_eq!(balance["status"], "COMPLETED");
    let amounts = ["prescribed", "held", "dispensed", "available"].map(|name| &balance[name]);
    assert_eq!(amounts, [&json!(60), &json!(0), &json!(60), &json!(0)]);

    let audit = Audit::of(&database).await;
    assert_eq!(audit.kinds(what.id), ["HoldCreated", "Processed"]);
    let event = &audit.of_request(what.id)[1].payload;
    assert_eq!((&event["remaining"], &event["signed"]), (&json!("0"), &json!(true)));
    assert_eq!(event["content"]["key"], json!(database.stored()[0]));
}

/// Once the store knew one processed dispense for each medication request, and said so at
/// `$.medication_request_id`. Now the quantities decide.
#[tokio::test(flavor = "multi_thread")]
async fn s_17_a_second_dispense_is_processed_as_long_as_something_is_left() {
    let (database, _instance, world, one, other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    for (pharmacy, quantity) in [(&one, 20), (&other, 30)] {
        let created = pharmacy.ehealth_hold(&what, quantity).await.expect(201);
        let container = pharmacy.sign(created.data(), PAID);
        pharmacy.ehealth_process(created.id(), &container, "s-17").await.expect(200);
    }
    let text = "Dispensed medication quantity must be lower or equal to medication quantity in \
                Medication Request. Available quantity is 10";
    let refused = one.ehealth_hold(&what, 20).await;
    refused.blames(&[["$.medication_request.medication_qty", "required", text]]);
    let last = one.ehealth_hold(&what, 10).await.expect(201);
    let container = one.sign(last.data(), PAID);
    one.ehealth_process(last.id(), &container, "s-17").await.expect(200);
    let refused = other.ehealth_hold(&what, 10).await;
    refused.said(409, "request_conflict", "Medication request is not active");

    let audit = Audit::of(&database).await;
    let processed = audit.of_request(what.id).into_iter().filter(|it| it.kind == "Processed");
    let remaining: Vec<&Value> = processed.map(|it| &it.payload["remaining"]).collect();
    assert_eq!(remaining, [&json!("40"), &json!("10"), &json!("0")]);
}

/// The history is the log itself.
#[tokio::test(flavor = "multi_thread")]
async fn s_18_the_log_keeps_what_happened_in_its_order() {
    let (database, _instance, world, one, _other) = opened().await;
    let what = world.prescribed(Terms::InParts, 0);
    let (rejected, _) = held(&one, &what).await;
    one.ehealth_reject(rejected).await.expect(200);
    let (processed, _) = held(&one, &what).await;
    one.hand_over(processed, PAID).await.expect(200);
    let audit = Audit::of(&database).await;
    let history = audit.of_request(what.id);
    let history: Vec<_> = history.iter().map(|it| (it.dispense, &*it.kind, it.sequence)).collect();
    assert_eq!(
        history,
        [
            (rejected, "HoldCreated", 1),
            (rejected, "Cancelled", 2),
            (processed, "HoldCreated", 3),
            (processed, "Processed", 4),
        ]
    );
}
