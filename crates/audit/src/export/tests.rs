//! Exports, true and forged.

mod documented;
mod flipped;
mod forged;
mod overdrawn;
mod sample;
mod second_check;
mod whole;

use std::path::Path;

use super::{Broken, NotWhole, Summary, Trust, verify};
use sample::{Sample, key};

/// An export in a folder of its own.
struct Written(tempfile::TempDir);

impl Written {
    fn of(sample: &Sample) -> Self {
        let folder = tempfile::tempdir().unwrap();
        sample.write(folder.path(), &key());
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Believes the key of the sample.
fn trust() -> Trust {
    Trust { keys: vec![key().verifier().clone()], kept: Vec::new() }
}

fn check(folder: &Path, trust: &Trust) -> Result<Summary, Broken> {
    match verify(folder, trust, &|_| {}) {
        Ok(summary) => Ok(summary),
        Err(NotWhole::Broken(broken)) => Err(*broken),
        Err(unread) => panic!("{unread}"),
    }
}
