//! Filling read models from the beginning of the log: beside the live ones, or in a schema of its own.
//!
//! ```text
//!  claim      one rebuild at a time
//!  make       <table>_v<N+1> like the live one, with its rights and its unique indexes
//!  fill       partitions side by side, one pass over the log for all models, page by page
//!  finish     the other indexes, statistics
//!  catch up   what was written meanwhile, as often as it takes
//!  switch     one short transaction: followers wait, the rest is applied, views and followers turn
//!  drop       the tables of before
//! ```
//!
//! Up to the switch the live tables are not touched, and whatever a crash leaves behind is dropped by the
//! next rebuild.

mod standings;
mod switch;
mod tables;

use std::sync::Arc;

use dispense_audit::chain;
use dispense_domain::Partitions;
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::follow::{self, Place, ReadModel, Stop, Tables};
use crate::settings::{self, LogSettings, NotServable};
use crate::{connect, read_models};
pub use standings::{Standing, standings};
pub use tables::{finish, make, remove};

/// The most events that are read and applied in one transaction: many for speed, few for memory, and
/// a transaction that is over long before a second is.
const PAGE: i64 = 2_000;

/// How many partitions are filled side by side.
const AT_ONCE: usize = 4;

/// How many events may be left for the switch, during which nothing is followed.
const LEFT: u64 = 500;

/// How often it is caught up at most before that: a log that grows faster than it can be read is never
/// caught up with.
const ROUNDS: usize = 1_000;

/// Names the lock that a rebuild has, and whoever must not meet one: "rebuild" in ASCII.
const CLAIM: i64 = 0x72_6562_7569_6C64;

/// Where a read model is written while it is filled.
pub type TablesFor<'a> = dyn Fn(&dyn ReadModel) -> Tables + Send + Sync + 'a;

