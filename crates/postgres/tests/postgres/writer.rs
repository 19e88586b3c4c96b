//! The writer: what one bad command costs the others, and what it makes of a log that somebody else
//! touched.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use dispensary::{AppendError, Appended, EventLog, Line, Origin};
use dispense_demo::{Demo, Dispensable};
use dispense_domain::command::key_digest;
use dispense_domain::{
    CodeTurn, Command, CreateHold, DispenseDay, DispenseId, LegalEntityId, NewItem, Prices, Stated,
    Terms, Text,
};
use dispense_postgres::PgLog;
use rust_decimal::Decimal;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::{Database, partitions};

/// How many commands go into one batch, more or less: they are sent at once.
const COMMANDS: usize = 24;

/// A log with its writers, and what can be held.
struct World {
    database: Database,
    log: Arc<PgLog>,
    demo: Demo,
    stop: CancellationToken,
}

impl World {
    async fn new() -> Self {
        let database = Database::new().await;
        let today: NaiveDate =
            sqlx::query_scalar("SELECT current_date").fetch_one(&database.admin).await.unwrap();
        let demo = Demo::new(today).with_requests(400).with_fresh_requests_only();
        let lines = demo.lines().zip(1..).map(|(line, number)| Line { number, bytes: line.into() });
        let by = origin(Uuid::nil());
        let faulty = database.importer().import(lines.collect(), &by).await.unwrap();
        assert!(faulty.is_empty(), "{faulty:?}");
        let registry = Arc::new(database.registry());
        registry.refresh().await.unwrap();
        let settings = PgLog::settings(&database.serving, Some(partitions())).await.unwrap();
        let stop = CancellationToken::new();
        let (log, _running) = PgLog::start(
            database.serving.clone(),
            &database.serving_options,
            settings,
            &registry,
            &Arc::new(Terms::default()),
            &stop,
        );
        Self { database, log: Arc::new(log), demo, stop }
    }

    /// Medication requests of the first one's partition, so that they share batches.
    fn neighbours(&self) -> Vec<Dispensable> {
        let all: Vec<_> =
            self.demo.holdable(300).filter(|it| !it.program.skips_signature()).collect();
        let partition = |it: &Dispensable| partitions().of_request(it.medication_request_id.into());
        let home = partition(&all[0]);
        all.into_iter().filter(|it| partition(it) == home).take(COMMANDS).collect()
    }

    /// Holds them all at once; the one in place `bad` under a batch number that says so.
    async fn hold(
        &self,
        wanted: &[Dispensable],
        bad: Option<usize>,
    ) -> Vec<Result<Appended, AppendError>> {
        let holds = wanted.iter().enumerate().map(|(index, it)| {
            let batch = if bad == Some(index) { "POISON" } else { "B7" };
            let command = Command::CreateHold(Arc::new(self.command(it, batch)));
            let pharmacy = self.demo.pharmacies().next().unwrap();
            self.log.append(it.medication_request_id.into(), command, origin(pharmacy.user_id))
        });
        futures::future::join_all(holds).await
    }

    fn command(&self, wanted: &Dispensable, batch: &str) -> CreateHold {
        let pharmacy = self.demo.pharmacies().next().unwrap();
        let client = LegalEntityId::from(pharmacy.legal_entity_id);
        let request = wanted.medication_request_id.into();
        CreateHold {
            dispense_id: DispenseId::asked_for(request, client, batch),
            medication_request_id: request,
            user: pharmacy.user_id.into(),
            client,
            division_id: pharmacy.division_id.into(),
            medical_program_id: Some(wanted.medical_program_id.into()),
            dispensed_on: self.demo.today(),
            dispense_day: DispenseDay::AsStated,
            dispensed_by: None,
            verification_code: None,
            code_turn: CodeTurn::Last,
            items: vec![NewItem {
                medication_id: wanted.brand_id.into(),
                quantity: Decimal::from(wanted.quantity).try_into().unwrap(),
                unit_price: None,
                total_price: None,
                discount_amount: None,
                program_medication_id: None,
                batch_number: Some(Text::try_from(batch).unwrap()),
                expiry_date: self.demo.today().checked_add_days(Days::new(90)),
                medication_2d_codes: Vec::new(),
            }],
            prices: Prices::AsStated,
            note: None,
            payment_id: Stated::Absent,
            payment_amount: Stated::Absent,
            key_digest: key_digest(client, batch),
        }
    }

    async fn events(&self) -> i64 {
        self.database.number("SELECT count(*) FROM events").await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn origin(user: Uuid) -> Origin {
    Origin {
        user: user.into(),
        client: None,
        client_type: None,
        request_id: "test".into(),
        traceparent: None,
    }
}

/// A row that the database refuses (SQLSTATE 22) costs its own command, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_stands_alone_in_the_end() {
    let world = World::new().await;
    for statement in [
        "CREATE FUNCTION poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'data_exception'; END $$",
        "CREATE TRIGGER poisoned BEFORE INSERT ON events FOR EACH ROW
         WHEN (NEW.payload::text LIKE '%POISON%') EXECUTE FUNCTION poisoned()",
    ] {
        sqlx::query(statement).execute(&world.database.admin).await.unwrap();
    }
    let wanted = world.neighbours();
    assert_eq!(wanted.len(), COMMANDS);

    let bad = COMMANDS / 2;
    for (index, outcome) in world.hold(&wanted, Some(bad)).await.into_iter().enumerate() {
        match outcome {
            Ok(appended) => assert!(index != bad && appended.events.len() == 1, "{index}"),
            Err(error) => assert!(index == bad && matches!(error, AppendError::Bug), "{error:?}"),
        }
    }
    assert_eq!(world.events().await, i64::try_from(COMMANDS).unwrap() - 1);
}

/// An event that stands where the next one belongs (SQLSTATE 23505) stops everyone, because nobody
/// knows what it is, and nothing is written around it; when it is gone, so is the trouble.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_somebody_else_wrote_to_is_not_written_around() {
    let world = World::new().await;
    let wanted = world.neighbours();
    let first = world.hold(&wanted[..1], None).await;
    assert!(first[0].is_ok(), "{first:?}");
    sqlx::query(
        "INSERT INTO events SELECT aggregate_type, 'somebody else', 1, event_type, event_version,
             payload, metadata, partition, position + 1, event_id, gen_random_uuid(), recorded_at,
             hash FROM events",
    )
    .execute(&world.database.admin)
    .await
    .unwrap();

    let refused = world.hold(&wanted[1..4], None).await;
    assert!(refused.iter().all(|it| matches!(it, Err(AppendError::Bug))), "{refused:?}");
    assert_eq!(world.events().await, 2);

    for statement in [
        "ALTER TABLE events DISABLE TRIGGER USER",
        "DELETE FROM events WHERE aggregate_id = 'somebody else'",
        "ALTER TABLE events ENABLE TRIGGER USER",
    ] {
        sqlx::query(statement).execute(&world.database.admin).await.unwrap();
    }
    let held = world.hold(&wanted[1..4], None).await;
    assert!(held.iter().all(Result::is_ok), "{held:?}");
}
