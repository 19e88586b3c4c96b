//! The orders that pharmacies send: right ones, each for a fresh medication request, and wrong ones.

mod belt;
mod order;
mod pharmacies;
mod supply;

pub(crate) use belt::{Belt, Letter};
pub(crate) use pharmacies::{Desk, desks};
pub(crate) use supply::Supply;
