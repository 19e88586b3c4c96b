//! What is printed.

mod past;
mod streams;

use std::fmt::Write;

use crate::database::SETTINGS;
use crate::figures::{float, grouped, median, ratio};
use crate::findings::{Findings, Sample};
use crate::load::Tally;
use crate::options::{Plan, Row};
use crate::rounds::{DUMP_CLIENTS, HAND_OVER_CLIENTS, STEADY_RATE, Stretch};

/// Says how far we are, where it does not mix with the table.
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}

/// The whole report.
pub(crate) fn written(plan: &Plan, findings: &Findings) -> String {
    let mut text = String::new();
    let settings = SETTINGS.map(|(name, value)| format!("{name}={value}")).join(" ");
    let seconds = plan.stretch.as_secs();
    let _ = writeln!(
        text,
        "\nMedians of {} rounds of {seconds} s; PostgreSQL for both sides with",
        plan.rounds
    );
    let _ = writeln!(text, "{settings}\n");
    text.push_str(&aligned(&rows(plan, findings)));
    text.push_str("\nWhere the time goes (milliseconds for each batch, microseconds of processor for each hold or hand-over)\n\n");
    text.push_str(&aligned(&costs(plan, findings)));
    text.push('\n');
    text.push_str(&notes(findings));
    text
}

/// A line of a table.
type Line = Vec<String>;

fn line<const N: usize>(cells: [&str; N]) -> Line {
    cells.map(str::to_owned).to_vec()
}

/// The rows of the table: what, measured, aim, met.
fn rows(plan: &Plan, findings: &Findings) -> Vec<Line> {
    let mut rows = vec![line(["what", "measured", "aim", "met?"])];
    let service = |clients| findings.per_second(Stretch::Service { clients });
    let pgbench = findings.best_of_pgbench();
    for (row, clients, aim) in [(Row::Clients64, 64, 1.5), (Row::Clients256, 256, 2.0)] {
        if plan.wants(row) {
            let what = format!("holds/s over HTTP ÷ pgbench, {clients} clients");
            rows.push(divided(&what, service(clients), pgbench, aim));
        }
    }
    rows.extend(findings.steady.as_ref().map(steady_row));
    if plan.wants(Row::Dump) {
        let (during, without) = (findings.per_second(Stretch::DuringDump), service(DUMP_CLIENTS));
        rows.push(divided("holds/s during a pg_dump ÷ without", during, without, 0.7));
    }
    if plan.wants(Row::Process) {
        rows.extend(hand_over_rows(findings, service(HAND_OVER_CLIENTS)));
    }
    rows.push(memory_row("memory of the service at rest", findings.at_rest.resident));
    rows.push(memory_row("memory of the service under load, peak", findings.after_load.peak));
    rows.extend(findings.past.iter().flat_map(|it| past::rows(plan, it)));
    rows.extend(findings.streams.iter().flat_map(streams::rows));
    rows
}

/// Without aims: how much slower a signed hand-over may be is not ours to say.
fn hand_over_rows(findings: &Findings, holds: Option<f64>) -> Vec<Line> {
    let what = format!("signed hand-overs/s ÷ holds/s, {HAND_OVER_CLIENTS} clients");
    let (Some(hand_overs), Some(holds)) = (findings.per_second(Stretch::HandOvers), holds) else {
        return vec![line([&what, "not measured", "–", ""])];
    };
    let samples: Vec<&Sample> = findings.of(Stretch::HandOvers).collect();
    let tally = added(&samples);
    let reached = ratio(hand_overs, holds);
    let measured = format!("{reached:.2} ({} ÷ {})", grouped(hand_overs), grouped(holds));
    let [median, high, most] = tally.latencies.percentiles([50, 99, 100]);
    let failed = tally.failures() + tally.wrongly_refused;
    let took = format!("p50 {median:.1} ms, p99 {high:.1} ms (max {most:.1}), {failed} × not done");
    let [clock, alone] = findings.shares_of_verification().map(|share| share * 100.0);
    let millis = middle(&samples, &|it| it.verification.millis());
    let millis_alone = findings.checked_alone.unwrap_or_default().as_secs_f64() * 1_000.0;
    let checked = format!(
        "{clock:.0} % by the clock ({millis:.2} ms each), {alone:.0} % alone ({millis_alone:.2} ms)"
    );
    vec![
        line([&what, &measured, "–", ""]),
        line(["how long a signed hand-over takes", &took, "all done", met(failed == 0)]),
        line(["checking signatures, of the service's processor time", &checked, "–", ""]),
    ]
}

