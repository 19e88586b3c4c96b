//! What work in the background cannot do at the moment, for the readiness of this instance.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most faults that are kept: enough for every read model of every partition of a small log; of
/// more than that, nobody needs each.
const MOST: usize = 256;

/// What does not work at the moment and stops no command. A task tells when it meets a fault, and
/// again when it is over.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<(&'static str, String), String>>>);

/// A fault that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastingFault {
    /// What was looked at, as readiness calls it: `followers`.
    pub check: &'static str,
    /// Which one of them: `dispenses, partition 2`.
    pub about: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Faults {
    /// Something does not work; what was told about it before is forgotten.
    pub fn report(&self, check: &'static str, about: &str, detail: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (check, about.to_owned());
        if kept.len() < MOST || kept.contains_key(&key) {
            kept.insert(key, detail);
        }
    }

    /// It works again.
    pub fn clear(&self, check: &'static str, about: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&(check, about.to_owned()));
    }

    /// What does not work now.
    #[must_use]
    pub fn all(&self) -> Vec<LastingFault> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |((check, about), detail): (&(&'static str, String), &String)| LastingFault {
            check,
            about: about.clone(),
            detail: detail.clone(),
        };
        kept.iter().map(fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_it_is_over_and_is_told_once() {
        let faults = Faults::default();
        faults.report("followers", "dispenses", "stuck at 1".to_owned());
        faults.clone().report("followers", "dispenses", "stuck at 2".to_owned());
        let all = faults.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].detail, "stuck at 2");
        faults.clear("followers", "dispenses");
        assert_eq!(faults.all(), []);
    }

    #[test]
    fn no_more_are_kept_than_anybody_reads() {
        let faults = Faults::default();
        for n in 0..2 * MOST {
            faults.report("followers", &n.to_string(), "stuck".to_owned());
        }
        assert_eq!(faults.all().len(), MOST);
    }
}
