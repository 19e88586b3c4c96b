//! Looks for signed containers that no event names, every now and then, and has them removed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dispensary::{Contents, EventLog};
use tokio_util::sync::CancellationToken;

/// How often it looks: what it looks for is a day old.
const EVERY: Duration = Duration::from_hours(1);

/// How long after the start it looks for the first time, so that instances that are started
/// together do not look together.
const FIRST_WITHIN: Duration = Duration::from_mins(10);

/// Removes orphans until `stop` is cancelled. Several instances may: what one removed, the others do
/// not find.
pub(crate) async fn remove(
    log: Arc<dyn EventLog>,
    contents: Arc<dyn Contents>,
    stop: CancellationToken,
) {
    let mut pause = FIRST_WITHIN / u32::from(u8::MAX) * u32::from(drawn());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = EVERY;
        let looking = dispensary::remove_orphans(&*log, &*contents, SystemTime::now().into());
        let looked = tokio::select! {
            // A look is left at any point: the next one finds what this one did not come to.
            () = stop.cancelled() => return,
            looked = looking => looked,
        };
        match looked {
            Ok(found) => tracing::info!(
                looked_at = found.looked_at,
                removed = found.removed,
                unknown = found.unknown,
                strange = found.strange,
                "looked for signed containers that no event names"
            ),
            Err(error) => tracing::warn!(
                error = &*error.source as &dyn std::error::Error,
                "cannot look for orphaned containers: {error}"
            ),
        }
    }
}

/// A number by chance; without one, instances merely look together.
fn drawn() -> u8 {
    let mut byte = [0];
    getrandom::fill(&mut byte).map_or(0, |()| byte[0])
}