fn divided(what: &str, upper: Option<f64>, lower: Option<f64>, aim: f64) -> Line {
    let (Some(upper), Some(lower)) = (upper, lower) else {
        return line([what, "not measured", &format!("≥ {aim:.1}"), ""]);
    };
    let reached = ratio(upper, lower);
    let measured = format!("{reached:.2} ({} ÷ {})", grouped(upper), grouped(lower));
    line([what, &measured, &format!("≥ {aim:.1}"), met(reached >= aim)])
}

fn steady_row(tally: &Tally) -> Line {
    let what = format!(
        "p99 of a hold at {STEADY_RATE}/s, 10 % wrong, {:.0} s",
        tally.elapsed.as_secs_f64()
    );
    let [median, high, most] = tally.latencies.percentiles([50, 99, 100]);
    let failed = tally.server_errors();
    let measured = format!("{high:.1} ms (p50 {median:.1}, max {most:.1}), {failed} × 5xx");
    line([&what, &measured, "≤ 15 ms, no 5xx", met(high <= 15.0 && tally.failures() == 0)])
}

fn memory_row(what: &str, bytes: u64) -> Line {
    let megabytes = bytes.div_ceil(1_000_000);
    line([what, &format!("{megabytes} MB"), "≤ 100 MB", met(megabytes <= 100)])
}

fn met(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "no" }
}

/// Means over all rounds of each kind of stretch.
fn costs(plan: &Plan, findings: &Findings) -> Vec<Line> {
    let head = [
        "stretch",
        "each second",
        "p50 ms",
        "p99 ms",
        "commits/s",
        "commands/batch",
        "lock",
        "decide",
        "commit",
        "µs service",
        "µs PostgreSQL",
        "µs load",
    ];
    let mut lines = vec![line(head)];
    for stretch in plan.stretches() {
        let samples: Vec<&Sample> = findings.of(stretch).collect();
        lines.push(cost(stretch, &samples));
    }
    lines
}

fn cost(stretch: Stretch, samples: &[&Sample]) -> Line {
    let middle = |figure: &dyn Fn(&Sample) -> f64| middle(samples, figure);
    let [p50, p99, _] = added(samples).latencies.percentiles([50, 99, 100]);
    let per_hold = |time: &dyn Fn(&Sample) -> f64| {
        let micros = |sample: &Sample| {
            let holds = sample.per_second * sample.elapsed.as_secs_f64();
            ratio(time(sample) * 1e6, holds)
        };
        format!("{:.0}", middle(&micros))
    };
    let holds = grouped(middle(&|it| it.per_second));
    let postgres = per_hold(&|it| it.cpu.postgres.as_secs_f64());
    let name = stretch.name();
    if matches!(stretch, Stretch::Pgbench { .. }) {
        let load = per_hold(&|it| it.cpu.tools.as_secs_f64());
        return line([&name, &holds, "", "", &holds, "1", "", "", "", "", &postgres, &load]);
    }
    line([
        &name,
        &holds,
        &format!("{p50:.1}"),
        &format!("{p99:.1}"),
        &grouped(middle(&|it| ratio(it.batches.commits, it.elapsed.as_secs_f64()))),
        &format!("{:.1}", middle(&|it| it.batches.commands)),
        &format!("{:.2}", middle(&|it| it.batches.lock)),
        &format!("{:.2}", middle(&|it| it.batches.decide)),
        &format!("{:.2}", middle(&|it| it.batches.commit)),
        &per_hold(&|it| it.cpu.service.as_secs_f64()),
        &postgres,
        &per_hold(&|it| it.cpu.load.as_secs_f64()),
    ])
}

