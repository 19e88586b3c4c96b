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

/// What stands in the log, a few at a time. Nothing is read before it is asked for.
pub(crate) type Pages<T> = BoxStream<'static, Result<Vec<T>, Unavailable>>;

/// Lines, a few at a time. Nothing is read before it is asked for.
pub type Lines = BoxStream<'static, Result<Vec<LogLine>, Unavailable>>;

/// What has a place in the log.
pub(crate) trait Placed: Send + 'static {
    fn place(&self) -> LogPosition;
}

impl Placed for LogLine {
    fn place(&self) -> LogPosition {
        self.place
    }
}

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
        through(stretch, move |after, most| {
            let pages = pages.clone();
            async move { pages.lines(after, most).await }
        })
    }

    /// All lines behind a place, those too that are still to come: it never ends by itself.
    #[must_use]
    pub fn follow(&self, after: LogPosition) -> Lines {
        let pages = self.pages.clone();
        self.on_and_on(after, move |after, most| {
            let pages = pages.clone();
            async move { pages.lines(after, most).await }
        })
    }

    /// All that `read` finds behind a place, as soon as there is any.
    pub(crate) fn on_and_on<T: Placed, R>(
        &self,
        after: LogPosition,
        read: impl Fn(LogPosition, u32) -> R + Send + Sync + 'static,
    ) -> Pages<T>
    where
        R: Future<Output = Result<Vec<T>, Unavailable>> + Send + 'static,
    {
        let (pages, read) = (self.pages.clone(), Arc::new(read));
        let next = move |after: LogPosition| {
            let (pages, read) = (pages.clone(), read.clone());
            async move {
                loop {
                    let found = read(after, MOST_AT_ONCE).await?;
                    if let Some(last) = found.last().map(Placed::place) {
                        return Ok(Some((found, last)));
                    }
                    pages.more(after).await;
                }
            }
        };
        stream::try_unfold(after, next).boxed()
    }
}

/// All that `read` finds in a stretch.
pub(crate) fn through<T: Placed, R>(
    stretch: Stretch,
    read: impl Fn(LogPosition, u32) -> R + Send + 'static,
) -> Pages<T>
where
    R: Future<Output = Result<Vec<T>, Unavailable>> + Send + 'static,
{
    let end = stretch.end.position;
    let next = move |after: LogPosition| {
        let left = u32::try_from(end - after.position).unwrap_or_default();
        let reading = (left > 0).then(|| read(after, left.min(MOST_AT_ONCE)));
        async move {
            let Some(reading) = reading else { return Ok(None) };
            let found = reading.await?;
            let Some(last) = found.last().map(Placed::place) else {
                return Err(Unavailable::database("the log lost its tail while it was read"));
            };
            Ok(Some((found, last)))
        }
    };
    stream::try_unfold(stretch.after, next).boxed()
}
