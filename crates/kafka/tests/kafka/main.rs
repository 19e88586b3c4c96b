//! Streams on a real broker.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests, also in their helpers")]

mod broker;
mod filling;
mod reading;
mod refilling;
mod relay_log;
mod relaying;
mod resuming;
mod stage;
mod streams;
mod topics;
mod verifying;
