//! What is found in the small registries for a decision: all of it, nothing else, and always in the
//! same order.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use dispensary::{Registries, RequestRecords};
use dispense_domain::command::key_digest;
use dispense_domain::qualify::{ProgramEvidence, Qualify};
use dispense_domain::registry::{Medication, MedicationRequest, ProgramMedication};
use dispense_domain::{
    CodeTurn, CreateHold, DispenseDay, DispenseId, Evidence, NewItem, Prices, Quantity,
    RequestEvidence, Stated, Terms,
};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const REQUEST: u128 = 0x1_0001;
pub(crate) const PHARMACY: u128 = 0x2_0001;
pub(crate) const OTHER_PHARMACY: u128 = 0x2_0002;
pub(crate) const CLINIC: u128 = 0x2_0003;
pub(crate) const OUTLET: u128 = 0x3_0001;
const OTHER_OUTLET: u128 = 0x3_0002;
pub(crate) const PROGRAM: u128 = 0x4_0001;
pub(crate) const OTHER_PROGRAM: u128 = 0x4_0002;
const BRAND: u128 = 0x5_0001;
const OTHER_BRAND: u128 = 0x5_0002;
const DOSAGE: u128 = 0x5_0003;
const OTHER_DOSAGE: u128 = 0x5_0004;
const SUBSTANCE: u128 = 0x5_0005;
pub(crate) const USER: u128 = 0x6_0001;

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

