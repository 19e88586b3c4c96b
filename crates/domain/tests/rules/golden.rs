//! Every shape of every event ever written, read back.
//!
//! The events below name every member, so that a new one does not compile until its sample has been
//! thought of: a new version, a new file, and the old file kept.

use std::sync::Arc;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cqrs_es::persist::SerializedEvent;
use dispense_domain::registry::{
    DivisionStatus, Intent, Manufacturer, MedicationType, ProgramSettings, RequestStatus,
};
use dispense_domain::upcast::{is_known, upcasters};
use dispense_domain::{
    Cancelled, Carried, Digest, DispenseEvent, DispenseId, DivisionAsWas, DosageAsWas, Expired,
    HoldCreated, Item, MedicationAsWas, Personal, PrescribedMedication, Processed, ProgramAsWas,
    Remaining, RequestAsWas, StoredContent,
};
use serde_json::{Value, json};

use crate::sample::{
    BRAND, DOSAGE, OUTLET, PARTICIPANT, PHARMACY, PROGRAM, REQUEST, SUBSTANCE, day, hryvnias, id,
    moment, quantity, text,
};

fn dispense() -> DispenseId {
    DispenseId::asked_for(id(REQUEST), id(PHARMACY), "first")
}

fn digest(byte: u8) -> Digest {
    Digest::from([byte; 32])
}

fn body(byte: u8) -> Personal {
    Personal::from(digest(byte))
}

fn carried(value: Value) -> Carried {
    Carried::try_from(value).unwrap()
}

fn left(number: &str) -> Remaining {
    Remaining::try_from(number.parse::<rust_decimal::Decimal>().unwrap()).unwrap()
}

/// Every setting that a program can have.
pub(crate) fn every_setting() -> ProgramSettings {
    ProgramSettings {
        multi_medication_dispense_allowed: Some(true),
        skip_medication_dispense_sign: Some(false),
        skip_contract_provision_verify: Some(true),
        license_types_allowed: Some(vec![text("PHARMACY"), text("PHARMACY_DRUGS")]),
        skip_dispense_division_dls_verify: Some(false),
        medical_program_change_on_dispense_allowed: Some(true),
        skip_treatment_period: Some(false),
        medication_dispense_period_day: Some(carried(json!(30))),
        medication_request_max_period_day: Some(carried(json!(90))),
        care_plan_required: Some(false),
        employee_types_to_create_medication_request: Some(carried(json!(["DOCTOR", "SPECIALIST"]))),
        speciality_types_allowed: Some(carried(json!(["FAMILY_DOCTOR"]))),
        conditions_icd10_am_allowed: Some(carried(json!(["E11"]))),
        conditions_icpc2_allowed: Some(carried(json!(["T90"]))),
        providing_conditions_allowed: Some(carried(json!(["OUTPATIENT"]))),
        patient_categories_allowed: Some(carried(json!(["insured"]))),
        skip_employee_validation: Some(false),
        skip_medication_request_employee_declaration_verify: Some(true),
        skip_medication_request_legal_entity_declaration_verify: Some(true),
        medication_request_notification_disabled: Some(false),
        device_request_allowed_code_types: Some(carried(json!([]))),
    }
}

fn affordable_medicines() -> ProgramAsWas {
    ProgramAsWas {
        id: id(PROGRAM),
        name: text("Affordable Medicines"),
        kind: Some(text("MEDICATION")),
        is_active: true,
        medication_request_allowed: Some(true),
        medication_dispense_allowed: Some(true),
        mr_blank_type: Some(text("F-1")),
        funding_source: Some(text("NHS")),
        settings: every_setting().into(),
    }
}

fn metformin() -> PrescribedMedication {
    PrescribedMedication {
        id: id(DOSAGE),
        name: text("Metformin 500 mg"),
        form: Some(text("COATED_TABLET")),
        dosage: Some(DosageAsWas {
            numerator_unit: Some(text("MG")),
            numerator_value: Some("500".parse().unwrap()),
            denumerator_unit: Some(text("PILL")),
            denumerator_value: Some("1".parse().unwrap()),
        }),
        innm_id: Some(id(SUBSTANCE)),
    }
}

