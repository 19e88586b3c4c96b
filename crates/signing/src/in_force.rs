//! The trust that is in force: read again when its files change, so that a revocation acts without a
//! restart.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use crate::VerifierSettings;
use crate::trust::{LoadError, Trust, list_files};

/// How often the files are looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a file looked: if one of these differs, it is read again.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    path: PathBuf,
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

/// What was seen last.
struct Seen {
    at: Instant,
    /// None where the files could not be looked at.
    looks: Option<Vec<Look>>,
    /// What was said about the last reading that failed, to say it once.
    complaint: Option<String>,
}

/// The trust that is in force.
pub(crate) struct InForce {
    settings: VerifierSettings,
    trust: RwLock<Arc<Trust>>,
    seen: Mutex<Seen>,
}

impl InForce {
    /// Reads the files for the first time.
    ///
    /// # Errors
    ///
    /// What is wrong with which file.
    pub(crate) fn load(settings: VerifierSettings) -> Result<Self, LoadError> {
        // The look comes before the reading: what changes in between is seen the next time.
        let seen = Seen { at: Instant::now(), looks: look(&settings).ok(), complaint: None };
        let trust = Trust::read(&settings)?;
        report(&trust);
        Ok(Self { settings, trust: RwLock::new(Arc::new(trust)), seen: Mutex::new(seen) })
    }

    /// The trust of now. Reads the files again if they have changed, which blocks.
    pub(crate) fn trust(&self) -> Arc<Trust> {
        // Somebody else is looking: what was in force until now is good enough for this one.
        let seen = match self.seen.try_lock() {
            Ok(seen) => Some(seen),
            // Who panicked has read nothing; the next one looks again.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut seen) = seen.filter(|seen| seen.at.elapsed() >= LOOK_EVERY) {
            self.look_again(&mut seen);
            seen.at = Instant::now();
        }
        Arc::clone(&self.trust.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look_again(&self, seen: &mut Seen) {
        let looks = look(&self.settings).ok();
        if looks.is_some() && looks == seen.looks {
            return;
        }
        match Trust::read(&self.settings) {
            Ok(trust) => {
                report(&trust);
                tracing::info!(
                    "read the trust anchors and the lists of revoked certificates again"
                );
                *self.trust.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trust);
                *seen = Seen { at: seen.at, looks, complaint: None };
            }
            Err(error) => {
                metrics::counter!("dispense_signature_trust_failures_total").increment(1);
                // What was seen stays as it is, so that the next look tries again.
                let complaint = error.to_string();
                if seen.complaint.as_ref() != Some(&complaint) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "trust anchors or lists of revoked certificates have changed and cannot be \
                         read; those from before stay in force"
                    );
                    seen.complaint = Some(complaint);
                }
            }
        }
    }
}

fn report(trust: &Trust) {
    if let Some(lists) = &trust.lists {
        let stale = lists.stale(SystemTime::now());
        if stale > 0 {
            tracing::warn!(stale, "some lists of revoked certificates are not current");
        }
    }
}

fn look(settings: &VerifierSettings) -> io::Result<Vec<Look>> {
    let mut paths: Vec<PathBuf> = settings.trust_anchors.iter().cloned().collect();
    if let Some(crls) = &settings.crls {
        paths.extend(list_files(crls)?);
    }
    let look = |path: PathBuf| {
        let found = path.metadata()?;
        Ok(Look {
            path,
            inode: found.ino(),
            bytes: found.len(),
            // The time of any change of the file, which nobody can set back.
            changed: (found.ctime(), found.ctime_nsec()),
        })
    };
    paths.into_iter().map(look).collect()
}
