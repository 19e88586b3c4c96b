//! Telling other instances what this one wrote, and hearing what they did.
//!
//! Nothing of this stands in the way of a command: a task beside the writers looks at what they have
//! committed, and sends one NOTIFY for all of it, however many batches that were. It may get lost;
//! followers look by themselves as well.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::PgLog;
use crate::connect::{CONNECT_WITHIN, unhurried};

/// What instances of one database listen to.
const CHANNEL: &str = "dispense_log";

/// How long what was written is gathered: one NOTIFY takes a lock that all others of the server wait
/// for, so a busy log sends few.
const GATHER: Duration = Duration::from_millis(50);

/// How long a connection that broke is left alone.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The most partitions that fit into one NOTIFY, whose text ends at 8,000 bytes.
const MOST: usize = 200;

/// A pool of one connection that nothing waits for.
fn connection(options: &PgConnectOptions, name: &str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_lazy_with(unhurried(options.clone()).application_name(name))
}

/// What other instances wrote to a log, and the work that has them tell each other; it ends when `stop`
/// is cancelled.
///
/// # Errors
///
/// The system has no random numbers, by which instances tell themselves from others.
pub fn between_instances(
    options: &PgConnectOptions,
    log: &PgLog,
    stop: CancellationToken,
) -> Result<(Heard, impl Future<Output = ()> + Send + use<>), getrandom::Error> {
    let mut own = [0; 8];
    getrandom::fill(&mut own)?;
    let own = hex::encode(own);
    let partitions = log.log_settings().partitions;
    let (senders, heard) = partitions.all().map(|_| watch::channel(0)).unzip();
    let written = partitions.all().filter_map(|it| Some((it, log.written(it)?))).collect();
    let telling = tell(connection(options, "dispense notify"), own.clone(), written);
    let listening = listen(connection(options, "dispense listen"), own, senders);
    let work = async move {
        let both = async { tokio::join!(telling, listening) };
        stop.run_until_cancelled(both).await;
    };
    Ok((Heard(heard), work))
}

/// What other instances wrote, by partition.
#[derive(Debug, Clone)]
pub struct Heard(Vec<watch::Receiver<i64>>);

impl Heard {
    /// Changes when another instance has told of that partition.
    #[must_use]
    pub fn of(&self, partition: u16) -> Option<watch::Receiver<i64>> {
        self.0.get(usize::from(partition)).cloned()
    }
}

/// Tells other instances how far this one has written each partition.
async fn tell(pool: PgPool, own: String, mut written: Vec<(u16, watch::Receiver<i64>)>) {
    while any_changed(&mut written).await {
        tokio::time::sleep(GATHER).await;
        let mut places = Vec::new();
        for (partition, position) in &mut written {
            if position.has_changed().unwrap_or_default() {
                places.push(format!("{partition}:{}", *position.borrow_and_update()));
            }
        }
        for places in places.chunks(MOST) {
            let text = format!("{own} {}", places.join(","));
            let telling = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text);
            if let Err(error) = telling.execute(&pool).await {
                // They look by themselves. What is written meanwhile is told with the next.
                tracing::debug!("other instances were not told: {error}");
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

/// Waits until one of them changes, and leaves it to be seen; false if none ever will.
async fn any_changed(written: &mut [(u16, watch::Receiver<i64>)]) -> bool {
    let mut waiting: FuturesUnordered<_> = written
        .iter_mut()
        .map(|(_, position)| async {
            let is_changed = position.changed().await.is_ok();
            position.mark_changed();
            is_changed
        })
        .collect();
    while let Some(is_changed) = waiting.next().await {
        if is_changed {
            return true;
        }
    }
    false
}

/// Hears what others than `own` tell. A connection that breaks is made anew.
async fn listen(pool: PgPool, own: String, heard: Vec<watch::Sender<i64>>) {
    loop {
        let Err(error) = hear(&pool, &own, &heard).await;
        tracing::debug!("other instances are not heard: {error}");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn hear(
    pool: &PgPool,
    own: &str,
    heard: &[watch::Sender<i64>],
) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let told = listener.recv().await?;
        let Some((by, places)) = told.payload().split_once(' ') else { continue };
        if by == own {
            continue;
        }
        for (partition, position) in places.split(',').filter_map(place) {
            if let Some(heard) = heard.get(usize::from(partition)) {
                heard.send_replace(position);
            }
        }
    }
}

/// A partition and a position; nothing, where somebody else talks on the channel.
fn place(text: &str) -> Option<(u16, i64)> {
    let (partition, position) = text.split_once(':')?;
    Some((partition.parse().ok()?, position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_place_is_not_heard() {
        assert_eq!(place("3:17"), Some((3, 17)));
        for strange in ["", "3", ":", "3:", "x:1", "3:x", "70000:1"] {
            assert_eq!(place(strange), None, "{strange}");
        }
    }
}
