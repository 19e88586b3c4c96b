//! A case: the fixture that the register's own cases have in common, and how this one differs.
//!
//! ```text
//!   Case::new()                 everything is allowed, but for the discount of the usual line
//!     .division_inactive()      how this case differs
//!     .open().await             registry lines into a running service, which cases share
//!     .asks()                   the usual input
//!     .quantity(20)             how the input differs
//!     .refused(…).await         through both APIs
//! ```
//!
//! Each case has ids of its own, so that no case meets another one.

mod asking;
mod records;
mod running;

use chrono::{Days, NaiveDate, Utc};
use chrono_tz::Europe::Kyiv;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Pharmacy, line};

use asking::Input;
pub(crate) use asking::{Asking, OVER, said_by_platform};
use records::{Record, fixture, pharmacy};
pub(crate) use running::{Running, Switches};

/// Today where the service counts its days.
pub(crate) fn kyiv_today() -> NaiveDate {
    chrono::DateTime::<Utc>::from(std::time::SystemTime::now()).with_timezone(&Kyiv).date_naive()
}

/// The day before today.
pub(crate) fn yesterday() -> NaiveDate {
    kyiv_today() - Days::new(1)
}

/// The day after today.
pub(crate) fn tomorrow() -> NaiveDate {
    kyiv_today() + Days::new(1)
}

/// An id that no record has.
pub(crate) fn unknown() -> Uuid {
    Uuid::from_u128(rand::random())
}

/// A case in the making.
#[derive(Clone)]
pub(crate) struct Case {
    seed: Uuid,
    records: Vec<Record>,
    /// What is asked, as long as a test does not say otherwise.
    input: Input,
}

impl Case {
    /// The common fixture: a verified outlet of an active company that has a contract, a request
    /// for 10, to be dispensed from yesterday to tomorrow, under a program that pays 150 for 30.
    pub(crate) fn new() -> Self {
        let seed = Uuid::from_u128(rand::random());
        Self { seed, records: fixture(seed), input: Input::usual(seed) }
    }

    /// The id of the record of that name.
    pub(crate) fn id(&self, name: &str) -> Uuid {
        id(self.seed, name)
    }

    /// The case with other members in the record of that name; objects are merged, null removes.
    pub(crate) fn but(mut self, name: &str, members: &Value) -> Self {
        merge(&mut self.record(name).data, members);
        self
    }

    /// The case without the record of that name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.records.len();
        self.records.retain(|it| it.name != name);
        assert_eq!(self.records.len() + 1, before, "one record is called {name}");
        self
    }

    /// The case with one record more, which is like the one of another name but for some members.
    pub(crate) fn with(mut self, name: &'static str, like: &str, members: &Value) -> Self {
        let mut record = Record { name, ..self.record(like).clone() };
        if record.data.get("id").is_some() {
            record.data["id"] = json!(self.id(name));
        }
        merge(&mut record.data, members);
        self.records.push(record);
        self
    }

    /// The case with a record of a kind that the fixture does not have.
    pub(crate) fn and(mut self, name: &'static str, kind: &'static str, mut data: Value) -> Self {
        data["id"] = json!(self.id(name));
        self.records.push(Record { name, kind, data });
        self
    }

    /// The case with another usual input.
    pub(crate) fn input(mut self, differs: impl FnOnce(Input) -> Input) -> Self {
        self.input = differs(self.input);
        self
    }

    fn record(&mut self, name: &str) -> &mut Record {
        let found = self.records.iter_mut().find(|it| it.name == name);
        found.unwrap_or_else(|| panic!("no record is called {name}"))
    }

    /// The line of the record of that name, with other members.
    pub(crate) fn line(&self, name: &str, members: &Value) -> String {
        let mut record = self.clone().record(name).clone();
        merge(&mut record.data, members);
        line(record.kind, &record.data)
    }

    fn lines(&self) -> String {
        self.records.iter().map(|it| line(it.kind, &it.data)).collect()
    }

    /// The case at a service with the usual switches.
    pub(crate) async fn open(self) -> Opened {
        self.open_with(Switches::Usual).await
    }

    /// The case at a service with other switches.
    pub(crate) async fn open_with(self, switches: Switches) -> Opened {
        let running = running::shared(switches).await;
        self.open_at(running).await
    }

    /// The case at that service.
    pub(crate) async fn open_at(self, running: std::sync::Arc<Running>) -> Opened {
        let [one, other] =
            ["", "other "].map(|whose| pharmacy(self.seed, whose).at(&running.instance));
        let opened = Opened { one, other, case: self, running };
        opened.import(&opened.case.lines()).await;
        opened
    }
}

/// How a case differs: the words that several of them need.
impl Case {
    /// The outlet's record does not count.
    pub(crate) fn division_inactive(self) -> Self {
        self.but("division", &json!({"is_active": false}))
    }

    /// What the program reimburses for a whole package of the brand.
    pub(crate) fn participant(self, amount: impl Into<Value>) -> Self {
        let amount: Value = amount.into();
        self.but("participant", &json!({"reimbursement": {"reimbursement_amount": amount}}))
    }

    /// How much was prescribed; the usual line takes all of it.
    pub(crate) fn request_quantity(self, quantity: impl Into<Value>) -> Self {
        let quantity: Value = quantity.into();
        self.but("request", &json!({"medication_qty": quantity}))
            .input(|input| input.quantity(quantity))
    }

