//! Reading on from a position, exactly once in effect.
//!
//! ```text
//!   look            one statement: is there anything to read, and how far behind is whom
//!   lease           the rows of `followers` of one partition that nobody else has locked
//!     read          one page, for all models that stand at the same place
//!     apply         one model after the other; each event is parsed once for all
//!     move          all of them, in one statement
//!   commit          effect and place together
//! ```
//!
//! The row lock is the lease, so any number of instances share the work. Models that lag behind, new
//! ones or ones that were stuck, catch up by themselves until they meet the others. A model that cannot
//! apply an event stops there alone, loudly; it never skips, and the others go on.

mod lease;
pub(crate) mod page;
mod read_model;
mod signs;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dispense_audit::chain;
use sqlx::{Connection, PgPool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use lease::Leased;
pub(crate) use lease::register;
pub(crate) use page::read;
pub use page::{Place, Stop};
pub use read_model::{LogRow, ReadModel, Tables};
use signs::Signs;

use crate::fault::sqlstate;
use crate::faults::Faults;
use crate::settings::LogSettings;

/// The most events that are applied in one transaction.
const PAGE: i64 = 500;

/// How often a follower looks by itself, for what nobody told it of.
const POLL: Duration = Duration::from_millis(500);

/// How long a follower gathers between two transactions, so that a busy log costs it few.
const GATHER: Duration = Duration::from_millis(50);

/// How often a busy follower looks how far it is behind.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How long a model that is stuck waits before it is tried again.
const STUCK_POLL: Duration = Duration::from_secs(10);

/// How often at most a model is tried alone before the others go on. Twice the halvings of a page are
/// enough to find the one event that is to blame.
const TRIES: usize = 24;

/// What wakes a follower: the last position that this process wrote, and the last one that others told
/// of.
#[derive(Debug, Clone)]
pub struct Woken {
    /// What this process wrote.
    pub written: watch::Receiver<i64>,
    /// What other instances wrote.
    pub heard: watch::Receiver<i64>,
}

impl Woken {
    /// Waits for either to change. One that nobody can change any more wakes nobody.
    async fn changed(&mut self) {
        async fn of(it: &mut watch::Receiver<i64>) {
            if it.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        tokio::select! {
            () = of(&mut self.written) => {}
            () = of(&mut self.heard) => {}
        }
    }

    /// The last position that is known to be in the log.
    fn last(&self) -> i64 {
        (*self.written.borrow()).max(*self.heard.borrow())
    }
}

/// What follows one partition, for all read models together.
pub struct Follower {
    models: Vec<Arc<dyn ReadModel>>,
    pool: PgPool,
    log: LogSettings,
    partition: u16,
    woken: Woken,
    signs: Signs,
    /// Models that cannot go on with the others, and when each is tried again.
    apart: BTreeMap<&'static str, Instant>,
    /// Up to where everything has been read that is not apart.
    reached: i64,
}

/// What one transaction did.
struct Advanced {
    /// How many events it applied.
    events: usize,
    /// Where its models stand now; none if all leases are elsewhere.
    end: Option<Place>,
    /// Leased models that stand further back.
    behind: Vec<&'static str>,
}

/// Who could not go on, and why.
enum Failed {
    /// Nobody: the database does not answer, or has no room.
    Everyone(sqlx::Error),
    /// Those that stand at one place, because of what comes next there.
    Page { names: Vec<&'static str>, stop: Stop },
    /// One model, because of what it made of the page.
    Model { name: &'static str, stop: Stop },
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Everyone(error)
    }
}

impl Follower {
    /// Keeps `models` for one partition. What it cannot do it tells to `faults`.
    #[must_use]
    pub fn new(
        models: Vec<Arc<dyn ReadModel>>,
        pool: PgPool,
        log: LogSettings,
        partition: u16,
        woken: Woken,
        faults: Faults,
    ) -> Self {
        let signs = Signs::new(partition, faults);
        Self { models, pool, log, partition, woken, signs, apart: BTreeMap::new(), reached: 0 }
    }

    /// Follows the log until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        for model in &self.models {
            self.signs.begins(model.name());
        }
        let (mut pause, mut looked): (Duration, Option<Instant>) = (Duration::ZERO, None);
        while !stop.is_cancelled() {
            let is_told = tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => false,
                () = self.woken.changed() => true,
            };
            pause = POLL;
            let followed = async {
                let mut is_behind = is_told && self.woken.last() > self.reached;
                if !is_told || looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                    is_behind |= self.look().await?;
                    looked = Some(Instant::now());
                }
                if is_behind { self.catch_up(&stop).await } else { Ok(()) }
            };
            if let Err(error) = followed.await {
                tracing::warn!(partition = self.partition, "the followers wait: {error}");
                pause = 2 * POLL;
            }
        }
    }

    /// Whether there is anything to read, for models that have not been tried just now.
    async fn look(&mut self) -> Result<bool, sqlx::Error> {
        let names: Vec<&str> = self.models.iter().map(|model| model.name()).collect();
        let found = lease::look(&self.pool, self.partition, &names).await?;
        for behind in &found {
            self.signs.lags(behind);
            // Who stands at the head is stuck no more: another instance, or an operator, brought it there.
            if !behind.has_work
                && let Some((name, _)) = self.apart.remove_entry(&*behind.name)
            {
                self.signs.goes_on(name);
            }
        }
        if found.len() < names.len() {
            self.register().await?;
        }
        let now = Instant::now();
        let waits = |name: &str| self.apart.get(name).is_some_and(|again| *again > now);
        let is_behind = found.iter().any(|it| it.has_work && !waits(&it.name));
        Ok(is_behind || found.len() < names.len())
    }

    /// Gives those models a row that never had one.
    async fn register(&self) -> Result<(), sqlx::Error> {
        let names: Vec<&str> = self.models.iter().map(|model| model.name()).collect();
        let shown: Vec<&str> = self.models.iter().map(|model| shown(model.as_ref())).collect();
        let LogSettings { log_id, partitions, .. } = self.log;
        let first = chain::first(log_id, self.partition, partitions.count());
        let mut db = self.pool.acquire().await?;
        lease::register(&mut db, self.partition, &names, &shown, &first).await
    }

    /// Applies what there is. After a page that was not full it gathers for a moment, so that a busy log
    /// costs it few transactions.
    async fn catch_up(&mut self, stop: &CancellationToken) -> Result<(), sqlx::Error> {
        while !stop.is_cancelled() {
            if !self.round().await? {
                tokio::time::sleep(GATHER).await;
                break;
            }
        }
        Ok(())
    }

    /// One page for everyone; whether there may be more. Whoever stands further back gets a page of its
    /// own, up to where the foremost are now: there they meet.
    async fn round(&mut self) -> Result<bool, sqlx::Error> {
        let together = self.models.iter().map(|model| model.name());
        let mut names: Vec<&'static str> =
            together.filter(|name| !self.apart.contains_key(name)).collect();
        let (mut upto, mut more) = (i64::MAX, false);
        while !names.is_empty() {
            match self.advance(&names, upto, PAGE).await {
                Ok(Advanced { events, end, behind }) => {
                    let Some(end) = end else { break };
                    if upto == i64::MAX {
                        self.reached = self.reached.max(end.position);
                    }
                    more |= i64::try_from(events).is_ok_and(|events| events >= PAGE);
                    more |= !behind.is_empty();
                    (upto, names) = (upto.min(end.position), behind);
                }
                Err(Failed::Everyone(error)) => return Err(error),
                Err(Failed::Page { names, stop }) => {
                    for name in names {
                        self.stands_apart(name, &stop);
                    }
                    return Ok(true);
                }
                Err(Failed::Model { name, .. }) => {
                    self.alone(name).await?;
                    return Ok(true);
                }
            }
        }
        self.try_again().await?;
        Ok(more)
    }

    /// Tries those again that have waited long enough.
    async fn try_again(&mut self) -> Result<(), sqlx::Error> {
        let now = Instant::now();
        let due: Vec<_> =
            self.apart.iter().filter(|(_, again)| **again <= now).map(|(name, _)| *name).collect();
        for name in due {
            self.alone(name).await?;
        }
        Ok(())
    }

    /// Tries one model by itself. Where it fails it gets half as many events, down to the one that is to
    /// blame: everything before that is applied. A page that works whole has it back among the others.
    async fn alone(&mut self, name: &'static str) -> Result<(), sqlx::Error> {
        let mut most = PAGE;
        for _ in 0..TRIES {
            match self.advance(&[name], i64::MAX, most).await {
                Ok(Advanced { end: None, .. }) => return Ok(()),
                Ok(Advanced { events, .. }) if most == PAGE || events == 0 => {
                    self.apart.remove(name);
                    self.signs.goes_on(name);
                    return Ok(());
                }
                Ok(_) => {}
                Err(Failed::Everyone(error)) => return Err(error),
                Err(Failed::Model { .. }) if most > 1 => most /= 2,
                Err(Failed::Model { stop, .. } | Failed::Page { stop, .. }) => {
                    self.stands_apart(name, &stop);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// That model does not go on with the others.
    fn stands_apart(&mut self, name: &'static str, stop: &Stop) {
        let wait = self.signs.stops(name, stop);
        self.apart.insert(name, Instant::now() + wait);
    }

    /// One page for the foremost of those models, in one transaction.
    async fn advance(
        &self,
        names: &[&'static str],
        upto: i64,
        most: i64,
    ) -> Result<Advanced, Failed> {
        let mut db = self.pool.acquire().await?;
        let mut tx = db.begin().await?;
        let leased = lease::take(&mut tx, self.partition, names).await?;
        let Some(from) = leased.first().map(|it| it.place) else {
            return Ok(Advanced { events: 0, end: None, behind: Vec::new() });
        };
        let (foremost, behind): (Vec<&Leased>, Vec<_>) =
            leased.iter().partition(|it| it.place == from);
        let foremost: Vec<_> = foremost.into_iter().filter_map(|it| self.of(it)).collect();
        let behind = behind.into_iter().filter_map(|it| Some(self.of(it)?.0.name())).collect();
        let names: Vec<_> = foremost.iter().map(|(model, _)| model.name()).collect();

        let page = match page::read(&mut tx, self.partition, from, upto, most).await {
            Ok(page) => page,
            Err(Stop::Database(error)) => return Err(Failed::Everyone(error)),
            Err(stop) => return Err(Failed::Page { names, stop }),
        };
        if page.rows.is_empty() {
            return Ok(Advanced { events: 0, end: Some(from), behind });
        }
        for (model, tables) in &foremost {
            let applied = async {
                model.apply(&mut tx, tables, &page.rows).await?;
                model.notice(&mut tx, tables, &page.rows).await
            };
            if let Err(error) = applied.await {
                return Err(match Stop::behind(from.position, error) {
                    Stop::Database(error) if hits_everyone(&error) => Failed::Everyone(error),
                    stop => Failed::Model { name: model.name(), stop },
                });
            }
        }
        lease::move_to(&mut tx, self.partition, &names, page.end).await?;
        tx.commit().await?;
        for name in &names {
            self.signs.applied(name, page.rows.len());
        }
        Ok(Advanced { events: page.rows.len(), end: Some(page.end), behind })
    }

    /// The model of a lease, and where it is written.
    fn of(&self, leased: &Leased) -> Option<(&dyn ReadModel, Tables)> {
        let model = self.models.iter().find(|model| model.name() == leased.name)?;
        Some((model.as_ref(), leased.tables.clone()))
    }
}

/// Whether the database is to blame, and not the statement: a connection that broke, a server that
/// stops, or one without room.
fn hits_everyone(error: &sqlx::Error) -> bool {
    sqlstate(error).is_none_or(|code| {
        ["08", "25", "53", "57P", "XX"].iter().any(|class| code.starts_with(class))
    })
}

/// The first view of a model, which tells the version of all of its tables.
pub(crate) fn shown(model: &dyn ReadModel) -> &'static str {
    model.tables().first().copied().unwrap_or_else(|| model.name())
}
