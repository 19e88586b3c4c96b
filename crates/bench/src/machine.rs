//! What the processes use of the machine, as Linux counts it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::ops::Sub;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};

/// The unit of processor time in `/proc`: a hundredth of a second wherever Linux runs (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Processor time since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// Of the service.
    pub(crate) service: Duration,
    /// Of all of PostgreSQL's processes, those that have ended too.
    pub(crate) postgres: Duration,
    /// Of this process, which is the load.
    pub(crate) load: Duration,
    /// Of programs that we started and that have ended, such as pgbench.
    pub(crate) tools: Duration,
}

impl CpuTime {
    /// Reads what was used so far.
    pub(crate) fn now(service: u32, postgres: u32) -> anyhow::Result<Self> {
        let processes = processes()?;
        let here = processes
            .get(&std::process::id())
            .ok_or_else(|| anyhow!("/proc does not show this process"))?;
        Ok(Self {
            service: family(&processes, service),
            postgres: family(&processes, postgres),
            load: here.own,
            tools: here.ended_children,
        })
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            service: self.service.saturating_sub(earlier.service),
            postgres: self.postgres.saturating_sub(earlier.postgres),
            load: self.load.saturating_sub(earlier.load),
            tools: self.tools.saturating_sub(earlier.tools),
        }
    }
}

/// One process, as `/proc/<pid>/stat` tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

/// Every process of the machine.
fn processes() -> anyhow::Result<BTreeMap<u32, Process>> {
    let mut processes = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("/proc cannot be read")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while we look.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok();
        if let Some(process) = stat.and_then(|stat| process(&stat)) {
            processes.insert(id, process);
        }
    }
    Ok(processes)
}

/// Reads `4711 (a name) S 1 …`: the name may hold anything, so what counts begins after its end.
fn process(stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let members: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |place: usize| members.get(place)?.parse::<u32>().ok();
    Some(Process {
        parent: ticks(1)?,
        own: TICK * (ticks(11)? + ticks(12)?),
        ended_children: TICK * (ticks(13)? + ticks(14)?),
    })
}

/// The time of a process and of all that descend from it.
fn family(processes: &BTreeMap<u32, Process>, head: u32) -> Duration {
    let own = processes.get(&head).map_or(Duration::ZERO, |it| it.own + it.ended_children);
    let children = processes.iter().filter(|(_, it)| it.parent == head);
    own + children.map(|(&child, _)| family(processes, child)).sum::<Duration>()
}

/// A process that was watched to its end.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) success: bool,
    /// The most memory that it used, in bytes.
    pub(crate) peak: u64,
    /// What it said on standard error.
    pub(crate) said: String,
}

/// How often a process is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(20);

impl Watched {
    /// Runs a command to its end.
    pub(crate) fn run(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().context("a command did not start")?;
        let mut peak = 0;
        let status = loop {
            if let Some(status) = process.try_wait()? {
                break status;
            }
            // It may end while we look.
            peak = Memory::of(process.id()).map_or(peak, |memory| memory.peak.max(peak));
            thread::sleep(WATCH_EVERY);
        };
        let mut said = String::new();
        if let Some(mut stderr) = process.stderr.take() {
            stderr.read_to_string(&mut said)?;
        }
        Ok(Self { success: status.success(), peak, said })
    }
}

/// Memory of a process, in bytes that are really there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// The most that it ever was.
    pub(crate) peak: u64,
}

impl Memory {
    /// The memory of a process that runs.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{process}/status");
        let status = fs::read_to_string(&path).with_context(|| format!("{path} is gone"))?;
        Self::read(&status).ok_or_else(|| anyhow!("{path} does not tell of memory"))
    }

    fn read(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(kibibytes * 1024)
        };
        Some(Self { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_confuses_nobody() {
        let stat = "42 (tricky) name) S 7 42 42 0 -1 4194304 10 0 0 0 250 50 3 4 20 0 1 0 99";
        let found = process(stat).unwrap();
        assert_eq!(found.parent, 7);
        assert_eq!(found.own, Duration::from_secs(3));
        assert_eq!(found.ended_children, Duration::from_millis(70));
        assert_eq!(process("42 (cut off"), None);
    }

    #[test]
    fn a_family_is_all_that_descends_and_all_that_has_ended() {
        let it = |parent, own| Process {
            parent,
            own: Duration::from_secs(own),
            ended_children: Duration::from_millis(1),
        };
        let processes =
            BTreeMap::from([(1, it(0, 1)), (2, it(1, 10)), (3, it(2, 100)), (4, it(9, 5))]);
        assert_eq!(family(&processes, 1), Duration::from_millis(111_003));
        assert_eq!(family(&processes, 5), Duration::ZERO);
    }

    #[test]
    fn our_own_time_and_memory_can_be_read() {
        let here = std::process::id();
        let before = CpuTime::now(here, here).unwrap();
        while (CpuTime::now(here, here).unwrap() - before).load < TICK {}
        let memory = Memory::of(here).unwrap();
        assert!(memory.resident > 1_000_000 && memory.peak >= memory.resident);
    }

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\tdispense\nVmHWM:\t   40960 kB\nVmRSS:\t   20480 kB\n";
        let found = Memory::read(status).unwrap();
        assert_eq!((found.resident, found.peak), (20 << 20, 40 << 20));
        assert_eq!(Memory::read("Name:\tdispense\n"), None);
    }
}
