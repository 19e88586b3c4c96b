//! The description of the streams is what the service says and takes: topics, messages, members.

mod document;
mod examples;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use dispensary::relay::RelayPlace;
use dispensary::{LogPosition, Topic};
use dispense_domain::Partitions;
use dispense_kafka::topics::{Wanted, wanted};
use dispense_kafka::{Connection, Place, Settings};
use serde_json::{Value, json};

pub(crate) use document::Document;

/// A message of the golden files, of which the description's examples are made.
#[derive(Debug)]
pub(super) struct Golden {
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) headers: Value,
    /// As it travels.
    pub(super) payload: String,
}

impl Golden {
    /// Every one of them, by topic and name.
    pub(super) fn all() -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../crates/dispensary/tests/golden/announcements");
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &std::path::Path) -> Self {
        #[derive(serde::Deserialize)]
        struct File {
            topic: String,
            key: String,
            attributes: BTreeMap<String, String>,
            data: Box<serde_json::value::RawValue>,
        }
        let file: File = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut headers = json!({"content-type": "application/json"});
        for (name, value) in file.attributes {
            let name = if name == "traceparent" { name } else { format!("ce_{name}") };
            headers[name] = value.into();
        }
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            topic: file.topic,
            key: file.key,
            headers,
            payload: file.data.get().to_owned(),
        }
    }

    pub(super) fn members(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap()
    }
}

/// The topics, as they are made where nobody sets anything.
fn topics() -> Vec<Wanted> {
    let connection = Connection { brokers: String::new(), tls: None, sasl: None };
    let settings = Settings {
        connection,
        prefix: String::new(),
        partitions: 12,
        replication: None,
        registry: true,
    };
    wanted(&settings, Partitions::new(4).unwrap(), 3)
}

#[test]
fn every_topic_is_described_and_no_other() {
    let document = Document::read();
    let channels = document.value["channels"].as_object().unwrap().values();
    let described: BTreeSet<&str> = channels.map(|it| it["address"].as_str().unwrap()).collect();
    let topics = topics();
    let made: BTreeSet<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    assert_eq!(described, made);
}

#[test]
fn topics_are_described_as_they_are_made() {
    let document = Document::read();
    for topic in topics() {
        let kafka = &document.channel(&topic.name)["bindings"]["kafka"];
        assert_eq!(kafka["partitions"], topic.partitions, "{}", topic.name);
        let described = kafka["topicConfiguration"].as_object().unwrap();
        let made: BTreeMap<_, _> = topic.settings.iter().cloned().collect();
        for (name, value) in described {
            // Policies are a list there, and one word here.
            let value = value.as_array().map_or_else(|| value.clone(), |all| all[0].clone());
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            assert_eq!(made.get(name.as_str()), Some(&value), "{}: {name}", topic.name);
        }
        for name in ["cleanup.policy", "max.message.bytes", "retention.ms"] {
            assert_eq!(
                described.contains_key(name),
                made.contains_key(name),
                "{}: {name}",
                topic.name
            );
        }
    }
}

/// Whether the service writes or reads, by the address of the channel.
#[test]
fn what_the_service_writes_it_sends_and_what_it_reads_it_receives() {
    let document = Document::read();
    let mut actions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in document.value["operations"].as_object().unwrap().values() {
        let channel = operation["channel"]["$ref"].as_str().unwrap().trim_start_matches('#');
        let address = document.value.pointer(channel).unwrap()["address"].as_str().unwrap();
        actions.entry(address).or_default().insert(operation["action"].as_str().unwrap());
    }
    for topic in topics() {
        use dispense_kafka::topics::Use;
        let expected: &[&str] = match topic.purpose {
            Use::Events(_) | Use::DeadLetters => &["send"],
            Use::Registry(_) => &["receive"],
            Use::Positions => &["receive", "send"],
        };
        let described: Vec<&str> = actions[topic.name.as_str()].iter().copied().collect();
        assert_eq!(described, expected, "{}", topic.name);
    }
}

