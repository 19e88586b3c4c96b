//! Of which instants the log can tell, and when all that belongs to one can be read.

use std::time::{Duration, Instant};

use dispensary::Unavailable;
use dispensary::past::Told;
use sqlx::Row;

use super::{PgLog, within};

/// How long a question waits for a batch. One that takes longer is about to be given up.
const AWAITED_FOR: Duration = Duration::from_secs(1);

/// How often it looks meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The first event of each partition is its oldest.
const FIRST_AND_NOW: &str = "
SELECT (
    SELECT min(e.recorded_at) FROM log_head h
    JOIN events e ON e.partition = h.partition AND e.position = 1
) AS earliest, clock_timestamp() AS latest";

/// Who holds the lock of the head, if somebody does. Such a transaction is one of a writer, or of an
/// importer. `xmax` keeps the last one that did; a transaction that is over has no lock on itself any
/// more, and lets go of it after everybody can see what it left.
///
/// The head is only looked at. A lock, were it for a moment and shared, would be one more that the
/// writer waits for, and any number of readers could hand it on to each other.
const IN_HAND: &str = "
SELECT h.xmax::text AS holder, EXISTS (
    SELECT FROM pg_locks l WHERE l.locktype = 'transactionid' AND l.transactionid = h.xmax AND l.granted
) AS is_held
FROM log_head h WHERE h.partition = $1";

impl PgLog {
    pub(super) async fn first_and_now(&self) -> Result<Told, Unavailable> {
        let row = within(sqlx::query(FIRST_AND_NOW).fetch_one(&self.pool)).await?;
        let told =
            || Ok(Told { earliest: row.try_get("earliest")?, latest: row.try_get("latest")? });
        told().map_err(|error: sqlx::Error| Unavailable::database(error))
    }

    /// Waits for the batch that has the head of a partition right now. The next one asks for the time
    /// after it got the head, and so later than this was asked.
    pub(super) async fn batch_in_hand(&self, partition: u16) -> Result<(), Unavailable> {
        let asked = Instant::now();
        let Some(first) = self.holder(partition).await? else { return Ok(()) };
        while asked.elapsed() < AWAITED_FOR {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.holder(partition).await?.as_ref() != Some(&first) {
                return Ok(());
            }
        }
        Err(Unavailable { what: "the writer", source: "a batch has the head for too long".into() })
    }

    async fn holder(&self, partition: u16) -> Result<Option<String>, Unavailable> {
        let looking = sqlx::query(IN_HAND).bind(partition.cast_signed()).fetch_one(&self.pool);
        let row = within(looking).await?;
        let holder = || -> Result<Option<String>, sqlx::Error> {
            let is_held: bool = row.try_get("is_held")?;
            Ok(if is_held { Some(row.try_get("holder")?) } else { None })
        };
        holder().map_err(Unavailable::database)
    }
}
