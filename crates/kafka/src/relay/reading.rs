//! The log, read ahead as far as it is announced at once.

use std::collections::VecDeque;
use std::sync::Arc;

use dispensary::announcement::Fact;
use dispensary::relay::{RelayLog, RelayPlace};

use super::Fault;
use super::batch::Batch;

/// Events in a page where little is to be announced.
const PAGE: u32 = 512;

/// Events in a page where much is: the longer a transaction, the less of the time goes into beginning and
/// ending it. No more than the log hands out at once, or a full page would look like the end of the log.
const LARGEST_PAGE: u32 = 2000;

/// Reads on from a place, in batches.
pub(super) struct Reading {
    log: Arc<dyn RelayLog>,
    /// Behind the last event that was read.
    read: RelayPlace,
    /// Behind the last event that stood in a batch.
    taken: RelayPlace,
    facts: VecDeque<Fact>,
    page: u32,
    /// Whether more stands behind what was read last.
    behind: bool,
}

impl Reading {
    pub(super) fn new(log: Arc<dyn RelayLog>, after: RelayPlace) -> Self {
        Self { log, read: after, taken: after, facts: VecDeque::new(), page: PAGE, behind: true }
    }

    /// Behind the last event that stood in a batch.
    pub(super) const fn taken(&self) -> RelayPlace {
        self.taken
    }

    /// Whether there is something to be read right now, as far as is known.
    pub(super) fn behind(&self) -> bool {
        self.behind || !self.facts.is_empty()
    }

    /// The next batch; none at the end of the log.
    pub(super) async fn next(&mut self, most_bytes: usize) -> Result<Option<Batch>, Fault> {
        if self.facts.is_empty() {
            self.facts = self.log.facts(self.read, self.page).await?.into();
            let full = u32::try_from(self.facts.len()).is_ok_and(|count| count >= self.page);
            self.behind = full;
            self.page = if full { (2 * self.page).min(LARGEST_PAGE) } else { PAGE };
            if let Some(last) = self.facts.back() {
                self.read = RelayPlace { place: last.place, hash: last.hash, ..self.read };
            }
        }
        if self.facts.is_empty() {
            return Ok(None);
        }
        let mut facts = std::mem::take(&mut self.facts);
        let (after, log_id) = (self.taken, self.log.log_id());
        // Thousands of messages take long enough to be felt by whoever shares this thread.
        let rendering = move || {
            let batch = Batch::first(&mut facts, after, most_bytes, log_id);
            (batch, facts)
        };
        let (batch, rest) = tokio::task::spawn_blocking(rendering).await.map_err(Fault::Died)?;
        self.facts = rest;
        let batch = batch?;
        self.taken = batch.end;
        Ok(Some(batch))
    }
}
