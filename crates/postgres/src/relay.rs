//! The log, for whoever announces it: a lease for each partition, where to go on, and what stands behind.
//!
//! ```text
//!   lease, release   the row `relay` of followers     two statements, and no lock that lasts
//!   goes_on          log, log_epochs, that row        where log and streams agree
//!   facts            a page of events by its place    crate::facts
//!   reached          that row                         for people, and for a log that lost its tail
//! ```

mod lease;
mod place;

use std::sync::Arc;

use async_trait::async_trait;
use dispensary::announcement::Fact;
use dispensary::relay::{RelayLog, RelayPlace, RelayStop};
use dispensary::{LogPages, LogPosition, Unavailable};
use dispense_domain::Partitions;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::facts;
use crate::log::within;
use crate::notify::Heard;
use crate::{PgLog, connect};

/// The name of its rows in `followers`.
pub(crate) const NAME: &str = "relay";

/// Connections that all partitions share.
const CONNECTIONS: u32 = 4;

/// The log in PostgreSQL, for the relay of one process.
#[derive(Debug)]
pub struct PgRelayLog {
    log: Arc<PgLog>,
    pool: PgPool,
    /// Who leases.
    holder: Uuid,
    heard: Option<Heard>,
}

impl PgRelayLog {
    /// A relay that has no lease yet.
    ///
    /// # Errors
    ///
    /// The system has no random numbers, by which processes tell their leases apart.
    pub fn new(log: Arc<PgLog>, options: &PgConnectOptions) -> Result<Self, getrandom::Error> {
        let mut drawn = [0; 16];
        getrandom::fill(&mut drawn)?;
        let holder = uuid::Builder::from_random_bytes(drawn).into_uuid();
        let pool = connect::relay_pool(options, CONNECTIONS);
        Ok(Self { log, pool, holder, heard: None })
    }

    /// It is woken by what other instances tell of, too.
    #[must_use]
    pub fn hearing(self, heard: Heard) -> Self {
        Self { heard: Some(heard), ..self }
    }
}

#[async_trait]
impl RelayLog for PgRelayLog {
    fn log_id(&self) -> Uuid {
        self.log.log_settings().log_id
    }

    fn partitions(&self) -> Partitions {
        self.log.log_settings().partitions
    }

    async fn lease(&self, partition: u16) -> Result<bool, Unavailable> {
        within(self.take(partition)).await
    }

    async fn release(&self, partition: u16) -> Result<(), Unavailable> {
        within(self.let_go(partition)).await
    }

    async fn goes_on(
        &self,
        partition: u16,
        streams: Option<RelayPlace>,
    ) -> Result<RelayPlace, RelayStop> {
        match streams {
            Some(place) => self.where_both_agree(place).await,
            None => self.beginning(partition).await,
        }
    }

    async fn facts(&self, after: RelayPlace, most: u32) -> Result<Vec<Fact>, RelayStop> {
        facts::read_behind(&self.pool, after.place, Some(after.hash), most).await
    }

    async fn facts_at(&self, partition: u16, positions: &[i64]) -> Result<Vec<Fact>, RelayStop> {
        facts::read_at(&self.pool, partition, positions).await
    }

    async fn reached(&self, place: RelayPlace) -> Result<(), Unavailable> {
        within(self.move_to(place)).await
    }

    async fn lag(&self, after: LogPosition) -> Result<(i64, f64), Unavailable> {
        within(self.behind(after)).await
    }

    async fn more(&self, after: LogPosition) {
        let heard = self.heard.as_ref().and_then(|heard| heard.of(after.partition));
        let told = async {
            match heard {
                // Without its sender nothing is heard any more.
                Some(mut heard) => {
                    if heard.wait_for(|position| *position > after.position).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = told => {}
            () = LogPages::more(&*self.log, after) => {}
        }
    }
}
