//! Private servers, started for real: what is kept, what ends, and what stays apart.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod broker;
mod clock;
mod sample;
mod server;
mod with_servers;
