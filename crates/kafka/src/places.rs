//! How far every partition of a log was announced.

use std::collections::BTreeMap;

use dispensary::Topic;
use dispense_domain::Partitions;
use uuid::Uuid;

use crate::cluster::{ANSWERS_WITHIN, blocking};
use crate::{Place, Settings, StreamError};

/// What the brokers have for each partition of a log, all that was committed until now included.
///
/// # Errors
///
/// If they do not answer, or not with a place.
pub async fn places(
    settings: &Settings,
    log_id: Uuid,
    log: Partitions,
) -> Result<Vec<Option<Place>>, StreamError> {
    let settings = settings.clone();
    let place = move |partition| Place::kept(&settings, log_id, partition, ANSWERS_WITHIN);
    blocking(move || log.all().map(place).collect()).await
}

/// How many messages each topic has had.
#[must_use]
pub fn announced(places: &[Option<Place>]) -> BTreeMap<Topic, u64> {
    let of = |topic: Topic| places.iter().flatten().map(|it| it.announced_in(topic)).sum();
    Topic::ALL.into_iter().map(|topic| (topic, of(topic))).collect()
}
