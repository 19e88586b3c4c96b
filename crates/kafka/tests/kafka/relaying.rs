//! Every event reaches the streams once and in order, whatever falls over.

mod faults;
mod held_back;
mod injected;
mod unled;

use std::sync::Arc;
use std::time::{Duration, Instant};

use dispense_kafka::topics::{Earnest, make};
use dispense_kafka::{Place, Relay, Settings, places};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::settings;
use crate::relay_log::{Board, MemoryLog, Shared};
use crate::streams::assert_once_and_in_order;

use dispensary::relay::RelayLog as _;

/// How long anything may take that is waited for.
const WITHIN: Duration = Duration::from_mins(1);

/// The partition of the log that most tests announce.
const PARTITION: u16 = 2;

/// A relay that runs.
struct Running {
    board: Arc<Board>,
    stop: CancellationToken,
    relay: JoinHandle<()>,
}

fn start(settings: &Settings, log: Arc<MemoryLog>, partition: u16) -> Running {
    let board = Arc::new(Board::default());
    let stop = CancellationToken::new();
    let relay = Relay::new(log, board.clone(), settings.clone(), partition);
    let relay = tokio::spawn(relay.run(stop.clone()));
    Running { board, stop, relay }
}

impl Running {
    async fn stop(self) {
        self.stop.cancel();
        self.relay.await.unwrap();
    }

    /// Without giving anything back, as a process that dies.
    fn kill(self) {
        self.relay.abort();
    }

    /// Waits until the fault that is told has those words.
    async fn says(&self, words: &str) {
        let said = || self.board.now().iter().any(|told| told.contains(words));
        wait_until(&format!("it says {words:?}"), said, || format!("{:?}", self.board.ever()))
            .await;
    }

    async fn is_well(&self) {
        let well = || self.board.now().is_empty();
        wait_until("it works again", well, || format!("{:?}", self.board.now())).await;
    }
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool, instead: impl Fn() -> String) {
    let until = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < until, "{what}; instead: {}", instead());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A cluster with topics for a log.
async fn with_topics() -> (Settings, Arc<Shared>) {
    let (settings, log) = (settings(), Shared::new());
    make(&settings, log.instance().partitions(), Earnest::Done).await.unwrap();
    (settings, log)
}

/// Waits until the log was told that it is announced to its end.
async fn announced(log: &Shared, partition: u16) {
    let end = i64::try_from(log.facts(partition).len()).unwrap();
    wait_until(
        &format!("{end} events are announced"),
        || log.told(partition) == end,
        || log.told(partition).to_string(),
    )
    .await;
}

/// Waits until the others wanted the lease of this one so many times more.
async fn is_refused(log: &Shared, of: &MemoryLog, times: u64) {
    let before = log.refused();
    let until = Instant::now() + WITHIN;
    while log.refused() < before + times {
        assert!(Instant::now() < until, "nobody else asks for the lease");
        assert!(of.lease(PARTITION).await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the brokers have as the place of a partition.
async fn kept(settings: &Settings, log: &Arc<Shared>, partition: u16) -> Option<Place> {
    let all = places(settings, log.log_id(), log.instance().partitions()).await.unwrap();
    all.into_iter().nth(partition.into()).unwrap()
}

#[tokio::test]
async fn every_event_is_announced_once_and_the_next_relay_goes_on_behind_it() {
    let (settings, log) = with_topics().await;
    log.record(PARTITION, 1_000);
    for _ in 0..3 {
        let relay = start(&settings, log.instance(), PARTITION);
        announced(&log, PARTITION).await;
        log.record(PARTITION, 5);
        announced(&log, PARTITION).await;
        relay.stop().await;
        log.record(PARTITION, 700);
    }
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
    let place = kept(&settings, &log, PARTITION).await.unwrap();
    assert_eq!(place.relay.place.position, 3 * 705 + 1_000);
    let told = |topic| {
        let facts = log.facts(PARTITION);
        facts.iter().filter(|fact| fact.topics().contains(&topic)).count() as u64
    };
    for topic in dispensary::Topic::ALL {
        assert_eq!(place.announced_in(topic), told(topic), "{}", topic.name());
    }
}

#[tokio::test]
async fn partitions_of_the_log_keep_apart_in_one_partition_of_the_positions() {
    let (settings, log) = (settings(), Shared::new());
    crate::broker::make_topic(&settings, dispense_kafka::POSITIONS_TOPIC, 1, &[]).await;
    make(&settings, log.instance().partitions(), Earnest::Done).await.unwrap();
    for turn in 1..=3 {
        let running: Vec<Running> =
            (0..4).map(|partition| start(&settings, log.instance(), partition)).collect();
        for partition in 0..4 {
            log.record(partition, 300 + u32::from(partition) * turn);
        }
        for (partition, relay) in (0..).zip(running) {
            announced(&log, partition).await;
            relay.stop().await;
        }
    }
    let facts: Vec<_> = (0..4).flat_map(|partition| log.facts(partition)).collect();
    assert_once_and_in_order(&settings, log.log_id(), &facts);
}

#[tokio::test]
async fn a_relay_that_is_killed_at_any_moment_leaves_nothing_half_said() {
    const KILLS: u64 = 25;
    let (settings, log) = with_topics().await;
    for kill in 0..KILLS {
        log.record(PARTITION, 400);
        let relay = start(&settings, log.instance(), PARTITION);
        let before = log.told(PARTITION);
        // The first transaction is on its way, or over, and the next one may be.
        let moved = || log.told(PARTITION) > before;
        if kill % 2 == 0 {
            wait_until("it goes on", moved, || log.told(PARTITION).to_string()).await;
        }
        tokio::time::sleep(Duration::from_millis(kill * 37 % 150)).await;
        relay.kill();
        log.forget_leases();
    }
    let relay = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    relay.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}

#[tokio::test]
async fn two_relays_that_both_believe_to_be_the_one_do_no_harm() {
    const TURNS: u32 = 60;
    const MOST_TURNS: u32 = 600;
    let (settings, log) = with_topics().await;
    log.lie();
    let both = [log.instance(), log.instance()].map(|it| start(&settings, it, PARTITION));
    let ever = || both.iter().flat_map(|it| it.board.ever()).collect::<Vec<_>>();
    let met = || ever().iter().any(|told| told.contains("another instance announces"));
    // On a slow machine, the second one begins late.
    for turn in 0..MOST_TURNS {
        if turn >= TURNS && met() {
            break;
        }
        log.record(PARTITION, 50);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    announced(&log, PARTITION).await;
    assert!(met(), "{:?}", ever());
    for relay in both {
        relay.stop().await;
    }
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}

#[tokio::test]
async fn who_has_lost_the_lease_announces_nothing_and_another_goes_on() {
    let (settings, log) = with_topics().await;
    log.record(PARTITION, 10);
    let first = start(&settings, log.instance(), PARTITION);
    announced(&log, PARTITION).await;
    let second = log.instance();
    log.forget_leases();
    assert!(second.lease(PARTITION).await.unwrap());
    // The first notices when it next renews its lease, and has no session any more when it asks again.
    is_refused(&log, &second, 2).await;
    log.record(PARTITION, 10);
    is_refused(&log, &second, 2).await;
    assert_eq!(log.told(PARTITION), 10);
    let second = start(&settings, second, PARTITION);
    announced(&log, PARTITION).await;
    second.stop().await;
    // What was given back is taken again at once.
    log.record(PARTITION, 10);
    announced(&log, PARTITION).await;
    first.stop().await;
    assert_once_and_in_order(&settings, log.log_id(), &log.facts(PARTITION));
}