fn thirty_and_a_half() -> Item {
    Item {
        id: dispense().item_id(0),
        medication: MedicationAsWas {
            id: id(BRAND),
            name: text("Siofor 500"),
            kind: MedicationType::Brand,
            manufacturer: Some(Manufacturer {
                name: Some(text("Berlin-Chemie")),
                country: Some(text("DE")),
            }),
            form: Some(text("COATED_TABLET")),
            container: Some(carried(json!({"denumerator_unit": "PILL", "denumerator_value": 1}))),
        },
        quantity: quantity("30.5"),
        unit_price: Some(hryvnias("18.65")),
        total_price: Some(hryvnias("568.83")),
        discount_amount: Some(hryvnias("152.5")),
        reimbursement_amount: hryvnias("150"),
        program_medication_id: Some(id(PARTICIPANT)),
        package_qty: Some(quantity("30")),
        step: Some(quantity("0.5")),
        batch_number: Some(text("B7-2026")),
        expiry_date: Some(day("2027-12-31")),
        medication_2d_codes: vec![text("010481011552101521abcdef")],
    }
}

fn hold_in_full() -> HoldCreated {
    HoldCreated {
        dispense_id: dispense(),
        key_digest: digest(0x11),
        request_digest: digest(0x22),
        processed_at_once: false,
        prescribed: quantity("60"),
        expires_at: Some(moment("2026-03-10T10:10:00.123456Z")),
        party_id: id(0x6_0002),
        employee_id: id(0x6_0003),
        legal_entity_id: id(PHARMACY),
        division: DivisionAsWas {
            id: id(OUTLET),
            name: text("Apteka No 7"),
            legal_entity_id: id(PHARMACY),
            kind: text("DRUGSTORE"),
            status: DivisionStatus::Active,
            dls_id: Some(text("28-1234")),
            dls_verified: Some(true),
        },
        medical_program: Some(affordable_medicines()),
        dispensed_on: day("2026-03-10"),
        items: vec![thirty_and_a_half()],
        medication_request: RequestAsWas {
            id: id(REQUEST),
            status: RequestStatus::Active,
            request_number: Some(text("0000-1234-AEHK-MPTX")),
            intent: Intent::Order,
            category: Some(text("community")),
            created_at: Some(day("2026-03-01")),
            started_at: Some(day("2026-03-01")),
            ended_at: Some(day("2026-05-29")),
            dispense_valid_from: Some(day("2026-03-01")),
            dispense_valid_to: Some(day("2026-03-30")),
            person_id: id(0x7_0001),
            employee_id: id(0x7_0002),
            division_id: id(0x7_0003),
            legal_entity_id: id(0x7_0004),
            medication: metformin(),
            remaining: left("60"),
            medical_program_id: Some(affordable_medicines().id),
            medical_program: Some(affordable_medicines()),
        },
        personal: body(0x33),
    }
}

/// Outside any program, recorded at once as a program without signature would be, and of everything
/// no more than must be known.
fn hold_in_brief() -> HoldCreated {
    let full = hold_in_full();
    let item = thirty_and_a_half();
    HoldCreated {
        processed_at_once: true,
        expires_at: None,
        division: DivisionAsWas { dls_id: None, dls_verified: None, ..full.division },
        medical_program: None,
        items: vec![Item {
            medication: MedicationAsWas {
                manufacturer: None,
                form: None,
                container: None,
                ..item.medication
            },
            quantity: quantity("60"),
            unit_price: None,
            total_price: None,
            discount_amount: None,
            reimbursement_amount: hryvnias("0"),
            program_medication_id: None,
            package_qty: None,
            step: None,
            batch_number: None,
            expiry_date: None,
            medication_2d_codes: vec![],
            ..item
        }],
        medication_request: RequestAsWas {
            request_number: None,
            category: None,
            created_at: None,
            started_at: None,
            ended_at: None,
            dispense_valid_from: None,
            dispense_valid_to: None,
            medication: PrescribedMedication {
                form: None,
                dosage: None,
                innm_id: None,
                ..metformin()
            },
            medical_program_id: None,
            medical_program: None,
            ..full.medication_request
        },
        ..full
    }
}

/// A hand-over that was signed for.
pub(crate) fn processed_signed(dispense_id: DispenseId) -> DispenseEvent {
    let container = digest(0x66);
    DispenseEvent::Processed(Processed {
        dispense_id,
        signed: true,
        payment_amount: Some(hryvnias("416.33")),
        remaining: left("29.5"),
        content: Some(StoredContent {
            key: format!("{dispense_id}/{container}"),
            digest: container,
        }),
        key_digest: Some(digest(0x44)),
        request_digest: Some(digest(0x55)),
        personal: Some(body(0x77)),
    })
}

