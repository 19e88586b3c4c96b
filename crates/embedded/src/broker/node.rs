//! One node of a broker, and its process while it runs.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::broker::answer;
use crate::broker::layout::{Files, Ports};
use crate::broker::program::Program;
use crate::error::{Error, Result, While, failed};
use crate::log;

/// How long a node may take until it serves; on a busy machine, one that was killed takes longest.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// How long a node may take to hand its work over before it is killed, which loses nothing.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How long the system may take to end a process that was killed.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// How often a node is looked at while it starts or stops.
const LOOK: Duration = Duration::from_millis(20);

/// Starts the node, and next to it a watcher that waits at the pipe on our end.
///
/// The watcher reads a line when all is well. If the pipe ends without one, we died, and it ends the node,
/// unless that process id is no longer the node's. A node may be stuck, so in the end it is killed.
const SCRIPT: &str = r#"
settings=$1; pid=$2; signal=$3; shift 3; node=$$
is_node() { grep -qsaF "$settings" "/proc/$node/cmdline"; }
echo "$node" >"$pid"
exec 3<&0 </dev/null
( (
    trap '' INT QUIT TERM HUP
    read -r word <&3 && exit
    is_node || exit
    kill "-$signal" "$node"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        is_node || exit
        sleep 1
    done
    kill -KILL "$node"
) >/dev/null 2>&1 & )
exec "$@" 3<&-
"#;

/// What becomes of a node whose owner dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphan {
    /// It hands its work over and ends.
    Stops,
    /// It ends at once, because nobody wants what it keeps.
    Dies,
}

impl Orphan {
    fn signal(self) -> &'static str {
        match self {
            Self::Stops => "TERM",
            Self::Dies => "KILL",
        }
    }
}

/// Why a node did not come up.
pub(crate) enum NotUp {
    /// Somebody else listens on one of its ports.
    PortTaken(Error),
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
            NotUp::PortTaken(error) | NotUp::Other(error) => error,
        }
    }
}

/// A node that runs or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: usize,
    pub(crate) files: Files,
    pub(crate) ports: Ports,
    running: Option<Running>,
}

/// A process, and our end of the watcher's pipe (the child's standard input).
#[derive(Debug)]
struct Running {
    child: Child,
    /// How long the log was before.
    before: u64,
}

impl Node {
    pub(crate) fn new(id: usize, files: Files, ports: Ports) -> Self {
        Self { id, files, ports, running: None }
    }

