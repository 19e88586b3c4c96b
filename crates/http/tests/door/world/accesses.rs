//! Who looked, in memory.

use async_trait::async_trait;
use dispensary::Unavailable;
use dispensary::access::{Access, AccessLog};

use super::State;

pub(super) struct MemoryAccesses(pub(super) State);

#[async_trait]
impl AccessLog for MemoryAccesses {
    async fn record(&self, access: Access) -> Result<(), Unavailable> {
        let mut inner = self.0.get();
        if inner.access_log_is_full {
            let source = "no room (secret detail)".into();
            return Err(Unavailable { what: "the access log", source });
        }
        inner.accesses.push(access);
        Ok(())
    }
}
