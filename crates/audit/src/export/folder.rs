//! The names of the files of an export, relative to its folder.

/// What log it is.
pub const LOG: &str = "log.json";
/// All erasures.
pub const ERASURES: &str = "erasures.ndjson";
/// The folder with a folder of segments for each partition.
pub const EVENTS: &str = "events";
/// The folder with a folder of checkpoints for each partition.
pub const CHECKPOINTS: &str = "checkpoints";

/// The segment of a partition that begins with that position.
#[must_use]
pub fn segment(partition: u16, first: u64) -> String {
    format!("{EVENTS}/{partition:04}/{first:012}.ndjson")
}

/// The checkpoint of a partition at that size.
#[must_use]
pub fn checkpoint(partition: u16, size: u64) -> String {
    format!("{CHECKPOINTS}/{partition:04}/{size:012}.txt")
}
