//! A log with its writers, and a made-up country from which can be dispensed.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use dispensary::{AppendError, Appended, EventLog, Origin, Tried};
use dispense_demo::{Demo, Dispensable, Pharmacy};
use dispense_domain::command::key_digest;
use dispense_domain::{
    CodeTurn, Command, CreateHold, DispenseDay, DispenseId, LegalEntityId, Money, NewItem, Prices,
    Stated, Terms,
};
use dispense_postgres::PgLog;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::{Database, partitions};
use crate::sample::lines;

/// A country in a database, and one instance of the service.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) log: Arc<PgLog>,
    pub(crate) demo: Demo,
    stop: CancellationToken,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::new().await;
        let today: NaiveDate =
            sqlx::query_scalar("SELECT current_date").fetch_one(&database.admin).await.unwrap();
        let demo = Demo::new(today).with_requests(400).with_fresh_requests_only();
        let faulty =
            database.importer().import(lines(demo.lines()), &origin(Uuid::nil())).await.unwrap();
        assert!(faulty.is_empty(), "{faulty:?}");
        let stop = CancellationToken::new();
        let log = instance(&database, &stop).await;
        Self { database, log, demo, stop }
    }

    /// Another instance of the service on the same database.
    pub(crate) async fn other_instance(&self) -> Arc<PgLog> {
        instance(&self.database, &self.stop).await
    }

    pub(crate) fn pharmacy(&self, n: usize) -> Pharmacy {
        self.demo.pharmacies().nth(n).unwrap()
    }

    /// Imports the record of a medication request again, with other members.
    pub(crate) async fn change(&self, request: Uuid, members: &Value) {
        let id = request.to_string();
        let mut demo = self.demo.lines().map(|line| serde_json::from_str::<Value>(&line).unwrap());
        let of = |line: &Value| line["kind"] == "medication_request" && line["data"]["id"] == *id;
        let mut line = demo.find(of).unwrap();
        for (member, value) in members.as_object().unwrap() {
            line["data"][member] = value.clone();
        }
        let by = origin(Uuid::nil());
        let faulty = self.database.importer().import(lines([line]), &by).await.unwrap();
        assert_eq!(faulty, []);
    }

    /// The order of a pharmacy for all that was prescribed.
    pub(crate) fn command(
        &self,
        pharmacy: &Pharmacy,
        wanted: &Dispensable,
        key: &str,
    ) -> CreateHold {
        let client = LegalEntityId::from(pharmacy.legal_entity_id);
        let request = wanted.medication_request_id.into();
        let offer = wanted.offer(wanted.quantity);
        let money = |it: dispense_demo::Money| {
            Money::try_from(Decimal::new(it.kopecks().try_into().unwrap(), 2)).unwrap()
        };
        CreateHold {
            dispense_id: DispenseId::asked_for(request, client, key),
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
                unit_price: Some(money(offer.sell_price)),
                total_price: Some(money(offer.sell_amount)),
                discount_amount: Some(money(offer.discount_amount)),
                program_medication_id: None,
                batch_number: None,
                expiry_date: self.demo.today().checked_add_days(Days::new(90)),
                medication_2d_codes: Vec::new(),
            }],
            prices: Prices::AsStated,
            note: None,
            payment_id: Stated::Absent,
            payment_amount: Stated::Absent,
            key_digest: key_digest(client, key),
        }
    }

    pub(crate) async fn hold(&self, command: CreateHold) -> Result<Appended, AppendError> {
        hold_at(&self.log, command).await
    }

    pub(crate) async fn try_out(&self, command: CreateHold) -> Tried {
        let (request, by) = (command.medication_request_id, origin(command.user.uuid()));
        self.log.try_out(request, Arc::new(command), by).await.unwrap()
    }

    pub(crate) async fn events(&self) -> i64 {
        self.database.number("SELECT count(*) FROM events").await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn instance(database: &Database, stop: &CancellationToken) -> Arc<PgLog> {
    let registry = Arc::new(database.registry());
    registry.refresh().await.unwrap();
    let settings = PgLog::settings(&database.serving, Some(partitions())).await.unwrap();
    let (serving, options) = (database.serving.clone(), &database.serving_options);
    let terms = Arc::new(Terms::default());
    let (log, _running) = PgLog::start(serving, options, settings, &registry, &terms, stop);
    Arc::new(log)
}

/// Asks one instance of the service for a hold.
pub(crate) async fn hold_at(log: &PgLog, command: CreateHold) -> Result<Appended, AppendError> {
    let (request, by) = (command.medication_request_id, origin(command.user.uuid()));
    log.append(request, Command::CreateHold(Arc::new(command)), by).await
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
