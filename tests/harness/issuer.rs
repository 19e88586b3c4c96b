//! Who issues the tokens of the tests.

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://id.example.org/";
pub(crate) const AUDIENCE: &str = "dispense";

/// The key of RFC 8032, section 7.1, test 1: good for tests alone, because everybody has it.
const SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// What comes before the 32 secret bytes in PKCS #8.
const PKCS8: &str = "302e020100300506032b657004220420";

static KEY: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_ed_der(&hex::decode(format!("{PKCS8}{SECRET}")).unwrap()));

/// The key set of the issuer, with the key under this name.
pub(crate) fn key_set(kid: &str) -> Value {
    let public = URL_SAFE_NO_PAD.encode(hex::decode(PUBLIC).unwrap());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid,
        "x": public}]})
}

/// A token that a test can spoil before it is signed.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) claims: Value,
}

impl Token {
    /// A token that allows a pharmacy everything.
    pub(crate) fn of(user: Uuid, client: Uuid, client_type: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self {
            claims: json!({
                "iss": ISSUER, "aud": AUDIENCE, "sub": user, "client_id": client,
                "client_type": client_type, "nbf": now - 600, "exp": now + 7_200,
                "scope": "medication_dispense:write medication_dispense:read \
                          medication_dispense:process medication_dispense:reject \
                          medication_request:details registry:write",
            }),
        }
    }

    /// The token with another claim.
    pub(crate) fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims[claim] = value.into();
        self
    }

    /// The token, signed.
    pub(crate) fn signed(&self) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some("tests".to_owned());
        jsonwebtoken::encode(&header, &self.claims, &KEY).unwrap()
    }
}
