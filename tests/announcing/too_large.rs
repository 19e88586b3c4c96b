//! A message that the brokers do not take.

use super::house::{House, told, well};
use super::topics::set_longest_message;
use super::witness::{CANCELLED, HOLD_CREATED};

/// Less than any message has, and what Kafka takes unless it is told otherwise.
const TOO_LITTLE: u32 = 200;
const USUAL: u32 = 1_048_588;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_stops_its_partition_until_the_topic_takes_it() {
    let house = House::new().await;
    let instance = house.start().await;
    house.hold_and_cancel(&instance).await;
    well(&instance).await;
    let topic = house.topic(HOLD_CREATED);
    set_longest_message(&house.brokers, &topic, TOO_LITTLE).await;
    for _ in 0..6 {
        house.hold_and_cancel(&instance).await;
    }
    told(&instance, &[&topic, "max.message.bytes"]).await;
    // What cannot be told is not left out: nothing behind it is told either.
    set_longest_message(&house.brokers, &topic, USUAL).await;
    well(&instance).await;
    let summary = house.whole(&instance).await;
    assert_eq!(summary["topics"][HOLD_CREATED], 7, "{summary:#}");
    assert_eq!(summary["topics"][CANCELLED], 7, "{summary:#}");
}