/// Why a rebuild was given up. The live tables are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Somebody else does it, or does what must not meet it.
    #[error("another rebuild of this database is running; let it end, or stop it, and try again")]
    Runs,
    /// There is no such read model.
    #[error("there is no read model `{asked}`; there are {known}")]
    Unknown {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// The database is not prepared, or for another version.
    #[error("{0}")]
    NotServable(#[from] NotServable),
    /// The database does not do it.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The log cannot be read on.
    #[error("partition {partition}: {stop}")]
    Stopped {
        /// Where.
        partition: u16,
        /// Why.
        stop: Stop,
    },
    /// Its followers write different versions.
    #[error("the followers of `{0}` do not agree on the version of its tables")]
    Torn(String),
    /// Somebody was erased, who would come back with what was read before.
    #[error("a person was erased while it ran; run it again")]
    Erased,
    /// The log grows faster than it is read, or queries on a view never end.
    #[error("the switch found no moment: {0}; try again when less is going on")]
    NoMoment(String),
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many events are in the log, and will be read.
    Begins(u64),
    /// So many more were read.
    Read(u64),
    /// The log is read; now indexes are made.
    MakesIndexes,
    /// What was written meanwhile is read.
    CatchesUp,
    /// Queries are answered from the new tables; the old ones are dropped.
    Switched,
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Each model with the version of its tables now.
    pub versions: Vec<(&'static str, i32)>,
    /// Tables of before that were in use and could not be dropped; the next rebuild drops them.
    pub left_behind: Vec<String>,
}

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
    let mut db = pool.acquire().await?;
    while place.position < upto {
        let mut tx = db.begin().await?;
        let (end, events) = page(&mut tx, models, tables_for, partition, place, upto).await?;
        if events == 0 {
            break;
        }
        tx.commit().await?;
        place = end;
        progress(events);
    }
    Ok(place)
}

/// The next page into all tables; where it ends, and how many events it had.
async fn page(
    db: &mut PgConnection,
    models: &[Arc<dyn ReadModel>],
    tables_for: &TablesFor<'_>,
    partition: u16,
    after: Place,
    upto: i64,
) -> Result<(Place, u64), Stop> {
    let page = follow::read(db, partition, after, upto, PAGE).await?;
    if !page.rows.is_empty() {
        for model in models {
            let loaded = model.load(db, &tables_for(model.as_ref()), &page.rows).await;
            loaded.map_err(|error| blame(model.as_ref(), Stop::behind(after.position, error)))?;
        }
    }
    Ok((page.end, u64::try_from(page.rows.len()).unwrap_or_default()))
}

/// Says which model cannot apply an event.
fn blame(model: &dyn ReadModel, stop: Stop) -> Stop {
    match stop {
        Stop::Stuck { position, why } => {
            Stop::Stuck { position, why: format!("or soon after: {}: {why}", model.name()) }
        }
        Stop::Database(_) | Stop::Diverged { .. } => stop,
    }
}

/// Claims the right to rebuild, or to do what must not meet a rebuild, for as long as `db` is open: a
/// rebuild writes down what it has read, so what is erased meanwhile would come back. False if
/// somebody else has it.
///
/// # Errors
///
/// The database does not answer.
pub async fn claim(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(CLAIM).fetch_one(db).await
}

/// The models of that name, or all.
///
/// # Errors
///
/// There is none of that name.
pub fn chosen(name: &str) -> Result<Vec<Arc<dyn ReadModel>>, RebuildError> {
    let all = read_models();
    if name == "all" {
        return Ok(all);
    }
    let known = all.iter().map(|model| format!("`{}`", model.name())).collect::<Vec<_>>();
    let one: Vec<_> = all.into_iter().filter(|model| model.name() == name).collect();
    if one.is_empty() {
        let known = format!("{} and `all`", known.join(", "));
        return Err(RebuildError::Unknown { asked: name.to_owned(), known });
    }
    Ok(one)
}

/// Rebuilds those models beside the live ones, and puts them in their place.
///
/// # Errors
///
/// Why it was given up; the live tables are as they were.
pub async fn rebuild(
    admin: &PgConnectOptions,
    models: Vec<Arc<dyn ReadModel>>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Rebuilt, RebuildError> {
    let pool = connect::rebuilding(admin, u32::try_from(AT_ONCE).unwrap_or(u32::MAX));
    settings::migrated(&pool).await?;
    let mut guard = pool.acquire().await?.detach();
    if !claim(&mut guard).await? {
        return Err(RebuildError::Runs);
    }
    let log = log_settings(&pool).await?;
    let rebuild = Rebuild::prepare(pool, log, models).await?;
    let outcome = rebuild.run(&mut guard, progress).await;
    if outcome.is_err() {
        // Nobody reads them. What cannot be dropped now is dropped by the next rebuild.
        let _left = rebuild.remove(Version::Next).await;
    }
    guard.close().await?;
    outcome
}

pub(crate) async fn log_settings(pool: &PgPool) -> Result<LogSettings, RebuildError> {
    let row = sqlx::query("SELECT log_id, partitions, epoch FROM log_settings");
    let row = row.fetch_one(pool).await?;
    let count: i16 = row.try_get("partitions")?;
    let partitions = u16::try_from(count).ok().and_then(Partitions::new);
    let none = || NotServable::NotMigrated(format!("log_settings has {count} partitions"));
    Ok(LogSettings {
        log_id: row.try_get::<Uuid, _>("log_id")?,
        partitions: partitions.ok_or_else(none)?,
        epoch: row.try_get("epoch")?,
    })
}

/// The number of the last erasure; 0 if nobody was ever erased.
async fn last_erasure(db: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM erasures").fetch_one(db).await
}

/// One of the versions of a model's tables that a rebuild knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Live,
    Next,
}

/// A rebuild that was begun.
struct Rebuild {
    pool: PgPool,
    log: LogSettings,
    models: Vec<Arc<dyn ReadModel>>,
    /// The live version of each model.
    live: Vec<i32>,
    /// The last erasure that there was.
    erasure: i64,
}

impl Rebuild {
    /// Learns what is live, and makes room beside it.
    async fn prepare(
        pool: PgPool,
        log: LogSettings,
        models: Vec<Arc<dyn ReadModel>>,
    ) -> Result<Self, RebuildError> {
        let mut db = pool.acquire().await?;
        let names: Vec<&str> = models.iter().map(|model| model.name()).collect();
        let shown: Vec<&str> = models.iter().map(|model| follow::shown(model.as_ref())).collect();
        for partition in log.partitions.all() {
            let first = beginning(log, partition).hash;
            follow::register(&mut db, partition, &names, &shown, &first).await?;
        }
        let mut live = Vec::with_capacity(models.len());
        for name in names {
            let versions: Vec<i32> =
                sqlx::query_scalar("SELECT DISTINCT version FROM followers WHERE name = $1")
                    .bind(name)
                    .fetch_all(&mut *db)
                    .await?;
            let [version] = versions[..] else { return Err(RebuildError::Torn(name.to_owned())) };
            live.push(version);
        }
        let erasure = last_erasure(&mut db).await?;
        drop(db);
        let rebuild = Self { pool, log, models, live, erasure };
        rebuild.make_tables().await?;
        Ok(rebuild)
    }

    /// Drops what an earlier rebuild left behind, and makes the new tables.
    async fn make_tables(&self) -> Result<(), RebuildError> {
        let mut db = self.pool.acquire().await?;
        for (model, live) in self.models.iter().zip(&self.live) {
            tables::remove_others(&mut db, model.as_ref(), *live).await?;
            let (live, next) = (Tables::of_version(*live), Tables::of_version(live + 1));
            let mut tx = db.begin().await?;
            make(&mut tx, model.as_ref(), &live, &next).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    fn version(&self, model: &dyn ReadModel, version: Version) -> Tables {
        let of = self.models.iter().position(|it| it.name() == model.name());
        let live = of.and_then(|n| self.live.get(n)).copied().unwrap_or_default();
        Tables::of_version(match version {
            Version::Live => live,
            Version::Next => live + 1,
        })
    }

    async fn run(
        &self,
        guard: &mut PgConnection,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Rebuilt, RebuildError> {
        let all: i64 =
            sqlx::query_scalar("SELECT coalesce(sum(position), 0)::bigint FROM log_head")
                .fetch_one(&self.pool)
                .await?;
        progress(Progress::Begins(u64::try_from(all).unwrap_or_default()));
        let mut places: Vec<(u16, Place)> =
            self.log.partitions.all().map(|it| (it, beginning(self.log, it))).collect();
        self.read_on(&mut places, &|events| progress(Progress::Read(events))).await?;
        progress(Progress::MakesIndexes);
        for model in &self.models {
            let live = self.version(model.as_ref(), Version::Live);
            let next = self.version(model.as_ref(), Version::Next);
            finish(&self.pool, model.as_ref(), &live, &next).await?;
        }
        progress(Progress::CatchesUp);
        self.switch(guard, &mut places, &|events| progress(Progress::Read(events))).await?;
        progress(Progress::Switched);
        let left_behind = self.remove(Version::Live).await;
        let versions = self.models.iter().zip(&self.live);
        let versions = versions.map(|(model, live)| (model.name(), live + 1)).collect();
        Ok(Rebuilt { versions, left_behind })
    }

    /// Reads all partitions to their present end, side by side. How many events that were.
    async fn read_on(
        &self,
        places: &mut [(u16, Place)],
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<u64, RebuildError> {
        let next = |model: &dyn ReadModel| self.version(model, Version::Next);
        let before: i64 = places.iter().map(|(_, place)| place.position).sum();
        let filled = places.iter_mut().map(|(partition, place)| async {
            let (pool, models, partition) = (&self.pool, &self.models, *partition);
            let filling = fill(pool, models, &next, partition, *place, i64::MAX, progress);
            *place = filling.await.map_err(|stop| RebuildError::Stopped { partition, stop })?;
            Ok::<_, RebuildError>(place.position)
        });
        let ends: Vec<i64> = stream::iter(filled).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(u64::try_from(ends.iter().sum::<i64>() - before).unwrap_or_default())
    }

    /// Drops one version of all tables; those that are in use and cannot be.
    async fn remove(&self, version: Version) -> Vec<String> {
        let mut left = Vec::new();
        for model in &self.models {
            let tables = self.version(model.as_ref(), version);
            left.extend(remove(&self.pool, model.as_ref(), &tables).await);
        }
        left
    }
}
