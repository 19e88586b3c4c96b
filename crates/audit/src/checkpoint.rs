//! Checkpoints: what the service says that a partition was, as the text of a signed note.
//!
//! ```text
//! dispense/0f8fad5b-d9cb-469f-a165-70867728950e/3     whose: the log, and the partition
//! 1048576                                             how many rows
//! Zvhv5TEjzQ7l2jwzTeI7fu4wNDlJx4dmTPiKxv8yi1Y=        the root of the Merkle tree over them
//! epoch 1                                             of the log; a restore that lost rows counts on
//! erasures 2 vSOdvkKQm0drMlGvnLIBw2p7jD2Q1ysQXZb4bFk= the last erasure, and its hash
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::chain::Hash;

/// What every origin begins with.
const ORIGIN: &str = "dispense/";

/// What a partition of a log was at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub log_id: Uuid,
    /// The partition.
    pub partition: u16,
    /// How many rows it had.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Hash,
    /// The epoch of the log.
    pub epoch: u64,
    /// The last erasure of the log, all partitions together.
    pub erasures: Erasures,
}

/// How far the chain of erasures had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasures {
    /// The number of the last one; 0 if there was none.
    pub number: u64,
    /// Its hash; if there was none, the hash before the first.
    pub hash: Hash,
}

/// The text is not that of a checkpoint; the name is that of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line `{0}` of the checkpoint is missing or malformed")]
pub struct NoCheckpoint(&'static str);

impl Checkpoint {
    /// The text to sign.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{ORIGIN}{}/{}\n{}\n{}\nepoch {}\nerasures {} {}\n",
            self.log_id.hyphenated(),
            self.partition,
            self.size,
            STANDARD.encode(self.root),
            self.epoch,
            self.erasures.number,
            STANDARD.encode(self.erasures.hash),
        )
    }

    /// Reads the text of a checkpoint: these five lines, and nothing else.
    ///
    /// # Errors
    ///
    /// [`NoCheckpoint`] names the line.
    pub fn read(text: &str) -> Result<Self, NoCheckpoint> {
        let mut lines = text.split_terminator('\n');
        let mut line = |name| lines.next().ok_or(NoCheckpoint(name));
        let origin = line("origin")?.strip_prefix(ORIGIN).and_then(|it| it.split_once('/'));
        let (log_id, partition) = origin.ok_or(NoCheckpoint("origin"))?;
        let size = number(line("size")?, "size")?;
        let root = hash(line("root")?, "root")?;
        let epoch = line("epoch")?.strip_prefix("epoch ").ok_or(NoCheckpoint("epoch"))?;
        let erasures =
            line("erasures")?.strip_prefix("erasures ").and_then(|it| it.split_once(' '));
        let (last, last_hash) = erasures.ok_or(NoCheckpoint("erasures"))?;
        let read = Self {
            log_id: log_id.parse().map_err(|_| NoCheckpoint("origin"))?,
            partition: partition.parse().map_err(|_| NoCheckpoint("origin"))?,
            size,
            root,
            epoch: number(epoch, "epoch")?,
            erasures: Erasures {
                number: number(last, "erasures")?,
                hash: hash(last_hash, "erasures")?,
            },
        };
        // Zeros and signs before numbers, other forms of an id, and lines that follow.
        if read.text() == text { Ok(read) } else { Err(NoCheckpoint("end")) }
    }
}

fn number(text: &str, name: &'static str) -> Result<u64, NoCheckpoint> {
    text.parse().map_err(|_| NoCheckpoint(name))
}

fn hash(text: &str, name: &'static str) -> Result<Hash, NoCheckpoint> {
    let bytes = STANDARD.decode(text).map_err(|_| NoCheckpoint(name))?;
    bytes.try_into().map_err(|_| NoCheckpoint(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            log_id: Uuid::from_u128(0x0123_4567_89ab_cdef),
            partition: 3,
            size: 1_048_576,
            root: [1; 32],
            epoch: 2,
            erasures: Erasures { number: 17, hash: [2; 32] },
        }
    }

    const TEXT: &str = "dispense/00000000-0000-0000-0123-456789abcdef/3\n\
                        1048576\n\
                        AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n\
                        epoch 2\n\
                        erasures 17 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

    #[test]
    fn a_checkpoint_is_five_lines() {
        assert_eq!(checkpoint().text(), TEXT);
        assert_eq!(Checkpoint::read(TEXT), Ok(checkpoint()));
    }

    #[test]
    fn a_checkpoint_has_no_second_form() {
        for (from, to, line) in [
            ("dispense/", "dispense", "origin"),
            ("/3\n", "\n", "origin"),
            ("/3\n", "/65536\n", "origin"),
            ("/3\n", "/03\n", "end"),
            ("cdef", "CDEF", "end"),
            ("1048576", "+1048576", "end"),
            ("1048576", "01048576", "end"),
            ("1048576", "-1", "size"),
            ("1048576\n", "", "size"),
            ("AQE=", "AQE", "root"),
            ("AQE=", "AQF=", "root"),
            ("AQEB", "", "root"),
            ("epoch 2", "epoch  2", "epoch"),
            ("epoch 2\n", "", "epoch"),
            ("erasures 17 ", "erasures 17", "erasures"),
            ("erasures 17 ", "erasures x ", "erasures"),
            ("erasures 17 ", "more\nerasures 17 ", "erasures"),
            ("AgI=\n", "AgI=", "end"),
            ("AgI=\n", "AgI=\nmore\n", "end"),
            ("AgI=\n", "AgI=\r\n", "erasures"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            assert_eq!(
                Checkpoint::read(&TEXT.replacen(from, to, 1)),
                Err(NoCheckpoint(line)),
                "{from} {to}"
            );
        }
        assert_eq!(Checkpoint::read(""), Err(NoCheckpoint("origin")));
    }
}
