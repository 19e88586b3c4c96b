//! A server whose clock can be set forward and back, for tests.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, While};
use crate::home::Home;

/// What libfaketime reads the offset from.
fn file(folder: &Path) -> PathBuf {
    folder.join("clock")
}

/// The environment that puts libfaketime under the server.
///
/// The monotonic clock stays real, because PostgreSQL sleeps by it; so do the times of files. The offset
/// is read at each look at the clock: by default it would be kept for ten seconds.
pub(crate) fn environment(home: &Home) -> Result<Vec<(OsString, OsString)>> {
    step(home, 0)?;
    let library = library()?;
    let pairs = [
        ("LD_PRELOAD", library.into_os_string()),
        ("FAKETIME_TIMESTAMP_FILE", file(home.folder()).into_os_string()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ("DONT_FAKE_MONOTONIC", "1".into()),
        ("NO_FAKE_STAT", "1".into()),
    ];
    Ok(pairs.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Sets the server's clock off by whole seconds.
///
/// The file is replaced at once, so that no backend reads half of it.
pub(crate) fn step(home: &Home, seconds: i64) -> Result<()> {
    let next = home.folder().join("clock.next");
    home.write(&next, &format!("{seconds:+}\n"))?;
    let path = file(home.folder());
    fs::rename(&next, &path).when(|| format!("write {}", path.display()))
}

/// Debian keeps the library below the folder of the machine's architecture.
fn library() -> Result<PathBuf> {
    let folders =
        fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|found| found.path());
    let candidates = folders.chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")]);
    candidates
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::NotInstalled {
            wanted: "with libfaketime".to_owned(),
            found: "that library was not found".to_owned(),
            package: "libfaketime".to_owned(),
        })
}
