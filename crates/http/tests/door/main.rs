//! The door from outside: who is let in, and what is answered.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod tokens;
