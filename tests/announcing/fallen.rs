//! The servers fall over while many dispense: the broker, and the database.

use std::time::Instant;

use super::brokers::OwnBroker;
use super::house::{House, assert_few_lines, pause, told, well};
use crate::harness::{Database, Instance, OwnServer};

/// How many lines an instance may log in a minute of a broker that is away: it tries again and again, and
/// tells once in a while.
const MOST_LINES: u64 = 60;

struct Opened {
    broker: OwnBroker,
    server: OwnServer,
    house: House,
    instance: Instance,
}

async fn opened() -> Opened {
    let (broker, server) = tokio::join!(OwnBroker::start(), OwnServer::start());
    let house = House::on(Database::on(server.url()).await, broker.addresses().to_owned());
    house.make_topics().await;
    let instance = house.start().await;
    Opened { broker, server, house, instance }
}

impl Opened {
    /// Nobody who dispenses notices that the broker is away, and operators are told.
    async fn assert_away(&self) {
        let detail = told(&self.instance, &["KAFKA_BROKERS"]).await;
        assert!(detail.contains(self.broker.addresses()), "{detail}");
        for _ in 0..10 {
            self.house.hold_and_cancel(&self.instance).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_or_crashes_delays_messages_and_nothing_else() {
    let started = Instant::now();
    let opened = opened().await;
    let (broker, house, instance) = (&opened.broker, &opened.house, &opened.instance);
    for _ in 0..2 {
        house.hold_and_cancel(instance).await;
    }
    well(instance).await;
    for crash in [false, true] {
        let busy = house.busy(&[instance]);
        pause(1_000..2_000).await;
        if crash {
            broker.kill().await;
        } else {
            broker.stop().await;
        }
        opened.assert_away().await;
        broker.start_again().await;
        well(instance).await;
        pause(500..1_000).await;
        busy.stop(house, 40).await;
    }
    house.whole(instance).await;
    assert_few_lines(instance, started, MOST_LINES);
    well(instance).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_or_crashes_delays_messages_and_nothing_else() {
    let opened = opened().await;
    let (server, house) = (&opened.server, &opened.house);
    let mut instance = opened.instance;
    let other = house.start().await;
    let busy = house.busy(&[&instance, &other]);
    for n in 0..4 {
        pause(1_000..2_500).await;
        if n % 2 == 0 {
            server.crash().await;
        } else {
            server.stop().await;
        }
        pause(0..800).await;
        server.start_again().await;
        instance.wait_until_ready().await;
    }
    busy.stop(house, 40).await;
    well(&instance).await;
    well(&other).await;
    house.whole(&instance).await;
}
