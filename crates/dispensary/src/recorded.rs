//! Events as they stand in the log.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use dispense_domain::{DispenseEvent, UserId};
use uuid::Uuid;

/// A place in the log. Text is `<partition>:<position>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogPosition {
    /// The partition.
    pub partition: u16,
    /// The place in it; the first event has 1, and 0 is before it.
    pub position: i64,
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.position)
    }
}

impl FromStr for LogPosition {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (partition, position) = text.split_once(':').ok_or(())?;
        // The parsers of numbers take a sign; a place has none.
        if ![partition, position].iter().all(|it| it.bytes().all(|it| it.is_ascii_digit())) {
            return Err(());
        }
        let partition = partition.parse().map_err(|_| ())?;
        let position = position.parse().map_err(|_| ())?;
        Ok(Self { partition, position })
    }
}

/// An event with all that the log knows of it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Where it stands.
    pub place: LogPosition,
    /// Its number in its stream, from 1.
    pub sequence: i64,
    /// Derived from dispense and kind.
    pub event_id: Uuid,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub event: DispenseEvent,
    /// The personal body beside it: absent if it has none or was erased.
    pub body: Option<Arc<str>>,
    /// Who, for whom, and which request.
    pub metadata: BTreeMap<String, String>,
}

impl Recorded {
    /// Who caused it.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.metadata.get("user")?.parse::<Uuid>().ok().map(UserId::from)
    }

    /// Whether its personal body was erased: there is a digest of one, and no body.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.event.personal().is_some() && self.body.is_none()
    }

    /// The personal body, if it is there and of that kind.
    #[must_use]
    pub fn body<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }
}
