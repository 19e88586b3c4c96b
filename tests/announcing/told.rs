//! What the streams tell of a dispense, from its beginning to its end.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{House, LONG_HOLDS, well};
use super::messages::{Message, all};
use super::witness::{CANCELLED, EXPIRED, FULLY_DISPENSED, HOLD_CREATED, RECORDED};
use crate::harness::{PAID, Terms, today};

/// The topics in which a medication request was told, in the order of its events.
fn topics(messages: &[Message], request: Uuid) -> Vec<(&str, &Value)> {
    let key = request.to_string();
    let of_request = messages.iter().filter(|message| message.key == key);
    of_request.map(|message| (&*message.topic, &message.value)).collect()
}

/// The value has at least these members.
fn assert_has(value: &Value, members: &Value) {
    for (name, wanted) in members.as_object().unwrap() {
        assert_eq!(&value[name], wanted, "{name} of {value:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispense_is_told_from_its_beginning_to_its_end() {
    let house = House::new().await;
    let (instance, forgetful) = (house.start_with(&LONG_HOLDS).await, house.start().await);
    let pharmacy = house.world.pharmacies[0].at(&instance);
    let prescribed = |terms, n| house.world.prescribed(terms, n);

    // Held and given back; held and left.
    let returned = prescribed(Terms::InParts, 0);
    let held = pharmacy.dispense(&returned, 20).await.expect(201);
    pharmacy.cancel(held.id()).await.expect(200);
    let left = prescribed(Terms::InParts, 1);
    let forgotten = pharmacy.at(&forgetful).dispense(&left, 20).await.expect(201);
    // Handed over in two parts, signed for; and at once, in part and whole.
    let signed = prescribed(Terms::InParts, 2);
    let first = pharmacy.dispense(&signed, 20).await.expect(201);
    pharmacy.hand_over(first.id(), PAID).await.expect(200);
    let second = pharmacy.dispense(&signed, 40).await.expect(201);
    pharmacy.hand_over(second.id(), PAID).await.expect(200);
    let (partly, wholly) = (prescribed(Terms::InPartsAtOnce, 0), prescribed(Terms::WholeAtOnce, 0));
    let part = pharmacy.dispense(&partly, 10).await.expect(201);
    let whole = pharmacy.dispense(&wholly, 60).await.expect(201);

    well(&instance).await;
    house.whole(&instance).await;
    let told = all(&house, &[RECORDED, FULLY_DISPENSED, HOLD_CREATED, EXPIRED, CANCELLED]).await;
    let of = |what: Uuid| topics(&told, what).into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(of(returned.id), [HOLD_CREATED, CANCELLED]);
    assert_eq!(of(left.id), [HOLD_CREATED, EXPIRED]);
    assert_eq!(of(partly.id), [RECORDED]);
    let in_parts = topics(&told, signed.id);
    let order: Vec<_> = in_parts.iter().map(|it| it.0).collect();
    // Two messages of one event come from two topics, in no order between them.
    assert_eq!(order[..3], [HOLD_CREATED, RECORDED, HOLD_CREATED]);
    assert_eq!(order.len(), 5);
    let at_the_end: BTreeMap<_, _> = in_parts[3..].iter().copied().collect();
    let both: BTreeMap<_, _> = topics(&told, wholly.id).into_iter().collect();
    assert_eq!(both.keys().collect::<Vec<_>>(), at_the_end.keys().collect::<Vec<_>>());

    // What the platform's consumers rely on.
    let recorded = |dispense: Uuid, request: Uuid, more: &Value| {
        let found = topics(&told, request).into_iter();
        let mut found =
            found.filter(|it| it.0 == RECORDED && it.1["dispenseId"] == json!(dispense));
        let value = found.next().unwrap().1;
        assert!(found.next().is_none());
        let always = json!({
            "prescriptionId": request, "pharmacyId": pharmacy.division,
            "legalEntityId": pharmacy.legal_entity, "dispensedOn": today(),
        });
        assert_has(value, &always);
        assert_has(value, more);
        assert_eq!(value["items"][0]["medicineCode"], json!(signed.brand));
    };
    recorded(
        first.id(),
        signed.id,
        &json!({"isPartial": true, "remaining": "40", "dispenseNumber": 1, "signed": true,
                "copayment": "20"}),
    );
    recorded(
        second.id(),
        signed.id,
        &json!({"isPartial": false, "remaining": "0", "dispenseNumber": 2, "signed": true}),
    );
    recorded(part.id(), partly.id, &json!({"isPartial": true, "remaining": "50", "signed": false}));
    recorded(
        whole.id(),
        wholly.id,
        &json!({"isPartial": false, "remaining": "0", "signed": false}),
    );
    let fully = at_the_end[FULLY_DISPENSED];
    let expected = json!({
        "prescriptionId": signed.id, "dispenses": 2, "lastDispenseId": second.id(),
    });
    assert_has(fully, &expected);
    assert_eq!(fully["completedAt"], at_the_end[RECORDED]["timestamp"]);
    let expired = topics(&told, left.id)[1].1;
    assert_has(expired, &json!({"dispenseId": forgotten.id(), "prescriptionId": left.id}));

    // Nobody is named, and each message says where it comes from.
    for message in &told {
        let text = message.value.to_string();
        for name in ["Коваль", "Шевчук", "Аптека", "bag"] {
            assert!(!text.contains(name), "{text}");
        }
        for name in ["ce_id", "ce_source", "ce_time", "ce_hash", "ce_subject"] {
            assert!(message.headers.contains_key(name), "{message:?}");
        }
        assert_eq!(message.headers["ce_specversion"], "1.0");
        assert_eq!(message.headers["ce_type"], message.topic);
        assert_eq!(message.headers["content-type"], "application/json");
        assert!(
            message.topic == FULLY_DISPENSED
                || message.value["timestamp"] == *message.headers["ce_time"]
        );
    }
}
