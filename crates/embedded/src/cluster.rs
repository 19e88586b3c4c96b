//! What `initdb` makes: the data, the superuser and the settings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::binaries::Binaries;
use crate::error::{Result, While, failed};
use crate::home::Home;
use crate::random;

/// The superuser of a private server.
pub(crate) const SUPERUSER: &str = "postgres";

/// The file with our settings, which PostgreSQL reads after its own.
///
/// Settings on the command line would win over `ALTER SYSTEM`, so a test could not change them.
const SETTINGS: &str = "dispense.conf";

/// Settings of every private server. A socket in the folder would need a path of at most 107 bytes,
/// which the folder of a test can exceed, so there is none.
const DEFAULTS: [(&str, &str); 4] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// What is needed to use the data.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Programs of the version that made it.
    pub(crate) binaries: Binaries,
    /// The superuser's.
    pub(crate) password: String,
}

/// Makes the data if the folder is new, and answers what is needed to use it.
///
/// `throwaway` data is not pushed to the disk when it is made, because nobody wants it after a crash of
/// the machine; the server itself treats it like any other.
pub(crate) fn prepare(home: &Home, throwaway: bool) -> Result<Cluster> {
    let data = home.data();
    if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
        let major = version.trim().parse().map_err(|_| {
            failed(
                format!("{} says version {:?}", data.join("PG_VERSION").display(), version.trim()),
                "remove the folder to start afresh",
            )
        })?;
        let newest = Binaries::find()?;
        let fitting =
            if newest.major() == major { newest } else { Binaries::find_major(major, &data)? };
        return Ok(Cluster { binaries: fitting, password: password(home)? });
    }
    let binaries = Binaries::find()?;
    initdb(home, &binaries, throwaway)?;
    Ok(Cluster { binaries, password: password(home)? })
}

/// Runs `initdb` next to the final folder, so that data which is there is always whole.
fn initdb(home: &Home, binaries: &Binaries, throwaway: bool) -> Result<()> {
    let unfinished = home.folder().join("data.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).when(|| format!("remove {}", unfinished.display()))?;
    }
    let password = home.folder().join("password");
    draw_password(&password)?;
    home.account().own(&password)?;
    let mut command = home.account().command(&binaries.tool("initdb")?, home.folder());
    command.arg("--pgdata").arg(&unfinished).arg("--pwfile").arg(&password);
    command.args(["--username", SUPERUSER, "--auth", "scram-sha-256"]);
    command.args(["--encoding", "UTF8", "--locale", "C", "--no-instructions"]);
    if throwaway {
        command.arg("--no-sync");
    }
    let answer = command.output().when(|| "start initdb".to_owned())?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        let what = format!("initdb could not make {}", unfinished.display());
        return Err(failed(what, format!("it said: {}", said.trim())));
    }
    include_settings(&unfinished.join("postgresql.conf"))?;
    let data = home.data();
    fs::rename(&unfinished, &data).when(|| format!("make {}", data.display()))
}

fn include_settings(main: &Path) -> Result<()> {
    let file = OpenOptions::new().append(true).open(main);
    file.and_then(|mut file| writeln!(file, "\ninclude_if_exists = '{SETTINGS}'"))
        .when(|| format!("write {}", main.display()))
}

/// Writes our settings; they count from the next start on.
pub(crate) fn configure(home: &Home, settings: &BTreeMap<String, String>) -> Result<()> {
    let mut text = "# Written at every start; change it and the change is lost.\n".to_owned();
    let ours = DEFAULTS.into_iter().filter(|(name, _)| !settings.contains_key(*name));
    let given = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in ours.chain(given) {
        if name.is_empty() || !name.bytes().all(is_in_name) || value.contains('\n') {
            return Err(failed(
                format!("{name:?} = {value:?} is not a setting of PostgreSQL"),
                "write it like max_connections = 300",
            ));
        }
        let value = value.replace('\\', "\\\\").replace('\'', "''");
        let _ = writeln!(text, "{name} = '{value}'");
    }
    home.write(&home.data().join(SETTINGS), &text)
}

fn is_in_name(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'.'
}

fn password(home: &Home) -> Result<String> {
    let path = home.folder().join("password");
    fs::read_to_string(&path)
        .map(|text| text.trim().to_owned())
        .when(|| format!("read {} (remove its folder to start afresh)", path.display()))
}

/// Draws a password of 192 random bits; it is text that needs no escaping anywhere.
fn draw_password(path: &Path) -> Result<()> {
    let text =
        random::bytes::<24>()?.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    // A file of an earlier try may belong to the server's user.
    let _ = fs::remove_file(path);
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    options
        .and_then(|mut file| writeln!(file, "{text}"))
        .when(|| format!("write {}", path.display()))
}
