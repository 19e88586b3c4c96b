//! The topics, held against the log: everything that can be wrong is named.

use dispensary::LogPosition;
use dispensary::announcement::Topic;
use dispense_kafka::verify::{Kind, Step, verify};
use dispense_kafka::{POSITIONS_TOPIC, Record};
use rdkafka::admin::AdminOptions;
use rdkafka::{Offset, TopicPartitionList};

use crate::broker::admin;
use crate::stage::{PARTITIONS, Stage};

/// The topic that is tampered with.
const TOPIC: Topic = Topic::Recorded;

/// That record with another value of a header, or without it.
fn with(record: &Record, header: &str, value: Option<&str>) -> Record {
    let mut record = record.clone();
    match value {
        Some(value) => {
            let found = record.headers.iter_mut().find(|it| it.0 == header).unwrap();
            found.1 = value.as_bytes().to_vec();
        }
        None => record.headers.retain(|it| it.0 != header),
    }
    record
}

#[tokio::test]
async fn what_is_as_the_log_has_it_is_well_while_relays_run_and_behind_them() {
    let stage = Stage::announced(40).await;
    let told = |topic| stage.facts().iter().filter(|it| it.topics().contains(&topic)).count();
    let report = stage.verify().await;
    assert_eq!(report.wrong(), 0, "{report:#?}");
    for topic in &report.topics {
        assert_eq!(topic.messages, u64::try_from(told(topic.topic)).unwrap());
        assert!(topic.is_there && topic.foreign == 0 && topic.no_longer_kept == 0, "{topic:?}");
    }
    assert_eq!(report.not_announced_yet, 0);

    (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 3));
    assert_eq!(stage.verify().await.not_announced_yet, 12);

    let relays = stage.start_relays();
    for _ in 0..8 {
        (0..PARTITIONS).for_each(|partition| stage.log.record(partition, 100));
        let report = stage.verify().await;
        assert_eq!(report.wrong(), 0, "{report:#?}");
    }
    stage.is_announced().await;
    relays.stop().await;
    assert_eq!(stage.verify().await.wrong(), 0);
}

#[tokio::test]
async fn progress_ends_where_it_said_that_it_would() {
    let stage = Stage::announced(700).await;
    let counted = std::sync::Mutex::new((0, 0, 0));
    let progress = |step| {
        let mut counted = counted.lock().unwrap();
        match step {
            Step::Begins(records) => counted.0 = records,
            Step::Read(more) => counted.1 += more,
            Step::Seeks => {}
            Step::Looked(more) => counted.2 += more,
        }
    };
    verify(&stage.settings, &*stage.log.instance(), &Topic::ALL, &progress).await.unwrap();
    let (begins, read, looked) = *counted.lock().unwrap();
    assert!(begins > 2_800, "{begins}");
    assert_eq!((read, looked), (begins, 2_800));
}

#[tokio::test]
async fn a_message_that_is_missing_is_named() {
    let stage = Stage::announced(40).await;
    let records = stage.records(TOPIC);
    let lost = records[records.len() / 2].place().unwrap();
    stage.empty(TOPIC).await;
    let rest: Vec<Record> =
        records.into_iter().filter(|record| record.place() != Some(lost)).collect();
    stage.write(TOPIC, &rest);
    let found = stage.found_in(TOPIC).await;
    let expected = format!("ndp.events.dispense.recorded: {lost} is missing");
    assert_eq!(found, [(Kind::Missing, Some(lost), expected)]);
}

#[tokio::test]
async fn a_message_that_comes_twice_is_named_with_its_offset() {
    let stage = Stage::announced(40).await;
    let record = stage.records(TOPIC).remove(3);
    stage.write(TOPIC, std::slice::from_ref(&record));
    let found = stage.found_in(TOPIC).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1), (Kind::Doubled, record.place()));
    assert!(found[0].2.contains(", partition ") && found[0].2.contains(", offset "), "{found:?}");
}

#[tokio::test]
async fn messages_in_another_order_are_named() {
    let stage = Stage::announced(40).await;
    let mut records = stage.records(TOPIC);
    let key = records[0].key.clone();
    let of_key: Vec<usize> =
        (0..records.len()).filter(|number| records[*number].key == key).collect();
    let (first, second) = (of_key[1], of_key[2]);
    records.swap(first, second);
    let late = records[second].place().unwrap();
    stage.empty(TOPIC).await;
    stage.write(TOPIC, &records);
    let found = stage.found_in(TOPIC).await;
    assert!(found.iter().all(|it| it.0 == Kind::OutOfOrder), "{found:?}");
    assert!(found.iter().any(|it| it.1 == Some(late)), "{late}: {found:?}");
}