/// The middle one of these.
fn middle(samples: &[&Sample], figure: &dyn Fn(&Sample) -> f64) -> f64 {
    median(samples.iter().map(|sample| figure(sample))).unwrap_or_default()
}

/// All answers of these.
fn added(samples: &[&Sample]) -> Tally {
    let mut all = Tally::default();
    for sample in samples {
        all.add(&sample.tally);
    }
    all
}

/// How to read the rows about hand-overs.
const OF_HAND_OVERS: &str = "\
For each hand-over a hold was made, and its document read and signed, before the time was taken.
What is counted is the rest: check the signature, compare the document, keep the container, commit.
Checking signatures is timed by the clock, which goes on while a thread waits for a processor, and
once more alone, with all in the caches: their part of the processor time lies between.
";

/// What a reader should know before he believes the table.
fn notes(findings: &Findings) -> String {
    let mut text = String::new();
    let all = findings.answers();
    let statuses: Vec<String> = all
        .statuses
        .iter()
        .map(|(status, &count)| format!("{status}: {}", grouped(float(count))))
        .collect();
    let _ = writeln!(text, "Answers by status: {}", statuses.join(", "));
    let refused: usize = findings.samples.iter().map(|it| it.tally.wrongly_refused).sum();
    if refused > 0 {
        let _ = writeln!(text, "{refused} right orders were refused");
    }
    let from = if refused > 0 { 400 } else { 500 };
    for (status, example) in all.examples.range(from..) {
        let _ = writeln!(text, "A {status}: {example}");
    }
    if all.broken > 0 {
        let _ = writeln!(text, "{} connections broke", all.broken);
    }
    if all.ran_out {
        text.push_str("Orders ran out: some stretches ended early\n");
    }
    if findings.restless > 0 {
        let count = findings.restless;
        let _ = writeln!(text, "{count} stretches began while PostgreSQL or the service was busy");
    }
    if findings.of(Stretch::HandOvers).next().is_some() {
        text.push_str(OF_HAND_OVERS);
    }
    text.extend(findings.past.iter().map(past::notes));
    text.extend(findings.streams.iter().map(streams::notes));
    let dumps: Vec<String> =
        findings.of(Stretch::DuringDump).map(|sample| sample.dumps.to_string()).collect();
    if !dumps.is_empty() {
        let _ = writeln!(text, "Dumps begun in each stretch with one: {}", dumps.join(", "));
    }
    text
}

