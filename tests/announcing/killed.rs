//! Whoever announces is killed, again and again, at any moment of a transaction.

use super::house::{House, pause};
use crate::harness::Instance;

/// How often somebody is killed, and how many there are to take over.
const KILLS: usize = 24;
const INSTANCES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_told_once_however_often_whoever_tells_it_is_killed() {
    let house = House::new().await;
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(house.start().await);
    }
    let busy = house.busy(&instances.iter().collect::<Vec<_>>());
    let mut announcing = 0;
    for _ in 0..KILLS {
        pause(200..1_400).await;
        let (victim, leases) = busiest(&house, &instances).await;
        announcing += usize::from(leases > 0.0);
        instances[victim].start_again().await;
    }
    busy.stop(&house, 200).await;

    // The blows did hit: who looks at what was never committed sees messages twice.
    house.settled().await;
    let uncommitted = house.uncommitted().await;
    let doubled = &uncommitted["counts"]["doubled"];
    println!("{announcing} of {KILLS} kills hit a relay at work; {doubled} messages were given up");
    assert!(announcing >= KILLS / 2, "{announcing} kills hit a relay at work");
    house.whole(&instances[0]).await;
}

/// The instance that announces the most partitions, and how many.
async fn busiest(house: &House, instances: &[Instance]) -> (usize, f64) {
    let mut most = (0, -1.0);
    for (n, instance) in instances.iter().enumerate() {
        let pharmacy = house.world.pharmacies[0].at(instance);
        let leases = pharmacy.figure("dispense_relay_leased").await;
        if leases > most.1 {
            most = (n, leases);
        }
    }
    most
}
