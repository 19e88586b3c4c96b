//! The streams: how fast the relay works off a log that waits, next to Kafka's own producer with
//! records of the same size, and how long a message takes from its commit to a consumer.

mod consumer;
mod producer;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use dispense_embedded::Broker;

use crate::database::DISPENSE;
use crate::figures::{Latencies, grouped, ratio};
use crate::instance::Service;
use crate::load::{self, steady};
use crate::metrics::Relayed;
use crate::options::Plan;
use crate::report::progress;
use crate::stage::Stage;
use crate::work::Supply;

/// Holds in each second while messages are awaited.
pub(crate) const ANNOUNCED_RATE: u32 = 500;

/// Fewer messages are announced before anybody has looked twice.
const FEWEST: f64 = 20_000.0;

/// How often it is looked how far the relay is.
const LOOK: Duration = Duration::from_millis(50);

/// How long the relay may take for all that waits.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the streams have shown.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Messages that the relay announced in a second.
    pub(crate) relayed: f64,
    /// Events that it read in a second.
    pub(crate) events: f64,
    /// Records that Kafka's own producer sent in a second.
    pub(crate) produced: f64,
    /// The mean size of a message with its key and headers, in bytes.
    pub(crate) size: usize,
    /// From the decision of a hold to a consumer.
    pub(crate) latencies: Latencies,
}

/// Measures the streams of the log that the rounds have left. The service must have stopped.
pub(crate) fn measure(
    stage: &Stage,
    plan: &Plan,
    supply: &mut Supply<'_>,
) -> anyhow::Result<Streams> {
    progress("starting a private Apache Kafka");
    let broker = Broker::builder(stage.database.folder().join("kafka")).throwaway().start()?;
    let brokers = broker.addresses();
    stage.program.make_topics(&brokers)?;
    producer::warm_up(&broker)?;

    let waiting = stage.database.ask(DISPENSE, "SELECT sum(position) FROM log_head")?;
    let waiting: f64 = waiting.trim().parse()?;
    progress(&format!("announcing {} events", grouped(waiting)));
    let service = stage.program.serve_announcing(&brokers)?;
    let relayed = catch_up(&service, waiting)?;
    let size = consumer::mean_size(&brokers)?;
    progress(&format!("Kafka's own producer, records of {size} bytes"));
    let produced = producer::per_second(&broker, size, relayed.count)?;

    let time = plan.steady;
    progress(&format!("{ANNOUNCED_RATE} holds in a second for {} s", time.as_secs()));
    let count = usize::try_from(u64::from(ANNOUNCED_RATE) * time.as_secs())?;
    let belt = supply.exactly(count);
    let listener = consumer::listen(&brokers)?;
    let tally = load::run(time, steady(service.address(), ANNOUNCED_RATE, belt))?;
    let latencies = listener.heard(tally.taken.count())?;
    Ok(Streams { relayed: relayed.messages, events: relayed.events, produced, size, latencies })
}

/// How fast a log was announced.
struct Speed {
    messages: f64,
    events: f64,
    /// How many messages there were.
    count: f64,
}

/// Waits until so many events were announced. The time counts from the first look that finds some, so
/// that the start of the service does not.
fn catch_up(service: &Service, waiting: f64) -> anyhow::Result<Speed> {
    let start = Instant::now();
    let mut first: Option<(Instant, Relayed)> = None;
    loop {
        let (now, relayed) = (Instant::now(), Relayed::of(&service.scrape()?));
        if let Some((since, before)) = first
            && relayed.events >= waiting
        {
            let took = (now - since).as_secs_f64();
            ensure!(
                relayed.messages - before.messages >= FEWEST,
                "{} messages are too few to tell how fast the relay is; let the rounds be longer",
                grouped(relayed.messages)
            );
            return Ok(Speed {
                messages: ratio(relayed.messages - before.messages, took),
                events: ratio(relayed.events - before.events, took),
                count: relayed.messages,
            });
        }
        if first.is_none() && relayed.events > 0.0 {
            first = Some((now, relayed));
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "the relay has announced {} of {} events after {PATIENCE:?}: {}",
            grouped(relayed.events),
            grouped(waiting),
            service.said()
        );
        thread::sleep(LOOK);
    }
}
