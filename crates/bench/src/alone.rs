//! What it costs to check one signature where nothing else is in the way.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use dispense_signing::{Verifier, VerifierSettings};

use crate::machine::CpuTime;

/// Checks go on until they have cost so much: the clock of processor time ticks in hundredths of a
/// second, and is then right to a few percent.
const ENOUGH: Duration = Duration::from_millis(500);

/// Checks between two looks at that clock.
const IN_A_ROW: u32 = 50;

/// Processor time of checking this container, by the verifier of the service in this process.
pub(crate) fn checked_alone(anchors: &Path, container: &[u8]) -> anyhow::Result<Duration> {
    let trust_anchors = Some(anchors.to_owned());
    let verifier = Verifier::load(VerifierSettings { trust_anchors, crls: None })?;
    let here = std::process::id();
    let (before, mut checks) = (CpuTime::now(here, here)?.load, 0);
    loop {
        for _ in 0..IN_A_ROW {
            let signature = verifier.open_here(container).signature;
            ensure!(signature.is_ok(), "what was signed is not believed here: {signature:?}");
        }
        checks += IN_A_ROW;
        let used = CpuTime::now(here, here)?.load.saturating_sub(before);
        if used >= ENOUGH {
            return Ok(used / checks);
        }
    }
}

#[cfg(test)]
mod tests {
    use dispense_signing::development::{Authority, Holder, Profile};

    use super::*;

    #[test]
    fn a_check_costs_something_and_one_that_fails_tells_nothing() {
        let authority = Authority::root("of a test").unwrap();
        let anchors = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(anchors.path(), authority.certificate_pem().unwrap()).unwrap();
        let [tax_id, surname, given_name] = ["2953710241", "Іваненко", "Олена"].map(str::to_owned);
        let holder = Holder { tax_id, surname, given_name };
        let container = |authority: &Authority| {
            authority.issue(&Profile::of(&holder)).unwrap().sign(b"{}").unwrap()
        };
        let took = checked_alone(anchors.path(), &container(&authority)).unwrap();
        assert!(took > Duration::from_micros(1), "{took:?}");
        let stranger = Authority::root("of somebody else").unwrap();
        let error = checked_alone(anchors.path(), &container(&stranger)).unwrap_err();
        assert!(error.to_string().contains("not believed"), "{error}");
    }
}
