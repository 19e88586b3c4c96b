//! The log in memory, page by page. Its lines are no events, but say which they stand for.

use async_trait::async_trait;
use dispensary::{LogEnd, LogLine, LogPages, LogPosition, Unavailable};

use super::State;

/// The epoch of this log.
pub(super) const EPOCH: i64 = 3;

pub(super) struct MemoryPages(pub(super) State);

impl MemoryPages {
    fn is_there(&self) -> Result<(), Unavailable> {
        match self.0.get().failure {
            None => Ok(()),
            Some(_) => Err(Unavailable::database("connection refused (secret detail)")),
        }
    }
}

#[async_trait]
impl LogPages for MemoryPages {
    async fn end(&self, partition: u16) -> Result<LogEnd, Unavailable> {
        self.is_there()?;
        let position = i64::try_from(self.0.get().events.len()).unwrap();
        Ok(LogEnd { place: LogPosition { partition, position }, epoch: EPOCH })
    }

    async fn lines(&self, after: LogPosition, most: u32) -> Result<Vec<LogLine>, Unavailable> {
        self.is_there()?;
        let inner = self.0.get();
        let behind = inner.events.iter().skip(usize::try_from(after.position).unwrap());
        let line = |recorded: &dispensary::Recorded| LogLine {
            place: recorded.place,
            kind: recorded.event.name().to_owned(),
            text: format!("{{\"position\":{}}}", recorded.place.position),
        };
        let most = usize::try_from(most).unwrap();
        Ok(behind.take(most).map(|(_, recorded)| line(recorded)).collect())
    }

    async fn more(&self, _: LogPosition) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
