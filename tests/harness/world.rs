//! A small world in which everything is allowed: registry lines, and what a test needs to know of
//! them.

use std::fmt::Write;

use chrono::{DateTime, Days, NaiveDate, Utc};
use dispense_signing::development::Holder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Pharmacy;

/// How much is prescribed on each medication request.
pub(crate) const PRESCRIBED: u32 = 60;

/// How a program has medication dispensed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Terms {
    /// Held, signed for later, in parts if need be.
    InParts,
    /// Held, signed for later, all in one go.
    Whole,
    /// Recorded at once, in parts if need be.
    InPartsAtOnce,
    /// Recorded at once, all in one go.
    WholeAtOnce,
}

impl Terms {
    const ALL: [Self; 4] = [Self::InParts, Self::Whole, Self::InPartsAtOnce, Self::WholeAtOnce];
}

/// Sixty tablets that were prescribed to somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prescribed {
    pub(crate) id: Uuid,
    pub(crate) terms: Terms,
    pub(crate) program: Uuid,
    pub(crate) brand: Uuid,
    pub(crate) participant: Uuid,
}

/// The world.
pub(crate) struct World {
    /// Each of another company.
    pub(crate) pharmacies: Vec<Pharmacy>,
    requests_each: usize,
}

/// An id that follows from a name.
fn id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::from_u128(0x0d15_7e45_e000), name.as_bytes())
}

/// The pharmacist of the `n`-th pharmacy: nobody else has that tax id, and few that surname.
fn pharmacist(n: usize) -> Holder {
    let surnames = ["Шевчук", "Бондаренко", "Ткаченко", "Олійник", "Мельник", "Кравець", "Лисенко"];
    let (tax_id, surname) = (2_953_710_241 + n, surnames[n % surnames.len()]);
    let [surname, given_name] = [surname, "Марія"].map(str::to_owned);
    Holder { tax_id: tax_id.to_string(), surname, given_name }
}

/// Today's date in UTC: never after that in Kyiv.
pub(crate) fn today() -> NaiveDate {
    DateTime::<Utc>::from(std::time::SystemTime::now()).date_naive()
}

impl World {
    /// A world of so many pharmacies, and so many medication requests under each program.
    pub(crate) fn new(pharmacies: usize, requests_each: usize) -> Self {
        let pharmacy = |n| {
            let of = |what: &str| id(&format!("{what} {n}"));
            Pharmacy::new(of("user"), of("party"), of("company"), of("outlet"))
                .of_person(pharmacist(n))
        };
        Self { pharmacies: (0..pharmacies).map(pharmacy).collect(), requests_each }
    }

    /// The `n`-th medication request under such a program.
    pub(crate) fn prescribed(&self, terms: Terms, n: usize) -> Prescribed {
        assert!(n < self.requests_each, "the world has {} of each", self.requests_each);
        let of = |what: &str| id(&format!("{what} {terms:?}"));
        let request = id(&format!("request {terms:?} {n}"));
        Prescribed {
            id: request,
            terms,
            program: of("program"),
            brand: id("brand"),
            participant: of("participant"),
        }
    }

    /// All medication requests under such a program.
    pub(crate) fn all(&self, terms: Terms) -> Vec<Prescribed> {
        (0..self.requests_each).map(|n| self.prescribed(terms, n)).collect()
    }

    /// The whole registry.
    pub(crate) fn lines(&self) -> String {
        let mut lines = Lines::default();
        lines.clinic();
        lines.medicines();
        for pharmacy in &self.pharmacies {
            lines.pharmacy(pharmacy);
        }
        for terms in Terms::ALL {
            lines.program(terms, &self.pharmacies);
            for n in 0..self.requests_each {
                let what = self.prescribed(terms, n);
                lines.add("person", person(&what));
                lines.add("medication_request", request(&what));
            }
        }
        lines.0
    }
}

/// One line.
pub(crate) fn line(kind: &str, data: &Value) -> String {
    format!("{}\n", json!({"kind": kind, "data": data}))
}

/// The record of a medication request.
pub(crate) fn request(what: &Prescribed) -> Value {
    json!({
        "id": what.id, "request_number": "0000-12H4-245D-99A1", "status": "ACTIVE",
        "is_active": true, "intent": "order", "category": "community",
        "created_at": today() - Days::new(2), "started_at": today() - Days::new(2),
        "ended_at": today() + Days::new(28), "dispense_valid_from": today() - Days::new(2),
        "dispense_valid_to": today() + Days::new(28), "person_id": id(&what.id.to_string()),
        "employee_id": id("doctor's job"), "division_id": id("site"),
        "legal_entity_id": id("clinic"), "medication_id": id("dosage"),
        "medication_qty": PRESCRIBED, "medical_program_id": what.program,
        "dosage_instruction": [{"sequence": 1, "text": "one in the morning"}],
    })
}

/// The patient of a medication request: each has another one.
pub(crate) fn person(what: &Prescribed) -> Value {
    json!({"id": id(&what.id.to_string()), "first_name": "Оксана", "last_name": "Коваль",
        "second_name": "Петрівна", "birth_date": "1961-05-04"})
}

/// The record of a program.
pub(crate) fn program(what: &Prescribed) -> Value {
    json!({
        "id": what.program, "name": format!("Program {:?}", what.terms), "type": "MEDICATION",
        "is_active": true, "medication_request_allowed": true,
        "medication_dispense_allowed": true,
        "medical_program_settings": {
            "multi_medication_dispense_allowed": what.terms.in_parts(),
            "skip_medication_dispense_sign": what.terms.at_once(),
            "skip_treatment_period": true,
        },
    })
}

