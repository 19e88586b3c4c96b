//! A test in a process of its own: one with its own mounts and limits, or one to be killed.

use std::process::Command;

/// Which part of a test this process plays; none in the process of the test itself.
const PART: &str = "DISPENSE_CONTENT_TEST_PART";

/// What this process was started for.
pub(crate) fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// This very program, to run the test `name` and nothing else, as that `part` of it. What comes
/// `before` its name on the command line starts it.
pub(crate) fn test(name: &str, part: &str, before: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut words = before.iter().map(std::ffi::OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args([name, "--exact", "--nocapture", "--test-threads=1"]).env(PART, part);
    command
}

/// Runs it, and demands that it succeeds.
pub(crate) fn succeeds(mut command: Command) {
    let output = command.output().unwrap();
    let (said, wrong) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{:?}: {said}\n{wrong}", output.status);
    assert!(said.contains("1 passed"), "it did not run: {said}\n{wrong}");
}
