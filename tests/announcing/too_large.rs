//! A message that the brokers do not take.

use std::time::Duration;

use super::house::{House, LONG_HOLDS, fault, told, well};
use super::topics::set_longest_message;
use super::witness::{CANCELLED, HOLD_CREATED};
use crate::harness::eventually;

/// Less than any message has, and what Kafka takes unless it is told otherwise.
const TOO_LITTLE: u32 = 200;
const USUAL: u32 = 1_048_588;

/// How long it may take until a broker has read of the change.
const CHANGED_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_stops_its_partition_until_the_topic_takes_it() {
    let house = House::new().await;
    let instance = house.start_with(&LONG_HOLDS).await;
    house.hold_and_cancel(&instance).await;
    well(&instance).await;
    let topic = house.topic(HOLD_CREATED);
    set_longest_message(&house.brokers, &topic, TOO_LITTLE).await;
    // The first of them may still be taken: a change counts a moment after it was made.
    let mut holds = 1;
    eventually("a message that is too large", CHANGED_WITHIN, async || {
        house.hold_and_cancel(&instance).await;
        holds += 1;
        fault(&instance).await.filter(|it| it.contains("max.message.bytes"))
    })
    .await;
    for _ in 0..6 {
        house.hold_and_cancel(&instance).await;
        holds += 1;
    }
    told(&instance, &[&topic, "max.message.bytes"]).await;
    // What cannot be told is not left out: nothing behind it is told either.
    set_longest_message(&house.brokers, &topic, USUAL).await;
    well(&instance).await;
    let summary = house.whole(&instance).await;
    assert_eq!(summary["topics"][HOLD_CREATED], holds, "{summary:#}");
    assert_eq!(summary["topics"][CANCELLED], holds, "{summary:#}");
}
