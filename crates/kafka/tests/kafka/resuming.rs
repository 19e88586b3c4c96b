//! Places that the brokers forgot are known again, and nothing is announced twice or never.

use dispensary::announcement::Topic;
use dispensary::relay::RelayLog as _;
use dispense_kafka::refill::refill;
use dispense_kafka::resume::{Plan, ResumeError, Whence, plan, resume};
use dispense_kafka::{POSITIONS_TOPIC, places};
use tokio_util::sync::CancellationToken;

use crate::stage::{PARTITIONS, Stage, only_events};

async fn planned(stage: &Stage, whence: Whence) -> Result<Vec<Plan>, ResumeError> {
    let log = stage.log.instance();
    let wanted: Vec<u16> = (0..PARTITIONS).collect();
    plan(&stage.settings, &*log, &Stage::beginning, &wanted, whence, &|_| {}).await
}

async fn done(stage: &Stage, plans: &[Plan]) -> Result<usize, ResumeError> {
    resume(&stage.settings, &*stage.log.instance(), plans).await
}

#[tokio::test]
async fn it_goes_on_exactly_behind_what_was_announced() {
    let stage = Stage::announced(120).await;
    let known = places(&stage.settings, stage.log.log_id(), stage.log.instance().partitions());
    let known = known.await.unwrap();
    stage.delete(POSITIONS_TOPIC).await;
    stage.make_topics().await;
    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 30));
    let relays = stage.start_relays();
    relays.say("dispense streams resume").await;

    let plans = planned(&stage, Whence::Topics).await.unwrap();
    for (plan, known) in plans.iter().zip(known) {
        let known = known.unwrap();
        let Plan::Resumes(place) = plan else { panic!("{plan:?}") };
        assert_eq!((place.relay, &place.announced), (known.relay, &known.announced));
    }
    assert_eq!(done(&stage, &plans).await.unwrap(), usize::from(PARTITIONS));
    stage.is_announced().await;
    relays.stop().await;
    stage.is_whole();
    assert_eq!(stage.verify().await.wrong(), 0);
}

#[tokio::test]
async fn what_is_known_is_left_alone() {
    let stage = Stage::announced(20).await;
    for whence in [Whence::Topics, Whence::Beginning] {
        let plans = planned(&stage, whence).await.unwrap();
        assert!(plans.iter().all(|plan| matches!(plan, Plan::Known(_))), "{plans:?}");
        assert_eq!(done(&stage, &plans).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_place_that_is_known_by_now_is_not_overwritten() {
    let stage = Stage::announced(20).await;
    stage.delete(POSITIONS_TOPIC).await;
    stage.make_topics().await;
    let plans = planned(&stage, Whence::Topics).await.unwrap();
    done(&stage, &plans).await.unwrap();
    stage.log.record(0, 4);
    stage.go_on().await;
    let told = done(&stage, &plans).await;
    assert!(matches!(told, Err(ResumeError::Known(0))), "{told:?}");
    stage.is_whole();
}

#[tokio::test]
async fn everything_is_announced_again_on_a_new_cluster_and_on_no_other() {
    let stage = Stage::announced(60).await;
    stage.delete(POSITIONS_TOPIC).await;
    stage.make_topics().await;
    let told = planned(&stage, Whence::Beginning).await;
    assert!(matches!(told, Err(ResumeError::NotEmpty(_))), "{told:?}");

    let new = Stage { settings: only_events(), log: stage.log.clone() };
    new.make_topics().await;
    let plans = planned(&new, Whence::Beginning).await.unwrap();
    done(&new, &plans).await.unwrap();
    new.log.record(2, 5);
    new.log.record(0, 1);
    new.log.record(1, 1);
    new.log.record(3, 1);
    new.go_on().await;
    new.is_whole();
}

#[tokio::test]
async fn a_partition_that_was_never_announced_begins_by_itself() {
    let stage = Stage::announced(0).await;
    let plans = planned(&stage, Whence::Topics).await.unwrap();
    assert!(plans.iter().all(|plan| matches!(plan, Plan::Begins(_))), "{plans:?}");
}

#[tokio::test]
async fn a_topic_that_was_lost_together_with_the_places_is_noticed_and_filled() {
    let stage = Stage::announced(120).await;
    stage.delete(Topic::Recorded.name()).await;
    stage.delete(POSITIONS_TOPIC).await;
    stage.make_topics().await;
    let plans = planned(&stage, Whence::Topics).await.unwrap();
    done(&stage, &plans).await.unwrap();
    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 10));
    let relays = stage.start_relays();
    relays.say("dispense streams refill ndp.events.dispense.recorded").await;
    let (log, stop) = (stage.log.instance(), CancellationToken::new());
    refill(&stage.settings, &*log, Topic::Recorded, &|_| {}, &stop).await.unwrap();
    stage.is_announced().await;
    relays.stop().await;
    stage.is_whole();
}

#[tokio::test]
async fn messages_of_another_history_are_not_gone_on_behind() {
    let stage = Stage::announced(20).await;
    let mut record = stage.records(Topic::Recorded).pop().unwrap();
    let sequence = record.headers.iter_mut().find(|it| it.0 == "ce_sequence").unwrap();
    sequence.1 = b"1:18".to_vec();
    let hash = record.headers.iter_mut().find(|it| it.0 == "ce_hash").unwrap();
    hash.1 = "ab".repeat(32).into_bytes();
    stage.empty(Topic::Recorded).await;
    for topic in Topic::ALL {
        stage.empty(topic).await;
    }
    stage.write(Topic::Recorded, &[record]);
    stage.delete(POSITIONS_TOPIC).await;
    stage.make_topics().await;
    let told = planned(&stage, Whence::Topics).await;
    assert!(matches!(told, Err(ResumeError::OtherLog(_))), "{told:?}");
}
