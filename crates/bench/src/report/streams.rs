//! The rows of the streams.

use super::{Line, divided, line, met};
use crate::streams::{ANNOUNCED_RATE, Streams};

/// The slowest of a hundred messages may take so many milliseconds: what a person does not notice.
const SLOWEST: f64 = 500.0;

/// The rows of the table.
pub(super) fn rows(streams: &Streams) -> Vec<Line> {
    let what = "messages/s of the relay ÷ kafka-producer-perf-test";
    let [median, high, most] = streams.latencies.percentiles([50, 99, 100]);
    let took = format!("{high:.0} ms (p50 {median:.0}, max {most:.0})");
    let announced = format!("p99 from commit to consumer at {ANNOUNCED_RATE} holds/s");
    vec![
        divided(what, Some(streams.relayed), Some(streams.produced), 0.5),
        line([&announced, &took, "≤ 500 ms", met(high <= SLOWEST)]),
    ]
}

/// How to read them.
pub(super) fn notes(streams: &Streams) -> String {
    format!(
        "The relay works off the log of all rounds, {:.0} events in a second, in transactions and with\n\
         PostgreSQL and the service beside it; Kafka's producer sends records of the same {} bytes that\n\
         it made before. The broker took records before anything counted, so that nobody finds it cold.\n\
         A message's time counts from the decision, before its commit.\n",
        streams.events, streams.size
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figures::Latencies;

    #[test]
    fn the_streams_are_told_with_their_aims() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_millis(40));
        let streams = Streams {
            relayed: 30_000.0,
            events: 31_000.0,
            produced: 50_000.0,
            size: 900,
            latencies,
        };
        let rows = rows(&streams);
        let measured: Vec<_> = rows.iter().map(|row| (row[1].as_str(), row[3].as_str())).collect();
        assert_eq!(
            measured,
            [("0.60 (30,000 ÷ 50,000)", "yes"), ("40 ms (p50 40, max 40)", "yes")]
        );
        assert!(notes(&streams).contains("31000 events") && notes(&streams).contains("900 bytes"));
    }
}
