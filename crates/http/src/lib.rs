//! Placeholder.

pub mod auth;