#[tokio::test]
async fn what_was_altered_is_named_with_what_differs() {
    let stage = Stage::announced(40).await;
    let mut records = stage.records(TOPIC);
    let altered = [1, 2, 3, 4].map(|number| records[number].place());
    records[1].payload.push(b' ');
    records[2].key = records[2].key.iter().rev().copied().collect();
    records[3] = with(&records[3], "ce_time", Some("2026-03-10T10:00:00.000000Z"));
    records[4] = with(&records[4], "ce_hash", Some(&"ab".repeat(32)));
    stage.empty(TOPIC).await;
    stage.write(TOPIC, &records);
    let mut found = stage.found_in(TOPIC).await;
    // One with another key stands in another partition.
    found.retain(|it| it.0 != Kind::OutOfOrder);
    for (place, what) in altered.into_iter().zip(["payload", "key", "header ce_time", "ce_hash"]) {
        let is_it = |it: &&(Kind, Option<LogPosition>, String)| it.1 == place;
        let finding = found.iter().find(is_it).unwrap();
        assert_eq!(finding.0, Kind::Altered);
        assert!(finding.2.contains(what), "{what}: {finding:?}");
    }
    assert_eq!(found.len(), 4, "{found:?}");
}

#[tokio::test]
async fn messages_of_other_logs_are_passed_over_and_those_of_nobody_are_named() {
    let stage = Stage::announced(40).await;
    let record = stage.records(TOPIC).remove(0);
    let other = with(&record, "ce_source", Some("/dispense/00000000-0000-4000-8000-000000000000"));
    stage.write(TOPIC, &[other]);
    let report = stage.verify().await;
    assert_eq!((report.wrong(), report.topics[0].foreign), (0, 1));
    assert_eq!(report.topics[0].topic, TOPIC);

    // An odd position is that of a hold, which is told elsewhere.
    stage.write(
        TOPIC,
        &[
            with(&record, "ce_source", None),
            with(&record, "ce_sequence", None),
            with(&record, "ce_sequence", Some("0:41")),
            with(&record, "ce_sequence", Some("0:9223372036854775807")),
            with(&record, "ce_sequence", Some("7:1")),
            with(&record, "ce_sequence", Some("0:0")),
            with(&record, "ce_sequence", Some("0:1")),
        ],
    );
    let found = stage.found_in(TOPIC).await;
    let unknown: Vec<&str> =
        found.iter().filter(|it| it.0 == Kind::Unknown).map(|it| &*it.2).collect();
    for expected in [
        "it has no ce_source",
        "it has no ce_sequence",
        "0:41 is nothing that this log announced: it is announced up to 40",
        "0:9223372036854775807 is nothing",
        "7:1 is nothing that this log announced: the log has no such place",
        "0:0 is nothing that this log announced: the log has no such place",
        "0:1 is nothing that this log announced: its event is not told in this topic",
    ] {
        assert!(unknown.iter().any(|it| it.contains(expected)), "{expected}: {unknown:#?}");
    }
    assert_eq!(unknown.len(), 7, "{unknown:#?}");
}

#[tokio::test]
async fn what_is_too_old_to_be_kept_is_not_missing() {
    let stage = Stage::announced(60).await;
    let name = stage.settings.topic(TOPIC.name());
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(&name, 0, Offset::Offset(12)).unwrap();
    before.add_partition_offset(&name, 1, Offset::End).unwrap();
    let options = AdminOptions::new();
    admin(&stage.settings).delete_records(&before, &options).await.unwrap();
    let had = stage.facts().iter().filter(|it| it.topics().contains(&TOPIC)).count();
    let report = stage.verify().await;
    assert_eq!(report.wrong(), 0, "{report:#?}");
    let topic = &report.topics[0];
    assert_eq!(topic.messages + topic.no_longer_kept, u64::try_from(had).unwrap());
    assert!(topic.no_longer_kept > 12, "{topic:?}");
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_told_apart_and_so_is_a_lost_place() {
    let stage = Stage::announced(20).await;
    stage.delete(TOPIC.name()).await;
    let report = stage.verify().await;
    assert!(!report.topics[0].is_there && report.topics[1].is_there, "{report:#?}");
    assert_eq!(report.without_place, [0; 0]);

    stage.delete(POSITIONS_TOPIC).await;
    let report = stage.verify().await;
    assert_eq!(report.without_place, [0, 1, 2, 3]);
    let unknown = |it: &dispense_kafka::verify::Finding| it.wrong.kind() == Kind::Unknown;
    assert!(!report.findings.iter().any(unknown), "what is there is the log's: {report:#?}");
}
