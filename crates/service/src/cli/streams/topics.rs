//! `dispense streams topics`

mod page;

use std::collections::BTreeMap;
use std::process::ExitCode;

use dispensary::Topic;
use dispense_domain::Partitions;
use dispense_kafka::topics::{Earnest, make};
use dispense_kafka::{Settings, StreamError, announced, places};
use dispense_postgres::{LogSettings, PgLog, migrate, pool};

use super::super::{database, print};
use crate::config::{Mistakes, Reader, home, kafka, log_partitions};
use crate::dev::DATABASE_URL;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
The topics are those of the events, that of the relay's places and, unless KAFKA_REGISTRY=false, those of
registry data. KAFKA_TOPIC_PREFIX, KAFKA_TOPIC_PARTITIONS and KAFKA_REPLICATION say how they are called,
divided and kept. A topic that is there is never changed; how it differs is told, and whether that is
right is yours to know.

Where DATABASE_URL is set, or a `dispense dev` runs on DISPENSE_HOME, the log says how it is divided, and
it is told if a topic had messages that are not there any more. Else LOG_PARTITIONS says it.

Exit codes: 0 every topic is there, or would be; 1 one is missing and cannot be made, or the brokers do
not answer; 2 wrong usage.";

/// Options of `dispense streams topics`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Makes topics, and tells how each is.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = kafka(&mut reader)?;
    let log = Log::of(reader).await?;
    let had = log.had(&settings).await?;
    let earnest = if arguments.dry_run { Earnest::Told } else { Earnest::Done };
    let topics = make(&settings, log.partitions(), earnest).await?;
    let page = page::Page { topics: &topics, had: &had, brokers: &settings.connection.brokers };
    print(&if arguments.json { page.document(earnest) } else { page.table() })?;
    let refused = page.refused();
    if let Some(refused) = &refused {
        eprintln!("dispense: {refused}");
    }
    Ok(if refused.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is known of the log.
enum Log {
    /// The database says it.
    Known(LogSettings),
    /// There is no database yet, or none within reach.
    Unknown(Partitions),
}

impl Log {
    async fn of(mut reader: Reader) -> anyhow::Result<Self> {
        let home = home(&mut reader);
        let set = reader.optional("DATABASE_URL", |url| Some(url.to_owned())).is_some();
        let usual = || Partitions::new(migrate::DEFAULT_PARTITIONS);
        let partitions = log_partitions(&mut reader).or_else(usual);
        match (partitions, reader.mistakes()) {
            (Some(partitions), None) if !set && !home.join(DATABASE_URL).exists() => {
                Ok(Self::Unknown(partitions))
            }
            (Some(_), None) => {
                let pool = pool(&database::of(reader, &home)?, 1);
                Ok(Self::Known(PgLog::settings(&pool, None).await?))
            }
            (_, mistakes) => Err(mistakes.unwrap_or_else(Mistakes::default).into()),
        }
    }

    const fn partitions(&self) -> Partitions {
        match self {
            Self::Known(log) => log.partitions,
            Self::Unknown(partitions) => *partitions,
        }
    }

    /// How many messages the topics of events have had.
    async fn had(&self, settings: &Settings) -> anyhow::Result<BTreeMap<Topic, u64>> {
        match self {
            Self::Known(log) => match places(settings, log.log_id, log.partitions).await {
                Ok(places) => Ok(announced(&places)),
                // Nobody was told how far the streams are.
                Err(StreamError::NoTopic { .. }) => Ok(BTreeMap::new()),
                Err(error) => Err(error.into()),
            },
            Self::Unknown(_) => Ok(BTreeMap::new()),
        }
    }
}
