//! Containers in real folders, with real faults: full and read-only file systems, folders that are
//! gone, processes that are killed. Nothing is imitated but the bucket, for the shape of requests.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests, also in their helpers")]

mod bucket;
mod checkpoints;
mod faults;
mod keeping;
mod killed;
mod opening;
mod own_process;
mod sample;
