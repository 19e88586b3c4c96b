//! The private PostgreSQL that both sides use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, ensure};
use dispense_embedded::Server;

/// Settings of the server, for pgbench and for the service alike.
///
/// Durable without exception. What differs from PostgreSQL's own values keeps checkpoints out of the
/// stretches, where they would hit whoever happens to run.
pub(crate) const SETTINGS: [(&str, &str); 7] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "512MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "30min"),
    ("max_connections", "300"),
];

/// The databases of the two sides.
pub(crate) const PGBENCH: &str = "pgbench";
pub(crate) const DISPENSE: &str = "dispense";

/// A fresh PostgreSQL with two empty databases, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    server: Server,
    // After the server, so that it is removed when the server has stopped.
    folder: Folder,
}

impl Database {
    /// Empties the folder and starts a server in it.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        Folder::check(folder)?;
        let data = folder.join("postgres");
        Server::remove(&data)?;
        let folder = Folder::fresh(folder)?;
        let builder = Server::builder(data).throwaway();
        let server = SETTINGS
            .into_iter()
            .fold(builder, |builder, (name, value)| builder.setting(name, value))
            .start()?;
        let database = Self { server, folder };
        for name in [PGBENCH, DISPENSE] {
            database.tell("postgres", &format!("CREATE DATABASE {name}"))?;
        }
        Ok(database)
    }

    /// The folder in which everything happens.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// The address of a database for its owner.
    pub(crate) fn admin_url(&self, database: &str) -> String {
        self.server.admin_url(database)
    }

    /// The address of the service's database for the role that serves.
    pub(crate) fn serving_url(&self) -> String {
        // The server listens on the loopback only and lives as long as this process.
        self.server.url("dispense_bench", "dispense-bench", DISPENSE)
    }

    /// The server's first process.
    pub(crate) fn process(&self) -> anyhow::Result<u32> {
        self.server
            .process_id()
            .ok_or_else(|| anyhow!("PostgreSQL has stopped; see {}", self.server.log().display()))
    }

    /// A command with one of PostgreSQL's programs, which reads nothing.
    pub(crate) fn tool(&self, name: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(self.server.binaries().tool(name)?);
        command.stdin(Stdio::null()).env("LC_ALL", "C");
        Ok(command)
    }

    /// Runs one statement as the superuser.
    pub(crate) fn tell(&self, database: &str, statement: &str) -> anyhow::Result<()> {
        let mut psql = self.tool("psql")?;
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", statement]);
        said(psql.arg(self.admin_url(database)))?;
        Ok(())
    }

    /// What a question answers: a line for each row, its columns apart by `|`.
    pub(crate) fn ask(&self, database: &str, question: &str) -> anyhow::Result<String> {
        let mut psql = self.tool("psql")?;
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--command", question]);
        said(psql.arg(self.admin_url(database)))
    }

    /// A file beside the data of the server, which it can write.
    pub(crate) fn writable(&self, name: &str) -> anyhow::Result<PathBuf> {
        Ok(PathBuf::from(self.ask("postgres", "SHOW data_directory")?.trim()).join(name))
    }

    /// Writes everything down, so that no stretch does it for an earlier one.
    pub(crate) fn checkpoint(&self) -> anyhow::Result<()> {
        self.tell("postgres", "CHECKPOINT")
    }
}

/// What a program says, if it succeeds.
pub(crate) fn said(command: &mut Command) -> anyhow::Result<String> {
    let program = Path::new(command.get_program()).to_owned();
    let answer =
        command.output().with_context(|| format!("{} did not start", program.display()))?;
    let errors = String::from_utf8_lossy(&answer.stderr);
    ensure!(answer.status.success(), "{} failed: {}", program.display(), errors.trim());
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// The file by which a folder is known that may be removed.
const MARK: &str = "MADE-BY-BENCH.txt";

/// A folder that is removed with all that is in it.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Refuses a folder that holds anything but what an earlier run has left.
    fn check(path: &Path) -> anyhow::Result<()> {
        let is_free = fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
        ensure!(
            is_free || path.join(MARK).exists(),
            "{} holds something that is not ours; name another folder, or remove it",
            path.display()
        );
        Ok(())
    }

    /// Empties a folder that was checked.
    fn fresh(path: &Path) -> anyhow::Result<Self> {
        let mark = path.join(MARK);
        if mark.exists() {
            fs::remove_dir_all(path)
                .with_context(|| format!("{} cannot be emptied", path.display()))?;
        }
        fs::create_dir_all(path).with_context(|| format!("{} cannot be made", path.display()))?;
        fs::write(&mark, "Made by `dispense bench`, and removed by it.\n")
            .with_context(|| format!("{} cannot be written", mark.display()))?;
        Ok(Self { path: path.canonicalize()? })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is emptied by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::dump::Dump;
    use crate::machine::CpuTime;
    use crate::pgbench::Pgbench;

    #[test]
    fn pgbench_holds_and_dumps_go_on_and_nothing_is_left() {
        let above = tempfile::tempdir().unwrap();
        // PostgreSQL does not run as root, and its user has to get there.
        fs::set_permissions(above.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let folder = above.path().join("bench");
        fs::create_dir_all(folder.join("left over")).unwrap();
        let refused = Database::start(&folder).unwrap_err().to_string();
        assert!(refused.contains("not ours") && folder.join("left over").exists(), "{refused}");
        fs::write(folder.join(MARK), "").unwrap();

        let database = Database::start(&folder).unwrap();
        assert!(!folder.join("left over").exists());
        let before = CpuTime::now(0, database.process().unwrap()).unwrap();
        let pgbench = Pgbench::prepare(&database).unwrap();
        let rate = pgbench.run(&database, 2, Duration::from_secs(1)).unwrap();
        assert!(rate > 10.0, "{rate}");
        let used = CpuTime::now(0, database.process().unwrap()).unwrap() - before;
        assert!(!used.postgres.is_zero() && !used.tools.is_zero(), "{used:?}");
        database.checkpoint().unwrap();

        let dump = Dump::start(&database).unwrap();
        while dump.begun() < 3 {
            thread::yield_now();
        }
        assert!(dump.stop().unwrap() >= 3);

        let wrong = database.tell(DISPENSE, "SELECT 1 FROM nowhere").unwrap_err().to_string();
        assert!(wrong.contains("nowhere"), "{wrong}");
        drop(database);
        assert!(!folder.exists());
    }
}
