//! The door from outside: who is let in, and what is answered.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod access;
mod cancelling;
mod codes;
mod creating;
mod describing;
mod ehealth;
mod events;
mod erased;
mod history;
mod importing;
mod logging;
mod looking;
mod operating;
mod positions;
mod past;
mod poison;
mod processing;
mod proving;
mod qualifying;
mod refusals;
mod schema;
mod serving;
mod tokens;
mod transport;
mod trying;
mod verifying;
mod world;
