//! What the verifier accepts, what it refuses, and how it says so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a sample that fails is a failed test")]

mod accepting;
mod counting;
mod forge;
mod refusing;
mod sample;
mod trusting;
mod unreadable;
