//! The log for auditors and analysts: page by page, and as it is recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use rand::seq::IndexedRandom;
use reqwest::Response;

use crate::harness::{
    Audit, Crowd, Database, Instance, Pharmacy, Terms, World, eventually, within,
};

/// How many partitions the logs of tests have.
const PARTITIONS: u16 = 4;

/// How many commands are enough, and how often each consumer comes back at least.
const ENOUGH: usize = 200;
const CONNECTIONS_EACH: usize = 5;

/// Somebody who may read the log.
fn auditor(world: &World) -> Pharmacy {
    let pharmacy = &world.pharmacies[0];
    pharmacy.with_token(&pharmacy.token().with("client_type", "NHS").with("scope", "audit:read"))
}

/// An event as a consumer gets it.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    id: String,
    kind: String,
    line: String,
}

/// The whole events at the beginning of what was received, which are taken off it.
fn events(received: &mut String) -> Vec<Sent> {
    let mut events = Vec::new();
    while let Some(end) = received.find("\n\n") {
        let block: String = received.drain(..end + 2).collect();
        let field = |name: &str| {
            let value = block.lines().find_map(|line| line.strip_prefix(name));
            value.unwrap_or_default().to_owned()
        };
        if block.contains("data: ") {
            let (id, kind) = (field("id: "), field("event: "));
            events.push(Sent { id, kind, line: field("data: ") });
        }
    }
    events
}

/// A consumer of one partition, which remembers the last id.
struct Consumer {
    auditor: Pharmacy,
    doors: Vec<String>,
    partition: u16,
    got: Vec<Sent>,
    connections: usize,
}

impl Consumer {
    /// Connects to any instance, behind the last id.
    async fn connect(&mut self) -> Option<Response> {
        let door = self.doors.choose(&mut rand::rng()).unwrap().clone();
        let path = format!("/api/v1/events/stream?partition={}", self.partition);
        let mut request = self.auditor.at_door(&door).request("GET", &path);
        if let Some(last) = self.got.last() {
            request = request.header("Last-Event-ID", &last.id);
        }
        let response = request.send().await.ok()?;
        assert!([200, 503].contains(&response.status().as_u16()), "{response:?}");
        self.connections += 1;
        (response.status() == 200).then_some(response)
    }

    /// Reads until that many events over that many connections are enough: it hangs up itself now
    /// and then, in the middle of an event.
    async fn read_until(&mut self, enough: impl Fn(usize, usize) -> bool) {
        while !enough(self.got.len(), self.connections) {
            let Some(mut response) = self.connect().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let mut received = String::new();
            let patience = rand::rng().random_range(1..10);
            for _ in 0..patience {
                let piece = tokio::time::timeout(Duration::from_secs(1), response.chunk()).await;
                // Nothing came, the connection broke, or the stream ended.
                let Ok(Ok(Some(piece))) = piece else { break };
                received.push_str(&String::from_utf8_lossy(&piece));
                self.got.extend(events(&mut received));
            }
        }
    }
}

