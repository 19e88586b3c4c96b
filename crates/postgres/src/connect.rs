//! Connections, and what each must have set.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

/// How long a new connection may take.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_millis(800);

/// What every connection of the service sets for itself. The timeouts belong to the role, because
/// those reach every node of a cluster.
fn durable(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("synchronous_commit", "on")])
}

/// What those set whose statements are written for the indexes: a plan that was made while a table
/// was young would scan it when it is old.
const FOR_THE_INDEXES: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
];

/// What the writer's connection sets beside that.
fn writing(options: PgConnectOptions) -> PgConnectOptions {
    durable(options).application_name("dispense writer").options(FOR_THE_INDEXES)
}

/// What those set that read. A walk along an index ends where a page does; a look at the whole table
/// does not, and seems cheaper where most rows belong to one company.
const READING: [(&str, &str); 3] =
    [("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("jit", "off")];

/// A pool for reading: at most `connections`, none waited for longer than a second.
#[must_use]
pub fn pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    let options = durable(options.clone()).application_name("dispense").options(READING);
    pool_of(options, connections)
}

/// The most connections of [`looking`].
const LOOKING_CONNECTIONS: u32 = 4;

/// A pool for the look at a medication request that a decision needs, to the same server as `reading`.
/// Its statement is long: planned once for each connection it costs a tenth of what it does when it is
/// planned each time.
pub(crate) fn looking(reading: &PgPool) -> PgPool {
    let options = reading.connect_options().as_ref().clone();
    pool_of(options.application_name("dispense look").options(FOR_THE_INDEXES), LOOKING_CONNECTIONS)
}

/// What those need not wait for whose loss costs nothing.
pub(crate) fn unhurried(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("synchronous_commit", "off")])
}

/// A pool for followers. What they keep can be read again from the log, and place and effect stand in
/// one transaction: after a crash of the server they go on a little earlier, so they need not wait
/// for the disk as the log does.
#[must_use]
pub fn follower_pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    let options = unhurried(options.clone()).application_name("dispense follower");
    pool_of(options.options(FOR_THE_INDEXES), connections)
}

/// A pool for the relay. Its leases and places can be lost as those of followers can: the streams know
/// better, and tell who may go on.
pub(crate) fn relay_pool(options: &PgConnectOptions, connections: u32) -> PgPool {
    let options = unhurried(options.clone()).application_name("dispense relay");
    pool_of(options.options(FOR_THE_INDEXES), connections)
}

/// The connections of [`access_pool`]: one writes, the other is there when it broke.
const ACCESS_CONNECTIONS: u32 = 2;

/// A pool for writing down who looked, so that those who read leave it a connection. It is durable as
/// the log is.
pub(crate) fn access_pool(options: &PgConnectOptions) -> PgPool {
    let options = durable(options.clone()).application_name("dispense access log");
    pool_of(options, ACCESS_CONNECTIONS)
}

/// A pool for a rebuild, under the role that owns the tables. It waits for nobody's lock for long,
/// because others wait behind it, and it finds the rows that it changes by their indexes.
pub(crate) fn rebuilding(options: &PgConnectOptions, connections: u32) -> PgPool {
    let options = unhurried(options.clone()).application_name("dispense rebuild").options([
        ("lock_timeout", "2s"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("maintenance_work_mem", "128MB"),
    ]);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .connect_lazy_with(options.options(FOR_THE_INDEXES))
}

/// The connections of [`auditing_pool`].
const AUDITING_CONNECTIONS: u32 = 2;

/// A pool for auditors, whose questions are few and large: the planner is free, because what finds a
/// patient in the access log is an index that [`READING`] would rather not use.
pub(crate) fn auditing_pool(options: &PgConnectOptions) -> PgPool {
    let options = options.clone().application_name("dispense audit").options([("jit", "off")]);
    pool_of(options, AUDITING_CONNECTIONS)
}

fn pool_of(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(1))
        .idle_timeout(Duration::from_mins(5))
        .connect_lazy_with(options)
}

/// A connection for a writer.
pub(crate) async fn writer(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let options = writing(options.clone());
    tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(&options))
        .await
        .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?
}

/// Whether the database answers.
///
/// # Errors
///
/// Why it does not.
pub async fn reachable(pool: &PgPool) -> Result<(), sqlx::Error> {
    let asking = sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(pool);
    tokio::time::timeout(Duration::from_secs(1), asking)
        .await
        .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?
        .map(|_| ())
}
