//! Registry data that comes in messages: each counts once, and what is faulty holds nothing up.

mod letters;
mod once;
mod together;

use std::sync::Arc;

use dispensary::FaultyLine;
use dispensary::registry_stream::{
    LONGEST_MESSAGE, Message, Messages, NotApplied, ReadPlace, RegistryStream, TopicPartition,
};
use dispense_domain::registry::RegistryKind;
use dispense_postgres::{PgLog, PgRegistryStream};
use serde_json::Value;

use crate::database::{Database, partitions};

/// The topic of a kind, and one of its partitions.
fn source(kind: RegistryKind) -> TopicPartition {
    TopicPartition { topic: format!("ndp.registry.{}", kind.as_str()), partition: 3 }
}

/// What one instance of the service reads with.
async fn stream(database: &Database) -> PgRegistryStream {
    let log = PgLog::settings(&database.serving, Some(partitions())).await.unwrap();
    let registry = Arc::new(database.registry());
    PgRegistryStream::new(&database.serving_options, log, registry).unwrap()
}

/// A message.
fn message(offset: i64, value: &impl ToString) -> Message {
    let value = value.to_string().into_bytes();
    let length = value.len();
    let value = value.get(..LONGEST_MESSAGE).map_or(value.clone(), <[u8]>::to_vec);
    Message { offset, key: Some(format!("key {offset}").into()), value: Some(value), length }
}

/// Messages of a kind that begin at an offset, and follow what was read up to there.
fn messages(
    kind: RegistryKind,
    from: Option<i64>,
    begin: i64,
    values: impl IntoIterator<Item = impl ToString>,
) -> Messages {
    let messages: Vec<Message> =
        (begin..).zip(values).map(|(offset, value)| message(offset, &value)).collect();
    let to = messages.last().map_or(begin, |last| last.offset + 1);
    Messages { source: source(kind), kind, from, to, lost: 0, messages }
}

/// The first messages of parties.
fn parties(values: impl IntoIterator<Item = Value>) -> Messages {
    messages(RegistryKind::Party, None, 0, values)
}

/// Reads messages of which none may be faulty.
async fn read(stream: &PgRegistryStream, messages: Messages) {
    assert_eq!(stream.apply(messages).await.unwrap(), []);
}

/// The offset that comes next, of the only partition that was read.
async fn next(stream: &PgRegistryStream) -> i64 {
    let places = stream.places().await.unwrap();
    let [ReadPlace { next, lost: 0, .. }] = &places[..] else { panic!("{places:?}") };
    *next
}

fn is_elsewhere(read: &Result<Vec<FaultyLine>, NotApplied>) -> bool {
    matches!(read, Err(NotApplied::ReadElsewhere { .. }))
}
