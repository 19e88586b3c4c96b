//! What a pharmacy asks in a case: the same through either API, and what it is told.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Answer, Kind, Order, Pharmacy};
use super::{id, kyiv_today};

/// What the platform's API says of the usual discount, which is too high.
pub(crate) const OVER: (&str, &str) = ("discount-out-of-bounds", "$.items.[0].discountAmount");

/// What is asked, whatever the API.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) request: Uuid,
    pub(crate) division: Uuid,
    pub(crate) program: Option<Uuid>,
    pub(crate) dispensed_at: NaiveDate,
    pub(crate) code: Option<String>,
    pub(crate) lines: Vec<Line>,
    /// Members for the payment, in the register's words.
    pub(crate) payment: Value,
}

/// One line; null leaves a member out.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) medication: Uuid,
    pub(crate) participant: Option<Uuid>,
    pub(crate) quantity: Value,
    pub(crate) price: Value,
    pub(crate) amount: Value,
    pub(crate) discount: Value,
    pub(crate) expiry_date: NaiveDate,
}

impl Input {
    /// The default line: 10 at 18.65 each, 186.5 together, with a discount of 150.
    pub(super) fn usual(seed: Uuid) -> Self {
        let line = Line {
            medication: id(seed, "brand"),
            participant: None,
            quantity: json!(10),
            price: json!(18.65),
            amount: json!(186.5),
            discount: json!(150),
            expiry_date: kyiv_today() + Days::new(400),
        };
        Self {
            request: id(seed, "request"),
            division: id(seed, "division"),
            program: Some(id(seed, "program")),
            dispensed_at: kyiv_today(),
            code: None,
            lines: vec![line],
            payment: json!({}),
        }
    }

    pub(super) fn quantity(mut self, quantity: impl Into<Value>) -> Self {
        self.lines[0].quantity = quantity.into();
        self
    }

    pub(super) fn discount(mut self, discount: impl Into<Value>) -> Self {
        self.lines[0].discount = discount.into();
        self
    }

    pub(super) fn code(self, code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..self }
    }

    /// In the register's words.
    pub(crate) fn in_register(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            stated(json!({
                "medication_id": line.medication, "program_medication_id": line.participant,
                "medication_qty": line.quantity, "sell_price": line.price,
                "sell_amount": line.amount, "discount_amount": line.discount,
                "batch_number": "UA00471", "expiry_date": line.expiry_date,
            }))
        });
        let mut dispense = stated(json!({
            "medication_request_id": self.request, "division_id": self.division,
            "medical_program_id": self.program, "dispensed_at": self.dispensed_at,
            "dispense_details": lines.collect::<Vec<_>>(),
        }));
        dispense.as_object_mut().unwrap().extend(self.payment.as_object().unwrap().clone());
        stated(json!({"code": self.code, "medication_dispense": dispense}))
    }

    /// In the platform's words.
    fn on_platform(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            stated(json!({
                "medicineCode": line.medication, "programMedicationId": line.participant,
                "quantityDispensed": line.quantity, "unitPrice": line.price,
                "totalPrice": line.amount, "discountAmount": line.discount,
                "batchNumber": "UA00471", "expiryDate": line.expiry_date,
            }))
        });
        let mut dispense = stated(json!({
            "prescriptionId": self.request, "pharmacyId": self.division, "programId": self.program,
            "dispensedAt": self.dispensed_at, "verificationCode": self.code,
            "items": lines.collect::<Vec<_>>(),
        }));
        for (there, here) in [("payment_id", "paymentId"), ("payment_amount", "copayment")] {
            if let Some(value) = self.payment.get(there) {
                dispense[here] = value.clone();
            }
        }
        dispense
    }
}

