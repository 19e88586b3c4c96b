//! Who asks: every way in, and every refusal really caused.

mod counted;
mod development;
mod gateway;
mod issuer;
mod key_sets;
mod refused;
mod rotation;
mod settings;

use std::path::Path;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use dispensary::asker::{Asker, ClientType};
use dispense_http::auth::{
    AuthConfig, AuthError, Authenticator, DevelopmentKeys, JwksSource, JwtConfig, KeySchedule,
    KeysError, TokenFault, require_scope,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use issuer::{AUDIENCE, CLIENT, ISSUER, Key, USER, claims, key_set};

/// A door whose issuer's keys are in a file.
struct Door {
    auth: Authenticator,
    folder: TempDir,
}

impl Door {
    async fn with(keys: &[&Key]) -> Self {
        Self::with_key_set(&key_set(keys)).await.unwrap()
    }

    async fn with_key_set(document: &Value) -> Result<Self, KeysError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, document.to_string()).unwrap();
        let auth = start(config(JwksSource::File(path))).await?;
        Ok(Self { auth, folder })
    }

    fn rotate_to(&self, keys: &[&Key]) {
        std::fs::write(self.key_set_path(), key_set(keys).to_string()).unwrap();
    }

    fn key_set_path(&self) -> impl AsRef<Path> + use<> {
        self.folder.path().join("jwks.json")
    }

    async fn admits(&self, token: &str) -> Asker {
        self.auth.authenticate(&bearer(token)).await.unwrap()
    }

    async fn refuses(&self, token: &str) -> AuthError {
        self.auth.authenticate(&bearer(token)).await.unwrap_err()
    }

    async fn finds_fault(&self, token: &str) -> TokenFault {
        fault(self.refuses(token).await)
    }
}

fn fault(error: AuthError) -> TokenFault {
    match error {
        AuthError::InvalidToken(fault) => fault,
        other => panic!("not a fault of the token: {other:?}"),
    }
}

fn config(jwks: JwksSource) -> JwtConfig {
    JwtConfig {
        jwks,
        issuer: ISSUER.parse().unwrap(),
        audience: AUDIENCE.parse().unwrap(),
        development_keys: DevelopmentKeys::Refused,
        schedule: KeySchedule::default(),
    }
}

async fn start(config: JwtConfig) -> Result<Authenticator, KeysError> {
    Authenticator::start(AuthConfig::Jwt(config), Arc::new(|_: Uuid| None)).await
}

fn bearer(token: &str) -> HeaderMap {
    authorization(&format!("Bearer {token}"))
}

fn authorization(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    headers
}

#[actix_web::test]
async fn a_token_says_who_asks_in_each_of_the_three_algorithms() {
    for key in [Key::ed25519("a"), Key::p256("b"), Key::rsa("c")] {
        let asker = Door::with(&[&key]).await.admits(&key.token(&claims())).await;
        assert_eq!(asker.user, USER);
        assert_eq!(asker.client, CLIENT);
        assert_eq!(asker.client_type, ClientType::Pharmacy);
        assert!(asker.scopes.allows("medication_dispense:read"));
        assert!(asker.scopes.allows("medication_dispense:write"));
    }
}

#[actix_web::test]
async fn the_kid_picks_the_key_among_many() {
    let keys = [Key::ed25519("a"), Key::ed25519("b"), Key::p256("c"), Key::rsa("d")];
    let door = Door::with(&keys.each_ref()).await;
    for key in &keys {
        door.admits(&key.token(&claims())).await;
    }
}

#[actix_web::test]
async fn without_a_kid_every_key_of_the_algorithm_is_tried() {
    let (first, second, other) = (Key::ed25519("a"), Key::ed25519("b"), Key::rsa("c"));
    let door = Door::with(&[&first, &other, &second]).await;
    door.admits(&second.sign(&json!({"alg": "EdDSA"}), &claims())).await;
    let stranger = Key::ed25519("d").sign(&json!({"alg": "EdDSA"}), &claims());
    assert_eq!(door.finds_fault(&stranger).await, TokenFault::Signature);
    let none_of_its_kind = Key::p256("e").sign(&json!({"alg": "ES256"}), &claims());
    assert_eq!(door.finds_fault(&none_of_its_kind).await, TokenFault::AlgorithmOfAnotherKey);
}

#[actix_web::test]
async fn two_keys_of_one_name_are_both_tried() {
    let (first, second) = (Key::ed25519("a"), Key::ed25519("a"));
    let door = Door::with(&[&first, &second]).await;
    door.admits(&second.token(&claims())).await;
}

#[actix_web::test]
async fn the_scheme_is_read_in_any_case_and_the_audience_out_of_a_list() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let mut claims = claims();
    claims["aud"] = json!(["somebody-else", AUDIENCE]);
    let headers = authorization(&format!("bEARER  {}", key.token(&claims)));
    assert!(door.auth.authenticate(&headers).await.is_ok());
}

#[actix_web::test]
async fn no_scope_claim_means_no_scope() {
    let key = Key::ed25519("a");
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("scope");
    let asker = Door::with(&[&key]).await.admits(&key.token(&claims)).await;
    assert_eq!(
        require_scope(&asker, "medication_dispense:read").unwrap_err().to_string(),
        "Your scope does not allow to access this resource. \
         Missing allowances: medication_dispense:read"
    );
}

#[actix_web::test]
async fn a_scope_that_is_there_lets_pass() {
    let key = Key::ed25519("a");
    let asker = Door::with(&[&key]).await.admits(&key.token(&claims())).await;
    assert!(require_scope(&asker, "medication_dispense:read").is_ok());
    assert!(require_scope(&asker, "audit:read").is_err());
}
