//! Reads the streams of the Dispense Service to their end, and checks from the headers alone that every
//! event was told once and in order.
//!
//! ```text
//! consumer HOST:PORT[,HOST:PORT…] [PREFIX]
//! ```
//!
//! It keeps what it has read in memory. A consumer that goes on for years keeps its offsets in its own
//! database, in the transaction that has what the messages led to; consumer.py shows how. What the
//! headers say stands in docs/streams.md. Exit codes: 0 all is there once and in order, 1 it is not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const RECORDED: &str = "ndp.events.dispense.recorded";
const FULLY_DISPENSED: &str = "ndp.events.prescription.fully_dispensed";
const HOLD_CREATED: &str = "ndp.events.dispense.hold_created";
const EXPIRED: &str = "ndp.events.dispense.expired";
const CANCELLED: &str = "ndp.events.dispense.cancelled";
const TOPICS: [&str; 5] = [RECORDED, FULLY_DISPENSED, HOLD_CREATED, EXPIRED, CANCELLED];

/// How long the brokers may be silent.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How long one look at a partition lasts.
const POLLED_FOR: Duration = Duration::from_millis(200);

/// What a message says of itself.
struct Told {
    topic: String,
    /// `<event id>/<last words of the topic>`: whoever sees it twice counts it once.
    id: String,
    /// The dispense.
    subject: String,
    /// The medication request.
    key: String,
    /// Partition and position of the event in the log.
    place: (u16, u64),
}

impl Told {
    fn read(message: &BorrowedMessage<'_>, prefix: &str) -> Result<Self, Box<dyn Error>> {
        let header = |name: &str| -> Result<String, Box<dyn Error>> {
            let headers = message.headers().ok_or("a message without headers")?;
            let found = headers.iter().find(|header| header.key == name);
            let value = found.and_then(|header| header.value).ok_or(format!("no {name}"))?;
            Ok(std::str::from_utf8(value)?.to_owned())
        };
        let sequence = header("ce_sequence")?;
        let (partition, position) =
            sequence.split_once(':').ok_or("ce_sequence without a colon")?;
        let topic = message.topic().strip_prefix(prefix).ok_or("another topic")?.to_owned();
        if header("ce_type")? != topic {
            return Err(format!("{} in {topic}", header("ce_type")?).into());
        }
        Ok(Self {
            id: header("ce_id")?,
            subject: header("ce_subject")?,
            key: std::str::from_utf8(message.key().ok_or("no key")?)?.to_owned(),
            place: (partition.parse()?, position.parse()?),
            topic,
        })
    }
}

/// What was read so far.
#[derive(Default)]
struct Streams {
    messages: u64,
    findings: Vec<String>,
    ids: HashSet<String>,
    /// The last position of a partition of the log in a partition of a topic.
    last: HashMap<(String, i32, u16), u64>,
    /// The partition of the topic in which the messages of a key stand.
    parts: HashMap<(String, String), i32>,
    held: HashSet<String>,
    /// The positions that were told, and the dispense if it was handed over there.
    places: BTreeMap<(u16, u64), Option<String>>,
}

impl Streams {
    fn take(&mut self, told: Told, part: i32) {
        self.messages += 1;
        let (partition, position) = told.place;
        if !self.ids.insert(told.id.clone()) {
            // A consumer that changes something leaves it at that, and is right.
            return self.findings.push(format!("{} comes twice", told.id));
        }
        let last = self.last.insert((told.topic.clone(), part, partition), position);
        if let Some(last) = last.filter(|last| *last >= position) {
            self.findings.push(format!("{}: {partition}:{position} after {last}", told.topic));
        }
        let stands = *self.parts.entry((told.topic.clone(), told.key.clone())).or_insert(part);
        if stands != part {
            self.findings.push(format!("{}: {} in several partitions", told.topic, told.key));
        }
        if told.topic == HOLD_CREATED {
            self.held.insert(told.subject.clone());
        }
        let place = self.places.entry(told.place).or_default();
        if told.topic == RECORDED {
            *place = Some(told.subject);
        }
    }

    /// Positions that nobody told of. The beginning of a dispense that was processed at once is told
    /// nowhere; it stands right before its end, which is told.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut before: BTreeMap<u16, u64> = BTreeMap::new();
        for ((partition, position), handed_over) in &self.places {
            let last = before.insert(*partition, *position).unwrap_or(0);
            let at_once = handed_over.as_ref().is_some_and(|it| !self.held.contains(it));
            let (first, next) = (last + 1, *position - u64::from(at_once));
            if first < next {
                missing.push(format!("{partition}:{first} to {} are missing", next - 1));
            }
        }
        missing
    }
}

fn connect(brokers: &str) -> Result<BaseConsumer, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        // No offset is kept at the brokers, but the client wants a name.
        .set("group.id", "streams-check")
        .set("enable.auto.commit", "false")
        // Messages of a transaction that was given up never happened.
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "error")
        // It reads to an end and does not wait for more there.
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "20")
        .create()
}

/// Every partition of every topic.
fn partitions(consumer: &BaseConsumer, prefix: &str) -> Result<Vec<(String, i32)>, Box<dyn Error>> {
    let mut all = Vec::new();
    for topic in TOPICS {
        let name = format!("{prefix}{topic}");
        let metadata = consumer.fetch_metadata(Some(&name), SILENT_FOR)?;
        let partitions = metadata.topics().first().map_or(&[][..], |topic| topic.partitions());
        if partitions.is_empty() {
            return Err(format!("there is no topic {name} that we may read").into());
        }
        all.extend(partitions.iter().map(|partition| (name.clone(), partition.id())));
    }
    Ok(all)
}

fn read(brokers: &str, prefix: &str) -> Result<Streams, Box<dyn Error>> {
    let consumer = connect(brokers)?;
    let mut streams = Streams::default();
    // One partition after the other, each to its end. Whoever goes on for ever has all of them at once.
    for (topic, part) in partitions(&consumer, prefix)? {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, part, Offset::Beginning)?;
        consumer.assign(&list)?;
        let mut heard = Instant::now();
        loop {
            match consumer.poll(POLLED_FOR) {
                Some(Ok(message)) => {
                    streams.take(Told::read(&message, prefix)?, part);
                    heard = Instant::now();
                }
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                // The client goes on trying by itself, and our patience has an end.
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
                ))) => {}
                Some(Err(error)) => return Err(error.into()),
                None if heard.elapsed() > SILENT_FOR => return Err("the brokers are silent".into()),
                None => {}
            }
        }
    }
    Ok(streams)
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(brokers) = arguments.next() else {
        eprintln!("usage: consumer HOST:PORT[,HOST:PORT…] [PREFIX]");
        return ExitCode::from(2);
    };
    let mut streams = match read(&brokers, &arguments.next().unwrap_or_default()) {
        Ok(streams) => streams,
        Err(error) => {
            eprintln!("consumer: {error}");
            return ExitCode::FAILURE;
        }
    };
    let missing = streams.missing();
    streams.findings.extend(missing);
    println!("{} messages of {} events", streams.messages, streams.places.len());
    for finding in &streams.findings {
        println!("{finding}");
    }
    if streams.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
