//! How far the log in memory goes. A read model is as far behind as a test says, and nobody waits
//! for it longer than it takes to look.

use async_trait::async_trait;
use dispensary::{LogPosition, LogPositions, Model, Positions, Unavailable};
use dispense_domain::Partitions;

use super::State;

pub(super) struct MemoryPositions(pub(super) State);

impl MemoryPositions {
    fn behind_by(&self, events: usize) -> LogPositions {
        let read = self.0.get().events.len().saturating_sub(events);
        LogPosition { partition: 0, position: i64::try_from(read).unwrap() }.into()
    }
}

#[async_trait]
impl Positions for MemoryPositions {
    fn partitions(&self) -> Partitions {
        Partitions::new(1).unwrap()
    }

    async fn heads(&self, _known: &LogPositions) -> Result<LogPositions, Unavailable> {
        Ok(self.behind_by(0))
    }

    async fn read_by(&self, _model: Model) -> Result<LogPositions, Unavailable> {
        let lag = self.0.get().read_models_lag;
        Ok(self.behind_by(lag))
    }

    async fn wait_for(&self, model: Model, _: &LogPositions) -> Result<LogPositions, Unavailable> {
        self.read_by(model).await
    }
}
