//! A log in which a test writes what it wants to be read, and the follower that reads it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use dispense_domain::{DispenseEvent, DispenseId};
use dispense_postgres::faults::Faults;
use dispense_postgres::follow::{Follower, ReadModel, Woken};
use dispense_postgres::{Dispenses, History, PgLog, follower_pool};
use serde_json::{Value, json};
use sqlx::Row;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::{Database, PARTITIONS, partitions};
use crate::sample::{DIVISION, DOSAGE, EMPLOYEE, PARTY, PERSON, PHARMACY, PROGRAM, partition_of};

/// The first instant of these logs: long ago, so that holds have run out unless a test says else.
pub(crate) const BEGINNING: &str = "2026-01-31T08:00:00Z";

/// The day on which everything is dispensed unless a test says else.
pub(crate) fn day() -> NaiveDate {
    "2026-01-31".parse().unwrap()
}

/// A hold, as a test tells it; the rest follows.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) request: Uuid,
    pub(crate) legal_entity: Uuid,
    pub(crate) division: Uuid,
    pub(crate) day: NaiveDate,
    /// When it was prescribed.
    pub(crate) requested_on: Option<NaiveDate>,
    pub(crate) lasts: TimeDelta,
    pub(crate) at_once: bool,
    pub(crate) based_on: Option<Value>,
    pub(crate) person: Uuid,
    pub(crate) party: Uuid,
    pub(crate) program: Uuid,
    /// Medication and batch of each item.
    pub(crate) items: Vec<(Uuid, Option<&'static str>)>,
}

impl Told {
    /// A hold on that medication request, which ran out long ago.
    pub(crate) fn on(request: u128) -> Self {
        Self {
            request: Uuid::from_u128(0x00F0_0000 + request),
            legal_entity: PHARMACY,
            division: DIVISION,
            day: day(),
            requested_on: None,
            lasts: TimeDelta::minutes(10),
            at_once: false,
            based_on: None,
            person: PERSON,
            party: PARTY,
            program: PROGRAM,
            items: vec![(Uuid::from_u128(0xC0), None)],
        }
    }

    /// It lives on for a hundred years.
    pub(crate) fn alive(self) -> Self {
        Self { lasts: TimeDelta::days(36_500), ..self }
    }

    pub(crate) fn by(self, legal_entity: Uuid) -> Self {
        Self { legal_entity, ..self }
    }

    pub(crate) fn at(self, division: Uuid) -> Self {
        Self { division, ..self }
    }

    pub(crate) fn days_later(self, days: u64) -> Self {
        Self { day: day().checked_add_days(Days::new(days)).unwrap(), ..self }
    }

    fn event(&self, dispense: Uuid, at: DateTime<Utc>) -> DispenseEvent {
        let digest = "11".repeat(32);
        let items = self.items.iter().map(|(id, batch)| {
            json!({"id": Uuid::nil(), "quantity": "10", "reimbursement_amount": "0",
                "batch_number": batch,
                "medication": {"id": id, "name": "Глюкофаж", "type": "BRAND"}})
        });
        let expires_at = (!self.at_once).then(|| at + self.lasts);
        serde_json::from_value(json!({
            "type": "HoldCreated", "dispense_id": dispense, "key_digest": digest,
            "request_digest": digest, "processed_at_once": self.at_once, "prescribed": "30",
            "expires_at": expires_at, "party_id": self.party, "employee_id": EMPLOYEE,
            "legal_entity_id": self.legal_entity, "dispensed_on": self.day, "personal": digest,
            "division": {"id": self.division, "name": "Хрещатик", "legal_entity_id": PHARMACY,
                "type": "DRUGSTORE", "status": "ACTIVE"},
            "medical_program": {"id": self.program, "name": "Доступні ліки", "is_active": true,
                "settings": {}},
            "items": items.collect::<Vec<_>>(),
            "medication_request": {"id": self.request, "status": "ACTIVE", "intent": "order",
                "person_id": self.person, "employee_id": EMPLOYEE, "division_id": DIVISION,
                "legal_entity_id": PHARMACY, "created_at": self.requested_on,
                "medication": {"id": DOSAGE, "name": "Метформін"}, "remaining": "30"},
        }))
        .unwrap()
    }

    fn body(&self) -> Value {
        match &self.based_on {
            Some(based_on) => json!({"medication_request": {"based_on": based_on}}),
            None => json!({"medication_request": {}}),
        }
    }
}

/// A log that is told, in a database of its own.
pub(crate) struct Log {
    pub(crate) database: Database,
    now: DateTime<Utc>,
    keys: u32,
}

