//! One run of the program `postgres`.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::binaries::Binaries;
use crate::error::{Error, While, failed};
use crate::home::Home;
use crate::log;

/// How long a server may take to be ready; recovery after an immediate stop of a busy one takes longest.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How often a server is looked at while it starts or stops.
const LOOK: Duration = Duration::from_millis(10);

/// Starts the server, and next to it a watcher that waits at the pipe on our end.
///
/// The watcher reads a line when all is well. If the pipe ends without one, we died, and it asks the
/// server to stop, unless that process id is no longer the server's. It is no child of the server, which
/// would wonder about a child that it did not start. `PR_SET_PDEATHSIG` would do the same with less, but
/// it also strikes when only the thread that started the server ends.
const SCRIPT: &str = r#"
data=$1; shift; server=$$
exec 3<&0 </dev/null
( (
    trap '' INT QUIT TERM HUP
    read -r word <&3 && exit
    read -r pid <"$data/postmaster.pid" && [ "$pid" = "$server" ] && kill -INT "$server"
) >/dev/null 2>&1 & )
exec "$@" 3<&-
"#;

/// Why a server did not come up.
pub(crate) enum NotUp {
    /// Somebody else listens on the port.
    PortTaken(Error),
    /// Backends of a killed server are still ending.
    StillEnding(Error),
    /// Anything else; trying again would not help.
    Other(Error),
}

impl From<Error> for NotUp {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<NotUp> for Error {
    fn from(not_up: NotUp) -> Self {
        match not_up {
            NotUp::PortTaken(error) | NotUp::StillEnding(error) | NotUp::Other(error) => error,
        }
    }
}

/// A running server, and our end of the watcher's pipe (the child's standard input).
#[derive(Debug)]
pub(crate) struct Postmaster {
    child: Child,
}

impl Postmaster {
    /// Starts the server and waits until it takes connections.
    pub(crate) fn launch(
        home: &Home,
        binaries: &Binaries,
        port: u16,
        environment: &[(OsString, OsString)],
    ) -> std::result::Result<Self, NotUp> {
        let (output, before) = log::open(&home.log())?;
        let data = home.data();
        let mut command = home.account().command(Path::new("/bin/sh"), home.folder());
        command.args(["-c", SCRIPT, "private-postgres"]).arg(&data).arg("/usr/bin/env");
        for (name, value) in environment {
            let mut pair = name.clone();
            pair.push("=");
            pair.push(value);
            command.arg(pair);
        }
        command.arg(binaries.tool("postgres")?).arg("-D").arg(&data);
        command.arg("-p").arg(port.to_string());
        let errors = output.try_clone().when(|| format!("open {}", home.log().display()))?;
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // Ctrl-C in a terminal reaches the whole process group; the server must outlive our clean-up.
        let child = command.process_group(0).spawn().when(|| "start PostgreSQL".to_owned())?;
        let mut started = Self { child };
        started.wait_until_ready(home, before).inspect_err(|_| started.quit())?;
        Ok(started)
    }

    fn wait_until_ready(&mut self, home: &Home, before: u64) -> std::result::Result<(), NotUp> {
        let start = Instant::now();
        while !self.is_ready(&home.data()) {
            if self.exited().is_some() {
                return Err(why(home, before, "PostgreSQL did not start"));
            }
            if start.elapsed() > READY_WITHIN {
                let seconds = READY_WITHIN.as_secs();
                return Err(why(home, before, &format!("not ready within {seconds} s")));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// Whether the server has noted in its eighth line, for this run, that it takes connections.
    fn is_ready(&self, data: &Path) -> bool {
        let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        lines.next() == Some(self.child.id().to_string().as_str()) && lines.nth(6) == Some("ready")
    }

    /// The process id of the server.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the server ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal and waits for the end; answers whether it came in time.
    pub(crate) fn end(&mut self, signal: Signal, within: Duration) -> bool {
        if self.exited().is_none() {
            self.signal(signal);
        }
        let start = Instant::now();
        while self.exited().is_none() {
            if start.elapsed() > within {
                return false;
            }
            sleep(LOOK);
        }
        self.dismiss_watcher();
        true
    }

    /// Ends the server at once, whatever it is doing.
    fn quit(&mut self) {
        let _ = self.end(Signal::QUIT, Duration::from_secs(10))
            || self.end(Signal::KILL, Duration::from_secs(10));
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // Until we wait for it, the process keeps its id, so this cannot hit another one.
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }

    fn dismiss_watcher(&mut self) {
        if let Some(mut pipe) = self.child.stdin.take() {
            let _ = pipe.write_all(b"done\n");
        }
    }
}

/// Reads from the server's own words why it did not come up.
fn why(home: &Home, before: u64, what: &str) -> NotUp {
    let said = log::since(&home.log(), before);
    let error = failed(what, format!("{} ends with:\n{}", home.log().display(), log::tail(&said)));
    if said.contains("Address already in use") {
        NotUp::PortTaken(error)
    } else if said.contains("pre-existing shared memory block") {
        NotUp::StillEnding(error)
    } else {
        NotUp::Other(error)
    }
}
