//! Kafka's own producer, as `kafka-producer-perf-test` runs it.

use anyhow::{Context, ensure};
use dispense_embedded::Broker;

use crate::database::said;

/// A topic of its own, divided as those of the events.
const TOPIC: &str = "bench.producer";
const PARTITIONS: &str = "12";

/// What is sent before anything counts: about as much as is announced, in records of that size.
const BEFORE: (usize, f64) = (1_200, 100_000.0);

/// Makes the topic, and has the broker take records until it is warm: what Java has not run often yet it
/// runs slowly, and whoever comes first would pay for whoever comes next.
pub(super) fn warm_up(broker: &Broker) -> anyhow::Result<()> {
    let bootstrap = broker.inside_addresses();
    let mut create = broker.tool("org.apache.kafka.tools.TopicCommand");
    create.args(["--bootstrap-server", &bootstrap, "--create", "--topic", TOPIC]);
    said(create.args(["--partitions", PARTITIONS]))?;
    let (size, count) = BEFORE;
    per_second(broker, size, count).map(|_| ())
}

/// Records in a second, with everything that the relay asks for, too: all replicas have them, none twice.
pub(super) fn per_second(broker: &Broker, size: usize, count: f64) -> anyhow::Result<f64> {
    let bootstrap = broker.inside_addresses();
    let mut produce = broker.tool("org.apache.kafka.tools.ProducerPerformance");
    produce.args(["--topic", TOPIC, "--throughput", "-1", "--record-size", &size.to_string()]);
    produce.args(["--num-records", &format!("{count:.0}"), "--producer-props"]);
    produce.arg(format!("bootstrap.servers={bootstrap}"));
    produce.args(["acks=all", "enable.idempotence=true"]);
    let text = said(&mut produce)?;
    read(&text).with_context(|| format!("Kafka's producer did not say how fast it was: {text}"))
}

/// The rate of the whole run, which its last line tells.
fn read(text: &str) -> anyhow::Result<f64> {
    let line = text.lines().rfind(|line| line.contains(" records/sec"));
    let (before, _) = line.and_then(|line| line.split_once(" records/sec")).unwrap_or_default();
    let rate: f64 = before.rsplit(' ').next().unwrap_or_default().parse()?;
    ensure!(rate > 0.0, "it sent nothing");
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_rate_of_the_whole_run_is_read() {
        let text = "50000 records sent, 9998.0 records/sec (9.0 MB/sec), 1.1 ms avg latency.\n\
                    100000 records sent, 20725.388601 records/sec (19.76 MB/sec), 2.45 ms avg\n";
        assert!((read(text).unwrap() - 20_725.388_601).abs() < 1e-6);
        assert!(read("").is_err());
    }
}
