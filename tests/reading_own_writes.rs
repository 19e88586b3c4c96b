//! Reading one's own writes: whoever sends the positions that it was told is never shown an older
//! state, whichever instance it asks, and whatever becomes of the followers meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{Answer, Database, Instance, Pharmacy, Prescribed, Terms, World, eventually};

/// How many clients there are, and how long they go on.
const CLIENTS: usize = 8;
const LASTING: Duration = Duration::from_secs(12);

/// How many answers are enough, and how often at most clients go on until there are so many.
const ENOUGH: usize = 50;
const MOST_ROUNDS: usize = 4;

/// How many questions a client asks after each command.
const QUESTIONS: usize = 3;

/// How long a question may remain unanswered, while followers are held back again and again.
const ANSWERED_WITHIN: Duration = Duration::from_mins(3);

/// What a client knows of the log.
#[derive(Debug, Clone, Default)]
struct Known(BTreeMap<u16, i64>);

impl Known {
    /// Takes note of what an answer says.
    fn learn(&mut self, answer: &Answer) {
        let told = answer.header("dispense-position").unwrap_or_else(|| panic!("{answer:#?}"));
        for place in told.split(',') {
            let (partition, position) = place.split_once(':').unwrap();
            let position: i64 = position.parse().unwrap();
            let known = self.0.entry(partition.parse().unwrap()).or_default();
            *known = position.max(*known);
        }
    }

    fn header(&self) -> String {
        let places = self.0.iter().map(|(partition, position)| format!("{partition}:{position}"));
        places.collect::<Vec<_>>().join(",")
    }
}

/// A dispense as the client left it.
#[derive(Debug, Clone, Copy)]
struct Left {
    id: Uuid,
    /// How many there have been of its medication request, with this one.
    count: usize,
    held: bool,
}

/// A question about a dispense, and what must be answered.
#[derive(Debug, Clone, Copy)]
enum Question {
    Dispense,
    History,
    Balance,
    OfPrescription,
    Registered,
    OfRequest,
    Found,
    FoundHeld,
    FoundAll,
    Listed,
}

impl Question {
    const ALL: [Self; 10] = [
        Self::Dispense,
        Self::History,
        Self::Balance,
        Self::OfPrescription,
        Self::Registered,
        Self::OfRequest,
        Self::Found,
        Self::FoundHeld,
        Self::FoundAll,
        Self::Listed,
    ];

    fn path(self, what: &Prescribed, left: Left) -> String {
        let (id, request) = (left.id, what.id);
        let (platform, register) = ("/api/v1", "/api");
        match self {
            Self::Dispense => format!("{platform}/dispenses/{id}"),
            Self::History => format!("{platform}/dispenses/{id}/history"),
            Self::Balance => format!("{platform}/prescriptions/{request}"),
            Self::OfPrescription => format!("{platform}/prescriptions/{request}/dispenses"),
            Self::Registered => format!("{register}/medication_dispenses/{id}"),
            Self::OfRequest => format!("{register}/medication_requests/{request}/dispenses"),
            Self::Found => format!("{register}/medication_dispenses?id={id}"),
            Self::FoundHeld => format!(
                "{register}/medication_dispenses?medication_request_id={request}&status=NEW"
            ),
            Self::FoundAll => format!(
                "{register}/medication_dispenses?medication_request_id={request}&page_size=1"
            ),
            Self::Listed => {
                format!("{platform}/dispenses?prescriptionId={request}&status=HELD,CANCELLED")
            }
        }
    }

    /// What the answer says, and what it must say.
    fn said(self, body: &Value, left: Left) -> (Value, Value) {
        let Left { id, count, held } = left;
        let (ours, theirs) = if held { ("HELD", "NEW") } else { ("CANCELLED", "REJECTED") };
        let ids = |list: &Value| -> Value {
            list.as_array().unwrap().iter().map(|it| it["id"].clone()).collect()
        };
        let first = |list: &Value| serde_json::json!([list[0]["id"], list[0]["status"]]);
        let expected_first = |word: &str| serde_json::json!([id, word]);
        match self {
            Self::Dispense | Self::History => (body["status"].clone(), ours.into()),
            Self::Balance => (body["held"].clone(), if held { 20 } else { 0 }.into()),
            Self::OfPrescription => {
                let items = body["items"].as_array().unwrap().len();
                let said = serde_json::json!([first(&body["items"]), items]);
                (said, serde_json::json!([expected_first(ours), count]))
            }
            Self::Registered => (body["data"]["status"].clone(), theirs.into()),
            Self::OfRequest | Self::Found => (first(&body["data"]), expected_first(theirs)),
            Self::FoundHeld => {
                let expected = if held { vec![Value::from(id.to_string())] } else { Vec::new() };
                (ids(&body["data"]), expected.into())
            }
            Self::FoundAll => {
                let total = body["paging"]["total_entries"].clone();
                let said = serde_json::json!([first(&body["data"]), total]);
                (said, serde_json::json!([expected_first(theirs), count]))
            }
            Self::Listed => (first(&body["items"]), expected_first(ours)),
        }
    }
}

/// A client that writes at the first door and reads at the others.
struct Client {
    pharmacy: Pharmacy,
    doors: Vec<String>,
    what: Prescribed,
    known: Known,
    answered: usize,
    behind: usize,
}

impl Client {
    async fn go_on(mut self, until: Instant) -> (usize, usize) {
        let writer = self.pharmacy.at_door(&self.doors[0]);
        let mut count = 0;
        while Instant::now() < until {
            let held = writer.dispense(&self.what, 20).await.expect(201);
            self.known.learn(&held);
            count += 1;
            let left = Left { id: held.id(), count, held: true };
            self.look(left).await;
            self.known.learn(&writer.cancel(left.id).await.expect(200));
            self.look(Left { held: false, ..left }).await;
        }
        (self.answered, self.behind)
    }

