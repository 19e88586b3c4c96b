//! What is announced, and what the registries announce: Apache Kafka.
//!
//! ```text
//!   log ─▶ relay ─▶ ndp.events.*            messages and their place in one Kafka transaction
//!   ndp.registry.* ─▶ registry ─▶ database  lines and their offset in one database transaction
//! ```
//!
//! Kafka never stops a command: the log is the outbox, and the relay reads it.

mod client;
mod cluster;
mod complaints;
mod error;
mod place;
mod places;
mod positions;
mod producer;
mod reader;
mod record;
pub mod refill;
mod registry;
mod relay;
pub mod resume;
mod scribe;
mod settings;
pub mod topics;
pub mod verify;

pub use error::{Cause, StreamError};
pub use place::Place;
pub use places::{announced, places};
pub use record::Record;
pub use registry::RegistryReader;
pub use relay::Relay;
pub use settings::{Connection, Mechanism, Sasl, Settings, Tls};

/// Where the relay keeps up to where each partition of the log was announced; compacted.
pub const POSITIONS_TOPIC: &str = "ndp.dispense.positions";

/// How topics of registry data begin; the kind follows.
pub const REGISTRY_TOPICS: &str = "ndp.registry.";

/// Where messages of the registries go that cannot be applied.
pub const DEAD_LETTER_TOPIC: &str = "ndp.registry.dead_letter";
