//! The log in memory, page by page. Its lines are no events, but say which they stand for.

use async_trait::async_trait;
use dispensary::{Fact, LogEnd, LogFacts, LogLine, LogPages, LogPosition, Recorded, Unavailable};
use dispense_domain::DispenseEvent;
use uuid::Uuid;

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
        let line = |recorded: &Recorded| LogLine {
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

#[async_trait]
impl LogFacts for MemoryPages {
    fn log_id(&self) -> Uuid {
        Uuid::from_u128(0x0106)
    }

    async fn facts(&self, after: LogPosition, most: u32) -> Result<Vec<Fact>, Unavailable> {
        self.is_there()?;
        let inner = self.0.get();
        let events: Vec<&Recorded> = inner.events.iter().map(|(_, recorded)| recorded).collect();
        let behind = events.iter().skip(usize::try_from(after.position).unwrap());
        Ok(behind.take(usize::try_from(most).unwrap()).map(|it| fact(it, &events)).collect())
    }
}

/// An event with what its messages need: all are on one medication request here.
fn fact(recorded: &Recorded, events: &[&Recorded]) -> Fact {
    let dispense = recorded.event.dispense_id();
    let hold = events.iter().find_map(|it| match &it.event {
        DispenseEvent::HoldCreated(hold) if hold.dispense_id == dispense => Some(hold.clone()),
        _ => None,
    });
    let up_to = events.iter().take_while(|it| it.place.position <= recorded.place.position);
    let handed_over = up_to.filter(|it| matches!(it.event, DispenseEvent::Processed(_))).count();
    Fact {
        place: recorded.place,
        hash: [u8::try_from(recorded.place.position % 256).unwrap(); 32],
        event_id: recorded.event_id,
        recorded_at: recorded.recorded_at,
        event: recorded.event.clone(),
        hold: hold.unwrap(),
        handed_over: u32::try_from(handed_over).unwrap(),
        traceparent: recorded.metadata.get("traceparent").cloned(),
    }
}