/// Columns that are as wide as their widest cell.
fn aligned(lines: &[Line]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|place| {
            let cells = lines.iter().filter_map(|line| line.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", cells.join(" | ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figures::Latencies;
    use crate::machine::{CpuTime, Memory};
    use crate::metrics::{Batches, Verification};
    use crate::options::Options;

    fn answered(status: u16, count: u64, millis: u64) -> Tally {
        let mut latencies = Latencies::default();
        (0..count).for_each(|_| latencies.record(Duration::from_millis(millis)));
        Tally {
            taken: if status == 201 { latencies.clone() } else { Latencies::default() },
            latencies,
            statuses: [(status, usize::try_from(count).unwrap())].into(),
            elapsed: Duration::from_secs(10),
            ..Tally::default()
        }
    }

    fn sample(stretch: Stretch, per_second: f64) -> Sample {
        let second = Duration::from_secs(1);
        Sample {
            stretch,
            per_second,
            elapsed: Duration::from_secs(10),
            cpu: CpuTime { service: second, postgres: second * 2, load: second, tools: second },
            tally: answered(201, 1_000, 5),
            batches: Batches { commits: 5_000.0, commands: 16.0, ..Batches::default() },
            verification: Verification { containers: 1_000.0, seconds: 0.31 },
            dumps: 1,
        }
    }

    fn findings() -> Findings {
        let [few, many] = [32, 64].map(|clients| Stretch::Pgbench { clients });
        let [small, large] = [64, 256].map(|clients| Stretch::Service { clients });
        let samples = [(few, 4_000.0), (many, 5_000.0), (small, 9_000.0), (large, 9_500.0)];
        let mut samples = samples.map(|(stretch, rate)| sample(stretch, rate)).to_vec();
        samples.push(sample(Stretch::DuringDump, 6_000.0));
        samples.push(sample(Stretch::HandOvers, 1_350.0));
        Findings {
            samples,
            steady: Some(answered(201, 100, 7)),
            checked_alone: Some(Duration::from_micros(200)),
            at_rest: Memory { resident: 40_000_000, peak: 41_000_000 },
            after_load: Memory { resident: 90_000_000, peak: 120_000_001 },
            past: None,
            streams: None,
            restless: 0,
        }
    }

    #[test]
    fn each_row_says_what_was_measured_and_whether_it_suffices() {
        let plan = Options::default().plan().unwrap();
        let text = written(&plan, &findings());
        let row = |what: &str| text.lines().find(|line| line.starts_with(what)).unwrap().to_owned();
        assert!(text.contains("Medians of 3 rounds of 10 s") && text.contains("fsync=on"));
        let small = row("holds/s over HTTP ÷ pgbench, 64 clients");
        assert!(small.contains("1.80 (9,000 ÷ 5,000)") && small.ends_with("yes"), "{small}");
        let large = row("holds/s over HTTP ÷ pgbench, 256 clients");
        assert!(large.contains("1.90 (9,500 ÷ 5,000)") && large.ends_with("no"), "{large}");
        assert!(row("p99 of a hold").contains("7.0 ms"));
        assert!(row("holds/s during").contains("0.67 (6,000 ÷ 9,000)"));
        assert!(row("memory of the service at rest").contains("40 MB"));
        assert!(row("memory of the service under load").contains("121 MB"));
        assert!(row("service, 64 clients  ").contains("16.0"), "{text}");
    }

    #[test]
    fn hand_overs_stand_beside_holds_with_the_share_of_signatures() {
        let plan = Options::default().plan().unwrap();
        let mut findings = findings();
        let text = written(&plan, &findings);
        let row = |text: &str, what: &str| {
            text.lines().find(|line| line.starts_with(what)).unwrap().to_owned()
        };
        let ratio = row(&text, "signed hand-overs/s ÷ holds/s, 64 clients");
        assert!(ratio.contains("0.15 (1,350 ÷ 9,000)"), "{ratio}");
        let took = row(&text, "how long a signed hand-over takes");
        assert!(took.contains("p50 5.0 ms, p99 5.0 ms") && took.ends_with("yes"), "{took}");
        let checked = row(&text, "checking signatures, of the service's processor time");
        let expected = "31 % by the clock (0.31 ms each), 20 % alone (0.20 ms)";
        assert!(checked.contains(expected), "{checked}");
        assert!(text.contains(OF_HAND_OVERS));

        findings.samples.last_mut().unwrap().tally.wrongly_refused = 1;
        let took = row(&written(&plan, &findings), "how long a signed hand-over takes");
        assert!(took.contains("1 × not done") && took.ends_with("no"), "{took}");
        findings.samples.pop();
        let text = written(&plan, &findings);
        assert!(row(&text, "signed hand-overs/s").contains("not measured"));
        assert!(!text.contains(OF_HAND_OVERS));
    }

    #[test]
    fn one_row_alone_is_printed_alone() {
        let plan = Options { only: Some(Row::Steady), ..Options::default() }.plan().unwrap();
        let findings = Findings { samples: Vec::new(), ..findings() };
        let text = written(&plan, &findings);
        assert!(!text.contains("÷") && text.contains("p99 of a hold"), "{text}");
    }

    #[test]
    fn columns_are_aligned() {
        let lines = [line(["a", "µs", "x"]), line(["bbb", "1", "y"])];
        assert_eq!(aligned(&lines), "a   | µs | x\nbbb | 1  | y\n");
    }

    #[test]
    fn a_failure_of_the_service_fails_the_run_unless_tolerated() {
        let mut findings = findings();
        findings.verdict(false).unwrap();
        findings.steady = Some(answered(503, 2, 1));
        assert!(findings.verdict(false).unwrap_err().to_string().contains("failed 2 times"));
        findings.verdict(true).unwrap();
        findings.steady = Some(Tally { wrongly_taken: 1, ..Tally::default() });
        assert!(findings.verdict(true).unwrap_err().to_string().contains("1 wrong orders"));
    }
}
