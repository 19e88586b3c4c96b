//! Events with what their messages need.

use dispensary::announcement::{Announcement, Fact, Topic};
use dispensary::relay::{RelayLog, RelayStop};
use dispensary::{LogFacts, LogPosition};
use dispense_postgres::{PgLog, PgRelayLog};
use serde_json::Value;
use uuid::Uuid;

use super::{beginning, cut, force, hash, log_of, partition, place, relay, told};
use crate::dispenses::told::{Log, Told};

/// A second medication request of the same partition.
fn another() -> Told {
    let of_partition = |told: &Told| crate::sample::partition_of(told.request) == partition();
    (2..100).map(Told::on).find(of_partition).unwrap()
}

/// Two medication requests in one partition, with all that can happen.
async fn eventful() -> Log {
    let mut log = Log::new().await;
    let at_once = Told { at_once: true, ..told() };
    let open = log.held(&another()).await;
    log.dispensed(&told(), "Processed").await;
    log.dispensed(&told(), "Expired").await;
    log.dispensed(&at_once, "Processed").await;
    log.ended(&another(), open, "Processed").await;
    log.dispensed(&told(), "Cancelled").await;
    log.dispensed(&told(), "Processed").await;
    log.held(&told()).await;
    hash(&log).await;
    log
}

async fn all(relay: &PgRelayLog, most: u32) -> Vec<Fact> {
    let mut place = beginning(relay).await;
    let mut all: Vec<Fact> = Vec::new();
    loop {
        let facts = relay.facts(place, most).await.unwrap();
        let Some(last) = facts.last() else { return all };
        assert!(facts.len() <= usize::try_from(most).unwrap());
        (place.place, place.hash) = (last.place, last.hash);
        all.extend(facts);
    }
}

fn announced(facts: &[Fact]) -> Vec<Announcement> {
    facts.iter().flat_map(|fact| fact.announcements(Uuid::nil()).unwrap()).collect()
}