/// Two instances, one of which is killed again and again, and four consumers that hang up.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_comes_back_misses_nothing_and_gets_nothing_twice() {
    const LASTING: Duration = Duration::from_secs(8);
    let database = Database::new().await;
    let world = World::new(4, 40);
    database.import(&world.lines());
    let first = Instance::start(&database).await;
    let mut second = Instance::start(&database).await;
    let doors = vec![first.url.clone(), second.url.clone()];
    let crowd = Crowd {
        pharmacies: world.pharmacies.clone(),
        doors: doors.clone(),
        requests: [world.all(Terms::InParts), world.all(Terms::InPartsAtOnce)].concat(),
        insists: true,
    };
    let crowd = tokio::spawn(crowd.go_on_until_done(12, LASTING, ENOUGH));
    let (ended, is_over) = tokio::sync::watch::channel(BTreeMap::<u16, usize>::new());
    let consumers = (0..PARTITIONS).map(|partition| {
        let (auditor, doors, is_over) = (auditor(&world), doors.clone(), is_over.clone());
        let mut consumer = Consumer { auditor, doors, partition, got: Vec::new(), connections: 0 };
        tokio::spawn(async move {
            // Until the log ends where it will end.
            let enough = |got: usize, connections: usize| {
                let is_whole = is_over.borrow().get(&partition).is_some_and(|end| got >= *end);
                is_whole && connections >= CONNECTIONS_EACH
            };
            consumer.read_until(enough).await;
            consumer
        })
    });
    let consumers: Vec<_> = consumers.collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        second.start_again().await;
    }
    crowd.await.unwrap();

    let audit = Audit::of(&database).await;
    let mut ends = BTreeMap::new();
    for entry in &audit.entries {
        *ends.entry(entry.partition).or_insert(0) += 1;
    }
    ended.send(ends.clone()).unwrap();
    let mut connections = 0;
    for consumer in consumers {
        let consumer = within("a consumer", Duration::from_mins(2), consumer).await.unwrap();
        connections += consumer.connections;
        let partition = consumer.partition;
        let read = pages(&auditor(&world).at(&first), partition, 37).await;
        assert_eq!(read.len(), ends[&partition]);
        let ids: Vec<_> = (1..=read.len()).map(|n| format!("{partition}:{n}")).collect();
        assert_eq!(consumer.got.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), ids);
        assert_eq!(consumer.got.iter().map(|it| it.line.clone()).collect::<Vec<_>>(), read);
        for (sent, line) in consumer.got.iter().zip(&read) {
            let line = dispense_audit::line::read(line).unwrap();
            assert_eq!(sent.kind, line.event_type);
        }
    }
    println!("{} events over {connections} connections", audit.entries.len());
}

