//! What the streams really say is what `docs/asyncapi.yaml` says that they say: every header, every
//! member, on the brokers and over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use dispensary::Topic;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::house::{House, LONG_HOLDS, well};
use super::messages::{Message, all};
use super::witness::{CANCELLED, EXPIRED, FULLY_DISPENSED, HOLD_CREATED, RECORDED};
use crate::asyncapi::Document;
use crate::harness::{Answer, Instance, Order, PAID, Pharmacy, Terms};
use crate::privacy::{found_in, telling};

const EVERY_TOPIC: [&str; Topic::ALL.len()] =
    [RECORDED, FULLY_DISPENSED, HOLD_CREATED, EXPIRED, CANCELLED];

/// The trace that a client is in; each order has a step of its own there.
fn trace(step: u8) -> String {
    format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033{step:02x}-01")
}

/// Sends an order as a step of the trace.
async fn send(pharmacy: &Pharmacy, order: &Order, step: u8) -> Uuid {
    let request = pharmacy.request(order.method(), &order.path).json(&order.body);
    let request = request.header(order.key_header(), &order.key).header("traceparent", trace(step));
    let answer = Answer::to(request).await.unwrap();
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.id()
}

/// One message of each kind, in the steps 1 to 8; the last event belongs to nobody's trace: it ends a hold
/// at an instance whose holds are short.
async fn one_of_each(house: &House, pharmacy: &Pharmacy, forgetful: &Pharmacy) {
    let prescribed = |terms, n| house.world.prescribed(terms, n);
    let signed = prescribed(Terms::InParts, 0);
    let first = send(pharmacy, &pharmacy.order(&signed, 20), 1).await;
    send(pharmacy, &pharmacy.handing_over(first, PAID).await, 2).await;
    let last = send(pharmacy, &pharmacy.order(&signed, 40), 3).await;
    send(pharmacy, &pharmacy.handing_over(last, PAID).await, 4).await;
    send(pharmacy, &pharmacy.order(&prescribed(Terms::InPartsAtOnce, 0), 10), 5).await;
    let returned = send(pharmacy, &pharmacy.order(&prescribed(Terms::InParts, 1), 20), 6).await;
    send(pharmacy, &Order::cancelling(returned), 7).await;
    send(forgetful, &pharmacy.order(&prescribed(Terms::InParts, 2), 20), 8).await;
}

/// The messages that the log has over HTTP, as they would travel on the brokers.
async fn over_http(house: &House, instance: &Instance) -> Vec<(Value, Value)> {
    let partitions = sqlx::query_scalar("SELECT count(*) FROM log_head");
    let partitions: i64 = partitions.fetch_one(&house.database.pool).await.unwrap();
    let mut messages = Vec::new();
    for partition in 0..partitions {
        let url = format!("{}/api/v1/messages?partition={partition}&limit=10000", instance.url);
        let request = reqwest::Client::new().get(url).bearer_auth(house.audit_token());
        let text = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
        messages.extend(text.lines().map(|line| unstructured(serde_json::from_str(line).unwrap())));
    }
    messages
}

/// Headers and payload of a message whose attributes are members.
fn unstructured(mut line: Map<String, Value>) -> (Value, Value) {
    let payload = line.remove("data").unwrap();
    let header = |(name, value): (String, Value)| match &*name {
        "traceparent" => (name, value),
        "datacontenttype" => ("content-type".to_owned(), value),
        _ => (format!("ce_{name}"), value),
    };
    (line.into_iter().map(header).collect(), payload)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_is_as_it_is_described() {
    let house = House::new().await;
    let (instance, forgetful) = (house.start_with(&LONG_HOLDS).await, house.start().await);
    let pharmacy = house.world.pharmacies[0].at(&instance);
    one_of_each(&house, &pharmacy, &pharmacy.at(&forgetful)).await;
    house.settled().await;
    well(&instance).await;
    house.whole(&instance).await;

    let document = Document::read();
    let messages = all(&house, &EVERY_TOPIC).await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &messages {
        *counts.entry(&*message.topic).or_default() += 1;
        let described = document.message_of(&message.topic);
        let objections = document.objections(described, &json!(message.headers), &message.value);
        assert!(objections.is_empty(), "{objections:#?}");
        assert_belongs_together(message);
    }
    let expected = [(RECORDED, 3), (FULLY_DISPENSED, 1), (HOLD_CREATED, 4)];
    let expected = expected.into_iter().chain([(EXPIRED, 1), (CANCELLED, 1)]);
    assert_eq!(counts, expected.collect());

    // The trace of each request comes out where it led to.
    let of_trace = |step: u8| -> BTreeSet<&str> {
        let is_of = |it: &&Message| it.headers.get("traceparent") == Some(&trace(step));
        messages.iter().filter(is_of).map(|message| &*message.topic).collect()
    };
    let both = BTreeSet::from([RECORDED, FULLY_DISPENSED]);
    assert_eq!([1, 3, 6, 8].map(of_trace), [HOLD_CREATED; 4].map(|it| BTreeSet::from([it])));
    assert_eq!(
        [of_trace(2), of_trace(4), of_trace(5)],
        [[RECORDED].into(), both, [RECORDED].into()]
    );
    assert_eq!(of_trace(7), [CANCELLED].into());
    let untraced = messages.iter().filter(|it| !it.headers.contains_key("traceparent"));
    assert_eq!(untraced.map(|it| &*it.topic).collect::<Vec<_>>(), [EXPIRED]);

    // Nobody is named, not even by a word of their own.
    let telling = telling(&house.world.lines());
    assert!(!telling.is_empty());
    for message in &messages {
        let text = format!("{message:?}");
        assert_eq!(found_in(&text, &telling), Vec::<&String>::new(), "{text}");
    }

    // Who has no broker reads the same.
    let told: BTreeSet<String> =
        messages.iter().map(|it| json!([it.headers, it.value]).to_string()).collect();
    let served = over_http(&house, &instance).await;
    let served: BTreeSet<String> = served.iter().map(|it| json!(it).to_string()).collect();
    assert_eq!(served, told);
}

/// What a message says twice it says alike.
fn assert_belongs_together(message: &Message) {
    let Message { topic, key, headers, value } = message;
    assert_eq!(headers["ce_type"], *topic);
    assert_eq!(headers["ce_partitionkey"], *key);
    assert_eq!(value["prescriptionId"], **key);
    let (dispense, time) = if topic == FULLY_DISPENSED {
        ("lastDispenseId", "completedAt")
    } else {
        ("dispenseId", "timestamp")
    };
    assert_eq!(value[dispense], *headers["ce_subject"]);
    assert_eq!(value[time], *headers["ce_time"]);
    if topic == RECORDED {
        assert_eq!(value["isPartial"], value["remaining"] != "0");
    }
}
