//! Where announcing goes on.

use dispensary::LogPosition;
use dispensary::relay::{RelayLog, RelayPlace, RelayStop};
use dispense_postgres::{PgRelayLog, lost_tail, rebuild};

use super::{at, beginning, cut, force, hash, log_of, partition, place, relay, told};
use crate::dispenses::told::Log;

/// An operator goes on with the log as it is.
async fn accept(log: &Log, epoch: i64) {
    lost_tail::accept(&log.database.admin.connect_options(), epoch).await.unwrap();
}

/// So many events are written.
async fn goes_on_for(log: &mut Log, events: usize) {
    for _ in 0..events {
        log.held(&told()).await;
    }
    hash(log).await;
}

/// Where announcing goes on behind that place of the streams; an error if the log is another one.
async fn behind(relay: &PgRelayLog, streams: RelayPlace) -> Result<RelayPlace, i64> {
    match relay.goes_on(partition(), Some(streams)).await {
        Ok(found) => {
            relay.facts(found, 1).await.expect("the log has that place");
            Ok(found)
        }
        Err(RelayStop::Diverged { position }) => Err(position),
        Err(other) => panic!("{other}"),
    }
}

/// The relay of an instance that had announced everything up to there.
async fn announced(log: &Log, position: i64) -> PgRelayLog {
    let relay = relay(log).await;
    assert!(relay.lease(partition()).await.unwrap());
    relay.reached(place(log, position).await).await.unwrap();
    relay
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_was_announced_it_begins_at_the_beginning() {
    let log = log_of(1).await;
    let relay = relay(&log).await;
    let first = beginning(&relay).await;
    assert_eq!(first.place, LogPosition { partition: partition(), position: 0 });
    assert_eq!(first.epoch, 1);
    assert!(relay.lease(partition()).await.unwrap());
    assert_eq!(beginning(&relay).await, first, "a lease is no announcement");
    assert_eq!(behind(&relay, first).await, Ok(first));
    let other = RelayPlace { hash: [9; 32], ..first };
    assert_eq!(behind(&relay, other).await, Err(0), "the beginning of another log");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_have_forgotten_what_they_were_told_are_noticed() {
    let log = log_of(2).await;
    let relay = announced(&log, 3).await;
    let lost = relay.goes_on(partition(), None).await;
    assert!(matches!(lost, Err(RelayStop::PlaceLost { position: 3 })), "{lost:?}");
    let another = (partition() + 1) % 4;
    assert_eq!(relay.goes_on(another, None).await.unwrap().place.position, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_streams_say_counts_and_not_what_the_database_says() {
    let log = log_of(3).await;
    let relay = announced(&log, 3).await;
    for position in 1..=6 {
        let place = place(&log, position).await;
        assert_eq!(behind(&relay, place).await, Ok(place));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_what_was_announced_is_another_one_until_that_is_accepted() {
    let mut log = log_of(3).await;
    let relay = announced(&log, 4).await;
    let last = place(&log, 6).await;
    cut(&log, 4).await;
    assert_eq!(behind(&relay, last).await, Err(6));
    goes_on_for(&mut log, 3).await;
    assert_eq!(behind(&relay, last).await, Err(6), "it has that position, and another event there");

    cut(&log, 4).await;
    accept(&log, 2).await;
    let found = behind(&relay, last).await.unwrap();
    assert_eq!(found, RelayPlace { epoch: 2, ..place(&log, 4).await });
    goes_on_for(&mut log, 3).await;
    assert_eq!(behind(&relay, last).await, Ok(found), "what comes after is not skipped");

    // From then on the streams are of the new epoch.
    relay.reached(RelayPlace { epoch: 2, ..place(&log, 6).await }).await.unwrap();
    let new = RelayPlace { epoch: 2, ..place(&log, 6).await };
    assert_eq!(behind(&relay, new).await, Ok(new));
    assert_eq!(behind(&relay, RelayPlace { epoch: 2, ..last }).await, Err(6));
}

/// Instances run before anybody has accepted anything, and write.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_between_the_cut_and_its_acceptance_is_announced() {
    for written in [1, 2, 5] {
        let mut log = log_of(3).await;
        let relay = announced(&log, 3).await;
        let last = place(&log, 6).await;
        cut(&log, 4).await;
        goes_on_for(&mut log, written).await;
        accept(&log, 2).await;
        let found = behind(&relay, last).await.unwrap();
        assert_eq!(found, RelayPlace { epoch: 2, ..place(&log, 3).await }, "{written}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_twice_goes_on_from_the_lower_cut() {
    let mut log = log_of(4).await;
    let relay = announced(&log, 8).await;
    let (of_epoch_1, kept) = (place(&log, 8).await, place(&log, 2).await);
    cut(&log, 5).await;
    accept(&log, 2).await;
    goes_on_for(&mut log, 4).await;
    let of_epoch_2 = RelayPlace { epoch: 2, ..place(&log, 7).await };
    cut(&log, 3).await;
    accept(&log, 3).await;
    goes_on_for(&mut log, 1).await;
    let end = RelayPlace { epoch: 3, ..place(&log, 3).await };
    assert_eq!(behind(&relay, of_epoch_1).await, Ok(end));
    assert_eq!(behind(&relay, of_epoch_2).await, Ok(end));
    let kept_now = RelayPlace { epoch: 3, ..kept };
    assert_eq!(behind(&relay, kept).await, Ok(kept_now), "nothing was lost before that");

    // An epoch that began lower than what the log has takes nothing back.
    cut(&log, 2).await;
    goes_on_for(&mut log, 4).await;
    let after = RelayPlace { epoch: 3, ..place(&log, 5).await };
    accept(&log, 4).await;
    assert_eq!(behind(&relay, after).await, Ok(RelayPlace { epoch: 4, ..after }));
}

/// The table of followers came from a later backup than the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_log_does_not_have_says_nothing() {
    let log = log_of(3).await;
    let relay = announced(&log, 6).await;
    let last = place(&log, 6).await;
    cut(&log, 4).await;
    let admin = log.database.admin.connect_options();
    let stands = lost_tail::look(&admin).await.unwrap();
    let beyond: Vec<_> = stands.followers.iter().map(|it| (&*it.name, it.place.position)).collect();
    assert_eq!(beyond, [("relay", 6)], "an operator sees it");
    accept(&log, 2).await;
    let found = behind(&relay, last).await.unwrap();
    assert_eq!(found, RelayPlace { epoch: 2, ..place(&log, 4).await });
    relay.reached(found).await.unwrap();
    let stands = lost_tail::look(&admin).await.unwrap();
    assert_eq!(stands.followers, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_everything_begins_again() {
    let log = log_of(1).await;
    let relay = announced(&log, 1).await;
    let last = place(&log, 2).await;
    let first = rebuild::beginning(
        dispense_postgres::PgLog::settings(&log.database.serving, None).await.unwrap(),
        partition(),
    );
    let head = format!(
        "DELETE FROM events;
         UPDATE log_head SET position = 0, hash = '\\x{}' WHERE partition = {}",
        hex::encode(first.hash),
        partition()
    );
    force(&log, &head).await;
    assert_eq!(behind(&relay, last).await, Err(2));
    accept(&log, 2).await;
    assert_eq!(behind(&relay, last).await, Ok(RelayPlace { epoch: 2, ..at(0, first.hash) }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_is_no_read_model_that_could_be_rebuilt() {
    let log = log_of(1).await;
    let _relay = announced(&log, 1).await;
    log.followed().await;
    let standings = rebuild::standings(&log.database.serving).await.unwrap();
    assert!(!standings.is_empty());
    assert!(!standings.iter().any(|it| it.name == "relay"), "{standings:?}");
}
