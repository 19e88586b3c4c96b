//! A valid world in which everything is allowed; a test changes only what matters to it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dispense_domain::command::key_digest;
use dispense_domain::registry::{
    Contract, Division, Employee, HealthcareService, LegalEntity, MedicalProgram, Medication,
    MedicationRequest, ProgramMedication, ProgramSettings,
};
use dispense_domain::{
    Approved, CodeTurn, Command, CreateHold, DispenseDay, DispenseEvent, DispenseId, Dispensing,
    LegalEntityId, MedicationRequestId, Money, NewItem, Prices, Provision, Quantity, Refusal,
    Refusals, RequestEvidence, Sight, Stated, Terms, Text, decide, evolve,
};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::records::evidence;
pub(crate) use crate::records::{brand, in_parts, participant, program, record, without_signature};

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
    Quantity::try_from(number.parse::<Decimal>().unwrap()).unwrap()
}

pub(crate) fn hryvnias(number: &str) -> Money {
    Money::try_from(number.parse::<Decimal>().unwrap()).unwrap()
}

/// So many units of the brand, and the discount that the program pays for them: 5 for each.
pub(crate) fn item(number: &str) -> NewItem {
    let quantity = quantity(number);
    NewItem {
        medication_id: id(BRAND),
        quantity,
        unit_price: None,
        total_price: None,
        discount_amount: Some(Money::try_from(quantity.decimal() * Decimal::from(5)).unwrap()),
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
            code_turn: CodeTurn::Last,
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

impl Scene {
    /// The scene with something changed.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A legal entity asks, with that key; it has a contract of its own.
    pub(crate) fn asks(&mut self, client: u128, key: &str) {
        let client: LegalEntityId = id(client);
        self.contract().contractor_legal_entity_id = client;
        let request: MedicationRequestId = self.hold.medication_request_id;
        self.hold.client = client;
        self.hold.key_digest = key_digest(client, key);
        self.hold.dispense_id = DispenseId::asked_for(request, client, key);
    }

    /// The command wants those quantities of the brand, each as an item of its own.
    pub(crate) fn wants(&mut self, quantities: &[&str]) {
        self.hold.items = quantities.iter().map(|number| item(number)).collect();
        let evidence = &mut self.sight.evidence;
        let medication = evidence.medications.first().cloned().flatten().unwrap_or_else(brand);
        let participants = evidence.participants.first().cloned().unwrap_or_default();
        evidence.medications = vec![Some(medication); quantities.len()];
        evidence.participants = vec![participants; quantities.len()];
    }

    /// Nobody knows a smallest part of the brand: it is dispensed in any quantity.
    pub(crate) fn in_any_quantity(&mut self) {
        self.brand().package_min_qty = None;
    }

    /// The program of the dispense has those settings.
    pub(crate) fn under(&mut self, settings: ProgramSettings) {
        self.sight.evidence.program = Some(program(settings));
    }

    /// Dispense and medication request are outside any program.
    pub(crate) fn without_program(&mut self) {
        self.hold.medical_program_id = None;
        let evidence = &mut self.sight.evidence;
        evidence.program = None;
        evidence.provisions = Arc::default();
        evidence.participants.iter_mut().for_each(Vec::clear);
        self.request().medical_program_id = None;
        let found = self.points_at();
        found.program = None;
        found.approved = Arc::default();
    }

    /// The settings of the program of the dispense.
    pub(crate) fn settings(&mut self) -> &mut ProgramSettings {
        Arc::make_mut(&mut self.program().medical_program_settings)
    }

    /// The program of the dispense.
    pub(crate) fn program(&mut self) -> &mut MedicalProgram {
        Arc::make_mut(self.sight.evidence.program.as_mut().unwrap())
    }

    /// The program of the medication request.
    pub(crate) fn prescribed_program(&mut self) -> &mut MedicalProgram {
        Arc::make_mut(self.points_at().program.as_mut().unwrap())
    }

    /// The brand of the first item.
    pub(crate) fn brand(&mut self) -> &mut Medication {
        Arc::make_mut(self.sight.evidence.medications[0].as_mut().unwrap())
    }

    /// The first participant for the first item.
    pub(crate) fn participant(&mut self) -> &mut ProgramMedication {
        Arc::make_mut(&mut self.sight.evidence.participants[0][0])
    }

    pub(crate) fn contract(&mut self) -> &mut Contract {
        Arc::make_mut(&mut Arc::make_mut(&mut self.sight.evidence.contracts)[0])
    }

    /// What the outlet is licensed to sell.
    pub(crate) fn sale(&mut self) -> &mut HealthcareService {
        Arc::make_mut(&mut Arc::make_mut(&mut self.sight.evidence.healthcare_services)[0])
    }

    /// What the outlet is licensed to make.
    pub(crate) fn production(&mut self) -> &mut HealthcareService {
        Arc::make_mut(&mut Arc::make_mut(&mut self.sight.evidence.healthcare_services)[1])
    }

    pub(crate) fn provision(&mut self) -> &mut Provision {
        &mut Arc::make_mut(&mut self.sight.evidence.provisions)[0]
    }

    /// The participant among the approved brands of the medication request.
    pub(crate) fn approved(&mut self) -> &mut Approved {
        &mut Arc::make_mut(&mut self.points_at().approved)[0]
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
