//! What the streams tell, over HTTP: for whoever has no broker, and held against the log itself.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{
    Audit, Crowd, Database, Instance, PAID, Pharmacy, Terms, World, eventually, within,
};

/// How many partitions the logs of tests have.
const PARTITIONS: u16 = 4;

/// How many clients there are, and for how long.
const CLIENTS: usize = 6;
const LASTING: Duration = Duration::from_secs(3);

/// Fewer than there are events, so that pages end anywhere.
const PAGE: usize = 7;

const RECORDED: &str = "ndp.events.dispense.recorded";
const FULLY_DISPENSED: &str = "ndp.events.prescription.fully_dispensed";

/// All lines of a partition, page by page as `Link` leads on, and how many pages had none.
async fn pages(auditor: &Pharmacy, partition: u16, end: usize) -> (Vec<String>, usize) {
    let mut path = format!("/api/v1/messages?partition={partition}&limit={PAGE}");
    let (mut lines, mut empty, mut position) = (Vec::new(), 0, 0);
    loop {
        let response = auditor.request("GET", &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let (next, reached) = (header("link"), header("dispense-position"));
        assert_eq!(header("dispense-epoch"), "1");
        position = end.min(position + PAGE);
        assert_eq!(reached, format!("{partition}:{position}"));
        let page: Vec<String> = response.text().await.unwrap().lines().map(Into::into).collect();
        empty += usize::from(page.is_empty());
        lines.extend(page);
        if position == end {
            return (lines, empty);
        }
        path = next.trim_start_matches('<').split_once('>').unwrap().0.to_owned();
    }
}

/// What an event has to be told as, from its row alone.
fn topics(kind: &str, payload: &Value) -> Vec<&'static str> {
    match kind {
        "HoldCreated" if payload["processed_at_once"] == true => vec![],
        "HoldCreated" => vec!["ndp.events.dispense.hold_created"],
        "Expired" => vec!["ndp.events.dispense.expired"],
        "Cancelled" => vec!["ndp.events.dispense.cancelled"],
        "Processed" if payload["remaining"] == "0" => vec![RECORDED, FULLY_DISPENSED],
        "Processed" => vec![RECORDED],
        other => panic!("{other}"),
    }
}

