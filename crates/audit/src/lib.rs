//! What can be proved about the log, without any outside: no database, no network, no clock.
//!
//! Every row of the log carries a hash over itself and the row before it ([`chain`]), so that a row
//! that is changed, moved or taken away no longer fits. The bytes are specified in `docs/audit.md`,
//! so that somebody else can write the check.

pub mod chain;
pub mod erasure;
pub mod instant;
pub mod line;
pub mod tree;
