//! `dispense streams verify`

use std::process::ExitCode;
use std::sync::Mutex;

use dispensary::Topic;
use dispense_kafka::verify::{Finding, Kind, Report, Step, Verified, verify};
use serde_json::{Value, json};

use super::super::print;
use super::super::progress::Progress;
use super::{Log, known, topic};
use crate::config::{Reader, kafka};

/// How many findings are printed; JSON has more.
const PRINTED: usize = 20;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
Reads the topics of events as consumers do that read what was committed, from the beginning of each to the
end that it has now, makes every message again from its event, and compares key, headers and payload. It
names what is missing, doubled, out of order, altered, or nothing that this log announced. Messages of
other logs are counted and passed over. What was announced and is too old to be kept is no mistake, and
nor is what is not announced yet. Instances may run meanwhile; nothing is written.

After `dispense log accept-restore` the topics have what the log lost, and that is told here until it is
too old to be kept.

The database is that of DATABASE_URL, else that of the `dispense dev` that runs on DISPENSE_HOME.

Exit codes: 0 all is as the log has it, 1 something is not, or it could not be read, 2 wrong usage.";

/// Options of `dispense streams verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this topic of events; may be given several times
    #[arg(long = "topic", value_name = "TOPIC", value_parser = known)]
    topics: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Holds topics against the log, and tells by the exit code whether they fit.
