//! An issuer: keys of every kind, and tokens that say whatever a test wants, written without the
//! library under test.

use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) const ISSUER: &str = "https://id.example.org/";
pub(super) const AUDIENCE: &str = "dispense";
pub(super) const USER: Uuid = Uuid::from_u128(0x11);
pub(super) const CLIENT: Uuid = Uuid::from_u128(0x22);

/// Made once, because it takes a second.
static RSA: LazyLock<Arc<RsaKeyPair>> =
    LazyLock::new(|| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));

/// A key of the issuer.
pub(super) struct Key {
    kid: &'static str,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(Arc<RsaKeyPair>),
}

impl Key {
    pub(super) fn ed25519(kid: &'static str) -> Self {
        Self { kid, pair: Pair::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    pub(super) fn p256(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid, pair: Pair::P256(pair) }
    }

    pub(super) fn rsa(kid: &'static str) -> Self {
        Self { kid, pair: Pair::Rsa(Arc::clone(&RSA)) }
    }

    pub(super) fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// The public key.
    pub(super) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid,
                "x": encode(pair.public_key())}),
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "use": "sig",
                    "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Pair::Rsa(pair) => {
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "kid": self.kid, "alg": "RS256", "use": "sig",
                    "n": encode(parts.n), "e": encode(parts.e)})
            }
        }
    }

    /// A token of this key, with the header that belongs to it.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": self.alg(), "typ": "JWT", "kid": self.kid}), claims)
    }

    /// A token of this key, whatever the header says.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Pair::P256(pair) => {
                pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
        };
        format!("{message}.{}", encode(signature))
    }
}

/// A token without a signature.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.", message(header, claims))
}

/// A token that is signed with a shared secret.
pub(super) fn sign_with_secret(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = message(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
}

/// Claims that are all right.
pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": USER,
        "client_id": CLIENT,
        "client_type": "PHARMACY",
        "scope": "medication_dispense:read medication_dispense:create",
        "exp": seconds_from_now(600),
        "nbf": seconds_from_now(-600),
    })
}

/// The claims that are all right, but for one member.
pub(super) fn claims_with(member: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[member] = value;
    claims
}

/// The claims that are all right, but without one member.
pub(super) fn claims_without(member: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(member).unwrap();
    claims
}

pub(super) fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

/// The JWKS document of the keys.
pub(super) fn key_set(keys: &[&Key]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}
