//! The door from outside: who is let in, and what is answered.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod access;
mod cancelling;
mod codes;
mod creating;
mod describing;
mod ehealth;
mod erased;
mod events;
mod history;
mod importing;
mod listing;
mod logging;
mod looking;
mod messages;
mod operating;
mod past;
mod patient_history;
mod poison;
mod positions;
mod processing;
mod proving;
mod qualifying;
mod refusals;
mod reporting;
mod schema;
mod serving;
mod tokens;
mod transport;
mod trying;
mod verifying;
mod world;
