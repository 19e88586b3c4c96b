//! A cluster of three brokers, each of which dies in turn.

use std::time::Duration;

use dispense_embedded::BrokerBuilder;

use super::brokers::OwnBroker;
use super::house::{House, pause, well};
use crate::harness::{Database, Instance, eventually};

/// How many brokers there are, and how often each of them dies.
const BROKERS: usize = 3;
const DEATHS: usize = 2;

/// How long the others may take to go on without it, and to announce what has come together.
const GO_ON_WITHIN: Duration = Duration::from_mins(1);

/// How many commands there must be at least around each death.
const COMMANDS: usize = 40;

/// Everything in the log is announced.
async fn caught_up(house: &House, instances: &[Instance]) {
    eventually("a relay that has caught up", GO_ON_WITHIN, async || {
        let mut behind = 0.0;
        for instance in instances {
            let pharmacy = house.world.pharmacies[0].at(instance);
            behind += pharmacy.figure("dispense_relay_lag_events").await;
        }
        (behind < 0.5).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "three brokers are more than `make test` has room for: `make test-cluster` runs it"]
async fn any_broker_of_a_cluster_may_die_and_every_event_is_told_once() {
    let broker = OwnBroker::built(BrokerBuilder::quorum).await;
    let house = House::on(Database::new().await, broker.addresses().to_owned());
    house.make_topics().await;
    let topics = house.done(&["streams", "topics", "--json"]).await;
    assert!(topics.contains(r#""replication": 3"#), "{topics}");
    let instances = [house.start().await, house.start().await];
    for death in 0..DEATHS {
        for id in 1..=BROKERS {
            let busy = house.busy(&[&instances[0], &instances[1]]);
            pause(1_000..2_000).await;
            broker.kill_node(id).await;
            pause(2_000..5_000).await;
            busy.stop(&house, COMMANDS).await;
            // Two of three have to be enough: nobody waits for the dead one.
            house.settled().await;
            caught_up(&house, &instances).await;
            println!("death {} of broker {id}: the others went on", death + 1);
            let busy = house.busy(&[&instances[0], &instances[1]]);
            broker.start_node_again(id).await;
            pause(500..2_000).await;
            busy.stop(&house, 1).await;
        }
    }
    for instance in &instances {
        well(instance).await;
    }
    house.whole(&instances[0]).await;
}
