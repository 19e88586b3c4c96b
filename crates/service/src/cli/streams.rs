//! `dispense streams`: the topics of Kafka, held against the log and made whole again.

mod refill;
mod resume;
mod topics;
mod verify;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use dispensary::Topic;
use dispensary::relay::RelayPlace;
use dispense_kafka::Settings;
use dispense_postgres::{LogSettings, PgLog, PgRelayLog, pool, rebuild};

use super::{database, log, wait};
use crate::config::{Reader, home};

/// What can be done about streams.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StreamsCommand {
    /// Make the topics that are missing, and tell how the others differ from what is wanted
    #[command(after_long_help = topics::HELP)]
    Topics(topics::Arguments),
    /// Hold the topics of events against the log, message by message
    #[command(after_long_help = verify::HELP)]
    Verify(verify::Arguments),
    /// Fill a topic of events again that was lost
    #[command(after_long_help = refill::HELP)]
    Refill(refill::Arguments),
    /// Tell the brokers how far the streams are, where they have forgotten it
    #[command(after_long_help = resume::HELP)]
    Resume(resume::Arguments),
}

/// Does it.
pub(super) fn run(reader: Reader, command: StreamsCommand) -> anyhow::Result<ExitCode> {
    // What librdkafka complains of is told with what failed because of it.
    let reader = log(reader, "warn,librdkafka=off")?;
    match command {
        StreamsCommand::Topics(arguments) => wait(topics::run(reader, arguments)),
        StreamsCommand::Verify(arguments) => wait(verify::run(reader, arguments)),
        StreamsCommand::Refill(arguments) => wait(refill::run(reader, arguments)),
        StreamsCommand::Resume(arguments) => wait(resume::run(reader, arguments)),
    }
}

/// The log that the streams are held against.
struct Log {
    relay: PgRelayLog,
    settings: LogSettings,
}

impl Log {
    /// The log of `DATABASE_URL`, else of a `dispense dev` that runs.
    async fn of(mut reader: Reader) -> anyhow::Result<Self> {
        let home = home(&mut reader);
        let options = database::of(reader, &home)?;
        let pool = pool(&options, 1);
        let settings = PgLog::settings(&pool, None).await?;
        let relay = PgRelayLog::new(Arc::new(PgLog::to_read(pool, settings)), &options)?;
        Ok(Self { relay, settings })
    }

    /// The place before the first event of a partition.
    fn beginning(&self, partition: u16) -> RelayPlace {
        let begin = rebuild::beginning(self.settings, partition);
        let place = dispensary::LogPosition { partition, position: begin.position };
        RelayPlace { place, hash: begin.hash, epoch: self.settings.epoch }
    }
}

/// The name of a topic of events, with whatever prefix.
fn known(name: &str) -> Result<String, String> {
    if Topic::ALL.iter().any(|topic| name.ends_with(topic.name())) {
        return Ok(name.to_owned());
    }
    let names = Topic::ALL.map(Topic::name).join(", ");
    Err(format!("expected a topic of events: {names}"))
}

/// A topic of events by its name, with the prefix that is set or without it.
fn topic(settings: &Settings, name: &str) -> anyhow::Result<Topic> {
    let bare = name.strip_prefix(&*settings.prefix).unwrap_or(name);
    let is_it = |topic: &Topic| topic.name() == name || topic.name() == bare;
    Topic::ALL.into_iter().find(is_it).with_context(|| {
        let prefix = &settings.prefix;
        format!("`{name}` is no topic of events here: KAFKA_TOPIC_PREFIX is `{prefix}`")
    })
}