    /// The patient got this code, and the pharmacy knows it.
    pub(crate) fn code(self, code: &str) -> Self {
        self.but("request", &json!({"verification_code": code})).input(|input| input.code(code))
    }

    /// It was prescribed outside any program, and is dispensed so.
    pub(crate) fn without_program(self) -> Self {
        self.but("request", &json!({"medical_program_id": null}))
            .input(|input| Input { program: None, ..input })
    }

    /// The first day of dispensing.
    pub(crate) fn dispense_valid_from(self, day: NaiveDate) -> Self {
        self.but("request", &json!({"dispense_valid_from": day}))
    }

    /// The contract is suspended.
    pub(crate) fn contract_suspended(self) -> Self {
        self.but("contract", &json!({"is_suspended": true}))
    }

    /// Settings of the program.
    pub(crate) fn settings(self, settings: &Value) -> Self {
        self.but("program", &json!({"medical_program_settings": settings}))
    }

    /// The program allows parts.
    pub(crate) fn in_parts(self) -> Self {
        self.settings(&json!({"multi_medication_dispense_allowed": true}))
    }

    /// The pharmacist asks for a discount that the program pays.
    pub(crate) fn discount(self, discount: impl Into<Value>) -> Self {
        self.input(|input| input.discount(discount))
    }

    /// A second program, which pays for the brand as the first one does.
    pub(crate) fn with_second_program(self) -> Self {
        let (program, contract) = (self.id("second program"), self.id("second contract"));
        self.with("second program", "program", &json!({"name": "Second program"}))
            .with(
                "second contract",
                "contract",
                &json!({
                "contract_number": contract, "medical_programs": [program]}),
            )
            .with("second participant", "participant", &json!({"medical_program_id": program}))
    }

    /// Another request of the same patient for the same dosage, in the same days.
    pub(crate) fn with_other_request(self, members: &Value) -> Self {
        self.with("other request", "request", members)
    }
}

/// A case at a running service.
pub(crate) struct Opened {
    case: Case,
    running: std::sync::Arc<Running>,
    /// The pharmacy of the fixture.
    pub(crate) one: Pharmacy,
    /// A pharmacy of another company, to which everything is allowed as well.
    pub(crate) other: Pharmacy,
}

impl Opened {
    /// The id of the record of that name.
    pub(crate) fn id(&self, name: &str) -> Uuid {
        self.case.id(name)
    }

    /// The service itself.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// What the pharmacy of the fixture asks, with the usual input.
    pub(crate) fn asks(&self) -> Asking {
        Asking::new(&self.one, self.case.input.clone())
    }

    /// What the other pharmacy asks, with the usual input.
    pub(crate) fn other_asks(&self) -> Asking {
        let input = Input { division: self.other.division, ..self.case.input.clone() };
        Asking::new(&self.other, input)
    }

    /// Changes the registry.
    pub(crate) async fn import(&self, lines: &str) {
        let report = self.one.import(lines).await.expect(200);
        assert_eq!(report.body["faultyCount"], 0, "{report:#?}");
    }

    /// Changes the record of that name.
    pub(crate) async fn change(&self, name: &str, members: &Value) {
        self.import(&self.case.line(name, members)).await;
    }

    /// What the import says of a change that it does not like: the code of the faulty line.
    pub(crate) async fn change_refused(&self, name: &str, members: &Value) -> String {
        let report = self.one.import(&self.case.line(name, members)).await.expect(200);
        assert_eq!(report.body["faultyCount"], 1, "{report:#?}");
        report.body["faulty"][0]["code"].as_str().unwrap().to_owned()
    }

    /// The medication request as the register shows it.
    pub(crate) async fn request(&self) -> Value {
        let path = format!("/api/medication_requests/{}", self.id("request"));
        self.one.get(&path).await.expect(200).data().clone()
    }

    /// Signs what the register shows of a hold, and hands it over through the register's API.
    pub(crate) async fn process(&self, held: &Answer) -> Answer {
        let container = self.one.sign(held.data(), super::PAID);
        self.one.ehealth_process(held.id(), &container, &held.id().to_string()).await
    }

    /// Asks, through the register's API, which programs can pay.
    pub(crate) async fn qualify(&self, pharmacy: &Pharmacy, body: &Value) -> Answer {
        let path = format!("/medication_requests/{}/actions/qualify", self.id("request"));
        Answer::to(pharmacy.ehealth("POST", &path).json(body)).await.unwrap()
    }

    /// The same through the platform's API.
    pub(crate) async fn platform_qualify(&self, pharmacy: &Pharmacy, body: &Value) -> Answer {
        let path = format!("/api/v1/prescriptions/{}/qualify", self.id("request"));
        Answer::to(pharmacy.request("POST", &path).json(body)).await.unwrap()
    }

    /// A pharmacist of the fixture whose token says something else.
    pub(crate) fn with_claim(&self, claim: &str, value: impl Into<Value>) -> Pharmacy {
        self.one.with_token(&self.one.token().with(claim, value))
    }
}

/// An id that no other case has.
fn id(seed: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&seed, name.as_bytes())
}

/// As RFC 7396: objects are merged, null removes, and all else takes the place of what was there.
fn merge(into: &mut Value, members: &Value) {
    let Value::Object(members) = members else {
        *into = members.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let object = into.as_object_mut().unwrap();
    for (name, value) in members {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), value);
        }
    }
}
