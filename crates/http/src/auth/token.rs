//! Bearer tokens: from the `Authorization` header to an asker.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dispensary::asker::{Asker, Scopes};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::config::{Audience, Issuer};
use super::key_ring::{KeyRing, Keys, unix_time};
use super::key_set::{NoKey, VerifyingKey};
use super::{AuthError, MAX_TOKEN_BYTES, one_value};

/// How far the clock of an issuer may be off, in seconds: a token counts this much before its `nbf`
/// and after its `exp`. Machines that are kept by NTP differ by far less.
const LEEWAY_SECONDS: u64 = 30;

/// The algorithms that a token may be signed with.
const ALGORITHMS: [(&str, Algorithm); 3] =
    [("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];

/// Why a token does not hold. The words are fixed, so that nothing of a token gets into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum TokenFault {
    /// There is no `Authorization` header.
    Missing,
    /// A header that must stand once stands more often.
    RepeatedHeader,
    /// The `Authorization` header is of another scheme.
    NotBearer,
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    TooLong,
    /// The token, or its JSON, cannot be read.
    Malformed,
    /// The token is signed with none of RS256, ES256 and `EdDSA`, or not at all.
    Algorithm,
    /// The token's algorithm is not that of the key that it names.
    AlgorithmOfAnotherKey,
    /// The token asks for extensions (`crit`) that are not known here.
    CriticalExtension,
    /// The token names a key that the issuer does not have.
    UnknownKey,
    /// The signature is not that of a known key.
    Signature,
    /// A claim is missing.
    MissingClaim,
    /// `sub` or `client_id` is not a UUID, or a time is not a number.
    BadClaim,
    /// Somebody else has issued the token.
    Issuer,
    /// The token is for somebody else.
    Audience,
    /// The token has expired.
    Expired,
    /// The token does not hold yet.
    NotYetValid,
}

impl TokenFault {
    /// Returns the fault in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "no token",
            Self::RepeatedHeader => "repeated header",
            Self::NotBearer => "not a bearer token",
            Self::TooLong => "token too long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm not accepted",
            Self::AlgorithmOfAnotherKey => "algorithm is not the key's",
            Self::CriticalExtension => "critical extension",
            Self::UnknownKey => "unknown key",
            Self::Signature => "wrong signature",
            Self::MissingClaim => "claim missing",
            Self::BadClaim => "claim malformed",
            Self::Issuer => "wrong issuer",
            Self::Audience => "wrong audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
        }
    }
}

impl From<TokenFault> for AuthError {
    fn from(fault: TokenFault) -> Self {
        Self::InvalidToken(fault)
    }
}

impl From<Error> for TokenFault {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::MissingRequiredClaim(_) => Self::MissingClaim,
            ErrorKind::InvalidClaimFormat(_) => Self::BadClaim,
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::NotYetValid,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => Self::Algorithm,
            _ => Self::Malformed,
        }
    }
}

/// The part of a token's header that decides which key to try.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// The claims that make an asker; those that bound the token are checked by the library.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    client_id: Option<String>,
    client_type: Option<String>,
    scope: Option<String>,
    exp: Option<serde_json::Number>,
}

/// Checks bearer tokens against the keys of an issuer.
pub(super) struct TokenCheck {
    ring: Arc<KeyRing>,
    validations: HashMap<Algorithm, Validation>,
}

impl TokenCheck {
    /// Prepares to check tokens of this issuer for this audience.
    pub(super) fn new(issuer: &Issuer, audience: &Audience, ring: Arc<KeyRing>) -> Self {
        let validations = ALGORITHMS
            .into_iter()
            .map(|(_, algorithm)| (algorithm, validation(algorithm, issuer, audience)))
            .collect();
        Self { ring, validations }
    }

