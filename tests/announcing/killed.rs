//! Whoever announces is killed, again and again, at any moment of a transaction.

use std::time::Duration;

use super::house::{House, pause};
use crate::harness::{Instance, eventually};

/// How often somebody is killed who announces, and how many there are to take over.
const KILLS: usize = 20;
const INSTANCES: usize = 3;

/// How often at most that is done, until a blow came between a message and its commit.
const MOST_SERIES: usize = 4;

/// How long it may take until somebody announces: a lease that nobody gives back lasts 5 s.
const TAKEN_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_told_once_however_often_whoever_tells_it_is_killed() {
    let house = House::new().await;
    let mut instances = Vec::new();
    for _ in 0..INSTANCES {
        instances.push(house.start().await);
    }
    let mut doubled = 0;
    for series in 1..=MOST_SERIES {
        kill(&house, &mut instances).await;
        // The blows did hit: who looks at what was never committed sees messages twice.
        let uncommitted = house.uncommitted().await;
        doubled = uncommitted["counts"]["doubled"].as_u64().unwrap_or_default();
        println!("{} kills; {doubled} messages were given up", series * KILLS);
        if doubled > 0 {
            break;
        }
    }
    assert!(doubled > 0, "no kill came between a message and its commit");
    house.whole(&instances[0]).await;
}

/// Kills whoever announces under load, again and again, and waits until all is announced.
async fn kill(house: &House, instances: &mut [Instance]) {
    let busy = house.busy(&instances.iter().collect::<Vec<_>>());
    for _ in 0..KILLS {
        let victim = eventually("somebody who announces", TAKEN_WITHIN, async || {
            let (n, leases) = busiest(house, instances).await;
            (leases > 0.0).then_some(n)
        })
        .await;
        pause(0..900).await;
        instances[victim].start_again().await;
    }
    busy.stop(house, 200).await;
    house.settled().await;
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
