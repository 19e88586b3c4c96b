//! Tokens that do not hold. Each is right but for one thing, and the fault found is that thing.

use std::error::Error;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dispense_http::auth::{AuthError, MAX_TOKEN_BYTES, TokenFault};
use serde_json::{Value, json};

use super::issuer::{
    Key, claims, claims_with, claims_without, decode, encode, seconds_from_now, sign_with_secret,
    unsigned,
};
use super::{Door, authorization, bearer, fault};

async fn fault_of_claims(claims: &Value) -> TokenFault {
    let key = Key::ed25519("a");
    Door::with(&[&key]).await.finds_fault(&key.token(claims)).await
}

#[actix_web::test]
async fn no_header() {
    let door = Door::with(&[&Key::ed25519("a")]).await;
    let refused = door.auth.authenticate(&HeaderMap::new()).await.unwrap_err();
    assert_eq!(fault(refused), TokenFault::Missing);
}

#[actix_web::test]
async fn headers_of_a_gateway_in_place_of_a_token() {
    let door = Door::with(&[&Key::ed25519("a")]).await;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-gateway-secret", "correct-horse-battery"),
        ("x-consumer-id", "00000000-0000-0000-0000-000000000011"),
        ("x-consumer-metadata", r#"{"client_id": "00000000-0000-0000-0000-000000000022"}"#),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let refused = door.auth.authenticate(&headers).await.unwrap_err();
    assert_eq!(fault(refused), TokenFault::Missing);
}

#[actix_web::test]
async fn another_scheme() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let token = key.token(&claims());
    for value in
        ["Basic dXNlcjpwYXNz".to_owned(), format!("Token {token}"), token, "Bearer".to_owned()]
    {
        let refused = door.auth.authenticate(&authorization(&value)).await.unwrap_err();
        assert_eq!(fault(refused), TokenFault::NotBearer, "{value}");
    }
}

#[actix_web::test]
async fn two_headers() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let mut headers = bearer(&key.token(&claims()));
    headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer another"));
    let refused = door.auth.authenticate(&headers).await.unwrap_err();
    assert_eq!(fault(refused), TokenFault::RepeatedHeader);
}

#[actix_web::test]
async fn a_header_that_is_no_text() {
    let door = Door::with(&[&Key::ed25519("a")]).await;
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    let refused = door.auth.authenticate(&headers).await.unwrap_err();
    assert_eq!(fault(refused), TokenFault::Malformed);
}

#[actix_web::test]
async fn too_long() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let padded = |length| key.token(&claims_with("padding", json!("x".repeat(length))));
    let too_long = padded(MAX_TOKEN_BYTES);
    assert_eq!(door.finds_fault(&too_long).await, TokenFault::TooLong);
    door.admits(&padded(MAX_TOKEN_BYTES / 2)).await;
}

#[actix_web::test]
async fn garbage() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let good = key.token(&claims());
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let not_json = encode("not json");
    for token in [
        String::new(),
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{not_json}.{payload}.{signature}"),
        format!("{}.{payload}.{signature}", encode("[]")),
        format!("{header}.{payload}.{signature}!"),
        format!("{good}.{good}"),
    ] {
        assert_eq!(door.finds_fault(&token).await, TokenFault::Malformed, "{token}");
    }
}

#[actix_web::test]
async fn a_payload_that_was_changed() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let good = key.token(&claims());
    let other = key.token(&claims_with("client_type", json!("NHS")));
    let mut parts: Vec<_> = good.split('.').collect();
    parts[1] = other.split('.').nth(1).unwrap();
    assert_eq!(door.finds_fault(&parts.join(".")).await, TokenFault::Signature);
    door.admits(&good).await;
    assert_eq!(door.finds_fault(&parts.join(".")).await, TokenFault::Signature);
}

#[actix_web::test]
async fn a_signature_of_somebody_else() {
    for (ours, theirs) in [(Key::ed25519("a"), Key::ed25519("a")), (Key::p256("a"), Key::p256("a"))]
    {
        let door = Door::with(&[&ours]).await;
        assert_eq!(door.finds_fault(&theirs.token(&claims())).await, TokenFault::Signature);
        let good = ours.token(&claims());
        let stripped = format!("{}.", good.rsplit_once('.').unwrap().0);
        assert_eq!(door.finds_fault(&stripped).await, TokenFault::Signature);
    }
}

