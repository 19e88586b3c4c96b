//! An export of a log: a folder that proves itself, without a database and without a network.
//!
//! ```text
//! log.json                              the log, its partitions, its epoch, the key of its service
//! events/0003/000000000001.ndjson       rows of partition 3 from position 1 on, one on each line
//! checkpoints/0003/000001048576.txt     a signed checkpoint of the partition at that size
//! erasures.ndjson                       all erasures, one on each line
//! ```
//!
//! [`verify`] reads it once, row after row. What it looks at, and in which order, stands in
//! `docs/audit.md`, and `docs/audit/verify.py` does the same from that page alone.

mod amount;
mod broken;
mod checkpoints;
mod erasures;
mod event;
mod folder;
mod json;
mod lines;
mod listing;
mod log_file;
mod partition;
mod streams;
mod summary;
mod verify;

pub use broken::{Broken, Kind, NotWhole, Place};
pub use checkpoints::{Kept, NotKept, Trust};
pub use folder::{CHECKPOINTS, ERASURES, EVENTS, LOG, checkpoint, segment};
pub use log_file::{FORMAT, LogFile, NoLogFile};
pub use summary::{PartitionSummary, Summary};
pub use verify::{Extent, extent, log, verify};

#[cfg(test)]
mod tests;
