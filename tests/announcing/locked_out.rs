//! Brokers that are not there, do not let the service in, or let it do too little.

use std::path::Path;
use std::time::{Duration, Instant};

use super::brokers::OwnBroker;
use super::house::{House, LONG_HOLDS, assert_few_lines, pause, told, well};
use crate::harness::{Database, Instance};

const USER: &str = "dispense";
const PASSWORD: &str = "right-password";

/// How long a fault lasts here, and how many lines may be logged of it in a minute.
const LASTING: Duration = Duration::from_secs(5);
const MOST_LINES: u64 = 14;

/// The rights that docs/streams.md says the service needs, under that prefix: the arguments of
/// `kafka-acls` behind the principal.
fn documented_rights(prefix: &str) -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/streams.md");
    let page = std::fs::read_to_string(page).unwrap();
    let lines = page.lines().filter_map(|line| line.split_once("--allow-principal User:dispense "));
    let word = |word: &str| match word {
        name if name.starts_with("ndp.") || name == "dispense-" => format!("{prefix}{name}"),
        other => other.to_owned(),
    };
    let rights: Vec<_> =
        lines.map(|(_, rights)| rights.split_whitespace().map(word).collect()).collect();
    assert!(rights.len() > 1, "docs/streams.md names no rights");
    rights
}

/// Commands go on while the fault lasts, and the log is not flooded with it.
async fn lives_with_it(house: &House, instance: &Instance, started: Instant) {
    let start = Instant::now();
    while start.elapsed() < LASTING {
        house.hold_and_cancel(instance).await;
        pause(200..400).await;
    }
    assert_few_lines(instance, started, MOST_LINES);
    let said = instance.said();
    assert!(!said.contains(PASSWORD) && !said.contains("wrong-password"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_locked_out_says_why_and_goes_on_when_let_in() {
    let broker = OwnBroker::built(|it| it.superuser("root", "root").user(USER, PASSWORD)).await;
    let mut house = House::on(Database::new().await, broker.addresses().to_owned());
    house.inside = broker.inside().to_owned();
    house.settings.extend(LONG_HOLDS.map(|(name, value)| (name, value.to_owned())));
    house.settings.push(("KAFKA_SASL_USERNAME", USER.to_owned()));
    house.settings.push(("KAFKA_SASL_PASSWORD", PASSWORD.to_owned()));

    // An address where nobody listens.
    let nowhere = format!("127.0.0.1:{}", crate::harness::free_port());
    let mut started = Instant::now();
    let instance = house.start_with(&[("KAFKA_BROKERS", &nowhere)]).await;
    told(&instance, &["KAFKA_BROKERS", &nowhere]).await;
    lives_with_it(&house, &instance, started).await;
    drop(instance);

    // A password that is not ours.
    started = Instant::now();
    let instance = house.start_with(&[("KAFKA_SASL_PASSWORD", "wrong-password")]).await;
    told(&instance, &["KAFKA_SASL_PASSWORD"]).await;
    lives_with_it(&house, &instance, started).await;
    drop(instance);

    // The right one, and no right to anything; then the right to its name alone, and neither are the
    // topics there, nor may it make them.
    let mut rights = documented_rights(&house.prefix);
    let name = rights.pop().unwrap();
    assert!(name.contains(&"--transactional-id".to_owned()), "{name:?}");
    started = Instant::now();
    let instance = house.start().await;
    told(&instance, &["transactional id", "grant"]).await;
    lives_with_it(&house, &instance, started).await;
    broker.grant(USER, &name).await;
    told(&instance, &["topic", &house.prefix]).await;
    let (status, said) = house.run(&["streams", "topics"]).await;
    assert!(!status.success(), "{said}");
    for word in ["topic", &house.prefix, "KAFKA_SASL_USERNAME"] {
        assert!(said.contains(word), "{word}: {said}");
    }

    // Somebody who may makes the topics, and grants what the documentation says: that is enough.
    house.done_inside(&["streams", "topics"]).await;
    for right in rights {
        broker.grant(USER, &right).await;
    }
    well(&instance).await;
    house.whole(&instance).await;
    house.done(&["streams", "verify"]).await;
}
