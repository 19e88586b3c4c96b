//! Who may announce a partition, and up to where it was announced.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispensary::LogPosition;
use dispensary::relay::{LEASED_FOR, RelayLog, RelayPlace};

use super::{beginning, force, log_of, partition, place, relay};
use crate::dispenses::told::Log;

/// How many compete for a lease.
const RELAYS: usize = 8;

async fn row(log: &Log) -> i64 {
    log.database.number("SELECT position FROM followers WHERE name = 'relay'").await
}

/// What the database says that it is now.
async fn instant(log: &Log) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&log.database.admin).await.unwrap()
}

/// As if nobody had renewed any lease.
async fn time_goes_by(log: &Log) {
    let over = "UPDATE followers SET leased_until = leased_until - interval '1 minute'";
    force(log, over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_has_a_lease_and_keeps_it_until_it_lets_go() {
    let log = log_of(1).await;
    let (one, other) = (relay(&log).await, relay(&log).await);
    let (partition, another) = (partition(), (partition() + 1) % 4);
    assert!(one.lease(partition).await.unwrap());
    assert!(one.lease(partition).await.unwrap(), "it is renewed");
    assert!(!other.lease(partition).await.unwrap());
    assert!(other.lease(another).await.unwrap(), "each partition has its own");

    other.release(partition).await.unwrap();
    assert!(!other.lease(partition).await.unwrap(), "nobody lets go of what another one has");
    one.release(partition).await.unwrap();
    assert!(other.lease(partition).await.unwrap());
    assert!(!one.lease(partition).await.unwrap());
    assert!(!one.lease(another).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_not_renewed_is_over() {
    let log = log_of(1).await;
    let (one, other) = (relay(&log).await, relay(&log).await);
    let before = instant(&log).await;
    assert!(one.lease(partition()).await.unwrap());
    let after = instant(&log).await;
    let until: DateTime<Utc> =
        sqlx::query_scalar("SELECT leased_until FROM followers WHERE name = 'relay'")
            .fetch_one(&log.database.admin)
            .await
            .unwrap();
    assert!((before + LEASED_FOR..=after + LEASED_FOR).contains(&until), "{until}");

    time_goes_by(&log).await;
    assert!(other.lease(partition()).await.unwrap());
    assert!(!one.lease(partition()).await.unwrap());
    time_goes_by(&log).await;
    assert!(other.lease(partition()).await.unwrap(), "nobody came before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_a_lease_one_gets_it() {
    let log = log_of(1).await;
    let mut competing = Vec::new();
    for _ in 0..RELAYS {
        competing.push(Arc::new(relay(&log).await));
    }
    for _ in 0..20 {
        let mut relays = tokio::task::JoinSet::new();
        for relay in competing.clone() {
            relays.spawn(async move { relay.lease(partition()).await.unwrap() });
        }
        let got = relays.join_all().await.into_iter().filter(|it| *it).count();
        assert_eq!(got, 1);
        time_goes_by(&log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_says_how_far_it_is_and_nothing_that_the_log_does_not_have() {
    let log = log_of(3).await;
    let (one, other) = (relay(&log).await, relay(&log).await);
    let first = beginning(&one).await;
    assert!(one.lease(partition()).await.unwrap());
    assert_eq!(row(&log).await, 0);
    one.reached(place(&log, 4).await).await.unwrap();
    assert_eq!(row(&log).await, 4);

    let wrong = RelayPlace { hash: [9; 32], ..place(&log, 5).await };
    let beyond = LogPosition { partition: partition(), position: 7 };
    for unknown in [wrong, RelayPlace { place: beyond, ..wrong }] {
        one.reached(unknown).await.unwrap();
        assert_eq!(row(&log).await, 4);
    }

    one.reached(place(&log, 2).await).await.unwrap();
    assert_eq!(row(&log).await, 2, "whoever has the lease may have gone back");
    one.reached(first).await.unwrap();
    assert_eq!(row(&log).await, 0);

    // One that was slow tells of what it announced when it had the lease.
    time_goes_by(&log).await;
    assert!(other.lease(partition()).await.unwrap());
    one.reached(place(&log, 5).await).await.unwrap();
    assert_eq!(row(&log).await, 5, "the streams have it, whoever announced it");
    one.reached(place(&log, 3).await).await.unwrap();
    one.reached(first).await.unwrap();
    assert_eq!(row(&log).await, 5, "nobody takes back what another one has announced");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_the_streams_are_behind_is_told_by_the_log() {
    let mut log = log_of(2).await;
    let relay = relay(&log).await;
    let after = |position| LogPosition { partition: partition(), position };
    let (events, seconds) = relay.lag(after(1)).await.unwrap();
    assert_eq!(events, 3);
    let age = "SELECT extract(epoch FROM clock_timestamp() - recorded_at)::bigint FROM events
               WHERE position = 2";
    let age = log.database.number(age).await;
    #[allow(clippy::cast_possible_truncation, reason = "some years, in seconds")]
    let told = seconds as i64;
    assert!((age - told).abs() < 60, "{age} {told}");
    assert_eq!(relay.lag(after(4)).await.unwrap(), (0, 0.0));
    assert_eq!(relay.lag(after(9)).await.unwrap(), (0, 0.0), "the log lost its tail");

    // Whoever waits is woken by what is there, and soon by nothing.
    log.held(&super::told()).await;
    relay.more(after(4)).await;
    relay.more(after(5)).await;
}