/// The record of an outlet.
pub(crate) fn division(pharmacy: &Pharmacy) -> Value {
    json!({"id": pharmacy.division, "legal_entity_id": pharmacy.legal_entity,
        "name": "Аптека № 7", "type": "DRUGSTORE", "status": "ACTIVE", "is_active": true,
        "dls_id": "2311", "dls_verified": true,
        "phones": [{"type": "MOBILE", "number": "+380501234567"}]})
}

/// The record of a pharmacist.
pub(crate) fn party(of: &Pharmacy) -> Value {
    json!({"id": of.party, "first_name": of.person.given_name, "last_name": of.person.surname,
        "second_name": "Іванівна", "birth_date": "1980-11-12", "tax_id": of.person.tax_id})
}

/// Lines in the making.
#[derive(Default)]
struct Lines(String);

impl Lines {
    #[allow(clippy::needless_pass_by_value, reason = "records are written where they are added")]
    fn add(&mut self, kind: &str, data: Value) {
        write!(self.0, "{}", line(kind, &data)).unwrap();
    }

    fn clinic(&mut self) {
        self.add(
            "legal_entity",
            json!({"id": id("clinic"), "name": "Поліклініка № 1",
            "type": "MSP", "status": "ACTIVE", "edrpou": "30000001", "nhs_verified": true}),
        );
        self.add(
            "division",
            json!({"id": id("site"), "legal_entity_id": id("clinic"),
            "name": "Поліклініка", "type": "CLINIC", "status": "ACTIVE"}),
        );
        self.add(
            "party",
            json!({"id": id("doctor"), "first_name": "Іван", "last_name": "Гнатюк",
            "birth_date": "1975-01-31", "tax_id": "2745810237"}),
        );
        self.add(
            "employee",
            json!({"id": id("doctor's job"), "party_id": id("doctor"),
            "legal_entity_id": id("clinic"), "division_id": id("site"),
            "employee_type": "DOCTOR", "status": "APPROVED", "position": "P7"}),
        );
    }

    fn medicines(&mut self) {
        let dosage = json!({"numerator_unit": "MG", "numerator_value": 10,
            "denumerator_unit": "PILL", "denumerator_value": 1});
        self.add(
            "medication",
            json!({"id": id("substance"), "name": "Амлодипін", "type": "INNM",
            "name_original": "Amlodipine"}),
        );
        self.add(
            "medication",
            json!({"id": id("dosage"), "name": "Амлодипін 10 мг",
            "type": "INNM_DOSAGE", "form": "PILL", "ingredients": [
                {"innm_child_id": id("substance"), "is_primary": true, "dosage": dosage}]}),
        );
        self.add(
            "medication",
            json!({"id": id("brand"), "name": "Амлодис", "type": "BRAND",
            "form": "PILL", "package_qty": 30, "package_min_qty": 10,
            "manufacturer": {"name": "Фармак", "country": "UA"}, "ingredients": [
                {"medication_child_id": id("dosage"), "is_primary": true, "dosage": dosage}]}),
        );
    }

    fn pharmacy(&mut self, of: &Pharmacy) {
        self.add(
            "legal_entity",
            json!({"id": of.legal_entity, "name": "Аптечна мережа",
            "type": "PHARMACY", "status": "ACTIVE", "edrpou": "30000002", "nhs_verified": true}),
        );
        self.add("division", division(of));
        self.add(
            "healthcare_service",
            json!({"id": id(&format!("sale {}", of.division)),
            "legal_entity_id": of.legal_entity, "division_id": of.division, "status": "ACTIVE",
            "type": "SALE", "license_type": "PHARMACY",
            "licensed_healthcare_service": {"status": "ACTIVE"}}),
        );
        self.add("party", party(of));
        self.add("party_user", json!({"user_id": of.user, "party_id": of.party}));
        self.add(
            "employee",
            json!({"id": id(&format!("job {}", of.party)), "party_id": of.party,
            "legal_entity_id": of.legal_entity, "division_id": of.division,
            "employee_type": "PHARMACIST", "status": "APPROVED", "is_active": true}),
        );
    }

    /// A program, with a contract and a provision for each pharmacy.
    fn program(&mut self, terms: Terms, pharmacies: &[Pharmacy]) {
        let what = World::new(0, 1).prescribed(terms, 0);
        self.add("medical_program", program(&what));
        self.add(
            "program_medication",
            json!({"id": what.participant, "medication_id": what.brand,
            "medical_program_id": what.program, "is_active": true,
            "reimbursement": {"type": "FIXED", "reimbursement_amount": 45},
            "start_date": today() - Days::new(300), "package_qty_divisible": true}),
        );
        for (n, pharmacy) in pharmacies.iter().enumerate() {
            let number = format!("0000-{n:04}-{terms:?}");
            self.add(
                "contract",
                json!({"id": id(&number), "type": "REIMBURSEMENT",
                "contract_number": number, "status": "VERIFIED", "is_active": true,
                "start_date": today() - Days::new(300), "end_date": today() + Days::new(60),
                "contractor_legal_entity_id": pharmacy.legal_entity,
                "medical_programs": [what.program], "division_ids": [pharmacy.division]}),
            );
            self.add(
                "medical_program_provision",
                json!({"id": id(&format!("provision {number}")),
                "medical_program_id": what.program, "division_id": pharmacy.division,
                "contract_number": number, "is_active": true}),
            );
        }
    }
}