#[actix_web::test]
async fn a_key_that_the_token_brings_along() {
    let (ours, theirs) = (Key::ed25519("a"), Key::ed25519("a"));
    let door = Door::with(&[&ours]).await;
    let header = json!({"alg": "EdDSA", "kid": "a", "jwk": theirs.jwk(),
        "jku": "https://id.example.com/jwks.json"});
    assert_eq!(door.finds_fault(&theirs.sign(&header, &claims())).await, TokenFault::Signature);
}

#[actix_web::test]
async fn alg_none() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        for header in [json!({"alg": alg}), json!({"alg": alg, "kid": "a"})] {
            assert_eq!(
                door.finds_fault(&unsigned(&header, &claims())).await,
                TokenFault::Algorithm
            );
            assert_eq!(
                door.finds_fault(&key.sign(&header, &claims())).await,
                TokenFault::Algorithm
            );
        }
    }
    let no_alg = unsigned(&json!({"kid": "a"}), &claims());
    assert_eq!(door.finds_fault(&no_alg).await, TokenFault::Malformed);
}

#[actix_web::test]
async fn hs256_with_the_public_key_for_a_secret() {
    for key in [Key::ed25519("a"), Key::p256("a"), Key::rsa("a")] {
        let door = Door::with(&[&key]).await;
        let jwk = key.jwk();
        let member = jwk["x"].as_str().or(jwk["n"].as_str()).unwrap();
        let raw = decode(member);
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(&raw)
        );
        let as_it_is = jwk.to_string();
        for secret in [raw.as_slice(), member.as_bytes(), pem.as_bytes(), as_it_is.as_bytes()] {
            for header in [json!({"alg": "HS256", "kid": "a"}), json!({"alg": "HS256"})] {
                let token = sign_with_secret(&header, &claims(), secret);
                assert_eq!(door.finds_fault(&token).await, TokenFault::Algorithm);
            }
        }
    }
}

#[actix_web::test]
async fn an_algorithm_that_is_not_the_keys() {
    let keys = [Key::ed25519("ed"), Key::p256("ec"), Key::rsa("rsa")];
    let door = Door::with(&keys.each_ref()).await;
    for (kid, named) in [("ed", &keys[0]), ("ec", &keys[1]), ("rsa", &keys[2])] {
        for signer in keys.iter().filter(|key| key.alg() != named.alg()) {
            let header = json!({"alg": signer.alg(), "kid": kid});
            assert_eq!(
                door.finds_fault(&signer.sign(&header, &claims())).await,
                TokenFault::AlgorithmOfAnotherKey,
                "{} with the key {kid}",
                signer.alg()
            );
        }
    }
}

#[actix_web::test]
async fn a_relative_of_an_accepted_algorithm() {
    let key = Key::rsa("a");
    let door = Door::with(&[&key]).await;
    for alg in ["RS384", "RS512", "PS256", "ES384", "ES512", "HS384", "HS512", "rs256"] {
        let token = key.sign(&json!({"alg": alg, "kid": "a"}), &claims());
        assert_eq!(door.finds_fault(&token).await, TokenFault::Algorithm, "{alg}");
    }
}

#[actix_web::test]
async fn an_extension_that_nobody_here_knows() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let header = json!({"alg": "EdDSA", "kid": "a", "crit": ["b64"], "b64": false});
    assert_eq!(
        door.finds_fault(&key.sign(&header, &claims())).await,
        TokenFault::CriticalExtension
    );
}

#[actix_web::test]
async fn an_unknown_kid() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let token = key.sign(&json!({"alg": "EdDSA", "kid": "b"}), &claims());
    assert_eq!(door.finds_fault(&token).await, TokenFault::UnknownKey);
}

#[actix_web::test]
async fn another_audience() {
    for audience in [json!("billing"), json!(["billing"]), json!([]), json!("dispense ")] {
        assert_eq!(
            fault_of_claims(&claims_with("aud", audience.clone())).await,
            TokenFault::Audience,
            "{audience}"
        );
    }
    assert_eq!(fault_of_claims(&claims_without("aud")).await, TokenFault::MissingClaim);
    assert_eq!(fault_of_claims(&claims_with("aud", json!(7))).await, TokenFault::MissingClaim);
}

