//! `dispense audit verify`: whether an export of the log is whole.

mod told;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, bail};
use dispense_audit::export::{self, Kept, NotWhole, Trust};
use dispense_audit::note::VerifierKey;

use super::super::print;
use super::super::progress::Progress;
use told::Form;

/// What `--help` tells beside the options.
pub(super) const HELP: &str = "\
Reads an export that `dispense log export` wrote, and needs nothing else: no database, no network, no
settings. The key, and checkpoints of earlier times, must come from another way than the export:

  dispense audit verify export --key checkpoint.pub
  dispense audit verify export --key 'dispense.example+c74f20a3+ARpc…' --checkpoint old/*.txt

docs/audit.md says what is checked, what each finding means, and how to write such a check oneself.

Exit codes: 0 it is whole, 1 it is not, or could not be read; 2 wrong usage. What is wrong is told
with its kind, and the first place where it shows.";

/// Options of `dispense audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `dispense log export` wrote
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A key whose signatures count, or a file with one; can be given several times
    #[arg(long, value_name = "FILE|KEY")]
    key: Vec<String>,
    /// Believe the key that the export itself names: finds damage, and no forgery
    #[arg(long)]
    trust_exported_key: bool,
    /// Checkpoints that you kept: the export must begin with what they cover
    #[arg(long, value_name = "FILE", num_args = 1..)]
    checkpoint: Vec<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Checks, and tells by the exit code how it ended.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let trust = match trust(arguments) {
        Ok(trust) => trust,
        Err(wrong) => {
            eprintln!("dispense: {wrong:#}");
            return Ok(ExitCode::from(2));
        }
    };
    let form = if arguments.json { Form::Json } else { Form::Page };
    match verify(&arguments.folder, &trust) {
        Ok(summary) => {
            print(&told::whole(&summary, form))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(NotWhole::Broken(broken)) => {
            print(&told::broken(&broken, form))?;
            Ok(ExitCode::FAILURE)
        }
        Err(unread @ NotWhole::Unread { .. }) => Err(unread.into()),
    }
}

fn verify(folder: &Path, trust: &Trust) -> Result<export::Summary, NotWhole> {
    let extent = export::extent(folder)?;
    let progress = Mutex::new(Progress::of("checking, in bytes", Some(extent.bytes)));
    let verified = export::verify(folder, trust, &|bytes| {
        progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(bytes);
    });
    progress.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).finish();
    verified
}

/// Whom to believe. What is wrong here was not said rightly, and says nothing of the export.
fn trust(arguments: &Arguments) -> anyhow::Result<Trust> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        bail!("{} is no folder", folder.display());
    }
    let mut keys = arguments.key.iter().map(|key| read_key(key)).collect::<Result<Vec<_>, _>>()?;
    if arguments.trust_exported_key {
        keys.extend(exported_key(folder));
    }
    // Whether an export is readable is found out by the check itself.
    let signed = export::extent(folder).is_ok_and(|extent| extent.checkpoints > 0);
    if keys.is_empty() && (signed || !arguments.checkpoint.is_empty()) {
        bail!(
            "there are checkpoints, and no key to believe; give the one of the service with \
             --key, or use --trust-exported-key to look for damage alone"
        );
    }
    let mut kept = Vec::new();
    for path in &arguments.checkpoint {
        let name = path.display().to_string();
        let note = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
        let opened = Kept::open(name.clone(), &note, &keys);
        kept.push(opened.with_context(|| format!("{name} is not believed"))?);
    }
    Ok(Trust { keys, kept })
}

/// The key that the export names, with a warning.
fn exported_key(folder: &Path) -> Option<VerifierKey> {
    let key = export::log(folder).ok()?.key?;
    eprintln!(
        "dispense: warning: believing {key}, which the export itself names; whoever forged it \
         would name their own"
    );
    Some(key)
}

fn read_key(given: &str) -> anyhow::Result<VerifierKey> {
    if let Ok(key) = VerifierKey::read(given) {
        return Ok(key);
    }
    let text = std::fs::read_to_string(given)
        .with_context(|| format!("--key {given}: neither a key nor a file that can be read"))?;
    VerifierKey::read(&text).with_context(|| format!("--key {given}"))
}