    /// Starts the process without waiting for it.
    pub(crate) fn launch(&mut self, program: &Program, orphan: Orphan) -> Result<()> {
        // Whoever was killed could not remove what was unpacked for it.
        let unpacked = self.files.unpacked();
        let _ = fs::remove_dir_all(&unpacked);
        fs::create_dir_all(&unpacked).when(|| format!("make {}", unpacked.display()))?;
        let (output, before) = log::open(&self.files.log())?;
        let errors = output.try_clone().when(|| format!("open {}", self.files.log().display()))?;
        let java = program.node();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "private-kafka"]);
        command.arg(self.files.settings()).arg(self.files.pid()).arg(orphan.signal());
        command.arg(java.get_program());
        command.arg(format!("-Djava.io.tmpdir={}", unpacked.display()));
        command.args(java.get_args()).arg(self.files.settings());
        for (name, value) in java.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.files.folder());
        command.stdin(Stdio::piped()).stdout(output).stderr(errors);
        // Ctrl-C in a terminal reaches the whole process group; the node must outlive our clean-up.
        let child = command.process_group(0).spawn().when(|| "start Apache Kafka".to_owned())?;
        self.running = Some(Running { child, before });
        Ok(())
    }

    /// Waits until this node says that it and all those `others` serve.
    pub(crate) fn wait_until_serving(
        &mut self,
        others: &[usize],
    ) -> std::result::Result<(), NotUp> {
        let start = Instant::now();
        while !self.serves(others) {
            if !self.is_running() {
                return Err(self.why("Apache Kafka did not start"));
            }
            if start.elapsed() > READY_WITHIN {
                let seconds = READY_WITHIN.as_secs();
                return Err(self.why(&format!("Apache Kafka does not serve within {seconds} s")));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    fn serves(&self, others: &[usize]) -> bool {
        let Ok(serving) = answer::serving(self.ports.inside) else {
            return false;
        };
        let listed = |id: &usize| i32::try_from(*id).is_ok_and(|id| serving.contains(&id));
        listed(&self.id) && others.iter().all(listed)
    }

    /// Reads from the node's own words why it does not serve.
    fn why(&self, what: &str) -> NotUp {
        let (path, before) =
            (self.files.log(), self.running.as_ref().map_or(0, |running| running.before));
        let said = log::since(&path, before);
        // What Kafka does after an error fills the end of its log, and helps nobody.
        let error = match said.find(" ERROR ") {
            Some(place) => format!("{} says:\n{}", path.display(), log::head(&said[place..])),
            None => format!("{} ends with:\n{}", path.display(), log::tail(&said)),
        };
        let error = failed(what, error);
        if said.contains("Address already in use") {
            NotUp::PortTaken(error)
        } else {
            NotUp::Other(error)
        }
    }

    /// The process id, while it runs.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// Whether its process is alive.
    pub(crate) fn is_running(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| matches!(running.child.try_wait(), Ok(None)))
    }

    /// Asks it to hand its work over and end, without waiting.
    pub(crate) fn ask_to_stop(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the end of a node that was asked to stop, and kills one that takes too long.
    pub(crate) fn wait_until_stopped(&mut self) -> Result<()> {
        if self.ends_within(STOP_WITHIN) { Ok(()) } else { self.kill() }
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL);
        if self.ends_within(GONE_WITHIN) {
            return Ok(());
        }
        let pid = self.process_id().unwrap_or_default();
        Err(failed(
            format!("Apache Kafka (process {pid}) did not end when it was killed"),
            "see whether the disk answers, then try again",
        ))
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > limit {
                return false;
            }
            sleep(LOOK);
        }
        if let Some(mut pipe) =
            self.running.take().and_then(|mut running| running.child.stdin.take())
        {
            let _ = pipe.write_all(b"done\n");
        }
        let _ = fs::remove_file(self.files.pid());
        true
    }

    fn signal(&mut self, signal: Signal) {
        if !self.is_running() {
            return;
        }
        // Until we wait for it, the process keeps its id, so this cannot hit another one.
        let pid = self.process_id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends a process that outlived the one that started it; the lock of the folder must be ours.
    pub(crate) fn stop_leftover(files: &Files) -> Result<()> {
        let noted = fs::read_to_string(files.pid()).ok();
        let Some(pid) = noted.and_then(|text| Pid::from_raw(text.trim().parse().ok()?)) else {
            return Ok(());
        };
        for (signal, patience) in [(Signal::TERM, STOP_WITHIN), (Signal::KILL, GONE_WITHIN)] {
            if is_node(pid, files) {
                let _ = kill_process(pid, signal);
            }
            let start = Instant::now();
            while is_node(pid, files) && start.elapsed() < patience {
                sleep(LOOK);
            }
        }
        if is_node(pid, files) {
            let pid = pid.as_raw_nonzero();
            let folder = files.folder().display();
            let what = format!("a broker with process id {pid} still runs in {folder}");
            return Err(failed(what, format!("stop it with `kill -9 {pid}`")));
        }
        let _ = fs::remove_file(files.pid());
        Ok(())
    }
}

/// Whether the process is a node that was started with these settings.
fn is_node(pid: Pid, files: &Files) -> bool {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let settings = files.settings();
    line.split(|byte| *byte == 0).any(|word| word == settings.as_os_str().as_encoded_bytes())
}
