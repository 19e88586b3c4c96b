//! A folder for each test, and words with a server.

use std::path::Path;
use std::process::Command;

use dispense_embedded::{Binaries, Server};
use tempfile::TempDir;

/// A folder that goes away after the test. Root's own folders could not be reached by the server.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    folder
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
}

/// What the server answers to a statement.
pub(crate) fn ask(server: &Server, statement: &str) -> String {
    asked(&server.admin_url("postgres"), statement).unwrap()
}

/// What the server at `url` answers, or why it does not.
pub(crate) fn asked(url: &str, statement: &str) -> Result<String, String> {
    let answer = Command::new(Binaries::find().unwrap().tool("psql").unwrap())
        .args(["--no-psqlrc", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"])
        .args(["--command", statement, url])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if answer.status.success() { Ok(text(&answer.stdout)) } else { Err(text(&answer.stderr)) }
}

/// Makes a table with one row.
pub(crate) fn write_down(server: &Server) {
    ask(server, "create table kept (word text); insert into kept values ('tablets')");
}

/// Reads that row.
pub(crate) fn read_back(server: &Server) -> String {
    ask(server, "select word from kept")
}
