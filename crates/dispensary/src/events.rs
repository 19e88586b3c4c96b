//! The log itself, line by line as it is stored: for whoever keeps a copy of it, or checks it.

use std::sync::Arc;

use async_trait::async_trait;
use dispense_domain::Partitions;
use futures::stream::{self, BoxStream, StreamExt};

use crate::{Dispensary, LogPosition, PositionError, Unavailable};

/// The most lines that are read at once: what a reader who does not go on keeps in memory.
pub const MOST_AT_ONCE: u32 = 200;

/// An event on a line, written as `docs/audit.md` says, without the line's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where it stands.
    pub place: LogPosition,
    /// What kind of event it is.
    pub kind: String,
    /// The line.
    pub text: String,
}

/// Where a partition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// Its last event; position 0 if there is none.
    pub place: LogPosition,
    /// Raised when a log that lost its tail was accepted. Who sees another one than before has read
    /// events that this log does not have.
    pub epoch: i64,
}

/// The log, page by page.
#[async_trait]
pub trait LogPages: Send + Sync {
    /// Where a partition ends now.
    async fn end(&self, partition: u16) -> Result<LogEnd, Unavailable>;

    /// The lines behind a place, in order: as many as there are, and at most so many.
    async fn lines(&self, after: LogPosition, most: u32) -> Result<Vec<LogLine>, Unavailable>;

    /// Waits until there may be lines behind that place. It may be wrong, and is soon.
    async fn more(&self, after: LogPosition);
}

/// A stretch of one partition: what stands behind one place, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// It begins behind this place.
    pub after: LogPosition,
    /// Its last line. The same as `after`: it is empty.
    pub end: LogPosition,
    /// The epoch of the log.
    pub epoch: i64,
}

/// Lines, a few at a time. Nothing is read before it is asked for.
pub type Lines = BoxStream<'static, Result<Vec<LogLine>, Unavailable>>;

impl Dispensary {
    /// How the log is divided.
    #[must_use]
    pub fn partitions(&self) -> Partitions {
        self.positions.partitions()
    }

    /// What stands behind a place now, at most so many lines.
    ///
    /// # Errors
    ///
    /// [`PositionError::BeyondHead`] for a place that the log does not reach: it is made up, or the
    /// log lost its tail. Whoever waits there would miss what comes until then.
    pub async fn stretch(&self, after: LogPosition, most: u32) -> Result<Stretch, PositionError> {
        let LogEnd { place: head, epoch } = self.pages.end(after.partition).await?;
        if after.position > head.position {
            return Err(PositionError::BeyondHead { position: after, head });
        }
        let position = after.position.saturating_add(most.into()).min(head.position);
        Ok(Stretch { after, end: LogPosition { position, ..after }, epoch })
    }

    /// The lines of a stretch.
    #[must_use]
    pub fn lines(&self, stretch: Stretch) -> Lines {
        let pages = self.pages.clone();
        let end = stretch.end.position;
        let read = move |after: LogPosition| {
            let pages = pages.clone();
            async move {
                let Ok(left) = u32::try_from(end - after.position) else { return Ok(None) };
                if left == 0 {
                    return Ok(None);
                }
                let lines = pages.lines(after, left.min(MOST_AT_ONCE)).await?;
                let Some(last) = lines.last().map(|line| line.place) else {
                    return Err(Unavailable::database("the log lost its tail while it was read"));
                };
                Ok(Some((lines, last)))
            }
        };
        stream::try_unfold(stretch.after, read).boxed()
    }

    /// All lines behind a place, those too that are still to come: it never ends by itself.
    #[must_use]
    pub fn follow(&self, after: LogPosition) -> Lines {
        let pages = self.pages.clone();
        let read = move |after: LogPosition| {
            let pages = pages.clone();
            async move { next(&pages, after).await.map(Some) }
        };
        stream::try_unfold(after, read).boxed()
    }
}

/// The next lines behind a place, as soon as there are any.
async fn next(
    pages: &Arc<dyn LogPages>,
    after: LogPosition,
) -> Result<(Vec<LogLine>, LogPosition), Unavailable> {
    loop {
        let lines = pages.lines(after, MOST_AT_ONCE).await?;
        if let Some(last) = lines.last().map(|line| line.place) {
            return Ok((lines, last));
        }
        pages.more(after).await;
    }
}
