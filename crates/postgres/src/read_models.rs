//! Every read model of this build.

use std::sync::Arc;

use crate::follow::ReadModel;
use crate::{Balances, Dispenses, History, LogTree, OpenHolds, Reports};

/// Every read model of this build: what `serve` follows, and what can be rebuilt by name.
#[must_use]
pub fn read_models() -> Vec<Arc<dyn ReadModel>> {
    vec![
        Arc::new(OpenHolds),
        Arc::new(Dispenses),
        Arc::new(History),
        Arc::new(Balances),
        Arc::new(Reports),
        Arc::new(LogTree),
    ]
}
