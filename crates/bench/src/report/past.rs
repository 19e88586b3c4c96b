//! The rows of the read side.

use std::fmt::Write;

use super::{Line, divided, line, memory_row, met};
use crate::figures::{float, grouped, rate, ratio};
use crate::options::{Plan, Row};
use crate::past::Past;

/// The rows of the table.
pub(super) fn rows(plan: &Plan, past: &Past) -> Vec<Line> {
    let rebuilt = &past.rebuilt;
    let mut rows = Vec::new();
    if plan.wants(Row::Rebuild) {
        let [made, copied] = [rebuilt.took, rebuilt.copied].map(|it| rate(rebuilt.events, it));
        let what = "rebuild of all read models, events/s ÷ rows/s of a COPY";
        rows.push(divided(what, Some(made), Some(copied), 0.5));
        rows.push(memory_row("memory of the service during a rebuild, peak", rebuilt.service));
        rows.push(memory_row("memory of the rebuild itself, peak", rebuilt.rebuild));
    }
    if let Some([few, many]) = &past.searches {
        let sizes = past.dispenses.map(|it| grouped(float(it)));
        let what = format!("p99 of a search with {} dispenses ÷ with {}", sizes[1], sizes[0]);
        let [[_, small, _], [_, large, _]] = [few, many].map(|it| it.percentiles([50, 99, 100]));
        let reached = ratio(large, small);
        let measured = format!("{reached:.2} ({large:.1} ms ÷ {small:.1} ms)");
        rows.push(line([&what, &measured, "≤ 1.5", met(reached <= 1.5)]));
    }
    rows
}

/// How to read them.
pub(super) fn notes(past: &Past) -> String {
    let [few, many] = past.dispenses.map(|it| grouped(float(it)));
    let mut text = format!(
        "The rebuild has {} events, takes its start and its indexes with it, and the service runs\n\
         meanwhile; the COPY is from a binary file into a table without indexes. Searches come one after\n\
         the other, all filters in turn, in logs of {few} and {many} dispenses",
        grouped(float(past.rebuilt.events))
    );
    text.push_str(if past.dispenses[1] < 5_000_000 {
        ";\n--large searches among five million\n"
    } else {
        "\n"
    });
    text.push_str("Gigabytes at 100 million events, indexes included:");
    let mut rest = 0.0;
    for (n, (name, gigabytes)) in past.growth.at_hundred_million().enumerate() {
        if n < TOLD {
            let _ = write!(text, " {name} {gigabytes:.1},");
        } else {
            rest += gigabytes;
        }
    }
    let _ = writeln!(text, " all others {rest:.1}");
    text
}

/// How many tables are told one by one.
const TOLD: usize = 8;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figures::Latencies;
    use crate::options::Options;
    use crate::past::{Growth, Rebuilt};

    fn latencies(millis: u64) -> Latencies {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_millis(millis));
        latencies
    }

    fn past() -> Past {
        Past {
            dispenses: [50_000, 200_000],
            rebuilt: Rebuilt {
                events: 400_000,
                took: Duration::from_secs(8),
                copied: Duration::from_secs(5),
                service: 60_000_000,
                rebuild: 101_000_000,
            },
            searches: Some([latencies(10), latencies(20)]),
            growth: Growth { events: 400_000.0, tables: vec![("events".to_owned(), 8e8)] },
        }
    }

    #[test]
    fn the_read_side_is_told_with_its_aims() {
        let plan = Options::default().plan().unwrap();
        let rows = rows(&plan, &past());
        let measured: Vec<_> = rows.iter().map(|row| (row[1].as_str(), row[3].as_str())).collect();
        assert_eq!(
            measured,
            [
                ("0.62 (50,000 ÷ 80,000)", "yes"),
                ("60 MB", "yes"),
                ("101 MB", "no"),
                ("2.00 (20.0 ms ÷ 10.0 ms)", "no"),
            ]
        );
        assert!(rows[3][0].contains("200,000 dispenses ÷ with 50,000"));
        let notes = notes(&past());
        assert!(notes.contains("--large") && notes.contains("events 200.0"), "{notes}");
    }
}
