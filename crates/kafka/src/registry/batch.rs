//! Messages that are applied together, as they come.

use std::collections::BTreeMap;
use std::time::Duration;

use dispensary::registry_stream::{LONGEST_KEY, LONGEST_MESSAGE, Message, TopicPartition};
use rdkafka::Message as _;
use rdkafka::consumer::StreamConsumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tokio::time::{Instant, timeout_at};

use crate::complaints::Complaints;

/// Messages that are applied together.
const MOST: usize = 500;

/// Bytes that are applied together; the last message may exceed it.
const MOST_BYTES: usize = 1024 * 1024;

/// How long nothing comes until this looks up.
const QUIET_FOR: Duration = Duration::from_millis(500);

/// How long the first message waits for others: somebody may stand in a pharmacy with it.
const LINGERS: Duration = Duration::from_millis(10);

/// What came, partition by partition, each in the order of its offsets.
pub(super) type Batch = BTreeMap<TopicPartition, Vec<Message>>;

/// Waits for messages, and takes those that are there; none if nothing comes for a while. What is wrong
/// comes with those before it: some of it is said once, and what it is about is read no more.
pub(super) async fn next(consumer: &StreamConsumer<Complaints>) -> (Batch, Option<KafkaError>) {
    let mut batch = Batch::new();
    let (mut until, mut bytes) = (Instant::now() + QUIET_FOR, 0);
    for _ in 0..MOST {
        if bytes >= MOST_BYTES {
            break;
        }
        match timeout_at(until, consumer.recv()).await {
            Ok(Ok(message)) => {
                if batch.is_empty() {
                    until = Instant::now() + LINGERS;
                }
                bytes += add(&mut batch, &message);
            }
            Ok(Err(error)) => return (batch, Some(error)),
            Err(_) => break,
        }
    }
    (batch, None)
}

/// Adds a message, and returns how many bytes are kept of it.
fn add(batch: &mut Batch, message: &BorrowedMessage<'_>) -> usize {
    let source =
        TopicPartition { topic: message.topic().to_owned(), partition: message.partition() };
    let beginning = |bytes: &[u8], most: usize| bytes.get(..most).unwrap_or(bytes).to_vec();
    let message = Message {
        offset: message.offset(),
        key: message.key().map(|key| beginning(key, LONGEST_KEY)),
        value: message.payload().map(|value| beginning(value, LONGEST_MESSAGE)),
        length: message.payload_len(),
    };
    let kept = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let bytes = kept(&message.key) + kept(&message.value);
    batch.entry(source).or_default().push(message);
    bytes
}
