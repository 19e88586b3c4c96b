//! Erasing a person: what names or describes one goes, in every place where it is kept, and a record
//! of it stays.
//!
//! ```text
//!   find      the whole log, page by page, without a lock: whose dispenses these are
//!   lock      the heads of all partitions, so that no decision is made; the leases of all followers
//!     read    what came to the log meanwhile; whether a hold lives: then nothing is done
//!     empty   personal bodies, what the read models took from them, registries and their salts
//!     record  which places, chained to the record before
//!   commit
//!   remove    signed containers, by whoever has the store; a second run finishes what a crash left
//! ```
//!
//! It runs under the role that owns the tables: the one that serves cannot delete.

mod finding;
mod places;
mod records;
mod registries;

use std::time::Duration;

use chrono::{DateTime, Utc};
use dispense_domain::{DispenseId, Partitions, PartyId, PersonId};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

pub use finding::{Found, Progress};
pub use places::Place;

use crate::fault::sqlstate;
use crate::settings::{LogSettings, NotServable};
use crate::{rebuild, relay};
use places::Ledger;

/// The most dispenses that one record erases: few enough that nobody who waits for a lock notices
/// for long. Whoever has more gets several records.
const DISPENSES_AT_ONCE: usize = 2_000;

/// Whom to erase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// A patient.
    Person(PersonId),
    /// Somebody who works in a pharmacy or a clinic.
    Party(PartyId),
}

impl Erased {
    /// The word for it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Party(_) => "party",
        }
    }

    /// The id.
    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::Person(id) => id.uuid(),
            Self::Party(id) => id.uuid(),
        }
    }
}

/// What to do, and why.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whom to erase.
    pub whom: Erased,
    /// Why; it stands in the record for ever.
    pub reason: String,
    /// What becomes of signed containers.
    pub signed: Signed,
    /// Whether it is done, or only told.
    pub earnest: Earnest,
}

/// What becomes of signed containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// They are removed.
    Removed,
    /// They are kept, for that reason.
    Kept(String),
}

/// Whether something is done, or only told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earnest {
    /// It is done.
    Done,
    /// It is told, and taken back.
    Told,
}

