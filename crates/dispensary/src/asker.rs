//! Who asks: what the door believes of a caller, once a token or the gateway has vouched for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use dispense_domain::Reach;
use uuid::Uuid;

/// The scope that newer clients of the register carry in place of [`WRITE`].
const CREATE: &str = "medication_dispense:create";

/// The scope that allows to create a dispense.
const WRITE: &str = "medication_dispense:write";

/// Who asks: what a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The person who is logged in.
    pub user: Uuid,
    /// The legal entity for which the person acts.
    pub client: Uuid,
    /// What kind of client the legal entity is.
    pub client_type: ClientType,
    /// What the token allows.
    pub scopes: Scopes,
}

impl Asker {
    /// On whose dispenses the asker can act: the payer on everybody's (rules 5.5 and 5.6).
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self.client_type {
            ClientType::Nhs => Reach::All,
            ClientType::Pharmacy
            | ClientType::MspPharmacy
            | ClientType::Msp
            | ClientType::Mis
            | ClientType::Cabinet => Reach::Own,
        }
    }
}

/// What kind of client asks; it decides whose dispenses are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientType {
    /// A pharmacy company.
    Pharmacy,
    /// A medical service provider with pharmacies of its own.
    MspPharmacy,
    /// A medical service provider.
    Msp,
    /// The payer.
    Nhs,
    /// A medical information system.
    Mis,
    /// The patient's own cabinet.
    Cabinet,
}

impl ClientType {
    /// Returns the word of the register.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pharmacy => "PHARMACY",
            Self::MspPharmacy => "MSP_PHARMACY",
            Self::Msp => "MSP",
            Self::Nhs => "NHS",
            Self::Mis => "MIS",
            Self::Cabinet => "CABINET",
        }
    }

    /// Says whether such a client is shown the dispenses of its own legal entity alone.
    #[must_use]
    pub fn is_personal(self) -> bool {
        match self {
            Self::Pharmacy | Self::MspPharmacy | Self::Msp => true,
            Self::Nhs | Self::Mis | Self::Cabinet => false,
        }
    }

    /// Returns the client type of a legal entity of the given type, `None` if it has none.
    ///
    /// Outpatient and primary care are types of the register that act as medical service
    /// providers; a cabinet is no legal entity.
    #[must_use]
    pub fn of_legal_entity(legal_entity_type: &str) -> Option<Self> {
        match legal_entity_type {
            "OUTPATIENT" | "PRIMARY_CARE" => Some(Self::Msp),
            "CABINET" => None,
            other => other.parse().ok(),
        }
    }
}

impl fmt::Display for ClientType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ClientType {
    type Err = UnknownClientType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Pharmacy, Self::MspPharmacy, Self::Msp, Self::Nhs, Self::Mis, Self::Cabinet]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(UnknownClientType)
    }
}

/// A client type that the register does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown client type; expected PHARMACY, MSP_PHARMACY, MSP, NHS, MIS or CABINET, in capitals"
)]
pub struct UnknownClientType;

/// What a token allows: the scopes, separated by spaces as they came.
///
/// Cheap to clone, because an asker is cloned for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Arc<str>);

impl Scopes {
    /// Reads scopes that are separated by spaces.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.into())
    }

    /// Says whether the scope is among these; `medication_dispense:create` counts as
    /// `medication_dispense:write`.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        self.0
            .split_ascii_whitespace()
            .any(|granted| granted == scope || (granted == CREATE && scope == WRITE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_allowed_as_a_whole_word_only() {
        let scopes = Scopes::parse("medication_dispense:read  audit:read");
        assert!(scopes.allows("medication_dispense:read"));
        assert!(scopes.allows("audit:read"));
        assert!(!scopes.allows("medication_dispense:re"));
        assert!(!scopes.allows("medication_dispense:read audit:read"));
        assert!(!scopes.allows(""));
        assert!(!Scopes::parse("").allows(""));
    }

    #[test]
    fn create_counts_as_write_and_not_the_other_way_round() {
        assert!(Scopes::parse(CREATE).allows(WRITE));
        assert!(!Scopes::parse(WRITE).allows(CREATE));
        assert!(!Scopes::parse(CREATE).allows("medication_dispense:process"));
    }

    #[test]
    fn a_client_type_is_read_as_it_is_written() {
        for name in ["PHARMACY", "MSP_PHARMACY", "MSP", "NHS", "MIS", "CABINET"] {
            assert_eq!(name.parse::<ClientType>().unwrap().as_str(), name);
        }
        assert_eq!("pharmacy".parse::<ClientType>(), Err(UnknownClientType));
    }

    #[test]
    fn outpatient_and_primary_care_act_as_providers() {
        assert_eq!(ClientType::of_legal_entity("OUTPATIENT"), Some(ClientType::Msp));
        assert_eq!(ClientType::of_legal_entity("PRIMARY_CARE"), Some(ClientType::Msp));
        assert_eq!(ClientType::of_legal_entity("MSP_PHARMACY"), Some(ClientType::MspPharmacy));
        assert_eq!(ClientType::of_legal_entity("CABINET"), None);
        assert_eq!(ClientType::of_legal_entity("BAKERY"), None);
    }
}
