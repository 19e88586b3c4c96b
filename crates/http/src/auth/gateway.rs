//! Headers of a gateway that has checked the token already.
//!
//! Anybody can write such headers, so they count only beside the secret that the gateway shares
//! with this service.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use dispensary::asker::{Asker, Scopes};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::config::GatewaySecret;
use super::{AuthError, ClientTypes, TokenFault, one_value};

/// Believes the gateway, and asks the registry for the client type.
pub(super) struct Gateway {
    secret: [u8; 32],
    client_types: Arc<dyn ClientTypes>,
}

/// The value of `x-consumer-metadata`.
#[derive(Deserialize)]
struct Metadata {
    client_id: Option<String>,
    scope: Option<String>,
}

impl Gateway {
    /// Prepares to believe whoever knows the secret.
    pub(super) fn new(secret: &GatewaySecret, client_types: Arc<dyn ClientTypes>) -> Self {
        Self { secret: Sha256::digest(secret.reveal()).into(), client_types }
    }

    /// Returns who asks, as the gateway says.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<Asker, AuthError> {
        self.check_secret(headers)?;
        let user = one_value(headers, "x-consumer-id")?.ok_or(AuthError::MissingConsumer)?;
        let user = uuid(user)?;
        let metadata =
            one_value(headers, "x-consumer-metadata")?.ok_or(AuthError::MissingClient)?;
        let metadata: Metadata =
            serde_json::from_str(metadata).map_err(|_| TokenFault::Malformed)?;
        let client = uuid(&metadata.client_id.ok_or(AuthError::MissingClient)?)?;
        let client_type =
            self.client_types.client_type(client).ok_or(AuthError::UnknownClientType)?;
        let scopes = Scopes::parse(metadata.scope.as_deref().unwrap_or_default());
        Ok(Asker { user, client, client_type, scopes })
    }

    /// Compares digests in constant time: neither the time nor the length tells how near a guess is.
    fn check_secret(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        let sent = one_value(headers, "x-gateway-secret")
            .ok()
            .flatten()
            .ok_or(AuthError::WrongGatewaySecret)?;
        let sent: [u8; 32] = Sha256::digest(sent).into();
        if bool::from(sent.ct_eq(&self.secret)) {
            Ok(())
        } else {
            Err(AuthError::WrongGatewaySecret)
        }
    }
}

fn uuid(text: &str) -> Result<Uuid, TokenFault> {
    Uuid::parse_str(text).map_err(|_| TokenFault::BadClaim)
}
