//! The door from outside: who is let in, and what is answered.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod access;
mod cancelling;
mod codes;
mod creating;
mod describing;
mod ehealth;
mod events;
mod history;
mod erased;
mod importing;
mod listing;
mod logging;
mod looking;
mod operating;
mod positions;
mod past;
mod patient_history;
mod poison;
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
