//! An export of a log: a folder that proves itself, without a database and without a network.
//!
//! ```text
//! log.json                              the log, its partitions, its epoch, the key of its service
//! events/0003/000000000001.ndjson       rows of partition 3 from position 1 on, one on each line
//! checkpoints/0003/000001048576.txt     a signed checkpoint of the partition at that size
//! erasures.ndjson                       all erasures, one on each line
//! ```

mod folder;
mod log_file;

pub use folder::{CHECKPOINTS, ERASURES, EVENTS, LOG, checkpoint, segment};
pub use log_file::{FORMAT, LogFile, NoLogFile};
