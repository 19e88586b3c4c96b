//! Registry changes, from topics to the local copy: each message counts once.
//!
//! ```text
//!   lease    one instance reads; the others ask every second whether it still does
//!     found      which topics there are; each partition is read on from where PostgreSQL has it
//!     batch      what came, partition by partition
//!       apply    data, place and dead letters in one transaction of PostgreSQL
//!     letters    dead letters to their topic, beside all this
//! ```
//!
//! Brokers keep no offsets for us, and no group is joined: a partition that another instance has read
//! on is noticed by the transaction that would apply its messages again. Whatever goes wrong ends this
//! round: the lease is let go of, and after a pause the next round begins with what PostgreSQL says.

mod batch;
mod found;
mod held;
mod letters;
mod round;
mod telling;
mod unseen;

use std::sync::Arc;
use std::time::Duration;

use dispensary::Unavailable;
use dispensary::registry_stream::{NotApplied, RegistryStream, TopicPartition};
use dispensary::relay::Signs;
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::error::StreamError;
use telling::{Telling, Wrong};

/// How often an instance that does not read asks whether it may.
const ASKS_EVERY: Duration = Duration::from_secs(1);

/// The first pause after something went wrong. Each one is twice as long as the one before it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Reads registry changes out of their topics.
pub struct RegistryReader {
    settings: Settings,
    stream: Arc<dyn RegistryStream>,
    telling: Telling,
}

/// How a round ended that nothing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// We were told to stop.
    Stopped,
    /// Another instance reads.
    Elsewhere,
    /// There are other topics or partitions than before.
    OtherTopics,
}

/// What ended a round.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Brokers(#[from] StreamError),
    #[error(transparent)]
    Database(#[from] Unavailable),
    #[error("{0} was read up to another offset in the meantime")]
    Overtaken(TopicPartition),
    /// The next round looks what is still there.
    #[error("what was to be read is not there any more")]
    Gone,
}

impl From<NotApplied> for Trouble {
    fn from(not: NotApplied) -> Self {
        match not {
            NotApplied::ReadElsewhere { at } => Self::Overtaken(at),
            NotApplied::Unavailable(silent) => Self::Database(silent),
        }
    }
}

impl Trouble {
    /// The sentence and its causes, on one line.
    fn in_full(&self) -> String {
        match self {
            Self::Brokers(error) => error.in_full(),
            Self::Database(silent) => format!("{silent}: {}", silent.source),
            Self::Overtaken(_) | Self::Gone => self.to_string(),
        }
    }
}

impl RegistryReader {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new(settings: Settings, stream: Arc<dyn RegistryStream>, signs: Arc<dyn Signs>) -> Self {
        Self { settings, stream, telling: Telling::new(signs) }
    }

    /// Reads until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let wait = match self.round(&stop, &mut pause).await {
                Ok(Ended::Stopped) => break,
                Ok(Ended::OtherTopics) => continue,
                Ok(Ended::Elsewhere) => {
                    self.telling.silence();
                    ASKS_EVERY
                }
                Err(trouble) => {
                    self.told(&trouble);
                    self.let_go().await;
                    let wait = pause;
                    pause = LONGEST_PAUSE.min(pause * 2);
                    wait
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        // Another instance goes on at once.
        self.let_go().await;
    }

    fn told(&self, trouble: &Trouble) {
        let told = trouble.in_full();
        match trouble {
            Trouble::Brokers(_) | Trouble::Database(_) => {
                self.telling.wrong(Wrong::Reading, format!("registry data is not read: {told}"));
            }
            // The next round knows better; nothing has to be done about it.
            Trouble::Overtaken(_) | Trouble::Gone => tracing::info!("registry topics: {told}"),
        }
    }

    async fn let_go(&self) {
        // One that is not let go of ends by itself.
        if let Err(error) = self.stream.release().await {
            tracing::debug!(%error, "the lease of the registry topics was not let go of");
        }
    }
}
