//! Filling read models from the beginning of the log: beside the live ones, or in a schema of its own.

use std::sync::Arc;

use dispense_audit::chain;
use sqlx::{Connection, PgPool};

use crate::LogSettings;
use crate::follow::{self, Place, ReadModel, Stop, Tables};

/// The most events that are read and applied in one transaction: many for speed, few for memory, and
/// a transaction that is over long before a second is.
const PAGE: i64 = 2_000;

/// Where a read model is written while it is filled.
pub type TablesFor<'a> = dyn Fn(&dyn ReadModel) -> Tables + Send + Sync + 'a;

/// The place before the first event of a partition.
#[must_use]
pub fn beginning(log: LogSettings, partition: u16) -> Place {
    let LogSettings { log_id, partitions, .. } = log;
    Place { position: 0, hash: chain::first(log_id, partition, partitions.count()) }
}

/// Fills the tables of `models` from the events of one partition behind `after`, up to position `upto`
/// or to the end of the log, whichever comes first; in pages, each with a transaction of its own. The
/// tables are there. All models read the same pages, and each event is parsed once. `progress` hears of
/// each page how many events it had. Answers how far it came.
///
/// # Errors
///
/// Why nobody reads on: the database, an event that cannot be applied, or a log that is another one.
pub async fn fill(
    pool: &PgPool,
    models: &[Arc<dyn ReadModel>],
    tables_for: &TablesFor<'_>,
    partition: u16,
    after: Place,
    upto: i64,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Place, Stop> {
    let mut place = after;
    while place.position < upto {
        let mut db = pool.acquire().await?;
        let mut tx = db.begin().await?;
        let page = follow::read(&mut tx, partition, place, upto, PAGE).await?;
        if page.rows.is_empty() {
            break;
        }
        for model in models {
            let loaded = model.load(&mut tx, &tables_for(model.as_ref()), &page.rows).await;
            loaded.map_err(|error| Stop::behind(place.position, error))?;
        }
        tx.commit().await?;
        place = page.end;
        progress(u64::try_from(page.rows.len()).unwrap_or_default());
    }
    Ok(place)
}
