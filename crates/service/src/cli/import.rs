//! `dispense registry import` and `dispense registry demo`

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use dispensary::{FaultyLine, Line, Origin};
use dispense_demo::Demo;
use dispense_postgres::{Importer, PgLog, pool};
use uuid::Uuid;

use super::progress::Progress;
use crate::config::{Reader, database_url};

/// The most lines that are applied in one go.
const BATCH: usize = 2_000;

/// What is kept of a line: enough to see that it is too long.
const LONGEST: u64 = 64 * 1024 + 1;

/// The most faulty lines that are printed one by one.
const PRINTED: usize = 1_000;

/// Exits with 1 if any line is faulty; the good ones are applied all the same.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A file with one JSON object a line, or - for standard input
    file: PathBuf,
    /// Look for faulty lines, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Options of `dispense registry demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// How many medication requests, and patients
    #[arg(long, default_value_t = Demo::REQUESTS)]
    requests: u32,
    /// The day around which it is made; today if not given
    #[arg(long)]
    today: Option<NaiveDate>,
}

/// What an import did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) read: u64,
    pub(crate) faulty: u64,
}

/// Applies a file.
pub(crate) async fn run(reader: Reader, arguments: Arguments) -> anyhow::Result<()> {
    let options = database_url(reader)?;
    let pool = pool(&options, 8);
    let settings = PgLog::settings(&pool, None).await?;
    let importer = Importer::new(pool, settings.partitions, settings.log_id);
    let (input, total) = open(&arguments.file)?;
    let done = apply(&importer, lines(input), total, arguments.dry_run).await?;
    let Done { read, faulty } = done;
    let applied = read - faulty;
    let verb = if arguments.dry_run { "would be applied" } else { "applied" };
    println!("{read} lines read, {applied} {verb}, {faulty} faulty");
    anyhow::ensure!(faulty == 0, "{faulty} lines are faulty, of {read}");
    Ok(())
}

/// Prints the demo registry.
pub(crate) fn demo(arguments: &DemoArguments) -> anyhow::Result<()> {
    let day = match arguments.today {
        Some(day) => day,
        None => crate::dev::today(chrono_tz::Europe::Kyiv),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in Demo::new(day).with_requests(arguments.requests).lines() {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Applies lines, batch by batch, and prints the faulty ones.
pub(crate) async fn apply(
    importer: &Importer,
    lines: impl Iterator<Item = anyhow::Result<Line>>,
    total: Option<u64>,
    dry_run: bool,
) -> anyhow::Result<Done> {
    let by = operator();
    let mut progress = Progress::of("registry lines", total);
    let mut done = Done::default();
    let mut batch = Vec::with_capacity(BATCH);
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        batch.push(line?);
        if batch.len() < BATCH && lines.peek().is_some() {
            continue;
        }
        let count = batch.len() as u64;
        let batch = std::mem::take(&mut batch);
        let faulty =
            if dry_run { importer.dry_run(batch).await } else { importer.import(batch, &by).await };
        let faulty = faulty.map_err(|error| {
            anyhow::Error::new(error).context(
                "the import stopped; what was applied stays applied, so import the file again",
            )
        })?;
        print(&faulty, done.faulty);
        done.read += count;
        done.faulty += faulty.len() as u64;
        progress.add(count);
    }
    progress.finish();
    Ok(done)
}

fn print(faulty: &[FaultyLine], before: u64) {
    let room = PRINTED.saturating_sub(usize::try_from(before).unwrap_or(PRINTED));
    for FaultyLine { line, code, message } in faulty.iter().take(room) {
        eprintln!("line {line}: {code}: {message}");
    }
    if room > 0 && faulty.len() > room {
        eprintln!("… more faulty lines are counted, but not printed");
    }
}

/// Who imports from the command line.
fn operator() -> Origin {
    Origin {
        user: Uuid::nil().into(),
        client: None,
        client_type: None,
        request_id: "command-line".into(),
        traceparent: None,
    }
}

/// Opens a file, and counts its lines for the progress bar; standard input has no end to count to.
pub(crate) fn open(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), None));
    }
    let open = || File::open(path).with_context(|| format!("cannot read {}", path.display()));
    let mut counting = BufReader::with_capacity(1 << 16, open()?);
    let mut count = 0_u64;
    while counting.skip_until(b'\n')? > 0 {
        count += 1;
    }
    Ok((Box::new(BufReader::with_capacity(1 << 16, open()?)), Some(count)))
}

/// The lines of an input. Of one that is too long, only as much is kept as shows it.
pub(crate) fn lines(mut input: Box<dyn BufRead>) -> impl Iterator<Item = anyhow::Result<Line>> {
    let mut number = 0;
    std::iter::from_fn(move || {
        number += 1;
        next_line(input.as_mut(), number).context("the input cannot be read").transpose()
    })
}

fn next_line(input: &mut dyn BufRead, number: u64) -> std::io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let mut limited = Read::take(&mut *input, LONGEST);
    if limited.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
    } else if bytes.len() as u64 == LONGEST {
        input.skip_until(b'\n')?;
    }
    Ok(Some(Line { number, bytes }))
}
