//! Medication requests.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Demo;
use crate::codes::number;
use crate::companies::Company;
use crate::employees::{DOCTORS, Employee};
use crate::line::line;
use crate::medications::{Brand, Dosage};
use crate::programs::{Program, WINDOW_DAYS};
use crate::seed::Draw;
use crate::tour;

/// One medication request, before it is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) n: u32,
    pub(crate) state: State,
    pub(crate) program: Option<Program>,
    /// The number of the dosage that was prescribed.
    pub(crate) dosage: u32,
    pub(crate) quantity: u32,
    /// The number of the patient.
    pub(crate) person: u32,
    /// The number of the doctor.
    pub(crate) doctor: u32,
    /// How many days ago it was prescribed.
    pub(crate) days_old: u32,
}

/// How a medication request stands today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be dispensed.
    Fresh,
    /// It can be dispensed by who knows the code.
    WithCode,
    /// It can be dispensed, and follows from a care plan.
    Planned,
    /// It can be dispensed, and nobody pays for it.
    WithoutProgram,
    /// The payer or a pharmacy has blocked it.
    Blocked,
    /// It is only an intention.
    Intention,
    Completed,
    Rejected,
    Expired,
}

impl State {
    fn drawn(draw: &mut Draw) -> Self {
        match draw.below(100) {
            0..70 => Self::Fresh,
            70..76 => Self::WithCode,
            76..79 => Self::Planned,
            79..82 => Self::WithoutProgram,
            82..85 => Self::Blocked,
            85..88 => Self::Intention,
            88..93 => Self::Completed,
            93..96 => Self::Rejected,
            _ => Self::Expired,
        }
    }

    const fn status(self) -> &'static str {
        match self {
            Self::Fresh
            | Self::WithCode
            | Self::Planned
            | Self::WithoutProgram
            | Self::Blocked
            | Self::Intention => "ACTIVE",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }

    /// How many days ago it was prescribed, so that its window is open, or over.
    fn days_old(self, draw: &mut Draw) -> u32 {
        match self {
            Self::Expired => draw.between(45, 120),
            Self::Completed | Self::Rejected => draw.between(10, 90),
            _ => draw.between(1, 14),
        }
    }
}

impl Demo {
    /// The `n`-th medication request.
    pub(crate) fn request(&self, n: u32) -> Request {
        if let Some(request) = tour::reserved(n) {
            return request;
        }
        let mut draw = self.seed.draw("request", n);
        let drawn = State::drawn(&mut draw);
        let state = match drawn {
            _ if self.mix.only_fresh => State::Fresh,
            State::WithoutProgram if self.mix.program.is_some() => State::Fresh,
            drawn => drawn,
        };
        let paid_by = self.drawn_program(&mut draw);
        // A patient with two medication requests has them for different substances, because no
        // more than one for the same may be dispensed.
        let is_second = n % 5 == 4;
        let odd = match n % 5 {
            3 => true,
            4 => false,
            _ => draw.chance(50),
        };
        let dosages = self.catalogue.prescribed_under(paid_by, odd);
        let dosage = draw.one_of(dosages);
        let quantity = self.catalogue.first_brand(dosage).drawn_quantity(&mut draw);
        Request {
            n,
            state,
            program: (state != State::WithoutProgram).then_some(paid_by),
            dosage,
            quantity,
            person: if is_second { n - 1 } else { n },
            doctor: draw.below(DOCTORS),
            days_old: state.days_old(&mut draw),
        }
    }

    fn drawn_program(&self, draw: &mut Draw) -> Program {
        let drawn = match draw.below(100) {
            0..40 => Program::Affordable,
            40..52 => Program::Insulins,
            52..68 => Program::AtOnce,
            68..82 => Program::ContractFree,
            82..94 => Program::Local,
            _ if self.mix.only_fresh => Program::Affordable,
            _ => Program::Suspended,
        };
        self.mix.program.unwrap_or(drawn)
    }

    /// The id of the `n`-th medication request.
    pub(crate) fn request_id(&self, n: u32) -> Uuid {
        self.seed.id("medication request", n)
    }

    /// The code of the `n`-th medication request, if it has one.
    pub(crate) fn verification_code(&self, n: u32) -> String {
        let mut draw = self.seed.draw("verification code", n);
        (0..4).map(|_| draw.between(1, 9).to_string()).collect()
    }

    /// The number, for people, of the `n`-th medication request.
    pub(crate) fn request_number(&self, n: u32) -> String {
        number(&self.seed, "request", n)
    }
}

impl Brand {
    /// A quantity that a doctor prescribes: whole packages, or parts of one.
    fn drawn_quantity(&self, draw: &mut Draw) -> u32 {
        if draw.chance(75) {
            self.package_qty * draw.between(1, 3)
        } else {
            self.package_min_qty * draw.between(1, 4)
        }
    }
}

