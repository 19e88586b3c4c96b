//! What a key set may hold, and when a service does not start with it.

use dispense_http::auth::{JwksSource, KeysError, TokenFault};
use serde_json::{Value, json};

use super::issuer::{Key, claims, decode, encode};
use super::{Door, config, start};

async fn start_with(document: &str) -> KeysError {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, document).unwrap();
    start(config(JwksSource::File(path))).await.err().unwrap()
}

fn changed(key: &Key, member: &str, value: Value) -> Value {
    let mut jwk = key.jwk();
    jwk[member] = value;
    jwk
}

/// Entries of a key set that are of no use, each with a key that signs as if it were.
fn useless_entries() -> Vec<(&'static str, Value, Key)> {
    let secret = json!({"kty": "oct", "kid": "odd", "alg": "HS256", "k": encode([7; 32])});
    let rsa_bits =
        |bits: usize| changed(&Key::rsa("odd"), "n", json!(encode(vec![0xff; bits / 8])));
    let padded = |bits: usize| {
        let zeros_first = [vec![0; 128], vec![0xff; bits / 8]].concat();
        changed(&Key::rsa("odd"), "n", json!(encode(zeros_first)))
    };
    let (ed, ec, rsa) = (Key::ed25519("odd"), Key::p256("odd"), Key::rsa("odd"));
    vec![
        ("symmetric", secret, Key::ed25519("odd")),
        ("for encryption", changed(&rsa, "use", json!("enc")), Key::rsa("odd")),
        ("not for verifying", changed(&ed, "key_ops", json!(["sign"])), Key::ed25519("odd")),
        ("1024 bits", rsa_bits(1024), Key::rsa("odd")),
        ("2040 bits", rsa_bits(2040), Key::rsa("odd")),
        ("1024 bits, filled up with zeros", padded(1024), Key::rsa("odd")),
        ("no modulus", changed(&rsa, "n", json!("")), Key::rsa("odd")),
        ("of another algorithm", changed(&rsa, "alg", json!("PS256")), Key::rsa("odd")),
        ("of an unheard algorithm", changed(&ec, "alg", json!("XS1")), Key::p256("odd")),
        ("of another curve", changed(&ec, "crv", json!("P-384")), Key::p256("odd")),
        ("of an unheard curve", changed(&ec, "crv", json!("secp256k1")), Key::p256("odd")),
        ("for key agreement", changed(&ed, "crv", json!("X25519")), Key::ed25519("odd")),
        ("too short", changed(&ed, "x", json!(encode([1; 31]))), Key::ed25519("odd")),
        ("half a point", changed(&ec, "y", json!(encode([1; 31]))), Key::p256("odd")),
        ("not base64url", changed(&ed, "x", json!("*")), Key::ed25519("odd")),
        ("a private key", changed(&ed, "d", json!(encode([1; 32]))), Key::ed25519("odd")),
        ("of no type", json!({"kid": "odd"}), Key::ed25519("odd")),
        ("not an object", json!("odd"), Key::ed25519("odd")),
    ]
}

#[actix_web::test]
async fn an_entry_that_is_of_no_use_is_ignored_and_the_others_work() {
    for (what, entry, signer) in useless_entries() {
        let good = Key::ed25519("good");
        let door = Door::with_key_set(&json!({"keys": [entry, good.jwk()]})).await.unwrap();
        door.admits(&good.token(&claims())).await;
        let fault = door.finds_fault(&signer.token(&claims())).await;
        assert_eq!(fault, TokenFault::UnknownKey, "{what}");
    }
}

#[actix_web::test]
async fn a_set_of_nothing_but_useless_entries_stops_the_start() {
    for (what, entry, _) in useless_entries() {
        let error = start_with(&json!({"keys": [entry]}).to_string()).await;
        assert!(matches!(error, KeysError::NoUsableKey), "{what}: {error}");
    }
    assert!(matches!(start_with(r#"{"keys": []}"#).await, KeysError::NoUsableKey));
}

#[actix_web::test]
async fn a_modulus_with_its_sign_byte_is_taken() {
    let key = Key::rsa("a");
    let jwk = key.jwk();
    let mut modulus = vec![0];
    modulus.extend(decode(jwk["n"].as_str().unwrap()));
    let entry = changed(&key, "n", json!(encode(modulus)));
    let door = Door::with_key_set(&json!({"keys": [entry]})).await.unwrap();
    door.admits(&key.token(&claims())).await;
}

#[actix_web::test]
async fn what_is_not_a_key_set_stops_the_start() {
    for document in ["", "{", "[]", "{}", r#"{"keys": {}}"#, "<html></html>", "\u{0}"] {
        let error = start_with(document).await;
        assert!(matches!(error, KeysError::NotAKeySet(_)), "{document}: {error}");
    }
}

#[actix_web::test]
async fn a_key_set_has_bounds() {
    let many: Vec<_> = (0..33).map(|_| Key::ed25519("a").jwk()).collect();
    let error = start_with(&json!({"keys": many}).to_string()).await;
    assert!(matches!(error, KeysError::TooManyKeys(33)), "{error}");

    let large = format!("{}{}", " ".repeat(256 * 1024), r#"{"keys": []}"#);
    let error = start_with(&large).await;
    assert!(matches!(error, KeysError::TooLarge), "{error}");
}

#[actix_web::test]
async fn a_file_that_is_not_there_stops_the_start_and_is_named() {
    let source = JwksSource::File("/nowhere/jwks.json".into());
    let error = start(config(source)).await.err().unwrap();
    assert_eq!(error.to_string(), "the key set /nowhere/jwks.json cannot be read");
    assert!(std::error::Error::source(&error).is_some());
}
