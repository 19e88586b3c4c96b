//! An installation that announces: a database, topics with a prefix of their own, instances.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rand::Rng;
use serde_json::Value;

use super::brokers;
use crate::harness::{
    Audit, Crowd, Database, Instance, Terms, Told, World, done, eventually, temporary, within,
};

/// How long a command of the binary may take here.
const DONE_WITHIN: Duration = Duration::from_mins(3);

/// How long it may take until readiness tells of a fault, or that it is over: a relay may have to wait
/// for a transaction that nobody ends but the brokers, which takes them most of it.
const TOLD_WITHIN: Duration = Duration::from_mins(2);

/// How many clients there are, and how long each goes on before it looks whether to stop.
const CLIENTS: usize = 4;
const ROUND: Duration = Duration::from_secs(1);

/// How long they may take for as much as a test needs.
const ENOUGH_WITHIN: Duration = Duration::from_mins(3);

/// Of an instance whose holds run out in no test: those are given back or handed over, however slow the
/// machine is.
pub(super) const LONG_HOLDS: [(&str, &str); 1] = [("MEDICATION_DISPENSE_EXPIRATION", "10")];

/// How often at most a hold is made again that ran out before it was given back.
const HOLDS: usize = 20;

/// Clients that go on.
pub(super) struct Busy {
    /// How many commands are enough to stop at.
    stop: tokio::sync::watch::Sender<Option<usize>>,
    clients: tokio::task::JoinHandle<Vec<Told>>,
}

impl Busy {
    /// Lets them come to an end as soon as they have done so many commands at least, and holds what they
    /// were told against the log.
    pub(super) async fn stop(self, house: &House, least: usize) {
        self.stop.send_replace(Some(least));
        let told = within("enough that happens", ENOUGH_WITHIN, self.clients).await.unwrap();
        let audit = Audit::of(&house.database).await;
        audit.confirms(&told);
    }
}

/// The installation.
pub(super) struct House {
    pub(super) database: Database,
    pub(super) world: World,
    /// Where the brokers are.
    pub(super) brokers: String,
    /// Where witnesses and operators find them: those whom nobody asks for a password.
    pub(super) inside: String,
    /// What stands before the name of every topic.
    pub(super) prefix: String,
    /// More settings of all instances and commands.
    pub(super) settings: Vec<(&'static str, String)>,
}

impl House {
    /// On the servers that all tests share, with its topics made.
    pub(super) async fn new() -> Self {
        let house = Self::on(Database::new().await, brokers::shared());
        house.make_topics().await;
        house
    }

    /// On that database and those brokers, where no topic was made.
    pub(super) fn on(database: Database, brokers: String) -> Self {
        let world = World::new(6, 60);
        database.import(&world.lines());
        let prefix = format!("t{:08x}.", rand::random::<u32>());
        let settings = vec![("MEDICATION_DISPENSE_EXPIRATION", "3s".to_owned())];
        let inside = brokers.clone();
        Self { database, world, brokers, inside, prefix, settings }
    }

    /// The name of a topic on the brokers.
    pub(super) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn all_settings(&self) -> Vec<(&str, &str)> {
        let own = [
            ("KAFKA_BROKERS", &*self.brokers),
            ("KAFKA_TOPIC_PREFIX", &*self.prefix),
            ("KAFKA_TOPIC_PARTITIONS", "3"),
            ("KAFKA_REGISTRY", "false"),
        ];
        let more = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        own.into_iter().chain(more).collect()
    }

    /// Starts an instance.
    pub(super) async fn start(&self) -> Instance {
        self.start_with(&[]).await
    }

    /// As [`Self::start`], with other settings.
    pub(super) async fn start_with(&self, more: &[(&str, &str)]) -> Instance {
        Instance::start_with(&self.database, &[&self.all_settings(), more].concat()).await
    }

    /// Runs a command of the binary to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        self.run_with(arguments, self.all_settings()).await
    }

    /// As [`Self::done`], for an operator whom no broker asks for a password.
    pub(super) async fn done_inside(&self, arguments: &[&str]) {
        let mut settings = self.all_settings();
        settings.retain(|(name, _)| !name.starts_with("KAFKA_SASL"));
        settings.push(("KAFKA_BROKERS", &self.inside));
        let (status, said) = self.run_with(arguments, settings).await;
        assert!(status.success(), "`dispense {}`: {said}", arguments.join(" "));
    }

    async fn run_with(
        &self,
        arguments: &[&str],
        settings: Vec<(&str, &str)>,
    ) -> (ExitStatus, String) {
        let folder = temporary();
        let mut process = self.database.command(folder.path(), arguments, &settings);
        tokio::task::spawn_blocking(move || (process.wait(DONE_WITHIN), process.said()))
            .await
            .unwrap()
    }

    /// As [`Self::run`], for what has to succeed.
    pub(super) async fn done(&self, arguments: &[&str]) -> String {
        let (status, said) = self.run(arguments).await;
        assert!(status.success(), "`dispense {}`: {said}", arguments.join(" "));
        said
    }

