//! Keys that change under a running service, in a file and at an address.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{App, HttpResponse, HttpServer, web};
use dispense_http::auth::{AuthError, JwksSource, KeySchedule, KeysError, Refreshed, TokenFault};
use serde_json::json;
use tokio::sync::Semaphore;

use super::issuer::{Key, claims, key_set};
use super::{Door, bearer, config, start};

/// The longest that anything here is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// An issuer on this machine, which answers what it is told to.
#[derive(Clone)]
struct Issuer {
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
    may_answer: Arc<Semaphore>,
    source: JwksSource,
}

impl Issuer {
    fn with(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let issuer = Self {
            answer: Arc::new(Mutex::new((StatusCode::OK, key_set(keys).to_string()))),
            asked: Arc::new(AtomicUsize::new(0)),
            may_answer: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            source: address.parse().unwrap(),
        };
        let shared = web::Data::new(issuer.clone());
        let server = HttpServer::new(move || {
            App::new().app_data(shared.clone()).default_service(web::to(Self::respond))
        });
        let server = server.workers(1).disable_signals().listen(listener).unwrap();
        actix_web::rt::spawn(server.run());
        issuer
    }

    async fn respond(issuer: web::Data<Self>) -> HttpResponse {
        issuer.asked.fetch_add(1, Ordering::SeqCst);
        let _permit = issuer.may_answer.acquire().await.unwrap();
        let (status, body) = issuer.answer.lock().unwrap().clone();
        HttpResponse::build(status).insert_header((LOCATION, "/jwks.json?again")).body(body)
    }

    fn rotate_to(&self, keys: &[&Key]) {
        self.answers(StatusCode::OK, key_set(keys).to_string());
    }

    fn answers(&self, status: StatusCode, body: String) {
        *self.answer.lock().unwrap() = (status, body);
    }

    fn times_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn door(&self) -> Door {
        self.door_that_asks_at_most_every(KeySchedule::default().unknown_key_at_most_every).await
    }

    async fn door_that_asks_at_most_every(&self, pause: Duration) -> Door {
        let mut config = config(self.source.clone());
        config.schedule.unknown_key_at_most_every = pause;
        Door { auth: start(config).await.unwrap(), folder: tempfile::tempdir().unwrap() }
    }
}

#[actix_web::test]
async fn a_new_key_in_the_file_is_found_by_the_first_token_that_names_it() {
    let (old, new) = (Key::ed25519("old"), Key::p256("new"));
    let door = Door::with(&[&old]).await;
    door.rotate_to(&[&old, &new]);
    door.admits(&new.token(&claims())).await;
    door.admits(&old.token(&claims())).await;
}

#[actix_web::test]
async fn a_key_that_is_gone_takes_its_checked_tokens_with_it() {
    let (old, new) = (Key::ed25519("old"), Key::ed25519("new"));
    let door = Door::with(&[&old]).await;
    let token = old.token(&claims());
    door.admits(&token).await;
    door.rotate_to(&[&new]);
    door.admits(&token).await;
    assert_eq!(door.auth.refresh_keys().await.unwrap(), Refreshed::Changed);
    assert_eq!(door.finds_fault(&token).await, TokenFault::UnknownKey);
}

#[actix_web::test]
async fn a_key_that_is_replaced_under_its_name_takes_its_checked_tokens_with_it() {
    let (old, new) = (Key::ed25519("a"), Key::ed25519("a"));
    let door = Door::with(&[&old]).await;
    let token = old.token(&claims());
    door.admits(&token).await;
    door.rotate_to(&[&new]);
    door.auth.refresh_keys().await.unwrap();
    assert_eq!(door.finds_fault(&token).await, TokenFault::Signature);
}

#[actix_web::test]
async fn keys_that_did_not_change_stay_as_they_are() {
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    assert_eq!(door.auth.refresh_keys().await.unwrap(), Refreshed::Unchanged);
    door.admits(&key.token(&claims())).await;
}