    async fn look(&mut self, left: Left) {
        let questions: Vec<Question> =
            Question::ALL.choose_multiple(&mut rand::rng(), QUESTIONS).copied().collect();
        for question in questions {
            let path = question.path(&self.what, left);
            let known = self.known.header();
            let answer = self.answer(&path).await;
            let (said, expected) = question.said(&answer.body, left);
            assert_eq!(said, expected, "{question:?}, knowing {known}: {answer:#?}");
            self.known.learn(&answer);
            self.answered += 1;
        }
    }

    /// Asks at any of the doors, until one is not behind.
    async fn answer(&mut self, path: &str) -> Answer {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < ANSWERED_WITHIN, "nobody answers {path}");
            let door = self.doors[1..].choose(&mut rand::rng()).unwrap();
            let request = self.pharmacy.at_door(door).request("GET", path);
            let asked = request.header("dispense-position", self.known.header());
            // An instance that was killed answers nothing.
            let Ok(answer) = Answer::to(asked).await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            match answer.status {
                200 => return answer,
                503 => self.behind += usize::from(answer.code() == "read-model-behind"),
                _ => panic!("{path}: {answer:#?}"),
            }
        }
    }
}

/// Holds all followers back, as long as the transaction lives.
async fn hold_back(database: &Database) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut lease = database.pool.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM followers FOR UPDATE").execute(&mut *lease).await.unwrap();
    lease
}

/// Followers are held back, or lose their connections, until the end.
async fn disturb(database: &Database, until: Instant) {
    while Instant::now() < until {
        let pause = Duration::from_millis(rand::rng().random_range(50..1_400));
        if rand::rng().random_ratio(1, 3) {
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name LIKE 'dispense follow%' AND datname = current_database()",
            )
            .execute(&database.pool)
            .await
            .unwrap();
            tokio::time::sleep(pause / 4).await;
        } else {
            let lease = hold_back(database).await;
            tokio::time::sleep(pause).await;
            lease.rollback().await.unwrap();
            // Long enough for somebody to catch up.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_sends_what_it_was_told_is_shown_an_older_state() {
    let database = Database::new().await;
    let world = World::new(CLIENTS, CLIENTS * MOST_ROUNDS);
    database.import(&world.lines());
    let mut instances = [
        Instance::start(&database).await,
        Instance::start(&database).await,
        Instance::start(&database).await,
    ];
    let doors: Vec<String> = instances.iter().map(|instance| instance.url.clone()).collect();
    let mut answered = 0;
    for round in 0..MOST_ROUNDS {
        let until = Instant::now() + LASTING;
        let mut clients = JoinSet::new();
        for n in 0..CLIENTS {
            let client = Client {
                pharmacy: world.pharmacies[n].clone(),
                doors: doors.clone(),
                what: world.prescribed(Terms::InParts, round * CLIENTS + n),
                known: Known::default(),
                answered: 0,
                behind: 0,
            };
            clients.spawn(client.go_on(until));
        }
        let disturbing = disturb(&database, until);
        let killing = async {
            tokio::time::sleep(LASTING / 3).await;
            instances[2].start_again().await;
        };
        tokio::join!(disturbing, killing);
        let told = clients.join_all().await;
        answered += told.iter().map(|(answered, _)| answered).sum::<usize>();
        let behind: usize = told.iter().map(|(_, behind)| behind).sum();
        println!("{answered} answers, {behind} times behind in round {round}");
        if answered > ENOUGH {
            break;
        }
        assert!(round + 1 < MOST_ROUNDS, "too little happened");
    }
    database.followed().await;
}

/// What one instance wrote, another is asked for while the followers are held back.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_no_position_may_be_shown_an_older_state() {
    let database = Database::new().await;
    let world = World::new(1, 2);
    database.import(&world.lines());
    let [one, other] = [Instance::start(&database).await, Instance::start(&database).await];
    let writer = world.pharmacies[0].at(&one);
    let reader = world.pharmacies[0].at(&other);
    let what = world.prescribed(Terms::InParts, 0);
    writer.dispense(&world.prescribed(Terms::InParts, 1), 20).await.expect(201);
    database.followed().await;

    let lease = hold_back(&database).await;
    let held = writer.dispense(&what, 20).await.expect(201);
    let position = held.header("dispense-position").unwrap().to_owned();
    let search = format!("/api/medication_dispenses?id={}", held.id());
    let ask = async |path: &str, known: &str| {
        let request = reader.request("GET", path).header("dispense-position", known);
        Answer::to(request).await.unwrap()
    };
    let found = |answer: &Answer| answer.body["data"].as_array().unwrap().len();
    assert_eq!(found(&reader.get(&search).await.expect(200)), 0, "an older state");
    let behind = ask(&search, &position).await.refused(503, "read-model-behind");
    assert_eq!(behind.header("retry-after"), Some("1"));
    let by_id = ask(&format!("/api/v1/dispenses/{}", held.id()), &position).await.expect(200);
    assert_eq!(by_id.body["status"], "HELD", "what folds the log waits for nobody");

    lease.rollback().await.unwrap();
    let answer = eventually("a read model that is there", Duration::from_mins(1), async || {
        Some(ask(&search, &position).await).filter(|answer| answer.status == 200)
    })
    .await;
    assert_eq!(found(&answer), 1);

    let (partition, number) = position.split_once(':').unwrap();
    let beyond = format!("{partition}:{}", number.parse::<i64>().unwrap() + 1);
    for path in [search, format!("/api/v1/dispenses/{}", held.id())] {
        ask(&path, &beyond).await.refused(400, "position-invalid");
        ask(&path, "4:0").await.refused(400, "position-invalid");
    }
}
