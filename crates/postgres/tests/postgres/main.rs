//! Every statement, on a real database.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests, also in their helpers")]
#![allow(clippy::doc_markdown, reason = "PostgreSQL is a name, not code")]

mod access_log;
mod balances;
mod checkpoints;
mod contents;
mod database;
mod dispenses;
mod erasing;
mod evidence;
mod following;
mod history;
mod import;
mod migrating;
mod reading_past;
mod reading_positions;
mod registry;
mod registry_changes;
mod registry_stream;
mod relay;
mod reports;
mod sample;
mod tree;
mod trying;
mod world;
mod writer;
mod wrong_codes;