    /// Returns who asks, as the bearer token says.
    pub(super) async fn authenticate(&self, headers: &HeaderMap) -> Result<Asker, AuthError> {
        let token = bearer(headers)?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        let keys = self.ring.keys();
        if let Some(asker) = keys.recall(&digest, unix_time().as_secs()) {
            metrics::counter!("auth_tokens_total", "checked" => "before").increment(1);
            return Ok(asker);
        }
        let header = header_of(token)?;
        let algorithm = accepted(&header)?;
        let keys = match keys.set.candidates(header.kid.as_deref(), algorithm) {
            Err(NoKey::Unknown) => {
                self.ring.after_unknown_key(keys).await.ok_or(AuthError::KeysUnavailable)?
            }
            Ok(_) | Err(NoKey::OtherAlgorithm) => keys,
        };
        let claims = self.verified_claims(token, &header, algorithm, &keys)?;
        let expires_at = claims.exp.as_ref().and_then(seconds);
        let asker = asker(claims)?;
        if let Some(expires_at) = expires_at {
            keys.remember(digest, asker.clone(), expires_at);
        }
        metrics::counter!("auth_tokens_total", "checked" => "now").increment(1);
        Ok(asker)
    }

    fn verified_claims(
        &self,
        token: &str,
        header: &Header,
        algorithm: Algorithm,
        keys: &Keys,
    ) -> Result<Claims, TokenFault> {
        let candidates =
            keys.set.candidates(header.kid.as_deref(), algorithm).map_err(|why| match why {
                NoKey::Unknown => TokenFault::UnknownKey,
                NoKey::OtherAlgorithm => TokenFault::AlgorithmOfAnotherKey,
            })?;
        for candidate in candidates {
            match self.claims_by(token, candidate) {
                // Without a kid, or with one that two keys share, another key may be the one.
                Err(TokenFault::Signature) => {}
                decided => return decided,
            }
        }
        Err(TokenFault::Signature)
    }

    /// Checks signature, issuer, audience and times, and only then reads the other claims.
    fn claims_by(&self, token: &str, candidate: &VerifyingKey) -> Result<Claims, TokenFault> {
        let validation = self.validations.get(&candidate.algorithm).ok_or(TokenFault::Algorithm)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, &candidate.key, validation)?;
        Ok(decoded.claims)
    }
}

/// What a token must say to count: `exp`, `iss` and `aud` must be there and right, `nbf` is
/// honoured.
fn validation(algorithm: Algorithm, issuer: &Issuer, audience: &Audience) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[issuer.as_str()]);
    validation.set_audience(&[audience.as_str()]);
    validation
}

/// Returns the token of the `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<&str, TokenFault> {
    let value = one_value(headers, "authorization")?.ok_or(TokenFault::Missing)?;
    let (scheme, token) = value.split_once(' ').ok_or(TokenFault::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenFault::NotBearer);
    }
    let token = token.trim_matches(' ');
    if token.len() > MAX_TOKEN_BYTES { Err(TokenFault::TooLong) } else { Ok(token) }
}

/// Reads the header of a token, without believing it.
fn header_of(token: &str) -> Result<Header, TokenFault> {
    let (header, _) = token.split_once('.').ok_or(TokenFault::Malformed)?;
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&header).map_err(|_| TokenFault::Malformed)
}

/// Returns the algorithm of a token whose header can be accepted.
fn accepted(header: &Header) -> Result<Algorithm, TokenFault> {
    if header.crit.is_some() {
        return Err(TokenFault::CriticalExtension);
    }
    ALGORITHMS
        .into_iter()
        .find(|(name, _)| *name == header.alg)
        .map(|(_, algorithm)| algorithm)
        .ok_or(TokenFault::Algorithm)
}

/// Makes the asker of claims that are verified.
fn asker(claims: Claims) -> Result<Asker, AuthError> {
    let user = uuid(claims.sub)?;
    let client = uuid(claims.client_id)?;
    let client_type = claims.client_type.ok_or(TokenFault::MissingClaim)?;
    let client_type = client_type.parse().map_err(|_| AuthError::UnknownClientType)?;
    let scopes = Scopes::parse(claims.scope.as_deref().unwrap_or_default());
    Ok(Asker { user, client, client_type, scopes })
}

fn uuid(claim: Option<String>) -> Result<Uuid, TokenFault> {
    let claim = claim.ok_or(TokenFault::MissingClaim)?;
    Uuid::parse_str(&claim).map_err(|_| TokenFault::BadClaim)
}

/// Returns a time in whole seconds, rounded down; a fraction is allowed in a JWT.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn seconds(time: &serde_json::Number) -> Option<u64> {
    // `as` saturates; a time beyond the year 500 billion is as good as any.
    time.as_u64().or_else(|| time.as_f64().map(|seconds| seconds as u64))
}
