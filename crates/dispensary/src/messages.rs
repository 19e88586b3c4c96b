//! What the world is told of the log, for whoever has no streams to read it from: the same messages, in
//! the order of one partition.

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::announcement::{Announcement, Fact, Topic};
use crate::events::{Pages, Placed, Stretch, through};
use crate::{Dispensary, LogPosition, Unavailable};

/// The log, as far as messages are made of it.
#[async_trait]
pub trait LogFacts: Send + Sync {
    /// Names the log.
    fn log_id(&self) -> Uuid;

    /// The events behind a place, in order and without a gap: as many as there are and can be told,
    /// and at most so many.
    async fn facts(&self, after: LogPosition, most: u32) -> Result<Vec<Fact>, Unavailable>;
}

/// What is told of some events that follow each other: nothing, if nothing is told of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    /// The messages, in the order of their events.
    pub messages: Vec<Announcement>,
    /// The last of the events.
    pub end: LogPosition,
}

/// Messages, a few at a time. Nothing is read before it is asked for.
pub type Messages = BoxStream<'static, Result<MessagePage, Unavailable>>;

impl Placed for Fact {
    fn place(&self) -> LogPosition {
        self.place
    }
}

impl Dispensary {
    /// What is told of the events of a stretch, in all topics or in one.
    #[must_use]
    pub fn messages(&self, stretch: Stretch, only: Option<Topic>) -> Messages {
        let facts = self.facts.clone();
        let read = through(stretch, move |after, most| {
            let facts = facts.clone();
            async move { facts.facts(after, most).await }
        });
        self.told(read, only)
    }

    /// What is told of the events behind a place, of those too that are still to come: it never ends
    /// by itself.
    #[must_use]
    pub fn follow_messages(&self, after: LogPosition, only: Option<Topic>) -> Messages {
        let facts = self.facts.clone();
        let read = self.on_and_on(after, move |after, most| {
            let facts = facts.clone();
            async move { facts.facts(after, most).await }
        });
        self.told(read, only)
    }

    fn told(&self, facts: Pages<Fact>, only: Option<Topic>) -> Messages {
        let log_id = self.facts.log_id();
        facts.try_filter_map(move |page| async move { told(&page, log_id, only) }).boxed()
    }
}

/// What is told of those events; nothing, if there are none.
fn told(
    facts: &[Fact],
    log_id: Uuid,
    only: Option<Topic>,
) -> Result<Option<MessagePage>, Unavailable> {
    let Some(end) = facts.last().map(|fact| fact.place) else { return Ok(None) };
    let mut messages = Vec::with_capacity(facts.len());
    for fact in facts {
        let told = fact.announcements(log_id);
        let told = told.map_err(|error| Unavailable { what: "the log", source: error.into() })?;
        let is_asked = |it: &Announcement| only.is_none_or(|topic| topic == it.topic);
        messages.extend(told.into_iter().filter(is_asked));
    }
    Ok(Some(MessagePage { messages, end }))
}