/// The lines of the medication requests.
pub(crate) fn lines(demo: &Demo) -> impl Iterator<Item = String> {
    (0..demo.requests).map(|n| line("medication_request", demo.request(n).record(demo)))
}

impl Request {
    /// Whether a pharmacy has blocked it, and not the payer.
    pub(crate) const fn is_blocked_by_pharmacy(self) -> bool {
        matches!(self.state, State::Blocked) && self.n.is_multiple_of(2)
    }

    fn created_at(self, demo: &Demo) -> NaiveDate {
        demo.ago(self.days_old)
    }

    fn dispense_valid_to(self, demo: &Demo) -> NaiveDate {
        if self.days_old > WINDOW_DAYS {
            demo.ago(self.days_old - WINDOW_DAYS)
        } else {
            demo.ahead(WINDOW_DAYS - self.days_old)
        }
    }

    fn record(self, demo: &Demo) -> Value {
        let mut draw = demo.seed.draw("prescribing", self.n);
        let doctor = Employee::doctor(self.doctor);
        let dosage = &demo.catalogue.dosages[self.dosage as usize];
        let created_at = self.created_at(demo);
        let is_intention = self.state == State::Intention;
        let mut record = json!({
            "id": demo.request_id(self.n),
            "request_number": demo.request_number(self.n),
            "status": self.state.status(),
            "is_active": true,
            "intent": if is_intention { "plan" } else { "order" },
            "category": "community",
            "created_at": created_at,
            "started_at": created_at,
            "ended_at": created_at + Days::new(draw.between(30, 90).into()),
            "dispense_valid_from": (!is_intention).then_some(created_at),
            "dispense_valid_to": (!is_intention).then(|| self.dispense_valid_to(demo)),
            "person_id": demo.person_id(self.person),
            "employee_id": doctor.id(demo),
            "division_id": doctor.division.map(|site| site.id(demo)),
            "legal_entity_id": doctor.company.id(demo),
            "medication_id": demo.seed.id("dosage", self.dosage),
            "medication_qty": self.quantity,
            "medical_program_id": self.program.map(|program| demo.program_id(program)),
            "context": reference("encounter", demo.seed.id("encounter", self.n)),
            "dosage_instruction": dosage.instruction(&mut draw),
            "is_blocked": self.state == State::Blocked,
            "priority": if draw.chance(95) { "routine" } else { "urgent" },
        });
        for (member, value) in self.extras(demo, &mut draw) {
            record[member] = value;
        }
        record
    }

    /// What only medication requests in this state have.
    fn extras(self, demo: &Demo, draw: &mut Draw) -> Vec<(&'static str, Value)> {
        match self.state {
            State::WithCode => {
                vec![("verification_code", json!(demo.verification_code(self.n)))]
            }
            State::Planned => vec![(
                "based_on",
                json!([
                    { "type": "care_plan", "id": demo.care_plan_id(self.n) },
                    { "type": "activity", "id": demo.activity_id(self.n) },
                ]),
            )],
            State::Blocked => {
                let company = Company::Pharmacy(draw.below(20));
                let mut extras = vec![
                    ("block_reason", json!("Уточнення призначення у лікаря")),
                    ("block_reason_code", json!("CLARIFICATION")),
                ];
                if self.is_blocked_by_pharmacy() {
                    extras.push(("blocked_to", json!(self.dispense_valid_to(demo))));
                    extras.push(("blocked_by_legal_entity_id", json!(company.id(demo))));
                }
                extras
            }
            State::Rejected => vec![
                ("rejected_at", json!(demo.ago(self.days_old - 3))),
                ("rejected_by", json!(Employee::doctor(self.doctor).user_id(demo))),
                ("reject_reason", json!("Змінено схему лікування")),
                ("reject_reason_code", json!("CHANGE_MEDICATION")),
            ],
            State::Fresh
            | State::WithoutProgram
            | State::Intention
            | State::Completed
            | State::Expired => Vec::new(),
        }
    }
}

fn reference(kind: &str, id: Uuid) -> Value {
    let coding = json!({ "system": "eHealth/resources", "code": kind });
    json!({ "identifier": { "type": { "coding": [coding] }, "value": id } })
}

impl Dosage {
    /// How a patient is to take it.
    fn instruction(&self, draw: &mut Draw) -> Value {
        let form = self.strength.form;
        let (frequency, times) =
            draw.one_of(&[(1, "1 раз на добу"), (2, "2 рази на добу"), (3, "3 рази на добу")]);
        let when = draw.one_of(&["", " після їди", " до їди"]);
        json!([{
            "sequence": 1,
            "text": format!("{} {times}{when}", form.intake()),
            "as_needed_boolean": false,
            "timing": { "repeat": { "frequency": frequency, "period": 1, "period_unit": "d" } },
            "dose_and_rate": {
                "dose_quantity": {
                    "value": 1,
                    "unit": form.unit(),
                    "system": "MEDICATION_UNIT",
                    "code": form.unit(),
                },
            },
        }])
    }
}