/// Everybody dispenses at both doors, and some of it is signed for at an instance whose holds last.
async fn busy(world: &World, doors: [&Instance; 2], patient: &Instance) {
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: doors.map(|door| door.url.clone()).into(),
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    crowd.go_on(CLIENTS, LASTING).await;
    let pharmacy = world.pharmacies[0].at(patient);
    for n in 0..3 {
        let held = pharmacy.dispense(&world.prescribed(Terms::Whole, n), 60).await.expect(201);
        pharmacy.hand_over(held.id(), PAID).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_told_once_and_in_order_by_any_instance() {
    let database = Database::new().await;
    let world = World::new(4, 40);
    database.import(&world.lines());
    let short = [("MEDICATION_DISPENSE_EXPIRATION", "2s")];
    let first = Instance::start_with(&database, &short).await;
    let second = Instance::start_with(&database, &short).await;
    let patient = Instance::start(&database).await;
    busy(&world, [&first, &second], &patient).await;
    ended(&database).await;
    let audit = Audit::of(&database).await;
    let auditor = auditor(&world);
    let log_id: uuid::Uuid = sqlx::query_scalar("SELECT log_id FROM log_settings")
        .fetch_one(&database.pool)
        .await
        .unwrap();

    let (mut completed, mut without) = (0, 0);
    for partition in 0..PARTITIONS {
        let entries: Vec<_> = audit.entries.iter().filter(|it| it.partition == partition).collect();
        let (lines, empty) = pages(&auditor.at(&first), partition, entries.len()).await;
        without += empty;
        let mut told = lines.iter();
        for entry in &entries {
            for topic in topics(&entry.kind, &entry.payload) {
                let message: Value = serde_json::from_str(told.next().unwrap()).unwrap();
                let last_words = topic.rsplit('.').next().unwrap();
                assert_eq!(message["type"], topic);
                assert_eq!(message["id"], format!("{}/{last_words}", entry.event_id));
                assert_eq!(message["source"], format!("/dispense/{log_id}"));
                assert_eq!(message["sequence"], format!("{partition}:{}", entry.position));
                assert_eq!(message["hash"], hex::encode(entry.hash));
                assert_eq!(message["subject"], entry.dispense.to_string());
                assert_eq!(message["partitionkey"], entry.request.to_string());
                assert_eq!(message["data"]["prescriptionId"], entry.request.to_string());
                if topic == FULLY_DISPENSED {
                    let so_far = audit.of_request(entry.request).into_iter();
                    let so_far = so_far.filter(|it| it.position <= entry.position);
                    let handed_over = so_far.filter(|it| it.kind == "Processed").count();
                    assert_eq!(message["data"]["dispenses"], handed_over);
                    completed += 1;
                }
            }
        }
        assert_eq!(told.next(), None);

        let (again, _) = pages(&auditor.at(&second), partition, entries.len()).await;
        assert_eq!(digest(&again), digest(&lines), "the same letters, whoever is asked");
        let followed = followed(&auditor.at(&second), partition, lines.len()).await;
        assert_eq!(digest(&followed), digest(&lines));
    }
    assert!(completed >= 3, "{completed} prescriptions were completed");
    println!("{} events; {without} pages without a message", audit.entries.len());
}

/// Waits until every hold has ended, so that the log stays as it is.
async fn ended(database: &Database) {
    let open = "SELECT count(*) FILTER (WHERE event_type = 'HoldCreated')
                     - count(*) FILTER (WHERE event_type <> 'HoldCreated') FROM events";
    eventually("the end of all holds", Duration::from_mins(2), async || {
        let open: i64 = sqlx::query_scalar(open).fetch_one(&database.pool).await.ok()?;
        (open == 0).then_some(())
    })
    .await;
}

fn digest(lines: &[String]) -> (usize, String) {
    (lines.len(), hex::encode(Sha256::digest(lines.concat())))
}

/// As many messages from the beginning, as a stream has them.
async fn followed(auditor: &Pharmacy, partition: u16, many: usize) -> Vec<String> {
    let path = format!("/api/v1/messages/stream?partition={partition}");
    let mut stream = auditor.request("GET", &path).send().await.unwrap();
    let mut received = String::new();
    within("all messages", Duration::from_mins(2), async {
        while data(&received).len() < many {
            received.push_str(&piece(&mut stream).await);
        }
    })
    .await;
    data(&received)
}

async fn piece(stream: &mut Response) -> String {
    let piece = stream.chunk().await.unwrap().unwrap();
    // Whatever is sent is ASCII but for what a registry calls something.
    String::from_utf8_lossy(&piece).into_owned()
}

/// The lines of whole events.
fn data(received: &str) -> Vec<String> {
    let whole = received.rfind("\n\n").map_or("", |end| &received[..end]);
    whole.lines().filter_map(|line| line.strip_prefix("data: ")).map(Into::into).collect()
}

/// Somebody who may read the log.
fn auditor(world: &World) -> Pharmacy {
    let pharmacy = &world.pharmacies[0];
    pharmacy.with_token(&pharmacy.token().with("client_type", "NHS").with("scope", "audit:read"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_what_another_instance_recorded() {
    let database = Database::new().await;
    let world = World::new(1, 4);
    database.import(&world.lines());
    let (first, second) = (Instance::start(&database).await, Instance::start(&database).await);
    let pharmacy = world.pharmacies[0].at(&first);
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201);
    let position = held.header("dispense-position").unwrap().to_owned();
    let (partition, before) = position.split_once(':').unwrap();
    let path = format!("/api/v1/messages/stream?partition={partition}&after={before}");
    let mut stream = auditor(&world).at(&second).request("GET", &path).send().await.unwrap();
    let given_back = pharmacy.cancel(held.id()).await.expect(200);
    let mut received = String::new();
    within("the message", Duration::from_secs(10), async {
        while data(&received).is_empty() {
            received.push_str(&piece(&mut stream).await);
        }
    })
    .await;
    let id = format!("id: {}\n", given_back.header("dispense-position").unwrap());
    assert!(received.contains(&id), "{received}");
    let told: Value = serde_json::from_str(&data(&received)[0]).unwrap();
    assert_eq!(told["type"], "ndp.events.dispense.cancelled");
    assert_eq!(told["subject"], held.id().to_string());
}