#[actix_web::test]
async fn another_issuer() {
    for issuer in ["https://id.example.com/", "https://id.example.org", ""] {
        assert_eq!(
            fault_of_claims(&claims_with("iss", json!(issuer))).await,
            TokenFault::Issuer,
            "{issuer}"
        );
    }
    assert_eq!(fault_of_claims(&claims_without("iss")).await, TokenFault::MissingClaim);
}

#[actix_web::test]
async fn expired() {
    for seconds in [-3600, -60, -35] {
        let claims = claims_with("exp", json!(seconds_from_now(seconds)));
        assert_eq!(fault_of_claims(&claims).await, TokenFault::Expired);
    }
    assert_eq!(fault_of_claims(&claims_with("exp", json!(0))).await, TokenFault::Expired);
}

#[actix_web::test]
async fn not_yet_valid() {
    for seconds in [60, 3600] {
        let claims = claims_with("nbf", json!(seconds_from_now(seconds)));
        assert_eq!(fault_of_claims(&claims).await, TokenFault::NotYetValid);
    }
    assert_eq!(fault_of_claims(&claims_with("nbf", json!("soon"))).await, TokenFault::BadClaim);
}

#[actix_web::test]
async fn clocks_may_differ_by_half_a_minute() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let mut claims = claims_with("exp", json!(seconds_from_now(-10)));
    door.admits(&key.token(&claims)).await;
    claims["exp"] = json!(seconds_from_now(600));
    claims["nbf"] = json!(seconds_from_now(10));
    door.admits(&key.token(&claims)).await;
}

#[actix_web::test]
async fn no_end() {
    assert_eq!(fault_of_claims(&claims_without("exp")).await, TokenFault::MissingClaim);
    assert_eq!(fault_of_claims(&claims_with("exp", json!(null))).await, TokenFault::MissingClaim);
    for exp in [json!("2999-01-01"), json!(-1), json!([])] {
        let fault = fault_of_claims(&claims_with("exp", exp.clone())).await;
        assert!(matches!(fault, TokenFault::Malformed | TokenFault::MissingClaim), "{exp}");
    }
}

#[actix_web::test]
async fn a_claim_that_is_missing() {
    for member in ["sub", "client_id", "client_type"] {
        assert_eq!(fault_of_claims(&claims_without(member)).await, TokenFault::MissingClaim);
        assert_eq!(
            fault_of_claims(&claims_with(member, json!(null))).await,
            TokenFault::MissingClaim
        );
        assert_eq!(fault_of_claims(&claims_with(member, json!(5))).await, TokenFault::Malformed);
    }
}

#[actix_web::test]
async fn an_id_that_is_no_uuid() {
    for member in ["sub", "client_id"] {
        for id in ["", "pharmacist", "00000000-0000-0000-0000-00000000001g"] {
            assert_eq!(
                fault_of_claims(&claims_with(member, json!(id))).await,
                TokenFault::BadClaim,
                "{id}"
            );
        }
    }
}

#[actix_web::test]
async fn an_unknown_client_type() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    for client_type in ["BAKERY", "pharmacy", ""] {
        let token = key.token(&claims_with("client_type", json!(client_type)));
        let refused = door.refuses(&token).await;
        assert_eq!(refused, AuthError::UnknownClientType);
        assert_eq!(refused.code(), "invalid-token");
    }
}

#[actix_web::test]
async fn scopes_that_are_no_text() {
    let claims = claims_with("scope", json!(["medication_dispense:read"]));
    assert_eq!(fault_of_claims(&claims).await, TokenFault::Malformed);
}

#[actix_web::test]
async fn the_caller_reads_one_sentence_and_the_cause_is_behind_it() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let token = key.token(&claims_with("exp", json!(0)));
    let refused = door.refuses(&token).await;
    assert_eq!(refused.to_string(), "Invalid access token");
    assert_eq!(refused.code(), "invalid-token");
    assert_eq!(refused.source().unwrap().to_string(), "expired");
    assert_eq!(refused.cause(), "expired");
}
