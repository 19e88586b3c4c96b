//! A `pg_dump` that goes on for as long as wanted.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use anyhow::{Context, anyhow, ensure};

use crate::database::{DISPENSE, Database};

/// How often a dump that runs is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Dumps the service's database into nothing, again and again, until it is stopped.
#[derive(Debug)]
pub(crate) struct Dump {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    failed: AtomicBool,
    begun: AtomicU32,
}

impl Dump {
    /// Starts the first dump.
    pub(crate) fn start(database: &Database) -> anyhow::Result<Self> {
        let mut command = database.tool("pg_dump")?;
        command.arg(database.admin_url(DISPENSE)).stdout(Stdio::null());
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || theirs.dump(command));
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How many were begun so far.
    #[cfg(test)]
    pub(crate) fn begun(&self) -> u32 {
        self.shared.begun.load(Ordering::Relaxed)
    }

    /// Ends it, and says how many were begun.
    pub(crate) fn stop(mut self) -> anyhow::Result<u32> {
        self.end().context("pg_dump did not start")?;
        ensure!(!self.shared.failed.load(Ordering::Relaxed), "pg_dump failed; see above");
        Ok(self.shared.begun.load(Ordering::Relaxed))
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        Ok(thread.join().map_err(|_| anyhow!("the thread that dumps panicked"))??)
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        // After a failure elsewhere, which is the one that matters.
        let _ = self.end();
    }
}

impl Shared {
    fn dump(&self, mut command: Command) -> io::Result<()> {
        while !self.stopping.load(Ordering::Relaxed) {
            self.begun.fetch_add(1, Ordering::Relaxed);
            let mut child = command.spawn()?;
            loop {
                if let Some(status) = child.try_wait()? {
                    if !status.success() {
                        self.failed.store(true, Ordering::Relaxed);
                        return Ok(());
                    }
                    break;
                }
                if self.stopping.load(Ordering::Relaxed) {
                    child.kill()?;
                    child.wait()?;
                    break;
                }
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }
}