/// Why the event at the first position behind that one cannot be told.
async fn stuck(relay: &PgRelayLog, log: &Log, after: i64) -> (i64, String) {
    match relay.facts(place(log, after).await, 10).await {
        Err(RelayStop::Stuck { position, why }) => (position, why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_in_order_however_many_are_asked_for() {
    let log = eventful().await;
    let relay = relay(&log).await;
    let whole = all(&relay, 100).await;
    let positions: Vec<i64> = whole.iter().map(|fact| fact.place.position).collect();
    assert_eq!(positions, (1..=13).collect::<Vec<_>>());
    assert!(whole.iter().all(|fact| fact.place.partition == partition()));
    for most in [1, 2, 3, 5, 12, 13] {
        let again = all(&relay, most).await;
        assert_eq!(announced(&again), announced(&whole), "{most} at once");
    }
    assert!(relay.facts(beginning(&relay).await, 0).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_the_beginning_of_its_dispense_and_counts_what_was_handed_over() {
    let log = eventful().await;
    let relay = relay(&log).await;
    // In pages of one, every beginning stands elsewhere.
    let facts = all(&relay, 1).await;
    for fact in &facts {
        assert_eq!(fact.hold.dispense_id, fact.event.dispense_id());
        let own = place(&log, fact.place.position).await;
        assert_eq!(fact.hash, own.hash);
    }
    let counted: Vec<(i64, u32)> = facts
        .iter()
        .filter(|fact| fact.event.name() == "Processed")
        .map(|fact| (fact.place.position, fact.handed_over))
        .collect();
    assert_eq!(counted, [(3, 1), (7, 2), (8, 1), (12, 3)], "each medication request for itself");
    let ids: Vec<Uuid> = facts.iter().map(|fact| fact.event_id).collect();
    let stored: Vec<Uuid> = sqlx::query_scalar("SELECT event_id FROM events ORDER BY position")
        .fetch_all(&log.database.admin)
        .await
        .unwrap();
    assert_eq!(ids, stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_what_was_handed_over_at_once_is_told_nowhere() {
    let log = eventful().await;
    let facts = all(&relay(&log).await, 100).await;
    let told: Vec<(i64, &[Topic])> =
        facts[5..8].iter().map(|fact| (fact.place.position, fact.topics())).collect();
    assert_eq!(told, [(6, &[][..]), (7, &[Topic::Recorded]), (8, &[Topic::Recorded])]);
    assert!(facts[6].hold.processed_at_once);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_asked_for_by_position_are_the_same() {
    let log = eventful().await;
    let relay = relay(&log).await;
    let whole = all(&relay, 100).await;
    let asked = [12, 3, 99, 7, 3, -1, 8];
    let found = relay.facts_at(partition(), &asked).await.unwrap();
    let expected: Vec<Fact> =
        [3, 7, 8, 12].iter().map(|position: &usize| whole[position - 1].clone()).collect();
    assert_eq!(announced(&found), announced(&expected));
    assert_eq!(found.len(), 4);
    let elsewhere = relay.facts_at((partition() + 1) % 4, &asked).await.unwrap();
    assert!(elsewhere.is_empty());
}

/// Readers over HTTP know positions, and no hash.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_positions_alone_is_told_the_same() {
    let log = eventful().await;
    let whole = all(&relay(&log).await, 100).await;
    let settings = PgLog::settings(&log.database.serving, None).await.unwrap();
    let reading = PgLog::to_read(log.database.serving.clone(), settings);
    assert_eq!(reading.log_id(), log.database.log_id);
    let after = |position| LogPosition { partition: partition(), position };
    for (from, most, expected) in [(0, 100, 0..13), (0, 3, 0..3), (5, 4, 5..9), (13, 5, 13..13)] {
        let facts = LogFacts::facts(&reading, after(from), most).await.unwrap();
        assert_eq!(announced(&facts), announced(&whole[expected]), "{most} behind {from}");
    }
    force(&log, "UPDATE events SET event_version = '9.0' WHERE position = 4").await;
    assert_eq!(LogFacts::facts(&reading, after(1), 9).await.unwrap().len(), 2);
    let stuck = LogFacts::facts(&reading, after(3), 9).await.unwrap_err();
    assert!(stuck.source.to_string().contains("stuck at position 4"), "{}", stuck.source);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_on_in_another_log_or_over_a_gap() {
    let log = log_of(4).await;
    let relay = relay(&log).await;
    let last = place(&log, 6).await;
    let (before, end) = (place(&log, 4).await, place(&log, 8).await);
    assert!(relay.facts(end, 10).await.unwrap().is_empty());
    cut(&log, 7).await;
    let beyond = relay.facts(end, 10).await;
    assert!(matches!(beyond, Err(RelayStop::Diverged { position: 8 })), "{beyond:?}");
    let other = dispensary::relay::RelayPlace { hash: [9; 32], ..last };
    let changed = relay.facts(other, 10).await;
    assert!(matches!(changed, Err(RelayStop::Diverged { position: 6 })), "{changed:?}");

    force(&log, "DELETE FROM events WHERE position = 6").await;
    let read = relay.facts(before, 10).await.unwrap();
    assert_eq!(read.iter().map(|fact| fact.place.position).collect::<Vec<_>>(), [5]);
    let (position, why) = stuck(&relay, &log, 5).await;
    assert_eq!((position, &*why), (6, "the log has no such position, and goes on behind it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_told_ends_a_page_and_is_named_by_the_next() {
    let newer = "UPDATE events SET event_version = '9.0' WHERE position = 4";
    let strange = "UPDATE events SET payload = '{\"type\": \"Cancelled\"}' WHERE position = 4";
    let other = "UPDATE events SET event_type = 'Blessed' WHERE position = 4";
    let orphaned = "UPDATE events SET dispense_id = event_id WHERE position = 4";
    for (statement, expected) in [
        (newer, "Cancelled 9.0 is newer than this service"),
        (strange, "Cancelled 1.0: missing field"),
        (other, "Blessed 1.0 is newer than this service"),
        (orphaned, "its dispense has no beginning"),
    ] {
        let log = log_of(3).await;
        let relay = relay(&log).await;
        force(&log, statement).await;
        let before = relay.facts(beginning(&relay).await, 10).await.unwrap();
        assert_eq!(before.len(), 3, "{statement}");
        let (position, why) = stuck(&relay, &log, 3).await;
        assert_eq!(position, 4);
        assert!(why.starts_with(expected), "{why}");
        let asked = relay.facts_at(partition(), &[3, 4]).await;
        assert!(matches!(asked, Err(RelayStop::Stuck { position: 4, .. })), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_dispense_began_in_a_way_that_is_not_known_cannot_be_told() {
    let log = log_of(3).await;
    let relay = relay(&log).await;
    let after = place(&log, 3).await;
    for (statement, expected) in [
        ("event_version = '9.0'", "the beginning of its dispense: HoldCreated 9.0 is newer"),
        ("payload = '{}'", "the beginning of its dispense: HoldCreated 1.0: missing field"),
        (
            "payload = (SELECT payload FROM events WHERE position = 2)",
            "the beginning of its dispense: it says Cancelled",
        ),
    ] {
        force(&log, &format!("UPDATE events SET {statement} WHERE position = 3")).await;
        let told = relay.facts(after, 1).await;
        let Err(RelayStop::Stuck { position: 4, why }) = told else { panic!("{told:?}") };
        assert!(why.starts_with(expected), "{why}");
        force(&log, "UPDATE events SET event_version = '1.0' WHERE position = 3").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_stays_the_same_when_persons_are_erased() {
    let log = eventful().await;
    let relay = relay(&log).await;
    let before = announced(&all(&relay, 100).await);
    let bodies = "SELECT count(*) FROM personal_bodies";
    assert!(log.database.number(bodies).await > 0);
    force(&log, "DELETE FROM personal_bodies").await;
    assert_eq!(announced(&all(&relay, 100).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_belongs_to_the_trace_of_the_request_that_caused_it() {
    let log = log_of(1).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let statement = format!(
        "UPDATE events SET metadata = '{{\"user\": \"x\", \"traceparent\": \"{trace}\"}}'
         WHERE position = 2"
    );
    force(&log, &statement).await;
    let facts = all(&relay(&log).await, 100).await;
    let traces: Vec<Option<&str>> = facts.iter().map(|fact| fact.traceparent.as_deref()).collect();
    assert_eq!(traces, [None, Some(trace)]);
    let data: Value = serde_json::from_str(&announced(&facts)[1].data).unwrap();
    assert!(data.get("traceparent").is_none(), "it travels beside the message");
}
