//! Whatever falls over, each message counts once.

use super::registry::{Changing, Registry, topic_of, well};
use crate::announcing::brokers::OwnBroker;
use crate::announcing::house::{pause, told};
use crate::auditing::check;
use crate::harness::{Database, OwnServer};

/// How often an instance is killed.
const KILLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_again_and_again_applies_each_message_once() {
    let registry = Registry::new(&["party"]).await;
    let mut instance = registry.start().await;
    let mut changing = Changing::new();
    for _ in 0..KILLS {
        // The lease of the one that was killed stands in nobody's way here: what is tried is the
        // moment of the kill.
        let free = "UPDATE registry_lease SET leased_until = '-infinity'";
        sqlx::query(free).execute(&registry.database.pool).await.unwrap();
        for _ in 0..4 {
            changing.go_on(&registry).await;
        }
        pause(0..400).await;
        instance.start_again().await;
    }
    changing.go_on(&registry).await;
    changing.all_arrived(&registry).await;
    let (code, said) = check(&registry.database);
    assert_eq!(code, 0, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_instances_one_reads_and_another_goes_on_where_it_fell_over() {
    let registry = Registry::new(&["party"]).await;
    let mut instances = [registry.start().await, registry.start().await, registry.start().await];
    let mut changing = Changing::new();
    for instance in &mut instances {
        for _ in 0..5 {
            changing.go_on(&registry).await;
        }
        instance.kill();
        changing.go_on(&registry).await;
        changing.all_arrived(&registry).await;
        instance.start_again().await;
    }
    // One that is silent for longer than its lease lasts comes back and finds that others went on.
    for instance in &instances {
        changing.go_on(&registry).await;
        instance.freeze(true);
        for _ in 0..3 {
            changing.go_on(&registry).await;
        }
        changing.all_arrived(&registry).await;
        instance.freeze(false);
        for _ in 0..3 {
            changing.go_on(&registry).await;
        }
        changing.all_arrived(&registry).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_database_or_broker_is_away_is_read_when_they_are_back() {
    let server = OwnServer::start().await;
    let broker = OwnBroker::start().await;
    let registry = Registry::on(Database::on(server.url()).await, broker.addresses().to_owned());
    registry.make(&topic_of("party"), 3).await;
    let instance = registry.start().await;
    let mut changing = Changing::new();
    for _ in 0..2 {
        changing.go_on(&registry).await;
        server.crash().await;
        for _ in 0..3 {
            changing.go_on(&registry).await;
        }
        server.start_again().await;
        changing.go_on(&registry).await;
        changing.all_arrived(&registry).await;

        changing.go_on(&registry).await;
        broker.kill().await;
        let fault = told(&instance, &["registry", "no broker answers"]).await;
        assert!(fault.contains("KAFKA_BROKERS"), "{fault}");
        broker.start_again().await;
        changing.go_on(&registry).await;
        changing.all_arrived(&registry).await;
        well(&instance).await;
    }
}
