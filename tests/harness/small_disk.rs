//! A file system of an instance's own: it fills up, turns read-only, and is not mounted any more.
//!
//! It is mounted in a namespace of the instance alone, which ends with the process: whatever becomes
//! of a test, nothing stays mounted.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::process::temporary;

/// How much room there is: for some containers.
const ROOM: &str = "256k";

/// The smallest piece of room.
const PAGE: u64 = 4_096;

/// How one comes into a namespace of mounts, and how somebody else visits it.
#[derive(Clone, Copy)]
struct Namespace {
    enter: &'static [&'static str],
    visit: &'static [&'static str],
}

/// As root, and as anybody where the system allows that.
const NAMESPACES: [Namespace; 2] = [
    Namespace { enter: &["unshare", "--mount"], visit: &["nsenter", "--mount"] },
    Namespace {
        enter: &["unshare", "--user", "--map-root-user", "--mount"],
        visit: &["nsenter", "--user", "--preserve-credentials", "--mount"],
    },
];

/// A file system that is not mounted yet.
pub(crate) struct SmallDisk {
    folder: TempDir,
    namespace: Namespace,
}

impl SmallDisk {
    /// One that can be mounted.
    ///
    /// # Errors
    ///
    /// This machine does not allow it to mount anything.
    pub(crate) fn new() -> io::Result<Self> {
        let folder = temporary();
        std::fs::create_dir(folder.path().join("disk"))?;
        let can_mount = |namespace: &Namespace| {
            let mut trial = Command::new(namespace.enter[0]);
            trial.args(&namespace.enter[1..]).args(["mount", "-t", "tmpfs", "dispense"]);
            trial.arg(folder.path()).stdin(Stdio::null()).stderr(Stdio::null());
            trial.status().is_ok_and(|status| status.success())
        };
        let namespace = NAMESPACES.into_iter().find(can_mount);
        let namespace = namespace.ok_or(io::ErrorKind::PermissionDenied)?;
        Ok(Self { folder, namespace })
    }

    /// Where it is, for the instance. Nobody else ever finds anything there.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn elsewhere(&self) -> PathBuf {
        self.folder.path().join("elsewhere")
    }

    /// What an instance is started under, so that it is mounted.
    pub(crate) fn wrapper(&self) -> Vec<String> {
        let mount =
            format!("mount -t tmpfs -o size={ROOM},mode=0700 dispense \"$0\" && exec \"$@\"");
        let path = self.path().display().to_string();
        let words = self.namespace.enter.iter().map(|word| (*word).to_owned());
        words.chain(["sh".to_owned(), "-c".to_owned(), mount, path]).collect()
    }

    /// It, as that process has it.
    pub(crate) fn of(&self, process: u32) -> Mounted<'_> {
        Mounted { disk: self, process }
    }
}

/// A file system that a process has mounted.
#[derive(Clone, Copy)]
pub(crate) struct Mounted<'a> {
    disk: &'a SmallDisk,
    process: u32,
}

impl Mounted<'_> {
    /// Where it is, for everybody else.
    pub(crate) fn seen(&self) -> PathBuf {
        let path = self.disk.path();
        let inside = path.strip_prefix("/").unwrap();
        Path::new("/proc").join(self.process.to_string()).join("root").join(inside)
    }

    fn ballast(&self) -> PathBuf {
        self.seen().join("ballast")
    }

    /// Fills it up, but for so many pages.
    pub(crate) fn fill_but(&self, pages: u64) {
        let mut ballast = File::create(self.ballast()).unwrap();
        while ballast.write(&[0; 1_024]).is_ok() {}
        let length = ballast.metadata().unwrap().len();
        ballast.set_len(length - pages * PAGE).unwrap();
    }

    /// Makes room again.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    /// Turns it read-only (`ro`), or into one that can be written to (`rw`). As anybody but root, only
    /// the place where it is mounted can be turned.
    pub(crate) fn remount(&self, how: &str) {
        self.visit(&["mount", "-o", &format!("remount,bind,{how}")], &[self.disk.path()]);
    }

    /// Takes it away: in its place is the empty folder of another file system.
    pub(crate) fn take_away(&self) {
        std::fs::create_dir_all(self.disk.elsewhere()).unwrap();
        self.visit(&["mount", "--no-mtab", "--move"], &[self.disk.path(), self.disk.elsewhere()]);
    }

    /// Puts it back.
    pub(crate) fn put_back(&self) {
        self.visit(&["mount", "--no-mtab", "--move"], &[self.disk.elsewhere(), self.disk.path()]);
    }

    fn visit(&self, command: &[&str], places: &[PathBuf]) {
        let visit = self.disk.namespace.visit;
        let mut visitor = Command::new(visit[0]);
        visitor.args(&visit[1..]).arg(format!("--target={}", self.process));
        let output = visitor.args(command).args(places).output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}