fn processed_at_once() -> DispenseEvent {
    DispenseEvent::Processed(Processed {
        dispense_id: dispense(),
        signed: false,
        payment_amount: None,
        remaining: Remaining::NOTHING,
        content: None,
        key_digest: None,
        request_digest: None,
        personal: None,
    })
}

fn cancelled(personal: Option<Personal>) -> DispenseEvent {
    DispenseEvent::Cancelled(Cancelled {
        dispense_id: dispense(),
        key_digest: digest(0x44),
        request_digest: digest(0x55),
        personal,
    })
}

fn samples() -> Vec<(&'static str, DispenseEvent)> {
    let expires_at = moment("2026-03-10T10:10:00Z");
    vec![
        ("HoldCreated-1.0-full", DispenseEvent::HoldCreated(Arc::new(hold_in_full()))),
        ("HoldCreated-1.0-brief", DispenseEvent::HoldCreated(Arc::new(hold_in_brief()))),
        ("Processed-1.0-signed", processed_signed(dispense())),
        ("Processed-1.0-at-once", processed_at_once()),
        ("Cancelled-1.0-said", cancelled(Some(body(0x88)))),
        ("Cancelled-1.0-silent", cancelled(None)),
        ("Expired-1.0", DispenseEvent::Expired(Expired { dispense_id: dispense(), expires_at })),
    ]
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub(crate) fn file(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()
}

pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    text.push('\n');
    text
}

#[test]
fn every_event_is_written_as_it_always_was() {
    for (name, event) in samples() {
        assert_eq!(pretty(&event), file(name), "{name}");
    }
}

#[test]
fn every_shape_ever_written_is_read_and_written_back_the_same() {
    for (name, event) in samples() {
        let read: DispenseEvent = serde_json::from_str(&file(name)).unwrap();
        assert_eq!(read, event, "{name}");
        assert_eq!(DispenseEvent::from_json(&file(name)).unwrap(), event, "{name}");
        assert_eq!(pretty(&read), file(name), "{name}");
    }
}

#[test]
fn what_is_no_event_is_read_as_none() {
    let expired = file("Expired-1.0");
    for wrong in [
        "",
        "{}",
        "null",
        &expired.replace("Expired", "Extended"),
        &expired.replace("\"type\"", "\"kind\""),
        &expired.replace("expires_at", "ends_at"),
        &format!("{expired}{expired}"),
    ] {
        assert!(DispenseEvent::from_json(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_str::<DispenseEvent>(wrong).is_err(), "{wrong}");
    }
}

/// As a reader of the log does it: by type and version of the row, through the upcasters.
#[test]
fn every_file_is_a_row_that_this_build_knows() {
    for (name, event) in samples() {
        let mut words = name.splitn(3, '-');
        let (event_type, version) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!((event_type, version), (event.name(), event.version()));
        assert!(is_known(event_type, version), "{name}");
        let row = SerializedEvent::new(
            crate::sample::uuid(REQUEST),
            1,
            "dispense".to_owned(),
            event_type.to_owned(),
            version.to_owned(),
            serde_json::from_str(&file(name)).unwrap(),
            json!({}),
        );
        let lifted = upcasters().iter().fold(row, |row, upcaster| {
            if upcaster.can_upcast(&row.event_type, &row.event_version) {
                upcaster.upcast(row)
            } else {
                row
            }
        });
        assert_eq!(serde_json::from_value::<DispenseEvent>(lifted.payload).unwrap(), event);
    }
    for (event_type, version) in
        [("HoldCreated", "2.0"), ("HoldCreated", "1.1"), ("Recalled", "1.0"), ("", "")]
    {
        assert!(!is_known(event_type, version), "{event_type} {version}");
    }
}

#[test]
fn no_file_is_forgotten() {
    let here: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let known = samples().into_iter().map(|(name, _)| name);
    let known = known.chain(crate::no_personal_data::BODIES).map(str::to_owned).collect();
    assert_eq!(here, known);
}

/// Nothing that says nothing is written down.
#[test]
fn no_event_writes_a_null() {
    for (name, _) in samples() {
        assert!(!file(name).contains("null"), "{name}");
    }
}
