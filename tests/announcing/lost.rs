//! Topics that were deleted: what they told is lost, and nothing is told over the gap as if it were not.

use super::house::{House, pause, told, well};
use super::topics::delete;
use super::witness::RECORDED;
use crate::harness::Instance;

/// The topic in which the relay keeps its place.
const POSITIONS: &str = "ndp.dispense.positions";

async fn some_work(house: &House, instance: &Instance) {
    let busy = house.busy(&[instance]);
    pause(1_500..2_500).await;
    busy.stop(house, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_deleted_is_filled_again_from_its_beginning() {
    let house = House::new().await;
    let instance = house.start().await;
    some_work(&house, &instance).await;
    house.whole(&instance).await;

    let topic = house.topic(RECORDED);
    delete(&house.brokers, &topic).await;
    some_work(&house, &instance).await;
    told(&instance, &[&topic]).await;
    // It is made again, and has nothing of what it had: nobody goes on there.
    house.make_topics().await;
    told(&instance, &[&topic, "dispense streams refill ndp.events.dispense.recorded"]).await;
    some_work(&house, &instance).await;
    let (status, said) = house.run(&["streams", "verify"]).await;
    assert!(!status.success(), "{said}");

    house.done(&["streams", "refill", RECORDED]).await;
    well(&instance).await;
    some_work(&house, &instance).await;
    house.whole(&instance).await;
    house.done(&["streams", "verify"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_was_lost_is_found_again_in_the_topics() {
    let house = House::new().await;
    let mut instance = house.start().await;
    some_work(&house, &instance).await;
    house.whole(&instance).await;
    instance.terminate();
    instance.wait(std::time::Duration::from_mins(1));

    delete(&house.brokers, &house.topic(POSITIONS)).await;
    house.make_topics().await;
    instance.start_again().await;
    told(&instance, &["dispense streams resume"]).await;
    some_work(&house, &instance).await;

    house.done(&["streams", "resume", "--yes"]).await;
    well(&instance).await;
    some_work(&house, &instance).await;
    house.whole(&instance).await;
    house.done(&["streams", "verify"]).await;
}
