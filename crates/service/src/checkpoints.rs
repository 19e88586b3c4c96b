//! Checkpoints are taken regularly, and what is wrong with them is told: by all instances, whichever
//! of them looked.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dispense_audit::note::SigningKey;
use dispense_postgres::faults::Faults;
use dispense_postgres::{CheckpointKeeper, Finding, Taken};
use tokio_util::sync::CancellationToken;

/// The file below `DISPENSE_HOME` with the key that signs, and the one that verifies beside it.
const KEY_FILE: &str = "checkpoint-key";

/// The name of a key that `dev` makes.
const DEVELOPMENT_NAME: &str = "dispense-development";

/// What readiness calls it.
const CHECK: &str = "checkpoints";

/// Takes checkpoints until told to stop.
pub(crate) async fn keep(
    keeper: CheckpointKeeper,
    partitions: u16,
    every: Duration,
    faults: Faults,
    stop: CancellationToken,
) {
    // A turn lasts a little less, so that an instance whose own clock ticks early still has the next.
    let turn = every.mul_f32(0.9);
    loop {
        for partition in 0..partitions {
            let taking = keeper.turn(partition, turn);
            let taken = tokio::select! {
                // What is only half kept is signed again by the next turn.
                () = stop.cancelled() => return,
                taken = taking => taken,
            };
            match taken {
                Ok(taken) => tell(partition, taken.as_ref()),
                Err(error) => tracing::warn!(partition, "no checkpoint was taken: {error}"),
            }
        }
        match keeper.findings().await {
            Ok(findings) => findings.iter().for_each(|it| report(&faults, it)),
            Err(error) => tracing::warn!("the state of the checkpoints is not known: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

fn tell(partition: u16, taken: Option<&Taken>) {
    match taken {
        Some(Taken::Signed(signed)) => {
            let size = signed.size;
            tracing::info!(partition, size, "a checkpoint was signed");
        }
        Some(Taken::Diverged(why)) => tracing::error!(
            partition,
            "log-diverged: {why}; nothing is signed any more; see docs/operations.md"
        ),
        Some(Taken::Behind) => tracing::warn!(
            partition,
            "no checkpoint was taken: the tree has not come to the last one yet"
        ),
        Some(Taken::Unchanged(_) | Taken::Empty) | None => {}
    }
}

/// Tells the figures and the readiness of this instance what was found.
#[allow(clippy::cast_precision_loss, reason = "few copies are ever lost")]
fn report(faults: &Faults, found: &Finding) {
    let Finding { partition, diverged, lost, lost_why } = found;
    let label = partition.to_string();
    let has_diverged = if diverged.is_some() { 1.0 } else { 0.0 };
    metrics::gauge!("dispense_checkpoint_diverged", "partition" => label.clone()).set(has_diverged);
    metrics::gauge!("dispense_checkpoint_copies_lost", "partition" => label).set(*lost as f64);
    let said = match (diverged, lost_why) {
        (Some(why), _) => format!("log-diverged: {why}"),
        (None, Some(why)) => {
            tracing::error!(
                partition,
                lost,
                "copies of checkpoints are not as they should be: {why}"
            );
            format!("{lost} copies are missing or others; {why}")
        }
        (None, None) => return faults.clear(CHECK, &about(*partition)),
    };
    faults.report(CHECK, &about(*partition), said);
}

fn about(partition: u16) -> String {
    format!("partition {partition}")
}

/// Reads the key of that file.
pub(crate) fn read_key(path: &Path) -> Option<Arc<SigningKey>> {
    let text = fs::read_to_string(path).ok()?;
    SigningKey::read(&text).ok().map(Arc::new)
}

/// The key of a private installation; made if it is not there.
pub(crate) fn development_key(home: &Path) -> anyhow::Result<Arc<SigningKey>> {
    let path = home.join(KEY_FILE);
    if !path.exists() {
        make_key(&path, DEVELOPMENT_NAME)?;
    }
    read_key(&path).with_context(|| format!("{} is no key of a signed note", path.display()))
}

/// The key of a `dispense dev` on that home, if it has one.
pub(crate) fn kept_key(home: &Path) -> Option<Arc<SigningKey>> {
    read_key(&home.join(KEY_FILE))
}

/// Makes a key: the file that signs, for its owner alone, and one that verifies beside it, whose name
/// ends in `.pub`. What is there is never overwritten.
pub(crate) fn make_key(path: &Path, name: &str) -> anyhow::Result<Arc<SigningKey>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let key = SigningKey::of_seed(name, seed)?;
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    write_new(path, &key.secret(), 0o600)?;
    write_new(Path::new(&public), &key.verifier().to_string(), 0o644)?;
    Ok(Arc::new(key))
}

fn write_new(path: &Path, line: &str, mode: u32) -> anyhow::Result<()> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_development_key_is_made_once_and_only_its_owner_reads_it() {
        let home = tempfile::tempdir().unwrap();
        let key = development_key(home.path()).unwrap();
        let again = development_key(home.path()).unwrap();
        assert_eq!(key.verifier(), again.verifier());
        let mode = fs::metadata(home.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = fs::read_to_string(home.path().join("checkpoint-key.pub")).unwrap();
        assert_eq!(public.trim(), key.verifier().to_string());
        assert!(make_key(&home.path().join(KEY_FILE), "other").is_err(), "it was overwritten");
    }
}
