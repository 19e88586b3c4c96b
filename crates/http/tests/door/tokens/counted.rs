//! What operators see of tokens: counters, and no more than that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, Key as Name, KeyName, Metadata, Recorder, SharedString, Unit,
};
use serde_json::json;

use super::Door;
use super::issuer::{Key, claims, claims_with};

/// Keeps counters of this thread, by name and label.
#[derive(Default)]
struct Counters(Mutex<HashMap<String, Arc<AtomicU64>>>);

impl Counters {
    fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap().get(name).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }
}

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, name: &Name, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = name.labels().map(|label| format!(" {}", label.value())).collect();
        let name = format!("{}{}", name.name(), labels.concat());
        let counter = Arc::clone(self.0.lock().unwrap().entry(name).or_default());
        Counter::from_arc(counter)
    }

    fn register_gauge(&self, _: &Name, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Name, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[actix_web::test]
async fn a_token_is_checked_once_until_the_keys_change() {
    let counters = Counters::default();
    let _guard = metrics::set_default_local_recorder(&counters);
    let (old, new) = (Key::ed25519("a"), Key::ed25519("b"));
    let door = Door::with(&[&old]).await;
    let token = old.token(&claims());
    for _ in 0..3 {
        door.admits(&token).await;
    }
    assert_eq!(counters.of("auth_tokens_total now"), 1);
    assert_eq!(counters.of("auth_tokens_total before"), 2);

    door.rotate_to(&[&old, &new]);
    door.auth.refresh_keys().await.unwrap();
    door.admits(&token).await;
    assert_eq!(counters.of("auth_tokens_total now"), 2);
}

#[actix_web::test]
async fn a_refusal_is_counted_by_its_cause_and_never_remembered() {
    let counters = Counters::default();
    let _guard = metrics::set_default_local_recorder(&counters);
    let key = Key::ed25519("a");
    let door = Door::with(&[&key]).await;
    let token = key.token(&claims_with("exp", json!(0)));
    for _ in 0..2 {
        door.refuses(&token).await;
    }
    assert_eq!(counters.of("auth_refusals_total expired"), 2);
    assert_eq!(counters.of("auth_tokens_total before"), 0);
}

#[actix_web::test]
async fn a_reading_of_the_keys_is_counted_by_its_outcome() {
    let counters = Counters::default();
    let _guard = metrics::set_default_local_recorder(&counters);
    let door = Door::with(&[&Key::ed25519("a")]).await;
    door.auth.refresh_keys().await.unwrap();
    std::fs::remove_file(door.key_set_path()).unwrap();
    door.auth.refresh_keys().await.unwrap_err();
    assert_eq!(counters.of("auth_key_refreshes_total ok"), 1);
    assert_eq!(counters.of("auth_key_refreshes_total failed"), 1);
}