/// An object without the members that are null.
fn stated(mut object: Value) -> Value {
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

/// A pharmacy that is about to ask.
#[derive(Clone)]
pub(crate) struct Asking {
    pharmacy: Pharmacy,
    input: Input,
}

/// How the input differs.
impl Asking {
    pub(super) fn new(pharmacy: &Pharmacy, input: Input) -> Self {
        Self { pharmacy: pharmacy.clone(), input }
    }

    /// Somebody else asks the same.
    pub(crate) fn by(self, pharmacy: &Pharmacy) -> Self {
        Self { pharmacy: pharmacy.clone(), ..self }
    }

    pub(crate) fn request(mut self, request: Uuid) -> Self {
        self.input.request = request;
        self
    }

    pub(crate) fn division(mut self, division: Uuid) -> Self {
        self.input.division = division;
        self
    }

    pub(crate) fn program(mut self, program: impl Into<Option<Uuid>>) -> Self {
        self.input.program = program.into();
        self
    }

    pub(crate) fn dispensed_at(mut self, day: NaiveDate) -> Self {
        self.input.dispensed_at = day;
        self
    }

    pub(crate) fn medication(self, medication: Uuid) -> Self {
        self.line(|line| line.medication = medication)
    }

    pub(crate) fn participant(self, participant: Uuid) -> Self {
        self.line(|line| line.participant = Some(participant))
    }

    pub(crate) fn expiry_date(self, day: NaiveDate) -> Self {
        self.line(|line| line.expiry_date = day)
    }

    pub(crate) fn quantity(mut self, quantity: impl Into<Value>) -> Self {
        self.input = self.input.quantity(quantity);
        self
    }

    pub(crate) fn discount(mut self, discount: impl Into<Value>) -> Self {
        self.input = self.input.discount(discount);
        self
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.input = self.input.code(code);
        self
    }

    pub(crate) fn without_code(mut self) -> Self {
        self.input.code = None;
        self
    }

    /// Members for the payment, in the register's words.
    pub(crate) fn payment(mut self, payment: Value) -> Self {
        self.input.payment = payment;
        self
    }

    /// The first line with something else in it.
    pub(crate) fn line(mut self, differs: impl FnOnce(&mut Line)) -> Self {
        differs(&mut self.input.lines[0]);
        self
    }

    /// One line more, which is like the first but for some of it.
    pub(crate) fn and_line(mut self, differs: impl FnOnce(&mut Line)) -> Self {
        let mut line = self.input.lines[0].clone();
        differs(&mut line);
        self.input.lines.push(line);
        self
    }
}

/// Asking.
impl Asking {
    /// What is sent to the register's API.
    pub(crate) fn order(&self) -> Order {
        Order::new(Kind::Create, "/api/medication_dispenses", self.input.in_register())
    }

    /// What is sent to the platform's API.
    pub(crate) fn platform_order(&self) -> Order {
        Order::new(Kind::Create, "/api/v1/dispenses", self.input.on_platform())
    }

    /// Asks through the register's API.
    pub(crate) async fn ehealth(&self) -> Answer {
        self.pharmacy.send(&self.order()).await
    }

    /// Asks through the platform's API.
    pub(crate) async fn ndp(&self) -> Answer {
        self.pharmacy.send(&self.platform_order()).await
    }

    /// Asks through the register's API, and is granted it.
    pub(crate) async fn held(&self) -> Answer {
        self.ehealth().await.expect(201)
    }

    /// Asks through both APIs, and is refused by both: by the register's with this text, by the
    /// platform's with all these rules, of which the first says the same.
    pub(crate) async fn refused(&self, status: u16, text: &str, rules: &[(&str, &str)]) -> Answer {
        let kind = match status {
            400 | 422 => "request_malformed",
            401 => "access_denied",
            403 => "forbidden",
            409 => "request_conflict",
            429 => "too_many_requests",
            other => panic!("the register has no text alone with {other}"),
        };
        let answer = self.ehealth().await.said(status, kind, text);
        said_by_platform(self.ndp().await, status, text, rules);
        answer
    }

    /// As [`Self::refused`], where the register's API blames members: path, rule and text of each.
    pub(crate) async fn blamed(&self, members: &[[&str; 3]], rules: &[(&str, &str)]) -> Answer {
        let answer = self.ehealth().await.blames(members);
        said_by_platform(self.ndp().await, 422, members[0][2], rules);
        answer
    }
}

/// Holds a problem of the platform's API against all that is wrong: code and path of each.
#[track_caller]
pub(crate) fn said_by_platform(
    answer: Answer,
    status: u16,
    text: &str,
    rules: &[(&str, &str)],
) -> Answer {
    let errors = answer.body["errors"].as_array();
    let member = |error: &Value, name: &str| error[name].as_str().unwrap_or("").to_owned();
    let errors = errors.into_iter().flatten();
    let found: Vec<(String, String)> =
        errors.map(|error| (member(error, "code"), member(error, "path"))).collect();
    let expected: Vec<(String, String)> =
        rules.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect();
    assert_eq!((answer.status, &found), (status, &expected), "{answer:#?}");
    assert_eq!(answer.body["detail"], text, "{answer:#?}");
    answer
}
