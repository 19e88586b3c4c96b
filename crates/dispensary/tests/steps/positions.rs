//! Positions: how they are written, which are believed, and what is waited for.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dispensary::{
    InvalidPositions, LogPosition, LogPositions, Model, PositionError, Positions, Unavailable,
};
use dispense_domain::Partitions;
use futures::executor::block_on;

use crate::outside::{dispensary_with, world};
use crate::registries::{evidence_of, request};

fn place(partition: u16, position: i64) -> LogPosition {
    LogPosition { partition, position }
}

fn positions(text: &str) -> LogPositions {
    text.parse().unwrap()
}

#[test]
fn places_are_written_in_the_order_of_partitions() {
    let written = positions(" 3:17 ,0:4\t, 11:0");
    assert_eq!(written.to_string(), "0:4,3:17,11:0");
    assert_eq!(written.places().collect::<Vec<_>>(), [place(0, 4), place(3, 17), place(11, 0)]);
    assert_eq!((written.in_partition(3), written.in_partition(1)), (Some(17), None));
    assert_eq!(LogPositions::from(place(2, 5)).to_string(), "2:5");
    assert_eq!(
        positions(&format!("65535:{}", i64::MAX)).to_string(),
        format!("65535:{}", i64::MAX)
    );
}

#[test]
fn what_is_no_list_of_places_is_refused() {
    for text in [
        "",
        " ",
        ",",
        "0:1,",
        ",0:1",
        "0",
        "0:",
        ":0",
        "0:1:2",
        "0:+1",
        "-0:1",
        "+0:1",
        "0:-1",
        "0 :1",
        "65536:0",
        "0:9223372036854775808",
        "\u{0660}:1",
        "a:b",
        "0:1;1:1",
    ] {
        let invalid = text.parse::<LogPositions>();
        assert!(matches!(invalid, Err(InvalidPositions::Malformed(_))), "{text:?}");
    }
    for (text, again) in [("0:1,0:1", place(0, 1)), ("1:7,0:1,1:2", place(1, 2))] {
        assert_eq!(text.parse::<LogPositions>(), Err(InvalidPositions::Repeated(again)));
    }
}

#[test]
fn of_several_places_in_a_partition_the_last_one_counts() {
    let all = [place(0, 4), place(1, 2), place(0, 3)];
    assert_eq!(all.into_iter().collect::<LogPositions>().to_string(), "0:4,1:2");
}

#[test]
fn a_place_is_missing_until_its_own_partition_is_there() {
    let read = positions("0:4,1:9");
    for there in ["0:4", "0:0,1:9", "2:0"] {
        assert_eq!(read.missing(&positions(there)), None, "{there}");
    }
    assert_eq!(read.missing(&positions("0:5,1:1")), Some(place(0, 5)));
    assert_eq!(read.missing(&positions("0:4,1:10")), Some(place(1, 10)));
    assert_eq!(read.missing(&positions("2:1")), Some(place(2, 1)));
}

/// Two partitions that end at 5 and 7, and a read model that has read less.
struct Standing {
    read: &'static str,
    asked: Mutex<Vec<&'static str>>,
}

impl Standing {
    fn at(read: &'static str) -> Arc<Self> {
        Arc::new(Self { read, asked: Mutex::default() })
    }

    fn ask(&self, what: &'static str) {
        self.asked.lock().unwrap().push(what);
    }
}

#[async_trait]
impl Positions for Standing {
    fn partitions(&self) -> Partitions {
        Partitions::new(2).unwrap()
    }

    async fn heads(&self, _: &LogPositions) -> Result<LogPositions, Unavailable> {
        self.ask("heads");
        Ok(positions("0:5,1:7"))
    }

    async fn read_by(&self, _: Model) -> Result<LogPositions, Unavailable> {
        Ok(positions(self.read))
    }

    async fn wait_for(&self, _: Model, _: &LogPositions) -> Result<LogPositions, Unavailable> {
        self.ask("wait");
        Ok(positions(self.read))
    }
}

fn wait(standing: &Arc<Standing>, known: &str) -> Result<(), PositionError> {
    let known = if known.is_empty() { LogPositions::default() } else { positions(known) };
    let dispensary = dispensary_with(&Arc::new(world(evidence_of(request()))), standing.clone());
    block_on(dispensary.wait_for(Model::Reports, &known))
}

#[test]
fn nobody_waits_who_knows_nothing() {
    let standing = Standing::at("0:0");
    wait(&standing, "").unwrap();
    assert!(standing.asked.lock().unwrap().is_empty());
}

#[test]
fn a_read_model_is_waited_for_once_the_places_are_believed() {
    let standing = Standing::at("0:5,1:6");
    wait(&standing, "0:5,1:6").unwrap();
    assert_eq!(*standing.asked.lock().unwrap(), ["heads", "wait"]);
    let behind = wait(&standing, "0:5,1:7").unwrap_err();
    let PositionError::Behind { model, position, read } = behind else { panic!("{behind}") };
    assert_eq!((model, position, read), (Model::Reports, place(1, 7), place(1, 6)));
}

#[test]
fn places_that_the_log_does_not_have_are_not_waited_for() {
    let standing = Standing::at("0:5,1:7");
    let beyond = wait(&standing, "0:5,1:8").unwrap_err();
    let PositionError::BeyondHead { position, head } = beyond else { panic!("{beyond}") };
    assert_eq!((position, head), (place(1, 8), place(1, 7)));
    let unknown = wait(&standing, "2:0").unwrap_err();
    let PositionError::UnknownPartition { position, partitions } = unknown else {
        panic!("{unknown}")
    };
    assert_eq!((position, partitions), (place(2, 0), 2));
    assert_eq!(
        *standing.asked.lock().unwrap(),
        ["heads"],
        "an unknown partition is not looked for"
    );
}

#[test]
fn every_read_model_has_a_name_of_its_own() {
    let mut names = Model::ALL.map(Model::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Model::ALL.len());
}
