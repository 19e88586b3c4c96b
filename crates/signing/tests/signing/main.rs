//! What the verifier accepts, what it refuses, and how it says so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a sample that fails is a failed test")]

mod accepting;
mod counting;
mod crowding;
mod developing;
mod forge;
mod loading;
mod naming;
mod refusing;
mod revoking;
mod sample;
mod trusting;
mod unreadable;
