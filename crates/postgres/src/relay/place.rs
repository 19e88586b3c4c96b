//! Where announcing goes on: where log and streams agree.

use dispensary::LogPosition;
use dispensary::relay::{RelayPlace, RelayStop};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{NAME, PgRelayLog};
use crate::facts::stopped;
use crate::follow::Place;
use crate::follow::page::place;
use crate::log::within;
use crate::rebuild;
use crate::statements::HASH_AT;

/// The epoch now, and where the epochs after `$2` began that began lowest.
const EPOCHS: &str = "
SELECT s.epoch, began.position, began.hash
FROM log_settings s LEFT JOIN LATERAL (
    SELECT e.position, e.hash FROM log_epochs e WHERE e.partition = $1 AND e.epoch > $2
    ORDER BY e.position, e.epoch LIMIT 1
) began ON true";

const TOLD: &str = "SELECT position, hash FROM followers WHERE name = $2 AND partition = $1";

impl PgRelayLog {
    /// Where to go on if the streams know nothing of a partition.
    pub(super) async fn beginning(&self, partition: u16) -> Result<RelayPlace, RelayStop> {
        if let Some(Place { position: position @ 1.., .. }) = self.told(partition).await? {
            return Err(RelayStop::PlaceLost { position });
        }
        let (epoch, _) = self.epochs(partition, i64::MAX).await?;
        Ok(at(partition, rebuild::beginning(self.log.log_settings(), partition), epoch))
    }

    /// Where to go on if the streams have everything up to a place.
    ///
    /// A log that lost its tail goes on from wherever it was when somebody accepted that. Instances may
    /// have written between the cut and there, and the cut itself is nowhere: what the row `relay` says
    /// was announced before it, because the relay moves that row only while log and streams agree. So
    /// announcing goes back to the row, and a few messages come a second time, with the ids that they
    /// had; from where the epoch began, those of the time between would be missing for ever.
    pub(super) async fn where_both_agree(
        &self,
        streams: RelayPlace,
    ) -> Result<RelayPlace, RelayStop> {
        let LogPosition { partition, position } = streams.place;
        let (epoch, began) = self.epochs(partition, streams.epoch).await?;
        if self.has(partition, Place { position, hash: streams.hash }).await? {
            return Ok(RelayPlace { epoch, ..streams });
        }
        let diverged = RelayStop::Diverged { position };
        let Some(began) = began else { return Err(diverged) };
        let told = self.told(partition).await?;
        let mut lowest = None;
        for place in [Some(began), told].into_iter().flatten() {
            let is_lower = lowest.is_none_or(|lowest: Place| place.position < lowest.position);
            if place.position < position && is_lower && self.has(partition, place).await? {
                lowest = Some(place);
            }
        }
        lowest.map(|place| at(partition, place, epoch)).ok_or(diverged)
    }

    /// Whether the log has that place.
    async fn has(&self, partition: u16, place: Place) -> Result<bool, RelayStop> {
        if place.position == 0 {
            return Ok(place == rebuild::beginning(self.log.log_settings(), partition));
        }
        let asking = sqlx::query_scalar::<_, Vec<u8>>(HASH_AT)
            .bind(partition.cast_signed())
            .bind(place.position)
            .fetch_optional(&self.pool);
        Ok(within(asking).await?.is_some_and(|hash| hash == place.hash))
    }

    /// The epoch now, and where the one began lowest that came after `epoch`.
    async fn epochs(&self, partition: u16, epoch: i64) -> Result<(i64, Option<Place>), RelayStop> {
        let asking = sqlx::query(EPOCHS).bind(partition.cast_signed()).bind(epoch);
        let row = within(asking.fetch_one(&self.pool)).await?;
        let read = |row: &PgRow| {
            let began = row.try_get::<Option<i64>, _>("position")?.map(|_| place(row));
            Ok((row.try_get("epoch")?, began.transpose()?))
        };
        read(&row).map_err(|error: sqlx::Error| stopped(error.into()))
    }

    /// What the database says was announced.
    async fn told(&self, partition: u16) -> Result<Option<Place>, RelayStop> {
        let asking = sqlx::query(TOLD).bind(partition.cast_signed()).bind(NAME);
        let row = within(asking.fetch_optional(&self.pool)).await?;
        let told = row.as_ref().map(place).transpose();
        told.map_err(|error| stopped(error.into()))
    }
}

fn at(partition: u16, place: Place, epoch: i64) -> RelayPlace {
    let Place { position, hash } = place;
    RelayPlace { place: LogPosition { partition, position }, hash, epoch }
}
