//! Signed checkpoints: taken in turns, held against the ones before, kept here and in the object store.
//!
//! ```text
//!  turn ─▶ is the log still what the last checkpoints say?   of the database and of the object store
//!          └─ no: say so, and sign nothing
//!          sign ─▶ copy in the object store ─▶ row here      a crash between leaves a copy that fits
//!          look at some copies                               missing, or another: say so
//! ```

mod copies;
mod keeping;
mod proofs;
mod rounds;
mod rows;

pub use copies::Restored;
pub use keeping::{CheckpointKeeper, NotTaken, Taken};
pub use proofs::PgProofs;
pub use rounds::Finding;
