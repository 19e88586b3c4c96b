//! A valid world in which everything is allowed; a test changes only what matters to it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dispense_domain::command::key_digest;
use dispense_domain::registry::{
    Division, Employee, LegalEntity, MedicalProgram, Medication, MedicationRequest, ProgramSettings,
};
use dispense_domain::{
    Command, CreateHold, DispenseDay, DispenseEvent, DispenseId, Dispensing, Evidence,
    LegalEntityId, MedicalProgramId, MedicationRequestId, Money, NewItem, Prices, Quantity,
    Refusal, Refusals, RequestEvidence, Sight, Stated, Terms, Text, decide, evolve,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const REQUEST: u128 = 0x1_0001;
pub(crate) const PHARMACY: u128 = 0x2_0001;
pub(crate) const OTHER_PHARMACY: u128 = 0x2_0002;
pub(crate) const OUTLET: u128 = 0x3_0001;
pub(crate) const PROGRAM: u128 = 0x4_0001;
pub(crate) const BRAND: u128 = 0x5_0001;
pub(crate) const DOSAGE: u128 = 0x5_0002;
pub(crate) const SUBSTANCE: u128 = 0x5_0003;
pub(crate) const USER: u128 = 0x6_0001;
pub(crate) const PARTICIPANT: u128 = 0x8_0001;

/// An id by its number.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

/// The text of such an id.
pub(crate) fn uuid(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

/// Noon in Kyiv on 10 March 2026, and so many minutes later.
pub(crate) fn noon_and(minutes: i64) -> DateTime<Utc> {
    moment("2026-03-10T10:00:00Z") + TimeDelta::minutes(minutes)
}

pub(crate) fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn text<const MOST: usize>(text: &str) -> Text<MOST> {
    text.try_into().unwrap()
}

pub(crate) fn quantity(number: &str) -> Quantity {
    Quantity::try_from(number.parse::<rust_decimal::Decimal>().unwrap()).unwrap()
}

pub(crate) fn hryvnias(number: &str) -> Money {
    Money::try_from(number.parse::<rust_decimal::Decimal>().unwrap()).unwrap()
}

/// A registry record, as a registry line would bring it.
pub(crate) fn record<T: DeserializeOwned>(data: &Value) -> Arc<T> {
    Arc::new(serde_json::from_str(&data.to_string()).unwrap())
}

/// Sixty tablets for one patient, to be dispensed in March.
pub(crate) fn sixty_tablets() -> Arc<MedicationRequest> {
    record(&json!({
        "id": uuid(REQUEST), "status": "ACTIVE", "created_at": "2026-03-01",
        "dispense_valid_from": "2026-03-01", "dispense_valid_to": "2026-03-30",
        "person_id": uuid(0x7_0001), "employee_id": uuid(0x7_0002), "division_id": uuid(0x7_0003),
        "legal_entity_id": uuid(0x7_0004), "medication_id": uuid(DOSAGE), "medication_qty": 60,
        "medical_program_id": uuid(PROGRAM)
    }))
}

fn request_evidence() -> RequestEvidence {
    RequestEvidence {
        request: sixty_tablets(),
        person: Some(record(&json!({
            "id": uuid(0x7_0001), "first_name": "Olena", "last_name": "Koval",
            "second_name": "Petrivna", "birth_date": "1960-03-01"
        }))),
        employee: Some(record(&json!({
            "id": uuid(0x7_0002), "party_id": uuid(0x7_0005), "legal_entity_id": uuid(0x7_0004),
            "employee_type": "DOCTOR", "status": "APPROVED"
        }))),
        doctor: Some(record(&json!({
            "id": uuid(0x7_0005), "first_name": "Ivan", "last_name": "Melnyk"
        }))),
        legal_entity: Some(record(&json!({
            "id": uuid(0x7_0004), "name": "Clinic No 1", "type": "MSP", "status": "ACTIVE"
        }))),
        division: Some(record(&json!({
            "id": uuid(0x7_0003), "legal_entity_id": uuid(0x7_0004), "name": "Clinic No 1, site 2",
            "type": "CLINIC", "status": "ACTIVE"
        }))),
        medication: Some(record(&json!({
            "id": uuid(DOSAGE), "name": "Metformin 500 mg", "type": "INNM_DOSAGE",
            "ingredients": [{
                "innm_child_id": uuid(SUBSTANCE), "is_primary": true,
                "dosage": {
                    "numerator_unit": "MG", "numerator_value": 500.50,
                    "denumerator_unit": "PILL", "denumerator_value": 1
                }
            }]
        }))),
        program: Some(program(ProgramSettings::default())),
    }
}

/// A program with those settings.
pub(crate) fn program(settings: ProgramSettings) -> Arc<MedicalProgram> {
    let mut program: Arc<MedicalProgram> =
        record(&json!({"id": uuid(PROGRAM), "name": "Affordable Medicines"}));
    Arc::make_mut(&mut program).medical_program_settings = settings.into();
    program
}

/// Parts may be dispensed.
pub(crate) fn in_parts() -> ProgramSettings {
    ProgramSettings { multi_medication_dispense_allowed: Some(true), ..ProgramSettings::default() }
}

/// Recorded at once, without signature.
pub(crate) fn without_signature() -> ProgramSettings {
    ProgramSettings { skip_medication_dispense_sign: Some(true), ..ProgramSettings::default() }
}

/// Thirty tablets in a package, ten in a blister.
pub(crate) fn brand() -> Arc<Medication> {
    record(&json!({
        "id": uuid(BRAND), "name": "Siofor 500", "type": "BRAND",
        "package_qty": 30, "package_min_qty": 10,
        "ingredients": [{"medication_child_id": uuid(DOSAGE), "is_primary": true}]
    }))
}

/// So many units of the brand.
pub(crate) fn item(number: &str) -> NewItem {
    NewItem {
        medication_id: id(BRAND),
        quantity: quantity(number),
        unit_price: None,
        total_price: None,
        discount_amount: None,
        program_medication_id: None,
        batch_number: None,
        expiry_date: None,
        medication_2d_codes: Vec::new(),
    }
}

/// What happened before, what is asked now, and what the registries say.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) given: Vec<DispenseEvent>,
    pub(crate) hold: CreateHold,
    pub(crate) sight: Sight,
}

/// A pharmacy holds all sixty tablets, and nothing forbids it.
pub(crate) fn all_in_order() -> Scene {
    let mut scene = Scene {
        given: Vec::new(),
        hold: CreateHold {
            dispense_id: id(0),
            medication_request_id: id(REQUEST),
            user: id(USER),
            client: id(PHARMACY),
            division_id: id(OUTLET),
            medical_program_id: Some(id(PROGRAM)),
            dispensed_on: day("2026-03-10"),
            dispense_day: DispenseDay::Bounded,
            dispensed_by: None,
            verification_code: None,
            items: vec![item("60")],
            prices: Prices::AsStated,
            note: None,
            payment_id: Stated::Absent,
            payment_amount: Stated::Absent,
            key_digest: key_digest(id(PHARMACY), ""),
        },
        sight: Sight { at: noon_and(0), evidence: evidence(), salt: [7; 32] },
    };
    scene.asks(PHARMACY, "first");
    scene
}

fn evidence() -> Evidence {
    Evidence {
        terms: Arc::new(Terms::default()),
        legal_entity: Some(record(&json!({
            "id": uuid(PHARMACY), "name": "Apteka Zdorovia", "type": "PHARMACY", "status": "ACTIVE"
        }))),
        party: Some(record(&json!({
            "id": uuid(0x6_0002), "first_name": "Maria", "last_name": "Shevchuk"
        }))),
        employees: vec![record(&json!({
            "id": uuid(0x6_0003), "party_id": uuid(0x6_0002), "legal_entity_id": uuid(PHARMACY),
            "employee_type": "PHARMACIST", "status": "APPROVED"
        }))],
        division: Some(record(&json!({
            "id": uuid(OUTLET), "legal_entity_id": uuid(PHARMACY), "name": "Apteka No 7",
            "type": "DRUGSTORE", "status": "ACTIVE"
        }))),
        program: Some(program(ProgramSettings::default())),
        medications: vec![Some(brand())],
        participants: vec![Vec::new()],
        request: Some(request_evidence()),
    }
}

impl Scene {
    /// The scene with something changed.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A legal entity asks, with that key.
    pub(crate) fn asks(&mut self, client: u128, key: &str) {
        let client: LegalEntityId = id(client);
        let request: MedicationRequestId = self.hold.medication_request_id;
        self.hold.client = client;
        self.hold.key_digest = key_digest(client, key);
        self.hold.dispense_id = DispenseId::asked_for(request, client, key);
    }

    /// The command wants those quantities, each as an item of its own.
    pub(crate) fn wants(&mut self, quantities: &[&str]) {
        self.hold.items = quantities.iter().map(|number| item(number)).collect();
        self.sight.evidence.medications = vec![Some(brand()); quantities.len()];
        self.sight.evidence.participants = vec![Vec::new(); quantities.len()];
    }

    /// The program of the dispense has those settings.
    pub(crate) fn under(&mut self, settings: ProgramSettings) {
        self.sight.evidence.program = Some(program(settings));
    }

    /// The dispense is outside any program.
    pub(crate) fn without_program(&mut self) {
        self.hold.medical_program_id = None::<MedicalProgramId>;
        self.sight.evidence.program = None;
    }

    pub(crate) fn request(&mut self) -> &mut MedicationRequest {
        Arc::make_mut(&mut self.points_at().request)
    }

    pub(crate) fn points_at(&mut self) -> &mut RequestEvidence {
        self.sight.evidence.request.as_mut().unwrap()
    }

    pub(crate) fn company(&mut self) -> &mut LegalEntity {
        Arc::make_mut(self.sight.evidence.legal_entity.as_mut().unwrap())
    }

    pub(crate) fn job(&mut self) -> &mut Employee {
        Arc::make_mut(&mut self.sight.evidence.employees[0])
    }

    pub(crate) fn outlet(&mut self) -> &mut Division {
        Arc::make_mut(self.sight.evidence.division.as_mut().unwrap())
    }

    pub(crate) fn terms(&mut self) -> &mut Terms {
        Arc::make_mut(&mut self.sight.evidence.terms)
    }

    /// The state after everything given.
    pub(crate) fn dispensing(&self) -> Dispensing {
        self.given.iter().fold(Dispensing::default(), evolve)
    }

    fn decided(&self) -> Result<Vec<DispenseEvent>, Refusals> {
        let command = Command::CreateHold(Arc::new(self.hold.clone()));
        decide(&self.dispensing(), &command, &self.sight)
    }

    /// What it brings about.
    #[track_caller]
    pub(crate) fn granted(&self) -> Vec<DispenseEvent> {
        self.decided().unwrap()
    }

    /// Every rule that it breaks.
    #[track_caller]
    pub(crate) fn refused(&self) -> Vec<Refusal> {
        self.decided().unwrap_err().all().to_vec()
    }

    /// The codes of every rule that it breaks; none if it is granted.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let codes = |no: Refusals| no.all().iter().map(|it| it.code.definition().code).collect();
        self.decided().err().map(codes).unwrap_or_default()
    }

    /// The one rule that it breaks.
    #[track_caller]
    pub(crate) fn the_refusal(&self) -> Refusal {
        let [only] = <[Refusal; 1]>::try_from(self.refused()).unwrap();
        only
    }

    /// Carries it out: what it brings about has happened.
    #[track_caller]
    pub(crate) fn happens(&mut self) -> Vec<DispenseEvent> {
        let events = self.granted();
        self.given.extend(events.iter().cloned());
        events
    }
}

/// The params of a refusal as JSON.
pub(crate) fn params(refusal: &Refusal) -> Value {
    Value::Object(refusal.params.clone())
}
