//! A country with one patient who is looked at.

use std::sync::Mutex;

use dispensary::{AppendError, EventLog, Origin};
use dispense_demo::Dispensable;
use dispense_domain::command::key_digest;
use dispense_domain::{Cancel, Command, CreateHold, DispenseId, Reach};
use dispense_postgres::PgRegistry;
use dispense_postgres::erase::{Eraser, NotErased, Order, Report};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sample::{importer, lines};
use crate::world::World;

pub(super) struct Sight {
    pub(super) world: World,
    pub(super) wanted: Dispensable,
    annotations: Mutex<Value>,
}

impl Sight {
    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let wanted = world.demo.holdable(300).find(|it| !it.program.skips_signature()).unwrap();
        Self { world, wanted, annotations: Mutex::default() }
    }

    pub(super) fn patient(&self) -> Uuid {
        self.wanted.person_id
    }

    pub(super) fn request(&self) -> Uuid {
        self.wanted.medication_request_id
    }

    pub(super) fn annotate(&self, members: &Value) {
        *self.annotations.lock().unwrap() = members.clone();
    }

    pub(super) fn annotations(&self) -> Value {
        self.annotations.lock().unwrap().clone()
    }

    fn command(&self, key: &str) -> CreateHold {
        self.world.command(&self.world.pharmacy(0), &self.wanted, key)
    }

    /// A hold of the patient's medication.
    pub(super) async fn held(&self, key: &str) -> CreateHold {
        let command = self.command(key);
        self.world.hold(command.clone()).await.unwrap();
        command
    }

    /// Whether that worked.
    pub(super) async fn held_by(&self, key: &str) -> bool {
        self.world.hold(self.command(key)).await.is_ok()
    }

    /// The hold that began last.
    pub(super) async fn latest(&self) -> CreateHold {
        let id: Uuid = sqlx::query_scalar(
            "SELECT dispense_id FROM events WHERE event_type = 'HoldCreated'
             ORDER BY recorded_at DESC LIMIT 1",
        )
        .fetch_one(&self.world.database.admin)
        .await
        .unwrap();
        CreateHold { dispense_id: DispenseId::from(id), ..self.command("whatever") }
    }

    /// The codes with which a hold is refused.
    pub(super) async fn refused(&self, key: &str) -> Vec<&'static str> {
        match self.world.hold(self.command(key)).await {
            Err(AppendError::Refused { refusals, .. }) => {
                refusals.all().iter().map(|it| it.code.definition().code).collect()
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    /// Gives a hold back, with a reason.
    pub(super) async fn give_back(&self, held: &CreateHold) {
        let command = Cancel {
            dispense_id: held.dispense_id,
            user: held.user,
            client: held.client,
            reach: Reach::Own,
            reason: Some("wrong box".to_owned().try_into().unwrap()),
            payment_id: None,
            key_digest: key_digest(held.client, "cancel"),
        };
        let by = Origin { user: held.user, ..importer() };
        let request = held.medication_request_id;
        self.world.log.append(request, Command::Cancel(command), by).await.unwrap();
    }

    pub(super) async fn eraser(&self) -> Eraser {
        let options = self.world.database.admin.connect_options();
        Eraser::connect(&options).await.unwrap()
    }

    pub(super) async fn erase(&self, order: &Order) -> Result<Report, NotErased> {
        let mut eraser = self.eraser().await;
        let found = eraser.find(order.whom, |_| {}).await.unwrap();
        eraser.erase(order, found).await
    }

    pub(super) fn registries(&self) -> PgRegistry {
        self.world.database.registry()
    }

    pub(super) async fn count(&self, table: &str, condition: &str) -> i64 {
        self.world.database.number(&format!("SELECT count(*) FROM {table} {condition}")).await
    }

    pub(super) async fn record_of_request(&self) -> Value {
        let text: String =
            sqlx::query_scalar("SELECT data::text FROM medication_requests WHERE id = $1")
                .bind(self.request())
                .fetch_one(&self.world.database.admin)
                .await
                .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Who prescribed it.
    pub(super) async fn doctor(&self) -> Uuid {
        let record = self.record_of_request().await;
        let id: String = sqlx::query_scalar(
            "SELECT data ->> 'party_id' FROM registry_entries
             WHERE kind = 'employee' AND id::text = $1",
        )
        .bind(record["employee_id"].as_str())
        .fetch_one(&self.world.database.admin)
        .await
        .unwrap();
        id.parse().unwrap()
    }

    /// Every prescription of that doctor ran out.
    pub(super) async fn prescriptions_are_over(&self, doctor: Uuid) {
        sqlx::query(
            "UPDATE medication_requests SET data = (data::jsonb || '{\"status\": \"EXPIRED\"}')::json
             WHERE data ->> 'employee_id' IN (
                 SELECT id::text FROM registry_entries
                 WHERE kind = 'employee' AND data ->> 'party_id' = $1
             )",
        )
        .bind(doctor.to_string())
        .execute(&self.world.database.admin)
        .await
        .unwrap();
    }

    /// Imports the patient's record.
    pub(super) async fn import_person(&self) {
        let line = json!({"kind": "person", "data": {"id": self.patient(), "first_name": "Олена",
            "last_name": "Шевченко", "birth_date": "1980-05-01"}});
        let faulty =
            self.world.database.importer().import(lines([line]), &importer()).await.unwrap();
        assert_eq!(faulty, []);
    }
}
