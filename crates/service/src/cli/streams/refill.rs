//! `dispense streams refill`

use std::process::ExitCode;
use std::sync::Mutex;

use dispense_kafka::refill::{Step, refill};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::super::print;
use super::super::progress::Progress;
use super::{Log, known, topic};
use crate::config::{Reader, kafka};

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
For a topic of events that was deleted, or whose messages were: make it with `dispense streams topics`,
then fill it with everything that was announced in it, each event once and in order. Messages get the
time of now, and are kept from now on for as long as the topic keeps them.

While it is filled no instance announces anything, in no topic, so that nothing ever stands behind a gap;
commands and queries go on. Stopped by Ctrl-C or by anything else it goes on where it was when it is run
again, and until it has ended nothing is announced. What is in the topic already has to be the beginning
of what belongs there; if it is not, nothing is changed.

The database is that of DATABASE_URL, else that of the `dispense dev` that runs on DISPENSE_HOME.

Exit codes: 0 the topic is whole, 1 it was refused or did not come to its end, 2 wrong usage.";

/// Options of `dispense streams refill`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The topic of events, such as ndp.events.dispense.recorded
    #[arg(value_parser = known)]
    topic: String,
}

/// Fills the topic.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = kafka(&mut reader)?;
    let topic = topic(&settings, &arguments.topic)?;
    let log = Log::of(reader).await?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let bar = Mutex::new(None::<Progress>);
    let progress = |step| {
        let Ok(mut bar) = bar.lock() else { return };
        match step {
            Step::Begins(events) => *bar = Some(Progress::of("events", Some(events))),
            Step::Looked(more) => bar.iter_mut().for_each(|bar| bar.add(more)),
        }
    };
    let stop = CancellationToken::new();
    let filling = refill(&settings, &log.relay, topic, &progress, &stop);
    let mut filling = std::pin::pin!(filling);
    let filled = tokio::select! {
        filled = &mut filling => filled,
        // The transaction at hand is finished.
        () = async { tokio::select! { _ = interrupted.recv() => {} _ = terminated.recv() => {} } } => {
            stop.cancel();
            filling.await
        }
    };
    if let Some(bar) = bar.lock().ok().and_then(|mut bar| bar.take()) {
        bar.finish();
    }
    let filled = filled?;
    print(&format!(
        "{} is whole: {} messages were written, {} were there\n",
        settings.topic(topic.name()),
        filled.written,
        filled.found
    ))?;
    Ok(ExitCode::SUCCESS)
}
