//! Signed hand-overs while everything around them fails: the store, the process, the connection, the
//! certificate, the other one who was faster.
//!
//! ```text
//!   storage        full, read-only, gone, another one in its place
//!   kills          a kill, or a lost connection, between the container and its event
//!   races          two who want to end one hold; a hold that runs out meanwhile
//!   certificates   expired or revoked while the hold lives; lists that cannot be read
//!   crowd          many containers at once, as large as they may be
//! ```

mod certificates;
mod crowd;
mod kills;
mod races;
mod storage;
