//! What pharmacies send: orders of holds, right ones, each for a fresh medication request, and wrong
//! ones; and signed hand-overs of holds.

mod belt;
mod hand_overs;
mod order;
mod pharmacies;
mod signers;
mod supply;

pub(crate) use belt::{Belt, Letter};
pub(crate) use hand_overs::HandOvers;
pub(crate) use pharmacies::{Desk, desks};
pub(crate) use signers::{Held, Signers};
pub(crate) use supply::Supply;
