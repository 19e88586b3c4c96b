//! Who brought lines, as the chain of changes tells it.

use dispensary::Origin;
use dispensary::registry_stream::TopicPartition;
use uuid::Uuid;

use crate::rows::{STREAM_USER, SYSTEM_USER};

/// Who brought lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bringer<'a> {
    /// Which user.
    pub(super) user: Uuid,
    /// For which client.
    pub(super) client: Option<Uuid>,
    /// The messages of which partition, if that is where they come from.
    topic: Option<&'a TopicPartition>,
}

impl<'a> Bringer<'a> {
    /// The service itself.
    pub(crate) const fn itself() -> Self {
        Self { user: SYSTEM_USER, client: None, topic: None }
    }

    /// Messages of that partition; the number of a line is its offset.
    pub(crate) const fn messages_of(source: &'a TopicPartition) -> Self {
        Self { user: STREAM_USER, client: None, topic: Some(source) }
    }

    /// Where a line stood, if it came in a message.
    pub(super) fn source(&self, line: u64) -> Option<String> {
        self.topic.map(|topic| format!("{topic}/{line}"))
    }
}

impl From<&Origin> for Bringer<'_> {
    fn from(origin: &Origin) -> Self {
        Self { user: origin.user.uuid(), client: origin.client.map(Uuid::from), topic: None }
    }
}
