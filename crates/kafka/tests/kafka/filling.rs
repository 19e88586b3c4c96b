//! Several topics that were lost.

use dispensary::announcement::Topic;
use dispense_kafka::refill::{RefillError, refill};
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;

#[tokio::test]
async fn two_topics_that_are_filled_at_once_have_everything_once_when_both_were_run_again() {
    const RUNS: u32 = 50;
    let stage = Stage::announced(1_600).await;
    let topics = [Topic::Recorded, Topic::HoldCreated];
    for topic in topics {
        stage.empty(topic).await;
    }
    let fill = async |topic| {
        for _ in 0..RUNS {
            let log = stage.log.instance();
            let stop = CancellationToken::new();
            match refill(&stage.settings, &*log, topic, &|_| {}, &stop).await {
                Ok(_) => return,
                Err(RefillError::Elsewhere) => {}
                Err(other) => panic!("{other}"),
            }
        }
        panic!("{} is not filled", topic.name());
    };
    tokio::join!(fill(topics[0]), fill(topics[1]));
    stage.is_whole();
    stage.go_on().await;
    assert_eq!(stage.verify().await.wrong(), 0);
}
