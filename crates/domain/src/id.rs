//! Typed ids, and how an id alone finds its partition.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Spares the boilerplate of ids; each keeps its own meaning in its own doc comment.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a UUID, for where it leaves the house.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A medication request (prescription); its registry owns it, we keep its id.
    MedicationRequestId;
    /// One dispense of a medication request. Derived, never drawn: [`DispenseId::asked_for`].
    DispenseId;
    /// A legal entity: the company that owns pharmacies, and the client of a token.
    LegalEntityId;
    /// A division: one pharmacy outlet or clinic site.
    DivisionId;
    /// A login account.
    UserId;
    /// A physical person who works somewhere.
    PartyId;
    /// A person's job in a legal entity.
    EmployeeId;
    /// A patient.
    PersonId;
    /// A medication: a substance, a dosage of it, or a brand.
    MedicationId;
    /// A medical program: who pays, and on what terms.
    MedicalProgramId;
    /// A participant: a brand in a medical program.
    ProgramMedicationId;
    /// One medication of a dispense, with its quantity and price.
    ItemId;
}

/// The low 16 bits of CRC-32/ISO-HDLC over the 16 bytes of an id in network order.
#[must_use]
pub fn slice(id: Uuid) -> u16 {
    let [_, _, high, low] = crc32fast::hash(id.as_bytes()).to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// How many partitions a log has: 1 to [`Partitions::MOST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions(u16);

impl Partitions {
    /// The most partitions that a log can have.
    pub const MOST: u16 = 1024;

    /// `count` partitions, if a log can have that many.
    #[must_use]
    pub const fn new(count: u16) -> Option<Self> {
        if count >= 1 && count <= Self::MOST { Some(Self(count)) } else { None }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u16 {
        self.0
    }

    /// Every partition, from the first to the last.
    pub fn all(self) -> impl Iterator<Item = u16> {
        0..self.0
    }

    /// The partition that a medication request belongs to.
    #[must_use]
    pub fn of_request(self, request: MedicationRequestId) -> u16 {
        slice(request.0) % self.0
    }

    /// The partition that a dispense belongs to: that of its medication request, whose slice the
    /// id carries in its last 16 bits.
    #[must_use]
    pub fn of_dispense(self, dispense: DispenseId) -> u16 {
        let bytes = dispense.0.as_bytes();
        u16::from_be_bytes([bytes[14], bytes[15]]) % self.0
    }
}

impl DispenseId {
    /// The id of the dispense that `client` asks for with `key`.
    ///
    /// The same question is the same dispense, so that a retry needs no table to be recognised:
    /// SHA-256(request ‖ client ‖ key), the first 16 bytes, marked as a version 8 UUID, its last 16
    /// bits replaced by the slice of the request.
    #[must_use]
    pub fn asked_for(request: MedicationRequestId, client: LegalEntityId, key: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(request.0.as_bytes());
        hash.update(client.0.as_bytes());
        hash.update(key.as_bytes());
        let hash = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        let mut bytes = uuid::Builder::from_custom_bytes(bytes).into_uuid().into_bytes();
        bytes[14..].copy_from_slice(&slice(request.0).to_be_bytes());
        Self(Uuid::from_bytes(bytes))
    }

    /// The id of the event of this kind; a dispense has at most one of each.
    #[must_use]
    pub fn event_id(self, event_type: &str) -> Uuid {
        Uuid::new_v5(&self.0, event_type.as_bytes())
    }

    /// The id of the item in place `index`, derived so that a replay renders the same one.
    #[must_use]
    pub fn item_id(self, index: usize) -> ItemId {
        ItemId(Uuid::new_v5(&self.0, format!("item {index}").as_bytes()))
    }
}