/// All lines of a partition, in pages of that many, each behind the one before as `Link` says. Their
/// hashes follow from what stands on them, so that nothing was changed on the way.
async fn pages(auditor: &Pharmacy, partition: u16, limit: usize) -> Vec<String> {
    let mut path = format!("/api/v1/events?partition={partition}&limit={limit}");
    let mut lines: Vec<String> = Vec::new();
    let mut previous = None;
    loop {
        let response = auditor.request("GET", &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let (next, position) = (header("link"), header("dispense-position"));
        let text = response.text().await.unwrap();
        let page: Vec<&str> = text.lines().collect();
        assert_eq!(position, format!("{partition}:{}", lines.len() + page.len()));
        for line in &page {
            let line = dispense_audit::line::read(line).unwrap();
            if let Some(previous) = previous {
                assert_eq!(dispense_audit::chain::next(&previous, &line.row()), line.hash);
            }
            previous = Some(line.hash);
        }
        lines.extend(page.iter().map(|it| (*it).to_owned()));
        if page.len() < limit {
            return lines;
        }
        path = next.trim_start_matches('<').split_once('>').unwrap().0.to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_do_not_hold_up_the_end_of_a_service() {
    let database = Database::new().await;
    let world = World::new(1, 1);
    database.import(&world.lines());
    let mut instance = Instance::start(&database).await;
    let auditor = auditor(&world).at(&instance);
    let mut streams = Vec::new();
    for n in 0..8 {
        let path = format!("/api/v1/events/stream?partition={}", n % PARTITIONS);
        let mut response = auditor.request("GET", &path).send().await.unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "retry: 1000\n\n");
        streams.push(response);
    }
    instance.terminate();
    // Those that were cut off would have no end.
    let status = instance.wait(Duration::from_mins(1));
    assert!(status.success(), "{status}:\n{}", instance.said());
    for mut stream in streams {
        // A body that breaks off is an error, and this one has an end.
        assert_eq!(stream.chunk().await.unwrap(), None);
    }
}

/// What the other instance writes comes at once too: well before a reader that is not woken would
/// look by itself, or that would be waited for here.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_what_another_instance_recorded() {
    let database = Database::new().await;
    let world = World::new(1, 4);
    database.import(&world.lines());
    let (first, second) = (Instance::start(&database).await, Instance::start(&database).await);
    let pharmacy = world.pharmacies[0].at(&first);
    let held = pharmacy.dispense(&world.prescribed(Terms::InParts, 0), 20).await.expect(201);
    let position = held.header("dispense-position").unwrap().to_owned();
    let (partition, before) = position.split_once(':').unwrap();
    let path = format!("/api/v1/events/stream?partition={partition}&after={before}");
    let mut stream = auditor(&world).at(&second).request("GET", &path).send().await.unwrap();
    let given_back = pharmacy.cancel(held.id()).await.expect(200);
    let mut received = String::new();
    let sent = within("the event", Duration::from_secs(10), async {
        loop {
            let piece = stream.chunk().await.unwrap().unwrap();
            received.push_str(std::str::from_utf8(&piece).unwrap());
            if let Some(sent) = events(&mut received).pop() {
                return sent;
            }
        }
    })
    .await;
    assert_eq!(sent.kind, "Cancelled");
    assert_eq!(Some(&*sent.id), given_back.header("dispense-position"));
}

/// Bodies larger than all buffers between service and reader, so that each answer stands in the
/// middle: none of them may keep a connection of the pool, of which there are few.
#[tokio::test(flavor = "multi_thread")]
async fn readers_who_do_not_read_cost_others_nothing() {
    let database = Database::new().await;
    let world = World::new(1, 4);
    database.import(&world.lines());
    let instance = Instance::start_with(&database, &[("DATABASE_CONNECTIONS", "2")]).await;
    let pharmacy = world.pharmacies[0].at(&instance);
    pharmacy.dispense(&world.prescribed(Terms::InPartsAtOnce, 0), 20).await.expect(201);
    let partition = lengthen(&database, 6_000).await;
    let path = format!("/api/v1/events?partition={partition}&limit=10000");
    let auditor = auditor(&world).at(&instance);
    let before = instance.memory_now();
    let mut readers = Vec::new();
    for _ in 0..12 {
        let response = auditor.request("GET", &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        readers.push(response);
    }
    eventually("memory that no longer grows", Duration::from_mins(1), async || {
        let now = instance.memory_now();
        tokio::time::sleep(Duration::from_millis(500)).await;
        (instance.memory_now() <= now).then_some(())
    })
    .await;
    let grown = instance.memory_now().saturating_sub(before);
    println!("12 readers cost {grown} MiB");
    assert!(grown < 100, "12 readers cost {grown} MiB");
    for n in 1..4 {
        pharmacy.dispense(&world.prescribed(Terms::InParts, n), 20).await.expect(201);
    }
    let whole = readers.pop().unwrap().text().await.unwrap();
    assert!(whole.lines().count() > 6_000);
}

/// Copies the last event of a partition until it has so many more: such rows are good to be read,
/// and for nothing else.
async fn lengthen(database: &Database, count: i64) -> i16 {
    let mut tx = database.pool.begin().await.unwrap();
    let partition: i16 = sqlx::query_scalar(
        "SELECT partition FROM log_head ORDER BY position DESC LIMIT 1 FOR UPDATE",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
             payload, metadata, partition, position, event_id, dispense_id, recorded_at, hash)
         SELECT 'long', aggregate_id, n, 'Cancelled', event_version, payload, metadata, partition,
                position + n, gen_random_uuid(), dispense_id, recorded_at, hash
         FROM (SELECT * FROM events WHERE partition = $1 AND event_type = 'HoldCreated'
               ORDER BY position DESC LIMIT 1) e
         CROSS JOIN generate_series(2, $2 + 1) n",
    )
    .bind(partition)
    .bind(count)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query("UPDATE log_head SET position = position + $2 WHERE partition = $1")
        .bind(partition)
        .bind(count)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    partition
}