pub(super) async fn run(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = kafka(&mut reader)?;
    let mut topics = Vec::new();
    for name in &arguments.topics {
        let topic = topic(&settings, name)?;
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    if topics.is_empty() {
        topics.extend(Topic::ALL);
    }
    let log = Log::of(reader).await?;
    let bar = Bar(Mutex::new(None));
    let report = verify(&settings, &log.relay, &topics, &|step| bar.show(step)).await?;
    bar.end();
    print(&if arguments.json { document(&report) } else { page(&settings.prefix, &report) })?;
    Ok(if is_well(&report) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Partitions without a place are as wrong as messages: nobody can say what is missing there.
fn is_well(report: &Report) -> bool {
    let is_lost = |topic: &Verified| !topic.is_there;
    report.wrong() == 0 && report.without_place.is_empty() && !report.topics.iter().any(is_lost)
}

/// The bar at hand.
struct Bar(Mutex<Option<Progress>>);

impl Bar {
    fn show(&self, step: Step) {
        let Ok(mut bar) = self.0.lock() else { return };
        match step {
            Step::Begins(records) => *bar = Some(Progress::of("records", Some(records))),
            Step::Seeks => {
                if let Some(bar) = bar.replace(Progress::of("events", None)) {
                    bar.finish();
                }
            }
            Step::Read(more) | Step::Looked(more) => bar.iter_mut().for_each(|bar| bar.add(more)),
        }
    }

    fn end(&self) {
        if let Some(bar) = self.0.lock().ok().and_then(|mut bar| bar.take()) {
            bar.finish();
        }
    }
}

/// For people.
fn page(prefix: &str, report: &Report) -> String {
    let mut lines = Vec::new();
    for topic in &report.topics {
        let mut told = vec![format!("{} messages", topic.messages)];
        for kind in Kind::ALL {
            let count = topic.wrong.get(&kind).copied().unwrap_or_default();
            if count > 0 {
                told.push(format!("{count} {}", kind.words()));
            }
        }
        if topic.wrong.is_empty() {
            told.push("as the log has them".to_owned());
        }
        for (count, what) in [
            (topic.no_longer_kept, "announced and no longer kept"),
            (topic.foreign, "of other logs passed over"),
        ] {
            if count > 0 {
                told.push(format!("{count} {what}"));
            }
        }
        let name = topic.topic.name();
        if topic.is_there {
            lines.push(format!("{name}: {}", told.join(", ")));
        } else {
            lines.push(format!(
                "{name}: {} is not there; if KAFKA_TOPIC_PREFIX is right, make it with `dispense \
                 streams topics`, then fill it with `dispense streams refill {name}`",
                format_args!("{prefix}{name}")
            ));
        }
    }
    lines.extend(report.findings.iter().take(PRINTED).map(Finding::to_string));
    let printed = u64::try_from(report.findings.len().min(PRINTED)).unwrap_or(u64::MAX);
    if report.wrong() > printed {
        lines.push(format!("and {} more", report.wrong() - printed));
    }
    for partition in &report.without_place {
        lines.push(format!(
            "partition {partition}: the brokers do not know how far it is announced; either nothing \
             was yet, or see `dispense streams resume --help`"
        ));
    }
    if report.not_announced_yet > 0 {
        lines.push(format!("{} events are not announced yet", report.not_announced_yet));
    }
    lines.join("\n") + "\n"
}

/// For programs.
fn document(report: &Report) -> String {
    let topic = |it: &Verified| {
        let wrong: serde_json::Map<String, Value> = Kind::ALL
            .into_iter()
            .map(|kind| {
                let count = it.wrong.get(&kind).copied().unwrap_or_default();
                (kind.name().to_owned(), count.into())
            })
            .collect();
        json!({
            "topic": it.topic.name(), "isThere": it.is_there, "messages": it.messages,
            "foreign": it.foreign, "noLongerKept": it.no_longer_kept, "wrong": wrong,
        })
    };
    let finding = |it: &Finding| {
        json!({
            "topic": it.topic.name(), "kind": it.wrong.kind().name(),
            "partition": it.at.map(|at| at.0), "offset": it.at.map(|at| at.1),
            "sequence": it.place.map(|place| place.to_string()), "detail": it.to_string(),
        })
    };
    let document = json!({
        "valid": is_well(report),
        "topics": report.topics.iter().map(topic).collect::<Vec<_>>(),
        "notAnnouncedYet": report.not_announced_yet,
        "partitionsWithoutPlace": report.without_place,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dispense_kafka::verify::Wrong;

    use super::*;

    fn verified() -> Verified {
        Verified {
            topic: Topic::Recorded,
            is_there: true,
            messages: 7,
            foreign: 0,
            no_longer_kept: 0,
            wrong: BTreeMap::new(),
        }
    }

    fn report(topic: Verified) -> Report {
        Report {
            topics: vec![topic],
            not_announced_yet: 0,
            without_place: Vec::new(),
            findings: Vec::new(),
        }
    }

    #[test]
    fn what_is_well_is_told_in_a_line() {
        let report = report(Verified { no_longer_kept: 3, foreign: 2, ..verified() });
        assert!(is_well(&report));
        assert_eq!(
            page("", &report),
            "ndp.events.dispense.recorded: 7 messages, as the log has them, 3 announced and no \
             longer kept, 2 of other logs passed over\n"
        );
    }

    #[test]
    fn what_is_wrong_is_counted_and_the_first_of_it_named() {
        let wrong = BTreeMap::from([(Kind::Missing, 24), (Kind::Doubled, 1)]);
        let missing = |position| Finding {
            topic: Topic::Recorded,
            at: None,
            place: Some(dispensary::LogPosition { partition: 0, position }),
            wrong: Wrong::Missing,
        };
        let findings = (1..=25).map(missing).collect();
        let report = Report { findings, ..report(Verified { wrong, ..verified() }) };
        assert!(!is_well(&report));
        let page = page("", &report);
        assert!(
            page.starts_with("ndp.events.dispense.recorded: 7 messages, 24 missing, 1 doubled\n")
        );
        assert!(page.contains("ndp.events.dispense.recorded: 0:20 is missing\n"), "{page}");
        assert!(page.ends_with("and 5 more\n") && !page.contains("0:21 "), "{page}");
        let document: Value = serde_json::from_str(&document(&report)).unwrap();
        assert_eq!(document["valid"], false);
        assert_eq!(document["topics"][0]["wrong"]["missing"], 24);
        assert_eq!(document["findings"][24]["sequence"], "0:25");
    }

    #[test]
    fn a_topic_that_is_not_there_is_told_with_the_way_out() {
        let report = report(Verified { is_there: false, ..verified() });
        assert!(!is_well(&report));
        assert!(page("", &report).contains("dispense streams refill ndp.events.dispense.recorded"));
    }
}
