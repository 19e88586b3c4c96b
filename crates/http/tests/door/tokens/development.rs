//! Tokens for development: minted with a key that no service trusts unless it is told to.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use dispensary::asker::ClientType;
use dispense_http::auth::development::{
    DevelopmentClaims, DevelopmentKey, DevelopmentKeyError, KID_PREFIX,
};
use dispense_http::auth::{Authenticator, DevelopmentKeys, JwksSource, KeysError};

use super::issuer::{AUDIENCE, CLIENT, ISSUER, USER};
use super::{bearer, config, start};

const HOUR: Duration = Duration::from_hours(1);

fn claims() -> DevelopmentClaims {
    DevelopmentClaims {
        issuer: ISSUER.parse().unwrap(),
        audience: AUDIENCE.parse().unwrap(),
        user: USER,
        client: CLIENT,
        client_type: ClientType::Pharmacy,
        scope: "medication_dispense:write".to_owned(),
    }
}

async fn start_with(jwks: &Path, allow: DevelopmentKeys) -> Result<Authenticator, KeysError> {
    let mut config = config(JwksSource::File(jwks.to_owned()));
    config.development_keys = allow;
    start(config).await
}

#[actix_web::test]
async fn a_service_that_is_told_to_believes_the_development_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::load_or_create(&folder.path().join("new/token.pem")).unwrap();
    let door = start_with(key.jwks_path(), DevelopmentKeys::Allowed).await.unwrap();
    let token = key.mint(&claims(), HOUR).unwrap();
    let asker = door.authenticate(&bearer(&token)).await.unwrap();
    assert_eq!((asker.user, asker.client), (USER, CLIENT));
    assert_eq!(asker.client_type, ClientType::Pharmacy);
    assert!(asker.scopes.allows("medication_dispense:write"));
}

#[actix_web::test]
async fn a_service_that_is_not_told_to_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::load_or_create(&folder.path().join("token.pem")).unwrap();
    let refused = start_with(key.jwks_path(), DevelopmentKeys::Refused).await.err().unwrap();
    let text = refused.to_string();
    assert!(text.contains("AUTH_ALLOW_DEVELOPMENT_KEY=true"), "{text}");
    assert!(text.contains("for development only"), "{text}");
    assert!(matches!(refused, KeysError::DevelopmentKey(kid) if kid.starts_with(KID_PREFIX)));
}

#[test]
fn the_key_is_made_once_and_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    let made = DevelopmentKey::load_or_create(&path).unwrap();
    let private = std::fs::read_to_string(&path).unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(made.jwks_path(), folder.path().join("token.jwks.json"));

    let loaded = DevelopmentKey::load_or_create(&path).unwrap();
    assert_eq!(loaded.jwks(), made.jwks());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), private);

    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(made.jwks_path()).unwrap()).unwrap();
    assert_eq!(written, made.jwks());
    assert!(written["keys"][0].get("d").is_none());
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 2, "no draft is left behind");
}

#[test]
fn a_public_key_that_was_lost_or_spoiled_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    let made = DevelopmentKey::load_or_create(&path).unwrap();
    let document = std::fs::read(made.jwks_path()).unwrap();
    std::fs::write(made.jwks_path(), "{}").unwrap();
    DevelopmentKey::load_or_create(&path).unwrap();
    assert_eq!(std::fs::read(made.jwks_path()).unwrap(), document);
}

#[test]
fn all_who_start_together_get_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    let start = Barrier::new(8);
    let keys: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    DevelopmentKey::load_or_create(&path).unwrap().jwks()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn another_file_is_not_taken_for_a_key_nor_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.pem");
    for text in ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    {
        std::fs::write(&path, text).unwrap();
        let refused = DevelopmentKey::load_or_create(&path).err().unwrap();
        assert!(matches!(refused, DevelopmentKeyError::NotAKey(_)));
        assert!(refused.to_string().contains("token.pem"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let refused = DevelopmentKey::load_or_create(folder.path()).err().unwrap();
    assert!(matches!(refused, DevelopmentKeyError::File { .. }));
}
