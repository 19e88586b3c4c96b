//! Who asks: what the door believes of a caller, once a token or the gateway has vouched for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use dispense_domain::Reach;
use uuid::Uuid;

/// Scopes that newer clients of the register carry, each with the older one that it stands for.
const STANDS_FOR: [(&str, &str); 6] = [
    ("medication_dispense:create", "medication_dispense:write"),
    ("medication_dispense:write_pharm", "medication_dispense:write"),
    ("medication_dispense:process_pharm", "medication_dispense:process"),
    ("medication_dispense:reject_pharm", "medication_dispense:reject"),
    ("medication_dispense:read_pharm", "medication_dispense:read"),
    ("medication_request:details_pharm", "medication_request:details"),
];

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

    /// Says whether the scope is among these, or one that stands for it.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        self.0
            .split_ascii_whitespace()
            .any(|granted| granted == scope || STANDS_FOR.contains(&(granted, scope)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
    fn a_newer_scope_counts_as_the_older_one_and_as_nothing_else() {
        let newer = [
            ("medication_dispense:create", "medication_dispense:write"),
            ("medication_dispense:write_pharm", "medication_dispense:write"),
            ("medication_dispense:process_pharm", "medication_dispense:process"),
            ("medication_dispense:reject_pharm", "medication_dispense:reject"),
            ("medication_dispense:read_pharm", "medication_dispense:read"),
            ("medication_request:details_pharm", "medication_request:details"),
        ];
        let all: BTreeSet<&str> =
            newer.iter().flat_map(|(newer, older)| [*newer, *older]).collect();
        for (newer, older) in newer {
            let scopes = Scopes::parse(newer);
            let allowed: BTreeSet<&str> =
                all.iter().copied().filter(|it| scopes.allows(it)).collect();
            assert_eq!(allowed, [newer, older].into(), "{newer}");
        }
    }

    #[test]
    fn an_older_scope_never_counts_as_a_newer_one() {
        for (newer, older) in STANDS_FOR {
            assert!(!Scopes::parse(older).allows(newer), "{older}");
            assert!(Scopes::parse(older).allows(older), "{older}");
        }
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