impl Log {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        Self { database, now: BEGINNING.parse().unwrap(), keys: 0 }
    }

    /// Lets a second go by. What is told within one second was recorded by one batch.
    pub(crate) fn tick(&mut self) {
        self.now += TimeDelta::seconds(1);
    }

    /// The instant at which the next thing is told.
    pub(crate) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The hold was created, and gets this id.
    pub(crate) async fn held(&mut self, told: &Told) -> Uuid {
        self.keys += 1;
        let request = told.request.into();
        let id = DispenseId::asked_for(request, PHARMACY.into(), &self.keys.to_string()).uuid();
        self.append(told.request, &told.event(id, self.now), Some(told.body())).await;
        id
    }

    /// It ended so.
    pub(crate) async fn ended(&mut self, told: &Told, dispense: Uuid, how: &str) {
        let digest = "22".repeat(32);
        let event = json!({
            "type": how, "dispense_id": dispense, "signed": true, "remaining": "20",
            "key_digest": digest, "request_digest": digest, "expires_at": self.now,
        });
        let event: DispenseEvent = serde_json::from_value(event).unwrap();
        self.append(told.request, &event, None).await;
    }

    /// The hold was created and ended so, and time went by.
    pub(crate) async fn dispensed(&mut self, told: &Told, how: &str) -> Uuid {
        let id = self.held(told).await;
        self.tick();
        self.ended(told, id, how).await;
        self.tick();
        id
    }

    pub(crate) async fn append(&self, request: Uuid, event: &DispenseEvent, body: Option<Value>) {
        sqlx::query(
            "WITH place AS (
                 UPDATE log_head SET position = position + 1, recorded_at = $7, hash = $8
                 WHERE partition = $5 RETURNING partition, position
             ), written AS (
                 INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type,
                     event_version, payload, metadata, partition, position, event_id, dispense_id,
                     recorded_at, hash)
                 SELECT 'dispense', $1, position, $2, $3, $4::json, '{}', partition, position,
                        gen_random_uuid(), $6, $7, $8 FROM place
             )
             INSERT INTO personal_bodies SELECT partition, position, $9 FROM place
             WHERE $9 IS NOT NULL",
        )
        .bind(request.to_string())
        .bind(event.name())
        .bind(event.version())
        .bind(serde_json::to_string(event).unwrap())
        .bind(partition_of(request).cast_signed())
        .bind(event.dispense_id().uuid())
        .bind(self.now)
        .bind([7_u8; 32])
        .bind(body)
        .execute(&self.database.admin)
        .await
        .unwrap();
    }

    /// Follows the log to its end, with followers that start anew.
    pub(crate) async fn followed(&self) {
        let stop = CancellationToken::new();
        let running = self.following(&stop).await;
        while self.behind().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
        for follower in running {
            follower.await.unwrap();
        }
    }

    /// Follows the log until `stop` is cancelled, with followers that start anew.
    pub(crate) async fn following(&self, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        let models: [Arc<dyn ReadModel>; 2] = [Arc::new(Dispenses), Arc::new(History)];
        self.following_all(&models, &Faults::default(), stop).await
    }

    /// The same for other read models, whose followers tell their faults.
    pub(crate) async fn following_all(
        &self,
        models: &[Arc<dyn ReadModel>],
        faults: &Faults,
        stop: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let settings = PgLog::settings(&self.database.serving, None).await.unwrap();
        let pool = follower_pool(&self.database.serving_options, 2);
        let running = partitions().all().map(|partition| {
            let nothing = || watch::channel(0).1;
            let woken = Woken { written: nothing(), heard: nothing() };
            let (models, faults) = (models.to_vec(), faults.clone());
            let follower = Follower::new(models, pool.clone(), settings, partition, woken, faults);
            tokio::spawn(follower.run(stop.clone()))
        });
        running.collect()
    }

    async fn behind(&self) -> bool {
        let there = "SELECT count(*) FROM log_head h JOIN followers f USING (partition, position)
                     WHERE f.name IN ('dispenses', 'history')";
        self.database.number(there).await < 2 * i64::from(PARTITIONS)
    }

    /// The follower begins again with nothing.
    pub(crate) async fn forgotten(&self) {
        for statement in [
            "DELETE FROM followers WHERE name IN ('dispenses', 'history')",
            "TRUNCATE dispenses_v1, dispense_items_v1, history_v1",
        ] {
            sqlx::query(statement).execute(&self.database.admin).await.unwrap();
        }
    }

    /// Everything that the model has, each row as JSON, ordered by id.
    pub(crate) async fn kept(&self) -> Vec<Value> {
        self.rows("SELECT to_jsonb(d) AS row FROM dispenses d ORDER BY dispense_id").await
    }

    /// The column `row` of what a statement finds.
    pub(crate) async fn rows(&self, statement: &str) -> Vec<Value> {
        let found = sqlx::query(statement).fetch_all(&self.database.serving).await.unwrap();
        found.iter().map(|row| row.get("row")).collect()
    }

    /// The row of that dispense.
    pub(crate) async fn row(&self, dispense: Uuid) -> Value {
        let kept = self.kept().await;
        let own = |row: &Value| row["dispense_id"] == json!(dispense);
        kept.into_iter().find(own).unwrap_or_else(|| panic!("no row of {dispense}"))
    }
}
