//! Records of registries are described as they are taken: the code says itself which members it knows,
//! and which it cannot do without.

use std::collections::{BTreeMap, BTreeSet};

use dispense_demo::Demo;
use dispense_domain::registry::{
    CarePlan, CarePlanActivity, Contract, Division, Dosage, Employee, HealthcareService,
    Ingredient, LegalEntity, LicensedService, Manufacturer, MedicalProgram,
    MedicalProgramProvision, Medication, MedicationRequest, Party, PartyUser, Period, Person,
    ProgramMedication, ProgramSettings, RegistryKind, Reimbursement,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Document;

/// Members that every record may have; they are taken off before it is read.
const STAMPS: [&str; 4] = ["inserted_at", "inserted_by", "updated_at", "updated_by"];

/// A country on the day of the golden messages.
fn demo() -> Demo {
    Demo::new("2026-03-10".parse().unwrap()).with_requests(200)
}

/// The first line of each kind.
pub(super) fn first_lines() -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for line in demo().lines() {
        let kind = kind_of(&line);
        found.entry(kind.as_str()).or_insert(line);
    }
    assert_eq!(found.len(), RegistryKind::ALL.len(), "{:?}", found.keys());
    found
}

fn kind_of(line: &str) -> RegistryKind {
    let line: Value = serde_json::from_str(line).unwrap();
    RegistryKind::named(line["kind"].as_str().unwrap()).unwrap()
}

#[test]
fn every_line_of_the_demo_is_as_it_is_described() {
    let document = Document::read();
    let mut looked_at: BTreeMap<&str, u32> = BTreeMap::new();
    for line in demo().lines() {
        let kind = kind_of(&line).as_str();
        // What comes later is alike, and a country is long.
        let seen = looked_at.entry(kind).or_default();
        *seen += 1;
        if *seen <= 20 {
            let message = document.message_of(&format!("ndp.registry.{kind}"));
            let value = serde_json::from_str(&line).unwrap();
            let objections = document.against(message, "payload", &value);
            assert!(objections.is_empty(), "{objections:#?}");
        }
    }
    assert_eq!(looked_at.len(), RegistryKind::ALL.len());
}

/// A kind of record, and what the code says about one: nothing, or what is wrong.
type Reads = (&'static str, fn(&Value) -> Result<(), String>);

fn reads<T: DeserializeOwned>(value: &Value) -> Result<(), String> {
    // From text, as it comes: numbers are read from their digits.
    serde_json::from_str::<T>(&value.to_string()).map(drop).map_err(|error| error.to_string())
}

/// Every schema of a record, and of what stands in one.
const RECORDS: [Reads; 22] = [
    ("RegistryLegalEntity", reads::<LegalEntity>),
    ("RegistryDivision", reads::<Division>),
    ("RegistryHealthcareService", reads::<HealthcareService>),
    ("RegistryParty", reads::<Party>),
    ("RegistryPartyUser", reads::<PartyUser>),
    ("RegistryEmployee", reads::<Employee>),
    ("RegistryMedication", reads::<Medication>),
    ("RegistryMedicalProgram", reads::<MedicalProgram>),
    ("RegistryProgramMedication", reads::<ProgramMedication>),
    ("RegistryContract", reads::<Contract>),
    ("RegistryMedicalProgramProvision", reads::<MedicalProgramProvision>),
    ("RegistryPerson", reads::<Person>),
    ("RegistryCarePlan", reads::<CarePlan>),
    ("RegistryCarePlanActivity", reads::<CarePlanActivity>),
    ("RegistryMedicationRequest", reads::<MedicationRequest>),
    ("RegistryLicensedService", reads::<LicensedService>),
    ("RegistryPeriod", reads::<Period>),
    ("RegistryReimbursement", reads::<Reimbursement>),
    ("RegistryIngredient", reads::<Ingredient>),
    ("RegistryDosage", reads::<Dosage>),
    ("RegistryManufacturer", reads::<Manufacturer>),
    ("RegistryProgramSettings", reads::<ProgramSettings>),
];

/// The members that the code knows, as it lists them when it is shown another one.
fn known(read: fn(&Value) -> Result<(), String>) -> BTreeSet<String> {
    let refusal = read(&json!({"no such member": 1})).unwrap_err();
    assert!(refusal.starts_with("unknown field"), "{refusal}");
    refusal.split('`').skip(3).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn members_of_records_are_those_that_the_code_knows() {
    let document = Document::read();
    let schemas = &document.value["components"]["schemas"];
    let topics = RegistryKind::ALL.map(|kind| format!("ndp.registry.{}", kind.as_str()));
    let records: BTreeSet<&str> = topics.iter().map(|topic| document.message_of(topic)).collect();
    for (name, read) in RECORDS {
        let described = schemas[name]["properties"].as_object().unwrap().keys().cloned();
        let mut known = known(read);
        if records.contains(name) {
            known.extend(STAMPS.map(ToOwned::to_owned));
        }
        assert_eq!(described.collect::<BTreeSet<_>>(), known, "{name}");
    }
    let described = schemas.as_object().unwrap().keys();
    let described: BTreeSet<_> = described.filter(|name| name.starts_with("Registry")).collect();
    assert_eq!(described.len(), RECORDS.len(), "{described:?}");
}

/// Leaves members out one by one until only those are left without which the code refuses the record.
#[test]
fn members_that_must_be_there_are_those_that_the_code_cannot_do_without() {
    let document = Document::read();
    let schemas = &document.value["components"]["schemas"];
    for (kind, line) in first_lines() {
        let message = document.message_of(&format!("ndp.registry.{kind}"));
        let (_, read) = RECORDS.iter().find(|(name, _)| *name == message).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let mut data: Map<String, Value> = line["data"].as_object().unwrap().clone();
        data.retain(|name, _| !STAMPS.contains(&name.as_str()));
        read(&data.clone().into()).unwrap();
        let names: Vec<String> = data.keys().cloned().collect();
        for name in names {
            let value = data.remove(&name).unwrap();
            if read(&data.clone().into()).is_err() {
                data.insert(name, value);
            }
        }
        let needed: BTreeSet<&str> = data.keys().map(String::as_str).collect();
        let described = schemas[message]["required"].as_array().unwrap();
        let mut described: BTreeSet<&str> =
            described.iter().map(|name| name.as_str().unwrap()).collect();
        // It has another name too, so that neither of them must be there.
        described.extend((kind == "care_plan").then_some("person_id"));
        assert_eq!(described, needed, "{kind}");
    }
}
