//! `dispense privacy`: erasing a person.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use anyhow::{Context, bail};
use dispensary::Contents;
use dispense_content::ObjectContents;
use dispense_postgres::erase::{
    Earnest, Erased, Eraser, Known, NotErased, Order, Place, Progress as Step, Report, Signed,
};
use serde_json::json;
use uuid::Uuid;

use super::progress::Progress;
use super::{database, log, print, wait};
use crate::config::{Reader, content_store, home};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1_000;

/// What can be done about personal data.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PrivacyCommand {
    /// Erase a patient, or somebody who works in a pharmacy or clinic, and record it
    #[command(after_long_help = HELP)]
    Erase(Arguments),
}

/// What `--help` tells beside the options.
const HELP: &str = "\
Empties the personal bodies of all dispenses of that person, what registries say, and the signed
containers; what the law wants kept stays, and the answer says why. It is refused while a hold of that
person lives. The record of it stays for ever, so write nothing personal into the reason.

Nobody can hold medication while it is done, which takes moments; reading the log before takes longer
and keeps nobody waiting. Where it was cut short, run it again: it goes on. If an import brings the
person back, so it does into the next dispenses; run it again then.

The database is that of DATABASE_ADMIN_URL, the role that owns the tables, else that of the
`dispense dev` that runs on DISPENSE_HOME. CONTENT_STORE_URL must be that of the service.

Exit codes: 0 nothing is left, 1 it was refused, could not be finished, or nobody with that id was ever
known here, 2 wrong usage.";

/// Options of `dispense privacy erase`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    whom: Whom,
    /// Why: a number of a letter or of a case. It is kept for ever
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Keep the signed containers, and say why
    #[arg(long, value_name = "WHY", value_parser = reason)]
    keep_signed: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Tell what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whom to erase.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// A patient
    #[arg(long, value_name = "ID")]
    person: Option<Uuid>,
    /// A pharmacist, a doctor, or whoever else works somewhere
    #[arg(long, value_name = "ID")]
    party: Option<Uuid>,
}

/// A text that can stand in the record.
fn reason(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_REASON).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) && !text.trim().is_empty() {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 1 to {LONGEST_REASON} characters, on one line"))
    }
}

/// Does it.
pub(super) fn run(reader: Reader, command: PrivacyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PrivacyCommand::Erase(arguments) => wait(erase(log(reader, "warn")?, arguments)),
    }
}

async fn erase(mut reader: Reader, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let home = home(&mut reader);
    let address = content_store(&mut reader);
    let admin = database::admin(reader, &home)?;
    let store = ObjectContents::open(&address).await?;
    let mut eraser = Eraser::connect(&admin).await?;
    let order = arguments.order()?;

    let mut bar = Progress::of("events", None);
    let mut read = 0;
    let found = eraser.find(order.whom, |step: Step| {
        bar.add(step.read - read);
        read = step.read;
    });
    let found = found.await?;
    bar.finish();

    let known = eraser.known(order.whom, &found).await?;
    let told = Order { earnest: Earnest::Told, ..order.clone() };
    let plan = match eraser.erase(&told, found.clone()).await {
        Err(held @ NotErased::Held { .. }) => {
            eprintln!("dispense: {held}");
            return Ok(ExitCode::FAILURE);
        }
        other => other?,
    };
    // A wrong id must not read as if somebody were erased.
    if known == Known::Never && !is_anything(&plan) {
        let (kind, id) = (order.whom.kind(), order.whom.id());
        eprintln!("dispense: a {kind} {id} was never known here; check the id; nothing was done");
        return Ok(ExitCode::FAILURE);
    }
    if arguments.dry_run {
        return tell(&arguments, &order, known, &plan);
    }
    is_the_store_of_the_log(&store, &address, &plan).await?;
    if !arguments.yes && is_anything(&plan) && !confirmed(&plan)? {
        return Ok(ExitCode::FAILURE);
    }
    let done = eraser.erase(&order, found).await?;
    for key in &done.containers {
        store.remove(key).await.with_context(|| {
            format!(
                "the record is written, but the container {key} is still there; run this again to \
                 finish"
            )
        })?;
    }
    tell(&arguments, &order, known, &done)
}

impl Arguments {
    fn order(&self) -> anyhow::Result<Order> {
        let whom = match (self.whom.person, self.whom.party) {
            (Some(id), None) => Erased::Person(id.into()),
            (None, Some(id)) => Erased::Party(id.into()),
            (Some(_), Some(_)) | (None, None) => bail!("expected --person or --party"),
        };
        let signed = self.keep_signed.clone().map_or(Signed::Removed, Signed::Kept);
        Ok(Order { whom, reason: self.reason.clone(), signed, earnest: Earnest::Done })
    }
}

fn emptied(report: &Report) -> impl Iterator<Item = &Place> {
    report.places.iter().filter(|place| place.kept.is_none())
}

fn is_anything(report: &Report) -> bool {
    emptied(report).next().is_some()
}

/// Stops where none of the containers is there that are to be removed: nobody would notice that they
/// stay in another store.
async fn is_the_store_of_the_log(
    store: &ObjectContents,
    address: &str,
    plan: &Report,
) -> anyhow::Result<()> {
    let mut missing = 0;
    let keys: Vec<&String> = emptied(plan).filter_map(|place| place.key.as_ref()).collect();
    for key in &keys {
        // One that cannot be read is there all the same.
        if let Ok(None) = store.get(key).await {
            missing += 1;
        } else {
            return Ok(());
        }
    }
    if missing == 0 {
        return Ok(());
    }
    bail!(
        "none of the {missing} signed containers is in `{address}`; let CONTENT_STORE_URL be that of \
         the service, or say --keep-signed \"lost\" if they are gone; nothing was done"
    )
}

/// Asks whoever sits there.
fn confirmed(plan: &Report) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; say --yes, or --dry-run to see what would be done");
    }
    let count = emptied(plan).count();
    eprint!("{count} places will be emptied, and nobody can bring that back. Go on? (yes/no) ");
    std::io::stderr().flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(said.trim() == "yes")
}

fn tell(
    arguments: &Arguments,
    order: &Order,
    known: Known,
    report: &Report,
) -> anyhow::Result<ExitCode> {
    let (kind, id) = (order.whom.kind(), order.whom.id());
    if arguments.json {
        let document = json!({
            "kind": kind, "id": id, "dryRun": arguments.dry_run, "records": report.records,
            "places": report.places,
        });
        print(&format!("{document:#}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let is = if arguments.dry_run { "would be" } else { "is" };
    let mut text = match known {
        _ if is_anything(report) => format!("{kind} {id} {is} erased:\n"),
        Known::Erased => format!("{kind} {id} was erased before; nothing more {is} erased:\n"),
        Known::Here | Known::Never => format!("of {kind} {id} nothing {is} erased:\n"),
    };
    for place in &report.places {
        writeln!(text, "  {place}")?;
    }
    if !is_anything(report) && !report.containers.is_empty() {
        writeln!(text, "  containers that earlier records name: {is} removed if still there")?;
    }
    for number in &report.records {
        writeln!(text, "recorded as erasure {number}")?;
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        assert_eq!(reason("letter 17").as_deref(), Ok("letter 17"));
        assert!(reason(&"x".repeat(LONGEST_REASON)).is_ok());
        for bad in ["", "  ", "a\nb", &"x".repeat(LONGEST_REASON + 1)] {
            assert!(reason(bad).is_err(), "{bad:?}");
        }
    }
}