    /// Makes the topics that are missing.
    pub(super) async fn make_topics(&self) {
        self.done(&["streams", "topics"]).await;
    }

    /// The token of somebody who may read the log.
    pub(super) fn audit_token(&self) -> String {
        let token = self.world.pharmacies[0].token();
        token.with("client_type", "NHS").with("scope", "audit:read").signed()
    }

    /// Clients of all kinds at these doors, who ask until they know, and go on until they are told to
    /// stop.
    pub(super) fn busy(&self, doors: &[&Instance]) -> Busy {
        let terms = [Terms::InParts, Terms::InPartsAtOnce, Terms::WholeAtOnce];
        let requests = terms.map(|terms| self.world.all(terms)).concat();
        let doors: Vec<String> = doors.iter().map(|instance| instance.url.clone()).collect();
        let pharmacies = self.world.pharmacies.clone();
        let (stop, stopped) = tokio::sync::watch::channel(None);
        let clients = tokio::spawn(async move {
            let mut told = Vec::new();
            while stopped.borrow().is_none_or(|enough| done(&told) < enough) {
                let (pharmacies, doors) = (pharmacies.clone(), doors.clone());
                let crowd = Crowd { pharmacies, doors, requests: requests.clone(), insists: true };
                told.extend(crowd.go_on(CLIENTS, ROUND).await);
            }
            told
        });
        Busy { stop, clients }
    }

    /// Waits until nothing will be recorded any more: every dispense that began has ended.
    pub(super) async fn settled(&self) {
        let open = "SELECT count(*) FILTER (WHERE event_type = 'HoldCreated')
                         - count(*) FILTER (WHERE event_type <> 'HoldCreated') FROM events";
        eventually("the end of all holds", DONE_WITHIN, async || {
            let open: i64 = sqlx::query_scalar(open).fetch_one(&self.database.pool).await.ok()?;
            (open == 0).then_some(())
        })
        .await;
    }

    /// One hold, given back: two events, as soon as the answer is there. Where holds are short, one may
    /// run out before, and then there is one more.
    pub(super) async fn hold_and_cancel(&self, instance: &Instance) {
        let pharmacy = self.world.pharmacies[0].at(instance);
        for _ in 0..HOLDS {
            let n = rand::rng().random_range(0..60);
            let what = self.world.prescribed(Terms::Whole, n);
            let held = pharmacy.dispense(&what, 60).await.expect(201);
            let given_back = pharmacy.cancel(held.id()).await;
            if given_back.status == 200 {
                return;
            }
            given_back.refused(409, "wrong-status");
            let left = pharmacy.look_at(held.id()).await.expect(200);
            assert_eq!(left.body["status"], "EXPIRED", "{left:?}");
        }
        panic!("every hold runs out before it is given back");
    }
}

/// What readiness says of the streams: nothing, or what is wrong. Nothing about them is ever a reason
/// to send nobody here.
pub(crate) async fn fault(instance: &Instance) -> Option<String> {
    let health = instance.health().await;
    let checks = health["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["name"] == "streams")?;
    if found["status"] == "ok" {
        return None;
    }
    assert_eq!((&found["status"], &health["status"]), (&degraded(), &degraded()), "{health}");
    Some(found["detail"].as_str().unwrap().to_owned())
}

fn degraded() -> Value {
    "degraded".into()
}

/// Waits until readiness tells of a fault of the streams that has all these words.
pub(crate) async fn told(instance: &Instance, words: &[&str]) -> String {
    let mut last = None;
    let what = format!("a fault of the streams with {words:?}");
    eventually(&what, TOLD_WITHIN, async || {
        let found = fault(instance).await;
        if found != last {
            println!("streams: {found:?}");
            last.clone_from(&found);
        }
        found.filter(|it| words.iter().all(|word| it.contains(word)))
    })
    .await
}

/// Waits until readiness has nothing to tell of the streams.
pub(crate) async fn well(instance: &Instance) {
    eventually("streams that are well", TOLD_WITHIN, async || {
        fault(instance).await.is_none().then_some(())
    })
    .await;
}

/// What an instance that was started then has logged of the streams is no flood: so many lines in each
/// minute that it has begun at most. A machine that is slow is told of in other lines.
pub(super) fn assert_few_lines(instance: &Instance, started: Instant, each_minute: u64) {
    let said = instance.said();
    let lines = said.lines().filter(|line| line.contains("kafka")).count() as u64;
    let most = each_minute * (started.elapsed().as_secs() / 60 + 1);
    assert!(lines < most, "{lines} lines:\n{said}");
}

/// Waits so many milliseconds, more or less: what falls over falls over at any moment.
pub(crate) async fn pause(milliseconds: std::ops::Range<u64>) {
    let pause = rand::rng().random_range(milliseconds);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}