/// What is known of a person before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// There is a record of an erasure.
    Erased,
    /// A registry or the log named that id, and nobody was erased.
    Here,
    /// Nothing ever named that id.
    Never,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The numbers of the records that were written; none if there was nothing left to do.
    pub records: Vec<i64>,
    /// Every place that was emptied or kept.
    pub places: Vec<Place>,
    /// The keys of the containers that have to be removed now; most of them may be gone already.
    pub containers: Vec<String>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// A hold lives, and could not be handed over any more.
    #[error(
        "the dispense {dispense} is held until {until}; wait until it is handed over, given back or \
         has run out, and erase then"
    )]
    Held {
        /// The dispense.
        dispense: DispenseId,
        /// Its last instant.
        until: DateTime<Utc>,
    },
    /// A read model is being made anew, or somebody else is erased.
    #[error(
        "a read model is being rebuilt, or another erasure runs; wait for its end, and try again"
    )]
    Claimed,
    /// Somebody else had a lock for too long.
    #[error("a lock was taken for too long; nothing was done since, try again")]
    Busy(#[source] sqlx::Error),
    /// The database cannot be used.
    #[error(transparent)]
    NotServable(#[from] NotServable),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for NotErased {
    fn from(error: sqlx::Error) -> Self {
        match sqlstate(&error).as_deref() {
            Some("55P03" | "57014" | "40P01" | "40001") => Self::Busy(error),
            Some(_) | None => Self::Database(error),
        }
    }
}

/// How often, and how far apart, the right to erase is asked for: a command that has just ended may
/// have it for a moment longer.
const CLAIM_TRIES: u32 = 20;
const CLAIM_PAUSE: Duration = Duration::from_millis(100);

/// Erases persons from a database.
#[derive(Debug)]
pub struct Eraser {
    db: PgConnection,
    log: LogSettings,
}

/// How a transaction waits: not for ever while it holds locks that everybody wants.
const PATIENCE: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '30s'";

impl Eraser {
    /// Connects under the role that owns the tables.
    ///
    /// # Errors
    ///
    /// The database does not answer, or is none of ours; or a read model is being made anew from
    /// bodies that are to be erased.
    pub async fn connect(options: &PgConnectOptions) -> Result<Self, NotErased> {
        let options = options.clone().application_name("dispense privacy");
        let mut db = PgConnection::connect_with(&options).await?;
        let log = log_settings(&mut db).await?;
        for _ in 0..CLAIM_TRIES {
            if rebuild::claim(&mut db).await? {
                return Ok(Self { db, log });
            }
            tokio::time::sleep(CLAIM_PAUSE).await;
        }
        Err(NotErased::Claimed)
    }

    /// Looks through the whole log for the dispenses of that person, without a lock.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn find(
        &mut self,
        whom: Erased,
        progress: impl FnMut(Progress),
    ) -> Result<Found, NotErased> {
        Ok(finding::find(&mut self.db, self.log, whom, progress).await?)
    }

    /// What is known here of that person, whether or not anything is left.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn known(&mut self, whom: Erased, found: &Found) -> Result<Known, NotErased> {
        const KNOWN: &str = "SELECT
            EXISTS (SELECT FROM erasures WHERE kind = $1 AND id = $2),
            EXISTS (SELECT FROM registry_changes WHERE kind = $1 AND id = $2)";
        let (is_erased, was_imported): (bool, bool) =
            sqlx::query_as(KNOWN).bind(whom.kind()).bind(whom.id()).fetch_one(&mut self.db).await?;
        Ok(match (is_erased, was_imported || found.dispenses() > 0) {
            (true, _) => Known::Erased,
            (false, true) => Known::Here,
            (false, false) => Known::Never,
        })
    }

    /// Empties every place, and records it. What is found behind the place up to which `found`
    /// goes is erased too. Containers are left to the caller.
    ///
    /// # Errors
    ///
    /// A hold lives; or the database does not answer. Then the records that are there tell what
    /// was done.
    pub async fn erase(&mut self, order: &Order, mut found: Found) -> Result<Report, NotErased> {
        let mut report = Report::default();
        let open_requests = registries::open_requests(&mut self.db, order.whom).await?;
        // Somebody may have thought long about it: what came since is read before anybody has to wait.
        finding::read_on(&mut self.db, self.log, order.whom, &mut found).await?;
        loop {
            let mut tx = self.db.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
            tx.execute(PATIENCE).await?;
            // All earlier records are read for it, and nobody else adds one: one erasure runs at a time.
            let mut ledger = Ledger::of(&mut tx, order.whom).await?;
            let at = lock(&mut tx).await?;
            finding::read_on(&mut tx, self.log, order.whom, &mut found).await?;
            finding::refuse_while_held(&mut tx, &found, at).await?;

            let piece = found.take(DISPENSES_AT_ONCE);
            records::empty(&mut tx, &piece, &order.signed, &mut ledger).await?;
            if found.is_empty() {
                registries::empty(&mut tx, self.log, order.whom, &open_requests, &mut ledger)
                    .await?;
            }
            if let Some(number) = ledger.record(&mut tx, self.log, order, at).await? {
                report.records.push(number);
            }
            report.containers.extend(ledger.containers());
            report.places.extend(ledger.into_places());
            match order.earnest {
                Earnest::Done => tx.commit().await?,
                Earnest::Told => {
                    tx.rollback().await?;
                    report.records.clear();
                }
            }
            if found.is_empty() {
                return Ok(report);
            }
        }
    }
}

/// What the database says about the log. Unlike a service, this may be done under a role that owns it.
async fn log_settings(db: &mut PgConnection) -> Result<LogSettings, NotErased> {
    let not_migrated = |why: &str| NotServable::NotMigrated(why.to_owned());
    let prepared: bool = sqlx::query_scalar("SELECT to_regclass('erasures') IS NOT NULL")
        .fetch_one(&mut *db)
        .await?;
    if !prepared {
        return Err(not_migrated("there is no table of erasures").into());
    }
    let row: Option<(Uuid, i16, i64)> =
        sqlx::query_as("SELECT log_id, partitions, epoch FROM log_settings")
            .fetch_optional(db)
            .await?;
    let (log_id, count, epoch) = row.ok_or_else(|| not_migrated("log_settings is empty"))?;
    let partitions = u16::try_from(count).ok().and_then(Partitions::new);
    let partitions = partitions.ok_or_else(|| not_migrated("log_settings has no partitions"))?;
    Ok(LogSettings { log_id, partitions, epoch })
}

const LOCK_FOLLOWERS: &str =
    "SELECT name FROM followers WHERE name <> $1 ORDER BY partition, name FOR UPDATE";

/// Takes every lock, and returns the instant. A prescription can come in any partition, so all of
/// them stop. Whoever follows the log has to have finished its page: what it read from a body and had
/// not written down yet would stay. The relay reads no body, and goes on.
async fn lock(db: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query("SELECT partition FROM log_head ORDER BY partition FOR UPDATE")
        .fetch_all(&mut *db)
        .await?;
    sqlx::query(LOCK_FOLLOWERS).bind(relay::NAME).fetch_all(&mut *db).await?;
    sqlx::query("LOCK TABLE erasures IN SHARE ROW EXCLUSIVE MODE").execute(&mut *db).await?;
    sqlx::query_scalar("SELECT greatest(clock_timestamp(), max(recorded_at)) FROM log_head")
        .fetch_one(db)
        .await
}
