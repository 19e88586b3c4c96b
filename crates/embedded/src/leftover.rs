//! A server that outlived the process that started it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Result, While, failed};

/// How long a leftover server may take for its last checkpoint.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes sure that no server runs on `data`; the lock of the folder must be ours.
///
/// A leftover is stopped rather than used again: its settings may be others, and nobody watches it.
pub(crate) fn stop(data: &Path) -> Result<()> {
    let file = data.join("postmaster.pid");
    let Some(pid) = pid_in(&file) else {
        return Ok(());
    };
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        if !is_server(pid, data) {
            break;
        }
        let _ = kill_process(pid, signal);
        let start = Instant::now();
        while is_server(pid, data) && start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
        }
    }
    if is_server(pid, data) {
        let pid = pid.as_raw_nonzero();
        let what = format!("a server with process id {pid} still runs on {}", data.display());
        return Err(failed(what, format!("stop it with `sudo kill -9 {pid}`")));
    }
    // PostgreSQL takes any living process with the noted id for a server, but after a crash of the
    // machine the id belongs to somebody else. If nobody has it, the file stays: PostgreSQL then looks
    // whether backends of the dead server still hold its memory, and removes the file itself.
    if fs::exists(format!("/proc/{}", pid.as_raw_nonzero())).unwrap_or(false) && file.exists() {
        fs::remove_file(&file).when(|| format!("remove {}", file.display()))?;
    }
    Ok(())
}

/// Reads the process id, which is the first line of `postmaster.pid`.
fn pid_in(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// Whether the process is a postmaster that was started on `data`.
///
/// Its command line is readable in every container, which its working directory is not.
fn is_server(pid: Pid, data: &Path) -> bool {
    let Ok(line) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else {
        return false;
    };
    let mut words = line.split(|byte| *byte == 0);
    let is_postgres = words.next().is_some_and(|program| program.ends_with(b"postgres"));
    is_postgres && words.any(|word| word == data.as_os_str().as_bytes())
}
