//! The folder of a private server, and who may use it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::error::{Error, Result, While, failed};

/// Where data goes that the server's user could not reach in the wanted folder.
const ELSEWHERE: &str = "/var/lib/dispense";

/// The file in the wanted folder that says where the data is instead.
const NOTE: &str = "WHERE-THE-DATA-IS.txt";

/// How long a lock is waited for.
///
/// A process that is being started by another thread holds a copy of every open file until its program
/// has begun, so a lock that was just given back can seem taken for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// A locked folder with everything that belongs to one private server.
#[derive(Debug)]
pub(crate) struct Home {
    wanted: PathBuf,
    folder: PathBuf,
    account: Account,
    /// Held for as long as the folder is ours; the system frees it when we die.
    _lock: File,
}

impl Home {
    /// Makes the folder if need be, decides where its data lives, and locks it.
    pub(crate) fn open(wanted: &Path) -> Result<Self> {
        if let Some(above) = wanted.parent() {
            make(above, 0o777)?;
        }
        make(wanted, 0o700)?;
        let wanted = wanted.canonicalize().when(|| format!("open {}", wanted.display()))?;
        let account = Account::for_data(&wanted.join("data"))?;
        let (folder, account) =
            if suits(&wanted, account)? { (wanted.clone(), account) } else { move_out(&wanted)? };
        let lock = lock(&folder)?;
        Ok(Self { wanted, folder, account, _lock: lock })
    }

    /// Makes and locks a folder of a server that runs as we do, be it as root.
    pub(crate) fn open_for_us(wanted: &Path) -> Result<Self> {
        make(wanted, 0o700)?;
        let wanted = wanted.canonicalize().when(|| format!("open {}", wanted.display()))?;
        let lock = lock(&wanted)?;
        Ok(Self { folder: wanted.clone(), wanted, account: Account::Ours, _lock: lock })
    }

    /// Where the server's files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `initdb` made.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server says.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The user that runs the server.
    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// Writes a file that the server's user can read.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<()> {
        fs::write(path, text).when(|| format!("write {}", path.display()))?;
        self.account.own(path)
    }

    /// Removes the wanted folder, and the data wherever it is.
    pub(crate) fn remove(&self) -> Result<()> {
        for folder in [&self.folder, &self.wanted] {
            if folder.exists() {
                fs::remove_dir_all(folder).when(|| format!("remove {}", folder.display()))?;
            }
        }
        Ok(())
    }
}

/// Whether the wanted folder itself can hold the data; if so, its owner is set.
fn suits(wanted: &Path, account: Account) -> Result<bool> {
    if !account.is_other() {
        return Ok(true);
    }
    // Data that was moved out once stays there, even if the wanted folder could be reached by now.
    if wanted.join(NOTE).exists() && elsewhere(wanted).join("data").exists() {
        return Ok(false);
    }
    let above = wanted.parent().unwrap_or(Path::new("/"));
    Ok(account.can_enter(above)? && account.own(wanted).is_ok() && account.can_write(wanted)?)
}

/// Finds a place that the server's user can reach, the same one for the same wanted folder.
fn move_out(wanted: &Path) -> Result<(PathBuf, Account)> {
    let folder = elsewhere(wanted);
    make(Path::new(ELSEWHERE), 0o755)?;
    make(&folder, 0o700)?;
    let account = Account::for_data(&folder.join("data"))?;
    account.own(&folder)?;
    if !account.can_write(&folder)? {
        let (wanted, folder) = (wanted.display(), folder.display());
        let what = format!("the server's user can write neither {wanted} nor {folder}");
        return Err(failed(what, "choose another folder, such as one below /tmp"));
    }
    let note = format!(
        "{}\n\nPostgreSQL refuses to run as root, and the user it runs as cannot reach this folder.\n\
         So the data of {} is in the folder named above. Remove both to start afresh.\n",
        folder.display(),
        wanted.display(),
    );
    fs::write(wanted.join(NOTE), note).when(|| format!("write into {}", wanted.display()))?;
    Ok((folder, account))
}

/// FNV-1a over the path: it must name the same folder after an update of the compiler.
fn elsewhere(wanted: &Path) -> PathBuf {
    let hash =
        wanted.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    Path::new(ELSEWHERE).join(format!("{hash:016x}"))
}

fn make(folder: &Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .when(|| format!("make the folder {}", folder.display()))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .when(|| format!("open {}", path.display()))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = file.read_to_string(&mut owner);
                return Err(Error::InUse { folder: folder.to_owned(), owner });
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::Io { what: format!("lock {}", path.display()), source });
            }
        }
    }
    // Only for the message above, so a failure to write it is no reason to stop.
    let _ = file.set_len(0).and_then(|()| file.rewind());
    let _ = write!(file, "{}", std::process::id());
    Ok(file)
}
