//! The door: whatever comes over HTTP is believed here, or refused with a reason.
//!
//! ```text
//!  bytes ─▶ telemetry.rs   a name, a span and a counter for each request
//!             auth.rs      who asks; nothing else is looked at before
//!               body.rs    JSON ─▶ types; every violation with its path
//!                 ndp/     one file for each endpoint ─▶ the dispensary
//!                 ehealth/ the same
//!  bytes ◀─ problem.rs     whatever is not a success, in the shape of RFC 9457;
//!             ehealth/     or in the envelope of the register
//! ```
//!
//! No rule lives here: `ndp/` knows the words of the platform's API and `ehealth/` those of the
//! register's, `catalogue.rs` what each problem means and what to do about it. Start reading at
//! [`Door`], then `ndp/create.rs`.
//!
//! The service fills a [`Door`], binds a port and runs what [`serve`] returns.

mod access;
mod answer;
pub mod auth;
mod body;
mod catalogue;
mod csv;
mod cursor;
mod door;
mod ehealth;
pub mod explanation;
mod headers;
mod health;
mod idempotency_key;
mod ndp;
mod past;
mod positions;
mod problem;
mod qualified;
mod query;
mod routes;
mod server;
mod telemetry;
mod visit;

pub use body::MAX_BODY_BYTES;
pub use catalogue::problems_markdown;
pub use cursor::CursorKey;
pub use door::Door;
pub use ehealth::ehealth_openapi;
pub use health::{Check, CheckStatus, Health};
pub use ndp::events::readers::Readers;
pub use routes::{openapi, routes};
pub use server::{app, serve};
pub use telemetry::LOGS_OF_STRANGERS;
