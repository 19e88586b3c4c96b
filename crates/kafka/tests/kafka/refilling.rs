//! A topic that was lost has everything again, once and in order, whatever falls over.

use std::sync::atomic::{AtomicU32, Ordering};

use dispensary::announcement::Topic;
use dispense_kafka::refill::{RefillError, Refilled, Step, refill};
use tokio_util::sync::CancellationToken;

use crate::stage::{PARTITIONS, Stage};

/// The topic that is lost.
const TOPIC: Topic = Topic::Recorded;

async fn run(stage: &Stage) -> Result<Refilled, RefillError> {
    let log = stage.log.instance();
    refill(&stage.settings, &*log, TOPIC, &|_| {}, &CancellationToken::new()).await
}

/// Fills until so many pages are behind, and is told to stop then.
async fn interrupted(stage: &Stage, pages: u32) -> Result<Refilled, RefillError> {
    let (stop, done) = (CancellationToken::new(), AtomicU32::new(0));
    let progress = |step| match step {
        Step::Looked(_) if done.fetch_add(1, Ordering::Relaxed) + 1 >= pages => stop.cancel(),
        Step::Looked(_) | Step::Begins(_) => {}
    };
    refill(&stage.settings, &*stage.log.instance(), TOPIC, &progress, &stop).await
}

#[tokio::test]
async fn a_topic_that_was_lost_is_filled_while_relays_run_and_they_go_on() {
    let stage = Stage::announced(600).await;
    let had = u64::try_from(stage.records(TOPIC).len()).unwrap();
    let relays = stage.start_relays();
    stage.empty(TOPIC).await;
    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 50));
    relays.say("dispense streams refill ndp.events.dispense.recorded").await;
    let refilled = run(&stage).await.unwrap();
    assert!(refilled.written >= had && refilled.found == 0, "{had}: {refilled:?}");
    stage.is_announced().await;
    relays.stop().await;
    stage.is_whole();
    assert_eq!(stage.verify().await.wrong(), 0);
}

#[tokio::test]
async fn nothing_is_announced_until_an_interrupted_one_has_ended() {
    let stage = Stage::announced(1_600).await;
    stage.empty(TOPIC).await;
    let told = interrupted(&stage, 2).await;
    assert!(matches!(told, Err(RefillError::Interrupted)), "{told:?}");
    let begun = stage.records(TOPIC).len();
    assert!(begun > 0, "something was written");

    let elsewhere = stage.records(Topic::HoldCreated).len();
    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 10));
    let relays = stage.start_relays();
    relays.say("is being filled again").await;
    assert_eq!(stage.records(TOPIC).len(), begun);
    // Partitions that are not begun must not go on either.
    assert_eq!(stage.records(Topic::HoldCreated).len(), elsewhere);

    let refilled = run(&stage).await.unwrap();
    assert!(refilled.found > 0, "it goes on: {refilled:?}");
    stage.is_announced().await;
    relays.stop().await;
    stage.is_whole();
}

#[tokio::test]
async fn one_that_dies_again_and_again_leaves_nothing_twice() {
    let stage = Stage::announced(1_600).await;
    stage.empty(TOPIC).await;
    for pages in [1, 3, 6] {
        let done = AtomicU32::new(0);
        let log = stage.log.instance();
        let (stop, died) = (CancellationToken::new(), tokio::sync::Notify::new());
        let progress = |step| match step {
            Step::Looked(_) if done.fetch_add(1, Ordering::Relaxed) + 1 >= pages => {
                died.notify_one();
            }
            Step::Looked(_) | Step::Begins(_) => {}
        };
        tokio::select! {
            biased;
            () = died.notified() => {}
            ended = refill(&stage.settings, &*log, TOPIC, &progress, &stop) => {
                ended.unwrap();
            }
        }
    }
    run(&stage).await.unwrap();
    stage.is_whole();
    stage.go_on().await;
    assert_eq!(stage.verify().await.wrong(), 0);
}

#[tokio::test]
async fn one_that_is_lost_once_more_is_filled_from_its_beginning() {
    let stage = Stage::announced(1_600).await;
    stage.empty(TOPIC).await;
    interrupted(&stage, 5).await.unwrap_err();
    stage.empty(TOPIC).await;
    run(&stage).await.unwrap();
    stage.is_whole();
}

#[tokio::test]
async fn what_begins_as_it_should_is_gone_on_with() {
    let stage = Stage::announced(100).await;
    let records = stage.records(TOPIC);
    stage.empty(TOPIC).await;
    let first_half: Vec<_> =
        records.iter().filter(|it| it.place().unwrap().position <= 50).cloned().collect();
    stage.write(TOPIC, &first_half);
    let refilled = run(&stage).await.unwrap();
    let (found, all) = (first_half.len(), records.len());
    let expected = Refilled {
        found: u64::try_from(found).unwrap(),
        written: u64::try_from(all - found).unwrap(),
    };
    assert_eq!(refilled, expected);
    stage.is_whole();
    let again = run(&stage).await.unwrap();
    assert_eq!(again, Refilled { found: u64::try_from(all).unwrap(), written: 0 });
    stage.is_whole();
}

#[tokio::test]
async fn what_is_no_beginning_is_left_as_it_is_and_still_lost() {
    let stage = Stage::announced(100).await;
    // What comes now is written down with where the topic ended by then.
    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 2));
    stage.go_on().await;
    let mut records = stage.records(TOPIC);
    stage.empty(TOPIC).await;
    let gap = records.remove(2).place().unwrap();
    stage.write(TOPIC, &records);
    let told = run(&stage).await.unwrap_err().to_string();
    assert!(told.contains("is no beginning") && told.contains(&gap.to_string()), "{told}");
    // Nothing may stand behind the gap.
    stage.log.record(1, 10);
    let relays = stage.start_relays();
    relays.say("dispense streams refill ndp.events.dispense.recorded").await;
    relays.stop().await;
    assert_eq!(stage.records(TOPIC).len(), records.len());
}

#[tokio::test]
async fn relays_go_on_where_it_was_tried_in_vain_with_a_topic_that_has_everything() {
    let stage = Stage::announced(100).await;
    let twice = stage.records(TOPIC).remove(0);
    stage.write(TOPIC, &[twice]);
    let told = run(&stage).await.unwrap_err().to_string();
    assert!(told.contains("is there once more"), "{told}");
    stage.log.record(1, 10);
    stage.go_on().await;
}

#[tokio::test]
async fn a_topic_of_which_the_place_was_lost_as_well_is_resumed_first() {
    let stage = Stage::announced(20).await;
    stage.empty(TOPIC).await;
    stage.delete(dispense_kafka::POSITIONS_TOPIC).await;
    let told = run(&stage).await.unwrap_err().to_string();
    assert!(told.contains("dispense streams topics"), "{told}");
    stage.make_topics().await;
    let told = run(&stage).await.unwrap_err().to_string();
    assert!(told.contains("dispense streams resume"), "{told}");
}