fn uuid(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

/// Through text, because exact numbers are read from text alone.
pub(crate) fn record<T: DeserializeOwned>(json: &Value) -> Arc<T> {
    Arc::new(serde_json::from_str(&json.to_string()).unwrap())
}

fn keep<K: Eq + Hash, T: DeserializeOwned>(
    records: &mut HashMap<K, Arc<T>>,
    id: fn(&T) -> K,
    json: &Value,
) {
    let record = record::<T>(json);
    records.insert(id(&record), record);
}

fn brand(number: u128, dosage: u128) -> Value {
    json!({
        "id": uuid(number), "name": "A brand", "type": "BRAND", "package_qty": 30,
        "ingredients": [
            {"medication_child_id": uuid(0x5_0009)},
            {"medication_child_id": uuid(dosage), "is_primary": true}
        ]
    })
}

fn dosage(number: u128) -> Value {
    json!({
        "id": uuid(number), "name": "A dosage", "type": "INNM_DOSAGE",
        "ingredients": [{"innm_child_id": uuid(SUBSTANCE), "is_primary": true}]
    })
}

fn participant(number: u128, program: u128, medication: u128) -> Value {
    json!({
        "id": uuid(number), "medication_id": uuid(medication), "medical_program_id": uuid(program),
        "reimbursement": {"type": "FIXED", "reimbursement_amount": 150}
    })
}

fn contract(number: u128, contractor: u128, name: &str) -> Value {
    json!({
        "id": uuid(number), "type": "REIMBURSEMENT", "contract_number": name,
        "status": "VERIFIED", "start_date": "2026-01-01", "end_date": "2026-12-31",
        "contractor_legal_entity_id": uuid(contractor), "medical_program_id": uuid(PROGRAM),
        "nhs_legal_entity_id": uuid(CLINIC)
    })
}

fn provision(number: u128, program: u128, division: u128, contract: Option<&str>) -> Value {
    json!({
        "id": uuid(number), "medical_program_id": uuid(program), "division_id": uuid(division),
        "contract_number": contract
    })
}

fn service(number: u128, division: u128) -> Value {
    json!({
        "id": uuid(number), "legal_entity_id": uuid(PHARMACY), "division_id": uuid(division),
        "status": "ACTIVE", "type": "SALE"
    })
}

/// Registries with something of each kind, some of it of somebody else.
pub(crate) fn registries() -> Registries {
    let mut it = Registries::default();
    for (number, name) in [(PROGRAM, "First"), (OTHER_PROGRAM, "Second")] {
        let program = json!({"id": uuid(number), "name": name});
        keep(&mut it.medical_programs, |it| it.id, &program);
    }
    let outlet = json!({
        "id": uuid(OUTLET), "legal_entity_id": uuid(PHARMACY), "name": "An outlet",
        "type": "DRUGSTORE", "status": "ACTIVE"
    });
    keep(&mut it.divisions, |it| it.id, &outlet);
    let medications = [
        brand(BRAND, DOSAGE),
        brand(OTHER_BRAND, OTHER_DOSAGE),
        dosage(DOSAGE),
        dosage(OTHER_DOSAGE),
        json!({"id": uuid(SUBSTANCE), "name": "A substance", "type": "INNM"}),
    ];
    for medication in &medications {
        keep(&mut it.medications, |it: &Medication| it.id, medication);
    }
    for number in (1..=40).rev() {
        let (owner, outlet) =
            if number % 4 == 0 { (OTHER_PHARMACY, OTHER_OUTLET) } else { (PHARMACY, OUTLET) };
        let program = if number % 5 == 0 { OTHER_PROGRAM } else { PROGRAM };
        let medication = [DOSAGE, BRAND, OTHER_BRAND, SUBSTANCE, 0x5_0008][number % 5];
        let (number, name) = (number as u128, if number % 3 == 0 { "third" } else { "other" });
        keep(&mut it.contracts, |it| it.id, &contract(number, owner, name));
        keep(&mut it.healthcare_services, |it| it.id, &service(number, outlet));
        let by = [Some("third"), None, Some("nobody's")][usize::try_from(number % 3).unwrap()];
        keep(&mut it.provisions, |it| it.id, &provision(number, program, outlet, by));
        let participant = participant(number, program, medication);
        keep(&mut it.program_medications, |it: &ProgramMedication| it.id.uuid(), &participant);
    }
    it.index();
    it
}

/// Sixty units of the dosage, under the program.
pub(crate) fn request() -> Arc<MedicationRequest> {
    record(&json!({
        "id": uuid(REQUEST), "request_number": "0000-243P-1X53-EH38", "status": "ACTIVE",
        "person_id": uuid(0x7_0001), "employee_id": uuid(0x7_0002), "division_id": uuid(0x7_0003),
        "legal_entity_id": uuid(CLINIC), "medication_id": uuid(DOSAGE), "medication_qty": 60,
        "medical_program_id": uuid(PROGRAM)
    }))
}

/// The medication request, as far as these registries know it.
pub(crate) fn evidence_of(request: Arc<MedicationRequest>) -> RequestEvidence {
    let records = RequestRecords { request, person: None, others: Vec::new(), care: None };
    registries().request_evidence(records)
}

/// Two of the brand, in one item each, and one of another.
fn hold(client: u128, division: u128, program: Option<u128>) -> CreateHold {
    let item = |medication| NewItem {
        medication_id: id(medication),
        quantity: Quantity::try_from(Decimal::ONE).unwrap(),
        unit_price: None,
        total_price: None,
        discount_amount: None,
        program_medication_id: None,
        batch_number: None,
        expiry_date: None,
        medication_2d_codes: Vec::new(),
    };
    CreateHold {
        dispense_id: DispenseId::asked_for(id(REQUEST), id(client), "key"),
        medication_request_id: id(REQUEST),
        user: id(USER),
        client: id(client),
        division_id: id(division),
        medical_program_id: program.map(id),
        dispensed_on: "2026-03-10".parse().unwrap(),
        dispense_day: DispenseDay::Bounded,
        dispensed_by: None,
        verification_code: None,
        code_turn: CodeTurn::Last,
        items: vec![item(BRAND), item(OTHER_BRAND), item(BRAND), item(0x5_0008)],
        prices: Prices::AsStated,
        note: None,
        payment_id: Stated::Absent,
        payment_amount: Stated::Absent,
        key_digest: key_digest(id(client), "key"),
    }
}

fn evidence(registries: &Registries, hold: &CreateHold) -> Evidence {
    registries.evidence(hold, None, &Arc::new(Terms::default()))
}

/// What is found of the two programs at that outlet.
fn programs(registries: &Registries, division: Option<u128>) -> [ProgramEvidence; 2] {
    let asked = Qualify {
        client: id(PHARMACY),
        programs: vec![id(PROGRAM), id(OTHER_PROGRAM)],
        division_id: division.map(id),
    };
    let terms = Arc::new(Terms::default());
    let evidence = registries.qualify_evidence(&asked, evidence_of(request()), &terms);
    assert_eq!(evidence.division.is_some(), division == Some(OUTLET));
    evidence.programs.try_into().unwrap()
}

fn numbers(ids: impl IntoIterator<Item = Uuid>) -> Vec<u128> {
    ids.into_iter().map(|it| it.as_u128()).collect()
}

fn of(matching: impl Fn(&u128) -> bool) -> Vec<u128> {
    (1..=40).filter(matching).collect()
}

#[test]
fn a_company_has_all_its_contracts_in_the_order_of_their_ids() {
    let registries = registries();
    for (client, own) in
        [(PHARMACY, of(|it| it % 4 != 0)), (OTHER_PHARMACY, of(|it| it % 4 == 0)), (CLINIC, vec![])]
    {
        let found = evidence(&registries, &hold(client, OUTLET, None)).contracts;
        assert_eq!(numbers(found.iter().map(|it| it.id)), own);
    }
}

#[test]
fn an_outlet_has_all_its_services_in_the_order_of_their_ids() {
    let registries = registries();
    for (division, own) in
        [(OUTLET, of(|it| it % 4 != 0)), (OTHER_OUTLET, of(|it| it % 4 == 0)), (0x3_0009, vec![])]
    {
        let found = evidence(&registries, &hold(PHARMACY, division, None)).healthcare_services;
        assert_eq!(numbers(found.iter().map(|it| it.id)), own);
    }
}

#[test]
fn an_outlet_has_all_its_statements_of_a_program_in_the_order_of_their_ids() {
    let registries = registries();
    for (division, program, own) in [
        (OUTLET, Some(PROGRAM), of(|it| it % 4 != 0 && it % 5 != 0)),
        (OUTLET, Some(OTHER_PROGRAM), of(|it| it % 4 != 0 && it % 5 == 0)),
        (OTHER_OUTLET, Some(PROGRAM), of(|it| it % 4 == 0 && it % 5 != 0)),
        (OUTLET, None, vec![]),
        (OUTLET, Some(0x4_0009), vec![]),
    ] {
        let found = evidence(&registries, &hold(PHARMACY, division, program)).provisions;
        assert_eq!(numbers(found.iter().map(|it| it.record.id)), own, "{division} {program:?}");
    }
    let [first, second] = programs(&registries, Some(OUTLET));
    let ids = |found: &ProgramEvidence| numbers(found.provisions.iter().map(|it| it.record.id));
    assert_eq!(ids(&first), of(|it| it % 4 != 0 && it % 5 != 0), "for a hold or to qualify");
    assert_eq!(ids(&second), of(|it| it % 4 != 0 && it % 5 == 0));
    let [first, second] = programs(&registries, None);
    assert_eq!((ids(&first), ids(&second)), (vec![], vec![]), "no outlet is named");
}

#[test]
fn a_statement_comes_with_every_contract_of_its_number_whoever_has_it() {
    let provisions = evidence(&registries(), &hold(PHARMACY, OUTLET, Some(PROGRAM))).provisions;
    assert!(!provisions.is_empty());
    for provision in provisions.iter() {
        let number = provision.record.contract_number.as_ref().map(AsRef::<str>::as_ref);
        let contracts = numbers(provision.contracts.iter().map(|it| it.id));
        let expected = if number == Some("third") { of(|it| it % 3 == 0) } else { vec![] };
        assert_eq!(contracts, expected, "{number:?}");
    }
}

#[test]
fn a_program_has_every_brand_of_the_dosage_that_takes_part_in_it() {
    let [first, second] = programs(&registries(), None);
    let ids =
        |found: &ProgramEvidence| numbers(found.approved.iter().map(|it| it.participant.id.uuid()));
    assert_eq!(ids(&first), of(|it| it % 5 == 1), "brands alone: the dosage is in the other");
    assert_eq!(ids(&second), of(|it| it % 5 == 0), "what a pharmacy makes itself");
    assert!(first.approved.iter().all(|it| it.brand.id == id(BRAND)));
    assert!(second.approved.iter().all(|it| it.brand.id == id(DOSAGE)));
    let of_request = evidence_of(request());
    assert_eq!(of_request.approved, first.approved, "for a hold or to qualify");

    let mut other = request();
    Arc::make_mut(&mut other).medication_id = id(OTHER_DOSAGE);
    let other = evidence_of(other).approved;
    let ids = numbers(other.iter().map(|it| it.participant.id.uuid()));
    assert_eq!(ids, of(|it| it % 5 == 2), "the primary ingredient decides");
    let mut outside = request();
    Arc::make_mut(&mut outside).medical_program_id = None;
    assert!(evidence_of(outside).approved.is_empty());
}

/// Whether it counts is a rule's to say.
#[test]
fn a_participant_that_counts_no_more_is_found_all_the_same() {
    let mut registries = registries();
    let first = registries.program_medications.get_mut(&Uuid::from_u128(1)).unwrap();
    Arc::make_mut(first).is_active = false;
    let brand = registries.medications.get_mut(&id(BRAND)).unwrap();
    Arc::make_mut(brand).is_active = false;
    registries.index();
    let [found, _] = programs(&registries, None);
    assert_eq!(found.approved[0].participant.id, id(1));
    assert!(!found.approved[0].participant.is_active && !found.approved[0].brand.is_active);
}

#[test]
fn each_item_has_the_participants_of_its_brand_in_the_program() {
    let found = evidence(&registries(), &hold(PHARMACY, OUTLET, Some(PROGRAM)));
    let ids = |index: usize| {
        let participants: &Vec<Arc<ProgramMedication>> = &found.participants[index];
        numbers(participants.iter().map(|it| it.id.uuid()))
    };
    assert_eq!((ids(0), ids(1)), (of(|it| it % 5 == 1), of(|it| it % 5 == 2)));
    assert_eq!((ids(2), found.participants.len()), (ids(0), 4));
    let known: Vec<_> = found.medications.iter().map(Option::is_some).collect();
    assert_eq!(known, [true, true, true, false]);
    let outside = evidence(&registries(), &hold(PHARMACY, OUTLET, None));
    assert!(outside.participants.iter().all(Vec::is_empty));
}

#[test]
fn another_request_is_known_by_the_substance_of_its_dosage() {
    let other = |medication: u128| {
        let mut other = request();
        Arc::make_mut(&mut other).medication_id = id(medication);
        other
    };
    let others = vec![other(DOSAGE), other(OTHER_DOSAGE), other(BRAND), other(0x5_0008)];
    let records = RequestRecords { request: request(), person: None, others, care: None };
    let found = registries().request_evidence(records).others;
    let substances: Vec<_> = found.iter().map(|it| it.innm_id).collect();
    assert_eq!(substances, [Some(id(SUBSTANCE)), Some(id(SUBSTANCE)), None, None]);
}

#[test]
fn what_is_gone_or_new_is_so_once_the_registries_are_indexed() {
    let mut registries = registries();
    let nobody = Uuid::from_u128(99);
    for gone in [1, 2, 3].map(Uuid::from_u128) {
        registries.contracts.remove(&gone).unwrap();
        registries.healthcare_services.remove(&gone).unwrap();
        registries.provisions.remove(&gone).unwrap();
        registries.program_medications.remove(&gone).unwrap();
    }
    keep(&mut registries.contracts, |it| it.id, &contract(99, PHARMACY, "third"));
    registries.index();
    let found = evidence(&registries, &hold(PHARMACY, OUTLET, Some(PROGRAM)));
    let own = of(|it| it % 4 != 0 && *it > 3);
    assert_eq!(numbers(found.healthcare_services.iter().map(|it| it.id)), own);
    assert_eq!(found.contracts.last().unwrap().id, nobody);
    assert_eq!(found.contracts.len(), own.len() + 1);
    assert_eq!(found.provisions[0].record.id.as_u128(), 6);
    let contracts = numbers(found.provisions[0].contracts.iter().map(|it| it.id));
    assert_eq!(contracts[..2], [6, 9]);
    assert_eq!(contracts.last(), Some(&99));
    assert_eq!(found.participants[0][0].id, id(6));
    let [first, _] = programs(&registries, None);
    assert_eq!(first.approved[0].participant.id, id(6));
}
