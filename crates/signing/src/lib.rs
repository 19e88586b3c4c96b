//! Signed containers: who signed what, and whether it counts.
//!
//! A container is CMS `SignedData` (RFC 5652) in DER, with the document in it and one signature of a
//! person, as CAdES-BES makes it.
//!
//! ```text
//! bytes
//!   form         is it DER at all, and of a size that nobody suffers from?
//!   container    taken apart by one parser: document, certificates, signatures
//!   judge        exactly one signature, and not the seal of a company?
//!     algorithm, certificate, attributes      of the lists, for signing, of this document
//!     OpenSSL    the signature, from what was taken apart, written anew
//!     trust      the chain up to an anchor; revocation
//! who signed, or what is wrong; and the document
//! ```
//!
//! [`Verifier`] is the port [`dispensary::Signatures`]. [`development`] is an authority that issues
//! certificates to anybody, to try things by hand and for tests. Start reading at `judge.rs`.

mod algorithm;
mod attributes;
mod certificate;
mod container;
pub mod development;
mod flaw;
mod form;
mod in_force;
mod judge;
mod revocation;
mod trust;
mod verifier;

pub use container::{MAX_CERTIFICATES, MAX_CONTAINER};
pub use judge::{Outline, outline};
pub use trust::{LoadError, MAX_AUTHORITIES};
pub use verifier::{Verifier, VerifierSettings};
