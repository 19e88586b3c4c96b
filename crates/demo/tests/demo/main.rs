//! The demo registry, judged by its lines alone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken line is a failed test")]

mod contents;
mod dispensing;
mod form;
mod registry;
mod stability;
