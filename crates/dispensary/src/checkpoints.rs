//! Copies of signed checkpoints, kept beside the signed containers: whoever restores an older
//! database is found out by what the store has.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use uuid::Uuid;

use crate::Unavailable;

/// How the keys of all copies begin.
const FOLDER: &str = "checkpoints/";

/// The key of a copy. Text is `checkpoints/<log id>/<partition, 4 digits>/<size, 12
/// digits>-<epoch>-<erasures>-<id of the key that signed it, 8 hexadecimal digits>.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CheckpointKey {
    /// Names the log.
    pub log_id: Uuid,
    /// The partition.
    pub partition: u16,
    /// How many rows it covers.
    pub size: u64,
    /// Raised when a log lost its tail and went on: it may come to the same size again.
    pub epoch: u64,
    /// How many erasures it covers: one may be recorded while the log rests.
    pub erasures: u64,
    /// The id of the key that signed it: a new key signs again what an older one did.
    pub signed_by: [u8; 4],
}

impl CheckpointKey {
    /// What the keys of all checkpoints of a partition begin with.
    #[must_use]
    pub fn folder(log_id: Uuid, partition: u16) -> String {
        format!("{FOLDER}{log_id}/{partition:04}/")
    }
}

impl fmt::Display for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log_id, partition, size, epoch, erasures, signed_by } = self;
        let (folder, id) = (Self::folder(*log_id, *partition), u32::from_be_bytes(*signed_by));
        write!(f, "{folder}{size:012}-{epoch}-{erasures}-{id:08x}.txt")
    }
}

impl FromStr for CheckpointKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts =
            text.strip_prefix(FOLDER).and_then(|it| it.strip_suffix(".txt")).ok_or(())?.split('/');
        let mut next = || parts.next().ok_or(());
        let log_id = next()?.parse().map_err(|_| ())?;
        let partition = next()?.parse().map_err(|_| ())?;
        let mut numbers = next()?.split('-');
        let mut number = || numbers.next().ok_or(());
        let key = Self {
            log_id,
            partition,
            size: number()?.parse().map_err(|_| ())?,
            epoch: number()?.parse().map_err(|_| ())?,
            erasures: number()?.parse().map_err(|_| ())?,
            signed_by: u32::from_str_radix(number()?, 16).map_err(|_| ())?.to_be_bytes(),
        };
        // A number can be written in several ways, and only one of them is ours.
        (key.to_string() == text).then_some(key).ok_or(())
    }
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It is kept, now or since before.
    Kept,
    /// Another text stands under its key, and was left there.
    Other,
}

/// Where copies of signed checkpoints are kept.
#[async_trait]
pub trait CheckpointCopies: Send + Sync {
    /// Keeps a copy, unless something has its key already. Once this returns, it survives a crash.
    async fn keep(&self, key: CheckpointKey, note: &str) -> Result<Copied, Unavailable>;

    /// The copy, if it is there: as it is, whatever it should be.
    async fn copy(&self, key: CheckpointKey) -> Result<Option<Vec<u8>>, Unavailable>;

    /// The copies of larger checkpoints of the same partition, with whatever epoch and erasures; at
    /// most some thousand.
    async fn larger(&self, than: CheckpointKey) -> Result<Vec<CheckpointKey>, Unavailable>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in tests")]

    use super::*;

    const KEY: CheckpointKey = CheckpointKey {
        log_id: Uuid::from_u128(7),
        partition: 3,
        size: 1234,
        epoch: 1,
        erasures: 2,
        signed_by: [0xab, 0, 0, 1],
    };

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let text = KEY.to_string();
        assert_eq!(
            text,
            "checkpoints/00000000-0000-0000-0000-000000000007/0003/000000001234-1-2-ab000001.txt"
        );
        assert_eq!(text.parse(), Ok(KEY));
    }

    #[test]
    fn what_is_written_otherwise_is_no_key() {
        let text = KEY.to_string();
        let others = [
            text.replace("0003", "3"),
            text.replace("000000001234", "1234"),
            text.replace("-1-2", "-1"),
            text.replace("-1-2", "-1-2-3"),
            text.replace("ab000001", "AB000001"),
            text.replace(".txt", ""),
            text.replace("checkpoints/", ""),
            text.replace("/0003/", "/0003/0003/"),
            text.replace("-2-", "-+2-"),
        ];
        for other in others {
            assert_eq!(other.parse::<CheckpointKey>(), Err(()), "{other}");
        }
    }
}
