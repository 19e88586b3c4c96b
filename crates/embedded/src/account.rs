//! Which user the server runs as.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result, While, failed};

/// Users that the server may run as when we are root, the better first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The user that runs the server and owns its data.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// We are an ordinary user, and so is the server.
    Ours,
    /// We are root, and the server is this user.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Picks the owner of existing data, so that root can start what an ordinary user made.
    pub(crate) fn for_data(data: &Path) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ours);
        }
        match fs::metadata(data) {
            Ok(found) if found.uid() != 0 => Ok(Self::Other { uid: found.uid(), gid: found.gid() }),
            _ => Self::unprivileged(),
        }
    }

    fn unprivileged() -> Result<Self> {
        let users = fs::read_to_string("/etc/passwd").when(|| "read /etc/passwd".to_owned())?;
        UNPRIVILEGED.iter().find_map(|name| entry(&users, name)).ok_or_else(|| {
            failed(
                "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`",
                "add one with `adduser --system --group postgres`, or run as an ordinary user",
            )
        })
    }

    /// Whether the server's user is not ours, so that it may be unable to reach a folder of ours.
    pub(crate) fn is_other(self) -> bool {
        matches!(self, Self::Other { .. })
    }

    /// A command of this user, with `folder` as its working directory.
    ///
    /// Settings of libpq in our environment would be read by PostgreSQL's programs too, and would lead
    /// them to another server.
    pub(crate) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir(folder);
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this user.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        match self {
            Self::Ours => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid))
                .when(|| format!("give {} to the user {uid}", path.display())),
        }
    }

    /// Whether this user can enter `folder`; asked of the system, which knows more than the mode bits.
    pub(crate) fn can_enter(self, folder: &Path) -> Result<bool> {
        self.succeeds(folder, "cd -- \"$1\"")
    }

    /// Whether this user can make files in `folder`.
    pub(crate) fn can_write(self, folder: &Path) -> Result<bool> {
        self.succeeds(folder, "cd -- \"$1\" && : >.probe && rm .probe")
    }

    fn succeeds(self, folder: &Path, script: &str) -> Result<bool> {
        let status = self
            .command(Path::new("/bin/sh"), Path::new("/"))
            .args(["-c", script, "sh"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match (status, self) {
            (Ok(status), _) => Ok(status.success()),
            (Err(source), Self::Other { uid, .. }) => {
                Err(Error::Io { what: format!("start /bin/sh as the user {uid}"), source })
            }
            (Err(source), Self::Ours) => {
                Err(Error::Io { what: "start /bin/sh".to_owned(), source })
            }
        }
    }
}

/// The ids of one user in the text of `/etc/passwd`.
fn entry(users: &str, wanted: &str) -> Option<Account> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(wanted)).then_some(fields))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account::Other { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::{Account, entry};

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let users = "postgresql:x:7:7::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/bash\n";
        let found = entry(users, "postgres").unwrap();
        assert!(matches!(found, Account::Other { uid: 101, gid: 104 }));
        assert!(entry(users, "nobody").is_none());
    }
}