#[actix_web::test]
async fn keys_are_read_again_in_the_background() {
    let (old, new) = (Key::ed25519("old"), Key::ed25519("new"));
    let issuer = Issuer::with(&[&old]);
    let mut config = config(issuer.source.clone());
    config.schedule.every = Duration::from_millis(20);
    let auth = start(config).await.unwrap();
    let token = old.token(&claims());
    auth.authenticate(&bearer(&token)).await.unwrap();
    issuer.rotate_to(&[&new]);
    // A token that was checked before asks for no key; only the schedule can end it.
    tokio::time::timeout(PATIENCE, async {
        while auth.authenticate(&bearer(&token)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[actix_web::test]
async fn a_clone_keeps_the_background_alive() {
    let issuer = Issuer::with(&[&Key::ed25519("a")]);
    let mut config = config(issuer.source.clone());
    config.schedule.every = Duration::from_millis(20);
    let auth = start(config).await.unwrap();
    let _clone = auth.clone();
    drop(auth);
    let before = issuer.times_asked();
    tokio::time::timeout(PATIENCE, async {
        while issuer.times_asked() == before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[actix_web::test]
async fn an_address_is_asked_once_for_keys_that_nobody_knows() {
    let key = Key::ed25519("a");
    let issuer = Issuer::with(&[&key]);
    let door = issuer.door().await;
    for _ in 0..5 {
        door.admits(&key.token(&claims())).await;
    }
    assert_eq!(issuer.times_asked(), 1, "at the start");
    for kid in ["b", "c", "d"] {
        let token = Key::ed25519(kid).token(&claims());
        assert_eq!(door.finds_fault(&token).await, TokenFault::UnknownKey);
    }
    assert_eq!(issuer.times_asked(), 2, "for the first, and not again so soon");
}

#[actix_web::test]
async fn many_who_wait_for_a_new_key_make_one_request() {
    let (old, new) = (Key::ed25519("old"), Key::ed25519("new"));
    let issuer = Issuer::with(&[&old]);
    let door = issuer.door_that_asks_at_most_every(Duration::ZERO).await;
    issuer.rotate_to(&[&old, &new]);
    let token = new.token(&claims());
    futures::future::join_all((0..32).map(|_| door.admits(&token))).await;
    assert_eq!(issuer.times_asked(), 2);
}

#[actix_web::test]
async fn a_client_that_hangs_up_uses_the_turn_all_the_same() {
    let (old, new) = (Key::ed25519("old"), Key::ed25519("new"));
    let issuer = Issuer::with(&[&old]);
    let door = issuer.door().await;
    issuer.rotate_to(&[&old, &new]);
    issuer.may_answer.forget_permits(Semaphore::MAX_PERMITS);

    let stranger = Key::ed25519("stranger").token(&claims());
    {
        let headers = bearer(&stranger);
        let mut waiting = Box::pin(door.auth.authenticate(&headers));
        tokio::time::timeout(PATIENCE, async {
            while issuer.times_asked() < 2 {
                assert!(futures::poll!(&mut waiting).is_pending());
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
    issuer.may_answer.add_permits(1);

    door.admits(&new.token(&claims())).await;
    assert_eq!(door.finds_fault(&stranger).await, TokenFault::UnknownKey);
    assert_eq!(issuer.times_asked(), 2);
}

#[actix_web::test]
async fn an_issuer_that_fails_leaves_the_old_keys_in_place() {
    let key = Key::ed25519("a");
    let development = json!({"keys": [Key::ed25519("dispense-development-1").jwk()]});
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, key_set(&[&Key::ed25519("b")]).to_string()),
        (StatusCode::MOVED_PERMANENTLY, key_set(&[&Key::ed25519("b")]).to_string()),
        (StatusCode::OK, "<html>down for maintenance</html>".to_owned()),
        (StatusCode::OK, r#"{"keys": []}"#.to_owned()),
        (StatusCode::OK, " ".repeat(256 * 1024) + &key_set(&[&Key::ed25519("b")]).to_string()),
        (StatusCode::OK, development.to_string()),
    ] {
        let issuer = Issuer::with(&[&key]);
        let door = issuer.door().await;
        issuer.answers(status, body);
        door.auth.refresh_keys().await.unwrap_err();
        door.admits(&key.token(&claims())).await;

        // Whether the key is a new one cannot be told now, so it is not the caller's fault.
        let asked = issuer.times_asked();
        for kid in ["b", "c"] {
            let refused = door.refuses(&Key::ed25519(kid).token(&claims())).await;
            assert_eq!(refused, AuthError::KeysUnavailable);
            assert_eq!(refused.code(), "unavailable");
        }
        assert_eq!(issuer.times_asked(), asked + 1);
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let key = Key::ed25519("a");
    let issuer = Issuer::with(&[&key]);
    issuer.answers(StatusCode::FOUND, String::new());
    let error = start(config(issuer.source.clone())).await.err().unwrap();
    assert!(matches!(error, KeysError::Status { status: 302, .. }), "{error}");
    assert_eq!(issuer.times_asked(), 1);
}

#[actix_web::test]
async fn an_address_where_nobody_listens_stops_the_start_and_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https"] {
        let address = format!("{scheme}://{host}/jwks.json");
        let error = start(config(address.parse().unwrap())).await.err().unwrap();
        assert!(matches!(error, KeysError::Unreachable { .. }), "{error}");
        assert_eq!(error.to_string(), format!("the key set {address} cannot be fetched"));
    }
}
