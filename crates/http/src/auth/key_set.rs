//! The keys that tokens may be signed with, out of a JWKS document.
//!
//! A key stands for exactly one algorithm, found from its type and curve, and a token's `alg` must
//! be that one: it is the key that says how to check, never the token. Keys that fit none of the
//! three algorithms are left out with a warning; one odd key must not shut the others out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::config::DevelopmentKeys;
use super::development::KID_PREFIX;
use super::source::KeysError;

/// Keys in a set at most: a token without a `kid` is tried on each that has its algorithm.
const MAX_KEYS: usize = 32;

/// RSA keys below this are within reach of a determined attacker (NIST SP 800-131A).
const MIN_RSA_BITS: usize = 2048;

/// The longest RSA modulus that the crypto library verifies with.
const MAX_RSA_BITS: usize = 8192;

/// Keys to check tokens with.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<VerifyingKey>,
}

/// One key and the one algorithm that it is for.
#[derive(Debug)]
pub(super) struct VerifyingKey {
    kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// Why no key of the set is to be tried on a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The set has no key of that name; a newer one may.
    Unknown,
    /// The set has the key, and it is for another algorithm.
    OtherAlgorithm,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWKS document.
    pub(super) fn parse(
        document: &[u8],
        development_keys: DevelopmentKeys,
    ) -> Result<Self, KeysError> {
        let document: Document = serde_json::from_slice(document).map_err(KeysError::NotAKeySet)?;
        if document.keys.len() > MAX_KEYS {
            return Err(KeysError::TooManyKeys(document.keys.len()));
        }
        let mut keys = Vec::new();
        for entry in document.keys {
            let kid = entry.get("kid").and_then(Value::as_str).map(str::to_owned);
            if let (Some(kid), DevelopmentKeys::Refused) = (&kid, development_keys)
                && kid.starts_with(KID_PREFIX)
            {
                return Err(KeysError::DevelopmentKey(kid.clone()));
            }
            match verifying_key(entry) {
                Ok((algorithm, key)) => keys.push(VerifyingKey { kid, algorithm, key }),
                Err(why) => {
                    tracing::warn!(key.id = kid, why, "a key of the key set is ignored");
                }
            }
        }
        if keys.is_empty() { Err(KeysError::NoUsableKey) } else { Ok(Self { keys }) }
    }

    /// Returns the keys to try on a token with this `kid` and `alg`: never none.
    pub(super) fn candidates(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<&VerifyingKey>, NoKey> {
        let named: Vec<_> = match kid {
            None => self.keys.iter().collect(),
            Some(_) => self.keys.iter().filter(|key| key.kid.as_deref() == kid).collect(),
        };
        if named.is_empty() {
            return Err(NoKey::Unknown);
        }
        let fitting: Vec<_> = named.into_iter().filter(|key| key.algorithm == algorithm).collect();
        if fitting.is_empty() { Err(NoKey::OtherAlgorithm) } else { Ok(fitting) }
    }

    /// Returns how many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Takes one entry of the document for a key, or says why not.
fn verifying_key(entry: Value) -> Result<(Algorithm, DecodingKey), &'static str> {
    if entry.get("d").is_some() {
        return Err("it is a private key, which must not leave its owner");
    }
    let jwk: Jwk = serde_json::from_value(entry).map_err(|_| "it is not a JWK")?;
    let (algorithm, key) = usable(&jwk.algorithm)?;
    if jwk.common.key_algorithm.is_some_and(|said| said != KeyAlgorithm::from(algorithm)) {
        return Err("its alg is not the one that its type is accepted for");
    }
    if jwk.common.public_key_use.is_some_and(|said| said != PublicKeyUse::Signature) {
        return Err("its use is not sig");
    }
    if jwk.common.key_operations.is_some_and(|said| !said.contains(&KeyOperations::Verify)) {
        return Err("its key_ops lack verify");
    }
    Ok((algorithm, key))
}

/// Returns the key with the one algorithm for which a key of its type is accepted.
fn usable(parameters: &AlgorithmParameters) -> Result<(Algorithm, DecodingKey), &'static str> {
    const UNSUPPORTED: &str = "its type is not one of RSA, EC P-256 and OKP Ed25519";
    match parameters {
        AlgorithmParameters::RSA(parts) => {
            // Some issuers write the sign byte of the number, which the crypto library refuses.
            let modulus = bytes(&parts.n)?;
            let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
            let modulus = &modulus[zeros..];
            match modulus.first().map(|first| modulus.len() * 8 - first.leading_zeros() as usize) {
                Some(MIN_RSA_BITS..=MAX_RSA_BITS) => Ok((
                    Algorithm::RS256,
                    DecodingKey::from_rsa_raw_components(modulus, &bytes(&parts.e)?),
                )),
                _ => Err("its modulus has not 2048 to 8192 bits"),
            }
        }
        AlgorithmParameters::EllipticCurve(parts) if parts.curve == EllipticCurve::P256 => {
            if bytes(&parts.x)?.len() != 32 || bytes(&parts.y)?.len() != 32 {
                return Err("its coordinates have not 32 bytes");
            }
            DecodingKey::from_ec_components(&parts.x, &parts.y)
                .map(|key| (Algorithm::ES256, key))
                .map_err(|_| NOT_BASE64)
        }
        AlgorithmParameters::OctetKeyPair(parts) if parts.curve == EllipticCurve::Ed25519 => {
            let public = bytes(&parts.x)?;
            if public.len() != 32 {
                return Err("its public key has not 32 bytes");
            }
            Ok((Algorithm::EdDSA, DecodingKey::from_ed_der(&public)))
        }
        AlgorithmParameters::OctetKey(_) => {
            Err("it is a symmetric key: whoever can check a token could mint one")
        }
        _ => Err(UNSUPPORTED),
    }
}

const NOT_BASE64: &str = "its members are not base64url";

fn bytes(encoded: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| NOT_BASE64)
}
