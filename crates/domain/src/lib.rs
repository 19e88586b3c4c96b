//! The rules of dispensing, and nothing else.
//!
//! A pharmacy first places a *hold* on a medication request, so that no other pharmacy can dispense
//! the same tablets. The hold is then *processed* (handed over and signed for), *cancelled*, or left
//! to *expire*:
//!
//! ```text
//!   CreateHold            (signed hand-over)
//!  ────────────▶ Held ──────────────────────▶ Processed
//!                 │  Cancel
//!                 ├─────────────────────────▶ Cancelled
//!                 │  time runs out
//!                 └─────────────────────────▶ Expired
//!
//!   CreateHold under a program without signature
//!  ──────────────────────────────────────────▶ Processed
//! ```
//!
//! What must never be dispensed twice is the medication request, so all dispenses of one medication
//! request form one aggregate, [`Dispensing`], and one stream in the event log. The invariant:
//! **processed + live holds ≤ prescribed, at every position of the log.**
//!
//! [`decide()`] turns a command into events or [`Refusals`]; [`evolve`] turns an event into the next
//! state. Both are plain functions: no clock, no database, no network. What a decision may look at
//! is handed to it as [`Sight`], so the same log always decides the same way.
//!
//! Start reading at [`Dispensing`], then [`decide()`], then the table of rules in
//! [`decide::create_hold`] and [`decide::process`]. Every rule has one variant in [`Code`].

mod as_was;
mod carried;
pub mod command;
mod content;
pub mod decide;
mod digest;
mod dispensing;
mod event;
mod evidence;
mod id;
mod money;
mod number;
mod personal;
pub mod qualify;
mod quantity;
pub mod refusal;
pub mod registry;
mod signature;
mod text;
pub mod upcast;

pub use carried::Carried;
pub use command::{
    Cancel, CodeTurn, Command, CreateHold, DispenseDay, Expire, NewItem, Prices, Process, Reach,
    Stated,
};
pub use content::{AmountPaid, ContentFault, SignedContent};
pub use decide::decide;
pub use digest::Digest;
pub use dispensing::{Dispense, Dispensing, Question, Status, evolve};
pub use event::{
    Cancelled, DispenseEvent, DivisionAsWas, DosageAsWas, Expired, HoldCreated, Item,
    MedicationAsWas, PrescribedMedication, Processed, ProgramAsWas, RequestAsWas, StoredContent,
};
pub use evidence::{
    Approved, Care, Deviation, Evidence, InvalidDeviation, OtherRequest, Provision,
    RequestEvidence, Sight, Switch, Terms,
};
pub use id::*;
pub use money::{InvalidMoney, Money};
pub use number::{exact, exact_option, json_number};
pub use personal::{
    CancelledBody, DivisionContact, DoctorAsWas, HoldBody, PartyAsWas, PersonAsWas, Personal,
    ProcessedBody, RequestBody, Salt, salt_for,
};
pub use quantity::{InvalidQuantity, Quantity, Remaining};
pub use refusal::{Code, Definition, Kind, Member, Place, Refusal, Refusals};
pub use signature::{SignatureFault, Signer};
pub use text::{InvalidText, LongText, Text};
