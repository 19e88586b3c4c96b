//! What can be proved about the log, without any outside: no database, no network, no clock.
//!
//! ```text
//!  chain       every row carries a hash over itself and the row before it
//!  tree        a Merkle tree over the hashes of a partition's rows, with proofs
//!  checkpoint  what the service says that a partition was, signed as a note
//!  erasure     the chain of what was erased of whom
//!  line        one event, or one erasure, on a line of an export
//!  export      a folder that proves itself
//! ```
//!
//! A row that is changed, moved or taken away no longer fits the row after it ([`chain`]); whoever
//! recomputes all that follows no longer fits a checkpoint ([`checkpoint`]) that was kept elsewhere.
//! The bytes are specified in `docs/audit.md`, so that somebody else can write the check.

pub mod chain;
pub mod checkpoint;
pub mod erasure;
pub mod export;
pub mod instant;
pub mod line;
pub mod note;
pub mod tree;
