//! Dispenses with prices, as a test tells them, and the followers that read them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use dispense_domain::{DispenseEvent, DispenseId};
use dispense_postgres::faults::Faults;
use dispense_postgres::follow::ReadModel;
use dispense_postgres::{Dispenses, Reports};
use serde_json::{Value, json};
use sqlx::Row;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::database::PARTITIONS;
use crate::dispenses::told::{Log, day};
use crate::sample::{DIVISION, DOSAGE, EMPLOYEE, PARTY, PERSON, PHARMACY, PROGRAM};

/// A dispense; the rest follows.
#[derive(Debug, Clone)]
pub(super) struct Sold {
    pub(super) request: Uuid,
    pub(super) legal_entity: Uuid,
    pub(super) division: Uuid,
    pub(super) program: Option<Uuid>,
    pub(super) clinic: Uuid,
    pub(super) requested_on: Option<NaiveDate>,
    pub(super) day: NaiveDate,
    pub(super) at_once: bool,
    pub(super) alive: bool,
    pub(super) lines: Vec<Value>,
    pub(super) paid: Option<&'static str>,
}

impl Sold {
    pub(super) fn new(request: u128) -> Self {
        Self {
            request: Uuid::from_u128(0x00D0_0000 + request),
            legal_entity: PHARMACY,
            division: DIVISION,
            program: Some(PROGRAM),
            clinic: PHARMACY,
            requested_on: None,
            day: day(),
            at_once: false,
            alive: false,
            lines: Vec::new(),
            paid: None,
        }
    }

    /// So much of a medicine, at that price, of which the program pays a part.
    pub(super) fn line(mut self, brand: Uuid, quantity: &str, total: &str, covered: &str) -> Self {
        self.lines.push(json!({
            "id": Uuid::nil(), "quantity": quantity, "total_price": total,
            "discount_amount": covered, "reimbursement_amount": "0",
            "medication": {"id": brand, "name": "Глюкофаж", "type": "BRAND"},
        }));
        self
    }

    pub(super) const fn paid(mut self, amount: &'static str) -> Self {
        self.paid = Some(amount);
        self
    }

    pub(super) fn next_day(self) -> Self {
        Self { day: self.day + Days::new(1), ..self }
    }

    /// It lives on for a hundred years.
    pub(super) const fn alive(mut self) -> Self {
        self.alive = true;
        self
    }

    fn held(&self, id: DispenseId) -> DispenseEvent {
        let digest = "11".repeat(32);
        let expires_at = if self.alive { "2126-01-31T08:10:00Z" } else { "2026-01-31T08:10:00Z" };
        let mut event = json!({
            "type": "HoldCreated", "dispense_id": id, "key_digest": digest,
            "request_digest": digest, "processed_at_once": self.at_once, "prescribed": "30",
            "party_id": PARTY, "employee_id": EMPLOYEE, "legal_entity_id": self.legal_entity,
            "dispensed_on": self.day, "personal": digest, "items": self.lines,
            "division": {"id": self.division, "name": "Хрещатик", "legal_entity_id": PHARMACY,
                "type": "DRUGSTORE", "status": "ACTIVE"},
            "medication_request": {"id": self.request, "status": "ACTIVE", "intent": "order",
                "person_id": PERSON, "employee_id": EMPLOYEE, "division_id": DIVISION,
                "legal_entity_id": self.clinic, "remaining": "30",
                "medication": {"id": DOSAGE, "name": "Метформін"}},
        });
        if !self.at_once {
            event["expires_at"] = json!(expires_at);
        }
        if let Some(day) = self.requested_on {
            event["medication_request"]["created_at"] = json!(day);
        }
        if let Some(program) = self.program {
            let program =
                json!({"id": program, "name": "Доступні ліки", "is_active": true, "settings": {}});
            event["medical_program"] = program;
        }
        serde_json::from_value(event).unwrap()
    }

    fn ended(&self, id: Uuid, how: &str) -> DispenseEvent {
        let digest = "22".repeat(32);
        let mut event = json!({
            "type": how, "dispense_id": id, "signed": true, "remaining": "20",
            "key_digest": digest, "request_digest": digest, "expires_at": "2026-01-31T08:10:00Z",
        });
        if let Some(paid) = self.paid {
            event["payment_amount"] = json!(paid);
        }
        serde_json::from_value(event).unwrap()
    }
}

/// The hold was created, and gets this id.
pub(super) async fn open(log: &mut Log, sold: &Sold) -> Uuid {
    log.tick();
    let key = log.now().to_string();
    let id = DispenseId::asked_for(sold.request.into(), PHARMACY.into(), &key);
    log.append(sold.request, &sold.held(id), Some(json!({}))).await;
    id.uuid()
}

/// It ended so.
pub(super) async fn end(log: &mut Log, sold: &Sold, id: Uuid, how: &str) {
    log.tick();
    log.append(sold.request, &sold.ended(id, how), None).await;
}

/// The hold was created, and ended so if it did.
pub(super) async fn sell(log: &mut Log, sold: &Sold, how: Option<&str>) -> Uuid {
    let id = open(log, sold).await;
    if let Some(how) = how {
        end(log, sold, id, how).await;
    }
    id
}

/// Follows the log to its end.
pub(super) async fn read(log: &Log) {
    let (stop, faults) = (CancellationToken::new(), Faults::default());
    let models: [Arc<dyn ReadModel>; 2] = [Arc::new(Reports), Arc::new(Dispenses)];
    let running = log.following_all(&models, &faults, &stop).await;
    let there = "SELECT count(*) FROM log_head h JOIN followers f USING (partition, position)
                 WHERE f.name IN ('reports', 'dispenses')";
    while log.database.number(there).await < 2 * i64::from(PARTITIONS) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    for follower in running {
        follower.await.unwrap();
    }
}

/// The follower of the figures begins again with nothing.
pub(super) async fn forgotten(log: &Log) {
    for statement in [
        "DELETE FROM followers WHERE name = 'reports'",
        "TRUNCATE report_totals_v1, report_medications_v1, report_holds_v1",
    ] {
        sqlx::query(statement).execute(&log.database.admin).await.unwrap();
    }
}

/// Everything that the model has, as text: what is equal is the same to the last digit.
pub(super) async fn rows(log: &Log) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT to_jsonb(t)::text AS row FROM report_totals t UNION ALL
         SELECT to_jsonb(m)::text FROM report_medications m UNION ALL
         SELECT to_jsonb(h)::text FROM report_holds h ORDER BY 1",
    );
    let rows = rows.fetch_all(&log.database.serving).await.unwrap();
    rows.iter().map(|row| row.get("row")).collect()
}
