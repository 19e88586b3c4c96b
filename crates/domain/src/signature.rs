//! Who signed for a hand-over, as the certificate says it.

/// The holder of the certificate that a container was signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The tax id (DRFO), as it stands in the subject, without its `TINUA-`.
    pub tax_id: Option<String>,
    /// The surname, as it stands in the subject.
    pub surname: Option<String>,
}

/// What is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    /// Not exactly one signature of a person (rule 4a of a hand-over).
    Count {
        /// Signatures of persons; 0 for what is no container at all.
        signatures: usize,
        /// Seals of companies.
        stamps: usize,
        /// Why nothing could be counted, for people.
        why: Option<String>,
    },
    /// The one signature does not hold (rule 4b).
    Invalid {
        /// Why, for people.
        why: String,
    },
}
