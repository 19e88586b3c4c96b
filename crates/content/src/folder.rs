//! A folder of a file system, and what `object_store` leaves to us there.
//!
//! `object_store` (0.14) writes a container to a file beside its place (`<key>#<n>`), syncs it,
//! links it to its name, and syncs its folder, and those above that it has just made. Three things
//! remain:
//!
//! * A process that was killed after making the folder of a dispense, but before syncing the one
//!   above, leaves a folder that the next one takes for durable. So the store's own folder is
//!   synced with every container.
//! * A folder that is missing would be made again. Where a file system was mounted and is not any
//!   more, that would keep evidence on the wrong disk.
//! * The files beside stay when a process is killed.

use std::fs::{self, DirBuilder, DirEntry, File, ReadDir};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::fault::Fault;

/// After this time nobody writes to a file beside any more: a call is over after seconds.
const LEFT_BEHIND_AFTER: Duration = Duration::from_hours(1);

/// How many folders of dispenses are looked through in one go.
const FOLDERS_AT_ONCE: usize = 1_024;

/// The folder that everything is kept in. All that it does blocks.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    device: u64,
}

/// Which folder it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Folder {
    /// Makes the folder if it is not there, so that it survives a crash of the machine.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Fault> {
        let made = make(&path).and_then(|()| fs::metadata(&path));
        match made {
            Ok(found) => Ok(Self { device: found.dev(), path }),
            Err(source) => Err(Fault::Folder { path, source }),
        }
    }

    /// What writes to it.
    pub(crate) fn objects(&self) -> object_store::Result<Arc<dyn ObjectStore>> {
        let objects = LocalFileSystem::new_with_prefix(&self.path)?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Arc::new(objects))
    }

    /// Which folder stands there now, if it is one on the file system of the start.
    pub(crate) fn standing(&self) -> Result<Identity, Fault> {
        let found = fs::metadata(&self.path).map_err(|source| self.fault(source))?;
        self.identity(&found)
    }

    /// Syncs its own list of folders, and makes sure that it is still the one that it was `before`.
    pub(crate) fn sync(&self, before: Identity) -> Result<(), Fault> {
        let opened = File::open(&self.path).map_err(|source| self.fault(source))?;
        opened.sync_all().map_err(|source| self.fault(source))?;
        let found = opened.metadata().map_err(|source| self.fault(source))?;
        if self.identity(&found)? == before {
            Ok(())
        } else {
            Err(Fault::OtherFolder { path: self.path.clone() })
        }
    }

    fn identity(&self, found: &fs::Metadata) -> Result<Identity, Fault> {
        let identity = Identity { device: found.dev(), inode: found.ino() };
        if found.is_dir() && identity.device == self.device {
            Ok(identity)
        } else {
            Err(Fault::OtherFolder { path: self.path.clone() })
        }
    }

    /// The folders in it, to be cleared one after the other.
    pub(crate) fn folders(self) -> Result<Folders, Fault> {
        match fs::read_dir(&self.path) {
            Ok(rest) => Ok(Folders { of: self, rest }),
            Err(source) => Err(self.fault(source)),
        }
    }

    fn fault(&self, source: io::Error) -> Fault {
        Fault::Folder { path: self.path.clone(), source }
    }
}

/// Folders of dispenses that are still to be cleared. All that it does blocks.
#[derive(Debug)]
pub(crate) struct Folders {
    of: Folder,
    rest: ReadDir,
}

impl Folders {
    /// Removes what killed processes left in the next ones. None: all are cleared.
    pub(crate) fn clear(mut self) -> Result<Option<Self>, Fault> {
        for _ in 0..FOLDERS_AT_ONCE {
            let Some(folder) = self.rest.next() else { return Ok(None) };
            folder.and_then(|it| clear_folder(&it)).map_err(|source| self.of.fault(source))?;
        }
        Ok(Some(self))
    }
}

fn make(path: &Path) -> io::Result<()> {
    let stands = path.ancestors().find(|it| it.exists());
    // What is signed names a patient: nobody else on this machine reads it.
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    // A folder survives a crash once the one above it is synced.
    for folder in path.ancestors().skip(1) {
        match File::open(folder).and_then(|it| it.sync_all()) {
            // The folder was there before: the one above it belongs to somebody else.
            Err(_) if stands == Some(path) => {}
            synced => synced?,
        }
        if stands.is_some_and(|it| it == folder || it == path) {
            break;
        }
    }
    Ok(())
}

fn clear_folder(folder: &DirEntry) -> io::Result<()> {
    if !folder.file_type()?.is_dir() {
        return Ok(());
    }
    // Another process may remove a folder or a file first: what is gone needs no clearing.
    let files = match fs::read_dir(folder.path()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        match file.and_then(|it| clear_file(&it)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            cleared => cleared?,
        }
    }
    Ok(())
}

fn clear_file(file: &DirEntry) -> io::Result<()> {
    let name = file.file_name();
    let is_beside = name.to_str().and_then(|it| it.split_once('#')).is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !is_beside {
        return Ok(());
    }
    // The age by the clock of this machine: a minute more or less changes nothing.
    let age = file.metadata()?.modified()?.elapsed();
    if age.is_ok_and(|age| age > LEFT_BEHIND_AFTER) {
        fs::remove_file(file.path())?;
        // A folder that holds something refuses, and that is what is wanted.
        if let Some(folder) = file.path().parent() {
            let _ = fs::remove_dir(folder);
        }
    }
    Ok(())
}