#[test]
fn every_golden_message_is_as_it_is_described() {
    let document = Document::read();
    let mut told = BTreeSet::new();
    for golden in Golden::all() {
        let message = document.message_of(&golden.topic);
        let objections = document.objections(message, &golden.headers, &golden.members());
        assert!(objections.is_empty(), "{}: {objections:#?}", golden.name);
        assert_eq!(golden.members()["prescriptionId"], *golden.key, "{}", golden.name);
        told.insert(golden.topic);
    }
    assert_eq!(told, Topic::ALL.map(|topic| topic.name().to_owned()).into());
}

/// A member that no golden message has is described for nothing, or not shown to be right.
#[test]
fn every_member_that_is_described_is_in_a_golden_message() {
    let document = Document::read();
    let golden = Golden::all();
    for topic in Topic::ALL {
        let message = document.message_of(topic.name());
        let schema = &document.value["components"]["schemas"][message]["properties"];
        let of_topic: Vec<Value> = golden
            .iter()
            .filter(|golden| golden.topic == topic.name())
            .map(Golden::members)
            .collect();
        for member in schema.as_object().unwrap().keys() {
            let shown = of_topic.iter().any(|members| members.get(member).is_some());
            assert!(shown, "{message}: no golden message has {member}");
        }
    }
}

/// What is wrong with a message must not pass; otherwise nothing here says anything.
#[test]
fn what_is_not_described_is_noticed() {
    let document = Document::read();
    let golden = Golden::all();
    let golden = golden.iter().find(|golden| golden.name == "recorded-partial").unwrap();
    let message = document.message_of(&golden.topic);
    let broken = |part: &str, name: &str, value: Value| {
        let (mut headers, mut payload) = (golden.headers.clone(), golden.members());
        let place = if part == "headers" { &mut headers } else { &mut payload };
        let target = place.pointer_mut(name.rsplit_once('/').unwrap().0).unwrap();
        let members = target.as_object_mut().unwrap();
        let name = name.rsplit('/').next().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.to_owned(), value);
        }
        document.objections(message, &headers, &payload)
    };
    for (part, name, value) in [
        ("payload", "/patientId", json!("00000000-0000-0000-0000-000000070001")),
        ("payload", "/dispenseId", json!(null)),
        ("payload", "/dispenseId", json!("9970DFCD-3624-8476-A5D5-092692D911F4")),
        ("payload", "/timestamp", json!("2026-03-10T10:00:00Z")),
        ("payload", "/dispensedOn", json!("2026-02-30")),
        ("payload", "/copayment", json!(416.33)),
        ("payload", "/remaining", json!("29.50")),
        ("payload", "/remaining", json!("-1")),
        ("payload", "/dispenseNumber", json!("1")),
        ("payload", "/items", json!([])),
        ("payload", "/items/0/quantityDispensed", json!("0")),
        ("payload", "/items/0/medicationName", json!("Siofor 500")),
        ("headers", "/ce_type", json!("ndp.events.dispense.expired")),
        ("headers", "/ce_id", json!("c0816dde-56fb-5057-bb9f-2a5af6b0e198/expired")),
        ("headers", "/ce_sequence", json!("7:0")),
        ("headers", "/ce_hash", json!(null)),
        ("headers", "/ce_dataschema", json!("1")),
        ("headers", "/traceparent", json!("0af7651916cd43dd8448eb211c80319c")),
    ] {
        let objections = broken(part, name, value.clone());
        assert_eq!(objections.len(), 1, "{part} {name} {value}: {objections:#?}");
        assert!(objections[0].contains(part), "{objections:#?}");
    }
}

#[test]
fn the_place_of_the_relay_is_as_it_is_described() {
    let document = Document::read();
    let place = LogPosition { partition: 3, position: 42 };
    let mut place = Place::new(RelayPlace { place, hash: [0xab; 32], epoch: 1 });
    place.count(Topic::Recorded);
    place.ends.insert(Topic::Recorded.name().to_owned(), 7);
    place.refilling.insert(Topic::Expired.name().to_owned(), -1);
    place.filled.insert(Topic::Recorded.name().to_owned(), 1);
    let value: Value = serde_json::from_str(&place.written().unwrap()).unwrap();
    let described = &document.value["components"]["schemas"]["Position"]["properties"];
    let described: Vec<&String> = described.as_object().unwrap().keys().collect();
    assert_eq!(described, value.as_object().unwrap().keys().collect::<Vec<_>>());
    let objections = document.against("Position", "payload", &value);
    assert!(objections.is_empty(), "{objections:#?}");
}
