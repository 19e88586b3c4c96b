//! Two instances that both believe that a partition is theirs.

use std::time::Duration;

use super::house::{House, pause};
use crate::harness::{Instance, eventually};

/// How often the one that announces is frozen.
const ROUNDS: usize = 3;

/// How often at most, until one was frozen with something to commit.
const MOST_ROUNDS: usize = 40;

/// How long it may take until the other has taken over: a lease lasts 5 s.
const TAKEN_WITHIN: Duration = Duration::from_mins(2);

/// How many partitions a log has in tests.
const PARTITIONS: f64 = 4.0;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_after_another_took_over_is_fenced() {
    let house = House::new().await;
    let instances = [house.start().await, house.start().await];
    let mut fenced = 0.0;
    for round in 0..MOST_ROUNDS {
        if round >= ROUNDS && fenced > 0.0 {
            break;
        }
        let (frozen, other) = (&instances[round % 2], &instances[(round + 1) % 2]);
        let busy = house.busy(&[other]);
        eventually("leases of the one that will be frozen", TAKEN_WITHIN, async || {
            (leases(&house, frozen).await > 0.0).then_some(())
        })
        .await;
        pause(300..900).await;
        frozen.freeze(true);
        eventually("a take-over", TAKEN_WITHIN, async || {
            (leases(&house, other).await >= PARTITIONS).then_some(())
        })
        .await;
        pause(500..1_500).await;
        // It goes on where it was: in the middle of a transaction, or before the next one.
        frozen.freeze(false);
        pause(2_500..3_500).await;
        busy.stop(&house, 20).await;
        fenced += outcome(&house, frozen, "fenced").await;
    }
    println!("{fenced} transactions were fenced");
    house.whole(&instances[0]).await;
    assert!(fenced > 0.0, "nobody was fenced");
}

/// How many partitions an instance announces.
async fn leases(house: &House, instance: &Instance) -> f64 {
    house.world.pharmacies[0].at(instance).figure("dispense_relay_leased").await
}

/// How many transactions of an instance ended like that.
async fn outcome(house: &House, instance: &Instance, outcome: &str) -> f64 {
    let pharmacy = house.world.pharmacies[0].at(instance);
    let text = pharmacy.request("GET", "/metrics").send().await.unwrap().text().await.unwrap();
    let name = format!("dispense_relay_transactions_total{{outcome=\"{outcome}\"}}");
    let line = text.lines().find_map(|line| line.strip_prefix(&name).map(str::trim));
    line.map_or(0.0, |value| value.parse().unwrap())
}
