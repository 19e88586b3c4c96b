//! The places where something is kept of a person, and the record of what became of them.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use dispense_audit::chain::Hash;
use dispense_audit::erasure::{self, Erasure};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Erased, Order};
use crate::settings::LogSettings;
use crate::statements::hash_of;

/// One place: emptied, or kept and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The table, or `contents` for the store of signed containers.
    pub place: String,
    /// The partition of the log, or the chain of registry changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<i16>,
    /// The position in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The number of a registry change, or of a dead letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// The kind of a registry record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id of what stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The key of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it was kept; absent if it was emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

impl Place {
    pub(super) fn of(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            partition: None,
            position: None,
            number: None,
            kind: None,
            id: None,
            key: None,
            kept: None,
        }
    }

    pub(super) fn body(partition: i16, position: i64) -> Self {
        Self { partition: Some(partition), position: Some(position), ..Self::of("personal_bodies") }
    }

    pub(super) fn container(key: String) -> Self {
        Self { key: Some(key), ..Self::of("contents") }
    }

    pub(super) fn record(table: &str, id: Uuid) -> Self {
        Self { id: Some(id), ..Self::of(table) }
    }

    pub(super) fn entry(kind: &str, id: Uuid) -> Self {
        Self { kind: Some(kind.to_owned()), ..Self::record("registry_entries", id) }
    }

    pub(super) fn salt(partition: i16, number: i64) -> Self {
        Self { partition: Some(partition), number: Some(number), ..Self::of("registry_salts") }
    }

    pub(super) fn letter(number: i64) -> Self {
        Self { number: Some(number), ..Self::of("registry_dead_letters") }
    }

    pub(super) fn kept(self, why: &str) -> Self {
        Self { kept: Some(why.to_owned()), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(kind) = &self.kind {
            write!(f, " {kind}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " {key}")?;
        }
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        match (self.partition, self.position.or(self.number)) {
            (Some(partition), Some(place)) => write!(f, " {partition}:{place}")?,
            (Some(partition), None) => write!(f, " (partition {partition})")?,
            (None, Some(place)) => write!(f, " {place}")?,
            (None, None) => {}
        }
        match &self.kept {
            Some(why) => write!(f, ": kept, {why}"),
            None => f.write_str(": emptied"),
        }
    }
}

/// What is kept in any case, and why. It is told in each record, so that nobody has to ask.
const ALWAYS_KEPT: [(&str, &str); 4] = [
    (
        "events",
        "what was dispensed, to whom by id, and for how much is evidence; no event names a person",
    ),
    ("registry_changes", "when a registry said something is evidence; ids and digests alone"),
    ("read models", "ids alone, read from the events"),
    ("access_log", "who looked at whose dispenses is evidence; ids alone"),
];

/// What is being written into one record.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Containers that an earlier record says were removed.
    removed: HashSet<String>,
    /// Containers that an earlier record of the same person says were kept.
    kept: HashSet<String>,
    places: Vec<Place>,
    containers: Vec<String>,
    is_new: bool,
}

impl Ledger {
    /// A ledger that knows what earlier records say of containers: those that were removed, with
    /// whomever they named, and those that were kept when this person was erased.
    pub(super) async fn of(db: &mut PgConnection, whom: Erased) -> Result<Self, sqlx::Error> {
        const CONTAINERS: &str = "
            SELECT p ->> 'key', p ->> 'kept' IS NOT NULL
            FROM erasures e CROSS JOIN LATERAL json_array_elements(e.places) AS p
            WHERE p ->> 'key' IS NOT NULL
                  AND (p ->> 'kept' IS NULL OR (e.kind = $1 AND e.id = $2))";
        let earlier: Vec<(String, bool)> =
            sqlx::query_as(CONTAINERS).bind(whom.kind()).bind(whom.id()).fetch_all(db).await?;
        let (kept, removed): (Vec<_>, Vec<_>) =
            earlier.into_iter().partition(|(_, is_kept)| *is_kept);
        let keys = |of: Vec<(String, bool)>| of.into_iter().map(|(key, _)| key).collect();
        Ok(Self {
            removed: keys(removed),
            kept: keys(kept),
            places: Vec::new(),
            containers: Vec::new(),
            is_new: false,
        })
    }

    /// Something was emptied.
    pub(super) fn emptied(&mut self, place: Place) {
        self.is_new = true;
        self.places.push(place);
    }

    /// Something was kept. That alone is no reason for a record.
    pub(super) fn keep(&mut self, place: Place) {
        self.places.push(place);
    }

    /// A container is to be removed: each time, because an earlier run may have been cut short.
    pub(super) fn remove_container(&mut self, key: String) {
        if !self.removed.contains(&key) {
            self.emptied(Place::container(key.clone()));
        }
        self.containers.push(key);
    }

    /// A container stays.
    pub(super) fn keep_container(&mut self, key: String, why: &str) {
        if !self.removed.contains(&key) && !self.kept.contains(&key) {
            self.emptied(Place::container(key).kept(why));
        }
    }

    /// The containers that have to be removed.
    pub(super) fn containers(&mut self) -> Vec<String> {
        std::mem::take(&mut self.containers)
    }

    pub(super) fn into_places(self) -> Vec<Place> {
        self.places
    }

    /// Writes the record, if there is anything new to tell, and returns its number.
    pub(super) async fn record(
        &mut self,
        db: &mut PgConnection,
        log: LogSettings,
        order: &Order,
        at: DateTime<Utc>,
    ) -> Result<Option<i64>, sqlx::Error> {
        if !self.is_new {
            return Ok(None);
        }
        self.places.extend(ALWAYS_KEPT.map(|(place, why)| Place::of(place).kept(why)));
        let last: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT number, hash FROM erasures ORDER BY number DESC LIMIT 1")
                .fetch_optional(&mut *db)
                .await?;
        let (number, previous): (i64, Hash) = match last {
            Some((number, hash)) => (number + 1, hash_of(&hash)?),
            None => (1, erasure::first(log.log_id)),
        };
        let by_user: String =
            sqlx::query_scalar("SELECT session_user::text").fetch_one(&mut *db).await?;
        let places = serde_json::to_string(&self.places)
            .map_err(|error| sqlx::Error::Encode(error.into()))?;
        let at = at.trunc_subsecs(6);
        let hash = erasure::next(
            &previous,
            &Erasure {
                number,
                kind: order.whom.kind(),
                id: order.whom.id(),
                reason: &order.reason,
                by_user: &by_user,
                at: at.timestamp_micros(),
                places: &places,
            },
        );
        sqlx::query(
            "INSERT INTO erasures (number, kind, id, reason, by_user, at, places, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8)",
        )
        .bind(number)
        .bind(order.whom.kind())
        .bind(order.whom.id())
        .bind(&order.reason)
        .bind(&by_user)
        .bind(at)
        .bind(&places)
        .bind(&hash[..])
        .execute(db)
        .await?;
        Ok(Some(number))
    }
}
