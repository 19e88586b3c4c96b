//! A PostgreSQL of a test's own, which may be stopped, crashed, frozen and set to another time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use dispense_embedded::{Builder, Mode, Server};
use tempfile::TempDir;

use super::process::{signal, temporary};

/// A server, which is gone with its data when this is dropped.
#[derive(Clone)]
pub(crate) struct OwnServer(Arc<Inner>);

struct Inner {
    server: Mutex<Server>,
    /// The address of the server, which outlives a stop.
    url: String,
    log: PathBuf,
    _folder: TempDir,
}

impl OwnServer {
    pub(crate) async fn start() -> Self {
        Self::built(|builder| builder).await.unwrap()
    }

    /// A server that is built in a special way.
    pub(crate) async fn built(
        built: impl FnOnce(Builder) -> Builder + Send + 'static,
    ) -> dispense_embedded::Result<Self> {
        let start = || {
            let folder = temporary();
            let builder = Server::builder(folder.path().join("server")).throwaway();
            let server = built(builder.setting("max_connections", 200)).start()?;
            let (url, log) = (server.admin_url("postgres"), server.log());
            let server = Mutex::new(server);
            Ok(Self(Arc::new(Inner { server, url, log, _folder: folder })))
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    /// The address of its first database.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.0.log).unwrap_or_default()).into_owned()
    }

    async fn with<T: Send + 'static>(&self, work: fn(&mut Server) -> T) -> T {
        let inner = self.0.clone();
        let work = move || work(&mut inner.server.lock().unwrap());
        tokio::task::spawn_blocking(work).await.unwrap()
    }

    /// Stops it as `pg_ctl stop -m immediate` does: as in a crash.
    pub(crate) async fn crash(&self) {
        self.with(|server| server.stop(Mode::Immediate)).await.unwrap();
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(&self) {
        self.with(|server| server.stop(Mode::Fast)).await.unwrap();
    }

    /// Starts it again, on the same port.
    pub(crate) async fn start_again(&self) {
        self.with(Server::start_again).await.unwrap();
    }

    /// Sets its clock off from the real one.
    pub(crate) fn step_clock(&self, seconds: i64) {
        self.0.server.lock().unwrap().step_clock(seconds).unwrap();
    }

    /// Freezes all its processes, or lets them go on.
    pub(crate) fn freeze(&self, frozen: bool) {
        let postmaster = self.0.server.lock().unwrap().process_id().unwrap();
        let name = if frozen { "STOP" } else { "CONT" };
        for process in children(postmaster).into_iter().chain([postmaster]) {
            // A backend may have ended since it was listed.
            signal(process, name);
        }
    }
}

/// The children of a process.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| parent_of(*process) == Some(parent))
        .collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may hold anything: state, parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
