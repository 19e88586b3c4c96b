//! A process of the binary `dispense`, with all that it says.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How much of what a process said is shown when a test fails.
const TAIL: usize = 6_000;

/// A process, which is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
    what: String,
}

/// A folder that goes away after the test, and that a server's user can enter.
pub(crate) fn temporary() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new()
        .prefix("dispense-tests-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// The binary: `DISPENSE_BIN`, or the one that cargo has built.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("DISPENSE_BIN") {
        return path.into();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let path = target.join("debug/dispense");
    assert!(path.is_file(), "no {}; run: cargo build -p dispense-service", path.display());
    path
}

impl Process {
    /// Starts `dispense` with nothing in its environment but these settings.
    pub(crate) fn start(folder: &Path, arguments: &[&str], settings: &[(String, String)]) -> Self {
        Self::start_under(&[], folder, arguments, settings)
    }

    /// As [`Self::start`], as the last words of another command, which it takes the place of.
    pub(crate) fn start_under(
        wrapper: &[String],
        folder: &Path,
        arguments: &[&str],
        settings: &[(String, String)],
    ) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let said = folder.join(format!("said-{number}.log"));
        let file = File::create(&said).unwrap();
        let binary = binary().into_os_string();
        let mut words = wrapper.iter().map(OsString::from).chain([binary]);
        let child = Command::new(words.next().unwrap())
            .args(words)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUST_BACKTRACE", "1")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, said, what: arguments.join(" ") }
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.said).unwrap_or_default()).into_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(start.elapsed() < limit, "`dispense {}` goes on after {limit:?}", self.what);
            sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        assert!(signal(self.id(), name), "`dispense {}` has ended:\n{}", self.what, self.said());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let said = self.said();
            let from = said.char_indices().rev().nth(TAIL).map_or(0, |(at, _)| at);
            println!("`dispense {}` (process {}) said:\n…{}", self.what, self.id(), &said[from..]);
        }
    }
}

/// Sends a signal to a process; answers whether it was there.
pub(crate) fn signal(process: u32, name: &str) -> bool {
    let kill = format!("kill -{name} {process} 2>/dev/null");
    Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success()
}
