//! All that is kept: the log and its writer, the registries, the read models.
//!
//! ```text
//!  append ─▶ queue ─▶ writer ─▶ one transaction for a whole batch:
//!                               lock log_head            a statement by itself
//!                               time, version, requests  one statement, with all about them
//!                               streams                  one statement, for those not remembered
//!                               decide                   domain, one command after the other
//!                               events, bodies, head     three statements, if there are events
//!                               wrong codes              one statement, if there are any
//!                               COMMIT                   then, and only then, every answer
//! ```
//!
//! [`PgLog`] implements [`dispensary::EventLog`], [`PgRegistry`] implements [`dispensary::Registry`];
//! [`follow`] reads on from the log into read models. Start reading at the module of the writer.

mod access_log;
mod answers;
mod balances;
mod batch;
mod checkpoints;
mod clock;
mod connect;
mod contents;
mod cursor_key;
mod days;
mod dispenses;
pub mod erase;
pub mod export;
mod facts;
mod fault;
pub mod faults;
mod folded;
pub mod follow;
mod history;
mod import;
mod log;
mod look;
pub mod lost_tail;
pub mod migrate;
pub mod notify;
mod open_holds;
mod outcome;
mod pages;
mod positions;
mod queue;
mod read_models;
pub mod rebuild;
mod registry;
mod registry_changes;
mod registry_stream;
mod relay;
pub mod replay;
mod reports;
mod rows;
mod settings;
mod statements;
mod sweep;
mod tree;
mod writer;
mod wrong_codes;

pub use access_log::PgAccessLog;
pub use balances::Balances;
pub use checkpoints::{CheckpointKeeper, Finding, NotTaken, PgProofs, Restored, Taken};
pub use connect::{follower_pool, pool, reachable};
pub use cursor_key::cursor_key;
pub use dispenses::{Dispenses, PgDispenses};
pub use history::{History, PgHistories};
pub use import::Importer;
pub use log::{PgLog, Running};
pub use open_holds::OpenHolds;
pub use positions::PgPositions;
pub use read_models::read_models;
pub use registry::PgRegistry;
pub use registry_changes::PgRegistryChanges;
pub use registry_stream::PgRegistryStream;
pub use relay::PgRelayLog;
pub use reports::{PgReimbursements, PgReports, Reports};
pub use settings::{LogSettings, NotServable};
pub use sweep::sweep;
pub use tree::{Branch, LogTree, NoProof, PgTree};
