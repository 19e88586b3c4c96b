//! What a use case does, in which order, and what it hands on.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod announcements;
mod demo;
mod document;
mod outside;
mod past;
mod positions;
mod qualify;
mod registries;
mod requests;
