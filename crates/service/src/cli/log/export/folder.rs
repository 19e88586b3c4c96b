//! The folder of an export: a file has its name once it is whole and durable, and not before.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// What the name of a file ends with that is still being written. It begins with a dot as well, which
/// whoever reads an export passes over.
const UNFINISHED: &str = ".part";

/// A folder that is exported to.
pub(super) struct Folder(PathBuf);

/// A file that is being written.
pub(super) struct Unfinished {
    path: PathBuf,
    name: PathBuf,
    file: BufWriter<File>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let made = fs::create_dir_all(path);
        made.with_context(|| format!("cannot make the folder {}", path.display()))?;
        // A folder without one above it could not be made durable where it is named.
        Ok(Self(std::path::absolute(path)?))
    }

    pub(super) fn shown(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    /// The text of a file, if it is there.
    pub(super) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        match fs::read_to_string(self.0.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {name}")),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether nothing stands in it.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(fs::read_dir(&self.0)?.next().is_none())
    }

    /// The numbers of the files in a folder of it, which end like that; none if it is not there.
    pub(super) fn numbers(&self, name: &str, end: &str) -> anyhow::Result<Vec<u64>> {
        let found = match fs::read_dir(self.0.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            found => found.with_context(|| format!("cannot read {name}"))?,
        };
        let mut numbers = Vec::new();
        for file in found {
            let file = file?.file_name();
            let number = file.to_str().and_then(|it| it.strip_suffix(end)?.parse::<u64>().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Begins a file, in place of one that was left unfinished.
    pub(super) fn begin(&self, name: &str) -> anyhow::Result<Unfinished> {
        let name = self.0.join(name);
        let folder = name.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).and_then(|()| sync(folder.parent().unwrap_or(folder)))?;
        let file = name.file_name().map(|it| it.to_string_lossy()).unwrap_or_default();
        let path = folder.join(format!(".{file}{UNFINISHED}"));
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Unfinished { path, name, file: BufWriter::new(file) })
    }

    /// Writes a whole file, unless it is there with this text.
    pub(super) fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        if self.read(name)?.as_deref() == Some(text) {
            return Ok(());
        }
        let mut file = self.begin(name)?;
        file.add(text)?;
        file.finish()
    }
}

impl Unfinished {
    pub(super) fn add(&mut self, text: &str) -> anyhow::Result<()> {
        let written = self.file.write_all(text.as_bytes());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Gives it its name, once it is durable.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self { path, name, file } = self;
        let shown = format!("cannot write {}", path.display());
        let file = file.into_inner().map_err(io::IntoInnerError::into_error).context(shown)?;
        file.sync_all()?;
        fs::rename(&path, &name)?;
        Ok(name.parent().map_or(Ok(()), sync)?)
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
