//! Behind a gateway: its headers count with its secret, and not otherwise.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use dispensary::asker::ClientType;
use dispense_http::auth::{AuthConfig, AuthError, Authenticator, TokenFault};
use serde_json::json;
use uuid::Uuid;

use super::issuer::{CLIENT, USER};

const SECRET: &str = "correct-horse-battery";

async fn door() -> Authenticator {
    let registry = |client: Uuid| (client == CLIENT).then_some(ClientType::MspPharmacy);
    let config = AuthConfig::Gateway { secret: SECRET.parse().unwrap() };
    Authenticator::start(config, Arc::new(registry)).await.unwrap()
}

fn headers() -> HeaderMap {
    let metadata = json!({"client_id": CLIENT, "scope": "medication_dispense:read audit:read"});
    let mut headers = HeaderMap::new();
    set(&mut headers, "x-gateway-secret", SECRET);
    set(&mut headers, "x-consumer-id", &USER.to_string());
    set(&mut headers, "x-consumer-metadata", &metadata.to_string());
    headers
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
}

async fn refusal(headers: &HeaderMap) -> AuthError {
    door().await.authenticate(headers).await.unwrap_err()
}

#[actix_web::test]
async fn the_gateway_says_who_asks_and_the_registry_what_kind_of_client() {
    let asker = door().await.authenticate(&headers()).await.unwrap();
    assert_eq!((asker.user, asker.client), (USER, CLIENT));
    assert_eq!(asker.client_type, ClientType::MspPharmacy);
    assert!(asker.scopes.allows("audit:read"));
    assert!(!asker.scopes.allows("medication_dispense:write"));
}

#[actix_web::test]
async fn without_the_secret_nothing_counts() {
    let mut headers = headers();
    headers.remove("x-gateway-secret");
    let refused = refusal(&headers).await;
    assert_eq!(refused, AuthError::WrongGatewaySecret);
    assert_eq!(refused.to_string(), "Invalid access token");
    assert_eq!(refused.code(), "invalid-token");
}

#[actix_web::test]
async fn a_wrong_secret_is_refused_before_anything_else_is_looked_at() {
    for secret in ["", "correct-horse-batterx", "correct-horse-battery2", "correct-horse"] {
        let mut headers = HeaderMap::new();
        set(&mut headers, "x-gateway-secret", secret);
        assert_eq!(refusal(&headers).await, AuthError::WrongGatewaySecret, "{secret}");
    }
}

#[actix_web::test]
async fn a_bearer_token_is_no_way_around_the_gateway() {
    let mut headers = headers();
    headers.remove("x-gateway-secret");
    set(&mut headers, "authorization", "Bearer a.b.c");
    assert_eq!(refusal(&headers).await, AuthError::WrongGatewaySecret);
}

#[actix_web::test]
async fn a_header_that_is_missing_is_named_in_the_words_of_the_register() {
    let mut without_user = headers();
    without_user.remove("x-consumer-id");
    let refused = refusal(&without_user).await;
    assert_eq!(refused.to_string(), "Missing header x-consumer-id");
    assert_eq!(refused.code(), "invalid-token");

    let mut without_client = headers();
    without_client.remove("x-consumer-metadata");
    assert_eq!(refusal(&without_client).await.to_string(), "Misssing Client ID");

    for metadata in [r#"{"scope": "audit:read"}"#, r#"{"client_id": null}"#] {
        let mut headers = headers();
        set(&mut headers, "x-consumer-metadata", metadata);
        assert_eq!(refusal(&headers).await, AuthError::MissingClient);
    }
}

#[actix_web::test]
async fn headers_that_cannot_be_read_are_refused() {
    for (name, value, fault) in [
        ("x-consumer-id", "me", TokenFault::BadClaim),
        ("x-consumer-metadata", "{", TokenFault::Malformed),
        ("x-consumer-metadata", r#"{"client_id": 7}"#, TokenFault::Malformed),
        ("x-consumer-metadata", r#"{"client_id": "pharmacy"}"#, TokenFault::BadClaim),
    ] {
        let mut headers = headers();
        set(&mut headers, name, value);
        assert_eq!(refusal(&headers).await, AuthError::InvalidToken(fault), "{value}");
    }
}

#[actix_web::test]
async fn a_header_beside_the_gateways_own_is_refused() {
    for (name, fault) in [
        ("x-gateway-secret", AuthError::WrongGatewaySecret),
        ("x-consumer-id", AuthError::InvalidToken(TokenFault::RepeatedHeader)),
        ("x-consumer-metadata", AuthError::InvalidToken(TokenFault::RepeatedHeader)),
    ] {
        let mut headers = headers();
        let again = headers.get(name).unwrap().clone();
        headers.append(HeaderName::from_static(name), again);
        assert_eq!(refusal(&headers).await, fault, "{name}");
    }
}

#[actix_web::test]
async fn a_client_that_the_registry_does_not_know_is_refused() {
    let mut headers = headers();
    let metadata = json!({"client_id": Uuid::from_u128(0x33)});
    set(&mut headers, "x-consumer-metadata", &metadata.to_string());
    assert_eq!(refusal(&headers).await, AuthError::UnknownClientType);
}
