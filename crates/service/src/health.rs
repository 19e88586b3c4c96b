//! Whether this instance can work: database, schema and registry; and what does not go on beside. A
//! follower that lags or is stuck does not make it unready: commands do not depend on it.

use std::sync::Arc;

use async_trait::async_trait;
use dispense_http::{Check, CheckStatus, Health};
use dispense_postgres::faults::{Faults, LastingFault};
use dispense_postgres::{PgLog, PgRegistry, reachable};
use sqlx::PgPool;

use crate::stream_signs;

/// What can have a fault and stops no command: its name, and what is said where it has none.
const BESIDE: [(&str, &str); 2] =
    [("followers", "all go on"), ("checkpoints", "none says otherwise than the log")];

/// Whether there are any streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Messages go to Kafka.
    SetUp,
    /// `KAFKA_BROKERS` is not set.
    NotSetUp,
}

impl Streams {
    /// What is said where they have no fault.
    const fn well(self) -> &'static str {
        match self {
            Self::SetUp => "nothing stands in their way",
            Self::NotSetUp => "not set up",
        }
    }
}

/// The most faults of one kind that are told one by one.
const TOLD: usize = 8;

/// Looks at what stands behind the door.
pub(crate) struct Behind {
    pub(crate) pool: PgPool,
    pub(crate) registry: Arc<PgRegistry>,
    pub(crate) faults: Faults,
    pub(crate) streams: Streams,
}

#[async_trait]
impl Health for Behind {
    async fn check(&self) -> Vec<Check> {
        let (ok, unavailable) = (CheckStatus::Ok, CheckStatus::Unavailable);
        let (status, detail) = match reachable(&self.pool).await {
            Ok(()) => (ok, "answers".to_owned()),
            Err(error) => (unavailable, format!("does not answer: {error}")),
        };
        let database = Check { name: "database", status, detail };
        let (status, detail) = match PgLog::settings(&self.pool, None).await {
            Ok(settings) => (ok, format!("{} partitions", settings.partitions.count())),
            Err(error) => (unavailable, error.to_string()),
        };
        let schema = Check { name: "schema", status, detail };
        let registries = self.registry.current();
        let (companies, version) = (registries.legal_entities.len(), registries.version);
        let registry = Check {
            name: "registry",
            status: ok,
            detail: format!("version {version}, {companies} legal entities"),
        };
        let mut checks = vec![database, schema, registry];
        let faults = self.faults.all();
        checks.extend(BESIDE.map(|(name, well)| beside(name, well, &faults)));
        checks.push(beside(stream_signs::CHECK, self.streams.well(), &faults));
        checks
    }
}

/// How those are that no command needs.
fn beside(name: &'static str, well: &str, faults: &[LastingFault]) -> Check {
    let told = |fault: &LastingFault| format!("{}: {}", fault.about, fault.detail);
    let mut told: Vec<String> =
        faults.iter().filter(|fault| fault.check == name).map(told).collect();
    let status = if told.is_empty() { CheckStatus::Ok } else { CheckStatus::Degraded };
    if told.is_empty() {
        told.push(well.to_owned());
    } else if told.len() > TOLD {
        let more = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("and {more} more"));
    }
    Check { name, status, detail: told.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(about: usize) -> LastingFault {
        LastingFault {
            check: "followers",
            about: format!("dispenses, partition {about}"),
            detail: "stuck at position 7: why".to_owned(),
        }
    }

    #[test]
    fn what_stops_no_command_is_told_and_only_degrades() {
        let well = beside("followers", "all go on", &[]);
        assert_eq!((well.status, &*well.detail), (CheckStatus::Ok, "all go on"));
        let other = LastingFault { check: "checkpoints", ..fault(0) };
        assert_eq!(beside("followers", "all go on", &[other]), well);
        let ill = beside("followers", "all go on", &[fault(2)]);
        assert_eq!(ill.status, CheckStatus::Degraded);
        assert_eq!(ill.detail, "dispenses, partition 2: stuck at position 7: why");
    }

    #[test]
    fn of_many_faults_the_first_are_told_and_the_others_counted() {
        let many: Vec<_> = (0..TOLD + 3).map(fault).collect();
        let check = beside("followers", "all go on", &many);
        assert_eq!(check.detail.matches("stuck").count(), TOLD);
        assert!(check.detail.ends_with("; and 3 more"), "{}", check.detail);
    }
}
