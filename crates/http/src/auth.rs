//! Who asks, read from the headers of a request.
//!
//! ```text
//!                     ┌─ Jwt ──▶ token.rs: bearer, signature, claims ──▶ key_ring.rs: keys, checked tokens
//! Authenticator ──────┤                                                      └─▶ source.rs: file or https
//!                     └─ Gateway ──▶ gateway.rs: shared secret, consumer headers
//! ```
//!
//! No mode is open: without a token that verifies, or the gateway's secret, there is no asker.
//! Start at [`Authenticator::authenticate`]; `development.rs` makes tokens for a machine that has no
//! issuer.

mod config;
pub mod development;
mod gateway;
mod key_ring;
mod key_set;
mod source;
mod token;

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use dispensary::asker::{Asker, ClientType};
use uuid::Uuid;

pub use config::{
    Audience, AuthConfig, AuthMode, DevelopmentKeys, GatewaySecret, Issuer, JwksSource, JwtConfig,
    KeySchedule, SettingError,
};
pub use key_ring::Refreshed;
pub use source::KeysError;
pub use token::TokenFault;

use gateway::Gateway;
use key_ring::{KeyRing, Refresher};
use token::TokenCheck;

/// The longest token that is looked at, in bytes; the largest seen from real issuers are near 3 KiB.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What kind of client a legal entity is, as the registry says; asked in gateway mode alone.
pub trait ClientTypes: Send + Sync {
    /// Returns the client type of the legal entity, `None` if it is unknown.
    fn client_type(&self, client: Uuid) -> Option<ClientType>;
}

impl<F: Fn(Uuid) -> Option<ClientType> + Send + Sync> ClientTypes for F {
    fn client_type(&self, client: Uuid) -> Option<ClientType> {
        self(client)
    }
}

/// Tells who asks. Cheap to clone; all clones share keys and checked tokens.
#[derive(Clone)]
pub struct Authenticator {
    mode: Mode,
}

#[derive(Clone)]
enum Mode {
    Jwt { check: Arc<TokenCheck>, refresher: Arc<Refresher> },
    Gateway(Arc<Gateway>),
}

impl Authenticator {
    /// Starts to authenticate: loads the keys, and from then on keeps them fresh in the background
    /// for as long as a clone lives. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`KeysError`] if the first key set cannot be had, or holds a development key that is not
    /// allowed: a service that cannot check any token must not start.
    pub async fn start(
        config: AuthConfig,
        client_types: Arc<dyn ClientTypes>,
    ) -> Result<Self, KeysError> {
        let mode = match config {
            AuthConfig::Jwt(config) => {
                let ring = Arc::new(KeyRing::load(&config).await?);
                let check = TokenCheck::new(&config.issuer, &config.audience, Arc::clone(&ring));
                let refresher = Refresher::start(ring, config.schedule.every);
                Mode::Jwt { check: Arc::new(check), refresher: Arc::new(refresher) }
            }
            AuthConfig::Gateway { secret } => {
                Mode::Gateway(Arc::new(Gateway::new(&secret, client_types)))
            }
        };
        Ok(Self { mode })
    }

    /// Returns who asks.
    ///
    /// The cause of a refusal is in `source()`, and goes to the log at debug and to the counter
    /// `auth_refusals_total`; the token goes nowhere.
    ///
    /// # Errors
    ///
    /// [`AuthError`]: no or no valid token, or headers that do not come from the gateway.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Asker, AuthError> {
        let answer = match &self.mode {
            Mode::Jwt { check, .. } => check.authenticate(headers).await,
            Mode::Gateway(gateway) => gateway.authenticate(headers),
        };
        if let Err(refused) = &answer {
            let cause = refused.cause();
            tracing::debug!(cause, "{refused}");
            metrics::counter!("auth_refusals_total", "cause" => cause).increment(1);
        }
        answer
    }

    /// Reads the keys again at once, before the schedule would.
    ///
    /// # Errors
    ///
    /// [`KeysError`], and the old keys stay.
    pub async fn refresh_keys(&self) -> Result<Refreshed, KeysError> {
        match &self.mode {
            Mode::Jwt { refresher, .. } => refresher.refresh().await,
            Mode::Gateway(_) => Ok(Refreshed::Unchanged),
        }
    }
}

/// Why nobody is believed to ask. `Display` is what the caller may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no token, or it does not hold.
    #[error("Invalid access token")]
    InvalidToken(#[source] TokenFault),
    /// The gateway did not say which user asks.
    #[error("Missing header x-consumer-id")]
    MissingConsumer,
    /// The gateway did not say for which client; the wording is the register's.
    #[error("Misssing Client ID")]
    MissingClient,
    /// The client type is none of the register's, or the registry does not know the legal entity.
    #[error("Unknown client type")]
    UnknownClientType,
    /// The request does not come from the gateway: its secret is missing or wrong. The caller reads
    /// no more than of a wrong token.
    #[error("Invalid access token")]
    WrongGatewaySecret,
    /// The token names a key that is not here, and the keys cannot be read again now.
    #[error("Access tokens cannot be checked at the moment")]
    KeysUnavailable,
}

impl AuthError {
    /// Returns the stable code: `invalid-token` (401) or `unavailable` (503).
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidToken(_)
            | Self::MissingConsumer
            | Self::MissingClient
            | Self::UnknownClientType
            | Self::WrongGatewaySecret => "invalid-token",
            Self::KeysUnavailable => "unavailable",
        }
    }

    /// Returns the cause in few words, for operators: a label of bounded variety, without anything
    /// that the caller sent.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::InvalidToken(fault) => fault.as_str(),
            Self::MissingConsumer => "no consumer",
            Self::MissingClient => "no client",
            Self::UnknownClientType => "unknown client type",
            Self::WrongGatewaySecret => "gateway secret",
            Self::KeysUnavailable => "keys unavailable",
        }
    }
}

/// The asker's token lacks a scope (403 `missing-scope`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Your scope does not allow to access this resource. Missing allowances: {scope}")]
pub struct MissingScope {
    /// What is missing.
    pub scope: String,
}

/// Lets the asker pass if the token allows the scope.
///
/// # Errors
///
/// [`MissingScope`], which names it.
pub fn require_scope(asker: &Asker, scope: &str) -> Result<(), MissingScope> {
    if asker.scopes.allows(scope) { Ok(()) } else { Err(MissingScope { scope: scope.to_owned() }) }
}

/// Returns the one value of a header, `Ok(None)` without the header.
///
/// Two values are an error: which of them a gateway meant, and which a client smuggled in beside
/// it, cannot be told.
fn one_value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, TokenFault> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| TokenFault::Malformed),
        (Some(_), Some(_)) => Err(TokenFault::RepeatedHeader),
    }
}
