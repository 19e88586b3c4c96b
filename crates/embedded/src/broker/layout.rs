//! Which node listens where, and which files are its own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Result, While};
use crate::home::Home;
use crate::port;

/// The file in the folder that says where the nodes listen.
const MEMO: &str = "ports";

/// How many ports a node needs.
const EACH: usize = 3;

/// Where one node listens on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    /// For clients, with whatever they must show.
    pub(crate) clients: u16,
    /// For the other nodes and for us, who need to show nothing.
    pub(crate) inside: u16,
    /// For the quorum that keeps what the cluster knows about itself.
    pub(crate) quorum: u16,
}

impl Ports {
    fn all(self) -> [u16; EACH] {
        [self.clients, self.inside, self.quorum]
    }

    /// Reads those of the last time, so that what people have pasted elsewhere stays right.
    pub(crate) fn kept(home: &Home, nodes: usize) -> Option<Vec<Self>> {
        let text = fs::read_to_string(home.folder().join(MEMO)).ok()?;
        let ports: Vec<u16> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let ports: Vec<Self> = ports.as_chunks::<EACH>().0.iter().map(Self::from).collect();
        (ports.len() == nodes).then_some(ports)
    }

    /// Picks free ones, each for one purpose.
    pub(crate) fn pick(nodes: usize) -> Result<Vec<Self>> {
        let mut picked: Vec<u16> = Vec::new();
        while picked.len() < nodes * EACH {
            let port = port::pick()?;
            if !picked.contains(&port) {
                picked.push(port);
            }
        }
        Ok(picked.as_chunks::<EACH>().0.iter().map(Self::from).collect())
    }

    /// Writes down where the nodes listen.
    pub(crate) fn keep(home: &Home, ports: &[Self]) -> Result<()> {
        let words: Vec<String> =
            ports.iter().flat_map(|p| p.all()).map(|p| p.to_string()).collect();
        let path = home.folder().join(MEMO);
        fs::write(&path, words.join(" ")).when(|| format!("write {}", path.display()))
    }

    /// Whether nobody listens on any of them.
    pub(crate) fn are_free(self) -> bool {
        self.all().into_iter().all(port::is_free)
    }
}

impl From<&[u16; EACH]> for Ports {
    fn from(&[clients, inside, quorum]: &[u16; EACH]) -> Self {
        Self { clients, inside, quorum }
    }
}

/// The files of one node.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Those of the node with this id; the folder is made.
    pub(crate) fn of(home: &Home, id: usize) -> Result<Self> {
        let folder = home.folder().join(format!("node-{id}"));
        fs::create_dir_all(&folder).when(|| format!("make the folder {}", folder.display()))?;
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the node keeps.
    pub(crate) fn kept(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its settings.
    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    /// What it says.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The process that runs it.
    pub(crate) fn pid(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Where its libraries are unpacked.
    pub(crate) fn unpacked(&self) -> PathBuf {
        self.folder.join("unpacked")
    }
}
