//! Where signed containers are kept: a folder or an S3 bucket.
//!
//! ```text
//!  Process ─▶ put  <dispense id>/<SHA-256>   put-if-absent, then durable: file, folder, store
//!             commit                         the event names that key
//!  verify ──▶ get                            checked against the digest in its key
//!  hourly ──▶ kept, remove                   what no event names
//! ```
//!
//! Copies of signed checkpoints stand in the same store, below `checkpoints/`, and are never removed.
//!
//! The container is stored before the event is committed, so that no event ever names what is not
//! there. What is left over when the commit fails is removed later. Start reading at
//! [`ObjectContents`].

mod address;
mod bucket;
mod checkpoints;
mod contents;
mod fault;
mod folder;
mod key;
mod store;

pub use address::NoAddress;
pub use contents::{NotUsable, ObjectContents};
